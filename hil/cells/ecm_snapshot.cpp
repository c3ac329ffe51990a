// The state of an equivalent circuit as a list of numbers, and back.
#include <algorithm>
#include <bit>
#include <cmath>

#include "hil/cells/ecm_cell.hpp"

namespace cyclerd::hil {
namespace {

constexpr std::uint32_t kModel = 0x45434D31;  // "ECM1"
constexpr std::uint32_t kVersion = 3;
constexpr std::size_t kPlain = 15;
constexpr std::size_t kValues = kPlain + kMaxRc + kSphereModes + kAgeingValues;
using AgeingValues = std::array<double, kAgeingValues>;

}  // namespace

CellSnapshot EcmCell::snapshot() const {
  const State& s = *now_;
  CellSnapshot out;
  out.model = kModel;
  out.version = kVersion;
  out.set_fingerprint = set_->fingerprint;
  out.flags = s.flags;
  out.value = {s.soc,
               s.hysteresis,
               s.last_sign,
               s.faradaic_A,
               s.heat_W,
               s.heat_J,
               s.capacity_factor,
               s.resistance_factor,
               s.temperature.core_degC,
               s.temperature.surface_degC,
               s.temperature.fixture_degC,
               ambient_degC_,
               extra_heat_W_,
               cooling_factor_,
               s.ahead_soc};
  out.value.insert(out.value.end(), s.rc_V.begin(), s.rc_V.end());
  out.value.insert(out.value.end(), s.ahead.begin(), s.ahead.end());
  const auto ageing = std::bit_cast<AgeingValues>(ageing_);
  out.value.insert(out.value.end(), ageing.begin(), ageing.end());
  return out;
}

bool EcmCell::restore(const CellSnapshot& snapshot) noexcept {
  if (snapshot.model != kModel || snapshot.version != kVersion || snapshot.set_fingerprint != set_->fingerprint)
    return false;
  const auto& v = snapshot.value;
  if (v.size() != kValues || !std::ranges::all_of(v, [](double x) { return std::isfinite(x); })) return false;
  // Ageing beyond what a cell can be, or a cooling that would divide by zero, is no state.
  if (!(v[6] > 0.0) || !(v[7] > 0.0) || !(v[13] > 0.0)) return false;
  State s;
  s.soc = v[0];
  s.hysteresis = v[1];
  s.last_sign = v[2];
  s.faradaic_A = v[3];
  s.heat_W = v[4];
  s.heat_J = v[5];
  s.capacity_factor = v[6];
  s.resistance_factor = v[7];
  s.temperature = {v[8], v[9], v[10]};
  s.flags = snapshot.flags;
  const double* from = v.data() + kPlain;
  std::copy_n(from, kMaxRc, s.rc_V.begin());
  std::copy_n(from + kMaxRc, kSphereModes, s.ahead.begin());
  s.ahead_soc = v[14];
  AgeingValues ageing{};
  std::copy_n(from + kMaxRc + kSphereModes, kAgeingValues, ageing.begin());
  ambient_degC_ = v[11];
  extra_heat_W_ = v[12];
  if (v[13] != cooling_factor_) set_cooling(v[13]);
  ageing_ = std::bit_cast<AgeingState>(ageing);
  hold_in_bounds(s);
  *now_ = s;
  derive(*now_);
  now_->flags = snapshot.flags;
  pending_ = false;
  return true;
}

}  // namespace cyclerd::hil
