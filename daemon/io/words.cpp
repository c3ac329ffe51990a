#include "daemon/io/words.hpp"

namespace cyclerd::io {

namespace {

// The voltage at which an instrument that regulates current or power goes over to voltage.
void append_end(Words& w, double signed_value, const base::Setpoint& s) noexcept {
  if (signed_value > 0.0) w.append(" up to ").append(s.voltage_max_V).append(" V");
  if (signed_value < 0.0) w.append(" down to ").append(s.voltage_min_V).append(" V");
}

Words flow(double signed_value, std::string_view unit, const base::Setpoint& s) noexcept {
  Words w{signed_value < 0.0 ? "discharge " : "charge "};
  w.append(signed_value < 0.0 ? -signed_value : signed_value).append(" ").append(unit);
  append_end(w, signed_value, s);
  return w;
}

}  // namespace

Words words(const base::Setpoint& s) noexcept {
  switch (s.control) {
    case base::Control::rest: return "rest, output off";
    case base::Control::current: return flow(s.current_A, "A", s);
    case base::Control::power: return flow(s.power_W, "W", s);
    case base::Control::voltage: {
      Words w{"hold "};
      w.append(s.voltage_V).append(" V with ").append(s.current_min_A).append(" A to ");
      w.append(s.current_max_A).append(" A");
      return w;
    }
    case base::Control::resistance: {
      Words w{"discharge through "};
      w.append(s.resistance_Ohm).append(" Ohm");
      append_end(w, -1.0, s);
      return w;
    }
  }
  return "unknown control";
}

Words words(const base::ChamberSetpoint& s) noexcept {
  if (s.run == 0) return "chamber stopped";
  Words w;
  w.append(s.temperature_degC).append(" degC");
  if (s.ramp_K_per_min > 0.0) w.append(" at ").append(s.ramp_K_per_min).append(" K/min");
  return w;
}

Words words(const safety::Verdict& v, std::string_view device) noexcept {
  const safety::CauseInfo& info = safety::describe(v.cause);
  Words w{info.text};
  if (!info.unit.empty()) {
    w.append(": ").append(v.value).append(" ").append(info.unit);
    w.append(", limit ").append(v.bound).append(" ").append(info.unit);
  } else if (v.cause == safety::Cause::output_mismatch) {
    w.append(": ").append(v.value).append(" instead of ").append(v.bound);
  } else if (v.cause == safety::Cause::device_alarm) {
    w.append(": status word ").append(static_cast<std::int64_t>(v.value));
  }
  w.append(" (").append(device).append(")");
  return w;
}

Words words(const base::Error& e) noexcept {
  Words w{base::to_string(e.code)};
  if (!e.detail.empty()) w.append(": ").append(e.detail.view());
  return w;
}

}  // namespace cyclerd::io
