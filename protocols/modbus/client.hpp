// Modbus with deadlines: one instrument, one thread. Never reconnects by itself and never sleeps except for gaps and
// for an instrument that says it is busy: the caller owns the policy.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "protocols/base/clock.hpp"
#include "protocols/base/result.hpp"
#include "protocols/modbus/types.hpp"

struct _modbus;  // libmodbus's context

namespace cyclerd::modbus {

// What all connections share: the requests. After a timeout or an answer that does not fit, is_connected() is false and
// every call fails with `disconnected` until connect(). An exception reply (`refused`, `busy`) leaves the connection in
// step; busy (6) and acknowledge (5) are asked again until the response timeout has gone by.
class Client {
 public:
  virtual ~Client() = default;
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  virtual base::Status connect() = 0;
  virtual void close() noexcept = 0;
  [[nodiscard]] virtual bool is_connected() const noexcept = 0;

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
  [[nodiscard]] std::string_view name() const noexcept { return name_.view(); }

 protected:
  // A request as far as the line cares: the length of the PDUs, function code included.
  struct Request {
    const char* what;
    std::uint16_t address;
    bool reads;
    std::uint16_t sent_bytes;
    std::uint16_t reply_bytes;
  };
  // How a failed transaction leaves the link.
  enum class Doubt : std::uint8_t {
    silent,   // nothing, or not enough, came in time
    garbled,  // the peer answered, but not in a way that can be read
    foreign,  // somebody else answered; the peer's own answer may still come
    lost,     // the operating system says that the link is gone
  };

  Client(base::Clock& clock, base::Duration response_timeout) : clock_(clock), response_timeout_(response_timeout) {}

  // Waits for gaps and checks that a request may go out now.
  virtual base::Status begin(const Request& request) = 0;
  virtual void failed(const Request& request, Doubt doubt) = 0;
  // After an answer, an exception included.
  virtual void answered() noexcept {}
  [[nodiscard]] virtual _modbus* handle() noexcept = 0;

  std::unexpected<base::Error> refuse(const Request& request, base::ErrorCode code, std::string_view why) const;

  base::Clock& clock_;
  base::Duration response_timeout_;
  base::FixedText<48> name_;
  base::MonoTime sent_;
  base::MonoTime received_;
  std::uint64_t transactions_ = 0;

 private:
  template <class Call>
  base::Status transact(const Request& request, int expected, const Call& call);
  base::Status judge(const Request& request, int result, int expected, int error);
};

struct TcpEndpoint {
  std::string host = "127.0.0.1";
  std::uint16_t port = 502;
  std::uint8_t unit = 1;
  base::Duration connect_timeout = base::seconds(1);
  base::Duration response_timeout = base::milliseconds(500);  // covers the whole reply, not each byte
  base::Duration min_gap;                                     // between a reply and the next request
};

class TcpLine;

// One unit of a Modbus TCP connection. On any doubt the connection is closed at once: what may still arrive on it can
// never be taken for the answer to a later question.
class TcpClient final : public Client {
 public:
  // With a connection of its own.
  TcpClient(TcpEndpoint endpoint, base::Clock& clock);
  // On one that other units may share.
  TcpClient(std::shared_ptr<TcpLine> line, std::uint8_t unit, base::Duration response_timeout, base::Duration min_gap,
            base::Clock& clock);
  ~TcpClient() override;

  // A fresh connection within the connect timeout, or the shared one where it is open. May allocate.
  base::Status connect() override;
  // Closes the connection when nobody shares it.
  void close() noexcept override;
  [[nodiscard]] bool is_connected() const noexcept override;

 private:
  base::Status begin(const Request& request) override;
  void failed(const Request& request, Doubt doubt) override;
  [[nodiscard]] _modbus* handle() noexcept override;

  std::shared_ptr<TcpLine> line_;
  std::uint8_t unit_;
  base::Duration min_gap_;
  std::uint32_t epoch_ = 0;  // of the connection that connect() found
  bool connected_ = false;
};

}  // namespace cyclerd::modbus
