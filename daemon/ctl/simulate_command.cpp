#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <filesystem>
#include <system_error>

#include "daemon/app/launch.hpp"
#include "daemon/app/resources.hpp"
#include "daemon/app/simulation.hpp"
#include "daemon/ctl/commands.hpp"
#include "daemon/ctl/launch_files.hpp"
#include "daemon/ctl/status_view.hpp"
#include "daemon/ctl/test_results.hpp"
#include "daemon/record/export_bdf.hpp"
#include "protocols/text/quantity.hpp"

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
  Json notes = Json::array();
  for (const app::ModelNote& note : result.notes)
    notes.push_back({{"words", note.words}, {"test_time_s", note.test_time_s}});
  json["simulation"] = {{"cell_model", result.cell_set},
                        {"model_notes", notes},
                        {"virtual_s", result.virtual_s},
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
  text += fmt::format(
      "\n{}{} on the virtual cell {}: {} of test time in {:.2f} s ({:.0f} times real time), {} scans, {} rows\n",
      profiles::to_string(result.outcome), result.reason.empty() ? "" : " (" + printable(result.reason) + ")",
      printable(result.cell_set), duration_text(result.virtual_s), result.wall_s,
      result.wall_s > 0 ? result.virtual_s / result.wall_s : 0.0, result.scans, result.rows);
  if (const int drawn = plot_files(result.folder, options, io); drawn != 0) return drawn;
  if (options.json) {
    print_json(io.out, json);
  } else {
    print(io.out, options.plain ? results_plain(*results) : text);
  }
  std::fflush(io.out);
  // What the model was not made for belongs to the result, whatever form it has.
  for (const app::ModelNote& note : result.notes) {
    if (options.json) break;  // there already
    print(io.err, fmt::format("cyclerctl: the virtual cell {} from {} of test time on: {}\n", result.cell_set,
                              duration_text(note.test_time_s), note.words));
  }
  if (!result.error.empty()) return report({Failure::failed, result.error}, options, io);
  return code;
}

// Ratings and virtual cell from what was named: either may come from the other, and a virtual cell may stand where
// ratings are asked for.
void choose_cells(Options& options) {
  const auto resources = app::find_resources();
  const auto rated = [&](const std::string& word) {
    return find_launch_file("cell", word, resources.cells).has_value();
  };
  if (!options.cell.empty() && options.cell_model.empty() && app::is_virtual_cell(options.cell)) {
    options.cell_model = options.cell;
    if (!rated(options.cell) || fs::exists(options.cell)) options.cell.clear();
  }
  const bool shipped = options.cell_model.find('/') == std::string::npos && !fs::exists(options.cell_model);
  if (options.cell.empty() && shipped && rated(options.cell_model)) options.cell = options.cell_model;
}

// Fills the parts of a simulation that are typed as options; words for the person when one is wrong.
std::string read_bench(const Options& options, app::SimulationConfig& config) {
  if (!options.ambient.empty()) {
    text::QuantityError error;
    const auto value = text::parse_quantity(options.ambient, error);
    const bool usable =
        value && value->dimension == text::dimension::kTemperature && value->value >= -60.0 && value->value <= 150.0;
    if (!usable)
      return fmt::format("--ambient \"{}\": a temperature from -60 to 150 degC, for example \"10 degC\"",
                         options.ambient);
    config.ambient_degC = value->value;
  }
  if (!options.instruments.empty()) {
    const auto instruments = app::read_instruments(options.instruments);
    if (!instruments) return fmt::format("--instruments \"{}\": ideal, good or plain", options.instruments);
    config.instruments = *instruments;
  }
  if (!options.seed.empty()) {
    const char* end = options.seed.data() + options.seed.size();
    const auto read = std::from_chars(options.seed.data(), end, config.seed);
    if (read.ec != std::errc{} || read.ptr != end)
      return fmt::format("--seed \"{}\": a whole number from 0 to 18446744073709551615", options.seed);
  }
  config.chamber = !options.no_chamber;
  return {};
}

// --plot FILE by its ending; without any plot a terminal shows one.
std::string read_plot(Options& options, const Io& io) {
  if (options.plot.ends_with(".svg")) {
    options.svg = options.plot;
  } else if (options.plot.ends_with(".png")) {
    options.png = options.plot;
  } else if (!options.plot.empty()) {
    return fmt::format("--plot \"{}\": a file ending in .svg or .png, or nothing for the terminal", options.plot);
  }
  if (options.svg.empty() && options.png.empty() && io.out_is_terminal && !options.plain) options.terminal = true;
  return {};
}

}  // namespace

int simulate_command(const Options& typed, Io& io) {
  Options options = typed;
  choose_cells(options);
  if (options.cell.empty() && options.cell_model.empty()) {
    return report(
        {Failure::usage,
         "which cell? --cell NAME or FILE: its ratings bound the test; or --cell-model: a virtual cell's own"},
        options, io);
  }
  const auto params = launch_params(options, io);
  if (!params) return report(params.error(), options, io);
  const auto scan = scan_period(options.scan, base::seconds(1));
  if (!scan) return report(scan.error(), options, io);
  app::SimulationConfig config;
  std::string wrong = app::read_launch_request(*params, config.launch, false);
  if (wrong.empty()) wrong = read_bench(options, config);
  if (wrong.empty()) wrong = read_plot(options, io);
  if (!wrong.empty()) return report({Failure::usage, wrong}, options, io);
  config.initial_soc = std::isnan(config.launch.soc) ? kInitialSoc : config.launch.soc;
  config.launch.soc = config.initial_soc;
  config.scan = *scan;
  config.cell_set = options.cell_model;
  const WorkFolder folder(options.out);
  if (!folder.ok()) {
    return report({Failure::failed, fmt::format("cannot make the folder {}: choose another with --out", folder.path())},
                  options, io);
  }
  config.out = folder.path();
  const app::SimulationResult result = app::simulate(config);
  if (!result.diagnostics.all().empty() && !options.json) print(io.err, result.diagnostics.render(io.colour));
  if (result.diagnostics.has_errors()) {
    if (options.json) print_json(io.out, findings_json(app::describe_findings(result.diagnostics)));
    return static_cast<int>(Failure::invalid);
  }
  if (result.folder.empty()) return report({Failure::failed, result.error}, options, io);
  return conclude(result, options, io);
}

}  // namespace cyclerd::ctl
