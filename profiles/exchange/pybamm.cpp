// A PyBaMM experiment as a profile.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "profiles/exchange/exchange_codes.hpp"
#include "profiles/exchange/import_parts.hpp"
#include "profiles/exchange/number_text.hpp"
#include "profiles/exchange/pybamm_experiment.hpp"
#include "profiles/program.hpp"

namespace cyclerd::exchange {
namespace {

using pybamm::Direction;
using pybamm::Quantity;

// Of a step without `duration` (base_step.py). When it has passed, PyBaMM gives the experiment up as infeasible.
constexpr double kDefaultDuration_s = 24 * 3600.0;
constexpr double kDefaultPeriod_s = 60.0;

double default_duration_s(const pybamm::Step& step) {
  if (step.value.quantity != Quantity::c_rate || step.value.number == 0.0) return kDefaultDuration_s;
  return 2.0 * 3600.0 / std::abs(step.value.number);
}

class Writer {
 public:
  Writer(Import& import, const pybamm::Experiment& experiment) : import_(import), experiment_(experiment) {}

  std::optional<Translation> write();

 private:
  void look_at(const std::vector<pybamm::Part>& parts);
  void parts(const std::vector<pybamm::Part>& from, std::vector<StepText>& to);
  void cycle(const pybamm::Part& part, std::vector<StepText>& to);
  StepText step(const pybamm::Step& from);
  void control(const pybamm::Step& from, const std::string& where, StepText& to);
  void follow(const pybamm::Step& from, StepText& to);
  void ends(const pybamm::Step& from, const std::string& where, StepText& to);
  void end(const pybamm::Step& from, const pybamm::Termination& end, const std::string& where, StepText& to);
  void keys(const pybamm::Step& from, const std::string& where, StepText& to);
  void capacity_check(std::vector<StepText>& steps);
  void account();

  Import& import_;
  const pybamm::Experiment& experiment_;
  ProfileText profile_;
  std::map<std::string, std::string> files_;
  std::size_t steps_ = 0;
  std::size_t conditions_ = 0;
  std::string first_discharge_;  // what the capacity is compared with
  std::size_t discharges_ = 0;
  bool numbered_ = false;          // some cycle has more than one step
  bool own_temperatures_ = false;  // some step has another temperature than the experiment
  bool holds_ = false;
  bool too_many_ends_ = false;
};

void Writer::look_at(const std::vector<pybamm::Part>& parts) {
  for (const pybamm::Part& part : parts) {
    if (part.step) own_temperatures_ = own_temperatures_ || part.step->temperature_K.has_value();
    numbered_ = numbered_ || (part.cycle && (part.parts.size() > 1 || part.parts.front().count > 1));
    look_at(part.parts);
  }
}

bool same(const pybamm::Part& a, const pybamm::Part& b);

bool same(const std::vector<pybamm::Part>& a, const std::vector<pybamm::Part>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const pybamm::Part& x, const pybamm::Part& y) { return same(x, y); });
}

bool same(const pybamm::Step& a, const pybamm::Step& b) {
  const auto ends = [](const pybamm::Termination& x, const pybamm::Termination& y) {
    return x.op == y.op && x.value.quantity == y.value.quantity && x.value.number == y.value.number;
  };
  return a.value.quantity == b.value.quantity && a.value.number == b.value.number && a.drive_cycle == b.drive_cycle &&
         a.duration_s == b.duration_s && a.period_s == b.period_s && a.temperature_K == b.temperature_K &&
         a.direction == b.direction && a.skip_ok == b.skip_ok && a.start_time == b.start_time &&
         a.description == b.description && a.tags == b.tags &&
         std::equal(a.terminations.begin(), a.terminations.end(), b.terminations.begin(), b.terminations.end(), ends);
}

bool same(const pybamm::Part& a, const pybamm::Part& b) {
  if (a.step.has_value() != b.step.has_value() || (a.step && !same(*a.step, *b.step))) return false;
  return a.cycle == b.cycle && a.count == b.count && same(a.parts, b.parts);
}

// to_config() writes repeats out: neighbours that are the same cycle become one block again.
std::vector<pybamm::Part> folded(const std::vector<pybamm::Part>& cycles) {
  std::vector<pybamm::Part> out;
  for (const pybamm::Part& cycle : cycles) {
    const bool foldable = cycle.cycle && cycle.count == 1 && cycle.parts.size() > 1;
    if (foldable && !out.empty() && !out.back().cycle && !out.back().step && same(out.back().parts, {cycle})) {
      ++out.back().count;
    } else if (foldable && !out.empty() && same(out.back(), cycle)) {
      pybamm::Part block;
      block.count = 2;
      block.parts.push_back(cycle);
      out.back() = std::move(block);
    } else {
      out.push_back(cycle);
    }
  }
  return out;
}

StepText repeat(std::int64_t count, std::vector<StepText> steps) {
  StepText block;
  block.control = "repeat";
  block.arguments = InlineTable().raw("count", fmt::format("{}", count)).str();
  block.steps = std::move(steps);
  return block;
}

void Writer::parts(const std::vector<pybamm::Part>& from, std::vector<StepText>& to) {
  for (const pybamm::Part& part : from) {
    if (part.step) {
      to.push_back(step(*part.step));
      continue;
    }
    std::vector<StepText> inside;
    if (part.cycle) {
      cycle(part, inside);
    } else {
      parts(part.parts, inside);
    }
    if (part.count > 1) {
      import_.translated();
      to.push_back(repeat(part.count, std::move(inside)));
      continue;
    }
    to.insert(to.end(), std::make_move_iterator(inside.begin()), std::make_move_iterator(inside.end()));
  }
}

void Writer::cycle(const pybamm::Part& part, std::vector<StepText>& to) {
  parts(part.parts, to);
  capacity_check(to);
  if (!numbered_) return;
  StepText advance;
  advance.control = "advance_cycle";
  to.push_back(std::move(advance));
}

void Writer::control(const pybamm::Step& from, const std::string& where, StepText& to) {
  const double value = from.value.number;
  const double size = std::abs(value);
  const bool charge = value < 0.0;
  InlineTable arguments;
  switch (from.value.quantity) {
    case Quantity::current:
    case Quantity::c_rate:
      if (value == 0.0) {
        to.control = "rest";
        return;
      }
      arguments.text("current", from.value.quantity == Quantity::c_rate ? rate_text(size) : current_text(size));
      to.control = charge ? "charge" : "discharge";
      break;
    case Quantity::power:
      if (value == 0.0) {
        to.control = "rest";
        import_.approximated(where, "a power of 0 W", "a rest: the output is open");
        return;
      }
      arguments.text("power", unit_text(size, "W"));
      to.control = charge ? "charge" : "discharge";
      break;
    case Quantity::voltage:
      arguments.text("voltage", unit_text(value, "V"));
      to.control = "hold";
      holds_ = true;
      break;
    case Quantity::resistance:
      arguments.text("resistance", unit_text(value, "Ohm"));
      to.control = "discharge";
      break;
  }
  to.arguments = arguments.str();
}

// The data as a waveform file; charge is positive there. PyBaMM draws lines between the points, and begins anew one
// first interval after the last point when the duration is longer.
void Writer::follow(const pybamm::Step& from, StepText& to) {
  const bool voltage = from.value.quantity == Quantity::voltage;
  const char* const column = voltage                                   ? "voltage_V"
                             : from.value.quantity == Quantity::power  ? "power_W"
                             : from.value.quantity == Quantity::c_rate ? "current_C"
                                                                       : "current_A";
  const double last_s = from.drive_cycle.back().first;
  const double duration_s = from.duration_s.value_or(last_s);
  const double gap_s = from.drive_cycle[1].first;
  std::string text = fmt::format("time_s,{}\n", column);
  const auto row = [&](double time_s, double value) {
    text += fmt::format("{},{}\n", time_s, voltage || value == 0.0 ? value : -value);
  };
  for (const auto& [time_s, value] : from.drive_cycle) row(time_s, value);
  InlineTable arguments;
  const std::string name = fmt::format("{}-{}.csv", valid_profile_name(import_.name()), files_.size() + 1);
  arguments.text("waveform", name);
  arguments.text("resample", "linear");
  if (duration_s > last_s) {
    row(last_s + gap_s, from.drive_cycle.front().second);
    arguments.raw("repeat", fmt::format("{}", std::ceil(duration_s / (last_s + gap_s))));
  }
  to.control = "follow";
  to.arguments = arguments.str();
  files_[name] = std::move(text);
  double shortest_s = gap_s;
  for (std::size_t i = 1; i < from.drive_cycle.size(); ++i) {
    shortest_s = std::min(shortest_s, from.drive_cycle[i].first - from.drive_cycle[i - 1].first);
  }
  to.keys.emplace_back("record", InlineTable().text("every", time_text(shortest_s)).str());
}

void Writer::end(const pybamm::Step& from, const pybamm::Termination& end, const std::string& where, StepText& to) {
  const double value = end.value.number;
  const auto add = [&](std::string when) {
    to.until.push_back({std::move(when), "", "", ""});
    import_.translated();
  };
  if (end.value.quantity == Quantity::voltage) {
    const Direction runs = from.runs();
    const char op = end.op != 0 ? end.op : runs == Direction::charge ? '>' : runs == Direction::discharge ? '<' : '\0';
    if (op == 0) {
      import_.dropped(where, fmt::format("until {} V", value),
                      "PyBaMM passes over a voltage without < or > on a rest or a hold, so does this profile; write "
                      "'until >...' there if it is meant");
      return;
    }
    return add(fmt::format("voltage {}= {}", op, unit_text(value, "V")));
  }
  const bool rate = end.value.quantity == Quantity::c_rate;
  const auto amount = [&](double x) { return rate ? (x < 0 ? "-" + rate_text(-x) : rate_text(x)) : current_text(x); };
  if (rate && end.op != 0) {
    import_.approximated(where, fmt::format("until {}{}", end.op, amount(value)),
                         "PyBaMM passes over the operator of a C-rate: the step ends when the magnitude of the current "
                         "has fallen to it");
  }
  if (!rate && end.op != 0) {  // signed, discharge positive there
    return add(fmt::format("current {} {}", end.op == '>' ? "<=" : ">=", current_text(value == 0.0 ? 0.0 : -value)));
  }
  if (value < 0.0) {
    import_.dropped(where, fmt::format("until {}", amount(value)), "the magnitude of a current never falls below zero");
    return;
  }
  add(fmt::format("abs(current) <= {}", amount(value)));
}

// The step is over before its voltage falls to `bound_V`.
bool ends_above(const pybamm::Step& step, double bound_V) {
  return std::any_of(step.terminations.begin(), step.terminations.end(), [&](const pybamm::Termination& end) {
    const bool falling = end.op == '<' || (end.op == 0 && step.runs() == Direction::discharge);
    return end.value.quantity == Quantity::voltage && falling && end.value.number > bound_V;
  });
}

void Writer::ends(const pybamm::Step& from, const std::string& where, StepText& to) {
  for (const pybamm::Stop& stop : experiment_.stops) {
    if (stop.kind == pybamm::Stop::Kind::time_s) {
      to.until.push_back({fmt::format("test_time >= {}", time_text(stop.value)), "end", "", stop.text});
    } else if (stop.kind == pybamm::Stop::Kind::voltage_V && !ends_above(from, stop.value)) {
      to.until.push_back({fmt::format("voltage <= {}", unit_text(stop.value, "V")), "end", "", stop.text});
    }
  }
  for (const pybamm::Termination& one : from.terminations) end(from, one, where, to);
  if (from.duration_s) {
    const bool whole_file = !from.drive_cycle.empty() && *from.duration_s == from.drive_cycle.back().first;
    if (!whole_file) to.until.push_back({"time >= " + time_text(*from.duration_s), "", "", ""});
    import_.translated();
  } else if (from.drive_cycle.empty()) {
    const std::string time = time_text(default_duration_s(from));
    to.until.push_back({"time >= " + time, "fail", "", "longer than a step without a duration may take in PyBaMM"});
    import_.approximated(
        where, "no duration",
        fmt::format("PyBaMM gives up after {}; the test fails then: set the time that your cell needs", time));
  }
  if (to.until.size() > profiles::kMaxConditions && !too_many_ends_) {
    too_many_ends_ = true;
    import_.error(
        code::kTooMuch, from.where.line,
        fmt::format("{} has {} ends, a step has at most {}", where, to.until.size(), profiles::kMaxConditions));
  }
}

void Writer::keys(const pybamm::Step& from, const std::string& where, StepText& to) {
  if (from.period_s && from.drive_cycle.empty()) {
    to.keys.emplace_back("record", InlineTable().text("every", time_text(*from.period_s)).str());
    import_.translated();
  }
  const auto kelvin = from.temperature_K ? from.temperature_K : experiment_.temperature_K;
  if (kelvin && (own_temperatures_ || steps_ == 1)) {
    to.keys.emplace_back("temperature", quoted(unit_text(*kelvin - 273.15, "degC")));
    import_.approximated(where, fmt::format("temperature {}", unit_text(*kelvin - 273.15, "degC")),
                         "sent to the chamber when the step begins; the air takes its time: put a chamber step with "
                         "soak before it");
  } else if (!kelvin && own_temperatures_) {
    import_.approximated(where, "no temperature",
                         "PyBaMM takes that of its parameters; the chamber stays at what was sent last");
  }
  if (!from.start_time.empty()) {
    import_.dropped(where, "start_time " + from.start_time, "steps follow each other without a pause; add a rest");
  }
  if (!from.skip_ok) {
    import_.dropped(where, "skip_ok = False",
                    "PyBaMM stops when the step's end is reached before it begins; here the step ends at its first "
                    "sample");
  }
}

StepText Writer::step(const pybamm::Step& from) {
  const std::string where = fmt::format("step {}", ++steps_);
  StepText to;
  to.comment = from.description;
  if (!from.tags.empty()) to.comment += (to.comment.empty() ? "tags: " : "\ntags: ") + from.tags;
  if (from.drive_cycle.empty()) {
    control(from, where, to);
  } else {
    follow(from, to);
  }
  import_.translated();
  ends(from, where, to);
  keys(from, where, to);
  return to;
}

// PyBaMM looks at the capacity after each cycle. Here: at what the cycle's discharge gave, in a rest of one second.
void Writer::capacity_check(std::vector<StepText>& steps) {
  for (const pybamm::Stop& stop : experiment_.stops) {
    const bool share = stop.kind == pybamm::Stop::Kind::capacity_share;
    if (!share && stop.kind != pybamm::Stop::Kind::capacity_Ah) continue;
    StepText* found = nullptr;
    for (StepText& one : steps) {
      const bool to_voltage = std::any_of(one.until.begin(), one.until.end(), [](const ConditionText& c) {
        return c.then.empty() && c.when.starts_with("voltage <=");
      });
      if (found == nullptr && one.control == "discharge" && to_voltage) found = &one;
    }
    if (found == nullptr) continue;
    if (found->name.empty()) found->name = fmt::format("discharge_{}", ++discharges_);
    if (first_discharge_.empty()) first_discharge_ = found->name;
    const std::string bound =
        share ? fmt::format("{} * {}.discharge_capacity[first]", unit_text(stop.value * 100.0, "%"), first_discharge_)
              : unit_text(stop.value, "Ah");
    StepText look;
    look.comment = "termination = \"" + stop.text + "\"";
    look.control = "rest";
    look.until.push_back({fmt::format("{}.discharge_capacity < {}", found->name, bound), "end", "", stop.text});
    look.until.push_back({"time >= 1 s", "", "", ""});
    steps.push_back(std::move(look));
  }
}

void Writer::account() {
  const char* const all = "experiment";
  import_.approximated(all, "a step whose end is reached before it begins",
                       "PyBaMM skips it; here it ends at its first sample, one scan after it began");
  import_.dropped(
      all, "the model's own voltage limits",
      "they are part of PyBaMM's parameters, not of the experiment: the cell file's ratings and trips hold; "
      "write [safety] for tighter ones");
  if (holds_) {
    import_.approximated(
        all, "'Hold' without a limit of the current",
        "PyBaMM has none; here the cell's and the cycler's ratings clamp it: hold = { voltage, current "
        "} sets a lower one");
  }
  if (!numbered_) {
    import_.approximated(all, "each line is a cycle of its own in PyBaMM",
                         "the cycle counter stays at 1; write advance_cycle where a cycle ends");
  }
  for (const auto& [where, name] : experiment_.ignored) {
    import_.dropped(where, name, "not a key of an experiment: PyBaMM passes over it as well");
  }
  for (const pybamm::Stop& stop : experiment_.stops) {
    switch (stop.kind) {
      case pybamm::Stop::Kind::time_s: import_.translated(); break;
      case pybamm::Stop::Kind::voltage_V:
        import_.approximated(all, "termination " + stop.text,
                             "PyBaMM looks after each cycle; here the test ends as soon as the voltage is reached");
        break;
      default:
        if (first_discharge_.empty()) {
          import_.dropped(all, "termination " + stop.text,
                          "no cycle has a discharge to a voltage that tells a capacity");
        } else {
          import_.approximated(all, "termination " + stop.text,
                               "PyBaMM calculates the capacity of its model after each cycle; here it is the charge of "
                               "the cycle's first discharge, compared with that of the first cycle");
        }
    }
  }
}

std::optional<Translation> Writer::write() {
  look_at(experiment_.cycles);
  profile_.name = import_.name();
  profile_.comment = "Imported from an experiment of PyBaMM. Check it against your cell before it runs on hardware.";
  if (experiment_.period_s) import_.translated();
  profile_.record.emplace_back("every", quoted(time_text(experiment_.period_s.value_or(kDefaultPeriod_s))));
  parts(folded(experiment_.cycles), profile_.steps);
  if (steps_ == 0) {
    import_.error(code::kEmpty, experiment_.where.line, "the experiment has no steps");
    return std::nullopt;
  }
  account();
  auto result = import_.finish(profile_);
  if (result) result->files = std::move(files_);
  return result;
}

// Lines of bare strings, or Python around them.
bool looks_like_python(const std::string& text) {
  if (text.find("Experiment(") != std::string::npos) return true;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const std::string_view line = trimmed(std::string_view(text).substr(at, end - at));
    at = end + 1;
    if (line.empty() || line.front() == '#') continue;
    if (std::string_view("\"'([").find(line.front()) != std::string_view::npos) return true;
    if (line.starts_with("import ") || line.starts_with("from ") || line.find('=') != std::string_view::npos)
      return true;
  }
  return false;
}

}  // namespace

std::optional<Translation> import_pybamm(const text::SourcePtr& source, const ImportOptions& options,
                                         text::Diagnostics& diagnostics) {
  Import import(source, options, diagnostics);
  if (import.failed()) return std::nullopt;
  const text::SourcePtr text = import.source();
  const std::string_view content = trimmed(text->text);
  if (content.empty()) {
    import.error(code::kEmpty, 0, "the file is empty", "one experiment string a line: Charge at 1C until 4.2 V");
    return std::nullopt;
  }
  const auto experiment = content.front() == '{'          ? pybamm::read_config(text, diagnostics)
                          : looks_like_python(text->text) ? pybamm::read_python(text, diagnostics)
                                                          : pybamm::read_lines(text, diagnostics);
  if (!experiment) return std::nullopt;
  return Writer(import, *experiment).write();
}

}  // namespace cyclerd::exchange
