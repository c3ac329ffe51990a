#include <fmt/format.h>

#include <array>

#include "hil/app/control_lines.hpp"
#include "hil/plant/fault_words.hpp"

namespace cyclerd::hil {
namespace {

std::string usage_of(const Words& words) {
  for (const ControlLine& line : rig_fault_lines()) {
    if (line.verb == words[0]) return fmt::format("error: write `{}`", line.usage);
  }
  return "error: write `help`";
}

// Finds the plant or the chamber that words[1] names and hands it over with words[2].
template <class Change>
std::string on_plant(LiveLab& live, const Words& words, Change&& change) {
  if (words.size() != 3) return usage_of(words);
  const auto i = plant_named(live.lab(), words[1]);
  if (!i) return no_plant(live.lab(), words[1]);
  return live.world().now([&](World& w) { return change(w.plant(*i), words[2]); });
}
template <class Change>
std::string on_chamber(LiveLab& live, const Words& words, Change&& change) {
  if (words.size() != 3) return usage_of(words);
  const auto i = chamber_named(live.lab(), words[1]);
  if (!i) return no_chamber(live.lab(), words[1]);
  return live.world().now([&](World& w) { return change(w.chamber(*i), words[2]); });
}

std::string sense(LiveLab& live, const Words& words) {
  return on_plant(live, words, [](Plant& plant, const std::string& word) -> std::string {
    const auto fault = value_of(kSenseFaultWords, word);
    if (!fault) return not_among("sense fault", word, words_of_table(kSenseFaultWords));
    return plant.set_sense_fault(*fault) ? "ok" : "error: this cycler has two wires, and no sense wires";
  });
}

std::string probe(LiveLab& live, const Words& words) {
  return on_plant(live, words, [](Plant& plant, const std::string& word) -> std::string {
    const auto fault = value_of(kProbeFaultWords, word);
    if (!fault) return not_among("probe fault", word, words_of_table(kProbeFaultWords));
    plant.probe().fault = *fault;
    return "ok";
  });
}

std::string bounded(const std::string& word, double min, double max, std::string_view unit, double& value) {
  const auto x = number_of(word);
  if (!x || *x < min || *x > max)
    return fmt::format("error: \"{}\" is not a number between {} and {} {}", word, min, max, unit);
  value = *x;
  return "ok";
}

std::string contact(LiveLab& live, const Words& words) {
  return on_plant(live, words, [&](Plant& plant, const std::string& word) {
    double ohm = 0.0;
    std::string answer = bounded(word, 0.0, 10.0, "Ohm", ohm);
    if (answer == "ok") (void)(words[0] == "joint" ? plant.set_joint(ohm) : plant.set_contact(ohm));
    return answer;
  });
}

std::string instrument(LiveLab& live, const Words& words) {
  return on_plant(live, words, [](Plant& plant, const std::string& word) {
    double degC = 0.0;
    std::string answer = bounded(word, -10.0, 70.0, "degC", degC);
    if (answer == "ok") (void)plant.set_instrument_temperature(degC);
    return answer;
  });
}

// door, compressor, thermostat: one of two words.
std::string chamber_switch(LiveLab& live, const Words& words) {
  return on_chamber(live, words, [&](Chamber& chamber, const std::string& word) -> std::string {
    if (words[0] == "door" && (word == "open" || word == "closed")) {
      chamber.set_door(word == "open");
    } else if (words[0] == "compressor" && (word == "trip" || word == "ok")) {
      chamber.set_compressor_trip(word == "trip");
    } else if (words[0] == "thermostat" && word == "reset") {
      chamber.reset_thermostat();
    } else {
      return usage_of(words);
    }
    return "ok";
  });
}

std::string report(LiveLab& live, const Words& words) {
  return on_chamber(live, words, [](Chamber& chamber, const std::string& word) -> std::string {
    const auto what = value_of(kReportWords, word);
    if (!what) return not_among("report", word, words_of_table(kReportWords));
    chamber.set_report(*what);
    return "ok";
  });
}

std::string sensor(LiveLab& live, const Words& words) {
  return on_chamber(live, words, [](Chamber& chamber, const std::string& word) {
    double offset_K = 0.0;
    std::string answer = bounded(word, -20.0, 20.0, "K", offset_K);
    if (answer == "ok") (void)chamber.set_sensor_offset(offset_K);
    return answer;
  });
}

std::string restart(LiveLab& live, const Words& words) {
  if (words.size() != 2) return usage_of(words);
  return on_chamber(live, {words[0], words[1], ""}, [](Chamber& chamber, const std::string&) {
    chamber.restart();
    return std::string("ok");
  });
}

constexpr std::array<ControlLine, 11> kLines = {
    {{"sense", "sense CYCLER ok|open-plus|open-minus|open-terminal|open-float|swapped", sense},
     {"contact", "contact CYCLER OHM", contact},
     {"joint", "joint CYCLER OHM", contact},
     {"instrument", "instrument CYCLER DEGC", instrument},
     {"probe", "probe CYCLER ok|open|open-low|short|reversed", probe},
     {"door", "door CHAMBER open|closed", chamber_switch},
     {"compressor", "compressor CHAMBER trip|ok", chamber_switch},
     {"thermostat", "thermostat CHAMBER reset", chamber_switch},
     {"report", "report CHAMBER actual|setpoint|fahrenheit|tenfold", report},
     {"sensor", "sensor CHAMBER KELVIN", sensor},
     {"restart", "restart CHAMBER", restart}}};

}  // namespace

std::span<const ControlLine> rig_fault_lines() {
  return kLines;
}

}  // namespace cyclerd::hil
