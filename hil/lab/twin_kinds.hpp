// The kinds of twins by name: who makes them, and on what kind of wire they speak. A new kind is a line in
// twin_kinds.cpp; lab files, `cycler-hil lab` and `cycler-hil mirror` then know it.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "hil/peers/register_map.hpp"
#include "hil/peers/rtu_server.hpp"
#include "hil/peers/shared_world.hpp"
#include "hil/peers/text_server.hpp"

namespace cyclerd::hil {

// What one twin stands in front of.
struct TwinSeat {
  std::size_t index = 0;  // plant, or chamber
  int unit = 1;           // channel or address in an instrument that has several
  std::string serial;
  bool state_low_word_first = false;     // EA PSB
  std::optional<std::size_t> sensor_on;  // virtual-chamber: the plant that carries its second sensor
};

struct TwinKind {
  std::string_view name;
  bool chamber = false;
  bool several = false;  // text: one instrument has several channels or addresses
  // One of the two.
  std::unique_ptr<RegisterMap> (*registers)(SharedWorld&, const TwinSeat&) = nullptr;
  std::unique_ptr<TextInstrument> (*text)(SharedWorld&, std::span<const TwinSeat>) = nullptr;
  RtuManners rtu = {};     // of its serial line
  TextManners lines = {};  // of text
};

[[nodiscard]] const std::vector<TwinKind>& twin_kinds();
[[nodiscard]] const TwinKind* twin_kind(std::string_view name) noexcept;  // nullptr: there is none
[[nodiscard]] std::vector<std::string> twin_names(bool chamber);

}  // namespace cyclerd::hil
