// `cycler-hil accuracy`.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace cyclerd::hil {

struct AccuracyCommand {
  std::vector<std::string> files;  // none: all that come with the program
  std::vector<std::string> sets;   // none: with the program's files those that claim the cell
  std::optional<double> ambient_degC;
  std::optional<double> soc;
  std::string sign;  // "", "charge-positive", "discharge-positive"
  bool json = false;
  std::string plots;  // folder
  bool png = false;
};

// Exit code: 0, 1 when something could not be written, 2 when a file is wrong.
[[nodiscard]] int run_accuracy(const AccuracyCommand& command);

}  // namespace cyclerd::hil
