// Strong types for physical quantities. Charge current is positive, here and everywhere.
#pragma once

#include <compare>

namespace cyclerd::base {

// A number of one physical quantity in its one base unit. The tag is the unit; different tags do not mix.
template <class Unit>
struct Quantity {
  double value = 0.0;

  constexpr Quantity() = default;
  constexpr explicit Quantity(double v) : value(v) {}
  constexpr auto operator<=>(const Quantity&) const = default;
  constexpr Quantity operator-() const { return Quantity{-value}; }
  constexpr Quantity operator+(Quantity o) const { return Quantity{value + o.value}; }
  constexpr Quantity operator-(Quantity o) const { return Quantity{value - o.value}; }
  constexpr Quantity operator*(double k) const { return Quantity{value * k}; }
  constexpr Quantity operator/(double k) const { return Quantity{value / k}; }
  constexpr double operator/(Quantity o) const { return value / o.value; }
};

using Volt = Quantity<struct VoltUnit>;
using Ampere = Quantity<struct AmpereUnit>;
using Watt = Quantity<struct WattUnit>;
using Ohm = Quantity<struct OhmUnit>;
using AmpereHour = Quantity<struct AmpereHourUnit>;
using WattHour = Quantity<struct WattHourUnit>;
using Celsius = Quantity<struct CelsiusUnit>;  // temperature; differences are Kelvin
using Kelvin = Quantity<struct KelvinUnit>;    // temperature difference

}  // namespace cyclerd::base
