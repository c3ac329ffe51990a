#include <modbus.h>

#include "protocols/modbus/client.hpp"
#include "protocols/modbus/tcp_line.hpp"

namespace cyclerd::modbus {

using base::ErrorCode;
using base::Status;

TcpClient::TcpClient(TcpEndpoint endpoint, base::Clock& clock)
    : TcpClient(std::make_shared<TcpLine>(endpoint.host, endpoint.port, endpoint.connect_timeout), endpoint.unit,
                endpoint.response_timeout, endpoint.min_gap, clock) {}

TcpClient::TcpClient(std::shared_ptr<TcpLine> line, std::uint8_t unit, base::Duration response_timeout,
                     base::Duration min_gap, base::Clock& clock)
    : Client(clock, response_timeout), line_(std::move(line)), unit_(unit), min_gap_(min_gap) {
  name_.append(line_->host()).append(":").append(std::int64_t{line_->port()}).append("/").append(std::int64_t{unit_});
  ++line_->clients_;
}

TcpClient::~TcpClient() {
  close();
  --line_->clients_;
}

modbus_t* TcpClient::handle() noexcept {
  return line_->handle();
}

Status TcpClient::connect() {
  // A connection that is in step serves the others on; alone, this client begins afresh.
  if (!line_->is_open() || line_->clients_ == 1) TRY(line_->open(response_timeout_));
  epoch_ = line_->epoch_;
  connected_ = true;
  return {};
}

void TcpClient::close() noexcept {
  if (line_->clients_ == 1) line_->close();
  connected_ = false;
}

bool TcpClient::is_connected() const noexcept {
  return connected_ && line_->is_open() && epoch_ == line_->epoch_;
}

Status TcpClient::begin(const Request& request) {
  if (!is_connected()) return refuse(request, ErrorCode::disconnected, "not connected");
  if (min_gap_.us > 0 && received_.us != 0) clock_.sleep_until(received_ + min_gap_);
  if (line_->has_unasked_input()) {
    line_->close();
    return refuse(request, ErrorCode::disconnected,
                  "bytes that nobody asked for, or a closed connection, before the request");
  }
  modbus_set_slave(line_->handle(), unit_);
  modbus_set_response_timeout(line_->handle(), static_cast<std::uint32_t>(response_timeout_.us / 1'000'000),
                              static_cast<std::uint32_t>(response_timeout_.us % 1'000'000));
  return {};
}

void TcpClient::failed(const Request&, Doubt) {
  line_->close();
}

}  // namespace cyclerd::modbus
