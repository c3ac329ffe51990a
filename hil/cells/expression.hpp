// A function of one variable, written as text as battery parameter files do ("0.9*exp(-40*x) + tanh(3*(x - 0.1))"), and
// its table. Load time only. The only door to the expression library.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>

#include "hil/cells/table.hpp"
#include "protocols/text/diagnostics.hpp"

namespace cyclerd::hil {

// Limits against hostile files.
inline constexpr std::size_t kMaxExpressionBytes = 4096;
inline constexpr std::size_t kMaxExpressionTokens = 1024;
inline constexpr std::size_t kMaxExpressionNesting = 32;
inline constexpr std::size_t kMaxCurveKnots = 20000;

// Numbers, x, + - * / **, parentheses, and exp log log10 sqrt abs sin cos tan sinh cosh tanh asinh min max, with the
// precedence of Python (-x**2 is -(x**2)).
class Expression {
 public:
  // nullopt after reporting (C020). `what` names the value in messages; `where` is its place: a finding points at the
  // very token where the span is as long as the text.
  [[nodiscard]] static std::optional<Expression> compile(std::string_view text, std::string_view what,
                                                         const text::Span& where, text::Diagnostics& diagnostics);
  Expression(Expression&&) noexcept;
  Expression& operator=(Expression&&) noexcept;
  ~Expression();

  // NaN or infinite where the function is.
  [[nodiscard]] double at(double x) const;

 private:
  struct Compiled;
  explicit Expression(std::unique_ptr<Compiled> compiled);
  std::unique_ptr<Compiled> compiled_;
};

// How a function becomes a table. Linear interpolation between the knots is off by at most
// absolute + relative * |value|.
struct Sampling {
  double from = 0.0;
  double to = 1.0;
  double absolute = 0.0;
  double relative = 0.0;
  // Values beyond are cut there: a fitted curve shoots to 1e14 V where it was never meant to be read.
  double lowest = -1e300;
  double highest = 1e300;
};

// nullopt after reporting: C021 no number somewhere, C022 more knots than a table may have.
[[nodiscard]] std::optional<Curve> sample(const std::function<double(double)>& function, const Sampling& sampling,
                                          std::string_view what, const text::Span& where,
                                          text::Diagnostics& diagnostics);

}  // namespace cyclerd::hil
