#include "daemon/app/virtual_cell.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <utility>

#include <fmt/format.h>

#include "hil/cells/scaled_cell.hpp"
#include "protocols/text/toml.hpp"

namespace cyclerd::app {
namespace {

namespace fs = std::filesystem;

constexpr const char* kDefaultSet = "lg-m50";

// Ratings that a set does not have. Wide: a simulation shows what a cell would do, it does not protect one.
constexpr double kChargeRate = 5.0;  // of the capacity in an hour
constexpr double kDischargeRate = 10.0;
constexpr double kTripRoom = 0.1;   // of the voltage window, beyond each end
constexpr double kGuessRoom = 0.5;  // of the open-circuit voltages from empty to full, where a set states no window

// A parameter set says its format; ratings have none.
bool is_set_file(const std::string& path) {
  std::error_code ignored;
  if (!fs::is_regular_file(path, ignored)) return false;
  if (path.ends_with(".json")) return true;
  const auto source = text::read_source(path);
  if (!source) return false;
  text::Diagnostics unread;
  const auto document = text::parse_toml(*source, unread);
  return document && document->find("format") != nullptr && document->find("model") != nullptr;
}

struct FlagWords {
  std::uint32_t flag;
  std::string_view words;
};
constexpr std::array kFlagWords{
    FlagWords{hil::cell_flag::kSocBelow, "emptier than its open-circuit table: voltages are extrapolated"},
    FlagWords{hil::cell_flag::kSocAbove, "fuller than its open-circuit table: voltages are extrapolated"},
    FlagWords{hil::cell_flag::kTableClamped, "outside a table of resistances: read at its edge"},
    FlagWords{hil::cell_flag::kTemperatureLimit, "a temperature was held at the model's bound"},
    FlagWords{hil::cell_flag::kBadInput, "an input was no usable number and was ignored"},
    FlagWords{hil::cell_flag::kModelLimit, "a state was held at the bound inside which the model means something"},
    FlagWords{hil::cell_flag::kRunaway, "a self-heating reaction has begun: thermal runaway"},
};

}  // namespace

bool is_virtual_cell(const std::string& word) {
  std::error_code ignored;
  const std::string set = hil::split_scaled_name(word).set;
  if (fs::exists(set, ignored)) return is_set_file(set);
  return !hil::find_cell_set(set).empty();
}

std::optional<hil::CellSet> load_virtual_cell(const std::string& word, const std::string& cell_name,
                                              text::Diagnostics& diagnostics) {
  std::string wanted = word;
  if (wanted.empty()) {
    wanted = fs::path(cell_name).stem().string();
    if (hil::find_cell_set(wanted).empty()) {
      diagnostics.warning(
          "S042", {}, fmt::format("no virtual cell is called \"{}\": simulated with {}", wanted, kDefaultSet),
          fmt::format("say which with --cell-model; there are: {}", fmt::join(hil::cell_set_names(), ", ")));
      wanted = kDefaultSet;
    }
  }
  const hil::ScaledName scaled = hil::split_scaled_name(wanted);
  if (scaled.capacity_C && !std::isfinite(*scaled.capacity_C)) {
    diagnostics.error("S044", {}, fmt::format("\"{}\" asks for no capacity that a cell could have", wanted),
                      fmt::format("write it like {}@40Ah", scaled.set));
    return std::nullopt;
  }
  wanted = scaled.set;
  const std::string path = hil::find_cell_set(wanted);
  const auto source = text::read_source(path.empty() ? wanted : path);
  if (!source) {
    const auto names = hil::cell_set_names();
    const std::string near = text::nearest(wanted, names);
    diagnostics.error("S041", {}, fmt::format("no parameter set of a virtual cell is called \"{}\"", wanted),
                      near.empty() ? fmt::format("there are: {}", fmt::join(names, ", "))
                                   : fmt::format("did you mean {}? There are: {}", near, fmt::join(names, ", ")));
    return std::nullopt;
  }
  auto set = hil::load_cell_set(*source, diagnostics);
  if (set && scaled.capacity_C) return hil::scaled_to(std::move(*set), *scaled.capacity_C);
  return set;
}

std::string ratings_of(const hil::CellSet& set, text::Diagnostics& diagnostics) {
  double low_V = set.header.voltage_min_V;
  double high_V = set.header.voltage_max_V;
  const double empty_V = set.make({.soc = 0.0, .temperature_degC = 25.0})->readout().ocv_V;
  const double full_V = set.make({.soc = 1.0, .temperature_degC = 25.0})->readout().ocv_V;
  const double guess_V = kGuessRoom * (full_V - empty_V);
  if (std::isnan(low_V)) low_V = std::max(0.01, empty_V - guess_V);
  if (std::isnan(high_V)) high_V = full_V + guess_V;
  if (!(low_V < high_V)) {
    diagnostics.error("S043", {},
                      fmt::format("the virtual cell \"{}\" has no voltage window to take ratings from", set.name),
                      "give the ratings with --cell, or write voltage_min and voltage_max into the set");
    return {};
  }
  const double room_V = kTripRoom * (high_V - low_V);
  // A number's shortest text is the number; the name is a word of the set's own file.
  return fmt::format(
      "# Made of the virtual cell's parameter set, for a simulation. No maker's ratings.\n"
      "model = \"{}\"\nchemistry = \"virtual\"\nnominal_capacity = \"{} Ah\"\n"
      "[voltage]\nmax = \"{} V\"\nmin = \"{} V\"\n[current]\ncharge = \"{} C\"\ndischarge = \"{} C\"\n"
      "[temperature]\ncharge = {{ min = \"-40 degC\", max = \"80 degC\" }}\n"
      "discharge = {{ min = \"-40 degC\", max = \"80 degC\" }}\n"
      "[trip]\nvoltage = {{ min = \"{} V\", max = \"{} V\" }}\n",
      set.name, set.header.capacity_C / 3600.0, high_V, low_V, kChargeRate, kDischargeRate, low_V - room_V,
      high_V + room_V);
}

std::optional<Instruments> read_instruments(std::string_view word) {
  if (word == "ideal") return Instruments::ideal;
  if (word == "good") return Instruments::good;
  if (word == "plain") return Instruments::plain;
  return std::nullopt;
}

hil::PlantConfig bench_plant(const hil::CellSet& set, Instruments instruments, std::uint64_t seed) {
  // A bench that is never too small for its cell.
  const double top_V = std::isnan(set.header.voltage_max_V) ? 0.0 : set.header.voltage_max_V;
  const double rate_A = set.header.capacity_C / 3600.0;
  hil::PlantConfig plant;
  plant.stage.voltage_max_V = std::max(10.0, 1.5 * top_V);
  plant.stage.current_max_A = std::max(200.0, 2.0 * kDischargeRate * rate_A);
  plant.stage.current_min_A = -plant.stage.current_max_A;
  plant.stage.power_max_W = plant.stage.voltage_max_V * plant.stage.current_max_A;
  plant.stage.power_min_W = -plant.stage.power_max_W;
  plant.seed = seed;
  switch (instruments) {
    case Instruments::ideal: break;
    case Instruments::good:
      plant.voltage = {.gain = 1.0, .offset = 0.0, .noise = 50e-6, .step = 10e-6};
      plant.current = {.gain = 1.0, .offset = 0.0, .noise = 100e-6, .step = 10e-6};
      plant.temperature = {.gain = 1.0, .offset = 0.0, .noise = 0.02, .step = 0.01};
      break;
    case Instruments::plain:  // 0.05 % of reading, a power supply of a small lab
      plant.voltage = {.gain = 1.0005, .offset = 1e-3, .noise = 0.5e-3, .step = 1e-3};
      plant.current = {.gain = 0.9995, .offset = 2e-3, .noise = 2e-3, .step = 1e-3};
      plant.temperature = {.gain = 1.0, .offset = 0.5, .noise = 0.1, .step = 0.1};
      plant.stage.rise_time_constant_s = 0.02;
      break;
  }
  return plant;
}

std::vector<std::string_view> model_words(std::uint32_t flags) {
  std::vector<std::string_view> words;
  for (const FlagWords& known : kFlagWords) {
    if ((flags & known.flag) != 0) words.push_back(known.words);
  }
  return words;
}

}  // namespace cyclerd::app
