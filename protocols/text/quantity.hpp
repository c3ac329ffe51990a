// Units and dimensions: one table for profiles, station files, device files and cell files.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cyclerd::text {

// Exponents of the base units V, A, s, K. Temperatures in degC carry K^1 (their zero is 0 degC); a C-rate carries A^1
// (it is multiplied by the nominal capacity per hour when a profile is compiled). Capacity is A s, energy V A s, with
// base units Ah and Wh (see base_unit).
struct Dimension {
  std::int8_t volt = 0;
  std::int8_t ampere = 0;
  std::int8_t second = 0;
  std::int8_t kelvin = 0;

  constexpr bool operator==(const Dimension&) const = default;
  constexpr Dimension operator*(Dimension o) const {
    return {static_cast<std::int8_t>(volt + o.volt), static_cast<std::int8_t>(ampere + o.ampere),
            static_cast<std::int8_t>(second + o.second), static_cast<std::int8_t>(kelvin + o.kelvin)};
  }
  constexpr Dimension operator/(Dimension o) const {
    return {static_cast<std::int8_t>(volt - o.volt), static_cast<std::int8_t>(ampere - o.ampere),
            static_cast<std::int8_t>(second - o.second), static_cast<std::int8_t>(kelvin - o.kelvin)};
  }
};

namespace dimension {
inline constexpr Dimension kNone{};
inline constexpr Dimension kVoltage{1, 0, 0, 0};
inline constexpr Dimension kCurrent{0, 1, 0, 0};
inline constexpr Dimension kPower{1, 1, 0, 0};
inline constexpr Dimension kResistance{1, -1, 0, 0};
inline constexpr Dimension kTime{0, 0, 1, 0};
inline constexpr Dimension kTemperature{0, 0, 0, 1};
inline constexpr Dimension kCapacity{0, 1, 1, 0};
inline constexpr Dimension kEnergy{1, 1, 1, 0};
inline constexpr Dimension kTemperatureRate{0, 0, -1, 1};
inline constexpr Dimension kVoltageRate{1, 0, -1, 0};
inline constexpr Dimension kCurrentRate{0, 1, -1, 0};
inline constexpr Dimension kPowerRate{1, 1, -1, 0};
}  // namespace dimension

// Every value inside is SI: V, A, W, Ohm, s, degC (differences K), A s (coulomb) for capacity, J for energy. A unit's
// factor brings a written number there: 1 Ah = 3600 A s, 1 % = 0.01, 1 mV/min = 1e-3/60 V/s.
struct Unit {
  Dimension dimension;
  double factor = 1.0;
  bool c_rate = false;  // multiply by the nominal capacity / 1 h as well
};

// A unit as written after a number: "V", "mV", "uA", "degC", "K", "%", "C", "Ah", "mAh", "Wh", "min", "h", "d", "ms",
// "us", "Ohm", "mOhm", "kW", "Hz" ... and quotients of two ("mV/min", "K/min", "V/s"). nullopt when unknown.
[[nodiscard]] std::optional<Unit> find_unit(std::string_view text) noexcept;
// Every unit of the table but alternative spellings, in its order.
[[nodiscard]] std::vector<std::string_view> unit_names();
// The unit nearest to what was written, for hints; empty when nothing is near.
[[nodiscard]] std::string nearest_unit(std::string_view text);

// "voltage", "current", "time", ...; "V/s" style for the rest.
[[nodiscard]] std::string dimension_name(Dimension dimension);
// An example of a unit for hints: "V", "A", "s", "degC", "Ah", "Wh".
[[nodiscard]] std::string example_unit(Dimension dimension);

struct QuantityValue {
  double value = 0.0;  // SI, before the nominal capacity is applied when `c_rate`
  Dimension dimension;
  bool c_rate = false;
};
struct QuantityError {
  std::size_t offset = 0;  // in bytes, in the text
  std::size_t length = 1;
  std::string message;
  std::string help;
};
// One constant: number, unit ("4.2 V", "-50 mA", "10 min", "80 %", "C/20", "1e-3 s"). Not an expression.
[[nodiscard]] std::optional<QuantityValue> parse_quantity(std::string_view text, QuantityError& error);

// For people: 4.2 V, 2.5 A, 90 min, 25 degC, 4.95 Ah. Picks a prefix; at most `significant` digits.
[[nodiscard]] std::string format_quantity(double value_SI, Dimension dimension, int significant = 6);

}  // namespace cyclerd::text
