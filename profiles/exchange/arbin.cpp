// Arbin schedules (.sdu): [Schedule], [Schedule_StepN], [Schedule_StepN_LimitM]. SI units but Ah and Wh.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "profiles/exchange/arbin_parts.hpp"
#include "profiles/exchange/flow_blocks.hpp"

namespace cyclerd::exchange {
namespace {

// Arbin measures the resistance with pulses of milliseconds; the slowest scan of a channel is 1 s.
constexpr double kShortestPulse_s = 1.0;
// How near to its level a step is taken to hold the voltage.
constexpr double kNearLevel_V = 0.005;

class Arbin {
 public:
  explicit Arbin(Import& import) : import_(import), schedule_(read_arbin(import)) { meaning_.schedule = &schedule_; }

  std::optional<Translation> run() {
    if (import_.failed()) return std::nullopt;
    loops_ = arbin_loops(schedule_);
    read_meaning();
    head();
    for (std::size_t i = 0; i < schedule_.steps.size(); ++i) read_step(i);
    if (import_.failed()) return std::nullopt;
    settle_guards(flow_, safety_, import_);
    profile_.name = import_.name();
    profile_.title = std::string(schedule_.head.at("m_szComments"));
    profile_.comment = "Imported from the Arbin schedule " + import_.file_name() + ".";
    profile_.steps = to_blocks(flow_, import_);
    prepend_starts();
    safety_.write(profile_);
    return import_.finish(profile_);
  }

 private:
  void read_meaning() {
    for (const ArbinStep& step : schedule_.steps) {
      for (const ArbinLimit& limit : step.limits) {
        for (const ArbinEquation& equation : limit.equations) note_use(equation);
      }
    }
    for (const auto& [label, expression] : schedule_.formulas) note_use({expression, "", ""});
    forget_counters();
    for (const ArbinStep& step : schedule_.steps) {
      if (!sets_variables(step)) continue;
      const auto masks = arbin_masks(step);
      if (!masks) continue;
      const bool resets = (masks->reset_capacities & used_capacities_) != 0;
      const bool advances = (masks->up & 1U) != 0;
      const bool all = (masks->reset_capacities & used_capacities_) == used_capacities_;
      if (used_capacities_ != 0 && (resets != advances || (advances && !all))) meaning_.capacities_by_cycle = false;
    }
  }
  // Counters that only count the passes of a repeat need no variable.
  void forget_counters() {
    for (const ArbinLoop& loop : loops_) {
      if (loop.count && loop.counter != 0) used_counters_ &= ~(1U << loop.counter);
    }
  }
  [[nodiscard]] const ArbinLoop* loop_closed_by(std::size_t i) const {
    const auto found =
        std::find_if(loops_.begin(), loops_.end(), [&](const ArbinLoop& loop) { return loop.last == i; });
    return found == loops_.end() ? nullptr : &*found;
  }
  void note_use(const ArbinEquation& equation) {
    constexpr const char* kNames[] = {"PV_CHAN_Charge_Capacity", "PV_CHAN_Discharge_Capacity", "PV_CHAN_Charge_Energy",
                                      "PV_CHAN_Discharge_Energy"};
    for (const std::string* side : {&equation.left, &equation.right}) {
      for (std::uint32_t k = 0; k < 4; ++k) {
        if (side->find(kNames[k]) != std::string::npos) used_capacities_ |= 1U << k;
      }
      for (std::uint32_t k = 1; k <= 4; ++k) {
        if (side->find(fmt::format("TC_Counter{}", k)) != std::string::npos) used_counters_ |= 1U << k;
      }
    }
  }

  // ---- the head: safety

  void head() {
    const IniSection& head = schedule_.head;
    scope("m_bCheckVoltageSafety", "m_VoltageSafetyScope", safety_.voltage_min_V, safety_.voltage_max_V);
    scope("m_bCheckCurrentSafety", "m_CurrentSafetyScope", safety_.current_min_A, safety_.current_max_A);
    scope("m_bCheckPowerSafety", "m_PowerSafetyScope", safety_.power_min_W, safety_.power_max_W);
    std::string_view enabled = head.at("m_AuxSafetyEnabled");
    while (!enabled.empty()) {
      const std::size_t end = std::min(enabled.find(';'), enabled.size());
      const std::string_view item = trimmed(enabled.substr(0, end));
      enabled.remove_prefix(std::min(end + 1, enabled.size()));
      if (!item.ends_with("^1")) continue;
      if (item == "1^1") {
        scope(nullptr, "m_AuxTempSafetyScope", safety_.temperature_min_degC, safety_.temperature_max_degC);
        import_.approximated("[Schedule]", "m_AuxTempSafetyScope", "it holds for the cell's own sensor");
      } else {
        import_.error(code::kBound, head.line,
                      fmt::format("m_AuxSafetyEnabled: the auxiliary safety {} has no counterpart here", item),
                      "switch it off in a copy of the schedule; what it guards must be guarded otherwise");
      }
    }
    if (const auto times = whole_of(head.at("m_uMaxTimesOfUnsafe")); times && *times > 1) {
      import_.approximated("[Schedule]", fmt::format("m_uMaxTimesOfUnsafe = {}", *times),
                           "the first sample outside of [safety] opens the output");
    }
    for (const char* flag : {"m_bCtrlValueNeedCheck", "m_bUnreasonableNeedCheck", "m_bImpedanceNeedCheck",
                             "m_bParallelCurrentAbnormalStop", "m_bParallelVoltageAbnormalStop"}) {
      if (head.at(flag) != "1") continue;
      import_.dropped("[Schedule]", flag, "a check of the instrument; here the station's limits and plausibility hold");
    }
    if (head.at("m_AuxSafetyChanSafetyEnabled").find("^1") != std::string_view::npos) {
      import_.error(code::kBound, head.line, "m_AuxSafetyChanSafetyEnabled: a safety channel has no counterpart here",
                    "switch it off in a copy of the schedule; what it guards must be guarded otherwise");
    }
    for (const IniSection& own : schedule_.user_safety) {
      import_.error(code::kBound, own.line,
                    fmt::format("[{}]: the safety {} is not understood", own.name, own.at("m_szSafetyType")));
    }
  }

  // "-5.000000^10.000000"
  void scope(const char* enabled, const char* key, std::optional<double>& low, std::optional<double>& high) {
    const IniSection& head = schedule_.head;
    if (enabled != nullptr && head.at(enabled) != "1") return;
    const std::string_view text = head.at(key);
    const std::size_t hat = text.find('^');
    const auto least = number_of(text.substr(0, hat));
    const auto most = hat == std::string_view::npos ? std::nullopt : number_of(text.substr(hat + 1));
    if (!least || !most || *least >= *most) {
      import_.error(code::kValue, head.line, fmt::format("{} = \"{}\" is not low^high", key, text));
      return;
    }
    low = least;
    high = most;
    import_.translated(2);
  }

  // ---- steps

  void read_step(std::size_t i) {
    const ArbinStep& from = schedule_.steps[i];
    FlowStep step;
    step.where = fmt::format("step {}", i + 1);
    step.line = from.line;
    step.label = from.label;
    if (sets_variables(from)) {
      read_set(from, i, step);
    } else {
      StepText text;
      text.comment = fmt::format("Step {}: {}", i + 1, from.label);
      control(from, step, text);
      records(from, step, text);
      if (!step.texts.empty()) text.control = "rest";
      step.texts.push_back(std::move(text));
      for (const ArbinLimit& limit : from.limits) {
        if (limit.ends_step) end_of(limit, step, i);
      }
      if (step.ends.empty()) {
        import_.error(code::kMissing, step.line,
                      fmt::format("{} ({}) has no step limit, so it never ends", step.where, from.control));
      }
    }
    flow_.steps.push_back(std::move(step));
  }

  // A number, or a formula that is one.
  std::optional<double> number(std::string_view text, const char* what, const FlowStep& step) {
    const auto value = number_of(arbin_value(text, "", meaning_).value_or(""));
    if (!value) {
      import_.error(code::kValue, step.line, fmt::format("{}: {} \"{}\" is not a number", step.where, what, text),
                    "control values that depend on what is measured are not read: write the step by hand");
    }
    return value;
  }

  void control(const ArbinStep& from, FlowStep& step, StepText& text) {
    InlineTable arguments;
    const std::string& kind = from.control;
    if (kind == "Rest") {
      text.control = "rest";
      return;
    }
    const bool current = kind == "Current(A)" || kind == "C-Rate" || kind == "CCCV";
    if (current || kind == "Power(W)") {
      const auto value = number(from.value, "the control value", step);
      if (!value) return;
      step.sign = *value < 0.0 ? -1 : 1;
      text.control = step.sign < 0 ? "discharge" : "charge";
      const double size = std::abs(*value);
      arguments.text(current ? "current" : "power", kind == "C-Rate" ? unit_text(size, "C")
                                                    : current        ? current_text(size)
                                                                     : unit_text(size, "W"));
      if (kind == "CCCV") {
        step.level_V = number(from.extra1, "the voltage of a CCCV", step);
        if (step.level_V) arguments.text("voltage", unit_text(*step.level_V, "V"));
        if (number_of(from.extra2).value_or(0.0) != 0.0) {
          import_.dropped(step.where, "m_szExtCtrlValue2 = " + from.extra2,
                          "the resistance that Arbin compensates has no counterpart");
        }
      }
      text.arguments = arguments.str();
    } else if (kind == "Voltage(V)") {
      text.control = "hold";
      step.level_V = number(from.value, "the voltage", step);
      if (step.level_V) text.arguments = arguments.text("voltage", unit_text(*step.level_V, "V")).str();
    } else if (kind == "Load(Ohm)") {
      text.control = "discharge";
      step.sign = -1;
      if (const auto ohms = number(from.value, "the load", step))
        text.arguments = arguments.text("resistance", unit_text(std::abs(*ohms), "Ohm")).str();
    } else if (kind == "Internal Resistance") {
      resistance(from, step);
    } else {
      import_.error(code::kStepKind, step.line,
                    fmt::format("{}: the control type \"{}\" is not known", step.where, kind),
                    "take the step out of a copy of the schedule and write it by hand");
    }
  }

  // Pulses of milliseconds, averaged; then the step rests until its limits end it.
  void resistance(const ArbinStep& from, FlowStep& step) {
    const auto amperes = number(from.value, "the current of the pulse", step);
    const auto millis = number(from.extra1, "the length of the pulse", step);
    if (!amperes || !millis) return;
    const double seconds = std::max(*millis / 1e3, kShortestPulse_s);
    StepText pulse;
    pulse.comment = fmt::format("Step {}", step.where.substr(5));
    pulse.control = "impedance";
    pulse.arguments = InlineTable()
                          .raw("dcir", InlineTable()
                                           .text("current", current_text(*amperes))
                                           .text("time", time_text(seconds))
                                           .text("method", "end")
                                           .str())
                          .str();
    import_.approximated(
        step.where, fmt::format("Internal Resistance, {} A for {} ms", *amperes, *millis),
        fmt::format("one pulse of {} in the direction of its sign, not a mean of several in both; a rest follows",
                    time_text(seconds)));
    step.texts.push_back(std::move(pulse));
  }

  // ---- limits

  bool target_of(const ArbinLimit& limit, std::size_t i, FlowEnd& end) {
    if (limit.target == "Next Step") return true;
    if (limit.target == "End Test") {
      end.go = FlowEnd::Go::end;
      return true;
    }
    if (limit.target.starts_with("Unsafe")) {
      end.go = FlowEnd::Go::fail;
      end.text.reason = "Unsafe in the schedule";
      return true;
    }
    const auto target = arbin_step_named(schedule_, limit.target);
    if (!target) {
      import_.error(code::kJump, limit.line,
                    fmt::format("step {}: a limit leads to \"{}\"; no step has that label", i + 1, limit.target));
      return false;
    }
    if (*target != i + 1) {
      end.go = FlowEnd::Go::step;
      end.target = *target;
    }
    return true;
  }

  void end_of(const ArbinLimit& limit, FlowStep& step, std::size_t i) {
    FlowEnd end;
    if (!target_of(limit, i, end)) return;
    if (!condition(limit, step, end)) {
      import_.error(
          code::kBound, limit.line,
          fmt::format("{}: the limit \"{}\" is not understood; it may bound the cell", step.where, spelled(limit)),
          "take it out of a copy of the schedule, import that, and write the condition by hand");
      return;
    }
    step.ends.push_back(std::move(end));
  }

  static std::string spelled(const ArbinLimit& limit) {
    std::string text;
    for (const ArbinEquation& e : limit.equations)
      text += fmt::format("{}{} {} {}", text.empty() ? "" : " and ", e.left, e.sign, e.right);
    return text;
  }

  static std::string compare_of(const std::string& sign) {
    if (sign == "=" || sign == "==") return "==";
    if (sign == "<>" || sign == "!=") return "!=";
    return sign == ">" || sign == ">=" || sign == "<" || sign == "<=" ? sign : "";
  }

  bool condition(const ArbinLimit& limit, const FlowStep& step, FlowEnd& end) {
    if (limit.equations.empty()) return false;
    for (const ArbinEquation& equation : limit.equations) {
      const std::string compare = compare_of(equation.sign);
      if (compare.empty()) return false;
      if (equation.left == "PV_CHAN_CV_StageTime") {
        if (!stage_time(limit, equation, compare, step, end)) return false;
        continue;
      }
      const auto left = arbin_quantity(equation.left, meaning_);
      if (!left) return false;
      const auto right = arbin_value(equation.right, left->unit, meaning_);
      if (!right) return false;
      end.text.when += fmt::format("{}{} {} {}", end.text.when.empty() ? "" : " and ", left->text, compare, *right);
      if (equation.left == "PV_CHAN_Voltage" && limit.equations.size() == 1) {
        (compare.starts_with('>') ? end.voltage_max_V : end.voltage_min_V) = number_of(equation.right);
      }
    }
    return !end.text.when.empty();
  }

  // How long the voltage has been held is no quantity here: the voltage is near its level for so long.
  bool stage_time(const ArbinLimit& limit, const ArbinEquation& equation, const std::string& compare,
                  const FlowStep& step, FlowEnd& end) {
    const auto seconds = number_of(equation.right);
    if (!seconds || !compare.starts_with('>') || !step.level_V) return false;
    const bool with_current = std::any_of(limit.equations.begin(), limit.equations.end(),
                                          [](const ArbinEquation& e) { return e.left == "PV_CHAN_CV_Stage_Current"; });
    end.text.dwell = time_text(std::max(*seconds, 0.0));
    if (end.text.dwell == "0 s") end.text.dwell.clear();
    if (!with_current) {
      const bool down = step.sign < 0;
      end.text.when +=
          fmt::format("{}voltage {} {}", end.text.when.empty() ? "" : " and ",
                      down ? "<=" : ">=", unit_text(*step.level_V + (down ? kNearLevel_V : -kNearLevel_V), "V"));
    }
    import_.approximated(step.where, spelled(limit),
                         with_current ? "the condition on the current must hold for that time"
                                      : "the voltage must be within 5 mV of its level for that time");
    return true;
  }

  // ---- rows

  void records(const ArbinStep& from, const FlowStep& step, StepText& text) {
    std::map<std::string, double> rules;
    for (const ArbinLimit& limit : from.limits) {
      if (!limit.logs || limit.ends_step) continue;
      const ArbinEquation* delta = nullptr;
      for (const ArbinEquation& e : limit.equations) {
        if (e.left.starts_with("DV_") && delta == nullptr) delta = &e;
      }
      const std::string key = delta == nullptr ? "" : key_of(delta->left);
      const auto value = delta == nullptr ? std::nullopt : number_of(delta->right);
      if (key.empty() || !value || *value <= 0.0) {
        import_.dropped(step.where, "log " + spelled(limit), "not a rule for rows here");
        continue;
      }
      if (limit.equations.size() > 1) {
        import_.approximated(step.where, "log " + spelled(limit),
                             fmt::format("only {} {}: more rows are kept, not fewer", delta->left, delta->right));
      }
      const auto [at, is_new] = rules.try_emplace(key, *value);
      if (!is_new) at->second = std::min(at->second, *value);
      import_.translated();
    }
    if (rules.empty()) return;
    InlineTable table;
    for (const auto& [key, value] : rules) {
      table.text(key, key == "every"     ? time_text(value)
                      : key == "voltage" ? unit_text(value * 1e3, "mV")
                      : key == "current" ? current_text(value)
                                         : unit_text(value, key == "capacity" ? "Ah" : "Wh"));
    }
    text.keys.emplace_back("record", table.str());
  }
  static std::string key_of(std::string_view delta) {
    if (delta == "DV_Time") return "every";
    if (delta == "DV_Voltage") return "voltage";
    if (delta == "DV_Current") return "current";
    return {};
  }

  // ---- Set Variable(s)

  void read_set(const ArbinStep& from, std::size_t i, FlowStep& step) {
    const auto masks = arbin_masks(from);
    if (!masks || !masks->known()) {
      import_.error(code::kStepKind, step.line,
                    fmt::format("{}: Set Variable(s) {} {} {} sets variables that are not known", step.where,
                                from.value, from.extra1, from.extra2));
      return;
    }
    const bool labelled_step = !step.label.empty();
    if (!labelled_step) step.label.clear();
    set_texts(*masks, step);
    branch(from, i, step);
  }

  void set_texts(const ArbinMasks& masks, FlowStep& step) {
    if ((masks.up & 1U) != 0) step.texts.push_back(simple("advance_cycle", {}));
    if ((masks.reset & 1U) != 0) import_.dropped(step.where, "reset of the cycle index", "cycles are counted on");
    if ((masks.down & 1U) != 0) import_.dropped(step.where, "the cycle index counted down", "cycles are counted on");
    InlineTable values;
    bool any = false;
    for (std::uint32_t k = 1; k <= 4; ++k) {
      if ((used_counters_ & (1U << k)) == 0) continue;
      const std::string name = fmt::format("counter_{}", k);
      const bool reset = (masks.reset & (1U << k)) != 0;
      const bool up = (masks.up & (1U << k)) != 0;
      const bool down = (masks.down & (1U << k)) != 0;
      if (!reset && up == down) continue;
      const std::string start = reset ? "0" : name;
      values.text(name, up == down ? start : fmt::format("{} {} 1", start, up ? "+" : "-"));
      any = true;
    }
    if (any) step.texts.push_back(simple("set", values.str()));
    if (!meaning_.capacities_by_cycle) {
      for (std::uint32_t k = 0; k < 4; ++k) {
        if ((masks.reset_capacities & used_capacities_ & (1U << k)) != 0) step.texts.push_back(mark(k));
      }
    }
    step.ends_itself = true;
  }

  static StepText simple(std::string control, std::string arguments) {
    StepText text;
    text.control = std::move(control);
    text.arguments = std::move(arguments);
    return text;
  }
  static StepText mark(std::uint32_t k) {
    constexpr const char* kNames[] = {"charge_reset", "discharge_reset", "charge_energy_reset",
                                      "discharge_energy_reset"};
    return simple("set", InlineTable().text("mark", kNames[k]).str());
  }

  // The limits of a step that only counts: where it goes next.
  void branch(const ArbinStep& from, std::size_t i, FlowStep& step) {
    std::vector<FlowEnd> jumps;
    for (const ArbinLimit& limit : from.limits) {
      if (!limit.ends_step) continue;
      FlowEnd end;
      if (!target_of(limit, i, end)) return;
      if (end.go == FlowEnd::Go::next) continue;
      if (!condition(limit, step, end)) {
        import_.error(code::kBound, limit.line,
                      fmt::format("{}: the limit \"{}\" is not understood", step.where, spelled(limit)));
        return;
      }
      jumps.push_back(std::move(end));
    }
    if (jumps.empty()) return;
    if (const ArbinLoop* loop = loop_closed_by(i)) {
      close_loop(*loop, from, jumps.front(), step);
      return;
    }
    // A decision takes a scan here.
    import_.approximated(step.where, "a jump by a counter", "a rest of one scan stands before the decision");
    step.texts.push_back(simple("rest", {}));
    step.ends = std::move(jumps);
    FlowEnd on;
    on.text.when = "time > 0 s";
    step.ends.push_back(std::move(on));
    step.ends_itself = false;
  }

  void close_loop(const ArbinLoop& plan, const ArbinStep& from, const FlowEnd& jump, const FlowStep& step) {
    FlowLoop loop;
    loop.first = loop.entry = plan.first;
    loop.last = plan.last;
    loop.where = step.where;
    loop.line = step.line;
    if (plan.count) {
      loop.arguments = InlineTable().raw("count", fmt::format("{}", *plan.count)).str();
    } else {
      loop.until.push_back({opposite(from, jump), "", "", ""});
    }
    flow_.loops.push_back(std::move(loop));
  }

  // The condition of staying, the other way round.
  static std::string opposite(const ArbinStep& from, const FlowEnd& jump) {
    for (const ArbinLimit& limit : from.limits) {
      if (!limit.ends_step || limit.target == "Next Step" || limit.equations.size() != 1) continue;
      const std::string sign = compare_of(limit.equations.front().sign);
      const std::string turned = sign == "<" ? ">=" : sign == "<=" ? ">" : sign == ">" ? "<=" : sign == ">=" ? "<" : "";
      const std::string spaced = fmt::format(" {} ", sign);
      const std::size_t at = jump.text.when.find(spaced);
      if (turned.empty() || at == std::string::npos) break;
      return jump.text.when.substr(0, at + 1) + turned + jump.text.when.substr(at + spaced.size() - 1);
    }
    return fmt::format("not ({})", jump.text.when);
  }

  // Counters and marks exist from the beginning.
  void prepend_starts() {
    std::vector<StepText> starts;
    InlineTable counters;
    for (std::uint32_t k = 1; k <= 4; ++k) {
      if ((used_counters_ & (1U << k)) != 0) counters.text(fmt::format("counter_{}", k), "0");
    }
    if (used_counters_ != 0) starts.push_back(simple("set", counters.str()));
    for (std::uint32_t k = 0; !meaning_.capacities_by_cycle && k < 4; ++k) {
      if ((used_capacities_ & (1U << k)) != 0) starts.push_back(mark(k));
    }
    profile_.steps.insert(profile_.steps.begin(), starts.begin(), starts.end());
  }

  Import& import_;
  ArbinSchedule schedule_;
  ArbinMeaning meaning_;
  ProfileText profile_;
  SafetyBox safety_;
  Flow flow_;
  std::vector<ArbinLoop> loops_;
  std::uint32_t used_capacities_ = 0;
  std::uint32_t used_counters_ = 0;
};

}  // namespace

std::optional<Translation> import_arbin(const text::SourcePtr& source, const ImportOptions& options,
                                        text::Diagnostics& diagnostics) {
  Import import(source, options, diagnostics);
  if (import.failed()) return std::nullopt;
  return Arbin(import).run();
}

}  // namespace cyclerd::exchange
