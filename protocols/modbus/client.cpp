#include "protocols/modbus/client.hpp"

#include <modbus.h>
#include <sys/select.h>

#include <cerrno>
#include <cstring>

#include "protocols/base/check.hpp"
#include "protocols/transport/tcp.hpp"

namespace cyclerd::modbus {

using base::ErrorCode;
using base::FixedText;
using base::Status;

struct TcpClient::Context {
  explicit Context(modbus_t* from) : modbus(from) {}
  ~Context() { modbus_free(modbus); }
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;
  modbus_t* modbus;
  transport::Descriptor socket;  // ours: libmodbus only borrows it
};

namespace {

struct Judged {
  ErrorCode code;
  bool in_step;  // the connection may be used on
  const char* words;
};

Judged judge(int error) noexcept {
  switch (error) {
    case ETIMEDOUT: return {ErrorCode::timeout, false, "no complete answer in time"};
    case EMBXILFUN: return {ErrorCode::refused, true, "exception 1: the instrument does not know this function"};
    case EMBXILADD: return {ErrorCode::refused, true, "exception 2: the instrument has no such address"};
    case EMBXILVAL: return {ErrorCode::refused, true, "exception 3: the instrument does not accept this value"};
    case EMBXSFAIL: return {ErrorCode::refused, true, "exception 4: the instrument could not do it now"};
    case EMBXACK: return {ErrorCode::busy, true, "exception 5: the instrument needs more time"};
    case EMBXSBUSY: return {ErrorCode::busy, true, "exception 6: the instrument is busy"};
    case EMBXNACK: return {ErrorCode::refused, true, "exception 7: the instrument declined"};
    case EMBXMEMPAR: return {ErrorCode::refused, true, "exception 8: memory error in the instrument"};
    case EMBXGPATH: return {ErrorCode::refused, true, "exception 10: the gateway has no path to the instrument"};
    case EMBXGTAR: return {ErrorCode::refused, true, "exception 11: the instrument behind the gateway did not answer"};
    case ECONNRESET:
    case EPIPE:
    case ENOTCONN:
    case ECONNREFUSED:
    case ECONNABORTED:
    case EBADF: return {ErrorCode::disconnected, false, "the instrument closed the connection"};
    case EHOSTUNREACH:
    case ENETUNREACH:
    case ENETDOWN: return {ErrorCode::disconnected, false, "the network to the instrument is down"};
    default: break;
  }
  if (error >= MODBUS_ENOBASE) return {ErrorCode::protocol, false, "the answer does not fit the question"};
  return {ErrorCode::io, false, "socket failure"};
}

timeval to_timeval(base::Duration d) noexcept {
  return {static_cast<time_t>(d.us / 1'000'000), static_cast<suseconds_t>(d.us % 1'000'000)};
}

std::unexpected<base::Error> invalid(std::string_view who, const char* what, std::uint16_t address, const char* why) {
  FixedText<200> detail{what};
  detail.append(" ").append(std::int64_t{address}).append(": ").append(why);
  return base::failure(ErrorCode::invalid, who, detail.view());
}

}  // namespace

TcpClient::TcpClient(TcpEndpoint endpoint, base::Clock& clock) : endpoint_(std::move(endpoint)), clock_(clock) {
  name_.append(endpoint_.host)
      .append(":")
      .append(std::int64_t{endpoint_.port})
      .append("/")
      .append(std::int64_t{endpoint_.unit});
  // The address is never used: the socket is made by connect() and lent to the library.
  context_ = std::make_unique<Context>(modbus_new_tcp("127.0.0.1", 502));
  ENSURE(context_->modbus != nullptr, "libmodbus context");
  const timeval response = to_timeval(endpoint_.response_timeout);
  modbus_set_response_timeout(context_->modbus, static_cast<std::uint32_t>(response.tv_sec),
                              static_cast<std::uint32_t>(response.tv_usec));
  // 0: the response timeout covers the whole reply, so a peer that trickles cannot stretch it.
  modbus_set_byte_timeout(context_->modbus, 0, 0);
  modbus_set_error_recovery(context_->modbus, MODBUS_ERROR_RECOVERY_NONE);
  modbus_set_slave(context_->modbus, endpoint_.unit);
}

TcpClient::~TcpClient() {
  close();
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

Status TcpClient::begin(const char* what, std::uint16_t address) {
  if (!connected_) {
    FixedText<200> detail{what};
    detail.append(" ").append(std::int64_t{address}).append(": not connected");
    return base::failure(ErrorCode::disconnected, name(), detail.view());
  }
  if (endpoint_.min_gap.us > 0 && received_.us != 0) clock_.sleep_until(received_ + endpoint_.min_gap);
  if (transport::has_unasked_input(context_->socket.get())) {
    close();
    FixedText<200> detail{what};
    detail.append(" ")
        .append(std::int64_t{address})
        .append(": bytes that nobody asked for, or a closed connection, before the request");
    return base::failure(ErrorCode::disconnected, name(), detail.view());
  }
  ++transactions_;
  sent_ = clock_.now();
  return {};
}

Status TcpClient::end(int result, int expected, const char* what, std::uint16_t address) {
  const int error = errno;
  received_ = clock_.now();
  if (result == expected) return {};
  const Judged judged =
      result >= 0 ? Judged{ErrorCode::protocol, false, "the answer is shorter than asked for"} : judge(error);
  if (!judged.in_step) close();
  FixedText<200> detail{what};
  detail.append(" ").append(std::int64_t{address}).append(": ").append(judged.words);
  if (judged.code == ErrorCode::timeout) {
    detail.append(" (").append(std::int64_t{endpoint_.response_timeout.us / 1000}).append(" ms)");
  } else if (judged.code == ErrorCode::io || judged.code == ErrorCode::protocol) {
    if (result < 0) detail.append(" (").append(modbus_strerror(error)).append(")");
  }
  return base::failure(judged.code, name(), detail.view());
}

Status TcpClient::read_bits(Function function, std::uint16_t address, std::span<std::uint8_t> bits) {
  const bool coils = function == Function::coil;
  const char* what = coils ? "read coils" : "read discrete inputs";
  if (!coils && function != Function::discrete) return invalid(name(), what, address, "not a bit function");
  if (bits.empty() || bits.size() > kMaxReadBits)
    return invalid(name(), what, address, "1 to 2000 bits can be read at once");
  TRY(begin(what, address));
  const int n = static_cast<int>(bits.size());
  const int result = coils ? modbus_read_bits(context_->modbus, address, n, bits.data())
                           : modbus_read_input_bits(context_->modbus, address, n, bits.data());
  return end(result, n, what, address);
}

Status TcpClient::read_registers(Function function, std::uint16_t address, std::span<std::uint16_t> registers) {
  const bool holding = function == Function::holding;
  const char* what = holding ? "read holding registers" : "read input registers";
  if (!holding && function != Function::input) return invalid(name(), what, address, "not a register function");
  if (registers.empty() || registers.size() > kMaxReadRegisters) {
    return invalid(name(), what, address, "1 to 125 registers can be read at once");
  }
  TRY(begin(what, address));
  const int n = static_cast<int>(registers.size());
  const int result = holding ? modbus_read_registers(context_->modbus, address, n, registers.data())
                             : modbus_read_input_registers(context_->modbus, address, n, registers.data());
  return end(result, n, what, address);
}

Status TcpClient::write_coil(std::uint16_t address, bool on) {
  constexpr const char* kWhat = "write coil";
  TRY(begin(kWhat, address));
  return end(modbus_write_bit(context_->modbus, address, on ? 1 : 0), 1, kWhat, address);
}

Status TcpClient::write_register(std::uint16_t address, std::uint16_t value) {
  constexpr const char* kWhat = "write register";
  TRY(begin(kWhat, address));
  return end(modbus_write_register(context_->modbus, address, value), 1, kWhat, address);
}

Status TcpClient::write_registers(std::uint16_t address, std::span<const std::uint16_t> registers) {
  constexpr const char* kWhat = "write registers";
  if (registers.empty() || registers.size() > kMaxWriteRegisters) {
    return invalid(name(), kWhat, address, "1 to 123 registers can be written at once");
  }
  TRY(begin(kWhat, address));
  const int n = static_cast<int>(registers.size());
  return end(modbus_write_registers(context_->modbus, address, n, registers.data()), n, kWhat, address);
}

Status TcpClient::write_and_read_registers(std::uint16_t write_address, std::span<const std::uint16_t> written,
                                           std::uint16_t read_address, std::span<std::uint16_t> read) {
  constexpr const char* kWhat = "write and read registers";
  if (written.empty() || written.size() > MODBUS_MAX_WR_WRITE_REGISTERS || read.empty() ||
      read.size() > MODBUS_MAX_WR_READ_REGISTERS) {
    return invalid(name(), kWhat, write_address, "1 to 121 registers can be written and 1 to 125 read at once");
  }
  TRY(begin(kWhat, write_address));
  const int n = static_cast<int>(read.size());
  const int result = modbus_write_and_read_registers(context_->modbus, write_address, static_cast<int>(written.size()),
                                                     written.data(), read_address, n, read.data());
  return end(result, n, kWhat, write_address);
}

}  // namespace cyclerd::modbus
