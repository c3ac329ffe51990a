#include "protocols/modbus/client.hpp"

#include <modbus.h>

#include <cerrno>
#include <cstring>

namespace cyclerd::modbus {

using base::ErrorCode;
using base::FixedText;
using base::Status;

namespace {

constexpr base::Duration kBusyPause = base::milliseconds(20);

struct Words {
  int error;
  ErrorCode code;
  const char* text;
};
// Exception replies: the link is in step.
constexpr Words kExceptions[] = {
    {EMBXILFUN, ErrorCode::refused, "exception 1: the instrument does not know this function"},
    {EMBXILADD, ErrorCode::refused, "exception 2: the instrument has no such address"},
    {EMBXILVAL, ErrorCode::refused, "exception 3: the instrument does not accept this value"},
    {EMBXSFAIL, ErrorCode::refused, "exception 4: the instrument could not do it now"},
    {EMBXACK, ErrorCode::busy, "exception 5: the instrument needs more time"},
    {EMBXSBUSY, ErrorCode::busy, "exception 6: the instrument is busy"},
    {EMBXNACK, ErrorCode::refused, "exception 7: the instrument declined"},
    {EMBXMEMPAR, ErrorCode::refused, "exception 8: memory error in the instrument"},
    {EMBXGPATH, ErrorCode::refused, "exception 10: the gateway has no path to the instrument"},
    {EMBXGTAR, ErrorCode::refused, "exception 11: the instrument behind the gateway did not answer"},
};
constexpr Words kLosses[] = {
    {ECONNRESET, ErrorCode::disconnected, "the instrument closed the connection, or the adapter is gone"},
    {EPIPE, ErrorCode::disconnected, "the instrument closed the connection"},
    {ENOTCONN, ErrorCode::disconnected, "the instrument closed the connection"},
    {ECONNREFUSED, ErrorCode::disconnected, "the instrument closed the connection"},
    {ECONNABORTED, ErrorCode::disconnected, "the instrument closed the connection"},
    {EBADF, ErrorCode::disconnected, "the connection is closed"},
    {EIO, ErrorCode::disconnected, "the serial adapter is gone; was it unplugged?"},
    {ENXIO, ErrorCode::disconnected, "the serial adapter is gone; was it unplugged?"},
    {ENODEV, ErrorCode::disconnected, "the serial adapter is gone; was it unplugged?"},
    {EHOSTUNREACH, ErrorCode::disconnected, "the network to the instrument is down"},
    {ENETUNREACH, ErrorCode::disconnected, "the network to the instrument is down"},
    {ENETDOWN, ErrorCode::disconnected, "the network to the instrument is down"},
};

template <std::size_t N>
const Words* find(const Words (&table)[N], int error) noexcept {
  for (const Words& w : table) {
    if (w.error == error) return &w;
  }
  return nullptr;
}

constexpr std::uint16_t bytes(std::size_t n) noexcept {
  return static_cast<std::uint16_t>(n);
}

FixedText<200> about(const char* what, std::uint16_t address) {
  FixedText<200> detail{what};
  detail.append(" ").append(std::int64_t{address}).append(": ");
  return detail;
}

}  // namespace

std::unexpected<base::Error> Client::refuse(const Request& request, ErrorCode code, std::string_view why) const {
  return base::failure(code, name(), about(request.what, request.address).append(why).view());
}

template <class Call>
Status Client::transact(const Request& request, int expected, const Call& call) {
  base::MonoTime deadline;
  while (true) {
    TRY(begin(request));
    ++transactions_;
    sent_ = clock_.now();
    if (deadline.us == 0) deadline = sent_ + response_timeout_;
    errno = 0;
    const int result = call(handle());
    const int error = errno;
    received_ = clock_.now();
    const Status done = judge(request, result, expected, error);
    if (is_connected()) answered();
    if (done || done.error().code != ErrorCode::busy || received_ + kBusyPause >= deadline) return done;
    clock_.sleep_until(received_ + kBusyPause);
  }
}

Status Client::judge(const Request& request, int result, int expected, int error) {
  if (result == expected) return {};
  FixedText<200> detail = about(request.what, request.address);
  if (result >= 0) {
    failed(request, Doubt::garbled);
    return base::failure(ErrorCode::protocol, name(), detail.append("the answer is shorter than asked for").view());
  }
  if (const Words* exception = find(kExceptions, error))
    return base::failure(exception->code, name(), detail.append(exception->text).view());
  if (const Words* loss = find(kLosses, error)) {
    failed(request, Doubt::lost);
    return base::failure(loss->code, name(), detail.append(loss->text).view());
  }
  if (error == ETIMEDOUT) {
    failed(request, Doubt::silent);
    detail.append("no complete answer in time (").append(std::int64_t{response_timeout_.us / 1000}).append(" ms)");
    return base::failure(ErrorCode::timeout, name(), detail.view());
  }
  const bool foul = error >= MODBUS_ENOBASE;
  failed(request, !foul ? Doubt::lost : error == EMBBADSLAVE ? Doubt::foreign : Doubt::garbled);
  detail.append(foul ? "the answer does not fit the question (" : "socket failure (");
  detail.append(modbus_strerror(error)).append(")");
  if (error == EMBBADCRC)
    detail.append("; check baud, parity, termination, and that no two instruments have one address");
  return base::failure(foul ? ErrorCode::protocol : ErrorCode::io, name(), detail.view());
}

Status Client::read_bits(Function function, std::uint16_t address, std::span<std::uint8_t> bits) {
  const bool coils = function == Function::coil;
  const Request request{coils ? "read coils" : "read discrete inputs", address, true, 5,
                        bytes(2 + (bits.size() + 7) / 8)};
  if (!coils && function != Function::discrete) return refuse(request, ErrorCode::invalid, "not a bit function");
  if (bits.empty() || bits.size() > kMaxReadBits)
    return refuse(request, ErrorCode::invalid, "1 to 2000 bits can be read at once");
  const int n = static_cast<int>(bits.size());
  return transact(request, n, [&](modbus_t* m) {
    return coils ? modbus_read_bits(m, address, n, bits.data()) : modbus_read_input_bits(m, address, n, bits.data());
  });
}

Status Client::read_registers(Function function, std::uint16_t address, std::span<std::uint16_t> registers) {
  const bool holding = function == Function::holding;
  const Request request{holding ? "read holding registers" : "read input registers", address, true, 5,
                        bytes(2 + 2 * registers.size())};
  if (!holding && function != Function::input) return refuse(request, ErrorCode::invalid, "not a register function");
  if (registers.empty() || registers.size() > kMaxReadRegisters)
    return refuse(request, ErrorCode::invalid, "1 to 125 registers can be read at once");
  const int n = static_cast<int>(registers.size());
  return transact(request, n, [&](modbus_t* m) {
    return holding ? modbus_read_registers(m, address, n, registers.data())
                   : modbus_read_input_registers(m, address, n, registers.data());
  });
}

Status Client::write_coil(std::uint16_t address, bool on) {
  return transact({"write coil", address, false, 5, 5}, 1,
                  [&](modbus_t* m) { return modbus_write_bit(m, address, on ? 1 : 0); });
}

Status Client::write_register(std::uint16_t address, std::uint16_t value) {
  return transact({"write register", address, false, 5, 5}, 1,
                  [&](modbus_t* m) { return modbus_write_register(m, address, value); });
}

Status Client::write_registers(std::uint16_t address, std::span<const std::uint16_t> registers) {
  const Request request{"write registers", address, false, bytes(6 + 2 * registers.size()), 5};
  if (registers.empty() || registers.size() > kMaxWriteRegisters)
    return refuse(request, ErrorCode::invalid, "1 to 123 registers can be written at once");
  const int n = static_cast<int>(registers.size());
  return transact(request, n, [&](modbus_t* m) { return modbus_write_registers(m, address, n, registers.data()); });
}

Status Client::write_and_read_registers(std::uint16_t write_address, std::span<const std::uint16_t> written,
                                        std::uint16_t read_address, std::span<std::uint16_t> read) {
  const Request request{"write and read registers", write_address, true, bytes(10 + 2 * written.size()),
                        bytes(2 + 2 * read.size())};
  if (written.empty() || written.size() > MODBUS_MAX_WR_WRITE_REGISTERS || read.empty() ||
      read.size() > MODBUS_MAX_WR_READ_REGISTERS) {
    return refuse(request, ErrorCode::invalid, "1 to 121 registers can be written and 1 to 125 read at once");
  }
  const int n = static_cast<int>(read.size());
  return transact(request, n, [&](modbus_t* m) {
    return modbus_write_and_read_registers(m, write_address, static_cast<int>(written.size()), written.data(),
                                           read_address, n, read.data());
  });
}

}  // namespace cyclerd::modbus
