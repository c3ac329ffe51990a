#include "hil/app/fit_command.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <system_error>

#include "hil/identify/fit.hpp"
#include "protocols/text/quantity.hpp"
#include "protocols/text/toml.hpp"

namespace cyclerd::hil {
namespace {

constexpr int kFailed = 1, kBadFile = 2;
constexpr std::size_t kLargestRun = 512UL * 1024 * 1024;

class Command {
 public:
  explicit Command(const FitCommand& command) : command_(command) {
    options_.ambient_degC = command.ambient_degC;
    if (command.sign == "charge-positive") options_.sign = CurrentSign::charge_positive;
    if (command.sign == "discharge-positive") options_.sign = CurrentSign::discharge_positive;
  }

  int run() {
    FitInput input;
    input.name = command_.name.empty() ? std::filesystem::path(command_.out).stem().string() : command_.name;
    input.title = command_.title;
    if (!command_.licence.empty()) input.licence = command_.licence;
    input.start_soc = command_.soc;
    input.rounds = command_.rounds;
    bool good = read_capacity(input);
    good = read_ocv(input) && good;
    good = read_runs(command_.pulses, input.pulses) && good;
    good = read_runs(command_.discharges, input.runs) && good;
    good = read_runs(command_.runs, input.runs) && good;
    good = read_runs(command_.held_out, input.held_out) && good;
    if (!good) return kBadFile;
    input.source = command_.source.empty() ? "own fit of " + names() : command_.source;
    if (!command_.quiet) input.say = [](const std::string& line) { fmt::print(stderr, "{}\n", line); };
    text::Diagnostics diagnostics;
    const auto result = fit_cell(input, diagnostics);
    print(diagnostics);
    if (!result) return kBadFile;
    fmt::print("{}", accuracy_table(result->lines));
    if (!write(result->toml)) return kFailed;
    fmt::print("written: {}\n", command_.out);
    return 0;
  }

 private:
  static void print(const text::Diagnostics& diagnostics) {
    if (!diagnostics.all().empty()) fmt::print(stderr, "{}", diagnostics.render(isatty(STDERR_FILENO) != 0));
  }

  bool read_capacity(FitInput& input) const {
    if (command_.capacity.empty()) return true;
    text::QuantityError error;
    const auto quantity = text::parse_quantity(command_.capacity, error);
    if (quantity && quantity->dimension == text::dimension::kCapacity && quantity->value > 0.0 &&
        quantity->value < 1e9) {
      input.capacity_C = quantity->value;
      return true;
    }
    fmt::print(stderr, "cycler-hil: --capacity \"{}\": write a positive charge with its unit, as in \"5 Ah\"\n",
               command_.capacity);
    return false;
  }

  bool read_ocv(FitInput& input) {
    bool good = true;
    std::vector<std::string> runs;
    for (const std::string& path : command_.ocv) {
      const auto source = text::read_source(path, kLargestRun);
      if (!source || !looks_like_ocv_table((*source)->text)) {
        runs.push_back(path);
        continue;
      }
      text::Diagnostics diagnostics;
      if (input.ocv_table) {
        fmt::print(stderr, "cycler-hil: {}: one table of open-circuit voltages is enough\n", path);
        good = false;
      }
      input.ocv_table = read_ocv_table(*source, diagnostics);
      print(diagnostics);
      good = good && input.ocv_table.has_value();
    }
    return read_runs(runs, input.ocv) && good;
  }

  bool read_runs(const std::vector<std::string>& paths, std::vector<MeasuredFile>& files) {
    bool good = true;
    for (const std::string& path : paths) {
      const auto source = text::read_source(path, kLargestRun);
      if (!source) {
        fmt::print(stderr, "cycler-hil: {}\n", source.error().text());
        good = false;
        continue;
      }
      text::Diagnostics diagnostics;
      auto file = read_measured(*source, options_, diagnostics);
      print(diagnostics);
      if (file) files.push_back(std::move(*file));
      good = good && file;
    }
    return good;
  }

  [[nodiscard]] std::string names() const {
    std::string out;
    for (const auto* list : {&command_.ocv, &command_.pulses, &command_.discharges, &command_.runs}) {
      for (const std::string& path : *list) {
        if (!out.empty()) out += ", ";
        out += std::filesystem::path(path).filename().string();
      }
    }
    return out;
  }

  [[nodiscard]] bool write(const std::string& toml) const {
    const std::string draft = command_.out + ".new";
    std::error_code error;
    {
      std::ofstream file(draft);
      file << toml;
      if (!file.flush()) error = std::make_error_code(std::errc::io_error);
    }
    if (!error) std::filesystem::rename(draft, command_.out, error);
    if (error) fmt::print(stderr, "cycler-hil: cannot write {}; is the folder there and writable?\n", command_.out);
    return !error;
  }

  const FitCommand& command_;
  RunOptions options_;
};

}  // namespace

int run_fit(const FitCommand& command) {
  return Command(command).run();
}

}  // namespace cyclerd::hil
