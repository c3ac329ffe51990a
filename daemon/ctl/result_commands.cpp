// summary, export, plot: what a test left behind.
#include "daemon/ctl/commands.hpp"
#include "daemon/ctl/test_results.hpp"

namespace cyclerd::ctl {

int summary_command(const Options& options, Io& io) {
  const auto folder = find_test(options, io);
  if (!folder) return report(folder.error(), options, io);
  const auto results = read_results(*folder);
  if (!results) return report(results.error(), options, io);
  if (options.json) {
    print_json(io.out, results_json(*results));
  } else {
    print(io.out, options.plain ? results_plain(*results) : results_text(*results, options.steps, io.width, io.colour));
  }
  return 0;
}

}  // namespace cyclerd::ctl
