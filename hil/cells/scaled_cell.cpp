#include "hil/cells/scaled_cell.hpp"

#include <cmath>
#include <limits>
#include <utility>

#include "protocols/base/check.hpp"
#include "protocols/text/quantity.hpp"

namespace cyclerd::hil {
namespace {

constexpr std::uint32_t kMark = 0x5343414C;  // "SCAL", over the cell's own word

Affine times(const Affine& one, double count) {
  return {one.emf_V, one.resistance_Ohm / count};
}

class ScaledModel final : public CellModel {
 public:
  ScaledModel(std::shared_ptr<const CellModel> model, double count) : model_(std::move(model)), count_(count) {}
  [[nodiscard]] std::unique_ptr<Cell> make(const CellStart& start) const override {
    return std::make_unique<ScaledCell>(model_->make(start), count_);
  }
  [[nodiscard]] std::string_view name() const noexcept override { return model_->name(); }

 private:
  std::shared_ptr<const CellModel> model_;
  double count_;
};

}  // namespace

ScaledCell::ScaledCell(std::unique_ptr<Cell> cell, double count) : cell_(std::move(cell)), count_(count) {
  ENSURE(cell_ != nullptr && std::isfinite(count) && count > 0.0, "a cell scaled by a number above 0");
}

Affine ScaledCell::terminal(double near_A) const noexcept {
  return times(cell_->terminal(near_A / count_), count_);
}

Affine ScaledCell::terminal_after(double start_A, double near_A, double dt_s) noexcept {
  return times(cell_->terminal_after(start_A / count_, near_A / count_, dt_s), count_);
}

double ScaledCell::propose(double start_A, double end_A, double dt_s) noexcept {
  return cell_->propose(start_A / count_, end_A / count_, dt_s);
}

CellReadout ScaledCell::readout() const noexcept {
  CellReadout out = cell_->readout();
  for (double* x : {&out.heat_W, &out.heat_J, &out.heat_to_ambient_W, &out.capacity_C}) *x *= count_;
  return out;
}

CellSnapshot ScaledCell::snapshot() const {
  CellSnapshot s = cell_->snapshot();
  s.model ^= kMark;
  s.value.push_back(count_);
  return s;
}

bool ScaledCell::restore(const CellSnapshot& s) noexcept {
  if (s.value.empty() || s.value.back() != count_) return false;
  CellSnapshot inside = s;
  inside.model ^= kMark;
  inside.value.pop_back();
  return cell_->restore(inside);
}

CellSet scaled_to(CellSet set, double capacity_C) {
  const double count = capacity_C / set.header.capacity_C;
  set.model = std::make_shared<ScaledModel>(set.model, count);
  set.header.capacity_C = capacity_C;
  return set;
}

ScaledName split_scaled_name(std::string_view word) {
  const std::size_t at = word.rfind('@');
  if (at == std::string_view::npos || word.ends_with(".toml")) return {std::string(word), std::nullopt};
  ScaledName out{std::string(word.substr(0, at)), std::numeric_limits<double>::quiet_NaN()};
  // Without the space that a shell would want quoted.
  std::string quantity(word.substr(at + 1));
  const std::size_t unit = quantity.find_first_not_of("0123456789.");
  if (unit != std::string::npos && unit > 0 && quantity[unit] != ' ') quantity.insert(unit, " ");
  text::QuantityError error;
  const auto value = text::parse_quantity(quantity, error);
  if (value && value->dimension == text::dimension::kCapacity && value->value > 0.0 && value->value <= 1e9)
    out.capacity_C = value->value;
  return out;
}

}  // namespace cyclerd::hil
