#include "protocols/modbus/rtu_line.hpp"

#include <modbus.h>
#include <sys/select.h>

#include <algorithm>

#include "protocols/base/check.hpp"

namespace cyclerd::modbus {

using base::Duration;
using base::ErrorCode;
using base::MonoTime;
using base::Status;

base::Duration frame_gap(const transport::SerialSettings& settings) noexcept {
  if (settings.baud > 19200) return base::microseconds(1750);
  return base::microseconds((character_time(settings).us * 7 + 1) / 2);
}

RtuLine::RtuLine(std::string device, const transport::SerialSettings& settings, base::Clock& clock)
    : device_(std::move(device)),
      settings_(settings),
      clock_(clock),
      character_(character_time(settings)),
      gap_(frame_gap(settings)),
      // The device is never opened by the library: the port is made by open() and lent to it. Its own way of switching
      // RTS is late by more than a fast slave waits (libmodbus issues 249, 367, 606) and stays off.
      modbus_(modbus_new_rtu("/dev/null", 9600, 'N', 8, 1)) {
  ENSURE(modbus_ != nullptr, "libmodbus context");
  modbus_set_byte_timeout(modbus_, 0, 0);  // the response timeout covers the whole reply
  modbus_set_error_recovery(modbus_, MODBUS_ERROR_RECOVERY_NONE);
}

RtuLine::~RtuLine() {
  close();
  modbus_free(modbus_);
}

Status RtuLine::open() {
  if (port_) return {};
  auto port = transport::SerialPort::open(device_, settings_, clock_);
  if (!port) return std::unexpected(port.error());
  if (port->descriptor() >= FD_SETSIZE) {  // libmodbus waits with select() and aborts above
    return base::failure(ErrorCode::io, device_,
                         "its descriptor is above 1023; close other files or connect instruments first");
  }
  port_.emplace(std::move(*port));
  modbus_set_socket(modbus_, port_->descriptor());
  ++epoch_;
  listened_to_ = false;
  last_frame_ = clock_.now();
  return {};
}

void RtuLine::close() noexcept {
  modbus_set_socket(modbus_, -1);
  port_.reset();
}

void RtuLine::take_turn(const Slave& slave, Duration min_gap, Duration request_gap) {
  MonoTime earliest = last_frame_ + std::max(gap_, min_gap);
  if (slave.exchanged.us != 0) earliest = std::max(earliest, slave.exchanged + request_gap);
  if (earliest > clock_.now()) clock_.sleep_until(earliest);
  // Late replies of other slaves: nobody waits for them.
  port_->discard_input();
}

bool RtuLine::settle(MonoTime deadline, Duration silence, MonoTime latest) {
  std::array<std::uint8_t, 64> waste{};
  MonoTime heard{};
  while (true) {
    const MonoTime now = clock_.now();
    const MonoTime end = std::max(deadline, heard + silence);
    if (now >= end) return true;
    if (now >= latest) return false;
    const auto n = port_->read_some(waste, std::min(end, latest));
    if (!n) return false;
    if (*n == 0) continue;
    heard = clock_.now();
    last_frame_ = heard;
  }
}

std::uint32_t RtuLine::slave_count() const noexcept {
  return static_cast<std::uint32_t>(
      std::count_if(slaves_.begin(), slaves_.end(), [](const Slave& s) { return s.clients > 0; }));
}

}  // namespace cyclerd::modbus
