#include "hil/cells/source_cell.hpp"

#include <cmath>
#include <utility>

#include "protocols/base/check.hpp"

namespace cyclerd::hil {
namespace {

constexpr std::uint32_t kModel = 0x53524331;  // "SRC1"
constexpr std::uint32_t kVersion = 1;
constexpr double kCurrentMax_A = 1e6;
constexpr double kStepMax_s = 1e7, kTemperatureMax_degC = 1500.0;

bool usable(double x, double bound) {
  return std::isfinite(x) && std::abs(x) <= bound;
}

}  // namespace

SourceCell::SourceCell(std::shared_ptr<const SourceSet> set, const CellStart& start) : set_(std::move(set)) {
  ENSURE(set_ && set_->capacity_C > 0.0, "a cell set that the loader must refuse");
  if (usable(start.temperature_degC, kTemperatureMax_degC)) ambient_degC_ = start.temperature_degC;
  reset(start);
}

void SourceCell::reset(const CellStart& start) noexcept {
  if (!usable(start.soc, 2.0) || !usable(start.temperature_degC, kTemperatureMax_degC)) {
    state_.flags |= cell_flag::kBadInput;
    return;
  }
  state_.soc = start.soc;
  proposed_ = state_;
}

void SourceCell::set_ambient(double ambient_degC) noexcept {
  if (usable(ambient_degC, kTemperatureMax_degC)) {
    ambient_degC_ = ambient_degC;
  } else {
    state_.flags |= cell_flag::kBadInput;
  }
}

Affine SourceCell::terminal_after(double /*start_A*/, double near_A, double /*dt_s*/) noexcept {
  return terminal(near_A);
}

double SourceCell::propose(double start_A, double end_A, double dt_s) noexcept {
  proposed_ = state_;
  if (!usable(start_A, kCurrentMax_A) || !usable(end_A, kCurrentMax_A) || !usable(dt_s, kStepMax_s) || dt_s < 0.0) {
    proposed_.flags |= cell_flag::kBadInput;
    return set_->emf_V;
  }
  proposed_.soc += 0.5 * (start_A + end_A) * dt_s / set_->capacity_C;
  proposed_.heat_W = set_->resistance_Ohm * (start_A * start_A + start_A * end_A + end_A * end_A) / 3.0;
  proposed_.heat_J += proposed_.heat_W * dt_s;
  return set_->emf_V + set_->resistance_Ohm * end_A;
}

CellReadout SourceCell::readout() const noexcept {
  CellReadout out;
  out.soc = state_.soc;
  out.ocv_V = set_->emf_V;
  out.core_degC = ambient_degC_;
  out.surface_degC = ambient_degC_;
  out.heat_W = state_.heat_W;
  out.heat_J = state_.heat_J;
  out.capacity_C = set_->capacity_C;
  out.flags = state_.flags;
  return out;
}

CellSnapshot SourceCell::snapshot() const {
  CellSnapshot s;
  s.model = kModel;
  s.version = kVersion;
  s.set_fingerprint = set_->fingerprint;
  s.flags = state_.flags;
  s.value = {state_.soc, state_.heat_W, state_.heat_J, ambient_degC_};
  return s;
}

bool SourceCell::restore(const CellSnapshot& s) noexcept {
  if (s.model != kModel || s.version != kVersion || s.set_fingerprint != set_->fingerprint) return false;
  if (s.value.size() != 4) return false;
  for (double x : s.value) {
    if (!std::isfinite(x)) return false;
  }
  state_ = {s.value[0], s.value[1], s.value[2], s.flags};
  ambient_degC_ = s.value[3];
  proposed_ = state_;
  return true;
}

}  // namespace cyclerd::hil
