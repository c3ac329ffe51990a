#include "hil/cells/expression.hpp"

#include <fmt/format.h>
#include <muParser.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

namespace cyclerd::hil {

struct Expression::Compiled {
  double x = 0.0;
  mu::Parser parser;
};

namespace {

struct NamedFunction {
  const char* name;
  double (*call)(double);
};

constexpr std::array kFunctions = {
    NamedFunction{"exp", [](double x) { return std::exp(x); }},
    NamedFunction{"log", [](double x) { return std::log(x); }},
    NamedFunction{"log10", [](double x) { return std::log10(x); }},
    NamedFunction{"sqrt", [](double x) { return std::sqrt(x); }},
    NamedFunction{"abs", [](double x) { return std::abs(x); }},
    NamedFunction{"sin", [](double x) { return std::sin(x); }},
    NamedFunction{"cos", [](double x) { return std::cos(x); }},
    NamedFunction{"tan", [](double x) { return std::tan(x); }},
    NamedFunction{"sinh", [](double x) { return std::sinh(x); }},
    NamedFunction{"cosh", [](double x) { return std::cosh(x); }},
    NamedFunction{"tanh", [](double x) { return std::tanh(x); }},
    NamedFunction{"asinh", [](double x) { return std::asinh(x); }},
};
constexpr std::array kPairFunctions = {"min", "max"};

std::vector<std::string> known_names() {
  std::vector<std::string> names{"x"};
  for (const auto& function : kFunctions) names.emplace_back(function.name);
  names.insert(names.end(), kPairFunctions.begin(), kPairFunctions.end());
  return names;
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

// Walks over the text before the library sees it, so that the library meets only what the language has: nothing of its
// assignments, strings, conditions and constants.
class Tokens {
 public:
  Tokens(std::string_view text, std::string_view what, text::Span where, text::Diagnostics& diagnostics)
      : text_(text), what_(what), where_(std::move(where)), diagnostics_(diagnostics) {}

  // The text as the library writes it, of the same length; nullopt after reporting.
  std::optional<std::string> canonical() {
    if (text_.size() > kMaxExpressionBytes) {
      report(0, text_.size(),
             fmt::format("is {} characters long, at most {} are read", text_.size(), kMaxExpressionBytes),
             "give a table {x = [...], value = [...]} instead");
      return std::nullopt;
    }
    while (at_ < text_.size()) {
      if (!take()) return std::nullopt;
      if (count_ > kMaxExpressionTokens) {
        report(at_, 1, fmt::format("has more than {} numbers, names and operators", kMaxExpressionTokens),
               "give a table {x = [...], value = [...]} instead");
        return std::nullopt;
      }
    }
    if (count_ != 0) return std::move(out_);
    report(0, 1, "is empty", "write a number or a function of x, such as \"4.2 - 0.8*x\"");
    return std::nullopt;
  }

  void report(std::size_t offset, std::size_t length, const std::string& message, std::string help = {}) {
    text::Span place = where_;
    // Only then do the characters of the span match those of the text: no escapes, one line.
    if (where_.line != 0 && where_.length == text_.size() && offset < text_.size()) {
      place.column += static_cast<std::uint32_t>(offset);
      place.length = static_cast<std::uint32_t>(std::max<std::size_t>(1, std::min(length, text_.size() - offset)));
    }
    diagnostics_.error("C020", place, fmt::format("{} {}", what_, message), std::move(help));
  }

 private:
  bool take() {
    const char c = text_[at_];
    if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
      out_ += ' ';
      ++at_;
      return true;
    }
    ++count_;
    if (is_digit(c) || (c == '.' && at_ + 1 < text_.size() && is_digit(text_[at_ + 1]))) return take_number();
    if (is_letter(c)) return take_name();
    return take_sign(c);
  }

  bool take_number() {
    const std::size_t from = at_;
    auto digits = [&] {
      while (at_ < text_.size() && is_digit(text_[at_])) ++at_;
    };
    digits();
    if (at_ < text_.size() && text_[at_] == '.') ++at_;
    digits();
    if (at_ < text_.size() && (text_[at_] == 'e' || text_[at_] == 'E')) {
      std::size_t exponent = at_ + 1;
      if (exponent < text_.size() && (text_[exponent] == '+' || text_[exponent] == '-')) ++exponent;
      if (exponent < text_.size() && is_digit(text_[exponent])) {
        at_ = exponent;
        digits();
      }
    }
    const std::string_view number = text_.substr(from, at_ - from);
    if (at_ < text_.size() && (is_letter(text_[at_]) || text_[at_] == '.')) {
      report(from, number.size() + 1, fmt::format("has '{}' right behind the number {}", text_[at_], number),
             "write the operator, as in 2*x; units do not belong here");
      return false;
    }
    out_ += number;
    return true;
  }

  bool take_name() {
    const std::size_t from = at_;
    while (at_ < text_.size() && (is_letter(text_[at_]) || is_digit(text_[at_]))) ++at_;
    const std::string name(text_.substr(from, at_ - from));
    const std::vector<std::string> names = known_names();
    if (std::find(names.begin(), names.end(), name) == names.end()) {
      const std::string near = text::nearest(name, names);
      report(from, name.size(), fmt::format("uses '{}', which is not known", name),
             near.empty()
                 ? "the variable is x; functions are exp log log10 sqrt abs sin cos tan sinh cosh tanh asinh min max"
                 : fmt::format("did you mean '{}'?", near));
      return false;
    }
    out_ += name;
    return true;
  }

  bool take_sign(char c) {
    const bool power = c == '*' && at_ + 1 < text_.size() && text_[at_ + 1] == '*';
    if (power) {
      out_ += "^ ";
      at_ += 2;
      return true;
    }
    if (c == '(' && ++depth_ > kMaxExpressionNesting) {
      report(at_, 1, fmt::format("nests parentheses deeper than {}", kMaxExpressionNesting));
      return false;
    }
    if (c == ')' && depth_ > 0) --depth_;
    if (std::string_view("+-*/(),").find(c) == std::string_view::npos) {
      const bool printable = std::isprint(static_cast<unsigned char>(c)) != 0;
      report(at_, 1,
             printable ? fmt::format("has the character '{}', which means nothing here", c)
                       : fmt::format("has the byte 0x{:02x}, which means nothing here", static_cast<unsigned char>(c)),
             c == '^' ? "a power is written **" : "operators are + - * / ** and parentheses");
      return false;
    }
    out_ += c;
    ++at_;
    return true;
  }

  std::string_view text_;
  std::string_view what_;
  text::Span where_;
  text::Diagnostics& diagnostics_;
  std::size_t at_ = 0;
  std::size_t count_ = 0;
  std::size_t depth_ = 0;
  std::string out_;
};

std::string reason_of(const mu::Parser::exception_type& error) {
  switch (error.GetCode()) {
    case mu::ecUNEXPECTED_EOF: return "ends too early";
    case mu::ecMISSING_PARENS: return "lacks a closing parenthesis";
    case mu::ecUNEXPECTED_PARENS: return "has a parenthesis too many";
    case mu::ecTOO_FEW_PARAMS: return "calls a function with too few values";
    case mu::ecTOO_MANY_PARAMS: return "calls a function with too many values";
    case mu::ecUNEXPECTED_OPERATOR: return "has an operator where a value is expected";
    case mu::ecUNEXPECTED_ARG_SEP: return "has a comma outside a function";
    case mu::ecUNEXPECTED_VAL:
    case mu::ecUNEXPECTED_VAR:
    case mu::ecUNEXPECTED_FUN: return "has two values without an operator between them";
    default: return "cannot be understood here";
  }
}

}  // namespace

Expression::Expression(std::unique_ptr<Compiled> compiled) : compiled_(std::move(compiled)) {}
Expression::Expression(Expression&&) noexcept = default;
Expression& Expression::operator=(Expression&&) noexcept = default;
Expression::~Expression() = default;

std::optional<Expression> Expression::compile(std::string_view text, std::string_view what, const text::Span& where,
                                              text::Diagnostics& diagnostics) {
  Tokens tokens(text, what, where, diagnostics);
  auto canonical = tokens.canonical();
  if (!canonical) return std::nullopt;
  auto compiled = std::make_unique<Compiled>();
  mu::Parser& parser = compiled->parser;
  try {
    parser.ClearFun();
    parser.ClearConst();
    for (const auto& function : kFunctions) parser.DefineFun(function.name, function.call);
    parser.DefineFun("min", [](double a, double b) { return std::min(a, b); });
    parser.DefineFun("max", [](double a, double b) { return std::max(a, b); });
    parser.DefineVar("x", &compiled->x);
    parser.SetExpr(*canonical);
    (void)parser.Eval();  // the library reads the text only now
    if (parser.GetNumResults() != 1) {
      tokens.report(0, text.size(), "is a list of values", "one function of x is wanted; separate nothing by commas");
      return std::nullopt;
    }
  } catch (const mu::Parser::exception_type& error) {
    const auto offset = static_cast<std::size_t>(std::max(0, error.GetPos()));
    tokens.report(std::min(offset, text.empty() ? 0 : text.size() - 1), 1, reason_of(error));
    return std::nullopt;
  }
  return Expression(std::move(compiled));
}

double Expression::at(double x) const {
  compiled_->x = x;
  try {
    return compiled_->parser.Eval();
  } catch (const mu::Parser::exception_type&) {
    return std::nan("");  // arithmetic only: the text was understood when it was compiled
  }
}

namespace {

struct Knot {
  double x = 0.0;
  double y = 0.0;
};

// Bisection where a straight line is not good enough.
class Sampler {
 public:
  Sampler(const std::function<double(double)>& function, const Sampling& sampling)
      : function_(function), sampling_(sampling) {}

  enum class End { good, no_number, too_many };

  End run() {
    constexpr int kStart = 256;  // finer than any bump of a fitted curve
    const double width = (sampling_.to - sampling_.from) / kStart;
    Knot left{sampling_.from, value(sampling_.from)};
    knots.push_back(left);
    for (int i = 1; i <= kStart && end_ == End::good; ++i) {
      const double x = i == kStart ? sampling_.to : sampling_.from + width * i;
      const Knot right{x, value(x)};
      fill(left, right, 0);
      knots.push_back(right);
      left = right;
    }
    return end_;
  }

  std::vector<Knot> knots;
  double bad_x = 0.0;

 private:
  double value(double x) {
    const double y = function_(x);
    if (!std::isfinite(y) && end_ == End::good) {
      end_ = End::no_number;
      bad_x = x;
    }
    return std::clamp(y, sampling_.lowest, sampling_.highest);
  }

  void fill(const Knot& left, const Knot& right, int depth) {
    if (end_ != End::good) return;
    auto off = [&](double fraction) {
      const double y = value(left.x + fraction * (right.x - left.x));
      const double straight = left.y + fraction * (right.y - left.y);
      return std::abs(y - straight) > sampling_.absolute + sampling_.relative * std::abs(y);
    };
    constexpr int kDeepest = 20;  // a jump stays a steep piece of 4e-9 of the range
    if (depth >= kDeepest || !(off(0.5) || off(0.25) || off(0.75))) return;
    if (knots.size() >= kMaxCurveKnots) {
      end_ = End::too_many;
      bad_x = left.x;
      return;
    }
    const double x = 0.5 * (left.x + right.x);
    const Knot middle{x, value(x)};
    fill(left, middle, depth + 1);
    knots.push_back(middle);
    fill(middle, right, depth + 1);
  }

  const std::function<double(double)>& function_;
  const Sampling& sampling_;
  End end_ = End::good;
};

}  // namespace

std::optional<Curve> sample(const std::function<double(double)>& function, const Sampling& sampling,
                            std::string_view what, const text::Span& where, text::Diagnostics& diagnostics) {
  Sampler sampler(function, sampling);
  switch (sampler.run()) {
    case Sampler::End::good: break;
    case Sampler::End::no_number:
      diagnostics.error("C021", where, fmt::format("{} is not a finite number at x = {:.6g}", what, sampler.bad_x),
                        fmt::format("it is read from x = {:g} to {:g}", sampling.from, sampling.to));
      return std::nullopt;
    case Sampler::End::too_many:
      diagnostics.error(
          "C022", where,
          fmt::format("{} changes too wildly near x = {:.6g}: {} points are not enough", what, sampler.bad_x,
                      kMaxCurveKnots),
          "is the variable in the right unit? stoichiometries run from 0 to 1, concentrations are mol/m3");
      return std::nullopt;
  }
  std::vector<double> x, y;
  for (const Knot& knot : sampler.knots) {
    x.push_back(knot.x);
    y.push_back(knot.y);
  }
  return Curve(Axis(std::move(x)), std::move(y));
}

}  // namespace cyclerd::hil
