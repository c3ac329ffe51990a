#include "protocols/transport/serial.hpp"

#include <fcntl.h>
#include <linux/serial.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <asio/io_context.hpp>
#include <asio/serial_port.hpp>
#include <cerrno>
#include <cstring>

namespace cyclerd::transport {

namespace {

using base::ErrorCode;
using base::FixedText;
using base::Status;

// The end of a long path says more than its beginning.
FixedText<48> subject(const std::string& device) {
  if (device.size() <= 48) return FixedText<48>{std::string_view{device}};
  FixedText<48> text{"..."};
  return text.append(std::string_view{device}.substr(device.size() - 45));
}

std::unexpected<base::Error> os_failure(ErrorCode code, const std::string& device, std::string_view tried, int error,
                                        std::string_view help) {
  FixedText<200> detail{tried};
  const char* words = strerrordesc_np(error);
  detail.append(": ").append(words != nullptr ? words : "unknown error");
  if (!help.empty()) detail.append("; ").append(help);
  return base::failure(code, subject(device).view(), detail.view());
}

std::unexpected<base::Error> cannot_open(const std::string& device, int error) {
  switch (error) {
    case ENOENT:
    case ENODEV:
    case ENXIO:
      return os_failure(ErrorCode::not_found, device, "cannot open the serial port", error,
                        "is the adapter plugged in? 'ls -l /dev/serial/by-id' lists those that are");
    case EACCES:
    case EPERM:
      return os_failure(ErrorCode::permission, device, "cannot open the serial port", error,
                        "add the user to the group that owns it (dialout): sudo usermod -a -G dialout USER");
    case EBUSY:
      return os_failure(ErrorCode::busy, device, "cannot open the serial port", error,
                        "another program holds it; 'fuser -v' on the device tells which (ModemManager, a terminal?)");
    default: return os_failure(ErrorCode::io, device, "cannot open the serial port", error, "");
  }
}

std::unexpected<base::Error> refused_setting(const std::string& device, std::string_view what) {
  FixedText<200> detail{"the port cannot have "};
  detail.append(what).append("; use what the adapter supports, or another adapter");
  return base::failure(ErrorCode::invalid, subject(device).view(), detail.view());
}

bool is_pseudo_terminal(int fd) noexcept {
  struct stat status {};
  // Majors 136 to 143 are the slave sides of ptys (Documentation/admin-guide/devices.txt).
  return fstat(fd, &status) == 0 && major(status.st_rdev) >= 136 && major(status.st_rdev) <= 143;
}

// USB adapters collect received bytes for some time (FTDI: 16 ms) unless told that latency matters. Whoever does not
// know the request needs none.
void ask_for_low_latency(int fd) noexcept {
  serial_struct facts{};
  if (ioctl(fd, TIOCGSERIAL, &facts) != 0) return;
  facts.flags |= ASYNC_LOW_LATENCY;
  (void)ioctl(fd, TIOCSSERIAL, &facts);
}

Status apply(asio::serial_port& port, const std::string& device, const SerialSettings& s) {
  using base_t = asio::serial_port_base;
  const auto parity = s.parity == Parity::even  ? base_t::parity::even
                      : s.parity == Parity::odd ? base_t::parity::odd
                                                : base_t::parity::none;
  const auto stop = s.stop_bits == 2 ? base_t::stop_bits::two : base_t::stop_bits::one;
  FixedText<64> what;
  std::error_code error;
  port.set_option(base_t::baud_rate(s.baud), error);
  if (error) return refused_setting(device, what.append(std::int64_t{s.baud}).append(" baud").view());
  // A pty always has eight bits and no parity; asked for anything else it refuses.
  const bool electrical = !is_pseudo_terminal(port.native_handle());
  if (electrical) port.set_option(base_t::character_size(s.data_bits), error);
  if (electrical && !error) port.set_option(base_t::parity(parity), error);
  if (!error) port.set_option(base_t::stop_bits(stop), error);
  if (!error) port.set_option(base_t::flow_control(base_t::flow_control::none), error);
  if (error) return refused_setting(device, to_text(s).view());
  // Some drivers take what they cannot do and say nothing.
  termios now{};
  if (tcgetattr(port.native_handle(), &now) != 0)
    return os_failure(ErrorCode::io, device, "cannot read the settings back", errno, "");
  const tcflag_t size = s.data_bits == 7 ? CS7 : CS8;
  const bool parity_held = ((now.c_cflag & PARENB) != 0) == (s.parity != Parity::none) &&
                           (s.parity == Parity::none || ((now.c_cflag & PARODD) != 0) == (s.parity == Parity::odd));
  const bool held = (now.c_cflag & CSIZE) == size && parity_held && ((now.c_cflag & CSTOPB) != 0) == (s.stop_bits == 2);
  if (!held && electrical) return refused_setting(device, to_text(s).view());
  // A wrong parity bit must not pass as a good byte; and opening again must not drop DTR, which resets some
  // instruments.
  now.c_iflag |= s.parity == Parity::none ? 0U : static_cast<tcflag_t>(INPCK);
  now.c_cflag &= ~static_cast<tcflag_t>(HUPCL);
  if (tcsetattr(port.native_handle(), TCSANOW, &now) != 0)
    return os_failure(ErrorCode::io, device, "cannot set the line up", errno, "");
  return {};
}

int poll_ms(base::Duration left) noexcept {
  return static_cast<int>(std::clamp<std::int64_t>((left.us + 999) / 1000, 0, 3'600'000));
}

}  // namespace

FixedText<16> to_text(const SerialSettings& s) noexcept {
  FixedText<16> text;
  text.append(std::int64_t{s.baud}).append(" ").append(std::int64_t{s.data_bits});
  text.append(s.parity == Parity::even ? "E" : s.parity == Parity::odd ? "O" : "N");
  return text.append(std::int64_t{s.stop_bits});
}

base::Duration character_time(const SerialSettings& s) noexcept {
  const std::int64_t bits = 1 + s.data_bits + (s.parity == Parity::none ? 0 : 1) + s.stop_bits;
  const std::int64_t baud = std::max<std::int64_t>(s.baud, 1);
  return base::microseconds((bits * 1'000'000 + baud - 1) / baud);
}

struct SerialPort::Line {
  Line(std::string path, const SerialSettings& chosen, base::Clock& time)
      : device(std::move(path)), settings(chosen), clock(time) {}
  ~Line() {
    if (port.is_open()) (void)ioctl(port.native_handle(), TIOCNXCL);
  }
  Line(const Line&) = delete;
  Line& operator=(const Line&) = delete;

  std::string device;
  SerialSettings settings;
  base::Clock& clock;
  asio::io_context io{1};  // never run: only the port's owner
  asio::serial_port port{io};
};

SerialPort::SerialPort(std::unique_ptr<Line> line) : line_(std::move(line)) {}
SerialPort::SerialPort(SerialPort&&) noexcept = default;
SerialPort& SerialPort::operator=(SerialPort&&) noexcept = default;
SerialPort::~SerialPort() = default;

base::Result<SerialPort> SerialPort::open(const std::string& device, const SerialSettings& settings,
                                          base::Clock& clock) {
  if (settings.data_bits < 7 || settings.data_bits > 8 || settings.stop_bits < 1 || settings.stop_bits > 2)
    return refused_setting(device, to_text(settings).view());
  struct stat status {};
  if (stat(device.c_str(), &status) != 0) return cannot_open(device, errno);
  if (!S_ISCHR(status.st_mode))
    return base::failure(ErrorCode::invalid, subject(device).view(),
                         "is not a serial port; it should be a /dev/tty...");
  auto line = std::make_unique<Line>(device, settings, clock);
  std::error_code error;
  line->port.open(device, error);
  if (error.value() == ENOTTY)
    return base::failure(ErrorCode::invalid, subject(device).view(),
                         "is not a serial port; it should be a /dev/tty...");
  if (error) return cannot_open(device, error.value());
  const int fd = line->port.native_handle();
  (void)fcntl(fd, F_SETFD, FD_CLOEXEC);
  // The lock stops programs of any user that look at locks, TIOCEXCL those of other users that do not.
  if (flock(fd, LOCK_EX | LOCK_NB) != 0) return cannot_open(device, errno == EWOULDBLOCK ? EBUSY : errno);
  if (ioctl(fd, TIOCEXCL) != 0) return cannot_open(device, errno);
  TRY(apply(line->port, device, settings));
  ask_for_low_latency(fd);
  (void)tcflush(fd, TCIOFLUSH);
  return SerialPort(std::move(line));
}

Status SerialPort::write_all(std::span<const std::uint8_t> bytes, base::MonoTime deadline) {
  const int fd = line_->port.native_handle();
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n > 0) {
      bytes = bytes.subspan(static_cast<std::size_t>(n));
      continue;
    }
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno != EAGAIN)
      return os_failure(ErrorCode::disconnected, line_->device, "cannot write", errno, "was the adapter unplugged?");
    const base::Duration left = deadline - line_->clock.now();
    pollfd waiting{fd, POLLOUT, 0};
    if (left.us <= 0 || poll(&waiting, 1, poll_ms(left)) == 0) {
      return base::failure(ErrorCode::timeout, subject(line_->device).view(),
                           "the port does not take what is to be sent; does the adapter hang? Plug it anew");
    }
  }
  return {};
}

base::Result<std::size_t> SerialPort::read_some(std::span<std::uint8_t> into, base::MonoTime deadline) {
  const int fd = line_->port.native_handle();
  while (true) {
    const base::Duration left = deadline - line_->clock.now();
    pollfd waiting{fd, POLLIN, 0};
    const int ready = poll(&waiting, 1, poll_ms(left));
    if (ready == 0 && left.us <= 0) return std::size_t{0};
    if (ready == 0 || (ready < 0 && errno == EINTR)) continue;
    const ssize_t n = ready < 0 ? -1 : ::read(fd, into.data(), into.size());
    if (n > 0) return static_cast<std::size_t>(n);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) continue;
    return os_failure(ErrorCode::disconnected, line_->device, "cannot read", n == 0 ? EIO : errno,
                      "was the adapter unplugged?");
  }
}

void SerialPort::discard_input() noexcept {
  (void)tcflush(line_->port.native_handle(), TCIFLUSH);
}

bool SerialPort::has_input() const noexcept {
  pollfd waiting{line_->port.native_handle(), POLLIN, 0};
  return poll(&waiting, 1, 0) != 0;
}

int SerialPort::descriptor() const noexcept {
  return line_->port.native_handle();
}
const std::string& SerialPort::device() const noexcept {
  return line_->device;
}
const SerialSettings& SerialPort::settings() const noexcept {
  return line_->settings;
}

}  // namespace cyclerd::transport
