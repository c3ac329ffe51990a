// The tables of an equivalent circuit with the axes that they share, so that each axis is searched once a state.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "hil/cells/ecm_set.hpp"

namespace cyclerd::hil {

// A table, and where its places and its factor are kept. The table belongs to the set and lives as long.
struct TableRef {
  const StateMap* map = nullptr;
  std::uint8_t column = 0;
  std::uint8_t row = 0;
  std::uint8_t factor = 0;
};

class EcmTables {
 public:
  // ocv, hysteresis, entropy, series, exchange, diffusion tau, four R, four tau
  static constexpr std::size_t kMaxAxes = 14;
  using Places = std::array<Axis::Place, kMaxAxes>;
  // What a temperature means to all tables.
  struct Warmth {
    Places row;
    std::array<double, kMaxAxes> factor;  // e^(activation ...)
  };
  // Axes of the tables that are read at one state of charge.
  struct Group {
    std::array<std::uint8_t, kMaxAxes> axis{};
    std::size_t count = 0;
  };

  explicit EcmTables(const EcmSet& set);

  void warm(double temperature_degC, Warmth& out) const noexcept;
  void locate(const Group& group, double soc, Places& out) const noexcept {
    for (std::size_t i = 0; i < group.count; ++i) {
      const std::uint8_t axis = group.axis[i];
      out[axis] = soc_[axis]->locate(soc, true);
    }
  }
  // Clamped over soc.
  [[nodiscard]] static double value(const TableRef& ref, const Places& columns, const Warmth& warmth) noexcept {
    const double y = ref.map->at(held(columns[ref.column]), warmth.row[ref.row]);
    return ref.factor == 0 ? y : y * warmth.factor[ref.factor];
  }
  // As the place says: extrapolated.
  [[nodiscard]] static double extended(const TableRef& ref, const Places& columns, const Warmth& warmth) noexcept {
    return ref.map->at(columns[ref.column], warmth.row[ref.row]);
  }
  [[nodiscard]] static bool outside(const TableRef& ref, const Places& columns, const Warmth& warmth) noexcept {
    return columns[ref.column].outside() || warmth.row[ref.row].outside();
  }
  [[nodiscard]] static Axis::Place held(Axis::Place place) noexcept {
    place.fraction = std::clamp(place.fraction, 0.0, 1.0);
    return place;
  }

  TableRef ocv, hysteresis, series, exchange, diffusion_tau;
  std::array<TableRef, kMaxRc> resistance, tau;
  std::uint8_t entropy_column = 0;
  Group surface;  // OCV, hysteresis, entropy, exchange current
  Group bulk;     // series
  Group middle;   // of a step: branches, diffusion
  Group between;  // what the heat of a step needs
  // Surface and bulk are one state of charge without diffusion: one group for both.
  Group both;

 private:
  [[nodiscard]] std::uint8_t soc_axis(const Axis& axis);
  [[nodiscard]] TableRef add(const StateMap& map, Group& group);

  std::array<const Axis*, kMaxAxes> soc_{};
  std::array<const Axis*, kMaxAxes> temperature_{};
  std::array<const StateMap*, kMaxAxes> activated_{};  // 0: none
  std::size_t soc_count_ = 0, temperature_count_ = 0, factor_count_ = 1;
};

}  // namespace cyclerd::hil
