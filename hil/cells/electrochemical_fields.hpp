// What the fields of an electrochemical set may be, whatever file they are written in (own TOML, BPX), and the checks
// that need the whole set.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "hil/cells/cell_model.hpp"
#include "hil/cells/electrochemical_set.hpp"
#include "hil/cells/function_value.hpp"
#include "hil/cells/read_table.hpp"

namespace cyclerd::hil::field {

inline constexpr Bounds kThickness_m{1e-7, 1e-2, "m"};
inline constexpr Bounds kRadius_m{1e-9, 1e-4, "m"};
inline constexpr Bounds kFraction{1e-3, 1.0, ""};
inline constexpr Bounds kBruggeman{0.0, 10.0, ""};
inline constexpr Bounds kSurface_per_m{1e2, 1e10, "1/m"};
inline constexpr Bounds kConcentration_mol_per_m3{1.0, 2e5, "mol/m3"};
inline constexpr Bounds kSalt_mol_per_m3{10.0, 3900.0, "mol/m3"};
inline constexpr Bounds kConductivity_S_per_m{1e-10, 1e9, "S/m"};
inline constexpr Bounds kActivation_J_per_mol{0.0, 2e5, "J/mol"};
inline constexpr Bounds kArea_m2{1e-7, 1e4, "m2"};
inline constexpr Bounds kStoichiometry{0.0, 1.0, ""};
inline constexpr Bounds kRate_mol_per_m2_s{1e-15, 1.0, "mol/(m2 s)"};
inline constexpr Bounds kExchange_A_per_m2{0.0, 1e6, "A/m2"};

// Over stoichiometry. A potential is read from 1e-6 to 1 - 1e-6, so that logarithms are welcome.
inline constexpr FunctionRules kPotential{{-5.0, 10.0, "V"}, kStoichiometry, {1e-6, 1.0 - 1e-6, 5e-5, 0.0}, true, 0.5};
inline constexpr FunctionRules kEntropy{{-0.01, 0.01, "V/K"}, kStoichiometry, {0.0, 1.0, 1e-7, 1e-3}};
inline constexpr FunctionRules kDiffusivity{{1e-24, 1e-6, "m2/s"}, kStoichiometry, {0.0, 1.0, 0.0, 1e-3}};
inline constexpr FunctionRules kRate{kRate_mol_per_m2_s, kStoichiometry, {0.0, 1.0, 0.0, 1e-3}};
inline constexpr FunctionRules kExchange{kExchange_A_per_m2, kStoichiometry, {0.0, 1.0, 1e-7, 5e-4}};
// Over salt concentration in mol/m3; good_at is set to the initial one.
inline constexpr Bounds kSaltAxis{0.0, 10000.0, "mol/m3"};
inline constexpr FunctionRules kSaltDiffusivity{{1e-14, 1e-7, "m2/s"}, kSaltAxis, {1.0, 4000.0, 0.0, 1e-3}, true};
inline constexpr FunctionRules kSaltConductivity{{1e-6, 100.0, "S/m"}, kSaltAxis, {1.0, 4000.0, 0.0, 1e-3}, true};
inline constexpr FunctionRules kTransference{{-5.0, 1.0, ""}, kSaltAxis, {1.0, 4000.0, 1e-4, 0.0}, true};
inline constexpr FunctionRules kThermodynamicFactor{{0.01, 100.0, ""}, kSaltAxis, {1.0, 4000.0, 1e-4, 1e-3}, true};

[[nodiscard]] FunctionRules at_salt(FunctionRules rules, double initial_mol_per_m3);
[[nodiscard]] FunctionRules with_value_key(FunctionRules rules, std::string_view key);

// The curve on equally spaced knots, which the models read without a search: as many as keep it within 0.05 mV, at most
// 16001. Where that is not enough (a measured cliff), the window of stoichiometries is still found on the very curve
// that the model reads.
[[nodiscard]] Curve evenly_spaced(const Curve& potential_V);
// factor(x) sqrt(x (1 - x)) as a table.
[[nodiscard]] Curve exchange_curve(const Curve& factor);

// Where to point when something is wrong with the whole.
struct Places {
  text::Span set;
  text::Span negative_ocp;
  text::Span positive_ocp;
  text::Span voltage_min;
  text::Span voltage_max;
  text::Span capacity;
  std::string voltage_min_key;  // as it is written in the file
  std::string voltage_max_key;
};

// A pair of stoichiometries that the cell can have at the same time: it fixes the cyclable lithium.
struct KnownPair {
  double negative = 0.0;
  double positive = 0.0;
};

// Finds soc 0 and soc 1, puts them into the set and checks it as a whole. C024 an OCP that rises, C025 a voltage that
// the cell cannot reach, C026 what the models refuse; C027 (warning) a capacity that is not the one of the electrodes.
void complete(ElectrochemicalSet& set, const SetHeader& header, const KnownPair& pair, const Places& places,
              text::Diagnostics& diagnostics);

}  // namespace cyclerd::hil::field
