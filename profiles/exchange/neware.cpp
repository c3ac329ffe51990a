// Neware BTS step files: root/config[type="Step File"], Step_Info/StepN[Step_ID Step_Type]/{Limit, Protect, Record}.
// Units of the file: 0.1 mV, ms, mA * Scale, mAh * 3600 * Scale; a value of Head_Info says the Scale.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "profiles/exchange/flow_blocks.hpp"
#include "profiles/exchange/neware_parts.hpp"
#include "profiles/exchange/xml_text.hpp"

namespace cyclerd::exchange {
namespace {

using pugi::xml_node;

enum class Kind : std::uint8_t { constant_current, constant_voltage, cc_cv, rest, cycle, end, pause, unsupported };
struct StepType {
  int number;
  Kind kind;
  int sign;
  const char* name;
};
constexpr StepType kStepTypes[] = {
    {1, Kind::constant_current, 1, "CC_Chg"},
    {2, Kind::constant_current, -1, "CC_DChg"},
    {3, Kind::constant_voltage, 1, "CV_Chg"},
    {4, Kind::rest, 0, "Rest"},
    {5, Kind::cycle, 0, "Cycle"},
    {6, Kind::end, 0, "End"},
    {7, Kind::cc_cv, 1, "CCCV_Chg"},
    {8, Kind::unsupported, -1, "CP_DChg"},
    {9, Kind::unsupported, 1, "CP_Chg"},
    {10, Kind::unsupported, -1, "CR_DChg"},
    {13, Kind::pause, 0, "Pause"},
    {16, Kind::unsupported, 0, "Pulse"},
    {17, Kind::unsupported, 0, "SIM"},
    {18, Kind::unsupported, 1, "PCCCV_Chg"},
    {19, Kind::constant_voltage, -1, "CV_DChg"},
    {20, Kind::cc_cv, -1, "CCCV_DChg"},
    {21, Kind::unsupported, 0, "Control"},
    {22, Kind::rest, 0, "OCV"},
    {25, Kind::unsupported, 0, "Ramp"},
    {26, Kind::unsupported, -1, "CPCV_DChg"},
    {27, Kind::unsupported, 1, "CPCV_Chg"},
};

// Keys of Limit/Main that are read.
constexpr const char* kMainKeys[] = {"Curr", "Rate", "Volt", "Time", "Stop_Volt", "Stop_Curr", "Stop_Rate", "Cap"};

class Neware {
 public:
  explicit Neware(Import& import) : import_(import), xml_(import), values_(import, xml_) {}

  std::optional<Translation> run() {
    if (import_.failed()) return std::nullopt;
    const xml_node config = step_file();
    if (!config) return std::nullopt;
    head(config.child("Head_Info"));
    whole(config.child("Whole_Prt"));
    read_steps(config.child("Step_Info"));
    for (const xml_node& part : config.children()) {
      const std::string_view name = part.name();
      const bool known =
          name == "Head_Info" || name == "Whole_Prt" || name == "Step_Info" ||
          (name == "SMBUS" && std::string_view(part.child("SMBUS_Info").attribute("Num").as_string("0")) == "0");
      if (!known) import_.dropped(std::string(name), "the whole part", "it has no counterpart here");
    }
    if (import_.failed()) return std::nullopt;
    settle_guards(flow_, safety_, import_);
    profile_.name = import_.name();
    profile_.comment = "Imported from the Neware step file " + import_.file_name() + ".";
    profile_.steps = to_blocks(flow_, import_);
    safety_.write(profile_);
    return import_.finish(profile_);
  }

 private:
  xml_node step_file() {
    const xml_node root = xml_.document().document_element();
    const xml_node config = root.child("config");
    const std::string_view type = config.attribute("type").as_string();
    if (std::string_view(root.name()) != "root" || !config || (!type.empty() && type != "Step File")) {
      import_.error(code::kOtherFormat, xml_.line_of(root),
                    fmt::format("not a Neware step file: the root is <{}>, and there is no <config type=\"Step File\">",
                                root.name()),
                    "export the step file from BTS Client as XML");
      return {};
    }
    if (!config.child("Step_Info")) {
      import_.error(code::kNoSteps, xml_.line_of(config), "there is no <Step_Info>, so no steps");
      return {};
    }
    return config;
  }

  void head(const xml_node& head) {
    if (const auto scale = values_.value(head, "Scale", "Head_Info")) {
      // 1, 10, 100 ... in the files that were seen.
      if (*scale >= 1e-3 && *scale <= 1e6) {
        values_.set_scale(*scale);
      } else {
        import_.error(code::kValue, xml_.line_of(head), fmt::format("Head_Info: Scale = {} makes no currents", *scale));
      }
    } else {
      import_.approximated("Head_Info", "Scale is missing",
                           "read as 1, currents in mA: compare them with the other software");
    }
    if (const auto start = values_.value(head, "Start_Step", "Head_Info"); start && *start != 1.0) {
      import_.error(code::kBound, xml_.line_of(head.child("Start_Step")),
                    fmt::format("the file begins with step {}", *start), "only files that begin with step 1 are read");
    }
    const auto rate_type = values_.value(head, "RateType", "Head_Info");
    prefers_rate_ = rate_type && *rate_type == 105.0;
    if (const auto capacity = values_.nonzero(head, "MultCap", "Head_Info", values_.per_ampere_hour())) {
      capacity_Ah_ = *capacity;
      profile_.cell.emplace_back("nominal_capacity", quoted(unit_text(capacity_Ah_, "Ah")));
      import_.translated();
    }
    const std::string_view remark = head.child("Remark").attribute("Value").as_string();
    if (!remark.empty()) profile_.title = std::string(remark);
    for (const char* key : {"SCQ", "SCQ_F"}) {
      if (head.child(key))
        import_.dropped("Head_Info", key, "specific quantities belong to the cell, not to a profile");
    }
  }

  // ---- limits of the whole test, or of a step

  void whole(const xml_node& part) {
    const xml_node protect = part.child("Protect");
    const xml_node main = protect.child("Main");
    const std::string where = "Whole_Prt/Protect";
    safety_.voltage_max_V = values_.scaled(main.child("Volt"), "Upper", where, NewareValues::kPerVolt);
    safety_.voltage_min_V = values_.scaled(main.child("Volt"), "Lower", where, NewareValues::kPerVolt);
    safety_.current_max_A = values_.scaled(main.child("Curr"), "Upper", where, values_.per_ampere());
    safety_.current_min_A = values_.scaled(main.child("Curr"), "Lower", where, values_.per_ampere());
    safety_.capacity_max_Ah = values_.nonzero(main.child("Cap"), "Upper", where, values_.per_ampere_hour());
    for (const char* key : {"Delay_Time", "Delay"}) {
      if (const auto delay = values_.nonzero(main, key, where, NewareValues::kPerSecond)) safety_.dwell_s = *delay;
    }
    values_.unknown_keys(main, {"Volt", "Curr", "Cap", "Delay_Time", "Delay"}, where);
    inner_keys(main, where);
    unknown_parts(part, {"Protect", "Record"}, "Whole_Prt");
    unknown_parts(protect, {"Main", "Aux"}, where);
    aux_limits(protect.child("Aux"), where + "/Aux");
    profile_.record = record(part.child("Record"), "Whole_Prt/Record");
  }

  void inner_keys(const xml_node& main, const std::string& where) {
    values_.unknown_keys(main.child("Volt"), {"Upper", "Lower"}, where + "/Volt");
    values_.unknown_keys(main.child("Curr"), {"Upper", "Lower"}, where + "/Curr");
    values_.unknown_keys(main.child("Cap"), {"Upper"}, where + "/Cap");
  }

  // Parts that are not read must say nothing: advanced protections have keys of their own.
  void unknown_parts(const xml_node& node, std::initializer_list<std::string_view> known, const std::string& where) {
    for (const xml_node& part : node.children()) {
      const std::string_view name = part.name();
      if (std::find(known.begin(), known.end(), name) != known.end() || NewareValues::all_zero(part)) continue;
      import_.error(code::kBound, xml_.line_of(part),
                    fmt::format("{}: what {} means is not known; it may bound the cell", where, name),
                    "switch it off in the other software, import again, and write the limit by hand");
    }
  }

  void aux_limits(const xml_node& aux, const std::string& where) {
    // Tenths of a degree.
    safety_.temperature_max_degC = values_.scaled(aux, "Step_TempH", where, 10.0);
    safety_.temperature_min_degC = values_.scaled(aux, "Step_TempL", where, 10.0);
    if (safety_.temperature_max_degC || safety_.temperature_min_degC) {
      import_.approximated(where, "limits of an auxiliary temperature", "they hold for the cell's own sensor");
    }
    values_.unknown_keys(aux, {"Step_TempH", "Step_TempL"}, where);
  }

  std::vector<std::pair<std::string, std::string>> record(const xml_node& node, const std::string& where) {
    std::vector<std::pair<std::string, std::string>> rules;
    const xml_node main = node.child("Main");
    if (const auto every = values_.nonzero(main, "Time", where, NewareValues::kPerSecond))
      rules.emplace_back("every", quoted(time_text(*every)));
    if (const auto step = values_.nonzero(main, "Volt", where, NewareValues::kPerVolt))
      rules.emplace_back("voltage", quoted(unit_text(*step * 1e3, "mV")));
    if (const auto step = values_.nonzero(main, "Curr", where, values_.per_ampere()))
      rules.emplace_back("current", quoted(current_text(*step)));
    import_.translated(rules.size());
    for (const xml_node& other : main.children()) {
      const std::string_view name = other.name();
      if (name != "Time" && name != "Volt" && name != "Curr" && !values_.says_nothing(other)) {
        import_.dropped(where, std::string(name), "not a rule for rows here");
      }
    }
    for (const xml_node& other : node.children()) {
      if (std::string_view(other.name()) != "Main" && !values_.says_nothing(other)) {
        import_.dropped(where, other.name(), "rows of other channels have rules of their own here");
      }
    }
    return rules;
  }

  // ---- steps

  void read_steps(const xml_node& info) {
    std::vector<xml_node> nodes;
    for (const xml_node& node : info.children()) {
      if (std::string_view(node.name()).starts_with("Step")) nodes.push_back(node);
    }
    if (nodes.empty()) import_.error(code::kNoSteps, xml_.line_of(info), "<Step_Info> holds no steps");
    if (nodes.size() > kMaxImportSteps) {
      import_.error(code::kTooManySteps, xml_.line_of(info),
                    fmt::format("{} steps; at most {} are read", nodes.size(), kMaxImportSteps));
      return;
    }
    for (std::size_t i = 0; i < nodes.size(); ++i) number_step(nodes[i], i);
    note_variables(nodes);
    flow_.steps.resize(nodes.size());
    for (std::size_t i = 0; i < nodes.size() && !import_.failed(); ++i) read_step(nodes[i], i);
    close_cycles();
  }

  void number_step(const xml_node& node, std::size_t i) {
    auto id = whole_of(node.attribute("Step_ID").as_string());
    if (!id) id = whole_of(std::string_view(node.name()).substr(4));
    if (!id) {
      import_.error(code::kValue, xml_.line_of(node), fmt::format("<{}> has no Step_ID", node.name()));
    } else if (!index_.emplace(*id, i).second) {
      import_.error(code::kValue, xml_.line_of(node), fmt::format("two steps have Step_ID {}", *id));
    } else {
      ids_.push_back(*id);
    }
  }

  // Which step puts a result into which of the other software's variables.
  void note_variables(const std::vector<xml_node>& nodes) {
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      for (const xml_node& node : nodes[i].child("Limit").child("Other").children()) {
        if (node.attribute("type").as_int() != NewareConditions::kSetType) continue;
        const int user = node.attribute("GlobleUserID").as_int();
        const bool again = !set_by_.try_emplace(user, i, node.attribute("GlobalVar").as_int()).second;
        if (again) set_by_.at(user).step = NewareVariable::kTwice;
      }
    }
  }

  void read_step(const xml_node& node, std::size_t i) {
    FlowStep& step = flow_.steps[i];
    step.where = fmt::format("step {}", ids_[i]);
    step.line = xml_.line_of(node);
    const bool is_read =
        std::any_of(set_by_.begin(), set_by_.end(), [&](const auto& set) { return set.second.step == i; });
    if (is_read) step.label = NewareConditions::step_name(i);
    const auto number = whole_of(node.attribute("Step_Type").as_string());
    const StepType* type = std::find_if(std::begin(kStepTypes), std::end(kStepTypes),
                                        [&](const StepType& t) { return number && t.number == *number; });
    if (type == std::end(kStepTypes)) {
      import_.error(
          code::kStepKind, step.line,
          fmt::format("{}: Step_Type \"{}\" is not known", step.where, node.attribute("Step_Type").as_string()));
      return;
    }
    if (type->kind == Kind::end) {
      step.ends_test = true;
    } else if (type->kind == Kind::cycle) {
      read_cycle(node, i);
    } else if (type->kind == Kind::unsupported) {
      read_unsupported(*type, step);
    } else {
      read_timed(node, *type, step);
    }
  }

  // A step that cannot be written stops the test until somebody has looked: a test that goes on without it is another.
  void read_unsupported(const StepType& type, FlowStep& step) {
    import_.dropped(step.where, type.name,
                    "not translated: the test waits for the operator in its place; write the step by hand");
    StepText wait;
    wait.comment = fmt::format("Step {}: {} is not translated.", step.where.substr(5), type.name);
    wait.control = "operator";
    wait.arguments =
        InlineTable().text("message", fmt::format("{} ({}) was not translated", step.where, type.name)).str();
    step.texts.push_back(std::move(wait));
    step.ends_itself = true;
  }

  void read_timed(const xml_node& node, const StepType& type, FlowStep& step) {
    const xml_node main = node.child("Limit").child("Main");
    unknown_main(main, step.where);
    unknown_parts(node, {"Limit", "Protect", "Record"}, step.where);
    unknown_parts(node.child("Limit"), {"Main", "Other"}, step.where + "/Limit");
    StepText text;
    step.sign = type.sign;
    if (type.kind == Kind::pause) {
      text.control = "pause";
      step.ends_itself = true;
    } else if (type.kind == Kind::rest) {
      text.control = "rest";
    } else {
      control(main, type, step, text);
    }
    ends_of_main(main, type, step);
    NewareConditions(import_, xml_, values_, index_, set_by_).read(node.child("Limit").child("Other"), step);
    protections(node.child("Protect"), step);
    if (type.kind != Kind::pause && !bounded(step)) {
      import_.error(code::kMissing, step.line,
                    fmt::format("{} ({}) has no end: no time, voltage, current or capacity", step.where, type.name));
    }
    const auto rules = record(node.child("Record"), step.where + "/Record");
    if (!rules.empty() && rules != profile_.record) {
      InlineTable table;
      for (const auto& [key, rule] : rules) table.raw(key, rule);
      text.keys.emplace_back("record", table.str());
    }
    step.texts.push_back(std::move(text));
  }

  static bool bounded(const FlowStep& step) {
    return std::any_of(step.ends.begin(), step.ends.end(),
                       [](const FlowEnd& end) { return end.go != FlowEnd::Go::fail; });
  }

  void unknown_main(const xml_node& main, const std::string& where) {
    for (const xml_node& node : main.children()) {
      const std::string_view name = node.name();
      if (std::none_of(std::begin(kMainKeys), std::end(kMainKeys), [&](const char* key) { return name == key; }) &&
          !values_.says_nothing(node)) {
        import_.error(code::kBound, xml_.line_of(node),
                      fmt::format("{}: what Limit/Main/{} means is not known; it may bound the cell", where, name),
                      "switch it off in the other software, import again, and write the limit by hand");
      }
    }
  }

  // A current given as rate, as milliamperes, or as both.
  std::optional<std::string> current_of(const xml_node& main, const char* curr, const char* rate,
                                        const FlowStep& step) {
    const auto amperes = values_.nonzero(main, curr, step.where, values_.per_ampere());
    const auto c_rate = values_.nonzero(main, rate, step.where, 1.0);
    if (amperes && c_rate && prefers_rate_ && capacity_Ah_ > 0.0 &&
        std::abs(std::abs(*c_rate) * capacity_Ah_ - std::abs(*amperes)) > 0.01 * std::abs(*amperes)) {
      import_.approximated(step.where,
                           fmt::format("{} {} A and {} {} contradict each other", curr, *amperes, rate, *c_rate),
                           "the rate is taken, as the other software does in C-rate mode");
    }
    if (c_rate && (prefers_rate_ || !amperes)) return unit_text(std::abs(*c_rate), "C");
    if (amperes) return current_text(std::abs(*amperes));
    return std::nullopt;
  }

  void control(const xml_node& main, const StepType& type, FlowStep& step, StepText& text) {
    const auto current = current_of(main, "Curr", "Rate", step);
    const auto voltage = values_.nonzero(main, "Volt", step.where, NewareValues::kPerVolt);
    InlineTable arguments;
    text.control = type.sign > 0 ? "charge" : "discharge";
    if (type.kind != Kind::constant_voltage && !current) {
      import_.error(code::kMissing, step.line, fmt::format("{} ({}) has no Curr and no Rate", step.where, type.name));
    }
    if (type.kind != Kind::constant_current && !voltage) {
      import_.error(code::kMissing, step.line, fmt::format("{} ({}) has no Volt", step.where, type.name));
    }
    if (current) arguments.text("current", *current);
    if (type.kind != Kind::constant_current && voltage) {
      arguments.text("voltage", unit_text(*voltage, "V"));
      step.level_V = voltage;
    }
    if (type.kind == Kind::constant_voltage && !current) {
      text.control = "hold";
      step.sign = 0;
      import_.approximated(step.where, fmt::format("{} without a current", type.name),
                           "held in both directions, within the cell's current");
    }
    text.arguments = arguments.str();
  }

  void ends_of_main(const xml_node& main, const StepType& type, FlowStep& step) {
    if (const auto volts = values_.nonzero(main, "Stop_Volt", step.where, NewareValues::kPerVolt)) {
      FlowEnd end;
      end.text.when = fmt::format("voltage {} {}", type.sign < 0 ? "<=" : ">=", unit_text(*volts, "V"));
      (type.sign < 0 ? end.voltage_min_V : end.voltage_max_V) = volts;
      step.ends.push_back(std::move(end));
    }
    if (const auto current = current_of(main, "Stop_Curr", "Stop_Rate", step)) {
      step.ends.push_back({{fmt::format("abs(current) <= {}", *current), "", "", ""}, {}, 0, {}, {}, false});
    }
    if (const auto charge = values_.nonzero(main, "Cap", step.where, values_.per_ampere_hour())) {
      step.ends.push_back(
          {{fmt::format("step_capacity >= {}", unit_text(*charge, "Ah")), "", "", ""}, {}, 0, {}, {}, false});
    }
    if (const auto seconds = values_.nonzero(main, "Time", step.where, NewareValues::kPerSecond)) {
      step.ends.push_back({{fmt::format("time >= {}", time_text(*seconds)), "", "", ""}, {}, 0, {}, {}, false});
    }
  }

  // A step's own limits: the test fails there, as the channel of the other cycler goes into protection.
  void protections(const xml_node& protect, FlowStep& step) {
    const xml_node main = protect.child("Main");
    const std::string where = step.where + "/Protect";
    std::string dwell;
    for (const char* key : {"Delay_Time", "Delay"}) {
      if (const auto delay = values_.nonzero(main, key, where, NewareValues::kPerSecond)) dwell = time_text(*delay);
    }
    const auto guard = [&](std::string when, std::optional<double> most_V, std::optional<double> least_V) {
      FlowEnd end;
      end.text = {std::move(when), "", dwell, ""};
      end.text.reason = "protection of the step: " + end.text.when;
      end.go = FlowEnd::Go::fail;
      end.voltage_max_V = most_V;
      end.voltage_min_V = least_V;
      end.safety = true;
      step.ends.insert(step.ends.begin(), std::move(end));
    };
    if (const auto most = values_.scaled(main.child("Volt"), "Upper", where, NewareValues::kPerVolt))
      guard(fmt::format("voltage > {}", unit_text(*most, "V")), most, {});
    if (const auto least = values_.scaled(main.child("Volt"), "Lower", where, NewareValues::kPerVolt))
      guard(fmt::format("voltage < {}", unit_text(*least, "V")), {}, least);
    if (const auto most = values_.scaled(main.child("Curr"), "Upper", where, values_.per_ampere()))
      guard(fmt::format("current > {}", current_text(*most)), {}, {});
    if (const auto least = values_.scaled(main.child("Curr"), "Lower", where, values_.per_ampere()))
      guard(fmt::format("current < {}", current_text(*least)), {}, {});
    if (const auto most = values_.nonzero(main.child("Cap"), "Upper", where, values_.per_ampere_hour()))
      guard(fmt::format("step_capacity > {}", unit_text(*most, "Ah")), {}, {});
    values_.unknown_keys(main, {"Volt", "Curr", "Cap", "Delay_Time", "Delay"}, where);
    inner_keys(main, where);
    unknown_parts(protect, {"Main"}, where);
  }

  void read_cycle(const xml_node& node, std::size_t i) {
    const FlowStep& step = flow_.steps[i];
    const xml_node other = node.child("Limit").child("Other");
    const auto start = whole_of(other.child("Start_Step").attribute("Value").as_string());
    const auto count = whole_of(other.child("Cycle_Count").attribute("Value").as_string());
    const auto first = start ? index_.find(*start) : index_.end();
    if (first == index_.end() || first->second >= i || !count || *count < 1) {
      import_.error(
          code::kLoop, step.line,
          fmt::format("{} (Cycle) needs a Start_Step before it and a Cycle_Count of 1 or more; it has {} and {}",
                      step.where, other.child("Start_Step").attribute("Value").as_string("none"),
                      other.child("Cycle_Count").attribute("Value").as_string("none")));
      return;
    }
    conditions_of_cycle(other, step);
    FlowLoop loop;
    loop.first = loop.entry = first->second;
    loop.last = i;
    loop.where = step.where;
    loop.line = step.line;
    loop.arguments = InlineTable().raw("count", fmt::format("{}", *count)).str();
    flow_.loops.push_back(std::move(loop));
  }

  void conditions_of_cycle(const xml_node& other, const FlowStep& step) {
    for (const xml_node& node : other.children()) {
      const std::string_view name = node.name();
      if (name == "Start_Step" || name == "Cycle_Count" || values_.says_nothing(node)) continue;
      import_.error(code::kBound, xml_.line_of(node),
                    fmt::format("{}: what Limit/Other/{} means is not known", step.where, name));
    }
  }

  // The other cycler counts a cycle at each pass: here the innermost loops do.
  void close_cycles() {
    for (const FlowLoop& loop : flow_.loops) {
      const bool has_inner = std::any_of(flow_.loops.begin(), flow_.loops.end(), [&](const FlowLoop& inner) {
        return &inner != &loop && inner.first >= loop.first && inner.last < loop.last;
      });
      if (has_inner) continue;
      FlowStep& step = flow_.steps[loop.last];
      StepText advance;
      advance.control = "advance_cycle";
      step.texts.push_back(std::move(advance));
      step.ends_itself = true;
    }
  }

  Import& import_;
  XmlText xml_;
  NewareValues values_;
  ProfileText profile_;
  SafetyBox safety_;
  Flow flow_;
  std::map<std::int64_t, std::size_t> index_;
  std::vector<std::int64_t> ids_;
  std::map<int, NewareVariable> set_by_;
  double capacity_Ah_ = 0.0;
  bool prefers_rate_ = false;
};

}  // namespace

std::optional<Translation> import_neware(const text::SourcePtr& source, const ImportOptions& options,
                                         text::Diagnostics& diagnostics) {
  Import import(source, options, diagnostics);
  if (import.failed()) return std::nullopt;
  return Neware(import).run();
}

}  // namespace cyclerd::exchange
