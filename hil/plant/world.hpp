// Plants and the chambers they stand in, moved by one clock: chamber first, then its cells, then their cyclers.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "hil/plant/chamber.hpp"
#include "hil/plant/plant.hpp"

namespace cyclerd::hil {

class World {
 public:
  static constexpr std::size_t kRoom = static_cast<std::size_t>(-1);  // "in no chamber"

  explicit World(base::MonoTime start = {}, double room_degC = 25.0) : now_(start), room_degC_(room_degC) {}

  std::size_t add_chamber(const ChamberConfig& config);
  std::size_t add_plant(std::unique_ptr<Cell> cell, const PlantConfig& config, std::size_t chamber = kRoom);

  // Moves everything to `t`, never back. Allocates nothing.
  void advance_to(base::MonoTime t) noexcept;

  [[nodiscard]] base::MonoTime now() const noexcept { return now_; }
  [[nodiscard]] Plant& plant(std::size_t index) { return *plants_.at(index).plant; }
  [[nodiscard]] Chamber& chamber(std::size_t index) { return *chambers_.at(index); }
  [[nodiscard]] std::size_t plant_count() const noexcept { return plants_.size(); }
  [[nodiscard]] std::size_t chamber_count() const noexcept { return chambers_.size(); }
  // The chamber a plant stands in, or kRoom.
  [[nodiscard]] std::size_t chamber_of(std::size_t plant) const { return plants_.at(plant).chamber; }

 private:
  struct Place {
    std::unique_ptr<Plant> plant;
    std::size_t chamber = kRoom;
  };
  void couple() noexcept;

  base::MonoTime now_;
  double room_degC_;
  std::vector<std::unique_ptr<Chamber>> chambers_;
  std::vector<Place> plants_;
};

}  // namespace cyclerd::hil
