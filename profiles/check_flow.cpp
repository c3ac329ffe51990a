// Where the test can go: unreachable steps, loops that cannot end or take no time.
#include <fmt/format.h>

#include <algorithm>

#include "profiles/codes.hpp"
#include "profiles/compile_parts.hpp"

namespace cyclerd::profiles {
namespace {

class Flow {
 public:
  explicit Flow(Compiler& compiler) : compiler_(compiler), program_(*compiler.program) {
    const std::size_t n = program_.steps.size();
    next_.resize(n);
    for (std::uint32_t i = 0; i < n; ++i) edges(i);
  }

  void check() {
    unreachable();
    endless();
    instant();
  }

 private:
  [[nodiscard]] std::uint32_t last() const { return static_cast<std::uint32_t>(program_.steps.size()) - 1; }

  void edge(std::uint32_t from, std::uint32_t to) {
    auto& list = next_[from];
    if (std::find(list.begin(), list.end(), to) == list.end()) list.push_back(to);
  }

  [[nodiscard]] bool broken(std::uint32_t i) const {
    return compiler_.syntax[i] != nullptr && compiler_.syntax[i]->broken;
  }

  [[nodiscard]] bool ends_by_itself(const Step& step) const {
    switch (step.kind) {
      case StepKind::follow:
      case StepKind::chamber:
      case StepKind::advance_cycle:
      case StepKind::operator_pause: return true;
      default: return false;
    }
  }

  void condition_edges(std::uint32_t from, const Step& owner, std::uint32_t owner_index, std::uint32_t after) {
    for (std::uint32_t k = 0; k < owner.condition_count; ++k) {
      if (compiler_.condition_dead[owner_index][k] != 0) continue;
      const Condition& condition = program_.conditions[owner.first_condition + k];
      switch (condition.then) {
        case Then::next:
        case Then::pause: edge(from, after); break;
        case Then::go_to: edge(from, condition.target); break;
        case Then::end:
        case Then::fail: edge(from, last()); break;
        case Then::break_block:
          edge(from, owner.parent == kNoStep ? last() : program_.steps[owner.parent].peer + 1);
          break;
      }
    }
  }

  void edges(std::uint32_t i) {
    const Step& step = program_.steps[i];
    if (step.kind == StepKind::end) return;
    if (step.kind == StepKind::repeat_begin) {
      edge(i, i + 1);
      if (step.when.present() || !constant_count(step)) edge(i, step.peer + 1);
      return;
    }
    if (step.kind == StepKind::repeat_end) {
      const Step& begin = program_.steps[step.peer];
      edge(i, step.peer + 1);
      if (begin.count.present() || broken(step.peer)) edge(i, i + 1);
      condition_edges(i, begin, step.peer, i + 1);
      return;
    }
    condition_edges(i, step, i, i + 1);
    // A step with findings of its own is given the benefit of the doubt: one mistake, one finding.
    if (ends_by_itself(step) || step.when.present() || broken(i) || step.condition_count == 0) edge(i, i + 1);
    if (next_[i].empty()) edge(i, i + 1);  // its conditions were reported as never true already
  }

  [[nodiscard]] bool constant_count(const Step& step) const {
    return step.count.count <= 1;  // absent, or folded to one constant
  }

  [[nodiscard]] std::vector<char> reach(std::uint32_t start,
                                        const std::vector<std::vector<std::uint32_t>>& graph) const {
    std::vector<char> seen(program_.steps.size(), 0);
    std::vector<std::uint32_t> open = {start};
    seen[start] = 1;
    while (!open.empty()) {
      const std::uint32_t at = open.back();
      open.pop_back();
      for (std::uint32_t to : graph[at]) {
        if (seen[to] == 0) {
          seen[to] = 1;
          open.push_back(to);
        }
      }
    }
    return seen;
  }

  void unreachable() {
    reachable_ = reach(0, next_);
    bool reported = false;
    for (std::uint32_t i = 0; i < program_.steps.size(); ++i) {
      const StepSyntax* syntax = compiler_.syntax[i];
      if (reachable_[i] != 0) reported = false;
      if (reachable_[i] != 0 || syntax == nullptr || reported) continue;
      reported = true;  // one finding for a stretch
      const StepSyntax* before = i > 0 ? compiler_.syntax[i - 1] : nullptr;
      auto& finding = compiler_.diagnostics.error(code::kUnreachable, syntax->where,
                                                  fmt::format("{} is never reached", step_label(*syntax)),
                                                  "name it in a goto, move it, or remove it");
      if (before != nullptr) {
        finding.related = before->where;
        finding.related_label = "this step never goes on to the next";
      }
    }
  }

  void endless() {
    std::vector<std::vector<std::uint32_t>> back(program_.steps.size());
    for (std::uint32_t from = 0; from < program_.steps.size(); ++from) {
      for (std::uint32_t to : next_[from]) back[to].push_back(from);
    }
    const std::vector<char> can_end = reach(last(), back);
    bool reported = false;
    for (std::uint32_t i = 0; i < program_.steps.size(); ++i) {
      if (can_end[i] != 0) reported = false;
      const StepSyntax* syntax = compiler_.syntax[i];
      if (can_end[i] != 0 || reachable_[i] == 0 || syntax == nullptr || reported) continue;
      reported = true;
      compiler_.diagnostics.error(
          code::kEndlessLoop, syntax->where, fmt::format("the loop at {} cannot end", step_label(*syntax)),
          syntax->kind == StepKind::repeat_begin ? "add count = 10 or until = \"...\" to the repeat"
                                                 : "give one of its steps a condition that leads out");
    }
  }

  [[nodiscard]] static bool takes_time(const Step& step) {
    switch (step.kind) {
      case StepKind::repeat_begin:
      case StepKind::repeat_end:
      case StepKind::advance_cycle:
      case StepKind::set: return false;
      default: return true;
    }
  }
  [[nodiscard]] static bool may_take_no_time(const Step& step) { return !takes_time(step) || step.when.present(); }

  void instant() {
    for (std::uint32_t i = 0; i < program_.steps.size(); ++i) {
      if (program_.steps[i].kind == StepKind::repeat_begin) instant_loop(i);
    }
  }

  void instant_loop(std::uint32_t begin) {
    const std::uint32_t end = program_.steps[begin].peer;
    for (std::uint32_t i = begin + 1; i < end; ++i) {
      if (!may_take_no_time(program_.steps[i]) || broken(i)) return;
    }
    if (broken(begin)) return;
    compiler_.diagnostics.error(code::kInstantLoop, compiler_.syntax[begin]->where,
                                fmt::format("{}: a pass may take no time at all", step_label(*compiler_.syntax[begin])),
                                "put at least one step that always takes time into the repeat");
  }

  Compiler& compiler_;
  const Program& program_;
  std::vector<std::vector<std::uint32_t>> next_;
  std::vector<char> reachable_;
};

}  // namespace

void check_flow(Compiler& compiler) {
  Flow(compiler).check();
}

}  // namespace cyclerd::profiles
