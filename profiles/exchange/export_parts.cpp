#include "profiles/exchange/export_parts.hpp"

#include <fmt/format.h>

#include <cmath>

#include "profiles/compile_parts.hpp"
#include "profiles/exchange/exchange_codes.hpp"

namespace cyclerd::exchange {
namespace {

using profiles::Op;
using profiles::Program;
using profiles::StepKind;

// The same profile for a slightly smaller cell: what shrinks with the capacity was written in C.
constexpr double kSmaller = 1.0 - 1.0 / 1024.0;

// Where steps and conditions stand, in the profile or in the file of a procedure.
struct Places {
  std::vector<text::Span> steps;
  std::vector<text::Span> conditions;
};

Places places_of(const profiles::Compiler& compiler) {
  Places places;
  places.conditions.resize(compiler.program->conditions.size());
  for (std::size_t i = 0; i < compiler.program->steps.size(); ++i) {
    const profiles::StepSyntax* const syntax = compiler.origins[i].syntax;
    places.steps.push_back(syntax != nullptr ? syntax->where : text::Span{});
    const profiles::Step& step = compiler.program->steps[i];
    for (std::uint32_t k = 0; syntax != nullptr && k < step.condition_count && k < syntax->until.size(); ++k) {
      places.conditions[step.first_condition + k] = syntax->until[k].when.where;
    }
  }
  return places;
}

class TreeReader {
 public:
  TreeReader(const Program& program, const Program* smaller, const Places& places, const std::string& other,
             text::Diagnostics& diagnostics)
      : program_(program), smaller_(smaller), places_(places), other_(other), diagnostics_(diagnostics) {}

  bool read(std::vector<ExportNode>& nodes) { return block(0, program_.steps.size(), nodes) && !failed_; }

 private:
  void error(const char* code, std::string message, std::string help = {}) { error_at(where_, code, message, help); }
  void error_at(const text::Span& where, const char* code, const std::string& message, const std::string& help) {
    failed_ = true;
    diagnostics_.error(code, where, message, help);
  }
  // What the executor would work out anew each time is no constant.
  [[nodiscard]] static std::optional<double> constant(const Program& program, profiles::ExpressionRef code) {
    if (code.count != 1 || program.code[code.first].op != Op::constant) return std::nullopt;
    return program.code[code.first].value;
  }
  std::optional<double> number(profiles::ExpressionRef code, const char* what);
  [[nodiscard]] ExportValue value_of(double value, std::optional<double> smaller, bool current) const;
  bool block(std::size_t first, std::size_t end, std::vector<ExportNode>& nodes);
  void repeat(std::size_t index, ExportNode& node);
  void step(std::size_t index, ExportNode& node);
  bool level(std::size_t index, ExportStep& out);
  void end(std::uint32_t index, ExportStep& out);
  bool compared(const profiles::Condition& condition, const profiles::Condition* smaller, ExportEnd& out);

  const Program& program_;
  const Program* smaller_;
  const Places& places_;
  const std::string& other_;
  text::Diagnostics& diagnostics_;
  text::Span where_;
  bool failed_ = false;
};

std::optional<double> TreeReader::number(profiles::ExpressionRef code, const char* what) {
  const auto value = constant(program_, code);
  if (!value) {
    error(code::kExportValue, fmt::format("the {} is known only in the test; {} needs a number", what, other_),
          "write the number, or a parameter");
  }
  return value;
}

ExportValue TreeReader::value_of(double value, std::optional<double> smaller, bool current) const {
  const bool rate = current && smaller && value != 0.0 && std::abs(*smaller / value - kSmaller) < 1e-9;
  if (!rate) return {value, false};
  return {value * 3600.0 / program_.nominal_capacity_C, true};
}

bool TreeReader::block(std::size_t first, std::size_t end, std::vector<ExportNode>& nodes) {
  for (std::size_t i = first; i < end; ++i) {
    const profiles::Step& step = program_.steps[i];
    where_ = places_.steps[i];
    if (step.kind == StepKind::end) break;
    ExportNode node;
    node.where = where_;
    if (step.when.present()) {
      error(code::kExportFlow, fmt::format("'when' skips the step under a condition; {} has none", other_),
            "write the steps that are passed one after the other");
    }
    if (step.kind == StepKind::repeat_begin) {
      repeat(i, node);
      i = step.peer;
    } else if (step.kind == StepKind::advance_cycle) {
      node.kind = ExportNode::Kind::advance_cycle;
    } else {
      this->step(i, node);
    }
    nodes.push_back(std::move(node));
  }
  return !failed_;
}

void TreeReader::repeat(std::size_t index, ExportNode& node) {
  const profiles::Step& step = program_.steps[index];
  node.kind = ExportNode::Kind::block;
  node.name = std::string(program_.text(step.name));
  if (step.condition_count != 0) {
    error(code::kExportFlow, fmt::format("the repeat ends by a condition; {} only counts passes", other_),
          "leave out 'until' and give a count");
  }
  if (!step.count.present()) {
    error(code::kExportFlow, fmt::format("the repeat has no count; {} needs one", other_));
  } else if (const auto count = number(step.count, "number of passes")) {
    node.count = static_cast<std::int64_t>(std::floor(*count));
  }
  (void)block(index + 1, step.peer, node.nodes);
}

bool TreeReader::level(std::size_t index, ExportStep& out) {
  const profiles::Step& step = program_.steps[index];
  const profiles::Step* const small = smaller_ != nullptr ? &smaller_->steps[index] : nullptr;
  const auto take = [&](profiles::ExpressionRef code, profiles::ExpressionRef less, const char* what, bool current) {
    const auto value = number(code, what);
    if (value) out.level = value_of(*value, small != nullptr ? constant(*smaller_, less) : std::nullopt, current);
    return value.has_value();
  };
  switch (step.kind) {
    case StepKind::rest: return true;
    case StepKind::current:
      return take(step.current, small != nullptr ? small->current : step.current, "current", true);
    case StepKind::power: return take(step.power, step.power, "power", false);
    case StepKind::resistance: return take(step.resistance, step.resistance, "resistance", false);
    case StepKind::voltage:
      if (step.current.present()) {
        error(code::kExportStep, fmt::format("the hold limits the current; {} holds without a limit", other_),
              "leave out 'current': the cell's rating clamps it");
      }
      return take(step.voltage, step.voltage, "voltage", false);
    case StepKind::ramp: {
      const auto to = number(step.ramp_to, "end of the ramp");
      if (!to || !take(step.ramp_from, step.ramp_from, "start of the ramp", false)) return false;
      const bool by_rate = step.ramp_rate.present();
      const auto speed = number(by_rate ? step.ramp_rate : step.ramp_over, "speed of the ramp");
      if (!speed) return false;
      out.ramp_to_V = *to;
      out.ramp_V_per_s = by_rate ? std::abs(*speed) : std::abs(*to - out.level.value) / *speed;
      return true;
    }
    default: return false;
  }
}

bool TreeReader::compared(const profiles::Condition& condition, const profiles::Condition* smaller, ExportEnd& out) {
  // What is measured, perhaps its magnitude, a number, and how they are compared; in either order.
  const profiles::Instruction* const code = &program_.code[condition.when.first];
  const std::uint32_t count = condition.when.count;
  if (count != 3 && count != 4) return false;
  const bool number_first = code[0].op == Op::constant;
  const std::uint32_t load = number_first ? 1 : 0;
  const bool magnitude = count == 4;
  const std::uint32_t at = number_first ? 0 : count - 2;
  if (code[load].op != Op::load || code[at].op != Op::constant) return false;
  if (magnitude && code[load + 1].op != Op::abs) return false;
  const Op op = code[count - 1].op;
  const bool greater = op == Op::greater || op == Op::greater_equal;
  if (!greater && op != Op::less && op != Op::less_equal) return false;
  out.above = greater != number_first;
  const auto live = static_cast<profiles::Live>(code[load].arg);
  if (live == profiles::Live::voltage && !magnitude) {
    out.of = ExportEnd::Of::voltage;
  } else if (live == profiles::Live::current) {
    out.of = magnitude ? ExportEnd::Of::magnitude : ExportEnd::Of::current;
  } else if (live == profiles::Live::time && !magnitude && out.above) {
    out.of = ExportEnd::Of::time;
  } else {
    return false;
  }
  const bool current = live == profiles::Live::current;
  std::optional<double> less;
  if (smaller != nullptr && smaller->when.count == count) less = smaller_->code[smaller->when.first + at].value;
  out.value = value_of(code[at].value, less, current);
  return true;
}

void TreeReader::end(std::uint32_t index, ExportStep& out) {
  const profiles::Condition& condition = program_.conditions[index];
  ExportEnd made;
  made.text = std::string(program_.text(condition.text));
  made.where = places_.conditions[index];
  const auto refuse = [&](const std::string& message, const std::string& help) {
    error_at(made.where, code::kExportCondition, message, help);
  };
  if (condition.then != profiles::Then::next && condition.then != profiles::Then::fail) {
    return refuse(fmt::format("'{}' leads elsewhere than to the next step; {} cannot say that", made.text, other_),
                  "leave it out, or let it go on to the next step");
  }
  if (condition.dwell.us != 0) {
    return refuse(fmt::format("'{}' must hold for a time; {} ends at once", made.text, other_), "leave out 'for'");
  }
  made.fails = condition.then == profiles::Then::fail;
  if (!compared(condition, smaller_ != nullptr ? &smaller_->conditions[index] : nullptr, made)) {
    return refuse(fmt::format("{} cannot say '{}'", other_, made.text),
                  "one comparison of voltage, current, abs(current) or time with a number");
  }
  out.ends.push_back(std::move(made));
}

void TreeReader::step(std::size_t index, ExportNode& node) {
  const profiles::Step& step = program_.steps[index];
  ExportStep& out = node.step;
  out.kind = step.kind;
  out.sign = step.sign;
  out.where = where_;
  out.record = program_.records[step.record];
  out.label = fmt::format("step '{}'", program_.text(step.name));
  const bool known = step.kind == StepKind::rest || step.kind == StepKind::current || step.kind == StepKind::power ||
                     step.kind == StepKind::voltage || step.kind == StepKind::resistance ||
                     (step.kind == StepKind::ramp && step.ramp_quantity == profiles::WaveformQuantity::voltage);
  if (!known) {
    return error(code::kExportStep,
                 fmt::format("{} has no counterpart of {} ({})", other_, out.label, program_.text(step.type)),
                 "what can be exported: charge, discharge, hold, rest, repeat, advance_cycle");
  }
  if (!level(index, out)) return;
  const bool curve =
      step.kind == StepKind::current || step.kind == StepKind::power || step.kind == StepKind::resistance;
  if (curve && step.voltage.present()) out.then_hold_V = number(step.voltage, "voltage");
  if (step.chamber.present()) out.temperature_degC = number(step.chamber, "temperature");
  for (std::uint32_t i = 0; i < step.condition_count; ++i) {
    end(step.first_condition + i, out);
  }
}

}  // namespace

std::optional<ExportTree> read_for_export(const text::SourcePtr& source, const profiles::Launch& launch,
                                          const std::string& other, text::Diagnostics& diagnostics) {
  Places places;
  const auto program = profiles::run_compiler(source, &launch, launch.procedure_library, diagnostics,
                                              [&](profiles::Compiler& compiler) { places = places_of(compiler); });
  if (program == nullptr) return std::nullopt;
  profiles::Launch less = launch;
  less.cell.nominal_capacity_C *= kSmaller;
  text::Diagnostics ignored;
  auto smaller = profiles::compile_profile(source, less, ignored);
  if (smaller != nullptr &&
      (smaller->steps.size() != program->steps.size() || smaller->conditions.size() != program->conditions.size())) {
    smaller = nullptr;
  }
  ExportTree tree;
  tree.name = program->name;
  tree.title = program->title;
  tree.record = program->records.front();
  tree.safety = program->safety;
  tree.nominal_capacity_Ah = program->nominal_capacity_C / 3600.0;
  text::Diagnostics parsing;
  if (const auto syntax = profiles::parse_profile(source, parsing)) tree.written = syntax->safety;
  if (!TreeReader(*program, smaller.get(), places, other, diagnostics).read(tree.nodes)) return std::nullopt;
  return tree;
}

}  // namespace cyclerd::exchange
