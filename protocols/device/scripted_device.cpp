#include "protocols/device/scripted_device.hpp"

#include <algorithm>
#include <cmath>

#include "protocols/device/scripted_device_class.hpp"
#include "protocols/device/words.hpp"

namespace cyclerd::device {

using base::ErrorCode;
using base::FixedText;
using base::kAbsent;
using base::Result;
using base::Status;

namespace {

constexpr base::Duration kCheckPeriod = base::milliseconds(2);  // between the reads of a check that waits

}  // namespace

// What is known before anybody was asked.
void ScriptedDevice::describe() {
  auto& c = capability_;
  const auto& text = d_->capability;
  c.kind = d_->kind;
  c.off_means = text.off;
  c.watchdog = d_->watchdog.kind;
  c.native_cv = text.native_cv ? 1 : 0;
  c.can_power = d_->has(SequenceId::power_charge) || d_->has(SequenceId::power_discharge) ? 1 : 0;
  c.min_scan = text.min_scan;
  for (const Step& step : d_->sequence(SequenceId::condition)) {
    if (step.value.kind == Value::Kind::field && step.value.field == Field::ramp_K_per_min) ramps_itself_ = true;
  }
  if (d_->watchdog.kind != WatchdogKind::none) {
    const Value& v = d_->watchdog.timeout;
    const double seconds = v.kind == Value::Kind::parameter ? scale_.parameter(v.parameter) : v.constant;
    c.watchdog_timeout = base::microseconds(std::llround(seconds * 1e6));
  }
}

Status ScriptedDevice::told(const Told& from, double& value) {
  if (from.parameter != kNone) {
    value = scale_.parameter(from.parameter);
    return {};
  }
  if (from.item == kNone) {
    if (!std::isnan(from.constant)) value = from.constant;
    return {};
  }
  TRY_ASSIGN(const double raw, link_->read_raw(from.item));
  value = scale_.to_SI(from.item, raw) * from.times;
  if (std::isfinite(value)) return {};
  FixedText<200> detail{d_->item(from.item).name};
  detail.append(" is not a number; is the word order right?");
  return base::failure(ErrorCode::mismatch, link_->name(), detail.view());
}

Status ScriptedDevice::load_capability() {
  const auto& text = d_->capability;
  auto& c = capability_;
  TRY(told(text.voltage_min, c.voltage_min_V));
  TRY(told(text.voltage_max, c.voltage_max_V));
  TRY(told(text.current_min, c.current_min_A));
  TRY(told(text.current_max, c.current_max_A));
  TRY(told(text.power_min, c.power_min_W));
  TRY(told(text.power_max, c.power_max_W));
  TRY(told(text.voltage_step, c.voltage_step_V));
  TRY(told(text.current_step, c.current_step_A));
  TRY(told(text.temperature_min, c.temperature_min_degC));
  TRY(told(text.temperature_max, c.temperature_max_degC));
  c.can_charge = c.current_max_A > 0.0 ? 1 : 0;
  c.can_discharge = c.current_min_A < 0.0 ? 1 : 0;
  return {};
}

Result<FixedText<48>> ScriptedDevice::identity_text(const IdentityRule& rule, std::string_view what) {
  if (rule.item == kNone) return FixedText<48>{rule.constant};
  TRY_ASSIGN(FixedText<48> text, link_->read_text(rule.item));
  if (rule.match.empty()) return text;
  for (const auto& pattern : rule.match) {
    if (matches_pattern(text.view(), pattern)) return text;
  }
  FixedText<200> detail{what};
  detail.append(" is '")
      .append(text.view())
      .append("', not '")
      .append(rule.match.front())
      .append("': another instrument answers here than ");
  detail.append(d_->id).append("; check the address in the station file");
  return base::failure(ErrorCode::mismatch, link_->name(), detail.view());
}

Status ScriptedDevice::identify() {
  Identity now;
  TRY_ASSIGN(now.maker, identity_text(d_->maker, "the maker"));
  TRY_ASSIGN(now.model, identity_text(d_->model, "the model"));
  TRY_ASSIGN(now.serial, identity_text(d_->serial, "the serial number"));
  TRY_ASSIGN(now.firmware, identity_text(d_->firmware, "the firmware"));
  if (identified_ && !now.same_device(identity_)) {
    FixedText<200> detail{"serial number "};
    detail.append(now.serial.view()).append(" answers where ").append(identity_.serial.view());
    detail.append(
        " was before; the instrument was exchanged or the address moved. Restart the daemon if this is meant");
    return base::failure(ErrorCode::mismatch, link_->name(), detail.view());
  }
  identity_ = now;
  identified_ = true;
  return {};
}

Status ScriptedDevice::open() {
  open_ = false;
  ramp_.stop();
  forget();
  last_count_ = kAbsent;
  last_output_on_ = 0;
  rewrite_all_ = true;
  Status done = [this]() -> Status {
    TRY(link_->connect());
    TRY(identify());
    TRY(scale_.load_nominals(*link_));
    TRY(load_capability());
    TRY(run(SequenceId::claim, no_fields(), true));
    TRY(run(SequenceId::connect, no_fields(), true));
    base::Reading reading;
    TRY(link_->scan(reading.sent, reading.received));
    fill(reading);
    if (reading.output_on != 0) {
      return base::failure(ErrorCode::mismatch, link_->name(),
                           "the output is still on after it was switched off; switch it off at the panel");
    }
    return {};
  }();
  if (!done) link_->close();
  open_ = done.has_value();
  return done;
}

// After a loss: nothing that the instrument says is believed until the same instrument answers and still holds what it
// was told. One that restarted has forgotten its settings and needs open().
Status ScriptedDevice::resynchronise() {
  if (link_->is_connected()) return {};
  if (!identified_) return base::failure(ErrorCode::disconnected, link_->name(), "not opened yet");
  TRY(link_->connect());
  const Status same = believe_again();
  if (!same) {
    link_->close();
    if (same.error().code == ErrorCode::mismatch) open_ = false;
  }
  return same;
}

Status ScriptedDevice::believe_again() {
  const IdentityRule& canary = d_->serial.item != kNone ? d_->serial : d_->model;
  const auto& expected = d_->serial.item != kNone ? identity_.serial : identity_.model;
  if (canary.item != kNone) {
    TRY_ASSIGN(const FixedText<48> text, link_->read_text(canary.item));
    if (!(text == expected)) {
      FixedText<200> detail{"'"};
      detail.append(text.view()).append("' answers after the reconnection, not '").append(expected.view()).append("'");
      return base::failure(ErrorCode::mismatch, link_->name(), detail.view());
    }
  }
  TRY(scale_.confirm_units(*link_));
  for (const Step& step : d_->sequence(SequenceId::connect)) {
    if (step.kind != Step::Kind::write || !step.verify) continue;
    const double raw = written_[static_cast<std::size_t>(step.item)];
    if (!std::isnan(raw)) TRY(read_back(step.item, raw, step.tolerance_steps));
  }
  return {};
}

Status ScriptedDevice::read(base::Reading& reading) {
  TRY(resynchronise());
  TRY(link_->scan(reading.sent, reading.received));
  for (const int item : state_items_) {
    if (!std::isnan(link_->scanned(item))) continue;
    FixedText<200> detail{"no value for "};
    detail.append(d_->item(item).name);
    return base::failure(ErrorCode::protocol, link_->name(), detail.view());
  }
  fill(reading);
  return follow_ramp(reading);
}

double ScriptedDevice::measured(int index, std::uint32_t& flags) const noexcept {
  if (index == kNone) return kAbsent;
  const Item& item = d_->item(index);
  double value = scale_.to_SI(index, link_->scanned(index));
  if (!std::isfinite(value)) {
    flags |= base::flag::kInvalid;
    return kAbsent;
  }
  if (item.sign_item != kNone) {
    const std::uint32_t word = word_of(link_->scanned(item.sign_item));
    const bool negative = std::isnan(item.sign_value) ? (word >> item.sign_bit & 1U) != 0
                                                      : link_->scanned(item.sign_item) == item.sign_value;
    if (negative) value = -value;
  }
  return value;
}

std::uint32_t ScriptedDevice::bits(const BitField& field) const noexcept {
  double raw = link_->scanned(field.item);
  if (d_->item(field.item).type == ValueType::boolean) raw = scale_.switched(field.item, raw);
  const std::uint32_t word = word_of(raw);
  std::uint32_t value = (word & field.mask) >> field.shift;
  if (!field.one_of.empty()) value = std::find(field.one_of.begin(), field.one_of.end(), raw) != field.one_of.end();
  return field.invert ? static_cast<std::uint32_t>(value == 0) : value;
}

bool ScriptedDevice::touched_by_others() const noexcept {
  for (const int item : d_->status.compare) {
    const double raw = written_[static_cast<std::size_t>(item)];
    if (!std::isnan(raw) && !scale_.agrees(item, raw, link_->scanned(item), 1.0)) return true;
  }
  return false;
}

void ScriptedDevice::fill(base::Reading& reading) {
  scale_.follow_ranges(*link_);
  const auto& m = d_->measure;
  const auto& s = d_->status;
  reading.flags = 0;
  reading.voltage_V = measured(m.voltage, reading.flags);
  reading.current_A = measured(m.current, reading.flags);
  reading.power_W = measured(m.power, reading.flags);
  reading.temperature_degC = measured(m.temperature, reading.flags);
  reading.chamber_degC = measured(m.chamber, reading.flags);
  reading.chamber_setpoint_degC = measured(m.chamber_setpoint, reading.flags);
  reading.status = s.word == kNone ? 0 : word_of(link_->scanned(s.word));
  reading.output_on = s.output_on.item != kNone && bits(s.output_on) != 0 ? 1 : 0;
  reading.alarm = s.alarm.item != kNone && bits(s.alarm) != 0 ? 1 : 0;
  for (const BitField& more : s.more_alarms) reading.alarm = reading.alarm != 0 || bits(more) != 0 ? 1 : 0;
  reading.remote = s.remote.item == kNone || bits(s.remote) != 0 ? 1 : 0;
  if (touched_by_others()) reading.remote = 0;
  reading.regulation = base::Regulation::unknown;
  if (reading.output_on == 0) {
    reading.regulation = base::Regulation::off;
  } else if (s.regulation.bits.item != kNone) {
    const std::uint32_t value = bits(s.regulation.bits);
    for (const auto& [number, meaning] : s.regulation.values) {
      if (number == value) reading.regulation = meaning;
    }
  }
  if (s.count != kNone) {
    const double count = link_->scanned(s.count);
    if (count == last_count_) reading.flags |= base::flag::kRepeated;
    last_count_ = count;
  }
  // An output that changed, or an alarm: the next set-point is written in full. (A foreign hand keeps what was written,
  // because the difference to it is what shows the hand.)
  if (reading.output_on != last_output_on_ || reading.alarm != 0) rewrite_all_ = true;
  last_output_on_ = reading.output_on;
}

Result<double> ScriptedDevice::resolve(const Value& value, int item, const FieldValues& fields) {
  const bool is_switch = d_->item(item).type == ValueType::boolean;
  double number = value.constant;
  switch (value.kind) {
    case Value::Kind::constant: break;
    case Value::Kind::field: number = fields[static_cast<std::size_t>(value.field)]; break;
    case Value::Kind::parameter: number = scale_.parameter(value.parameter); break;
    case Value::Kind::largest: return d_->item(item).raw_max;
  }
  if (value.negate) number = is_switch ? 1.0 - number : -number;
  if (is_switch) return scale_.switched(item, number);
  // Somebody may have switched the range at the panel. Zero is zero in every range: a make-safe asks for nothing.
  if (number != 0.0) TRY(scale_.ask_range(item, *link_));
  return scale_.to_raw(item, number, link_->name());
}

Status ScriptedDevice::run(SequenceId id, const FieldValues& fields, bool force) {
  for (const Step& step : d_->sequence(id)) {
    const Status done = run_step(step, fields, force);
    if (!done) {
      rewrite_all_ = true;
      return done;
    }
  }
  const Status accepted = link_->finish_sequence();
  if (!accepted) {
    forget();
    rewrite_all_ = true;
  }
  return accepted;
}

Status ScriptedDevice::run_step(const Step& step, const FieldValues& fields, bool force) {
  if (step.value.kind == Value::Kind::field && step.kind != Step::Kind::wait &&
      std::isnan(fields[static_cast<std::size_t>(step.value.field)])) {
    return {};
  }
  switch (step.kind) {
    case Step::Kind::wait: pause(step.delay_before); return {};
    case Step::Kind::check: return run_check(step, fields);
    case Step::Kind::write: return run_write(step, fields, force);
    case Step::Kind::send: return run_send(step);
  }
  return {};
}

Status ScriptedDevice::run_write(const Step& step, const FieldValues& fields, bool force) {
  TRY_ASSIGN(const double raw, resolve(step.value, step.item, fields));
  double& known = written_[static_cast<std::size_t>(step.item)];
  if (!force && !step.always && step.verify && known == raw) return {};
  pause(step.delay_before);
  known = kAbsent;
  TRY(link_->write_raw(step.item, raw));
  pause(step.delay_after);
  if (step.verify) {
    TRY(read_back(step.item, raw, step.tolerance_steps));
    known = raw;
  }
  return {};
}

Status ScriptedDevice::run_send(const Step& step) {
  pause(step.delay_before);
  TRY(link_->send(step.command));
  pause(step.delay_after);
  return {};
}

Status ScriptedDevice::read_back(int item, double raw, double tolerance_steps) {
  const int from = scale_.readback_of(item);
  TRY_ASSIGN(const double held, link_->read_raw(from));
  if (scale_.agrees(item, raw, held, tolerance_steps)) return {};
  FixedText<200> detail{d_->item(item).name};
  detail.append(" was set to ")
      .append(scale_.to_SI(item, raw))
      .append(" and reads back ")
      .append(scale_.to_SI(from, held));
  detail.append("; is somebody else in control, or an instrument limit set lower?");
  return base::failure(ErrorCode::mismatch, link_->name(), detail.view());
}

Status ScriptedDevice::run_check(const Step& step, const FieldValues& fields) {
  TRY_ASSIGN(const double raw, resolve(step.value, step.item, fields));
  const base::MonoTime deadline = clock_.now() + step.within;
  while (true) {
    TRY_ASSIGN(const double held, link_->read_raw(step.item));
    if (scale_.agrees(step.item, raw, held, step.tolerance_steps)) return {};
    if (clock_.now() >= deadline) {
      FixedText<200> detail{d_->item(step.item).name};
      detail.append(" reads ")
          .append(scale_.to_SI(step.item, held))
          .append(", not ")
          .append(scale_.to_SI(step.item, raw));
      detail.append(", ").append(std::int64_t{step.within.us / 1000}).append(" ms after it was asked for");
      return base::failure(ErrorCode::mismatch, link_->name(), detail.view());
    }
    pause(kCheckPeriod);
  }
}

Status ScriptedDevice::apply_sequence(SequenceId id, const FieldValues& fields) {
  if (!d_->has(id)) {
    FixedText<200> detail{d_->id};
    detail.append(" has no sequence '").append(to_string(id)).append("'");
    return base::failure(ErrorCode::unsupported, link_->name(), detail.view());
  }
  if (!open_)
    return base::failure(ErrorCode::disconnected, link_->name(), "not open: the instrument must be initialised first");
  TRY(resynchronise());
  if (id == SequenceId::condition) {
    const Status units = scale_.confirm_units(*link_);
    if (!units && units.error().code == ErrorCode::mismatch) open_ = false;
    TRY(units);
  }
  const bool force = rewrite_all_ || id == SequenceId::rest || id == SequenceId::off || id == SequenceId::protect;
  TRY(run(id, fields, force));
  rewrite_all_ = false;
  return {};
}

Status ScriptedDevice::apply(const base::Setpoint& s) {
  if (d_->kind == DeviceKind::relay) {
    return apply_sequence(s.control == base::Control::rest ? SequenceId::off : SequenceId::close, no_fields());
  }
  FieldValues fields = no_fields();
  set(fields, Field::current_A, s.current_A);
  set(fields, Field::voltage_V, s.voltage_V);
  set(fields, Field::power_W, s.power_W);
  set(fields, Field::resistance_Ohm, s.resistance_Ohm);
  set(fields, Field::voltage_max_V, s.voltage_max_V);
  set(fields, Field::voltage_min_V, s.voltage_min_V);
  set(fields, Field::current_max_A, s.current_max_A);
  set(fields, Field::current_min_A, s.current_min_A);
  switch (s.control) {
    case base::Control::rest: return apply_sequence(SequenceId::rest, fields);
    case base::Control::current:
      return apply_sequence(s.current_A < 0.0 ? SequenceId::discharge : SequenceId::charge, fields);
    case base::Control::voltage: return apply_sequence(SequenceId::voltage, fields);
    case base::Control::power:
      return apply_sequence(s.power_W < 0.0 ? SequenceId::power_discharge : SequenceId::power_charge, fields);
    case base::Control::resistance: return apply_sequence(SequenceId::resistance, fields);
  }
  return base::failure(ErrorCode::unsupported, link_->name(), "unknown control");
}

// The off write goes out first, on the open connection or on a fresh one, before anything else is asked. It needs no
// identity: opening an output is never wrong.
Status ScriptedDevice::make_safe() {
  rewrite_all_ = true;
  ramp_.stop();
  Status done = base::failure(ErrorCode::disconnected, link_->name(), "not connected");
  if (link_->is_connected()) done = run(SequenceId::make_safe, no_fields(), true);
  if (!done && !link_->is_connected()) {
    TRY(link_->connect());
    believed_ = false;
    done = run(SequenceId::make_safe, no_fields(), true);
  }
  // An instrument under local control may refuse until it is claimed.
  if (!done && (done.error().code == ErrorCode::refused || done.error().code == ErrorCode::mismatch)) {
    if (run(SequenceId::claim, no_fields(), true)) done = run(SequenceId::make_safe, no_fields(), true);
  }
  // Whoever reconnected here has not proved who it is: reads start with the canary again.
  if (!believed_) link_->close();
  believed_ = true;
  return done;
}

Status ScriptedDevice::protect(const Protections& p) {
  FieldValues fields = no_fields();
  set(fields, Field::protect_voltage_max_V, p.voltage_max_V);
  set(fields, Field::protect_voltage_min_V, p.voltage_min_V);
  set(fields, Field::protect_current_max_A, p.current_max_A);
  set(fields, Field::protect_current_min_A, p.current_min_A);
  return apply_sequence(SequenceId::protect, fields);
}

Status ScriptedDevice::feed_watchdog() {
  if (!d_->has(SequenceId::feed)) return {};
  TRY(resynchronise());
  return run(SequenceId::feed, no_fields(), true);
}

Status ScriptedDevice::release() {
  TRY(resynchronise());
  const Status done = run(d_->has(SequenceId::release) ? SequenceId::release : SequenceId::off, no_fields(), true);
  close();
  return done;
}

std::unique_ptr<Device> make_scripted_device(std::shared_ptr<const Description> description, const SiteParameters& site,
                                             std::unique_ptr<ItemLink> link, base::Clock& clock) {
  return std::make_unique<ScriptedDevice>(std::move(description), site, std::move(link), clock);
}

}  // namespace cyclerd::device
