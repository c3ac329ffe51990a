// A recorded test as people ask for it: which one is meant, and its summaries as tables.
#pragma once

#include <string>
#include <vector>

#include "daemon/ctl/client.hpp"
#include "daemon/ctl/options.hpp"
#include "daemon/ctl/terminal.hpp"

namespace cyclerd::ctl {

struct TestResults {
  std::string folder;
  Json about;  // test.json
  std::vector<Json> steps;
  std::vector<Json> cycles;
};

// `word`: a folder; otherwise an id, a channel's name (its newest test) or "last", looked up in `tests` (newest first).
[[nodiscard]] Outcome<std::string> find_test(const std::string& word, const Json& tests);
// The same, with the list from --state-dir or from the daemon.
[[nodiscard]] Outcome<std::string> find_test(const Options& options, Io& io);

[[nodiscard]] Outcome<TestResults> read_results(const std::string& folder);

// Steps and cycles as tables; of very many the first and the last, unless `all`.
[[nodiscard]] std::string results_text(const TestResults& results, bool all);
// A line a cycle, tab-separated: number, Ah in, Ah out, coulombic efficiency, Wh in, Wh out, energy efficiency,
// seconds.
[[nodiscard]] std::string results_plain(const TestResults& results);
[[nodiscard]] Json results_json(const TestResults& results);

}  // namespace cyclerd::ctl
