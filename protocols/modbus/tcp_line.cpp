#include "protocols/modbus/tcp_line.hpp"

#include <modbus.h>
#include <sys/select.h>

#include "protocols/base/check.hpp"
#include "protocols/transport/tcp.hpp"

namespace cyclerd::modbus {

struct TcpLine::Context {
  explicit Context(modbus_t* from) : modbus(from) {}
  ~Context() { modbus_free(modbus); }
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;
  modbus_t* modbus;
  transport::Descriptor socket;  // ours: libmodbus only borrows it
};

TcpLine::TcpLine(std::string host, std::uint16_t port, base::Duration connect_timeout)
    : host_(std::move(host)), port_(port), connect_timeout_(connect_timeout) {
  // The address is never used: the socket is made by open() and lent to the library.
  context_ = std::make_unique<Context>(modbus_new_tcp("127.0.0.1", 502));
  ENSURE(context_->modbus != nullptr, "libmodbus context");
  // 0: the response timeout covers the whole reply, so a peer that trickles cannot stretch it.
  modbus_set_byte_timeout(context_->modbus, 0, 0);
  modbus_set_error_recovery(context_->modbus, MODBUS_ERROR_RECOVERY_NONE);
}

TcpLine::~TcpLine() {
  close();
}

modbus_t* TcpLine::handle() noexcept {
  return context_->modbus;
}

base::Status TcpLine::open(base::Duration send_timeout) {
  close();
  transport::TcpOptions options;
  options.connect_timeout = connect_timeout_;
  options.send_timeout = send_timeout;
  options.descriptor_limit = FD_SETSIZE;  // libmodbus waits with select() and aborts above
  TRY_ASSIGN(context_->socket, transport::connect_tcp(host_, port_, options));
  modbus_set_socket(context_->modbus, context_->socket.get());
  open_ = true;
  ++epoch_;
  return {};
}

void TcpLine::close() noexcept {
  modbus_set_socket(context_->modbus, -1);
  context_->socket.reset();
  open_ = false;
}

bool TcpLine::has_unasked_input() const noexcept {
  return transport::has_unasked_input(context_->socket.get());
}

}  // namespace cyclerd::modbus
