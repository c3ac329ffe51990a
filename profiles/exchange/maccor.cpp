// Maccor procedure files (.000): MaccorTestProcedure/ProcSteps/TestStep. Amperes, volts, hh:mm:ss; words are padded.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "profiles/exchange/flow_blocks.hpp"
#include "profiles/exchange/maccor_parts.hpp"
#include "profiles/exchange/xml_text.hpp"

namespace cyclerd::exchange {
namespace {

using pugi::xml_node;

// "Do 12" -> 12, for the word "Do".
std::optional<std::int64_t> numbered(std::string_view type, std::string_view word) {
  if (!type.starts_with(word) || type.size() <= word.size() || type[word.size()] != ' ') return std::nullopt;
  return whole_of(type.substr(word.size()));
}

class Maccor {
 public:
  explicit Maccor(Import& import) : import_(import), xml_(import) {}

  std::optional<Translation> run() {
    if (import_.failed()) return std::nullopt;
    const xml_node root = xml_.document().document_element();
    if (std::string_view(root.name()) != "MaccorTestProcedure") {
      import_.error(code::kOtherFormat, xml_.line_of(root),
                    fmt::format("not a Maccor procedure: the root is <{}>, not <MaccorTestProcedure>", root.name()),
                    "save the procedure as XML (.000)");
      return std::nullopt;
    }
    const std::string_view description = child_text(root.child("header").child("ProcDesc"), "desc");
    profile_.title = std::string(description);
    read_steps(root.child("ProcSteps"), xml_.line_of(root));
    if (import_.failed()) return std::nullopt;
    settle_guards(flow_, safety_, import_);
    profile_.name = import_.name();
    profile_.comment = "Imported from the Maccor procedure " + import_.file_name() + ".";
    profile_.steps = to_blocks(flow_, import_);
    safety_.write(profile_);
    return import_.finish(profile_);
  }

 private:
  void read_steps(const xml_node& steps, std::uint32_t line) {
    std::vector<xml_node> nodes;
    for (const xml_node& node : steps.children("TestStep")) nodes.push_back(node);
    if (nodes.empty()) {
      import_.error(code::kNoSteps, line, "<ProcSteps> holds no <TestStep>");
      return;
    }
    if (nodes.size() > kMaxImportSteps) {
      import_.error(code::kTooManySteps, line,
                    fmt::format("{} steps; at most {} are read", nodes.size(), kMaxImportSteps));
      return;
    }
    flow_.steps.resize(nodes.size());
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      flow_.steps[i].where = fmt::format("step {}", i + 1);
      flow_.steps[i].line = xml_.line_of(nodes[i]);
    }
    for (std::size_t i = 0; i < nodes.size(); ++i) read_step(nodes[i], i);
    for (const auto& [number, at] : open_) {
      import_.error(code::kLoop, flow_.steps[at].line,
                    fmt::format("step {}: Do {} has no Loop {}", at + 1, number, number));
    }
  }

  void read_step(const xml_node& node, std::size_t i) {
    FlowStep& step = flow_.steps[i];
    const std::string_view type = child_text(node, "StepType");
    step.label = std::string(child_text(node, "StepNote"));
    if (const auto number = numbered(type, "Do")) {
      begin_loop(*number, i);
    } else if (const auto closed = numbered(type, "Loop")) {
      end_loop(node, *closed, i);
    } else if (type == "End") {
      step.ends_test = true;
    } else if (type == "AdvCycle") {
      StepText advance;
      advance.control = "advance_cycle";
      step.label.clear();
      step.texts.push_back(std::move(advance));
      step.ends_itself = true;
    } else if (type == "Rest" || type == "Charge" || type == "Dischrge" || type == "Discharge" || type == "OCV") {
      read_timed(node, type, step, i);
    } else if (type == "Pause" || type == "Suspend") {
      StepText pause;
      pause.control = "pause";
      step.texts.push_back(std::move(pause));
      step.ends_itself = true;
    } else {
      read_unusual(node, type, step, i);
    }
  }

  // Chg Func with a straight line over the time is a ramp; whatever else waits for the operator.
  void read_unusual(const xml_node& node, std::string_view type, FlowStep& step, std::size_t i) {
    const std::string formula{child_text(node, "StepValue")};
    const bool function = type.ends_with("Func");
    if (type.empty() || (!function && type != "FastWave" && type != "Chg Pulse" && type != "Pulse")) {
      import_.error(code::kStepKind, step.line, fmt::format("{}: the step type \"{}\" is not known", step.where, type));
      return;
    }
    if (function && read_ramp(node, type, formula, step, i)) return;
    const std::string why =
        type == "FastWave"
            ? "its waveform is a file of its own (.MWF): write `follow` with the waveform as CSV in its place"
            : "only a straight line over STIME can be written as a ramp: write the step by hand";
    import_.dropped(step.where, fmt::format("{} {}", type, formula),
                    why + "; until then the test waits for the operator");
    StepText wait;
    wait.comment = fmt::format("Step {}: {} {} is not translated.", i + 1, type, formula);
    wait.control = "operator";
    wait.arguments = InlineTable().text("message", fmt::format("{} ({}) was not translated", step.where, type)).str();
    step.texts.push_back(std::move(wait));
    step.ends_itself = true;
  }

  bool read_ramp(const xml_node& node, std::string_view type, const std::string& formula, FlowStep& step,
                 std::size_t i) {
    const bool discharge = type.starts_with("D");
    const auto line = maccor_line(formula);
    // A falling or reversed current is not what the step says it does.
    if (!line || line->per_second < 0.0 || line->start < 0.0 || child_text(node, "StepMode") != "Current") return false;
    // The ramp goes on as long as the latest of the ends; without a time end, up to the cell's rating.
    step.sign = discharge ? -1 : 1;
    ends(node, step, i, step.sign);
    double longest_s = 0.0;
    for (const xml_node& end : node.child("Ends").children("EndEntry")) {
      if (child_text(end, "EndType") != "StepTime") continue;
      if (const auto seconds = maccor_seconds(child_text(end, "Value"))) longest_s = std::max(longest_s, *seconds);
    }
    const bool timed = longest_s > 0.0;
    const double sign = discharge ? -1.0 : 1.0;
    const std::string unit = line->c_rate ? "C" : "A";
    StepText ramp;
    ramp.control = "ramp";
    InlineTable arguments;
    arguments.text("from", unit_text(sign * line->start, unit));
    if (timed) {
      arguments.text("to", unit_text(sign * (line->start + line->per_second * longest_s), unit));
      arguments.text("over", time_text(longest_s));
    } else {
      arguments.text("to", discharge ? "-cell.discharge_current_max" : "cell.charge_current_max");
      arguments.text("rate", unit_text(line->per_second * 3600.0, unit + "/h"));
    }
    ramp.arguments = arguments.str();
    ramp.comment = "From the formula " + formula + ".";
    import_.approximated(
        step.where, fmt::format("{} {}", type, formula),
        timed ? "a ramp: its level changes once a scan"
              : "a ramp up to the cell's rated current, which the ends cut short; at that current it ends");
    records(node, step, ramp);
    step.texts.push_back(std::move(ramp));
    return true;
  }

  void begin_loop(std::int64_t number, std::size_t i) {
    if (!open_.emplace(number, i).second) {
      import_.error(code::kLoop, flow_.steps[i].line,
                    fmt::format("step {}: Do {} is open already, since step {}", i + 1, number, open_[number] + 1),
                    "loops inside of each other need different numbers");
    }
  }

  void end_loop(const xml_node& node, std::int64_t number, std::size_t i) {
    FlowStep& step = flow_.steps[i];
    const auto open = open_.find(number);
    if (open == open_.end()) {
      import_.error(code::kLoop, step.line, fmt::format("step {}: Loop {} without Do {}", i + 1, number, number));
      return;
    }
    step.label.clear();
    FlowLoop loop;
    loop.entry = open->second;
    loop.first = open->second + 1;
    loop.last = i;
    loop.where = fmt::format("Do {}", number);
    loop.line = flow_.steps[open->second].line;
    open_.erase(open);
    for (const xml_node& end : node.child("Ends").children("EndEntry")) {
      const std::string_view type = child_text(end, "EndType");
      const auto count = whole_of(child_text(end, "Value"));
      if (type != "Loop Cnt" || !count || *count < 1 || !loop.arguments.empty()) {
        import_.error(code::kLoop, xml_.line_of(end),
                      fmt::format("step {}: Loop {} ends by {} {}; one Loop Cnt of 1 or more is understood", i + 1,
                                  number, type, child_text(end, "Value")));
        return;
      }
      loop.arguments = InlineTable().raw("count", fmt::format("{}", *count)).str();
      const auto after = whole_of(child_text(end, "Step"));
      const auto steps = static_cast<std::int64_t>(flow_.steps.size());
      if (!after || *after < 1 || *after > steps) {
        import_.error(code::kJump, xml_.line_of(end),
                      fmt::format("step {}: Loop {} leads to step \"{}\"; there are {}", i + 1, number,
                                  child_text(end, "Step"), steps));
      } else if (*after != static_cast<std::int64_t>(i) + 2) {
        loop.then = static_cast<std::size_t>(*after - 1);
      }
    }
    if (loop.arguments.empty()) {
      import_.error(code::kLoop, step.line,
                    fmt::format("step {}: Loop {} has no Loop Cnt, so it never ends", i + 1, number));
      return;
    }
    flow_.loops.push_back(std::move(loop));
  }

  void read_timed(const xml_node& node, std::string_view type, FlowStep& step, std::size_t i) {
    StepText text;
    if (!step.label.empty()) text.comment = fmt::format("Step {}: {}", i + 1, step.label);
    step.sign = type == "Charge" ? 1 : type.starts_with("Dis") ? -1 : 0;
    if (step.sign == 0) {
      text.control = "rest";
      if (node.child("Limits").first_child()) {
        import_.dropped(step.where, "Limits of a rest", "no current flows");
      }
    } else {
      control(node, step, text);
    }
    ends(node, step, i, step.sign);
    if (step.ends.empty()) {
      import_.error(code::kMissing, step.line,
                    fmt::format("{} ({}) has no <EndEntry>, so it never ends", step.where, type));
    }
    records(node, step, text);
    step.texts.push_back(std::move(text));
    const std::string_view range = child_text(node, "Range");
    if (!range.empty() && range != "A") {
      import_.dropped(step.where, fmt::format("Range {}", range), "the instrument's driver chooses its range");
    }
    for (const char* option : {"Option1", "Option2", "Option3"}) {
      const std::string_view value = child_text(node, option);
      if (!value.empty() && value != "N") import_.dropped(step.where, fmt::format("{} {}", option, value), "not known");
    }
  }

  // "1.0" amperes, "2.0C", "500mA".
  std::optional<std::string> current(std::string_view text, const FlowStep& step) {
    text = trimmed(text);
    double factor = 1.0;
    const bool c_rate = text.ends_with('C');
    if (c_rate) text.remove_suffix(1);
    if (text.ends_with("mA")) {
      text.remove_suffix(2);
      factor = 1e-3;
    } else if (text.ends_with('A')) {
      text.remove_suffix(1);
    }
    const auto value = number_of(text);
    if (!value) {
      import_.error(code::kValue, step.line, fmt::format("{}: \"{}\" is not a current", step.where, text));
      return std::nullopt;
    }
    return c_rate ? unit_text(std::abs(*value), "C") : current_text(std::abs(*value * factor));
  }

  std::optional<double> volts(std::string_view text, const FlowStep& step) {
    const auto value = number_of(text);
    if (!value) import_.error(code::kValue, step.line, fmt::format("{}: \"{}\" is not a voltage", step.where, text));
    return value;
  }

  void control(const xml_node& node, FlowStep& step, StepText& text) {
    const std::string_view mode = child_text(node, "StepMode");
    const std::string_view value = child_text(node, "StepValue");
    const xml_node limits = node.child("Limits");
    std::string_view voltage = child_text(limits, "Voltage");
    std::string_view ampere = child_text(limits, "Current");
    InlineTable arguments;
    text.control = step.sign > 0 ? "charge" : "discharge";
    if (mode == "Current") ampere = value;
    if (mode == "Voltage") voltage = value;
    if (mode == "Power" || mode == "Resistance") {
      const auto number = number_of(value);
      if (!number)
        import_.error(code::kValue, step.line, fmt::format("{}: \"{}\" is not a {}", step.where, value, mode));
      if (number && mode == "Power") arguments.text("power", unit_text(*number, "W"));
      if (number && mode == "Resistance") arguments.text("resistance", unit_text(*number, "Ohm"));
      if (mode == "Resistance" && step.sign > 0) {
        import_.error(code::kStepKind, step.line,
                      fmt::format("{}: charging at a constant resistance is not possible here", step.where));
      }
      limit_of_power(limits, step);
    } else if (mode != "Current" && mode != "Voltage") {
      import_.error(code::kStepKind, step.line, fmt::format("{}: the mode \"{}\" is not known", step.where, mode));
      return;
    } else if (!ampere.empty()) {
      if (const auto amperes = current(ampere, step)) arguments.text("current", *amperes);
    } else {
      text.control = "hold";
      import_.approximated(step.where, "Voltage without a limit of the current",
                           "held in both directions, within the cell's current");
    }
    if (!voltage.empty()) {
      step.level_V = volts(voltage, step);
      if (step.level_V) arguments.text("voltage", unit_text(*step.level_V, "V"));
    }
    if (text.control == "hold") step.sign = 0;
    for (const xml_node& limit : limits.children()) {
      const std::string_view name = limit.name();
      if (name != "Voltage" && name != "Current" && !child_text(limits, limit.name()).empty()) {
        import_.error(code::kBound, xml_.line_of(limit),
                      fmt::format("{}: the limit {} is not known; it may bound the cell", step.where, name));
      }
    }
    text.arguments = arguments.str();
  }

  // A power step has no limit of the current here: the step fails where it would have been held.
  void limit_of_power(const xml_node& limits, FlowStep& step) {
    const std::string_view text = child_text(limits, "Current");
    if (text.empty()) return;
    const auto limit = current(text, step);
    if (!limit) return;
    FlowEnd end;
    end.text = {fmt::format("abs(current) > {}", *limit), "", "", "the limit of the current of a power step"};
    end.go = FlowEnd::Go::fail;
    step.ends.push_back(std::move(end));
    import_.approximated(step.where, fmt::format("limit of the current {} of a power step", *limit),
                         "the step fails beyond it instead of being held");
  }

  void ends(const xml_node& node, FlowStep& step, std::size_t i, int sign) {
    for (const xml_node& entry : node.child("Ends").children("EndEntry")) {
      FlowEnd end;
      if (!read_when(entry, step, sign, end)) continue;
      const auto target = whole_of(child_text(entry, "Step"));
      if (!target || *target < 1 || *target > static_cast<std::int64_t>(flow_.steps.size())) {
        import_.error(code::kJump, xml_.line_of(entry),
                      fmt::format("{}: an end leads to step \"{}\"; there are {}", step.where,
                                  child_text(entry, "Step"), flow_.steps.size()));
        continue;
      }
      if (*target != static_cast<std::int64_t>(i) + 2) {
        end.go = FlowEnd::Go::step;
        end.target = static_cast<std::size_t>(*target - 1);
      }
      const std::string_view safety = child_text(entry, "ChanSafetyEnd");
      end.safety = safety == "True" || safety == "true" || safety == "1";
      step.ends.push_back(std::move(end));
    }
  }

  bool read_when(const xml_node& entry, const FlowStep& step, int sign, FlowEnd& end) {
    const std::string_view type = child_text(entry, "EndType");
    const std::string_view value = child_text(entry, "Value");
    std::string_view compare = child_text(entry, "Oper");
    const auto when = maccor_end(type, compare, value, sign);
    if (!child_text(entry, "SpecialType").empty() || !when) {
      import_.error(code::kBound, xml_.line_of(entry),
                    fmt::format("{}: the end \"{} {} {}\"{} is not understood; it may bound the cell", step.where, type,
                                compare, value, child_text(entry, "SpecialType").empty() ? "" : " of a special type"),
                    "take it out of a copy of the procedure, import that, and write the end by hand");
      return false;
    }
    end.text.when = when->text;
    if (when->is_voltage) (when->upper ? end.voltage_max_V : end.voltage_min_V) = when->value;
    return true;
  }

  void records(const xml_node& node, const FlowStep& step, StepText& text) {
    std::map<std::string, MaccorReport> rules;  // of two for one key the finer
    for (const xml_node& report : node.child("Reports").children("ReportEntry")) {
      const std::string_view type = child_text(report, "ReportType");
      const std::string_view value = child_text(report, "Value");
      const auto rule = maccor_report(type, value);
      if (!rule) {
        import_.dropped(step.where, fmt::format("report {} {}", type, value), "not a rule for rows here");
        continue;
      }
      import_.translated();
      if (rule->key.empty()) continue;
      const auto [at, is_new] = rules.try_emplace(rule->key, *rule);
      if (!is_new && rule->size < at->second.size) at->second = *rule;
    }
    if (rules.empty()) return;
    InlineTable table;
    for (const auto& [key, rule] : rules) table.text(key, rule.value);
    text.keys.emplace_back("record", table.str());
  }

  Import& import_;
  XmlText xml_;
  ProfileText profile_;
  SafetyBox safety_;
  Flow flow_;
  std::map<std::int64_t, std::size_t> open_;  // Do n without its Loop n
};

}  // namespace

std::optional<Translation> import_maccor(const text::SourcePtr& source, const ImportOptions& options,
                                         text::Diagnostics& diagnostics) {
  Import import(source, options, diagnostics);
  if (import.failed()) return std::nullopt;
  return Maccor(import).run();
}

}  // namespace cyclerd::exchange
