// `cycler-hil fit`.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace cyclerd::hil {

struct FitCommand {
  std::vector<std::string> ocv;
  std::vector<std::string> pulses;
  std::vector<std::string> discharges;
  std::vector<std::string> runs;
  std::vector<std::string> held_out;
  std::string capacity;
  std::string name;
  std::string title;
  std::string source;
  std::string licence;
  std::string out;
  std::optional<double> ambient_degC;
  std::optional<double> soc;
  std::string sign;
  int rounds = 3;
  bool quiet = false;
};

// Exit code: 0, 1 when the set could not be written, 2 when a file is wrong or the data do not suffice.
[[nodiscard]] int run_fit(const FitCommand& command);

}  // namespace cyclerd::hil
