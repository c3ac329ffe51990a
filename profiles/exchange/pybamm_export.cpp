// A profile as pybamm.Experiment([...]).
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "profiles/exchange/exchange_codes.hpp"
#include "profiles/exchange/export_parts.hpp"
#include "profiles/exchange/import_parts.hpp"
#include "profiles/exchange/number_text.hpp"

namespace cyclerd::exchange {
namespace {

using profiles::StepKind;

std::string py_time(double exact_s) {
  const double seconds = number_of(fmt::format("{:.12g}", exact_s)).value_or(exact_s);
  const auto whole = [seconds](double unit) { return seconds >= unit && std::fmod(seconds, unit) == 0.0; };
  const auto text = [](double count, const char* unit) { return unit_text(count, unit) + (count == 1.0 ? "" : "s"); };
  if (whole(3600.0)) return text(seconds / 3600.0, "hour");
  if (whole(60.0)) return text(seconds / 60.0, "minute");
  return text(seconds, "second");
}

std::string py_current(const ExportValue& value) {
  if (value.rate) return value.value < 0.0 ? "-" + rate_text(-value.value) : rate_text(value.value);
  if (value.value != 0.0 && std::abs(value.value) < 0.1) return unit_text(value.value * 1e3, "mA");
  return unit_text(value.value, "A");
}

class PybammExporter {
 public:
  PybammExporter(const ExportTree& tree, text::Diagnostics& diagnostics, Translation& out)
      : tree_(tree), diagnostics_(diagnostics), out_(out) {}

  bool write();

 private:
  template <class Placed>  // a step or an end
  void error(const char* code, const Placed& at, std::string message, std::string help) {
    failed_ = true;
    diagnostics_.error(code, at.where, std::move(message), std::move(help));
  }
  void lost(Loss::Kind kind, std::string where, std::string what, std::string why) {
    out_.losses.push_back({kind, std::move(where), std::move(what), std::move(why)});
  }
  void account();
  bool temperatures(const std::vector<ExportNode>& nodes);
  std::vector<std::string> strings(const ExportStep& step);
  std::string instruction(const ExportStep& step);
  std::string ends(const ExportStep& step);
  std::string end_text(const ExportStep& step, const ExportEnd& end);
  std::string finished(const ExportStep& step, const std::string& text);
  [[nodiscard]] double default_duration_s(const ExportStep& step) const;

  // Strings and repeats of them, as a list (each string a cycle of its own) or as a tuple (one cycle).
  std::string stretch(const std::vector<ExportNode>& nodes, const char* open, const char* close, int depth);
  // A list of tuples; `unaligned_` when a cycle ends in the middle of a block.
  std::string cycles(const std::vector<ExportNode>& nodes, int depth);
  std::string elements(const std::vector<std::string>& texts, const char* open, const char* close, int depth) const;
  std::string passes(const std::string& list, std::int64_t count) const;
  [[nodiscard]] static bool advances(const std::vector<ExportNode>& nodes);

  const ExportTree& tree_;
  text::Diagnostics& diagnostics_;
  Translation& out_;
  bool own_temperatures_ = false;
  std::optional<double> temperature_degC_;
  bool unaligned_ = false;
  bool failed_ = false;
};

double PybammExporter::default_duration_s(const ExportStep& step) const {
  return step.kind == StepKind::current && step.level.rate ? 7200.0 / step.level.value : 86400.0;
}

std::string PybammExporter::instruction(const ExportStep& step) {
  const char* const word = step.sign > 0 ? "Charge" : "Discharge";
  switch (step.kind) {
    case StepKind::current: return fmt::format("{} at {}", word, py_current(step.level));
    case StepKind::power: return fmt::format("{} at {}", word, unit_text(step.level.value, "W"));
    case StepKind::resistance: return fmt::format("{} at {}", word, unit_text(step.level.value, "Ohm"));
    case StepKind::voltage: return fmt::format("Hold at {}", unit_text(step.level.value, "V"));
    default: return "Rest";
  }
}

std::string PybammExporter::end_text(const ExportStep& step, const ExportEnd& end) {
  if (end.of == ExportEnd::Of::voltage) {
    const bool bare = (step.sign > 0 && end.above) || (step.sign < 0 && !end.above);
    return fmt::format("{}{}", bare ? "" : end.above ? ">" : "<", unit_text(end.value.value, "V"));
  }
  if (end.of == ExportEnd::Of::magnitude) {
    if (!end.above) return py_current(end.value);
    error(code::kExportCondition, end, fmt::format("PyBaMM cannot say '{}'", end.text),
          "a magnitude of the current ends a step only when it has fallen");
    return "";
  }
  if (end.value.rate) {
    error(code::kExportCondition, end, fmt::format("PyBaMM passes over the direction of a C-rate: '{}'", end.text),
          "write the current in A, or abs(current)");
    return "";
  }
  return fmt::format("{}{}", end.above ? "<" : ">", py_current({-end.value.value + 0.0, false}));
}

std::string PybammExporter::ends(const ExportStep& step) {
  std::string duration, until;
  bool guarded = false;
  for (const ExportEnd& end : step.ends) {
    if (end.of == ExportEnd::Of::time && end.fails) {
      const double own_s = default_duration_s(step);
      guarded = true;
      if (std::abs(end.value.value - own_s) <= 1e-9 * own_s && duration.empty()) continue;
      error(
          code::kExportCondition, end,
          fmt::format("'{}' fails the test; PyBaMM itself gives a step without a duration up after {}", end.text,
                      py_time(own_s)),
          fmt::format("write that time, leave the condition out, or let it go on to the next step (then = \"next\")"));
      continue;
    }
    if (end.fails) {
      error(code::kExportCondition, end, fmt::format("'{}' fails the test; PyBaMM cannot", end.text),
            "leave the condition out, or let it go on to the next step");
      continue;
    }
    std::string& slot = end.of == ExportEnd::Of::time ? duration : until;
    if (!slot.empty()) {
      error(
          code::kExportCondition, end,
          fmt::format("one duration and one 'until' is what an experiment string can say; '{}' is too many", end.text),
          "keep one of them");
      continue;
    }
    slot = end.of == ExportEnd::Of::time ? py_time(end.value.value) : end_text(step, end);
  }
  if (duration.empty() && !guarded) {
    lost(Loss::Kind::approximated, step.label, "no time guard",
         fmt::format("PyBaMM gives the step up after {}", py_time(default_duration_s(step))));
  }
  if (duration.empty()) return until.empty() ? "" : " until " + until;
  return " for " + duration + (until.empty() ? "" : " or until " + until);
}

std::string PybammExporter::finished(const ExportStep& step, const std::string& text) {
  const bool own_period = step.record.every != tree_.record.every && step.record.every.us > 0;
  const std::string with_period =
      own_period ? fmt::format("{} ({} period)", text, py_time(step.record.every.seconds())) : text;
  out_.translated += 1;
  if (!own_temperatures_) return quoted(with_period);
  return fmt::format("pybamm.step.string({}, temperature={})", quoted(with_period),
                     quoted(unit_text(*step.temperature_degC, "oC")));
}

std::vector<std::string> PybammExporter::strings(const ExportStep& step) {
  if (step.kind == StepKind::ramp) {
    error(code::kExportStep, step, fmt::format("PyBaMM has no counterpart of {} (RAMP)", step.label),
          "what can be exported: charge, discharge, hold, rest, repeat, advance_cycle");
    return {};
  }
  if (!step.then_hold_V) {
    const std::string text = instruction(step) + ends(step);
    return {finished(step, text)};
  }
  // CC-CV as two steps: the same when nothing but the taper ends it.
  const bool taper = step.ends.size() == 1 && step.ends.front().of == ExportEnd::Of::magnitude &&
                     !step.ends.front().above && !step.ends.front().fails;
  const double level_A = step.level.rate ? step.level.value * tree_.nominal_capacity_Ah : step.level.value;
  const auto end_A = [&](const ExportEnd& end) {
    return end.value.rate ? end.value.value * tree_.nominal_capacity_Ah : end.value.value;
  };
  const bool after = taper && (step.kind != StepKind::current || end_A(step.ends.front()) < level_A);
  if (!after || step.kind == StepKind::resistance) {
    error(code::kExportCondition, step,
          fmt::format("{} goes over to constant voltage; that is two steps of PyBaMM only when a taper "
                      "(abs(current) <= ...) below the current is its one end",
                      step.label),
          "write two steps: charge = { current } until the voltage, then hold = { voltage }, each with its own time");
    return {};
  }
  ExportStep first = step;
  first.ends.front() = {ExportEnd::Of::voltage, step.sign > 0, {*step.then_hold_V, false}, false, "", step.where};
  ExportStep second = step;
  second.kind = StepKind::voltage;
  second.sign = 0;
  second.level = {*step.then_hold_V, false};
  std::vector<std::string> both;
  for (const ExportStep* part : {&first, &second}) {
    const std::string text = instruction(*part) + ends(*part);
    both.push_back(finished(*part, text));
  }
  return both;
}

std::string PybammExporter::elements(const std::vector<std::string>& texts, const char* open, const char* close,
                                     int depth) const {
  const std::string inner(4 * static_cast<std::size_t>(depth + 1), ' ');
  std::string out = open + std::string("\n");
  for (const std::string& text : texts) out += inner + text + ",\n";
  return out + std::string(4 * static_cast<std::size_t>(depth), ' ') + close;
}

std::string PybammExporter::passes(const std::string& list, std::int64_t count) const {
  return count == 1 ? list : fmt::format("({}) * {}", list, count);
}

bool PybammExporter::advances(const std::vector<ExportNode>& nodes) {
  return std::any_of(nodes.begin(), nodes.end(), [](const ExportNode& node) {
    return node.kind == ExportNode::Kind::advance_cycle || advances(node.nodes);
  });
}

std::string PybammExporter::stretch(const std::vector<ExportNode>& nodes, const char* open, const char* close,
                                    int depth) {
  std::string out;
  std::vector<std::string> run;
  const auto add = [&out](const std::string& term) { out += (out.empty() ? "" : " + ") + term; };
  const auto close_run = [&] {
    if (!run.empty()) add(elements(run, open, close, depth));
    run.clear();
  };
  for (const ExportNode& node : nodes) {
    if (node.kind == ExportNode::Kind::step) {
      for (std::string& text : strings(node.step)) run.push_back(std::move(text));
    } else if (node.kind == ExportNode::Kind::block && node.count > 0) {
      close_run();
      const std::string inside = stretch(node.nodes, open, close, depth);
      if (!inside.empty()) add(passes(inside, node.count));
    }
  }
  close_run();
  return out;
}

std::string PybammExporter::cycles(const std::vector<ExportNode>& nodes, int depth) {
  std::string out;
  std::string cycle;
  std::vector<std::string> run;
  const auto join = [](std::string& sum, const std::string& term) { sum += (sum.empty() ? "" : " + ") + term; };
  const auto close_run = [&] {
    if (!run.empty()) join(cycle, elements(run, "(", ")", depth + 1));
    run.clear();
  };
  const auto close_cycle = [&] {
    close_run();
    const std::string inner(4 * static_cast<std::size_t>(depth + 1), ' ');
    if (!cycle.empty()) join(out, "[\n" + inner + cycle + ",\n" + inner.substr(4) + "]");
    cycle.clear();
  };
  for (const ExportNode& node : nodes) {
    if (node.kind == ExportNode::Kind::step) {
      for (std::string& text : strings(node.step)) run.push_back(std::move(text));
    } else if (node.kind == ExportNode::Kind::advance_cycle) {
      if (run.empty() && cycle.empty()) unaligned_ = true;
      close_cycle();
    } else if (node.count > 0 && !advances(node.nodes)) {
      close_run();
      const std::string inside = stretch(node.nodes, "(", ")", depth + 1);
      if (!inside.empty()) join(cycle, passes(inside, node.count));
    } else if (node.count > 0) {
      const bool ends_there = node.nodes.back().kind == ExportNode::Kind::advance_cycle ||
                              (node.nodes.back().kind == ExportNode::Kind::block && advances(node.nodes.back().nodes));
      if (!run.empty() || !cycle.empty() || !ends_there) unaligned_ = true;
      join(out, passes(cycles(node.nodes, depth), node.count));
    }
  }
  close_cycle();
  return out;
}

// The chamber keeps what was sent: either the first step says it for all, or each step says its own.
bool PybammExporter::temperatures(const std::vector<ExportNode>& nodes) {
  std::vector<const ExportStep*> steps;
  const auto gather = [&steps](const auto& self, const std::vector<ExportNode>& list) -> void {
    for (const ExportNode& node : list) {
      if (node.kind == ExportNode::Kind::step) steps.push_back(&node.step);
      self(self, node.nodes);
    }
  };
  gather(gather, nodes);
  if (steps.empty()) return true;
  const auto has = [](const ExportStep* step) { return step->temperature_degC.has_value(); };
  const auto count = std::count_if(steps.begin(), steps.end(), has);
  if (count == 0) return true;
  lost(Loss::Kind::approximated, "profile", "temperature", "PyBaMM has the air at that temperature at once");
  if (count == static_cast<std::ptrdiff_t>(steps.size())) {
    own_temperatures_ = true;
    return true;
  }
  if (count == 1 && has(steps.front())) {
    temperature_degC_ = steps.front()->temperature_degC;
    return true;
  }
  error(code::kExportStep, **std::find_if(steps.begin(), steps.end(), has),
        "some steps send a temperature and others keep it; PyBaMM goes back to that of its parameters",
        "give every step a temperature, or only the first one");
  return false;
}

void PybammExporter::account() {
  const profiles::SafetySyntax& s = tree_.written;
  if (s.voltage.given || s.current.given || s.power.given || s.temperature.given || s.chamber.given ||
      s.capacity.given) {
    lost(Loss::Kind::dropped, "[safety]", "limits", "a simulation has none; the course of the test is the same");
  }
  const profiles::RecordRule& r = tree_.record;
  if (r.voltage_V != 0.0 || r.current_A != 0.0 || r.temperature_K != 0.0 || r.power_W != 0.0 || r.capacity_C != 0.0 ||
      r.energy_J != 0.0 || r.pretrigger.us != 0) {
    lost(Loss::Kind::dropped, "[record]", "rules other than 'every'", "PyBaMM keeps rows by time only");
  }
  if (unaligned_) {
    lost(Loss::Kind::dropped, "profile", "advance_cycle",
         "cycles of PyBaMM are whole passes of a block: there each step is a cycle of its own");
  }
}

bool PybammExporter::write() {
  if (!temperatures(tree_.nodes)) return false;
  const bool numbered = advances(tree_.nodes);
  std::string list = numbered ? cycles(tree_.nodes, 1) : stretch(tree_.nodes, "[", "]", 1);
  if (unaligned_ && !failed_) {
    out_.translated = 0;
    out_.losses.clear();
    list = stretch(tree_.nodes, "[", "]", 1);
  }
  if (list.empty() && !failed_) {
    failed_ = true;
    diagnostics_.error(code::kExportStep, {}, "the profile has no step that can be exported");
  }
  if (failed_) return false;
  account();
  out_.text = "import pybamm\n\n";
  if (!tree_.title.empty()) {
    std::string title = tree_.title;
    std::replace_if(
        title.begin(), title.end(), [](unsigned char c) { return c < 0x20 || c == 0x7F; }, ' ');
    out_.text += "# " + title + "\n";
  }
  out_.text += "experiment = pybamm.Experiment(\n    " + list + ",\n";
  if (tree_.record.every.us > 0) {
    out_.text += fmt::format("    period={},\n", quoted(py_time(tree_.record.every.seconds())));
  }
  if (temperature_degC_) out_.text += fmt::format("    temperature={},\n", quoted(unit_text(*temperature_degC_, "oC")));
  out_.text += ")\n";
  return true;
}

}  // namespace

std::optional<Translation> export_pybamm(const text::SourcePtr& source, const profiles::Launch& launch,
                                         text::Diagnostics& diagnostics) {
  const auto tree = read_for_export(source, launch, "PyBaMM", diagnostics);
  if (!tree) return std::nullopt;
  Translation out;
  if (!PybammExporter(*tree, diagnostics, out).write()) return std::nullopt;
  return out;
}

}  // namespace cyclerd::exchange
