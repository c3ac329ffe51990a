#include "protocols/device/composite_device.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "protocols/base/check.hpp"

namespace cyclerd::device {

namespace {

using base::ErrorCode;
using base::FixedText;
using base::Reading;
using base::Setpoint;
using base::Status;

constexpr base::Duration kGlance = base::milliseconds(5);  // how soon a trip ends a dead time
// A current against a part's own direction beyond this share of its range shows a wrong sign in its description.
constexpr double kNoiseOfRange = 0.02;
constexpr double kLeastNoise_A = 0.02;

// A load knows only discharge: for it nothing is the least of that, in A or W, far below any resolution.
constexpr double kLeastDischarge = 1e-12;

enum class SideOn : std::uint8_t { none, source, sink };

base::Error with_part(base::Error error, Part part) {
  FixedText<200> detail{to_string(part)};
  detail.append(": ").append(error.detail.view());
  error.detail = detail;
  return error;
}

double intersect(double a, double b, bool larger) noexcept {
  if (std::isnan(a) || std::isnan(b)) return base::kAbsent;
  return larger ? std::max(a, b) : std::min(a, b);
}

void join(FixedText<48>& into, const FixedText<48>& a, const FixedText<48>& b) {
  into = {};
  // Half of the room each: the serial numbers of both must be told apart.
  into.append(a.view().substr(0, 22)).append(" + ").append(b.view().substr(0, 22));
}

class CompositeDevice final : public Device {
 public:
  CompositeDevice(CompositeParts parts, const CompositeOptions& options, base::Clock& clock, PartWatcher* watcher)
      : parts_(std::move(parts)), options_(options), clock_(clock), watcher_(watcher) {
    ENSURE(has(Part::source) && has(Part::sink), "a composite needs a source and a sink");
    describe();
  }

  Status open() override;
  void close() noexcept override {
    for (auto& device : parts_.devices) {
      if (device) device->close();
    }
    active_ = SideOn::none;
    open_ = false;
  }
  [[nodiscard]] bool is_open() const noexcept override {
    return open_ && std::ranges::all_of(parts_.devices, [](const auto& d) { return !d || d->is_open(); });
  }
  Status read(Reading& reading) override;
  Status apply(const Setpoint& setpoint) override;
  Status apply(const base::ChamberSetpoint&) override {
    return base::failure(ErrorCode::unsupported, "composite", "is no chamber");
  }
  Status make_safe() override;
  Status protect(const Protections& protections) override;
  Status feed_watchdog() override;
  Status release() override;
  [[nodiscard]] const Capability& capability() const noexcept override { return capability_; }
  [[nodiscard]] const Identity& identity() const noexcept override { return identity_; }

 private:
  [[nodiscard]] bool has(Part part) const noexcept { return parts_.devices[static_cast<std::size_t>(part)] != nullptr; }
  [[nodiscard]] Device& device(Part part) noexcept { return *parts_.devices[static_cast<std::size_t>(part)]; }
  void describe();
  Status tell(Part part, Status status, const Reading* reading = nullptr);
  Status part_read(Part part, Reading& reading);
  Status check_off(Part part);
  Status turn_off(Part part);
  Status close_relay();
  Status wait_dead_time();
  [[nodiscard]] SideOn side_for(const Setpoint& setpoint) const noexcept;
  Status switch_on(SideOn side, const Setpoint& setpoint);
  Status rest();
  void fill(Reading& reading, const std::array<Reading, kPartCount>& said);
  [[nodiscard]] Status check_sign(Part part, const Reading& said) const;
  bool disagrees(const Agreement& agreement, double a, double b, base::MonoTime at, base::MonoTime& since,
                 bool& differing) noexcept;

  CompositeParts parts_;
  CompositeOptions options_;
  base::Clock& clock_;
  PartWatcher* watcher_;
  Capability capability_;
  Identity identity_;
  bool open_ = false;
  SideOn active_ = SideOn::none;
  bool relay_closed_ = false;
  base::MonoTime off_since_;  // both sides verified off, and nothing switched on since
  double last_voltage_V_ = base::kAbsent;
  base::MonoTime voltage_differs_since_, current_differs_since_;
  bool voltage_differs_ = false;
  bool current_differs_ = false;
};

void CompositeDevice::describe() {
  capability_ = merge_capability(device(Part::source).capability(), device(Part::sink).capability(), has(Part::relay));
  for (const Part part : {Part::voltmeter, Part::shunt, Part::relay}) {
    if (has(part)) capability_.min_scan = std::max(capability_.min_scan, device(part).capability().min_scan);
  }
  identity_.maker = "composite";
  const Identity& source = device(Part::source).identity();
  const Identity& sink = device(Part::sink).identity();
  join(identity_.model, source.model, sink.model);
  join(identity_.serial, source.serial, sink.serial);
  join(identity_.firmware, source.firmware, sink.firmware);
}

Status CompositeDevice::tell(Part part, Status status, const Reading* reading) {
  if (watcher_ != nullptr) watcher_->part_seen(part, device(part), status, status ? reading : nullptr);
  if (!status) return std::unexpected(with_part(std::move(status).error(), part));
  return status;
}

// Both sides are opened, whatever the other says: one that can be reached is off then.
Status CompositeDevice::open() {
  open_ = false;
  active_ = SideOn::none;
  relay_closed_ = false;
  voltage_differs_ = current_differs_ = false;
  last_voltage_V_ = base::kAbsent;
  Status first;
  for (const Part part : {Part::source, Part::sink, Part::relay, Part::voltmeter, Part::shunt}) {
    if (!has(part) || (!first && part != Part::sink)) continue;
    Status opened = tell(part, device(part).open());
    if (!opened && first) first = std::move(opened);
  }
  if (!first) return first;
  const Identity& source = device(Part::source).identity();
  if (!source.serial.empty() && source.same_device(device(Part::sink).identity())) {
    return base::failure(ErrorCode::mismatch, "composite",
                         "source and sink are one instrument; correct the addresses in the station file");
  }
  TRY(check_off(Part::source));
  TRY(check_off(Part::sink));
  off_since_ = clock_.now();
  describe();
  open_ = true;
  return {};
}

Status CompositeDevice::part_read(Part part, Reading& reading) {
  reading = {};
  reading.sent = clock_.now();
  Status status = device(part).read(reading);
  if (status && reading.received.us == 0) reading.received = clock_.now();
  return tell(part, std::move(status), &reading);
}

// Off is believed only when the instrument says so.
Status CompositeDevice::check_off(Part part) {
  Reading said;
  TRY(part_read(part, said));
  if (said.output_on == 0) return {};
  FixedText<200> detail{to_string(part)};
  detail.append(" reads back on after it was switched off; nothing else may be switched on");
  return base::failure(ErrorCode::mismatch, "composite", detail.view());
}

Status CompositeDevice::turn_off(Part part) {
  const Status done = device(part).apply(Setpoint{});
  if (!done) return std::unexpected(with_part(done.error(), part));
  return check_off(part);
}

Status CompositeDevice::close_relay() {
  if (!has(Part::relay) || relay_closed_) return {};
  Setpoint closed;
  closed.control = base::Control::current;
  const Status done = device(Part::relay).apply(closed);
  if (!done) return std::unexpected(with_part(done.error(), Part::relay));
  Reading said;
  TRY(part_read(Part::relay, said));
  if (said.output_on == 0)
    return base::failure(ErrorCode::mismatch, "composite", "relay reads back open after it was closed");
  relay_closed_ = true;
  return {};
}

// In slices: a trip elsewhere must not wait, and what it forbids must not happen after it.
Status CompositeDevice::wait_dead_time() {
  const base::MonoTime until = off_since_ + options_.dead_time;
  while (true) {
    if (options_.latch != nullptr && options_.latch->tripped())
      return base::failure(ErrorCode::refused, "composite", "the channel tripped during the dead time");
    const base::MonoTime now = clock_.now();
    if (now >= until) return {};
    const base::MonoTime glance = std::min(until, now + kGlance);
    clock_.sleep_until(glance);
  }
}

SideOn CompositeDevice::side_for(const Setpoint& s) const noexcept {
  // Nothing at all needs no change of sides.
  const auto of = [this](double wish) {
    if (wish == 0.0 && active_ == SideOn::sink) return SideOn::sink;
    return wish < 0.0 ? SideOn::sink : SideOn::source;
  };
  switch (s.control) {
    case base::Control::rest: return SideOn::none;
    case base::Control::current: return of(s.current_A);
    case base::Control::power: return of(s.power_W);
    case base::Control::resistance: return SideOn::sink;
    case base::Control::voltage: break;
  }
  // One side regulates: the one whose direction is allowed, else the one that moves the cell towards the voltage.
  if (!(s.current_min_A < 0.0)) return SideOn::source;
  if (!(s.current_max_A > 0.0)) return SideOn::sink;
  return s.voltage_V < last_voltage_V_ ? SideOn::sink : SideOn::source;
}

Status CompositeDevice::switch_on(SideOn side, const Setpoint& setpoint) {
  const Part on = side == SideOn::source ? Part::source : Part::sink;
  const Part off = side == SideOn::source ? Part::sink : Part::source;
  if (active_ != side) {
    // Also when it is not known to be on: a panel may have switched it on.
    if (active_ != SideOn::none) {
      active_ = SideOn::none;
      TRY(turn_off(off));
      off_since_ = clock_.now();
    } else {
      TRY(check_off(off));
    }
    TRY(wait_dead_time());
    TRY(close_relay());
  }
  active_ = side;  // from just before: what fails half-way may be on
  Setpoint wish = setpoint;
  if (side == SideOn::sink && wish.current_A == 0.0) wish.current_A = -kLeastDischarge;
  if (side == SideOn::sink && wish.power_W == 0.0) wish.power_W = -kLeastDischarge;
  const Status done = device(on).apply(wish);
  if (!done) return std::unexpected(with_part(done.error(), on));
  return {};
}

Status CompositeDevice::rest() {
  // The side that conducts first, then the other: a rest asks for both, whatever is believed.
  const bool sink_first = active_ == SideOn::sink;
  Status first = turn_off(sink_first ? Part::sink : Part::source);
  Status second = turn_off(sink_first ? Part::source : Part::sink);
  if (!first) return first;
  if (!second) return second;
  if (active_ != SideOn::none) off_since_ = clock_.now();
  active_ = SideOn::none;
  if (has(Part::relay) && relay_closed_) {
    TRY(turn_off(Part::relay));
    relay_closed_ = false;
  }
  return {};
}

Status CompositeDevice::apply(const Setpoint& setpoint) {
  if (!open_)
    return base::failure(ErrorCode::disconnected, "composite", "not open: its parts must be initialised first");
  const SideOn side = side_for(setpoint);
  return side == SideOn::none ? rest() : switch_on(side, setpoint);
}

// Each is attempted whatever becomes of the others; the relay last, so that it opens without current when it can.
Status CompositeDevice::make_safe() {
  std::array<Part, 3> order{Part::source, Part::sink, Part::relay};
  if (active_ == SideOn::sink) std::swap(order[0], order[1]);
  Status worst;
  for (const Part part : order) {
    if (!has(part)) continue;
    Status done = tell(part, device(part).make_safe());
    if (!done && worst) worst = std::move(done);
  }
  if (!worst) return worst;
  if (active_ != SideOn::none) off_since_ = clock_.now();
  active_ = SideOn::none;
  relay_closed_ = false;
  return {};
}

Status CompositeDevice::protect(const Protections& protections) {
  bool any = false;
  for (const Part part : {Part::source, Part::sink}) {
    const Status done = device(part).protect(protections);
    if (!done && done.error().code != ErrorCode::unsupported) return std::unexpected(with_part(done.error(), part));
    any = any || done.has_value();
  }
  if (any) return {};
  return base::failure(ErrorCode::unsupported, "composite", "neither side has protections to program");
}

Status CompositeDevice::feed_watchdog() {
  Status first;
  for (const Part part : {Part::source, Part::sink, Part::relay}) {
    if (!has(part)) continue;
    const Status fed = device(part).feed_watchdog();
    if (!fed && first) first = std::unexpected(with_part(fed.error(), part));
  }
  return first;
}

Status CompositeDevice::release() {
  Status first = make_safe();
  for (const Part part : {Part::source, Part::sink, Part::relay}) {
    if (!has(part)) continue;
    const Status done = device(part).release();
    if (!done && first) first = std::unexpected(with_part(done.error(), part));
  }
  close();
  return first;
}

Status CompositeDevice::check_sign(Part part, const Reading& said) const {
  const Capability& c = parts_.devices[static_cast<std::size_t>(part)]->capability();
  const double range = part == Part::source ? c.current_max_A : -c.current_min_A;
  const double noise = std::max(kLeastNoise_A, std::isfinite(range) ? kNoiseOfRange * range : 0.0);
  const double against = part == Part::source ? -said.current_A : said.current_A;
  if (said.output_on == 0 || !(against > noise)) return {};
  FixedText<200> detail{to_string(part)};
  detail.append(" reports ").append(said.current_A).append(" A: charge is positive, discharge negative. ");
  detail.append("Is the sign of the current right in its description?");
  return base::failure(ErrorCode::mismatch, "composite", detail.view());
}

Status CompositeDevice::read(Reading& reading) {
  std::array<Reading, kPartCount> said;
  const auto of = [&said](Part part) -> Reading& { return said[static_cast<std::size_t>(part)]; };
  // The side that conducts next to the meters: their moments lie closest together.
  const bool sink_last = active_ == SideOn::sink;
  for (const Part part :
       {sink_last ? Part::source : Part::sink, sink_last ? Part::sink : Part::source, Part::voltmeter, Part::shunt}) {
    if (has(part)) TRY(part_read(part, of(part)));
  }
  TRY(check_sign(Part::source, of(Part::source)));
  TRY(check_sign(Part::sink, of(Part::sink)));
  fill(reading, said);
  return {};
}

bool CompositeDevice::disagrees(const Agreement& agreement, double a, double b, base::MonoTime at,
                                base::MonoTime& since, bool& differing) noexcept {
  const bool apart = std::abs(a - b) > agreement.tolerance;  // false when any is absent
  if (apart && !differing) since = at;
  differing = apart;
  return apart && at - since >= agreement.dwell;
}

void CompositeDevice::fill(Reading& reading, const std::array<Reading, kPartCount>& said) {
  const auto of = [&said](Part part) -> const Reading& { return said[static_cast<std::size_t>(part)]; };
  const Reading& source = of(Part::source);
  const Reading& sink = of(Part::sink);
  const bool source_on = source.output_on != 0;
  const bool sink_on = sink.output_on != 0;
  // At rest the load's: its input senses the cell also when it is off, a supply's output need not.
  const Reading& conducting = source_on && !sink_on ? source : sink;
  const double sum_A = source.current_A + sink.current_A;

  reading.sent = base::MonoTime{std::min(source.sent.us, sink.sent.us)};
  reading.received = base::MonoTime{std::max(source.received.us, sink.received.us)};
  reading.flags = conducting.flags | (source.flags & base::flag::kInvalid) | (sink.flags & base::flag::kInvalid);
  reading.voltage_V = conducting.voltage_V;
  reading.current_A = sum_A;
  reading.power_W = base::kAbsent;
  reading.temperature_degC = base::kAbsent;
  for (const Part part : {Part::voltmeter, Part::shunt, Part::source, Part::sink}) {
    if (!has(part)) continue;
    if (std::isnan(reading.temperature_degC)) reading.temperature_degC = of(part).temperature_degC;
    reading.sent = std::min(reading.sent, of(part).sent);
    reading.received = std::max(reading.received, of(part).received);
  }
  const auto take = [&](Part part, double& value, double measured) {
    if (!has(part)) return;
    value = measured;
    reading.flags |= of(part).flags & (base::flag::kInvalid | base::flag::kRepeated);
  };
  take(Part::voltmeter, reading.voltage_V, of(Part::voltmeter).voltage_V);
  take(Part::shunt, reading.current_A, of(Part::shunt).current_A);
  last_voltage_V_ = reading.voltage_V;

  reading.output_on = source_on || sink_on ? 1 : 0;
  reading.regulation = source_on || sink_on ? conducting.regulation : base::Regulation::off;
  reading.remote = source.remote != 0 && sink.remote != 0 ? 1 : 0;
  reading.alarm = source.alarm != 0 || sink.alarm != 0 || (source_on && sink_on) ? 1 : 0;

  // Without a voltmeter the load senses what the supply feeds; the other way round nothing is known.
  const double other_V = has(Part::voltmeter) ? reading.voltage_V : source_on ? sink.voltage_V : base::kAbsent;
  const bool voltage_apart =
      disagrees(options_.voltage, conducting.voltage_V, source_on || sink_on ? other_V : base::kAbsent,
                reading.received, voltage_differs_since_, voltage_differs_);
  const bool current_apart = disagrees(options_.current, sum_A, has(Part::shunt) ? reading.current_A : base::kAbsent,
                                       reading.received, current_differs_since_, current_differs_);
  if ((voltage_apart || current_apart) && options_.disagreement_alarms) reading.alarm = 1;

  namespace bit = composite_status;
  reading.status = (source_on ? bit::kSourceOn : 0U) | (sink_on ? bit::kSinkOn : 0U) |
                   (relay_closed_ ? bit::kRelayClosed : 0U) | (source.alarm != 0 ? bit::kSourceAlarm : 0U) |
                   (sink.alarm != 0 ? bit::kSinkAlarm : 0U) | (source_on && sink_on ? bit::kBothOn : 0U) |
                   (voltage_apart ? bit::kVoltageDisagrees : 0U) | (current_apart ? bit::kCurrentDisagrees : 0U);
}

}  // namespace

std::string_view to_string(Part part) noexcept {
  switch (part) {
    case Part::source: return "source";
    case Part::sink: return "sink";
    case Part::relay: return "relay";
    case Part::voltmeter: return "voltmeter";
    case Part::shunt: return "shunt";
  }
  return "part";
}

Capability merge_capability(const Capability& source, const Capability& sink, bool has_relay) noexcept {
  Capability c;
  c.kind = DeviceKind::cycler;
  c.off_means = has_relay || (source.off_means == OffMeans::open && sink.off_means == OffMeans::open) ? OffMeans::open
                : source.off_means == OffMeans::open                                                  ? sink.off_means
                                                     : source.off_means;
  // One bit for both directions: where only the supply changes from CC to CV, software does it for both.
  c.native_cv = source.native_cv != 0 && sink.native_cv != 0 ? 1 : 0;
  c.can_charge = source.can_charge;
  c.can_discharge = sink.can_discharge;
  c.can_power = source.can_power != 0 && sink.can_power != 0 ? 1 : 0;
  c.voltage_min_V = intersect(source.voltage_min_V, sink.voltage_min_V, true);
  c.voltage_max_V = intersect(source.voltage_max_V, sink.voltage_max_V, false);
  c.current_max_A = source.current_max_A;
  c.current_min_A = sink.current_min_A;
  c.power_max_W = source.power_max_W;
  c.power_min_W = sink.power_min_W;
  c.voltage_step_V = intersect(source.voltage_step_V, sink.voltage_step_V, true);
  c.current_step_A = intersect(source.current_step_A, sink.current_step_A, true);
  c.min_scan = std::max(source.min_scan, sink.min_scan);
  if (source.watchdog != WatchdogKind::none && sink.watchdog != WatchdogKind::none) {
    c.watchdog = std::min(source.watchdog, sink.watchdog);
    c.watchdog_timeout = std::min(source.watchdog_timeout, sink.watchdog_timeout);
  } else if (source.watchdog != WatchdogKind::none || sink.watchdog != WatchdogKind::none) {
    // One side is guarded: fed for it, though the whole is not.
    const Capability& guarded = source.watchdog != WatchdogKind::none ? source : sink;
    c.watchdog = guarded.watchdog;
    c.watchdog_timeout = guarded.watchdog_timeout;
  }
  return c;
}

std::unique_ptr<Device> make_composite_device(CompositeParts parts, const CompositeOptions& options, base::Clock& clock,
                                              PartWatcher* watcher) {
  return std::make_unique<CompositeDevice>(std::move(parts), options, clock, watcher);
}

}  // namespace cyclerd::device
