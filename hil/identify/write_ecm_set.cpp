#include <fmt/format.h>

#include "hil/identify/fit.hpp"

namespace cyclerd::hil {
namespace {

std::string list_of(const double* values, std::size_t count, int digits) {
  std::string out = "[";
  for (std::size_t i = 0; i < count; ++i) {
    out += i == 0 ? "" : ",";
    out += i % 10 == 0 && count > 10 ? "\n  " : i == 0 ? "" : " ";
    out += fmt::format("{:.{}g}", values[i], digits);
  }
  return out + (count > 10 ? ",\n]" : "]");
}

std::string list_of(const std::vector<double>& values, int digits) {
  return list_of(values.data(), values.size(), digits);
}

// `key`: of the values; one row, or one for each temperature.
std::string map_text(const StateMap& map, std::string_view key, int digits, bool with_activation) {
  std::string out = fmt::format("soc = {}\n", list_of(map.soc().knots(), 6));
  const std::size_t rows = map.temperature_degC().size();
  const std::size_t columns = map.soc().size();
  if (rows == 1) {
    out += fmt::format("{} = {}\n", key, list_of(map.values(), digits));
  } else {
    out += fmt::format("temperature_degC = {}\n{} = [\n", list_of(map.temperature_degC().knots(), 6), key);
    for (std::size_t r = 0; r < rows; ++r) out += list_of(map.values().data() + r * columns, columns, digits) + ",\n";
    out += "]\n";
  }
  if (with_activation) {
    out += fmt::format("activation_K = {:.5g}\nreference_temperature = \"{:.6g} degC\"\n", map.activation_K(),
                       map.reference_K() - 273.15);
  }
  return out;
}

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c == '\n' ? ' ' : c;
  }
  return out + "\"";
}

std::string thermal_text(const ThermalSet& t) {
  return fmt::format(
      "\n# Cooling belongs to the rig as much as to the cell.\n[thermal]\ncore_J_per_K = {:.5g}\nsurface_J_per_K = "
      "{:.5g}\n"
      "core_to_surface_W_per_K = {:.5g}\nsurface_to_ambient_W_per_K = {:.5g}\n",
      t.core_J_per_K, t.surface_J_per_K, t.core_to_surface_W_per_K, t.surface_to_ambient_W_per_K);
}

}  // namespace

std::string write_ecm_set(const FitInput& input, const EcmSet& set, const std::vector<std::string>& remarks) {
  std::string out;
  for (const std::string& line : remarks) out += line.empty() ? "#\n" : "# " + line + "\n";
  out += fmt::format(
      "format = 1\nname = {}\ntitle = {}\nmodel = \"ecm\"\nsource = {}\nlicence = {}\ncapacity = \"{:.6g} Ah\"\n",
      quoted(input.name), quoted(input.title.empty() ? input.name : input.title), quoted(input.source),
      quoted(input.licence), set.capacity_C / 3600.0);
  out += fmt::format("reference_temperature = \"{:.6g} degC\"\n", set.reference_degC);
  out += "\n[ocv]\n" + map_text(set.ocv_V, "voltage_V", 7, false);
  if (set.entropic_V_per_K.values().size() > 1) {
    out += fmt::format("\n[entropy]\nsoc = {}\nslope_V_per_K = {}\n", list_of(set.entropic_V_per_K.axis().knots(), 6),
                       list_of(set.entropic_V_per_K.values(), 4));
  }
  if (!set.hysteresis_V.zero()) {
    out += fmt::format("\n[hysteresis]\nrate = {:.4g}\n", set.hysteresis_rate) +
           map_text(set.hysteresis_V, "half_gap_V", 5, false);
  }
  if (set.diffusion) out += "\n[diffusion]\n" + map_text(set.diffusion->tau_s, "tau_s", 5, true);
  if (set.kinetics) {
    out += fmt::format("\n[kinetics]\ntau = \"{:.5g} s\"\n", set.kinetics->tau_s) +
           map_text(set.kinetics->exchange_A, "exchange_current_A", 5, true);
  }
  out += "\n[series]\n" + map_text(set.series_Ohm, "resistance_Ohm", 5, true);
  for (const RcBranch& branch : set.branches) {
    out += fmt::format("\n[[rc]]\ntau = \"{:.5g} s\"\n", branch.tau_s.values()[0]) +
           map_text(branch.resistance_Ohm, "resistance_Ohm", 5, true);
  }
  if (set.thermal) out += thermal_text(*set.thermal);
  return out;
}

}  // namespace cyclerd::hil
