// An expression of a profile: read, folded, printed, read again.
#include "profiles/expression.hpp"

#include "profiles/expand_parts.hpp"
#include "tests/fuzz/fuzz_bench.hpp"
#include "tests/fuzz/fuzz_text.hpp"

namespace {

using namespace cyclerd;
using profiles::Expression;

const profiles::Names& names() {
  static const profiles::Names known = [] {
    profiles::Names n;
    profiles::Parameter rate;
    rate.type = profiles::type::kCurrent;
    rate.c_rate = true;
    n.parameters["rate"] = rate;
    profiles::Parameter level;
    level.type = profiles::type::kVoltage;
    n.parameters["level"] = level;
    n.variables["n"] = {profiles::type::kNumber, false};
    n.marks.insert("bol");
    return n;
  }();
  return known;
}

Expression read(const std::string& text, text::Diagnostics& findings) {
  text::TomlNode node;
  node.kind = text::TomlNode::Kind::string;
  node.string = text;
  node.value = {fuzz::source_of(text), 1, 1, static_cast<std::uint32_t>(text.size())};
  return profiles::parse_expression(node, {&names()}, findings);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return fuzz::read_text(data, size, [](const text::SourcePtr& source, text::Diagnostics& findings) {
    const Expression expression = read(source->text, findings);
    fuzz::promise(expression.ok() || findings.has_errors(), "what cannot be read has a finding");
    if (!expression.ok()) return;
    fuzz::promise(expression.nodes.size() <= profiles::kMaxNodes, "no more parts than allowed");
    const std::string canonical = profiles::canonical_text(expression);
    text::Diagnostics others;
    const Expression again = read(canonical, others);
    // A fold may be a little larger in its canonical spelling: "C/3" is a long number.
    fuzz::promise(again.ok(), "the canonical spelling is an expression", canonical + "\n" + others.render());
    fuzz::promise(profiles::canonical_text(again) == canonical, "the canonical spelling is its own",
                  canonical + "\n" + profiles::canonical_text(again));
    fuzz::promise(again.top().type == expression.top().type, "it has the same type", canonical);
    static const profiles::Launch launch = fuzz::roomy_launch();
    profiles::References references;
    profiles::Binding binding;
    binding.references = &references;
    binding.parameters->known = {{"rate", 2.5}, {"level", 4.1}};
    (void)profiles::resolved_text(expression, binding);
    binding.nominal_capacity_C = launch.cell.nominal_capacity_C;
    binding.cell = &launch.cell;
    std::vector<profiles::Instruction> code;
    const auto ref = profiles::emit(expression, binding, code);
    fuzz::promise(ref.present() && profiles::stack_need(expression) >= 1, "it becomes code");
    (void)profiles::expanded_value(expression, binding);
  });
}
