#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "profiles/codes.hpp"
#include "profiles/expression.hpp"
#include "profiles/expression_types.hpp"

namespace cyclerd::profiles {
namespace {

constexpr int kMaxDepth = 64;  // of parentheses and operators; keeps the parser's own stack small

struct Operator {
  std::string_view text;
  Op op;
};

// Precedence climbs from `or` to `*`; each level is a row of operators that associate to the left.
struct Level {
  std::array<Operator, 6> operators;
  std::size_t count;
};
constexpr std::array<Level, 5> kLevels = {{
    {{{{"or", Op::logical_or}}}, 1},
    {{{{"and", Op::logical_and}}}, 1},
    {{{{"<=", Op::less_equal},
       {">=", Op::greater_equal},
       {"<", Op::less},
       {">", Op::greater},
       {"==", Op::equal},
       {"!=", Op::not_equal}}},
     6},
    {{{{"+", Op::add}, {"-", Op::subtract}}}, 2},
    {{{{"*", Op::multiply}, {"/", Op::divide}}}, 2},
}};
constexpr std::size_t kComparison = 2;

class Parser {
 public:
  Parser(Expression& expression, std::vector<Token> tokens, const Scope& scope, text::Diagnostics& diagnostics)
      : expression_(expression), tokens_(std::move(tokens)), scope_(scope), diagnostics_(diagnostics) {}

  void run() {
    const int root = level(0, 0);
    if (root < 0) return;
    if (peek().kind != Token::Kind::end) {
      fail(code::kExpression, peek(), fmt::format("'{}' does not belong here", peek().text), surplus_help());
      return;
    }
    expression_.root = root;
  }

 private:
  const Token& peek() const { return tokens_[at_]; }
  const Token& next() { return tokens_[at_ + 1 < tokens_.size() ? at_++ : at_]; }
  bool is(std::string_view text) const { return peek().kind != Token::Kind::number && peek().text == text; }
  bool accept(std::string_view text) {
    if (peek().kind == Token::Kind::end || !is(text)) return false;
    ++at_;
    return true;
  }

  // How to mend what stands behind a whole expression.
  [[nodiscard]] const char* surplus_help() const {
    if (peek().kind == Token::Kind::name) return "an operator is missing";
    const bool comma_in_number = peek().text == "," && at_ > 0 && at_ + 1 < tokens_.size() &&
                                 tokens_[at_ - 1].kind == Token::Kind::number &&
                                 tokens_[at_ + 1].kind == Token::Kind::number;
    return comma_in_number ? "write numbers with a decimal point" : "";
  }

  int fail(const char* error_code, std::size_t offset, std::size_t length, std::string message, std::string help = {},
           std::string label = {}) {
    auto& finding = diagnostics_.error(error_code, part_of(expression_.where, expression_.text, offset, length),
                                       std::move(message), std::move(help));
    finding.label = std::move(label);
    return -1;
  }
  int fail(const char* error_code, const Token& token, std::string message, std::string help = {}) {
    return fail(error_code, token.offset, token.length, std::move(message), std::move(help));
  }

  int add(ExpressionNode node) {
    if (expression_.nodes.size() >= kMaxNodes) {
      return fail(code::kExpressionSize, node.offset, node.length,
                  fmt::format("the expression has more than {} parts", kMaxNodes), "split it over several conditions");
    }
    expression_.nodes.push_back(std::move(node));
    return static_cast<int>(expression_.nodes.size()) - 1;
  }

  int operation(Op op, int left, int right) {
    const ExpressionNode& a = expression_.at(left);
    const ExpressionNode& b = expression_.at(right < 0 ? left : right);
    TypeError error;
    const auto result = right < 0 ? unary_type(op, a.type, error) : binary_type(op, a.type, b.type, error);
    if (!result) {
      const ExpressionNode& culprit = error.at_right ? b : a;
      return fail(code::kDimension, culprit.offset, culprit.length, error.message, error.help, error.label);
    }
    ExpressionNode node;
    node.kind = ExpressionNode::Kind::operation;
    node.op = op;
    node.type = *result;
    node.left = left;
    node.right = right;
    node.offset = std::min(a.offset, b.offset);
    node.length = std::max(a.offset + a.length, b.offset + b.length) - node.offset;
    return add(std::move(node));
  }

  const Operator* operator_of(const Level& level) const {
    for (std::size_t i = 0; i < level.count; ++i) {
      if (is(level.operators[i].text)) return &level.operators[i];
    }
    return nullptr;
  }

  int level(std::size_t index, int depth) {
    if (depth > kMaxDepth) {
      return fail(code::kExpressionSize, peek(), fmt::format("the expression nests deeper than {}", kMaxDepth),
                  "use fewer parentheses");
    }
    if (index == kLevels.size()) return unary(depth);
    if (index == kComparison && accept("not")) {
      const int operand = level(kComparison, depth + 1);
      return operand < 0 ? -1 : operation(Op::logical_not, operand, -1);
    }
    int left = level(index + 1, depth);
    bool compared = false;
    while (left >= 0) {
      const Operator* found = operator_of(kLevels[index]);
      if (found == nullptr) break;
      if (compared && index == kComparison) {
        return fail(code::kExpression, peek(), "comparisons cannot be chained",
                    "write a <= b and b <= c, or use parentheses");
      }
      compared = true;
      ++at_;
      const int right = level(index + 1, depth);
      left = right < 0 ? -1 : operation(found->op, left, right);
    }
    return left;
  }

  int unary(int depth) {
    if (depth > kMaxDepth) {
      return fail(code::kExpressionSize, peek(), fmt::format("the expression nests deeper than {}", kMaxDepth));
    }
    if (is("-") && peek().kind == Token::Kind::symbol) {
      const std::uint32_t begin = peek().offset;
      ++at_;
      const int operand = unary(depth + 1);
      if (operand < 0) return -1;
      const int node = operation(Op::negate, operand, -1);
      if (node >= 0) {
        ExpressionNode& made = expression_.nodes[static_cast<std::size_t>(node)];
        made.length += made.offset - begin;
        made.offset = begin;
      }
      return node;
    }
    return primary(depth);
  }

  int primary(int depth) {
    const Token token = peek();
    if (token.kind == Token::Kind::number) {
      ++at_;
      return number(token, token.value);
    }
    if (accept("(")) {
      const int inner = level(0, depth + 1);
      if (inner < 0) return -1;
      if (!accept(")")) return fail(code::kExpression, peek(), "a closing parenthesis is missing here");
      return inner;
    }
    if (token.kind == Token::Kind::name) return name(depth);
    if (token.kind == Token::Kind::end) {
      return fail(code::kExpression, token,
                  expression_.text.empty() ? "the expression is empty" : "the expression ends too early");
    }
    return fail(code::kExpression, token, fmt::format("'{}' does not belong here", token.text),
                "a value or a name is missing before it");
  }

  int number(const Token& token, double value) {
    ExpressionNode node;
    node.kind = ExpressionNode::Kind::number;
    node.value = value;
    node.c_rate = token.has_unit && token.unit.c_rate;
    node.type = {token.has_unit ? token.unit.dimension : text::dimension::kNone, false, token.absolute};
    node.offset = token.offset;
    node.length = token.length;
    return add(std::move(node));
  }

  int name(int depth) {
    const Token token = next();
    if (token.text == "C" && is("/") && tokens_[at_ + 1].kind == Token::Kind::number && !tokens_[at_ + 1].has_unit) {
      return c_rate(token);
    }
    if (is("(")) return call(token, depth);
    if (is(".")) return token.text == "cell" ? rating(token) : result(token);
    ExpressionNode own;
    own.offset = token.offset;
    own.length = token.length;
    if (scope_.names != nullptr) {
      own.name = std::string(token.text);
      const auto parameter = scope_.names->parameters.find(own.name);
      if (parameter != scope_.names->parameters.end()) {
        if (parameter->second.broken) return -1;
        own.kind = ExpressionNode::Kind::parameter;
        own.type = parameter->second.type;
        own.c_rate = parameter->second.c_rate;
        return add(std::move(own));
      }
      const auto variable = scope_.names->variables.find(own.name);
      if (variable != scope_.names->variables.end()) {
        if (variable->second.broken) return -1;
        own.kind = ExpressionNode::Kind::variable;
        own.type = variable->second.type;
        return add(std::move(own));
      }
    }
    for (const LiveName& candidate : live_names()) {
      if (token.text != candidate.name) continue;
      ExpressionNode node;
      node.kind = ExpressionNode::Kind::live;
      node.live = candidate.live;
      node.type = candidate.type;
      node.offset = token.offset;
      node.length = token.length;
      return add(std::move(node));
    }
    return unknown_name(token);
  }

  // "cell" "." rating
  int rating(const Token& token) {
    accept(".");
    const Token which = next();
    const auto& known = rating_names();
    const auto found =
        std::find_if(known.begin(), known.end(), [&](const RatingName& r) { return which.text == r.name; });
    if (found == known.end()) {
      std::vector<std::string> names;
      for (const RatingName& r : known) names.emplace_back(r.name);
      const std::string near = text::nearest(which.text, names);
      return fail(code::kUnknownName, which, fmt::format("'{}' is no rating of a cell", which.text),
                  near.empty() ? fmt::format("ratings are {}", fmt::join(names, ", "))
                               : fmt::format("did you mean cell.{}?", near));
    }
    ExpressionNode node;
    node.kind = ExpressionNode::Kind::rating;
    node.rating = static_cast<std::uint8_t>(found - known.begin());
    node.type = found->type;
    node.offset = token.offset;
    node.length = which.offset + which.length - token.offset;
    return add(std::move(node));
  }

  // name {"." name} "." quantity [ "[" first | last | n "]" ]
  int result(const Token& token) {
    ExpressionNode node;
    node.name = std::string(token.text);
    node.offset = token.offset;
    if (token.text == "aux" || token.text == "bms") {
      return fail(code::kNotYet, token, fmt::format("'{}.': no station gives such signals to a profile", token.text),
                  "use temperature or chamber_temperature");
    }
    Token quantity = token;
    while (accept(".")) {
      if (quantity.offset != token.offset) node.name += "." + std::string(quantity.text);
      quantity = next();
      if (quantity.kind != Token::Kind::name) return fail(code::kExpression, quantity, "a name is missing here");
    }
    node.length = quantity.offset + quantity.length - token.offset;
    const auto& known = result_names();
    const auto found =
        std::find_if(known.begin(), known.end(), [&](const ResultName& r) { return quantity.text == r.name; });
    if (found == known.end()) {
      std::vector<std::string> names;
      for (const ResultName& r : known) names.emplace_back(r.name);
      const std::string near = text::nearest(quantity.text, names);
      return fail(
          code::kUnknownName, quantity, fmt::format("'{}' is nothing that a step leaves behind", quantity.text),
          near.empty() ? fmt::format("results are {}", fmt::join(names, ", ")) : fmt::format("did you mean {}?", near));
    }
    node.quantity = found->quantity;
    node.type = found->type;
    node.kind = ExpressionNode::Kind::result;
    const Token bracket = peek();
    if (scope_.names != nullptr && scope_.names->marks.count(node.name) != 0) {
      node.kind = ExpressionNode::Kind::mark;
      if (!found->of_block) {
        return fail(code::kUnknownName, quantity, fmt::format("a mark has no {}", quantity.text),
                    "since a mark: capacities, energies and the duration");
      }
      if (is("[")) return fail(code::kExpression, bracket, "a mark has one value only, it takes no [first], [last]");
    } else if (accept("[") && !pick(node)) {
      return -1;
    }
    return add(std::move(node));
  }

  // What stands between the brackets, and the closing one.
  bool pick(ExpressionNode& node) {
    const Token which = next();
    if (which.text == "first") {
      node.pick = ResultPick::first;
    } else if (which.text == "last") {
      node.pick = ResultPick::last;
    } else if (which.kind == Token::Kind::number && !which.has_unit && which.value >= 1.0 && which.value <= 1e6 &&
               which.value == std::floor(which.value)) {
      node.pick = which.value == 1.0 ? ResultPick::first : ResultPick::nth;
      node.nth = which.value == 1.0 ? 0 : static_cast<std::uint32_t>(which.value);
    } else {
      fail(code::kExpression, which, fmt::format("'{}' does not say which result", which.text),
           "write [first], [last] or a number from 1: [3]");
      return false;
    }
    if (!accept("]")) {
      fail(code::kExpression, peek(), "a closing bracket is missing here");
      return false;
    }
    node.length = tokens_[at_ - 1].offset + tokens_[at_ - 1].length - node.offset;
    return true;
  }

  int c_rate(const Token& token) {
    ++at_;
    const Token divisor = next();
    if (divisor.value <= 0.0) return fail(code::kExpression, divisor, "C/0 is no rate");
    ExpressionNode node;
    node.kind = ExpressionNode::Kind::number;
    node.value = round_constant(1.0 / divisor.value);
    node.c_rate = true;
    node.type = type::kCurrent;
    node.offset = token.offset;
    node.length = divisor.offset + divisor.length - token.offset;
    return add(std::move(node));
  }

  int unknown_name(const Token& token) {
    if (text::find_unit(token.text)) {
      return fail(code::kExpression, token, fmt::format("the unit {} stands without a number", token.text),
                  fmt::format("write 1 {}", token.text));
    }
    if (token.text == "cell") {
      return fail(code::kUnknownName, token, "'cell' is the cell of the launch; it has ratings",
                  "write which one, for instance cell.voltage_max");
    }
    if (scope_.names == nullptr) {
      return fail(code::kUnknownName, token,
                  fmt::format("'{}' is no constant that a parameter can be made of", token.text),
                  "numbers with units, nominal_capacity and the cell's ratings are, for instance cell.voltage_max");
    }
    std::vector<std::string> known = {"abs", "min", "max", "mod"};
    for (const LiveName& candidate : live_names()) known.emplace_back(candidate.name);
    for (const auto& [parameter, unused] : scope_.names->parameters) known.push_back(parameter);
    for (const auto& [variable, unused] : scope_.names->variables) known.push_back(variable);
    const std::string near = text::nearest(token.text, known);
    return fail(code::kUnknownName, token,
                fmt::format("'{}' is neither a parameter, a variable nor a live quantity", token.text),
                near.empty() ? "declare it under [parameters], or give it a value by set"
                             : fmt::format("did you mean {}?", near));
  }

  // rate(quantity, time) and avg(quantity, time)
  int window(const Token& token, int depth) {
    accept("(");
    const Token quantity = next();
    const auto& known = live_names();
    const auto live =
        std::find_if(known.begin(), known.end(), [&](const LiveName& l) { return quantity.text == l.name; });
    if (live == known.end() || live->live == Live::nominal_capacity) {
      return fail(code::kUnknownName, quantity, fmt::format("'{}' is no live quantity", quantity.text),
                  fmt::format("{} looks back at one quantity, for instance {}(voltage, 60 s)", token.text, token.text));
    }
    if (!accept(",")) return fail(code::kExpression, peek(), "the time to look back over is missing here", "60 s");
    ExpressionNode node;
    node.kind = ExpressionNode::Kind::window;
    node.op = token.text == "rate" ? Op::rate : Op::mean;
    node.live = live->live;
    node.left = level(0, depth + 1);
    if (node.left < 0) return -1;
    const ExpressionNode& time = expression_.at(node.left);
    if (time.type != type::kTime) {
      return fail(code::kQuantity, time.offset, time.length,
                  fmt::format("the time to look back over is a time, this is a {}", type_name(time.type)),
                  "write 60 s");
    }
    const Token end = peek();
    if (!accept(")")) return fail(code::kExpression, end, "a closing parenthesis is missing here");
    node.type = live->type;
    if (node.op == Op::rate) node.type = {live->type.dimension / text::dimension::kTime, false, false};
    node.offset = token.offset;
    node.length = end.offset + end.length - token.offset;
    return add(std::move(node));
  }

  int call(const Token& token, int depth) {
    struct Function {
      std::string_view name;
      Op op;
      std::size_t arguments;
    };
    static constexpr std::array<Function, 4> kFunctions = {
        {{"abs", Op::abs, 1}, {"min", Op::min, 2}, {"max", Op::max, 2}, {"mod", Op::mod, 2}}};
    if (token.text == "rate" || token.text == "avg") return window(token, depth);
    const auto* function =
        std::find_if(kFunctions.begin(), kFunctions.end(), [&](const Function& f) { return f.name == token.text; });
    if (function == kFunctions.end()) {
      const std::string near = text::nearest(token.text, {"abs", "min", "max", "mod", "rate", "avg"});
      return fail(code::kUnknownName, token, fmt::format("'{}' is not a function", token.text),
                  near.empty() ? "functions are abs, min, max, mod, rate, avg" : fmt::format("did you mean {}?", near));
    }
    accept("(");
    std::vector<int> arguments;
    do {
      arguments.push_back(level(0, depth + 1));
      if (arguments.back() < 0) return -1;
    } while (accept(","));
    if (!accept(")")) return fail(code::kExpression, peek(), "a closing parenthesis is missing here");
    if (arguments.size() < function->arguments || (function->arguments == 1 && arguments.size() > 1) ||
        (function->op == Op::mod && arguments.size() != 2)) {
      return fail(code::kExpression, token,
                  fmt::format("{} takes {} value{}, here are {}", token.text, function->arguments,
                              function->arguments == 1 ? "" : "s", arguments.size()));
    }
    int result = arguments[0];
    if (function->arguments == 1) return operation(function->op, result, -1);
    for (std::size_t i = 1; i < arguments.size() && result >= 0; ++i) {
      result = operation(function->op, result, arguments[i]);
    }
    return result;
  }

  Expression& expression_;
  std::vector<Token> tokens_;
  const Scope& scope_;
  text::Diagnostics& diagnostics_;
  std::size_t at_ = 0;
};

}  // namespace

Expression parse_expression(const text::TomlNode& node, const Scope& scope, text::Diagnostics& diagnostics) {
  Expression expression;
  expression.given = true;
  expression.where = node.value;
  if (node.is_number()) {
    expression.text =
        node.kind == text::TomlNode::Kind::integer ? fmt::format("{}", node.integer) : fmt::format("{}", node.floating);
    ExpressionNode number;
    number.value = round_constant(node.number());
    number.length = static_cast<std::uint32_t>(expression.text.size());
    expression.nodes.push_back(number);
    expression.root = 0;
    return expression;
  }
  if (!node.is_string()) {
    diagnostics.error(code::kExpression, node.value, "this must be an expression in quotes",
                      "for instance \"voltage >= 4.2 V\"");
    return expression;
  }
  expression.text = node.string;
  auto tokens = tokenize(expression.text, expression.where, diagnostics);
  if (!tokens) return expression;
  Parser(expression, std::move(*tokens), scope, diagnostics).run();
  if (expression.ok() && stack_need(expression) > kMaxStack) {
    diagnostics.error(
        code::kExpressionSize, expression.where,
        fmt::format("the expression needs {} places of stack, {} are there", stack_need(expression), kMaxStack),
        "use fewer nested parentheses");
    expression.root = -1;
  }
  return expression;
}

}  // namespace cyclerd::profiles
