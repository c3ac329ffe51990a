// What an expression reads must exist by then: results of earlier steps, variables, marks, the measured capacity.
// Proved on the flow graph: is there a way to the reader on which nobody made it?
#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "profiles/codes.hpp"
#include "profiles/flow_graph.hpp"

namespace cyclerd::profiles {
namespace {

constexpr std::uint32_t kInfinite = std::numeric_limits<std::uint32_t>::max();

// Who makes something: the flow edges on which it comes into being.
struct Maker {
  std::vector<char> steps;        // done edges from these make it
  std::uint32_t block = kNoStep;  // and edges that leave this block
  [[nodiscard]] bool makes(std::uint32_t from, const FlowEdge& edge) const {
    return (edge.done && steps[from] != 0) || (block != kNoStep && edge.left_block == block);
  }
};

struct Reader {
  std::uint32_t at = 0;  // flat step
  const Expression* expression = nullptr;
  bool condition = false;  // a comparison with what is not there is false; elsewhere it would be no number
};

class Existence {
 public:
  explicit Existence(Compiler& compiler)
      : compiler_(compiler), program_(*compiler.program), graph_(flow_graph(compiler)) {}

  void check() {
    for (std::uint32_t i = 0; i < program_.steps.size(); ++i) {
      compiler_.enter(i);
      readers(i);
    }
  }

 private:
  void readers(std::uint32_t i) {
    const Origin& origin = compiler_.origins[i];
    if (origin.value != nullptr) read({i, origin.value, false});
    if (origin.syntax == nullptr) return;
    const StepSyntax& s = *origin.syntax;
    read({i, &s.when, true});
    for (const Expression* e : {&s.current, &s.voltage, &s.power, &s.resistance, &s.count, &s.temperature,
                                &s.chamber_ramp, &s.scale, &s.ramp_from, &s.ramp_to, &s.ramp_rate, &s.ramp_over}) {
      read({i, e, false});
    }
    for (const PulseSyntax& part : s.pulses) {
      read({i, &part.current, false});
      read({i, &part.power, false});
    }
    const std::uint32_t judged = s.kind == StepKind::repeat_begin ? program_.steps[i].peer : i;
    for (const ConditionSyntax& condition : s.until) read({judged, &condition.when, true});
  }

  void read(const Reader& reader) {
    if (!reader.expression->ok()) return;
    for (const ExpressionNode& node : reader.expression->nodes) node_read(reader, node);
  }

  void node_read(const Reader& reader, const ExpressionNode& node) {
    const std::string& prefix = compiler_.binding.prefix;
    const References& names = compiler_.references;
    if (node.kind == ExpressionNode::Kind::result) {
      result_read(reader, node);
    } else if (node.kind == ExpressionNode::Kind::variable) {
      set_read(reader, node, SetTarget::variable, names.variables().at(prefix + node.name));
    } else if (node.kind == ExpressionNode::Kind::mark) {
      set_read(reader, node, SetTarget::mark, names.marks().at(prefix + node.name));
    } else if ((compiler_.binding.measured && node.c_rate) ||
               (node.kind == ExpressionNode::Kind::live && node.live == Live::measured_capacity)) {
      set_read(reader, node, SetTarget::measured_capacity, 0);
    }
  }

  text::Diagnostic& fail(const char* error_code, const Reader& reader, const ExpressionNode& node, std::string message,
                         std::string help) {
    const Expression& e = *reader.expression;
    return compiler_.diagnostics.error(error_code, part_of(e.where, e.text, node.offset, node.length),
                                       std::move(message), std::move(help));
  }

  void result_read(const Reader& reader, const ExpressionNode& node) {
    const std::string& prefix = compiler_.binding.prefix;
    const auto found = compiler_.step_names.find(prefix + node.name);
    if (found == compiler_.step_names.end()) {
      std::vector<std::string> known;
      for (const auto& [name, unused] : compiler_.step_names) {
        if (name.rfind(prefix, 0) == 0) known.push_back(name.substr(prefix.size()));
      }
      const std::string near = text::nearest(node.name, known);
      fail(code::kUnknownName, reader, node, fmt::format("there is no step or mark named '{}'", node.name),
           near.empty() ? "give the step a name = \"...\"" : fmt::format("did you mean {}?", near));
      return;
    }
    const Step& step = program_.steps[found->second];
    if (const std::string why = not_a_result(step, node.quantity); !why.empty()) {
      fail(code::kQuantity, reader, node, fmt::format("'{}' {}", node.name, why),
           step.kind == StepKind::repeat_begin ? "name a step inside of it" : "");
      return;
    }
    Maker maker{std::vector<char>(program_.steps.size(), 0)};
    if (step.kind == StepKind::repeat_begin) {
      maker.block = found->second;
    } else {
      maker.steps[found->second] = 1;
    }
    const std::uint32_t wanted = node.pick == ResultPick::nth ? node.nth : 1;
    judge(reader, node, maker, wanted, fmt::format("the result of '{}'", node.name));
  }

  static std::string not_a_result(const Step& step, ResultOf quantity) {
    if (step.kind == StepKind::set || step.kind == StepKind::advance_cycle) return "leaves no results behind";
    const auto& known = result_names();
    const auto name = std::find_if(known.begin(), known.end(), [&](const auto& r) { return r.quantity == quantity; });
    if (step.kind == StepKind::repeat_begin && !name->of_block) {
      return fmt::format("is a block of steps, it has no {}", name->name);
    }
    if (quantity == ResultOf::resistance && step.kind != StepKind::impedance) return "measures no resistance";
    return {};
  }

  void set_read(const Reader& reader, const ExpressionNode& node, SetTarget target, std::uint32_t index) {
    Maker maker{std::vector<char>(program_.steps.size(), 0)};
    for (std::uint32_t i = 0; i < program_.steps.size(); ++i) {
      const Step& step = program_.steps[i];
      if (step.kind != StepKind::set || step.set_target != target) continue;
      if (target == SetTarget::measured_capacity || step.variable == index) maker.steps[i] = 1;
    }
    judge(reader, node, maker, 1,
          target == SetTarget::variable ? fmt::format("variable '{}'", node.name)
          : target == SetTarget::mark   ? fmt::format("mark '{}'", node.name)
                                        : std::string("the measured capacity"));
  }

  void judge(const Reader& reader, const ExpressionNode& node, const Maker& maker, std::uint32_t wanted,
             const std::string& what) {
    const std::vector<std::uint32_t> from = ways_without(maker);
    if (wanted == 1 && from[reader.at] == kInfinite) return;
    if (wanted > 1 && at_least(maker, reader.at) >= wanted) return;
    const bool possible = ever(maker, reader.at);
    const bool turned = reader.condition && under_not(*reader.expression, node);
    std::string message = fmt::format("{} does not exist yet when '{}' reads it", what, reader.expression->text);
    if (wanted > 1)
      message =
          fmt::format("{} may exist fewer than {} times when '{}' reads it", what, wanted, reader.expression->text);
    if (possible && wanted == 1)
      message = fmt::format("{} may not exist yet: it is missing on the way {}", what, way_text(from, reader.at));
    const Expression& e = *reader.expression;
    const text::Span place = part_of(e.where, e.text, node.offset, node.length);
    if (reader.condition && possible && !turned) {
      compiler_.diagnostics.warning(code::kMayNotExist, place, message,
                                    "until it exists every comparison with it is false");
      return;
    }
    compiler_.diagnostics.error(code::kMayNotExist, place, message,
                                turned ? "a comparison with it is false then, and its `not` true: write it without not"
                                       : "let the step that makes it always run before");
  }

  static bool under_not(const Expression& e, const ExpressionNode& node) {
    const int index = static_cast<int>(&node - e.nodes.data());
    return std::any_of(e.nodes.begin(), e.nodes.end(), [&](const ExpressionNode& n) {
      return n.kind == ExpressionNode::Kind::operation && n.op == Op::logical_not && holds(e, n.left, index);
    });
  }
  static bool holds(const Expression& e, int root, int wanted) {
    if (root < 0) return false;
    if (root == wanted) return true;
    const ExpressionNode& n = e.at(root);
    return n.kind == ExpressionNode::Kind::operation && (holds(e, n.left, wanted) || holds(e, n.right, wanted));
  }

  // For each step the one before it on a way from the start that makes nothing; kInfinite: there is no such way.
  [[nodiscard]] std::vector<std::uint32_t> ways_without(const Maker& maker) const {
    std::vector<std::uint32_t> from(graph_.size(), kInfinite);
    std::vector<std::uint32_t> open = {0};
    from[0] = 0;
    for (std::size_t next = 0; next < open.size(); ++next) {
      const std::uint32_t at = open[next];
      for (const FlowEdge& edge : graph_[at]) {
        if (from[edge.to] != kInfinite || maker.makes(at, edge)) continue;
        from[edge.to] = at;
        open.push_back(edge.to);
      }
    }
    return from;
  }

  // Can the reader be reached at all after it was made?
  [[nodiscard]] bool ever(const Maker& maker, std::uint32_t reader) const {
    std::vector<char> seen(graph_.size(), 0);
    std::vector<std::uint32_t> open;
    for (std::uint32_t at = 0; at < graph_.size(); ++at) {
      for (const FlowEdge& edge : graph_[at]) {
        if (maker.makes(at, edge)) open.push_back(edge.to);
      }
    }
    while (!open.empty()) {
      const std::uint32_t at = open.back();
      open.pop_back();
      if (seen[at] != 0) continue;
      seen[at] = 1;
      for (const FlowEdge& edge : graph_[at]) open.push_back(edge.to);
    }
    return seen[reader] != 0;
  }

  // How often it was made at least by then. A repeat that only its count can end counts its passes.
  [[nodiscard]] std::uint32_t at_least(const Maker& maker, std::uint32_t reader) const {
    constexpr int kRounds = 64;
    std::vector<std::vector<std::pair<std::uint32_t, FlowEdge>>> before(graph_.size());
    for (std::uint32_t at = 0; at < graph_.size(); ++at) {
      for (const FlowEdge& edge : graph_[at]) before[edge.to].emplace_back(at, edge);
    }
    std::vector<double> least(graph_.size(), std::numeric_limits<double>::infinity());
    least[0] = 0.0;
    for (int round = 0; round < kRounds; ++round) {
      bool at_rest = true;
      for (std::uint32_t to = 1; to < graph_.size(); ++to) {
        double fewest = std::numeric_limits<double>::infinity();
        for (const auto& [at, edge] : before[to]) {
          fewest = std::min(fewest, passes(at, edge, least) + (maker.makes(at, edge) ? 1.0 : 0.0));
        }
        if (fewest != least[to]) at_rest = false;
        least[to] = fewest;
      }
      if (at_rest) return static_cast<std::uint32_t>(std::min(least[reader], 4e9));
    }
    return 0;  // did not come to rest: nothing is proved
  }

  [[nodiscard]] double passes(std::uint32_t at, const FlowEdge& edge, const std::vector<double>& least) const {
    const Step& end = program_.steps[at];
    if (end.kind != StepKind::repeat_end || edge.left_block != end.peer) return least[at];
    const Step& begin = program_.steps[end.peer];
    const bool counted =
        begin.condition_count == 0 && begin.count.count == 1 && program_.code[begin.count.first].op == Op::constant;
    const double gain = least[at] - least[end.peer];
    if (!counted || !std::isfinite(gain)) return least[at];
    return least[end.peer] + gain * program_.code[begin.count.first].value;
  }

  [[nodiscard]] std::string way_text(const std::vector<std::uint32_t>& from, std::uint32_t reader) const {
    std::vector<std::string> labels;
    for (std::uint32_t at = reader; at != 0;) {
      const std::uint32_t before = from[at];
      if (compiler_.syntax[before] != nullptr) {
        const auto& edges = graph_[before];
        const bool skipped =
            std::none_of(edges.begin(), edges.end(), [&](const FlowEdge& e) { return e.to == at && e.done; }) ||
            made_when_done(before, at);
        labels.push_back(std::string(program_.text(program_.steps[before].name)) + (skipped ? " (skipped)" : ""));
      }
      at = before;
    }
    std::reverse(labels.begin(), labels.end());
    constexpr std::size_t kShown = 7;
    if (labels.size() > kShown) {
      labels.erase(labels.begin() + 2, labels.end() - static_cast<std::ptrdiff_t>(kShown - 3));
      labels.insert(labels.begin() + 2, "...");
    }
    if (labels.empty()) return "from the start";
    return fmt::format("{}", fmt::join(labels, " -> "));
  }

  // The step can be passed both ways; a way that makes nothing passes a maker by its skip.
  [[nodiscard]] bool made_when_done(std::uint32_t at, std::uint32_t to) const {
    const auto& edges = graph_[at];
    return program_.steps[at].when.present() &&
           std::any_of(edges.begin(), edges.end(), [&](const FlowEdge& e) { return e.to == to && !e.done; }) &&
           program_.steps[at].store_count > 0;
  }

  Compiler& compiler_;
  const Program& program_;
  FlowGraph graph_;
};

}  // namespace

void check_existence(Compiler& compiler) {
  Existence(compiler).check();
}

}  // namespace cyclerd::profiles
