// What a pack shows and remembers.
#include <algorithm>
#include <cmath>

#include "hil/cells/pack.hpp"

namespace cyclerd::hil {
namespace {

constexpr std::uint32_t kModel = 0x50434B31;  // "PCK1"
constexpr std::uint32_t kVersion = 1;

}  // namespace

void PackCell::set_ambient(double ambient_degC) noexcept {
  for (auto& member : members_) member->set_ambient(ambient_degC);
}

void PackCell::set_extra_heat(double heat_W) noexcept {
  if (!std::isfinite(heat_W) || std::abs(heat_W) > 1e9) {
    flags_ |= cell_flag::kBadInput;
    return;
  }
  extra_heat_W_ = heat_W;
  set_members_heat(0.0);
}

void PackCell::clear_flags() noexcept {
  for (auto& member : members_) member->clear_flags();
  flags_ = 0;
}

CellReadout PackCell::readout() const noexcept {
  CellReadout out;
  out.core_degC = out.surface_degC = -1e9;
  out.flags = flags_;
  out.heat_W = heat_W_;
  out.heat_J = heat_J_;
  double charge_C = 0.0;
  for (const auto& member : members_) {
    const CellReadout one = member->readout();
    charge_C += one.soc * one.capacity_C;
    out.capacity_C += one.capacity_C;
    out.ocv_V += one.ocv_V / static_cast<double>(set_->parallel);
    out.hysteresis += one.hysteresis / static_cast<double>(members_.size());
    out.resistance_growth += one.resistance_growth / static_cast<double>(members_.size());
    out.core_degC = std::max(out.core_degC, one.core_degC);
    out.surface_degC = std::max(out.surface_degC, one.surface_degC);
    out.heat_W += one.heat_W;
    out.heat_J += one.heat_J;
    out.heat_to_ambient_W += one.heat_to_ambient_W;
    out.flags |= one.flags;
  }
  out.soc = charge_C / out.capacity_C;
  out.capacity_C /= static_cast<double>(set_->series);
  return out;
}

PackExtremes PackCell::extremes() const noexcept {
  PackExtremes out;
  const auto [low, high] = std::minmax_element(group_V_.begin(), group_V_.end());
  out.voltage_min_V = *low;
  out.voltage_max_V = *high;
  const auto [least, most] = std::minmax_element(current_A_.begin(), current_A_.end());
  out.current_min_A = *least;
  out.current_max_A = *most;
  for (std::size_t k = 0; k < members_.size(); ++k) {
    const CellReadout one = members_[k]->readout();
    out.temperature_min_degC = k == 0 ? one.surface_degC : std::min(out.temperature_min_degC, one.surface_degC);
    out.temperature_max_degC = k == 0 ? one.surface_degC : std::max(out.temperature_max_degC, one.surface_degC);
    out.soc_min = k == 0 ? one.soc : std::min(out.soc_min, one.soc);
    out.soc_max = k == 0 ? one.soc : std::max(out.soc_max, one.soc);
  }
  return out;
}

// Own values, then per group its voltage and bleeding, then per member its current, flags and own values.
CellSnapshot PackCell::snapshot() const {
  CellSnapshot s;
  s.model = kModel;
  s.version = kVersion;
  s.set_fingerprint = set_->fingerprint;
  s.flags = flags_;
  s.value = {extra_heat_W_, heat_W_, heat_J_};
  for (std::size_t g = 0; g < set_->series; ++g) {
    s.value.push_back(group_V_[g]);
    s.value.push_back(static_cast<double>(bleeding_[g]));
  }
  for (std::size_t k = 0; k < members_.size(); ++k) {
    const CellSnapshot one = members_[k]->snapshot();
    s.value.push_back(current_A_[k]);
    s.value.push_back(static_cast<double>(one.flags));
    s.value.insert(s.value.end(), one.value.begin(), one.value.end());
  }
  return s;
}

bool PackCell::restore(const CellSnapshot& s) noexcept {
  if (s.model != kModel || s.version != kVersion || s.set_fingerprint != set_->fingerprint) return false;
  const CellSnapshot now = snapshot();
  if (s.value.size() != now.value.size()) return false;
  for (double x : s.value) {
    if (!std::isfinite(x)) return false;
  }
  std::size_t at = 3 + 2 * set_->series;
  // All or none: the members that took theirs get the old back when a later one refuses.
  std::vector<CellSnapshot> before;
  for (const auto& member : members_) before.push_back(member->snapshot());
  for (std::size_t k = 0; k < members_.size(); ++k) {
    CellSnapshot one = before[k];
    const double flags = s.value[at + 1];
    one.flags = flags >= 0.0 && flags <= 4294967295.0 ? static_cast<std::uint32_t>(flags) : 0;
    std::copy_n(s.value.begin() + static_cast<std::ptrdiff_t>(at) + 2, one.value.size(), one.value.begin());
    if (!members_[k]->restore(one)) {
      for (std::size_t j = 0; j < k; ++j) (void)members_[j]->restore(before[j]);
      return false;
    }
    at += 2 + one.value.size();
  }
  extra_heat_W_ = s.value[0];
  heat_W_ = s.value[1];
  heat_J_ = s.value[2];
  at = 3;
  for (std::size_t g = 0; g < set_->series; ++g, at += 2) {
    group_V_[g] = s.value[at];
    bleeding_[g] = s.value[at + 1] != 0.0 ? 1 : 0;
  }
  for (std::size_t k = 0; k < members_.size(); ++k) {
    current_A_[k] = s.value[at];
    at += 2 + before[k].value.size();
  }
  flags_ = s.flags;
  return true;
}

}  // namespace cyclerd::hil
