#include "profiles/exchange/flow_blocks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace cyclerd::exchange {
namespace {

constexpr std::size_t kMostEnds = 16;
constexpr std::size_t kMostNesting = 30;  // a key of TOML holds 32 dots here
constexpr std::size_t kNone = static_cast<std::size_t>(-1);

StepText short_rest(std::string comment, ConditionText until) {
  StepText rest;
  rest.comment = std::move(comment);
  rest.control = "rest";
  rest.until.push_back(std::move(until));
  return rest;
}

class Blocks {
 public:
  Blocks(Flow& flow, Import& import) : flow_(flow), steps_(flow.steps), import_(import), kept_(flow.steps.size()) {}

  std::vector<StepText> build() {
    if (!nest()) return {};
    reach();
    name_steps();
    for (std::size_t i = 0; i < steps_.size(); ++i) {
      if (kept_[i]) settle(i);
    }
    after_.resize(flow_.loops.size());
    for (std::size_t k = 0; k < flow_.loops.size(); ++k) {
      const FlowLoop& loop = flow_.loops[k];
      // Seen from the step that opens the loop, which stands in the block around it.
      if (loop.then && kept_[loop.first]) after_[k] = way(loop.entry, *loop.then, false);
    }
    if (import_.failed()) return {};
    return block(0, steps_.size(), kNone);
  }

 private:
  // The loops as a tree; `parent_` of a loop, `innermost_` of a step.
  bool nest() {
    auto& loops = flow_.loops;
    std::sort(loops.begin(), loops.end(), [](const FlowLoop& a, const FlowLoop& b) {
      return a.first != b.first ? a.first < b.first : a.last > b.last;
    });
    parent_.assign(loops.size(), kNone);
    innermost_.assign(steps_.size(), kNone);
    std::vector<std::size_t> open;
    for (std::size_t k = 0; k < loops.size(); ++k) {
      while (!open.empty() && loops[open.back()].last < loops[k].first) open.pop_back();
      if (!open.empty() && loops[open.back()].last < loops[k].last) {
        import_.error(code::kLoop, loops[k].line,
                      fmt::format("the loop of {} (from step {} to {}) and that of {} (from step {} to {}) cross",
                                  loops[k].where, loops[k].first + 1, loops[k].last + 1, loops[open.back()].where,
                                  loops[open.back()].first + 1, loops[open.back()].last + 1),
                      "of two loops one must lie wholly inside of the other, or after it");
        return false;
      }
      if (open.size() >= kMostNesting) {
        import_.error(code::kLoop, loops[k].line, fmt::format("loops are nested deeper than {}", kMostNesting));
        return false;
      }
      if (!open.empty()) parent_[k] = open.back();
      open.push_back(k);
      for (std::size_t i = loops[k].first; i <= loops[k].last; ++i) innermost_[i] = k;
    }
    entered_at_.assign(steps_.size(), kNone);
    for (std::size_t k = 0; k < loops.size(); ++k) {
      if (loops[k].entry != loops[k].first) entered_at_[loops[k].entry] = k;
    }
    loop_names_.assign(loops.size(), {});
    pass_end_.assign(loops.size(), {});
    return true;
  }

  [[nodiscard]] bool closes_loop(std::size_t step) const {
    for (std::size_t k = innermost_[step]; k != kNone; k = parent_[k]) {
      if (flow_.loops[k].last == step) return true;
    }
    return false;
  }

  // Where the loop that is closed by this step goes after its last pass.
  [[nodiscard]] std::optional<std::size_t> leads_elsewhere(std::size_t step) const {
    const std::size_t k = innermost_[step];
    if (k == kNone || flow_.loops[k].last != step) return std::nullopt;
    return flow_.loops[k].then;
  }

  // What can be come to from the first step; and which places are come to without a condition of the step before.
  void reach() {
    std::vector<char> fallen(steps_.size() + 1, 0);
    std::vector<std::pair<std::size_t, bool>> open{{0, true}};
    std::vector<char> seen(steps_.size() + 1, 0);
    while (!open.empty()) {
      const auto [i, falling] = open.back();
      open.pop_back();
      if (i >= steps_.size() || (seen[i] && (!falling || fallen[i]))) continue;
      seen[i] = 1;
      if (falling) fallen[i] = 1;
      kept_[i] = 1;
      const FlowStep& step = steps_[i];
      if (step.ends_test) continue;
      const bool loop_end = closes_loop(i);
      if (const auto elsewhere = leads_elsewhere(i)) {
        open.emplace_back(*elsewhere, false);
        continue;
      }
      if (step.texts.empty() || step.ends_itself) {
        open.emplace_back(i + 1, loop_end || (step.texts.empty() ? fallen[i] != 0 : true));
      }
      for (const FlowEnd& end : step.ends) {
        if (end.go == FlowEnd::Go::next || end.go == FlowEnd::Go::pause) open.emplace_back(i + 1, loop_end);
        if (end.go == FlowEnd::Go::step) open.emplace_back(end.target, false);
      }
    }
    fallen_ = std::move(fallen);
    counted_.assign(steps_.size() + 1, 0);
    for (std::size_t i = 0; i < steps_.size(); ++i) counted_[i + 1] = counted_[i] + (significant(i) ? 1U : 0U);
    for (std::size_t i = 0; i < steps_.size(); ++i) {
      if (!kept_[i] && !steps_[i].texts.empty()) {
        import_.dropped(steps_[i].where, "the step", "no step leads to it, so it never runs");
      }
    }
  }

  void name_steps() {
    names_.resize(steps_.size());
    for (std::size_t i = 0; i < steps_.size(); ++i) {
      if (!kept_[i] || steps_[i].texts.empty()) continue;
      const std::string& label = steps_[i].label;
      names_[i] = unused(label.empty() ? fmt::format("step_{}", i + 1) : valid_step_name(label).substr(0, 48));
      if (!label.empty()) wanted_.insert(i);
    }
  }

  std::string unused(const std::string& wanted) {
    std::string name = wanted;
    for (int n = 2; !taken_.insert(name).second; ++n) name = fmt::format("{}_{}", wanted, n);
    return name;
  }

  [[nodiscard]] bool significant(std::size_t i) const {
    return kept_[i] && (!steps_[i].texts.empty() || steps_[i].ends_test);
  }
  // Nothing that matters at from, from + 1, ... to - 1.
  [[nodiscard]] bool nothing_between(std::size_t from, std::size_t to) const {
    return from >= to || counted_[to] == counted_[from];
  }
  [[nodiscard]] bool contains(std::size_t loop, std::size_t step) const {
    return flow_.loops[loop].first <= step && step <= flow_.loops[loop].last;
  }

  void settle(std::size_t i) {
    FlowStep& step = steps_[i];
    if (step.ends.size() > kMostEnds) {
      import_.error(code::kTooManyEnds, step.line,
                    fmt::format("{} has {} ends; a step holds at most {}", step.where, step.ends.size(), kMostEnds),
                    "none is left out, since each may bound the cell");
      return;
    }
    for (FlowEnd& end : step.ends) {
      switch (end.go) {
        case FlowEnd::Go::next: end.text.then = way(i, i + 1, true); break;
        case FlowEnd::Go::step: end.text.then = way(i, end.target, false); break;
        case FlowEnd::Go::end: end.text.then = "end"; break;
        case FlowEnd::Go::fail: end.text.then = "fail"; break;
        case FlowEnd::Go::pause: end.text.then = "pause"; break;
      }
    }
  }

  // What to write after `then`, to come from step i to what stands at `to`.
  std::string way(std::size_t i, std::size_t to, bool falls) {
    if (falls && closes_loop(i)) return {};
    for (std::size_t j = to; j < steps_.size(); ++j) {
      if (entered_at_[j] != kNone) return way_to_loop(i, entered_at_[j], to);
      if (steps_[j].ends_test) return "end";
      if (!steps_[j].texts.empty()) return way_to_step(i, j, to);
      for (std::size_t k = innermost_[j]; k != kNone; k = parent_[k]) {
        if (flow_.loops[k].last == j) return way_to_pass_end(i, k, to);
      }
    }
    return falls && innermost_[i] == kNone ? "" : "end";
  }

  std::string way_to_step(std::size_t i, std::size_t j, std::size_t to) {
    std::size_t outermost = kNone;
    for (std::size_t k = innermost_[j]; k != kNone; k = parent_[k]) {
      if (!contains(k, i)) outermost = k;
    }
    if (outermost != kNone) {
      if (!nothing_between(flow_.loops[outermost].first, j)) return into_loop(i, outermost, to);
      return way_to_loop(i, outermost, to);
    }
    if (j > i && innermost_[i] == innermost_[j] && nothing_between(i + 1, j)) return {};
    if (leaves_by_break(i, j, innermost_[j])) return "break";
    wanted_.insert(j);
    return "goto " + names_[j];
  }

  std::string way_to_loop(std::size_t i, std::size_t loop, std::size_t to) {
    for (std::size_t k = parent_[loop]; k != kNone; k = parent_[k]) {
      if (!contains(k, i)) return into_loop(i, k, to);
    }
    const std::size_t start = flow_.loops[loop].first;
    if (start > i && innermost_[i] == parent_[loop] && nothing_between(i + 1, start)) return {};
    if (leaves_by_break(i, start, parent_[loop])) return "break";
    if (loop_names_[loop].empty()) loop_names_[loop] = unused(fmt::format("loop_{}", start + 1));
    return "goto " + loop_names_[loop];
  }

  std::string way_to_pass_end(std::size_t i, std::size_t loop, std::size_t to) {
    if (!contains(loop, i)) return into_loop(i, loop, to);
    if (innermost_[i] == loop && nothing_between(i + 1, flow_.loops[loop].last + 1)) return {};
    if (pass_end_[loop].empty()) pass_end_[loop] = unused(fmt::format("end_of_pass_{}", flow_.loops[loop].last + 1));
    return "goto " + pass_end_[loop];
  }

  // What starts at `start`, in the block `block`, is the first thing after the innermost loop of step i.
  [[nodiscard]] bool leaves_by_break(std::size_t i, std::size_t start, std::size_t block) const {
    const std::size_t loop = innermost_[i];
    return loop != kNone && start > flow_.loops[loop].last && parent_[loop] == block &&
           nothing_between(flow_.loops[loop].last + 1, start);
  }

  std::string into_loop(std::size_t i, std::size_t loop, std::size_t to) {
    import_.error(
        code::kJump, steps_[i].line,
        fmt::format("{} jumps to step {}, into the middle of the loop of {} (from step {} to {})", steps_[i].where,
                    to + 1, flow_.loops[loop].where, flow_.loops[loop].first + 1, flow_.loops[loop].last + 1),
        "a jump may lead to the beginning of a loop, or out of one");
    return {};
  }

  // Steps from `low` to before `high`; `loop`: the block that they are in.
  std::vector<StepText> block(std::size_t low, std::size_t high, std::size_t loop) {
    std::vector<StepText> out;
    for (std::size_t i = low; i < high;) {
      const std::size_t inner = loop_at(i, loop);
      if (inner != kNone) {
        append_loop(inner, out);
        i = flow_.loops[inner].last + 1;
        continue;
      }
      if (kept_[i]) append_step(i, loop, out);
      ++i;
    }
    return out;
  }

  // The loop that begins at i and stands directly in `parent`.
  [[nodiscard]] std::size_t loop_at(std::size_t i, std::size_t parent) const {
    for (std::size_t k = innermost_[i]; k != kNone && k != parent; k = parent_[k]) {
      if (parent_[k] == parent) return flow_.loops[k].first == i ? k : kNone;
    }
    return kNone;
  }

  void append_loop(std::size_t k, std::vector<StepText>& out) {
    FlowLoop& loop = flow_.loops[k];
    StepText repeat;
    repeat.control = "repeat";
    repeat.name = loop_names_[k];
    repeat.arguments = loop.arguments;
    repeat.until = loop.until;
    repeat.steps = block(loop.first, loop.last + 1, k);
    if (repeat.steps.empty()) return;
    if (!pass_end_[k].empty()) {
      StepText mark;
      mark.name = pass_end_[k];
      mark.control = "set";
      mark.arguments = InlineTable().text("mark", "pass_over").str();
      repeat.steps.push_back(std::move(mark));
    }
    import_.translated();
    out.push_back(std::move(repeat));
    if (!loop.then) return;
    import_.approximated(loop.where, fmt::format("after the last pass step {} follows", *loop.then + 1),
                         "a rest of one scan stands before the jump");
    out.push_back(short_rest("After the last pass.", {"time > 0 s", after_[k], "", ""}));
  }

  void append_step(std::size_t i, std::size_t loop, std::vector<StepText>& out) {
    FlowStep& step = steps_[i];
    if (step.ends_test) {
      const bool more = loop != kNone || !nothing_between(i + 1, steps_.size());
      if (more && fallen_[i]) {
        import_.approximated(step.where, "the end of the test", "a rest of one scan stands before it");
        out.push_back(short_rest("The test ends here.", {"time > 0 s", "end", "", ""}));
      }
      return;
    }
    if (step.texts.empty()) return;
    for (const FlowEnd& end : step.ends) step.texts.back().until.push_back(end.text);
    if (wanted_.contains(i)) step.texts.front().name = names_[i];
    import_.translated(step.ends.size() + 1);
    for (StepText& text : step.texts) out.push_back(std::move(text));
  }

  Flow& flow_;
  std::vector<FlowStep>& steps_;
  Import& import_;
  std::vector<char> kept_, fallen_;
  std::vector<std::size_t> parent_, innermost_, entered_at_;
  std::vector<std::size_t> counted_;  // significant steps before
  std::vector<std::string> names_, loop_names_, pass_end_, after_;
  std::set<std::string> taken_;
  std::set<std::size_t> wanted_;
};

struct Levels {
  std::optional<double> most, least;
  void take(const std::optional<double>& value) {
    if (!value) return;
    most = std::max(most.value_or(*value), *value);
    least = std::min(least.value_or(*value), *value);
  }
};

bool beyond_step(const FlowStep& step, const FlowEnd& end) {
  if (!step.level_V) return false;
  return (step.sign > 0 && end.voltage_max_V && *end.voltage_max_V > *step.level_V) ||
         (step.sign < 0 && end.voltage_min_V && *end.voltage_min_V < *step.level_V);
}

// Ends in the direction of the step are where it works, but for values that other steps have against their direction:
// 4.4 V in a rest, or in a discharge, guards the cell, and so it does in a charge.
Levels working_levels(const Flow& flow) {
  std::set<double> upper_guards, lower_guards;
  for (const FlowStep& step : flow.steps) {
    for (const FlowEnd& end : step.ends) {
      const bool beyond = end.safety || beyond_step(step, end);
      if (end.voltage_max_V && (beyond || step.sign <= 0)) upper_guards.insert(*end.voltage_max_V);
      if (end.voltage_min_V && (beyond || step.sign >= 0)) lower_guards.insert(*end.voltage_min_V);
    }
  }
  Levels levels;
  for (const FlowStep& step : flow.steps) {
    levels.take(step.level_V);
    for (const FlowEnd& end : step.ends) {
      const bool works_up = step.sign > 0 && end.voltage_max_V && !upper_guards.contains(*end.voltage_max_V);
      const bool works_down = step.sign < 0 && end.voltage_min_V && !lower_guards.contains(*end.voltage_min_V);
      if (works_up) levels.take(end.voltage_max_V);
      if (works_down) levels.take(end.voltage_min_V);
    }
  }
  return levels;
}

// A voltage that nothing works at. What leads to the next step is where the step works, unless it lies against the
// step's direction.
bool guards(const FlowStep& step, const FlowEnd& end, const Levels& levels) {
  if (beyond_step(step, end)) return true;
  const bool against = (end.voltage_max_V && step.sign < 0) || (end.voltage_min_V && step.sign > 0);
  if (end.go == FlowEnd::Go::next && !against) return false;
  return (end.voltage_max_V && levels.most && *end.voltage_max_V > *levels.most) ||
         (end.voltage_min_V && levels.least && *end.voltage_min_V < *levels.least);
}

// A limit that every timed step has: written once, in [safety].
void hoist(Flow& flow, std::optional<double> FlowEnd::*bound, std::optional<double>& box, bool upper, Import& import) {
  std::optional<double> value;
  const auto guard_of = [&](const FlowStep& step) -> const FlowEnd* {
    for (const FlowEnd& end : step.ends) {
      if (end.go == FlowEnd::Go::fail && end.safety && end.*bound && end.text.dwell.empty()) return &end;
    }
    return nullptr;
  };
  std::size_t steps = 0;
  for (const FlowStep& step : flow.steps) {
    if (step.ends.empty()) continue;
    const FlowEnd* guard = guard_of(step);
    if (guard == nullptr || (value && *value != *(guard->*bound))) return;
    value = guard->*bound;
    ++steps;
  }
  if (!value || steps < 2) return;
  const bool box_is_tighter = box && (upper ? *box <= *value : *box >= *value);
  if (!box_is_tighter) box = value;
  for (FlowStep& step : flow.steps) {
    std::erase_if(step.ends, [&](const FlowEnd& end) {
      return end.go == FlowEnd::Go::fail && end.safety && end.*bound && end.*bound == value && end.text.dwell.empty();
    });
  }
  import.approximated("every step", fmt::format("the voltage limit of {}", unit_text(*value, "V")),
                      "it is the same in all of them: written once in [safety], where it opens the output and latches");
}

}  // namespace

void settle_guards(Flow& flow, SafetyBox& safety, Import& import) {
  const Levels levels = working_levels(flow);
  for (FlowStep& step : flow.steps) {
    auto ways_on = std::count_if(step.ends.begin(), step.ends.end(),
                                 [](const FlowEnd& end) { return end.go != FlowEnd::Go::fail; });
    for (FlowEnd& end : step.ends) {
      if (!end.safety && !guards(step, end, levels)) continue;
      if (end.go != FlowEnd::Go::fail) {
        if (ways_on == 1) continue;  // the only way on
        --ways_on;
        const std::string there = end.go == FlowEnd::Go::step  ? fmt::format("step {} follows", end.target + 1)
                                  : end.go == FlowEnd::Go::end ? "the test is over"
                                                               : "the next step follows";
        import.approximated(step.where, fmt::format("{}: {}", end.text.when, there),
                            "no step works there, it guards the cell: here it fails the test");
        end.go = FlowEnd::Go::fail;
      }
      end.safety = true;
      if (end.text.reason.empty()) end.text.reason = "a limit that guards the cell";
    }
  }
  hoist(flow, &FlowEnd::voltage_max_V, safety.voltage_max_V, true, import);
  hoist(flow, &FlowEnd::voltage_min_V, safety.voltage_min_V, false, import);
}

std::vector<StepText> to_blocks(Flow& flow, Import& import) {
  return Blocks(flow, import).build();
}

}  // namespace cyclerd::exchange
