#include "profiles/exchange/number_text.hpp"

#include <fmt/format.h>

#include <cmath>

#include "profiles/exchange/import_parts.hpp"

namespace cyclerd::exchange {

std::string rate_text(double rate) {
  std::string decimal = unit_text(rate, "C");
  const double inverse = 1.0 / rate;
  const double whole = std::round(inverse);
  const bool divisor = whole >= 2.0 && whole <= 10'000.0 && std::abs(inverse - whole) <= 1e-9 * whole;
  return divisor && decimal.size() > 8 ? fmt::format("C/{}", whole) : decimal;
}

}  // namespace cyclerd::exchange
