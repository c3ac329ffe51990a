#include "profiles/flow_graph.hpp"

#include <algorithm>

namespace cyclerd::profiles {
namespace {

class Builder {
 public:
  explicit Builder(const Compiler& compiler) : compiler_(compiler), program_(*compiler.program) {}

  FlowGraph run() {
    next_.resize(program_.steps.size());
    for (std::uint32_t i = 0; i < next_.size(); ++i) edges(i);
    return std::move(next_);
  }

 private:
  [[nodiscard]] std::uint32_t last() const { return static_cast<std::uint32_t>(program_.steps.size()) - 1; }

  void edge(std::uint32_t from, FlowEdge to) {
    auto& list = next_[from];
    if (std::find(list.begin(), list.end(), to) == list.end()) list.push_back(to);
  }

  [[nodiscard]] bool broken(std::uint32_t i) const {
    return compiler_.syntax[i] != nullptr && compiler_.syntax[i]->broken;
  }

  // `block`: the conditions are those of the repeat whose end is at `from`.
  void condition_edges(std::uint32_t from, std::uint32_t owner_index, std::uint32_t after, std::uint32_t block) {
    const Step& owner = program_.steps[owner_index];
    for (std::uint32_t k = 0; k < owner.condition_count; ++k) {
      if (compiler_.condition_dead[owner_index][k] == 1) continue;
      const Condition& condition = program_.conditions[owner.first_condition + k];
      switch (condition.then) {
        case Then::next:
        case Then::pause: edge(from, {after, true, block}); break;
        case Then::go_to: edge(from, {condition.target, true, kNoStep}); break;
        case Then::end:
        case Then::fail: edge(from, {last(), true, kNoStep}); break;
        case Then::break_block:
          edge(from, owner.parent == kNoStep ? FlowEdge{last(), true, kNoStep}
                                             : FlowEdge{program_.steps[owner.parent].peer + 1, true, owner.parent});
          break;
      }
    }
  }

  void edges(std::uint32_t i) {
    const Step& step = program_.steps[i];
    if (step.kind == StepKind::end) return;
    if (step.kind == StepKind::repeat_begin) {
      edge(i, {i + 1, true, kNoStep});
      if (step.when.present() || !constant_count(step)) edge(i, {step.peer + 1, false, kNoStep});
      return;
    }
    if (step.kind == StepKind::repeat_end) {
      const Step& begin = program_.steps[step.peer];
      if (!once(begin)) edge(i, {step.peer + 1, true, kNoStep});
      if (begin.count.present() || broken(step.peer)) edge(i, {i + 1, true, step.peer});
      condition_edges(i, step.peer, i + 1, step.peer);
      return;
    }
    condition_edges(i, i, i + 1, kNoStep);
    if (step.when.present()) edge(i, {i + 1, false, kNoStep});
    if (ends_by_itself(step.kind) || broken(i) || step.condition_count == 0) edge(i, {i + 1, true, kNoStep});
    if (next_[i].empty()) edge(i, {i + 1, true, kNoStep});  // its conditions were reported as never true already
  }

  [[nodiscard]] static bool constant_count(const Step& step) {
    return step.count.count <= 1;  // absent, or folded to one constant
  }
  [[nodiscard]] bool once(const Step& begin) const {
    return begin.count.count == 1 && program_.code[begin.count.first].op == Op::constant &&
           program_.code[begin.count.first].value == 1.0;
  }

  const Compiler& compiler_;
  const Program& program_;
  FlowGraph next_;
};

}  // namespace

FlowGraph flow_graph(const Compiler& compiler) {
  return Builder(compiler).run();
}

bool ends_by_itself(StepKind kind) noexcept {
  switch (kind) {
    case StepKind::follow:
    case StepKind::ramp:
    case StepKind::pulse:
    case StepKind::impedance:
    case StepKind::chamber:
    case StepKind::advance_cycle:
    case StepKind::set:
    case StepKind::operator_pause: return true;
    default: return false;
  }
}

}  // namespace cyclerd::profiles
