// summary, export, plot: what a test left behind.
#include <fmt/format.h>

#include <algorithm>

#include "daemon/ctl/commands.hpp"
#include "daemon/ctl/test_results.hpp"
#include "daemon/record/export_bdf.hpp"
#include "daemon/record/plot.hpp"

namespace cyclerd::ctl {

using control::Failure;

namespace {

Trouble trouble_of(const base::Error& error) {
  switch (error.code) {
    case base::ErrorCode::permission: return {Failure::permission, error.text()};
    case base::ErrorCode::not_found: return {Failure::usage, error.text()};
    default: return {Failure::failed, error.text()};
  }
}

}  // namespace

int summary_command(const Options& options, Io& io) {
  const auto folder = find_test(options, io);
  if (!folder) return report(folder.error(), options, io);
  const auto results = read_results(*folder);
  if (!results) return report(results.error(), options, io);
  if (options.json) {
    print_json(io.out, results_json(*results));
  } else {
    print(io.out, options.plain ? results_plain(*results) : results_text(*results, options.full));
  }
  return 0;
}

int export_command(const Options& options, Io& io) {
  const auto folder = find_test(options, io);
  if (!folder) return report(folder.error(), options, io);
  const auto exported = record::export_bdf_csv(*folder, options.out.empty() ? "." : options.out);
  if (!exported) return report(trouble_of(exported.error()), options, io);
  for (const auto& warning : exported->warnings) print(io.err, fmt::format("cyclerctl: {}\n", printable(warning)));
  if (options.json) {
    print_json(io.out, {{"csv", exported->csv_path},
                        {"metadata", exported->metadata_path},
                        {"rows", exported->rows},
                        {"warnings", exported->warnings}});
  } else {
    print(io.out, fmt::format("{}\n{}\n", exported->csv_path, exported->metadata_path));
    if (!options.plain) print(io.err, fmt::format("{} rows\n", exported->rows));
  }
  return 0;
}

int plot_files(const std::string& folder, const Options& options, Io& io) {
  if (options.svg.empty() && options.png.empty() && !options.terminal) return 0;
  const auto data = record::load_plot(folder);
  if (!data) return report(trouble_of(data.error()), options, io);
  using Write = base::Status (*)(const record::PlotData&, const std::string&, const chart::ChartSize&);
  const std::pair<const std::string&, Write> files[] = {{options.svg, record::write_svg},
                                                        {options.png, record::write_png}};
  for (const auto& [path, write] : files) {
    if (path.empty()) continue;
    if (const auto written = write(*data, path, {}); !written) return report(trouble_of(written.error()), options, io);
    if (!options.json) print(io.err, fmt::format("plotted {}\n", path));
  }
  if (options.terminal && !options.json) {
    print(io.out, record::terminal_plot(*data, static_cast<std::size_t>(std::clamp(io.width, 40, 160))));
  }
  return 0;
}

int plot_command(const Options& options, Io& io) {
  const auto folder = find_test(options, io);
  if (!folder) return report(folder.error(), options, io);
  Options wanted = options;
  // Without a file the terminal is what is left.
  if (options.svg.empty() && options.png.empty()) wanted.terminal = true;
  const int code = plot_files(*folder, wanted, io);
  if (code == 0 && options.json) {
    Json files = Json::array();
    for (const auto& path : {options.svg, options.png}) {
      if (!path.empty()) files.push_back(path);
    }
    print_json(io.out, {{"folder", *folder}, {"files", files}});
  }
  return code;
}

}  // namespace cyclerd::ctl
