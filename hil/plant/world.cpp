#include "hil/plant/world.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "protocols/base/check.hpp"

namespace cyclerd::hil {
namespace {

// Cells and chambers see each other's temperatures this often; a cell needs minutes to follow its air.
constexpr base::Duration kCoupling = base::seconds(1);

}  // namespace

std::size_t World::add_chamber(const ChamberConfig& config) {
  chambers_.push_back(std::make_unique<Chamber>(config, now_));
  return chambers_.size() - 1;
}

std::size_t World::add_plant(std::unique_ptr<Cell> cell, const PlantConfig& config, std::size_t chamber) {
  ENSURE(chamber == kRoom || chamber < chambers_.size(), "a plant in a chamber that does not exist");
  plants_.push_back({std::make_unique<Plant>(std::move(cell), config, now_), chamber});
  couple();
  return plants_.size() - 1;
}

void World::couple() noexcept {
  for (std::size_t c = 0; c < chambers_.size(); ++c) {
    double heat_W = 0.0;
    double coldest_degC = std::numeric_limits<double>::max();
    for (Place& place : plants_) {
      if (place.chamber != c) continue;
      const CellReadout cell = place.plant->cell().readout();
      heat_W += cell.heat_to_ambient_W;
      coldest_degC = std::min(coldest_degC, cell.surface_degC);
    }
    chambers_[c]->set_load(heat_W, coldest_degC);
  }
  for (Place& place : plants_) {
    place.plant->cell().set_ambient(place.chamber == kRoom ? room_degC_ : chambers_[place.chamber]->air_degC());
  }
}

void World::advance_to(base::MonoTime t) noexcept {
  if (chambers_.empty() && t > now_) {  // nobody to be coupled with: straight to the next event
    for (Place& place : plants_) place.plant->advance_to(t);
    now_ = t;
    return;
  }
  while (now_ < t) {
    // On a grid of absolute time, so that the result does not depend on how often the world is asked to move.
    base::MonoTime next{(now_.us / kCoupling.us + 1) * kCoupling.us};
    if (next > t) next = t;
    for (auto& chamber : chambers_) chamber->advance_to(next);
    if (next.us % kCoupling.us == 0) couple();
    for (Place& place : plants_) place.plant->advance_to(next);
    now_ = next;
  }
}

}  // namespace cyclerd::hil
