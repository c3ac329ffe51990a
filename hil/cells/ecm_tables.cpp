#include "hil/cells/ecm_tables.hpp"

#include <cmath>

#include "protocols/base/check.hpp"

namespace cyclerd::hil {
namespace {

void join(EcmTables::Group& group, std::uint8_t axis) {
  for (std::size_t i = 0; i < group.count; ++i) {
    if (group.axis[i] == axis) return;
  }
  group.axis[group.count++] = axis;
}

void join(EcmTables::Group& group, const EcmTables::Group& other) {
  for (std::size_t i = 0; i < other.count; ++i) join(group, other.axis[i]);
}

std::uint8_t find_or_add(std::array<const Axis*, EcmTables::kMaxAxes>& known, std::size_t& count, const Axis& axis) {
  for (std::size_t i = 0; i < count; ++i) {
    if (known[i]->knots() == axis.knots()) return static_cast<std::uint8_t>(i);
  }
  ENSURE(count < known.size(), "more axes than an equivalent circuit has tables");
  known[count] = &axis;
  return static_cast<std::uint8_t>(count++);
}

}  // namespace

std::uint8_t EcmTables::soc_axis(const Axis& axis) {
  return find_or_add(soc_, soc_count_, axis);
}

TableRef EcmTables::add(const StateMap& map, Group& group) {
  TableRef ref;
  ref.map = &map;
  ref.column = soc_axis(map.soc());
  ref.row = find_or_add(temperature_, temperature_count_, map.temperature_degC());
  join(group, ref.column);
  if (map.activation_K() == 0.0) return ref;
  for (std::size_t i = 1; i < factor_count_; ++i) {
    if (activated_[i]->activation_K() == map.activation_K() && activated_[i]->reference_K() == map.reference_K()) {
      ref.factor = static_cast<std::uint8_t>(i);
      return ref;
    }
  }
  activated_[factor_count_] = &map;
  ref.factor = static_cast<std::uint8_t>(factor_count_++);
  return ref;
}

EcmTables::EcmTables(const EcmSet& set) {
  ocv = add(set.ocv_V, surface);
  hysteresis = add(set.hysteresis_V, surface);
  entropy_column = soc_axis(set.entropic_V_per_K.axis());
  join(surface, entropy_column);
  join(between, surface);
  series = add(set.series_Ohm, bulk);
  if (set.kinetics) exchange = add(set.kinetics->exchange_A, surface);
  if (set.diffusion) diffusion_tau = add(set.diffusion->tau_s, middle);
  for (std::size_t j = 0; j < set.branches.size(); ++j) {
    resistance[j] = add(set.branches[j].resistance_Ohm, middle);
    if (!set.branches[j].tau_s.constant()) tau[j] = add(set.branches[j].tau_s, middle);
  }
  if (set.diffusion) join(middle, ocv.column);  // the heat of the step: OCV at the mean of the sphere as well
  if (!set.diffusion) join(middle, between);
  join(both, surface);
  join(both, bulk);
}

void EcmTables::warm(double temperature_degC, Warmth& out) const noexcept {
  for (std::size_t i = 0; i < temperature_count_; ++i) {
    out.row[i] = temperature_[i]->locate(temperature_degC, false);
  }
  if (factor_count_ < 2) return;
  const double inverse = 1.0 / (temperature_degC + 273.15);
  for (std::size_t i = 1; i < factor_count_; ++i) {
    out.factor[i] = std::exp(activated_[i]->activation_K() * (inverse - 1.0 / activated_[i]->reference_K()));
  }
}

}  // namespace cyclerd::hil
