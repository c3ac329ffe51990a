#include <modbus.h>
#include <sys/select.h>

#include "protocols/base/check.hpp"
#include "protocols/modbus/client.hpp"
#include "protocols/transport/tcp.hpp"

namespace cyclerd::modbus {

using base::ErrorCode;
using base::Status;

struct TcpClient::Context {
  explicit Context(modbus_t* from) : modbus(from) {}
  ~Context() { modbus_free(modbus); }
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;
  modbus_t* modbus;
  transport::Descriptor socket;  // ours: libmodbus only borrows it
};

TcpClient::TcpClient(TcpEndpoint endpoint, base::Clock& clock)
    : Client(clock, endpoint.response_timeout), endpoint_(std::move(endpoint)) {
  name_.append(endpoint_.host)
      .append(":")
      .append(std::int64_t{endpoint_.port})
      .append("/")
      .append(std::int64_t{endpoint_.unit});
  // The address is never used: the socket is made by connect() and lent to the library.
  context_ = std::make_unique<Context>(modbus_new_tcp("127.0.0.1", 502));
  ENSURE(context_->modbus != nullptr, "libmodbus context");
  modbus_set_response_timeout(context_->modbus, static_cast<std::uint32_t>(response_timeout_.us / 1'000'000),
                              static_cast<std::uint32_t>(response_timeout_.us % 1'000'000));
  // 0: the response timeout covers the whole reply, so a peer that trickles cannot stretch it.
  modbus_set_byte_timeout(context_->modbus, 0, 0);
  modbus_set_error_recovery(context_->modbus, MODBUS_ERROR_RECOVERY_NONE);
  modbus_set_slave(context_->modbus, endpoint_.unit);
}

TcpClient::~TcpClient() {
  close();
}

modbus_t* TcpClient::handle() noexcept {
  return context_->modbus;
}

Status TcpClient::connect() {
  close();
  transport::TcpOptions options;
  options.connect_timeout = endpoint_.connect_timeout;
  options.send_timeout = endpoint_.response_timeout;
  options.descriptor_limit = FD_SETSIZE;  // libmodbus waits with select() and aborts above
  TRY_ASSIGN(context_->socket, transport::connect_tcp(endpoint_.host, endpoint_.port, options));
  modbus_set_socket(context_->modbus, context_->socket.get());
  connected_ = true;
  return {};
}

void TcpClient::close() noexcept {
  modbus_set_socket(context_->modbus, -1);
  context_->socket.reset();
  connected_ = false;
}

Status TcpClient::begin(const Request& request) {
  if (!connected_) return refuse(request, ErrorCode::disconnected, "not connected");
  if (endpoint_.min_gap.us > 0 && received_.us != 0) clock_.sleep_until(received_ + endpoint_.min_gap);
  if (!transport::has_unasked_input(context_->socket.get())) return {};
  close();
  return refuse(request, ErrorCode::disconnected,
                "bytes that nobody asked for, or a closed connection, before the request");
}

void TcpClient::failed(const Request&, Doubt) {
  close();
}

}  // namespace cyclerd::modbus
