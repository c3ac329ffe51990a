// One slave of a Modbus RTU line.
//
// RTU has no transaction number: a reply that comes after its time-out looks like the answer to the next question, and
// libmodbus 3.1.6 believes it (measured: for ever after, each read returns the register asked for before). Therefore,
// after any time-out or foul reply, this slave is not asked again until no late reply can come any more; then replies
// of two different shapes must both fit their questions, so that a reply that was later than the worst is noticed by
// its length; and after that the caller's canary must match. Writes are not held back: an output must be opened at
// once. They count only when they were read back, and the read waits.
#pragma once

#include <memory>
#include <vector>

#include "protocols/modbus/client.hpp"
#include "protocols/modbus/rtu_line.hpp"

namespace cyclerd::modbus {

// A read that can do no harm.
struct Probe {
  Function function = Function::holding;
  std::uint16_t address = 0;
  std::uint16_t count = 1;

  bool operator==(const Probe&) const = default;
};

// Whether the reply to one could be taken for the reply to the other.
[[nodiscard]] bool same_shape(const Probe& a, const Probe& b) noexcept;

struct RtuSlave {
  std::uint8_t unit = 1;  // 0: everybody, for an instrument that is alone on its line and wants it so
  base::Duration response_timeout = base::milliseconds(500);  // the time of the characters comes on top
  base::Duration worst_response;                              // 0: twice the response timeout
  base::Duration min_gap;                                     // silence on the line before a request
  base::Duration request_gap;                                 // from the end of an exchange to the next with this slave
  std::vector<Probe> probes;                                  // replies of different lengths, in this order
};

class RtuClient final : public Client {
 public:
  RtuClient(std::shared_ptr<RtuLine> line, RtuSlave slave, base::Clock& clock);
  ~RtuClient() override;

  // Opens the line unless it is open. What is asked after a doubt is asked by the first read.
  base::Status connect() override;
  void close() noexcept override;
  [[nodiscard]] bool is_connected() const noexcept override;
  [[nodiscard]] const RtuSlave& slave() const noexcept { return slave_; }

 private:
  base::Status begin(const Request& request) override;
  void failed(const Request& request, Doubt doubt) override;
  void answered() noexcept override;
  [[nodiscard]] _modbus* handle() noexcept override;
  base::Status get_in_step(const Request& request);
  base::Status wait_for_late_replies(const Request& request);
  base::Status listen_for_echo(const Request& request);
  base::Status read(const Probe& probe);
  void prepare(std::size_t sent_bytes, std::size_t reply_bytes);
  [[nodiscard]] RtuLine::Slave& state() noexcept { return line_->slave(slave_.unit); }
  [[nodiscard]] const RtuLine::Slave& state() const noexcept { return line_->slave(slave_.unit); }

  std::shared_ptr<RtuLine> line_;
  RtuSlave slave_;
  bool connected_ = false;
  bool in_step_ = false;
  std::uint32_t line_epoch_ = 0;  // of the line and of the slave, as they were when we connected
  std::uint32_t slave_epoch_ = 0;
  base::Duration deadline_;  // of the request in work, the time of its characters included
};

}  // namespace cyclerd::modbus
