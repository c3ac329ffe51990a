#include "protocols/modbus/rtu_client.hpp"

#include <modbus.h>

#include <algorithm>
#include <array>

namespace cyclerd::modbus {

using base::Duration;
using base::ErrorCode;
using base::MonoTime;
using base::Status;

namespace {

// USB adapters hand over what they received in portions; an FTDI that was not asked for low latency waits 16 ms.
constexpr Duration kAdapterLatency = base::milliseconds(20);
// A reply that was garbled is over when the line has been silent for so long.
constexpr Duration kQuietAfterGarbage = base::milliseconds(50);
// Unit and checksum around a PDU.
constexpr std::size_t kFrame = 3;

std::uint16_t checksum(std::span<const std::uint8_t> bytes) noexcept {
  std::uint16_t crc = 0xFFFF;
  for (const std::uint8_t b : bytes) {
    crc = static_cast<std::uint16_t>(crc ^ b);
    for (int i = 0; i < 8; ++i) crc = static_cast<std::uint16_t>((crc & 1U) != 0 ? (crc >> 1) ^ 0xA001U : crc >> 1);
  }
  return crc;
}

bool is_bits(Function f) noexcept {
  return f == Function::coil || f == Function::discrete;
}

std::uint8_t code_of(Function f) noexcept {
  switch (f) {
    case Function::coil: return 1;
    case Function::discrete: return 2;
    case Function::holding: return 3;
    case Function::input: return 4;
  }
  return 3;
}

std::size_t reply_length(const Probe& p) noexcept {
  return kFrame + 2 + (is_bits(p.function) ? (p.count + 7U) / 8U : 2U * p.count);
}

// The end of a long path says more than its beginning.
base::FixedText<48> name_of(const std::string& device, std::uint8_t unit) {
  constexpr std::size_t kRoom = 38;
  base::FixedText<48> name;
  if (device.size() > kRoom) {
    name.append("...").append(std::string_view{device}.substr(device.size() - kRoom + 3));
  } else {
    name.append(device);
  }
  return name.append(" unit ").append(std::int64_t{unit});
}

}  // namespace

bool same_shape(const Probe& a, const Probe& b) noexcept {
  return a.function == b.function && reply_length(a) == reply_length(b);
}

RtuClient::RtuClient(std::shared_ptr<RtuLine> line, RtuSlave slave, base::Clock& clock)
    : Client(clock, slave.response_timeout), line_(std::move(line)), slave_(std::move(slave)) {
  name_ = name_of(line_->device(), slave_.unit);
  if (slave_.worst_response.us == 0) slave_.worst_response = slave_.response_timeout * 2;
  if (slave_.unit <= kLargestUnit) ++state().clients;
}

RtuClient::~RtuClient() {
  if (slave_.unit <= kLargestUnit) --state().clients;
}

modbus_t* RtuClient::handle() noexcept {
  return line_->modbus_;
}

Status RtuClient::connect() {
  connected_ = false;
  if (slave_.unit > kLargestUnit)
    return base::failure(ErrorCode::invalid, name(), "a unit on a serial line lies between 1 and 247");
  // Replies are told apart by their unit; one that answers to everything would take those of others.
  if (slave_.unit == 0 && line_->slave_count() > 1)
    return base::failure(ErrorCode::invalid, name(), "unit 0 speaks to everybody: it must be alone on its line");
  TRY(line_->open());
  line_epoch_ = line_->epoch_;
  slave_epoch_ = state().epoch;
  in_step_ = false;
  connected_ = true;
  return {};
}

void RtuClient::close() noexcept {
  connected_ = false;
}

bool RtuClient::is_connected() const noexcept {
  return connected_ && line_->is_open() && line_epoch_ == line_->epoch_ && slave_epoch_ == state().epoch;
}

Status RtuClient::begin(const Request& request) {
  if (!is_connected()) return refuse(request, ErrorCode::disconnected, "not connected");
  if (request.reads && !in_step_) TRY(get_in_step(request));
  prepare(request.sent_bytes + kFrame, request.reply_bytes + kFrame);
  return {};
}

void RtuClient::prepare(std::size_t sent_bytes, std::size_t reply_bytes) {
  line_->take_turn(state(), slave_.min_gap, slave_.request_gap);
  deadline_ = response_timeout_ + line_->time_of(sent_bytes + reply_bytes) + kAdapterLatency;
  modbus_set_slave(line_->modbus_, slave_.unit);
  modbus_set_response_timeout(line_->modbus_, static_cast<std::uint32_t>(deadline_.us / 1'000'000),
                              static_cast<std::uint32_t>(deadline_.us % 1'000'000));
}

void RtuClient::answered() noexcept {
  line_->last_frame_ = state().exchanged = clock_.now();
}

void RtuClient::failed(const Request&, Doubt doubt) {
  auto& slave = state();
  ++slave.epoch;
  ++slave.failures;
  in_step_ = false;
  slave.quiet_until = sent_ + std::max(slave_.worst_response, response_timeout_) + (deadline_ - response_timeout_);
  if (doubt == Doubt::lost) return line_->close();
  // The others may go on as soon as nothing of this exchange can be on the line: for a reply that came and was garbled,
  // when it is over; for one that is still to come, when its time is over.
  const MonoTime over = sent_ + deadline_;
  if (doubt == Doubt::garbled) (void)line_->settle(received_ + kQuietAfterGarbage, kQuietAfterGarbage, over);
  if (doubt == Doubt::foreign) (void)line_->settle(over, {}, over);
  line_->last_frame_ = slave.exchanged = clock_.now();
}

// Reads only: see the head of the header.
Status RtuClient::get_in_step(const Request& request) {
  TRY(wait_for_late_replies(request));
  if (!line_->listened_to_) TRY(listen_for_echo(request));
  in_step_ = true;  // for the probes themselves; any doubt takes it back
  for (const Probe& probe : slave_.probes) {
    const Status answered = read(probe);
    // An exception is an answer as well.
    if (answered || answered.error().code == ErrorCode::refused) continue;
    in_step_ = false;
    return answered;
  }
  state().failures = 0;
  return {};
}

Status RtuClient::wait_for_late_replies(const Request& request) {
  auto& slave = state();
  const MonoTime now = clock_.now();
  if (now >= slave.quiet_until) return {};
  // One late reply is waited for. A slave that has failed again is more likely dead, and others need the line.
  if (slave.failures > 1 && line_->slave_count() > 1) {
    return refuse(request, ErrorCode::timeout, "silent; late replies may still come, others use the line meanwhile");
  }
  const Duration silence = std::max(line_->gap_, kAdapterLatency);
  if (line_->settle(slave.quiet_until, silence, slave.quiet_until + slave_.worst_response)) return {};
  failed(request, Doubt::silent);
  return refuse(request, ErrorCode::protocol,
                "the line is never silent; is the baud rate right, or does somebody else speak on it?");
}

// An adapter that returns what it sends makes every write look acknowledged. Asked in the raw, before anything is
// believed on this line.
Status RtuClient::listen_for_echo(const Request& request) {
  const Probe probe = slave_.probes.empty() ? Probe{} : slave_.probes.front();
  std::array<std::uint8_t, 8> question{slave_.unit,
                                       code_of(probe.function),
                                       static_cast<std::uint8_t>(probe.address >> 8),
                                       static_cast<std::uint8_t>(probe.address & 0xFF),
                                       static_cast<std::uint8_t>(probe.count >> 8),
                                       static_cast<std::uint8_t>(probe.count & 0xFF),
                                       0,
                                       0};
  const std::uint16_t crc = checksum(std::span(question).first(6));
  question[6] = static_cast<std::uint8_t>(crc & 0xFF);
  question[7] = static_cast<std::uint8_t>(crc >> 8);
  const std::size_t whole = reply_length(probe);
  prepare(question.size(), whole);
  ++transactions_;
  sent_ = clock_.now();
  const MonoTime deadline = sent_ + deadline_;
  if (const Status sent = line_->port_->write_all(question, deadline); !sent) {
    failed(request, Doubt::lost);
    return sent;
  }
  std::array<std::uint8_t, 256> answer{};
  std::size_t n = 0;
  while (n < answer.size()) {
    const auto more = line_->port_->read_some(std::span(answer).subspan(n), deadline);
    if (!more) {
      failed(request, Doubt::lost);
      return std::unexpected(more.error());
    }
    n += *more;
    received_ = clock_.now();
    if (n >= question.size() && std::equal(question.begin(), question.end(), answer.begin())) {
      failed(request, Doubt::silent);
      line_->close();
      return refuse(request, ErrorCode::io,
                    "the adapter returns what it sends (local echo), so that writes seem to succeed with nobody there; "
                    "switch its echo off or take another adapter");
    }
    const bool exception = n >= 5 && (answer[1] & 0x80U) != 0;
    if (exception || n >= whole || *more == 0) break;
  }
  if (n == 0) {
    failed(request, Doubt::silent);
    return refuse(request, ErrorCode::timeout,
                  "no answer to the first question on this line; check address and wiring");
  }
  answered();
  // Whatever it was: what follows must fit, and a line that echoes would have done so.
  (void)line_->settle(clock_.now() + line_->gap_, line_->gap_, deadline);
  line_->listened_to_ = true;
  return {};
}

Status RtuClient::read(const Probe& probe) {
  if (is_bits(probe.function)) {
    std::array<std::uint8_t, kMaxReadBits> bits{};
    return read_bits(probe.function, probe.address, std::span(bits).first(probe.count));
  }
  std::array<std::uint16_t, kMaxReadRegisters> words{};
  return read_registers(probe.function, probe.address, std::span(words).first(probe.count));
}

}  // namespace cyclerd::modbus
