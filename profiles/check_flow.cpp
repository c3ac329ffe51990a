// Where the test can go: unreachable steps, loops that cannot end or take no time.
#include <fmt/format.h>

#include <algorithm>

#include "profiles/codes.hpp"
#include "profiles/flow_graph.hpp"

namespace cyclerd::profiles {
namespace {

class Flow {
 public:
  explicit Flow(Compiler& compiler) : compiler_(compiler), program_(*compiler.program), next_(flow_graph(compiler)) {}

  void check() {
    unreachable();
    endless();
    instant();
  }

 private:
  [[nodiscard]] std::uint32_t last() const { return static_cast<std::uint32_t>(program_.steps.size()) - 1; }

  [[nodiscard]] bool broken(std::uint32_t i) const {
    return compiler_.syntax[i] != nullptr && compiler_.syntax[i]->broken;
  }

  [[nodiscard]] std::vector<char> reach(std::uint32_t start, const FlowGraph& graph) const {
    std::vector<char> seen(program_.steps.size(), 0);
    std::vector<std::uint32_t> open = {start};
    seen[start] = 1;
    while (!open.empty()) {
      const std::uint32_t at = open.back();
      open.pop_back();
      for (const FlowEdge& edge : graph[at]) {
        if (seen[edge.to] == 0) {
          seen[edge.to] = 1;
          open.push_back(edge.to);
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
    FlowGraph back(program_.steps.size());
    for (std::uint32_t from = 0; from < program_.steps.size(); ++from) {
      for (const FlowEdge& edge : next_[from]) back[edge.to].push_back({from});
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

  void instant() {
    for (std::uint32_t i = 0; i < program_.steps.size(); ++i) {
      if (program_.steps[i].kind == StepKind::repeat_begin && compiler_.syntax[i]->word == "repeat") instant_loop(i);
    }
  }

  // Is there a way through the block on which every step is skipped or takes no time?
  void instant_loop(std::uint32_t begin) {
    const std::uint32_t end = program_.steps[begin].peer;
    std::vector<char> seen(end + 1, 0);
    std::vector<std::uint32_t> open = {begin + 1};
    while (!open.empty()) {
      const std::uint32_t at = open.back();
      open.pop_back();
      if (at <= begin || at > end || seen[at] != 0) continue;
      seen[at] = 1;
      if (broken(at)) return;
      for (const FlowEdge& edge : next_[at]) {
        if (at != end && (!edge.done || !takes_time(program_.steps[at]))) open.push_back(edge.to);
      }
    }
    if (seen[end] == 0) return;
    if (broken(begin)) return;
    compiler_.diagnostics.error(
        code::kInstantLoop, compiler_.syntax[begin]->where,
        fmt::format("{}: a pass may take no time at all", step_label(*compiler_.syntax[begin])),
        "put at least one step that always takes time into the repeat; one with when may be skipped");
  }

  Compiler& compiler_;
  const Program& program_;
  FlowGraph next_;
  std::vector<char> reachable_;
};

}  // namespace

void check_flow(Compiler& compiler) {
  Flow(compiler).check();
}

}  // namespace cyclerd::profiles
