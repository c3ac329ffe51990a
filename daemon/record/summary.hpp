// A test's steps and cycles as two aligned tables for the terminal.
#pragma once

#include <cstddef>
#include <string>

namespace cyclerd::record {

struct SummaryOptions {
  std::size_t max_steps = 60;  // the middle of longer lists is left out, and says so
  std::size_t max_cycles = 60;
};

// Reads test.json, steps.jsonl and cycles.jsonl of the folder; missing files make empty tables.
[[nodiscard]] std::string summary_text(const std::string& test_folder, const SummaryOptions& options = {});

}  // namespace cyclerd::record
