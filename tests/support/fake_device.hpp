// An instrument for tests: does what it is told, takes the time it is told, fails when it is told, remembers every
// call.
#pragma once

#include <cstddef>
#include <functional>
#include <vector>

#include "protocols/base/clock.hpp"
#include "protocols/device/device.hpp"

namespace cyclerd::test {

enum class Called { open, close, read, apply, make_safe, protect, feed, release };

struct Call {
  Called what;
  base::MonoTime time;  // when it began
};

// What happens to the next calls of one kind.
struct Script {
  base::Duration cost;                            // time a success takes
  base::Duration once;                            // in addition, the next time only
  base::ErrorCode error = base::ErrorCode::none;  // of failing calls
  int failures = 0;                               // how many fail from now on; negative: for ever
  void fail(base::ErrorCode code, int times = -1) {
    error = code;
    failures = times;
  }
  void heal() { failures = 0; }
};

class FakeDevice final : public device::Device {
 public:
  explicit FakeDevice(base::VirtualClock& clock, device::DeviceKind kind = device::DeviceKind::cycler) : clock_(clock) {
    calls.reserve(1U << 16);  // counts of allocations in tests are the port's own
    capability_.kind = kind;
    capability_.can_charge = capability_.can_discharge = capability_.can_power = 1;
    capability_.native_cv = 1;
    capability_.voltage_max_V = 5.0;
    capability_.current_max_A = 10.0;
    capability_.current_min_A = -10.0;
    capability_.power_max_W = 50.0;
    capability_.power_min_W = -50.0;
    capability_.temperature_min_degC = -40.0;
    capability_.temperature_max_degC = 100.0;
    identity_.maker = "Fake";
    identity_.model = "One";
    identity_.serial = "1";
    if (kind == device::DeviceKind::cycler) {
      values.voltage_V = 3.7;
      values.current_A = 0.0;
    } else if (kind == device::DeviceKind::chamber) {
      values.chamber_degC = 25.0;
    } else {
      values.temperature_degC = 25.0;
    }
  }

  // A dead instrument: every call costs its time-out.
  void die(base::Duration timeout) {
    for (Script* s : {&on_open, &on_read, &on_apply, &on_safe, &on_feed}) s->fail(base::ErrorCode::timeout);
    timeout_ = timeout;
  }
  void revive() {
    for (Script* s : {&on_open, &on_read, &on_apply, &on_safe, &on_feed}) s->heal();
  }
  void set_timeout(base::Duration timeout) { timeout_ = timeout; }

  base::Status open() override {
    const base::Status status = play(Called::open, on_open);
    open_ = status.has_value();
    if (status) obey({});
    return status;
  }
  void close() noexcept override { open_ = false; }
  [[nodiscard]] bool is_open() const noexcept override { return open_; }

  base::Status read(base::Reading& reading) override {
    const base::MonoTime sent = clock_.now();
    const base::Status status = play(Called::read, on_read);
    if (!status) return status;
    const base::Reading asked = reading;
    reading = values;
    reading.device = asked.device;
    reading.sequence = asked.sequence;
    reading.sent = sent;
    reading.received = clock_.now();
    return status;
  }
  base::Status apply(const base::Setpoint& wish) override {
    const base::Status status = play(Called::apply, on_apply);
    if (during_apply) during_apply();
    if (status) obey(wish);
    return status;
  }
  base::Status apply(const base::ChamberSetpoint& wish) override {
    const base::Status status = play(Called::apply, on_apply);
    if (status) chamber = wish;
    return status;
  }
  base::Status make_safe() override {
    const base::Status status = play(Called::make_safe, on_safe);
    if (status) {
      obey({});
      chamber = {};
    }
    return status;
  }
  base::Status protect(const device::Protections&) override { return play(Called::protect, on_protect); }
  base::Status feed_watchdog() override { return play(Called::feed, on_feed); }
  base::Status release() override { return play(Called::release, on_release); }
  [[nodiscard]] const device::Capability& capability() const noexcept override { return capability_; }
  [[nodiscard]] const device::Identity& identity() const noexcept override { return identity_; }

  [[nodiscard]] device::Capability& mutable_capability() { return capability_; }
  [[nodiscard]] device::Identity& mutable_identity() { return identity_; }
  [[nodiscard]] std::size_t count(Called what) const {
    std::size_t n = 0;
    for (const Call& c : calls) n += c.what == what ? 1 : 0;
    return n;
  }
  [[nodiscard]] std::size_t count(Called what, base::MonoTime from) const {
    std::size_t n = 0;
    for (const Call& c : calls) n += c.what == what && c.time >= from ? 1 : 0;
    return n;
  }

  base::Reading values;  // what read() says; output, regulation and current follow the set-point
  base::Setpoint setpoint;
  base::ChamberSetpoint chamber;
  Script on_open, on_read, on_apply, on_safe, on_protect, on_feed, on_release;
  std::vector<Call> calls;
  std::vector<Call>* journal = nullptr;  // of several devices together, when their order matters
  bool remember = true;
  std::function<void()> during_apply;  // what happens elsewhere while a set-point is being written

 private:
  base::Status play(Called what, Script& script) {
    if (remember) calls.push_back({what, clock_.now()});
    if (journal != nullptr) journal->push_back({what, clock_.now()});
    if (script.failures != 0) {
      if (script.failures > 0) --script.failures;
      clock_.advance(script.error == base::ErrorCode::timeout ? timeout_ : script.cost);
      return base::failure(script.error, "fake", "as the test wants it");
    }
    clock_.advance(script.cost + script.once);
    script.once = {};
    return {};
  }
  void obey(const base::Setpoint& s) {
    setpoint = s;
    if (capability_.kind != device::DeviceKind::cycler) return;
    const bool on = s.control != base::Control::rest;
    values.output_on = on ? 1 : 0;
    values.regulation = on ? base::Regulation::current : base::Regulation::off;
    values.current_A = on ? s.current_A : 0.0;
  }

  base::VirtualClock& clock_;
  device::Capability capability_;
  device::Identity identity_;
  base::Duration timeout_ = base::milliseconds(50);
  bool open_ = false;
};

}  // namespace cyclerd::test
