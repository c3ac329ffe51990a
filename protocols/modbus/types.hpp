// The vocabulary of registers, as descriptions speak it.
#pragma once

#include "protocols/device/register.hpp"

namespace cyclerd::modbus {

using device::Function;
using device::kMaxReadBits;
using device::kMaxReadRegisters;
using device::kMaxWriteRegisters;
using device::ValueType;
using device::WordOrder;

}  // namespace cyclerd::modbus
