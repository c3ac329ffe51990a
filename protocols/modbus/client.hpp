// Modbus TCP with deadlines. One connection, one thread. Never repeats, never reconnects by itself, never sleeps except
// for the minimum gap: the caller owns the policy.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "protocols/base/clock.hpp"
#include "protocols/base/result.hpp"
#include "protocols/modbus/types.hpp"

namespace cyclerd::modbus {

struct TcpEndpoint {
  std::string host = "127.0.0.1";
  std::uint16_t port = 502;
  std::uint8_t unit = 1;
  base::Duration connect_timeout = base::seconds(1);
  base::Duration response_timeout = base::milliseconds(500);  // covers the whole reply, not each byte
  base::Duration min_gap;                                     // between a reply and the next request
};

// After a timeout or an answer that does not fit, the connection is closed at once: what may still arrive on it can
// never be taken for the answer to a later question. is_connected() is then false and every call fails with
// `disconnected` until connect(). An exception reply (`refused`, `busy`) leaves the connection in step.
class TcpClient {
 public:
  TcpClient(TcpEndpoint endpoint, base::Clock& clock);
  ~TcpClient();
  TcpClient(const TcpClient&) = delete;
  TcpClient& operator=(const TcpClient&) = delete;

  // A fresh connection within the connect timeout; an open one is closed first. May allocate.
  base::Status connect();
  void close() noexcept;
  [[nodiscard]] bool is_connected() const noexcept { return connected_; }

  // Coils and discrete inputs, one byte each (0 or 1), at most 2000.
  base::Status read_bits(Function function, std::uint16_t address, std::span<std::uint8_t> bits);
  // Holding and input registers, at most 125.
  base::Status read_registers(Function function, std::uint16_t address, std::span<std::uint16_t> registers);
  base::Status write_coil(std::uint16_t address, bool on);
  base::Status write_register(std::uint16_t address, std::uint16_t value);
  // Function 16, at most 123.
  base::Status write_registers(std::uint16_t address, std::span<const std::uint16_t> registers);
  // Function 23: writes, then reads, in one transaction.
  base::Status write_and_read_registers(std::uint16_t write_address, std::span<const std::uint16_t> written,
                                        std::uint16_t read_address, std::span<std::uint16_t> read);

  // Moments around the last transaction.
  [[nodiscard]] base::MonoTime sent() const noexcept { return sent_; }
  [[nodiscard]] base::MonoTime received() const noexcept { return received_; }
  [[nodiscard]] std::uint64_t transactions() const noexcept { return transactions_; }
  [[nodiscard]] const TcpEndpoint& endpoint() const noexcept { return endpoint_; }
  [[nodiscard]] std::string_view name() const noexcept { return name_.view(); }

 private:
  struct Context;
  base::Status begin(const char* what, std::uint16_t address);
  base::Status end(int result, int expected, const char* what, std::uint16_t address);

  TcpEndpoint endpoint_;
  base::Clock& clock_;
  base::FixedText<48> name_;
  std::unique_ptr<Context> context_;
  base::MonoTime sent_;
  base::MonoTime received_;
  std::uint64_t transactions_ = 0;
  bool connected_ = false;
};

}  // namespace cyclerd::modbus
