#include <fmt/format.h>

#include <cmath>
#include <filesystem>
#include <system_error>

#include "daemon/app/launch.hpp"
#include "daemon/app/simulation.hpp"
#include "daemon/ctl/commands.hpp"
#include "daemon/ctl/launch_files.hpp"
#include "daemon/ctl/status_view.hpp"
#include "daemon/ctl/test_results.hpp"
#include "daemon/record/export_bdf.hpp"

namespace cyclerd::ctl {

namespace fs = std::filesystem;
using control::Failure;

namespace {

constexpr double kInitialSoc = 0.5;

// Where the record goes: the folder asked for, or one that vanishes with this object.
class WorkFolder {
 public:
  explicit WorkFolder(const std::string& wanted) : path_(wanted), keep_(!wanted.empty()) {
    std::error_code error;
    if (keep_) {
      fs::create_directories(path_, error);
      ok_ = !error;
      return;
    }
    std::string name = (fs::temp_directory_path(error) / "cyclerctl-XXXXXX").string();
    ok_ = mkdtemp(name.data()) != nullptr;
    path_ = name;
  }
  WorkFolder(const WorkFolder&) = delete;
  WorkFolder& operator=(const WorkFolder&) = delete;
  ~WorkFolder() {
    std::error_code ignored;
    if (!keep_ && ok_) fs::remove_all(path_, ignored);
  }
  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
  bool keep_;
  bool ok_ = false;
};

int outcome_exit(const app::SimulationResult& result) {
  if (!result.error.empty()) return static_cast<int>(Failure::failed);
  switch (result.outcome) {
    case profiles::TestOutcome::completed: return 0;
    case profiles::TestOutcome::tripped: return static_cast<int>(Failure::refused);
    default: return static_cast<int>(Failure::failed);
  }
}

Json result_json(const app::SimulationResult& result, const TestResults& results) {
  Json json = results_json(results);
  json["outcome"] = profiles::to_string(result.outcome);
  json["reason"] = result.reason;
  json["simulation"] = {{"virtual_s", result.virtual_s},
                        {"wall_s", result.wall_s},
                        {"scans", result.scans},
                        {"rows", result.rows},
                        {"steps", result.steps},
                        {"cycles", result.cycles},
                        {"error", result.error.empty() ? Json(nullptr) : Json(result.error)}};
  return json;
}

int conclude(const app::SimulationResult& result, const Options& options, Io& io) {
  const int code = outcome_exit(result);
  const auto results = read_results(result.folder);
  if (!results)
    return report(result.error.empty() ? results.error() : Trouble(Failure::failed, result.error), options, io);
  Json json = result_json(result, *results);
  std::string text = results_text(*results, options.full);
  if (!options.out.empty()) {
    const auto exported = record::export_bdf_csv(result.folder, options.out);
    if (!exported) return report({Failure::failed, exported.error().text()}, options, io);
    json["files"] = {exported->csv_path, exported->metadata_path};
    text += fmt::format("\nexported {} rows to {}\n", exported->rows, exported->csv_path);
  }
  if (const int drawn = plot_files(result.folder, options, io); drawn != 0) return drawn;
  text +=
      fmt::format("\n{}{}: {} of test time in {:.2f} s ({:.0f} times real time), {} scans, {} rows\n",
                  profiles::to_string(result.outcome),
                  result.reason.empty() ? "" : " (" + printable(result.reason) + ")", duration_text(result.virtual_s),
                  result.wall_s, result.wall_s > 0 ? result.virtual_s / result.wall_s : 0.0, result.scans, result.rows);
  if (options.json) {
    print_json(io.out, json);
  } else {
    print(io.out, options.plain ? results_plain(*results) : text);
  }
  if (!result.error.empty()) return report({Failure::failed, result.error}, options, io);
  return code;
}

}  // namespace

int simulate_command(const Options& options, Io& io) {
  if (options.cell.empty()) {
    return report({Failure::usage, "which cell? --cell NAME or FILE: its ratings bound the test"}, options, io);
  }
  const auto params = launch_params(options);
  if (!params) return report(params.error(), options, io);
  const auto scan = scan_period(options.scan, base::seconds(1));
  if (!scan) return report(scan.error(), options, io);
  app::SimulationConfig config;
  const std::string wrong = app::read_launch_request(*params, config.launch);
  if (!wrong.empty()) return report({Failure::usage, wrong}, options, io);
  config.initial_soc = std::isnan(config.launch.soc) ? kInitialSoc : config.launch.soc;
  config.launch.soc = config.initial_soc;
  config.scan = *scan;
  if (!options.cell_model.empty()) config.cell_set = options.cell_model;
  const WorkFolder folder(options.out);
  if (!folder.ok()) {
    return report({Failure::failed, fmt::format("cannot make the folder {}: choose another with --out", folder.path())},
                  options, io);
  }
  config.out = folder.path();
  const app::SimulationResult result = app::simulate(config);
  if (!result.diagnostics.all().empty() && !options.json) print(io.err, result.diagnostics.render(io.colour));
  if (result.diagnostics.has_errors()) {
    if (options.json) print_json(io.out, app::describe_findings(result.diagnostics));
    return static_cast<int>(Failure::invalid);
  }
  if (result.folder.empty()) return report({Failure::failed, result.error}, options, io);
  return conclude(result, options, io);
}

}  // namespace cyclerd::ctl
