#include "hil/app/accuracy_command.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <map>
#include <memory>
#include <system_error>

#include "hil/cells/cell_set.hpp"
#include "hil/identify/accuracy.hpp"
#include "hil/identify/measured_run.hpp"
#include "hil/identify/run_manifest.hpp"
#include "protocols/text/toml.hpp"

namespace cyclerd::hil {
namespace {

constexpr int kFailed = 1, kBadFile = 2;
constexpr std::size_t kLargestRun = 512UL * 1024 * 1024;

void print(const text::Diagnostics& diagnostics, bool with_notes) {
  if (diagnostics.all().empty()) return;
  if (!with_notes && diagnostics.error_count() + diagnostics.warning_count() == 0) return;
  fmt::print(stderr, "{}", diagnostics.render(isatty(STDERR_FILENO) != 0));
}

CurrentSign sign_of(const std::string& word) {
  if (word == "charge-positive") return CurrentSign::charge_positive;
  if (word == "discharge-positive") return CurrentSign::discharge_positive;
  return CurrentSign::automatic;
}

class Accuracy {
 public:
  explicit Accuracy(const AccuracyCommand& command) : command_(command) {}

  int run() {
    if (!command_.plots.empty()) {
      std::error_code error;
      std::filesystem::create_directories(command_.plots, error);
      if (error) {
        fmt::print(stderr, "cycler-hil: the folder {} cannot be made: {}\n", command_.plots, error.message());
        return kFailed;
      }
    }
    const bool good = command_.files.empty() ? shipped() : given();
    if (command_.json) {
      fmt::print("{}", accuracy_json(lines_));
    } else if (!lines_.empty()) {
      fmt::print("{}", accuracy_table(lines_));
    }
    return !good ? kBadFile : plot_failed_ ? kFailed : 0;
  }

 private:
  bool given() {
    if (command_.sets.empty()) {
      fmt::print(
          stderr,
          "cycler-hil: say which cell: --cell lg-m50 (`cycler-hil cells` lists them; a path of a set works too)\n");
      return false;
    }
    bool good = true;
    for (const std::string& file : command_.files) {
      for (const std::string& set : command_.sets) good = pair(file, set, nullptr, true) && good;
    }
    return good;
  }

  bool shipped() {
    const std::string folder = runs_folder();
    if (folder.empty()) {
      fmt::print(stderr,
                 "cycler-hil: no runs come with this program (no runs.toml found); set CYCLERD_RUNS to a folder that "
                 "has one\n");
      return false;
    }
    text::Diagnostics diagnostics;
    const auto runs = load_manifest(folder, diagnostics);
    print(diagnostics, true);
    if (!runs) return false;
    bool good = true;
    for (const ShippedRun& run : *runs) {
      for (const std::string& set : command_.sets.empty() ? run.sets : command_.sets) {
        if (command_.sets.empty() && find_cell_set(set).empty()) {
          fmt::print(stderr, "cycler-hil: {} claims no set that is there: {}\n", run.file, set);
          continue;
        }
        good = pair(run.file, set, &run, false) && good;
      }
    }
    return good;
  }

  bool pair(const std::string& file, const std::string& set_name, const ShippedRun* shipped, bool with_notes) {
    const CellSet* set = load_set(set_name);
    const MeasuredFile* measured = load_run(file, shipped, with_notes);
    if (set == nullptr || measured == nullptr) return false;
    AccuracyOptions options;
    options.evaluate.start_soc = command_.soc;
    if (shipped != nullptr) {
      if (!command_.soc) options.evaluate.start_soc = shipped->start_soc;
      options.sample = shipped->in_sample(set->name) ? Sample::fitted : Sample::held_out;
    }
    if (!command_.plots.empty()) {
      options.look = [&](const MeasuredRun& run, const CellSet& of, const RunResult& result) { plot(run, of, result); };
    }
    add_accuracy(*measured, *set, options, lines_);
    return true;
  }

  void plot(const MeasuredRun& run, const CellSet& set, const RunResult& result) {
    const std::string path =
        fmt::format("{}/{}-{}.{}", command_.plots, run.name, set.name, command_.png ? "png" : "svg");
    if (auto written = write_accuracy_plot(run, set, result, path); !written) {
      fmt::print(stderr, "cycler-hil: {}\n", written.error().text());
      plot_failed_ = true;
    }
  }

  const CellSet* load_set(const std::string& name) {
    const auto known = sets_.find(name);
    if (known != sets_.end()) return known->second ? &*known->second : nullptr;
    std::optional<CellSet>& place = sets_[name];
    const std::string path = find_cell_set(name);
    if (path.empty()) {
      const std::string near = text::nearest(name, cell_set_names());
      fmt::print(stderr, "cycler-hil: there is no cell set `{}`{}; `cycler-hil cells` lists them\n", name,
                 near.empty() ? "" : fmt::format(", did you mean `{}`", near));
      return nullptr;
    }
    const auto source = text::read_source(path);
    if (!source) {
      fmt::print(stderr, "cycler-hil: {}\n", source.error().text());
      return nullptr;
    }
    text::Diagnostics diagnostics;
    place = load_cell_set(*source, diagnostics);
    print(diagnostics, true);
    return place ? &*place : nullptr;
  }

  const MeasuredFile* load_run(const std::string& file, const ShippedRun* shipped, bool with_notes) {
    const auto known = runs_.find(file);
    if (known != runs_.end()) return known->second ? &*known->second : nullptr;
    std::optional<MeasuredFile>& place = runs_[file];
    const auto source = text::read_source(file, kLargestRun);
    if (!source) {
      fmt::print(stderr, "cycler-hil: {}\n", source.error().text());
      return nullptr;
    }
    RunOptions options;
    options.ambient_degC = command_.ambient_degC;
    options.sign = sign_of(command_.sign);
    if (shipped != nullptr) {
      if (!options.ambient_degC) options.ambient_degC = shipped->ambient_degC;
      if (command_.sign.empty()) options.sign = sign_of(shipped->current_sign);
    }
    text::Diagnostics diagnostics;
    place = read_measured(*source, options, diagnostics);
    print(diagnostics, with_notes || !place);
    return place ? &*place : nullptr;
  }

  const AccuracyCommand& command_;
  std::map<std::string, std::optional<CellSet>> sets_;
  std::map<std::string, std::optional<MeasuredFile>> runs_;
  std::vector<AccuracyLine> lines_;
  bool plot_failed_ = false;
};

}  // namespace

int run_accuracy(const AccuracyCommand& command) {
  return Accuracy(command).run();
}

}  // namespace cyclerd::hil
