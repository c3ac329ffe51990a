// Writes one finished test into a state folder, for the readers of other people's making: make_test <state_dir> [rows]
#include <cstdio>
#include <cstdlib>

#include "daemon/record/export_bdf.hpp"
#include "daemon/record/plot.hpp"
#include "daemon/record/summary.hpp"
#include "tests/integration/record/demo_test.hpp"

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fputs("usage: make_test <state_dir> [cycles]\n", stderr);
    return 2;
  }
  const int cycles = argc > 2 ? std::atoi(argv[2]) : 1;
  const std::string folder = cyclerd::record::testing::write_demo_test(argv[1], cycles);
  if (folder.empty()) return 1;
  const auto exported = cyclerd::record::export_bdf_csv(folder, std::string(argv[1]) + "/export");
  const auto data = cyclerd::record::load_plot(folder);
  if (!exported || !data) return 1;
  const std::string base = std::string(argv[1]) + "/export/plot";
  if (!cyclerd::record::write_svg(*data, base + ".svg") || !cyclerd::record::write_png(*data, base + ".png")) return 1;
  std::printf("%s\n%s\n", folder.c_str(), exported->csv_path.c_str());
  std::fputs(cyclerd::record::terminal_plot(*data).c_str(), stderr);
  std::fputs(cyclerd::record::summary_text(folder).c_str(), stderr);
  return 0;
}
