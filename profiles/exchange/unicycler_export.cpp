// A profile as a protocol of aurora-unicycler.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "profiles/exchange/exchange_codes.hpp"
#include "profiles/exchange/export_parts.hpp"
#include "profiles/exchange/import_parts.hpp"

namespace cyclerd::exchange {
namespace {

using Json = nlohmann::ordered_json;
using profiles::StepKind;

double rounded(double value) {
  return number_of(fmt::format("{:.12g}", value)).value_or(value);
}

class UnicyclerExporter {
 public:
  UnicyclerExporter(const ExportTree& tree, text::Diagnostics& diagnostics, Translation& out)
      : tree_(tree), diagnostics_(diagnostics), out_(out) {}

  bool write();

 private:
  void error(const char* code, const text::Span& where, std::string message, std::string help = {}) {
    failed_ = true;
    diagnostics_.error(code, where, std::move(message), std::move(help));
  }
  void dropped(std::string where, std::string what, std::string why) {
    out_.losses.push_back({Loss::Kind::dropped, std::move(where), std::move(what), std::move(why)});
  }
  Json record();
  Json safety();
  void nodes(const std::vector<ExportNode>& list, bool innermost);
  void block(const ExportNode& node);
  void step(const ExportStep& step);
  void current_step(const ExportStep& step, const std::vector<ExportEnd>& ends);
  void hold_step(const ExportStep& step, double voltage_V, const std::vector<ExportEnd>& ends);
  void ramp_step(const ExportStep& step);
  void both_steps(const ExportStep& step);
  bool ends(const ExportStep& step, const std::vector<ExportEnd>& list, Json& to);
  void push(Json step) {
    method_.push_back(std::move(step));
    out_.translated += 1;
  }

  const ExportTree& tree_;
  text::Diagnostics& diagnostics_;
  Translation& out_;
  Json method_ = Json::array();
  std::set<std::string> tags_;
  bool own_records_ = false;
  bool failed_ = false;
};

Json UnicyclerExporter::record() {
  const profiles::RecordRule& r = tree_.record;
  if (r.every.us <= 0) {
    error(code::kExportValue, {}, "[record] has no 'every'; unicycler needs a time between two rows",
          "every = \"10 s\"");
  }
  Json out;
  out["time_s"] = r.every.seconds();
  if (r.voltage_V != 0.0) out["voltage_V"] = rounded(r.voltage_V);
  if (r.current_A != 0.0) out["current_mA"] = rounded(r.current_A * 1e3);
  if (r.temperature_K != 0.0 || r.power_W != 0.0 || r.capacity_C != 0.0 || r.energy_J != 0.0 || r.pretrigger.us != 0) {
    dropped("[record]", "temperature, power, capacity, energy, pretrigger",
            "unicycler keeps rows by time, voltage and current");
  }
  return out;
}

Json UnicyclerExporter::safety() {
  const profiles::SafetySyntax& written = tree_.written;
  const profiles::SafetyLimits& s = tree_.safety;
  Json out = Json::object();
  const auto set = [&out](const char* key, double value, double factor) {
    if (!std::isnan(value)) out[key] = rounded(value * factor);
  };
  if (written.voltage.given) {
    set("max_voltage_V", s.voltage.max, 1.0);
    set("min_voltage_V", s.voltage.min, 1.0);
  }
  if (written.current.given) {
    set("max_current_mA", s.current.max, 1e3);
    set("min_current_mA", s.current.min, 1e3);
  }
  if (written.capacity.given) set("max_capacity_mAh", s.capacity.max, 1.0 / 3.6);
  const base::Duration voltage_dwell = written.voltage.given ? s.voltage.dwell : s.current.dwell;
  const base::Duration current_dwell = written.current.given ? s.current.dwell : voltage_dwell;
  if (voltage_dwell != current_dwell) {
    error(code::kExportSafety, written.current.where,
          "[safety] voltage and current have different 'for'; unicycler has "
          "one delay for all",
          "give both the same");
  }
  if ((written.voltage.given || written.current.given) && voltage_dwell.us != 0)
    out["delay_s"] = voltage_dwell.seconds();
  const std::pair<const profiles::BoundSyntax*, const char*> none[] = {
      {&written.power, "power"}, {&written.temperature, "temperature"}, {&written.chamber, "chamber"}};
  for (const auto& [bound, name] : none) {
    if (!bound->given) continue;
    error(code::kExportSafety, bound->where, fmt::format("unicycler has no limit of the {}", name),
          "a limit is not left out silently: remove it from a copy of the profile if the other system guards it");
  }
  return out;
}

bool UnicyclerExporter::ends(const ExportStep& step, const std::vector<ExportEnd>& list, Json& to) {
  const auto refuse = [&](const ExportEnd& end, const char* why, const char* help) {
    error(code::kExportCondition, end.where, fmt::format("unicycler cannot say '{}': {}", end.text, why), help);
    return false;
  };
  const auto set = [&](const ExportEnd& end, const char* key, double value) {
    if (to.contains(key)) return refuse(end, "there is one of its kind already", "keep one of them");
    if (value == 0.0) return refuse(end, "0 means that nothing is set", "");
    to[key] = rounded(value);
    return true;
  };
  for (const ExportEnd& end : list) {
    if (end.fails) return refuse(end, "nothing fails a test there", "leave it out, or let it go on to the next step");
    const double value = end.value.value;
    switch (end.of) {
      case ExportEnd::Of::time:
        if (!set(end, "until_time_s", value)) return false;
        break;
      case ExportEnd::Of::voltage:
        if (step.kind != StepKind::current || (step.sign > 0) != end.above) {
          return refuse(end, "a voltage ends only a current step, in the direction of its current", "");
        }
        if (!set(end, "until_voltage_V", value)) return false;
        break;
      case ExportEnd::Of::magnitude:
        if (step.kind != StepKind::voltage || end.above) {
          return refuse(end, "a current ends only a step that holds a voltage, when its magnitude has fallen", "");
        }
        if (!set(end, end.value.rate ? "until_rate_C" : "until_current_mA", end.value.rate ? value : value * 1e3)) {
          return false;
        }
        break;
      case ExportEnd::Of::current: return refuse(end, "only the magnitude of a current ends a step", "abs(current)");
    }
  }
  if (!list.empty()) return true;
  error(code::kExportCondition, step.where, fmt::format("{} has no end that unicycler could say", step.label));
  return false;
}

void UnicyclerExporter::current_step(const ExportStep& step, const std::vector<ExportEnd>& list) {
  Json out{{"step", "constant_current"}};
  if (step.level.rate) {
    out["rate_C"] = rounded(step.sign * step.level.value);
  } else {
    out["current_mA"] = rounded(step.sign * step.level.value * 1e3);
  }
  if (ends(step, list, out)) push(std::move(out));
}

void UnicyclerExporter::hold_step(const ExportStep& step, double voltage_V, const std::vector<ExportEnd>& list) {
  Json out{{"step", "constant_voltage"}, {"voltage_V", rounded(voltage_V)}};
  if (ends(step, list, out)) push(std::move(out));
}

void UnicyclerExporter::ramp_step(const ExportStep& step) {
  if (!step.ends.empty()) {
    return error(code::kExportCondition, step.where, "a voltage_scan of unicycler has no other end than its voltage",
                 "leave out 'until'");
  }
  push({{"step", "voltage_scan"},
        {"start_voltage_V", rounded(step.level.value)},
        {"end_voltage_V", rounded(step.ramp_to_V)},
        {"scan_rate_mV_per_s", rounded(step.ramp_V_per_s * 1e3)}});
}

// CC-CV: the same as a constant current and a constant voltage when nothing but the taper ends it.
void UnicyclerExporter::both_steps(const ExportStep& step) {
  const ExportEnd* const end = step.ends.size() == 1 ? &step.ends.front() : nullptr;
  const auto ampere = [this](const ExportValue& v) { return v.rate ? v.value * tree_.nominal_capacity_Ah : v.value; };
  if (end == nullptr || end->of != ExportEnd::Of::magnitude || end->above || end->fails ||
      !(ampere(end->value) < ampere(step.level))) {
    return error(code::kExportCondition, step.where,
                 fmt::format("{} goes over to constant voltage; that is two steps of unicycler only when a taper "
                             "(abs(current) <= ...) below the current is its one end",
                             step.label),
                 "write two steps: charge = { current } until the voltage, then hold = { voltage }");
  }
  const ExportEnd voltage{
      ExportEnd::Of::voltage, step.sign > 0, {*step.then_hold_V, false}, false, end->text, end->where};
  current_step(step, {voltage});
  ExportStep hold = step;
  hold.kind = StepKind::voltage;
  hold_step(hold, *step.then_hold_V, step.ends);
}

void UnicyclerExporter::step(const ExportStep& step) {
  if (step.temperature_degC) {
    error(code::kExportStep, step.where, "unicycler has no temperature", "leave it out, and set the chamber by hand");
  }
  const profiles::RecordRule& own = step.record;
  own_records_ = own_records_ || own.every != tree_.record.every || own.voltage_V != tree_.record.voltage_V ||
                 own.current_A != tree_.record.current_A;
  switch (step.kind) {
    case StepKind::rest: {
      Json out{{"step", "open_circuit_voltage"}};
      if (ends(step, step.ends, out)) push(std::move(out));
      return;
    }
    case StepKind::current: return step.then_hold_V ? both_steps(step) : current_step(step, step.ends);
    case StepKind::voltage: return hold_step(step, step.level.value, step.ends);
    case StepKind::ramp: return ramp_step(step);
    default:
      error(code::kExportStep, step.where, fmt::format("unicycler has no counterpart of {}", step.label),
            "it has constant current, constant voltage, rest and voltage scan");
  }
}

void UnicyclerExporter::block(const ExportNode& node) {
  const bool innermost = std::none_of(node.nodes.begin(), node.nodes.end(), [](const ExportNode& n) {
    return n.kind == ExportNode::Kind::block && n.count > 1;
  });
  if (node.count == 1) return nodes(node.nodes, false);
  std::string tag = node.name;
  const bool named = tag != "repeat" && tag != "call";
  for (int i = 1; !named ? tag == node.name || tags_.contains(tag) : tags_.contains(tag); ++i) {
    tag = fmt::format("{}_{}", named ? node.name : "loop", i);
  }
  tags_.insert(tag);
  // Without a name of its own the block is gone back to by number, which a loop over one step cannot.
  const std::size_t begin = method_.size();
  nodes(node.nodes, innermost);
  const std::size_t length = method_.size() - begin;
  if (length == 0) return;
  const bool by_number = !named && length > 1;
  if (!by_number) {
    method_.insert(method_.begin() + static_cast<std::ptrdiff_t>(begin), Json{{"step", "tag"}, {"tag", tag}});
    // Numbers count tags.
    for (std::size_t i = begin; i < method_.size(); ++i) {
      Json& inner = method_[i];
      if (inner.contains("loop_to") && inner["loop_to"].is_number()) inner["loop_to"] = inner["loop_to"].get<int>() + 1;
    }
  }
  Json loop{{"step", "loop"}};
  if (by_number) {
    loop["loop_to"] = begin + 1;
  } else {
    loop["loop_to"] = tag;
  }
  loop["cycle_count"] = node.count;
  push(std::move(loop));
}

void UnicyclerExporter::nodes(const std::vector<ExportNode>& list, bool innermost) {
  for (std::size_t i = 0; i < list.size() && !failed_; ++i) {
    const ExportNode& node = list[i];
    if (node.kind == ExportNode::Kind::step) {
      step(node.step);
    } else if (node.kind == ExportNode::Kind::block) {
      if (node.count > 0) block(node);
    } else if (!innermost || i + 1 != list.size()) {
      dropped(fmt::format("line {}", node.where.line), "advance_cycle", "unicycler does not count cycles");
    }
  }
}

bool UnicyclerExporter::write() {
  Json out;
  out["sample"] = {{"name", "$NAME"}, {"capacity_mAh", rounded(tree_.nominal_capacity_Ah * 1e3)}};
  out["record"] = record();
  out["safety"] = safety();
  nodes(tree_.nodes, false);
  if (method_.empty() && !failed_) error(code::kExportStep, {}, "the profile has no step that can be exported");
  if (failed_) return false;
  if (own_records_) dropped("steps", "record of a step", "unicycler has one record for all steps");
  out["method"] = std::move(method_);
  out_.text = out.dump(4, ' ', false, Json::error_handler_t::replace) + "\n";
  return true;
}

}  // namespace

std::optional<Translation> export_unicycler(const text::SourcePtr& source, const profiles::Launch& launch,
                                            text::Diagnostics& diagnostics) {
  const auto tree = read_for_export(source, launch, "unicycler", diagnostics);
  if (!tree) return std::nullopt;
  Translation out;
  if (!UnicyclerExporter(*tree, diagnostics, out).write()) return std::nullopt;
  return out;
}

}  // namespace cyclerd::exchange
