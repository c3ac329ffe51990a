// The manual's complete example of the text dialect, and an instrument that it describes.
#pragma once

#include <memory>
#include <string>

#include "protocols/device/description.hpp"

namespace cyclerd::scpi {

inline std::string manual_example() {
  const std::string page = text::read_source(CYCLERD_SOURCE_DIR "/protocols/README.md").value()->text;
  const auto from = page.find("# example: text");
  return page.substr(from, page.find("\n```", from) - from + 1);
}

inline std::shared_ptr<const device::Description> loaded(const std::string& toml, text::Diagnostics& diagnostics) {
  return device::load_description(std::make_shared<const text::Source>(text::Source{"example.toml", toml}),
                                  diagnostics);
}

inline std::string with(std::string toml, const std::string& old, const std::string& replacement) {
  const auto at = toml.find(old);
  if (at == std::string::npos) return "the example has no " + old;
  return toml.replace(at, old.size(), replacement);
}

// Answers as the example's instrument does. Every question has an answer of its own, so that a wrong pairing shows.
struct ExampleInstrument {
  double volt = 1.5, limit = 2.5, low = 0.5, watchdog = 5.0;
  int mode = 1;
  bool output = false;
  std::string error;

  std::string answer(const std::string& m) {
    const auto number = [](double v) { return std::to_string(v) + "\n"; };
    const auto argument = [&m] { return std::stod(m.substr(m.find(' ') + 1)); };
    if (m == "*IDN?") return "EXAMPLE,MT-1,4711,1.0\n";
    if (m == "*OPC?") return "1\n";
    if (m == "*CLS") return error.clear(), "";
    if (m == ":MEAS:VOLT? (@2)") return "+3.70000E+00\n";
    if (m == ":MEAS:CURR? (@2)") return "-1.25E+00\n";
    if (m == ":STAT:OPER:COND? (@2)") return output ? "+2\n" : "+4\n";
    if (m == ":OUTP? (@2)") return output ? "1\n" : "0\n";
    if (m == ":FUNC? (@2)") return mode == 1 ? "CURR\n" : "VOLT\n";
    if (m == ":VOLT? (@2)") return number(volt);
    if (m == ":CURR? (@2)") return number(limit);
    if (m == ":VOLT:LOW? (@2)") return number(low);
    if (m == ":OUTP:PROT:WDOG:DEL?") return number(watchdog);
    if (m == ":SYST:ERR?") {
      const std::string out = error.empty() ? "0,\"No error\"\n" : error + "\n";
      error.clear();
      return out;
    }
    if (m.starts_with(":OUTP:PROT:WDOG:DEL ")) return watchdog = argument(), "";
    if (m.starts_with(":OUTP ")) return output = m.find(" ON") != std::string::npos, "";
    if (m.starts_with(":FUNC ")) return mode = m.find("CURR") != std::string::npos ? 1 : 2, "";
    if (m.starts_with(":VOLT:LOW ")) return low = argument(), "";
    if (m.starts_with(":VOLT ")) return volt = argument(), "";
    if (m.starts_with(":CURR ")) return limit = argument(), "";
    if (m == ":OUTP:PROT:CLE (@2)") return "";
    error = "-113,\"Undefined header\"";
    return "";
  }
};

}  // namespace cyclerd::scpi
