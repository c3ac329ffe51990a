#include "protocols/transport/byte_stream.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>

#include "protocols/transport/tcp.hpp"

namespace cyclerd::transport {

namespace {

using base::ErrorCode;
using base::FixedText;
using base::Status;

int poll_ms(base::Duration left) noexcept {
  return static_cast<int>(std::clamp<std::int64_t>((left.us + 999) / 1000, 0, 3'600'000));
}

class TcpStream final : public ByteStream {
 public:
  TcpStream(std::string host, std::uint16_t port, base::Clock& clock)
      : host_(std::move(host)), port_(port), clock_(clock), name_(host_) {
    name_.append(":").append(std::int64_t{port});
  }

  Status open() override {
    close();
    TcpOptions options;
    options.descriptor_limit = 1 << 20;  // poll() has none
    TRY_ASSIGN(socket_, connect_tcp(host_, port_, options));
    return {};
  }
  void close() noexcept override { socket_.reset(); }
  [[nodiscard]] bool is_open() const noexcept override { return socket_.valid(); }

  Status write_all(std::span<const std::uint8_t> bytes, base::MonoTime deadline) override {
    while (!bytes.empty()) {
      const ssize_t n = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      if (n > 0) {
        bytes = bytes.subspan(static_cast<std::size_t>(n));
        continue;
      }
      if (n < 0 && errno == EINTR) continue;
      if (n < 0 && errno != EAGAIN) return lost("cannot send", errno);
      if (!wait(POLLOUT, deadline))
        return base::failure(ErrorCode::timeout, name_.view(), "the instrument does not take what is sent");
    }
    return {};
  }

  base::Result<std::size_t> read_some(std::span<std::uint8_t> into, base::MonoTime deadline) override {
    while (true) {
      const ssize_t n = ::recv(socket_.get(), into.data(), into.size(), MSG_DONTWAIT);
      if (n > 0) return static_cast<std::size_t>(n);
      if (n == 0) return base::failure(ErrorCode::disconnected, name_.view(), "the instrument closed the connection");
      if (errno == EINTR) continue;
      if (errno != EAGAIN) return lost("cannot receive", errno);
      if (!wait(POLLIN, deadline)) return std::size_t{0};
    }
  }

  [[nodiscard]] bool keeps_late_replies() const noexcept override { return false; }
  [[nodiscard]] base::Duration byte_time() const noexcept override { return {}; }
  [[nodiscard]] std::string_view name() const noexcept override { return name_.view(); }

 private:
  [[nodiscard]] bool wait(short events, base::MonoTime deadline) const {
    while (true) {
      const base::Duration left = deadline - clock_.now();
      pollfd waiting{socket_.get(), events, 0};
      const int n = poll(&waiting, 1, poll_ms(left));
      if (n > 0) return true;
      if (left.us <= 0) return false;
    }
  }

  [[nodiscard]] std::unexpected<base::Error> lost(std::string_view tried, int error) const {
    FixedText<200> detail{tried};
    detail.append(": ").append(strerrordesc_np(error) != nullptr ? strerrordesc_np(error) : "unknown error");
    return base::failure(ErrorCode::disconnected, name_.view(), detail.view());
  }

  std::string host_;
  std::uint16_t port_;
  base::Clock& clock_;
  FixedText<48> name_;
  Descriptor socket_;
};

class SerialStream final : public ByteStream {
 public:
  SerialStream(std::string device, const SerialSettings& settings, base::Clock& clock)
      : device_(std::move(device)), settings_(settings), clock_(clock), name_(device_) {}

  Status open() override {
    close();
    auto port = SerialPort::open(device_, settings_, clock_);
    if (!port) return std::unexpected(port.error());
    port_.emplace(std::move(*port));
    return {};
  }
  void close() noexcept override { port_.reset(); }
  [[nodiscard]] bool is_open() const noexcept override { return port_.has_value(); }
  Status write_all(std::span<const std::uint8_t> bytes, base::MonoTime deadline) override {
    return port_->write_all(bytes, deadline);
  }
  base::Result<std::size_t> read_some(std::span<std::uint8_t> into, base::MonoTime deadline) override {
    return port_->read_some(into, deadline);
  }
  [[nodiscard]] bool keeps_late_replies() const noexcept override { return true; }
  [[nodiscard]] base::Duration byte_time() const noexcept override { return character_time(settings_); }
  [[nodiscard]] std::string_view name() const noexcept override { return name_.view(); }

 private:
  std::string device_;
  SerialSettings settings_;
  base::Clock& clock_;
  FixedText<48> name_;
  std::optional<SerialPort> port_;
};

}  // namespace

std::unique_ptr<ByteStream> make_tcp_stream(std::string host, std::uint16_t port, base::Clock& clock) {
  return std::make_unique<TcpStream>(std::move(host), port, clock);
}

std::unique_ptr<ByteStream> make_serial_stream(std::string device, const SerialSettings& settings, base::Clock& clock) {
  return std::make_unique<SerialStream>(std::move(device), settings, clock);
}

}  // namespace cyclerd::transport
