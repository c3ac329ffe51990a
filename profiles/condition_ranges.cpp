#include "profiles/condition_ranges.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>

namespace cyclerd::profiles {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr Range kNever{0.0, 0.0};
constexpr Range kAlways{1.0, 1.0};
constexpr Range kOpen{0.0, 1.0};
constexpr double kAbsoluteZero_degC = -273.15;
// A counter from the launch's value: no cell takes or gives more than twice its capacity.
constexpr Range kSoc{-1.0, 2.0};
// What an instrument may deliver above its set-point.
constexpr double kCurrentExcess = 1.05;

Range sane(double low, double high) {
  return std::isnan(low) || std::isnan(high) ? Range{} : Range{low, high};
}

Range product(const Range& a, const Range& b) {
  const std::array<double, 4> corners = {a.low * b.low, a.low * b.high, a.high * b.low, a.high * b.high};
  for (double corner : corners) {
    if (std::isnan(corner)) return {};
  }
  return {*std::min_element(corners.begin(), corners.end()), *std::max_element(corners.begin(), corners.end())};
}

Range less(const Range& a, const Range& b, bool or_equal) {
  if (or_equal ? a.high <= b.low : a.high < b.low) return kAlways;
  if (or_equal ? a.low > b.high : a.low >= b.high) return kNever;
  return kOpen;
}

Range both(const Range& a, const Range& b) {
  return {std::max(a.low, b.low), std::min(a.high, b.high)};
}

Range with_zero(const Range& a) {
  return {std::min(0.0, a.low), std::max(0.0, a.high)};
}

// A bound with a dwell may be passed for its time.
Range inside(const Range& range, const SafetyBound& bound) {
  if (bound.dwell.us > 0) return range;
  return {std::isnan(bound.min) ? range.low : std::max(range.low, bound.min),
          std::isnan(bound.max) ? range.high : std::min(range.high, bound.max)};
}

bool at_rest(const StepSyntax& step) {
  return step.kind == StepKind::rest || step.kind == StepKind::chamber || step.kind == StepKind::operator_pause;
}

class Ranges {
 public:
  Ranges(const Compiler& compiler, std::size_t index, const Reach& reach)
      : compiler_(compiler),
        step_(*compiler.syntax[index]),
        flat_(compiler.program->steps[index]),
        between_(step_.kind == StepKind::repeat_begin),
        reach_(reach) {}

  [[nodiscard]] Range of(const Expression& e, int index) const {
    auto known = known_.find(&e);
    if (known == known_.end()) known = known_.emplace(&e, constant_values(e, compiler_.binding)).first;
    const auto& constant = known->second[static_cast<std::size_t>(index)];
    if (constant) return {*constant, *constant};
    const ExpressionNode& node = e.at(index);
    switch (node.kind) {
      case ExpressionNode::Kind::live: return live(node.live);
      case ExpressionNode::Kind::window: return node.op == Op::mean ? live(node.live) : Range{};
      case ExpressionNode::Kind::variable: return variable(node);
      case ExpressionNode::Kind::operation: return operation(e, node);
      default: return {};
    }
  }

  [[nodiscard]] Range current() const {
    if (between_) return {};
    if (at_rest(step_)) return {0.0, 0.0};
    return both(wanted_current(), envelope_current());
  }

  [[nodiscard]] Range voltage() const {
    Range range{0.0, kInfinity};
    const bool launched = compiler_.launch != nullptr;
    if (launched && step_.sign > 0) range.high = compiler_.program->envelope.voltage_max_V;
    if (launched && step_.sign < 0) range.low = compiler_.program->envelope.voltage_min_V;
    const auto level = step_.sign != 0 ? compiler_.value(step_.voltage) : std::nullopt;
    if (level && step_.sign > 0) range.high = std::min(range.high, *level);
    if (level && step_.sign < 0) range.low = std::max(range.low, *level);
    return reach_.box ? inside(range, compiler_.program->safety.voltage) : range;
  }

 private:
  [[nodiscard]] Range operation(const Expression& e, const ExpressionNode& node) const {
    const Range a = of(e, node.left);
    const Range b = node.right < 0 ? a : of(e, node.right);
    switch (node.op) {
      case Op::negate: return {-a.high, -a.low};
      case Op::abs:
        if (a.low >= 0.0) return a;
        if (a.high <= 0.0) return {-a.high, -a.low};
        return {0.0, std::max(-a.low, a.high)};
      case Op::add: return sane(a.low + b.low, a.high + b.high);
      case Op::subtract: return sane(a.low - b.high, a.high - b.low);
      case Op::multiply: return product(a, b);
      case Op::divide: return b.low > 0.0 || b.high < 0.0 ? product(a, {1.0 / b.high, 1.0 / b.low}) : Range{};
      case Op::min: return {std::min(a.low, b.low), std::min(a.high, b.high)};
      case Op::max: return {std::max(a.low, b.low), std::max(a.high, b.high)};
      case Op::mod: return b.low > 0.0 ? Range{0.0, b.high} : Range{};
      case Op::less: return less(a, b, false);
      case Op::less_equal: return less(a, b, true);
      case Op::greater: return less(b, a, false);
      case Op::greater_equal: return less(b, a, true);
      case Op::equal: return a.high < b.low || b.high < a.low ? kNever : kOpen;
      case Op::not_equal: return a.high < b.low || b.high < a.low ? kAlways : kOpen;
      case Op::logical_and:
        if (contradicts(e, node)) return kNever;
        return {std::min(a.low, b.low), std::min(a.high, b.high)};
      case Op::logical_or: return {std::max(a.low, b.low), std::max(a.high, b.high)};
      case Op::logical_not: return {1.0 - a.high, 1.0 - a.low};
      default: return {};
    }
  }

  // voltage > 4 V and voltage < 3 V
  struct Window {
    double low = -kInfinity, high = kInfinity;
    bool low_strict = false, high_strict = false;
  };
  void narrow(const Expression& e, int index, std::map<std::pair<Live, bool>, Window>& windows) const {
    const ExpressionNode& node = e.at(index);
    if (node.kind == ExpressionNode::Kind::operation && node.op == Op::logical_and) {
      narrow(e, node.left, windows);
      narrow(e, node.right, windows);
      return;
    }
    const auto atom = atom_at(compiler_, e, index);
    if (!atom) return;
    Window& w = windows[{atom->live, atom->magnitude}];
    if (atom->upwards && atom->bound >= w.low) {
      w.low_strict = atom->strict || (atom->bound == w.low && w.low_strict);
      w.low = atom->bound;
    } else if (!atom->upwards && atom->bound <= w.high) {
      w.high_strict = atom->strict || (atom->bound == w.high && w.high_strict);
      w.high = atom->bound;
    }
  }
  [[nodiscard]] bool contradicts(const Expression& e, const ExpressionNode& node) const {
    std::map<std::pair<Live, bool>, Window> windows;
    narrow(e, node.left, windows);
    narrow(e, node.right, windows);
    return std::any_of(windows.begin(), windows.end(), [](const auto& entry) {
      const Window& w = entry.second;
      return w.low > w.high || (w.low == w.high && (w.low_strict || w.high_strict));
    });
  }

  [[nodiscard]] Range variable(const ExpressionNode& node) const {
    const auto& names = compiler_.references.variables();
    const auto found = names.find(compiler_.binding.prefix + node.name);
    if (found == names.end() || found->second >= compiler_.variable_values.size()) return {};
    return compiler_.variable_values[found->second];
  }

  [[nodiscard]] Range live(Live quantity) const {
    const SafetyLimits& box = compiler_.program->safety;
    switch (quantity) {
      case Live::voltage: return voltage();
      case Live::current: return reach_.box ? inside(current(), box.current) : current();
      case Live::power: return reach_.box ? inside(power(), box.power) : power();
      case Live::temperature:
      case Live::chamber_temperature: {
        const Range any{kAbsoluteZero_degC, kInfinity};
        if (!reach_.box) return any;
        return inside(any, quantity == Live::temperature ? box.temperature : box.chamber);
      }
      case Live::cycle: return {1.0, kInfinity};
      case Live::soc: return kSoc;
      case Live::time: return {0.0, reach_.latest_s};
      case Live::step_capacity: return {0.0, most_moved_C()};
      case Live::step_energy: return {0.0, most_moved_J()};
      case Live::test_time:
      case Live::measured_capacity:
      case Live::charge_capacity:
      case Live::discharge_capacity:
      case Live::charge_energy:
      case Live::discharge_energy:
      case Live::nominal_capacity: return {0.0, kInfinity};
      default: return {};
    }
  }

  [[nodiscard]] double most_moved_C() const {
    if (between_) return kInfinity;
    if (at_rest(step_)) return 0.0;
    const Range flow = current();
    double most = kCurrentExcess * std::max(-flow.low, flow.high) * reach_.latest_s;
    if (std::isnan(most)) most = kInfinity;
    const SafetyBound& box = compiler_.program->safety.capacity;
    return reach_.box && box.dwell.us == 0 && box.max < most ? box.max : most;
  }
  [[nodiscard]] double most_moved_J() const {
    const double moved_C = most_moved_C();
    return moved_C == 0.0 ? 0.0 : sane(0.0, moved_C * voltage().high).high;
  }

  [[nodiscard]] Range envelope_current() const {
    if (compiler_.launch == nullptr) return {};
    const Envelope& e = compiler_.program->envelope;
    return {e.current_min_A, e.current_max_A};
  }

  [[nodiscard]] Range wanted_current() const {
    const double most = compiler_.value(step_.current).value_or(kInfinity);
    switch (step_.kind) {
      case StepKind::voltage: return {-most, most};
      case StepKind::impedance: return std::isinf(most) ? Range{} : with_zero({most, most});
      case StepKind::ramp: return ramp_current(most);
      case StepKind::pulse: return pulse_current();
      case StepKind::follow: return waveform_current();
      default: break;
    }
    if (step_.sign > 0) return {0.0, most};
    if (step_.sign < 0) return {-most, 0.0};
    return {};
  }

  [[nodiscard]] Range ramp_current(double clamp_A) const {
    if (!step_.ramp_from.ok() || step_.ramp_from.top().type != type::kCurrent) return {-clamp_A, clamp_A};
    const auto from = compiler_.value(step_.ramp_from);
    const auto to = compiler_.value(step_.ramp_to);
    if (!from || !to) return {};
    return with_zero({std::min(*from, *to), std::max(*from, *to)});
  }

  [[nodiscard]] Range pulse_current() const {
    Range range{0.0, 0.0};
    for (const PulseSyntax& part : step_.pulses) {
      const auto value = part.power.given ? std::nullopt : compiler_.value(part.current);
      if (!value) return {};
      range = {std::min(range.low, *value), std::max(range.high, *value)};
    }
    return range;
  }

  [[nodiscard]] Range waveform_current() const {
    const Program& program = *compiler_.program;
    if (flat_.waveform >= program.waveforms.size()) return {};
    const Waveform& w = program.waveforms[flat_.waveform];
    const auto scale = step_.scale.given ? compiler_.value(step_.scale) : std::optional<double>(1.0);
    if (!scale || w.value.empty() ||
        (w.quantity != WaveformQuantity::current && w.quantity != WaveformQuantity::c_rate)) {
      return {};
    }
    const auto [least, most] = std::minmax_element(w.value.begin(), w.value.end());
    return with_zero({std::min(*least * *scale, *most * *scale), std::max(*least * *scale, *most * *scale)});
  }

  [[nodiscard]] Range power() const {
    if (between_) return {};
    if (at_rest(step_)) return {0.0, 0.0};
    Range range = product(current(), voltage());
    if (step_.sign > 0) range.low = std::max(0.0, range.low);
    if (step_.sign < 0) range.high = std::min(0.0, range.high);
    const auto wanted = compiler_.value(step_.power);
    if (wanted && step_.sign > 0) range.high = std::min(range.high, *wanted);
    if (wanted && step_.sign < 0) range.low = std::max(range.low, -*wanted);
    return range;
  }

  // Of the expressions that were looked at, every node's value.
  mutable std::map<const Expression*, std::vector<std::optional<double>>> known_;
  const Compiler& compiler_;
  const StepSyntax& step_;
  const Step& flat_;
  bool between_;  // two passes of a repeat: whatever flowed last
  Reach reach_;
};

double constant_of(const Program& program, ExpressionRef ref, double absent) {
  if (!ref.present()) return absent;
  return ref.count == 1 && program.code[ref.first].op == Op::constant ? program.code[ref.first].value : kInfinity;
}

double finite_or_infinite(double seconds) {
  return std::isfinite(seconds) ? seconds : kInfinity;
}

}  // namespace

Range condition_range(const Compiler& compiler, std::size_t index, const Expression& when, const Reach& reach) {
  return Ranges(compiler, index, reach).of(when, when.root);
}

double most_current_A(const Compiler& compiler, std::size_t index) {
  const Range flow = Ranges(compiler, index, {}).current();
  return std::max(-flow.low, flow.high);
}

double most_voltage_V(const Compiler& compiler, std::size_t index) {
  Reach reach;
  reach.box = true;
  return Ranges(compiler, index, reach).voltage().high;
}

std::optional<Atom> atom_at(const Compiler& compiler, const Expression& expression, int index) {
  const ExpressionNode& node = expression.at(index);
  if (node.kind != ExpressionNode::Kind::operation) return std::nullopt;
  const bool greater = node.op == Op::greater || node.op == Op::greater_equal;
  if (!greater && node.op != Op::less && node.op != Op::less_equal) return std::nullopt;
  const auto right = constant_value(expression, node.right, compiler.binding);
  const auto left = constant_value(expression, node.left, compiler.binding);
  if (bool(right) == bool(left)) return std::nullopt;
  const ExpressionNode* quantity = &expression.at(right ? node.left : node.right);
  Atom atom;
  atom.bound = right ? *right : *left;
  atom.upwards = right ? greater : !greater;
  atom.strict = node.op == Op::greater || node.op == Op::less;
  if (quantity->kind == ExpressionNode::Kind::operation && quantity->op == Op::abs) {
    atom.magnitude = true;
    quantity = &expression.at(quantity->left);
  }
  if (quantity->kind != ExpressionNode::Kind::live) return std::nullopt;
  atom.live = quantity->live;
  return atom;
}

double box_bound(const Compiler& compiler, const Atom& atom) {
  const SafetyLimits& s = compiler.program->safety;
  const SafetyBound* bound = atom.live == Live::voltage               ? &s.voltage
                             : atom.live == Live::current             ? &s.current
                             : atom.live == Live::power               ? &s.power
                             : atom.live == Live::temperature         ? &s.temperature
                             : atom.live == Live::chamber_temperature ? &s.chamber
                             : atom.live == Live::step_capacity       ? &s.capacity
                                                                      : nullptr;
  if (bound == nullptr || bound->dwell.us > 0) return base::kAbsent;
  return atom.upwards ? bound->max : bound->min;
}

double own_length_s(const Program& program, std::size_t index) {
  const Step& step = program.steps[index];
  const double passes = constant_of(program, step.count, 1.0);
  switch (step.kind) {
    case StepKind::follow:
      if (step.waveform >= program.waveforms.size()) return kInfinity;
      return finite_or_infinite(static_cast<double>(program.waveforms[step.waveform].time_us.back()) * 1e-6 * passes);
    case StepKind::ramp: {
      if (step.ramp_over.present()) return constant_of(program, step.ramp_over, kInfinity);
      const double height = constant_of(program, step.ramp_to, 0.0) - constant_of(program, step.ramp_from, 0.0);
      return finite_or_infinite(std::fabs(height) / constant_of(program, step.ramp_rate, 0.0));
    }
    case StepKind::impedance: return constant_of(program, step.ramp_over, kInfinity);
    case StepKind::pulse: {
      double once_s = 0.0;
      for (std::uint32_t k = 0; k < step.pulse_count; ++k)
        once_s += program.pulses[step.first_pulse + k].time.seconds();
      return finite_or_infinite(once_s * passes);
    }
    default: return kInfinity;
  }
}

}  // namespace cyclerd::profiles
