// The file that `device new` writes: complete in its form, with the manual's figures left out, so that `device check`
// tells line by line what is to be filled in.
#pragma once

#include <string>
#include <string_view>

#include "protocols/device/description.hpp"

namespace cyclerd::ctl {

[[nodiscard]] std::string device_skeleton(std::string_view name, device::Dialect dialect, device::DeviceKind kind);

}  // namespace cyclerd::ctl
