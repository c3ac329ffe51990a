// Which tests a state folder holds, read from their test.json files. A database may stand here later (catalogue.db); it
// can always be made again from these files.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace cyclerd::record {

struct TestEntry {
  std::uint64_t test = 0;
  std::string folder;
  std::string state;  // running, interrupted, completed, stopped, failed, tripped; unreadable
  std::string reason;
  std::string channel;
  std::string profile;
  std::string cell;
  std::int64_t started_unix_us = 0;
  std::int64_t ended_unix_us = 0;  // 0: not ended
  std::uint64_t rows = 0;          // known when it ended
  std::uint64_t steps = 0;
  std::uint64_t cycles = 0;
};

// Newest first. A folder whose test.json cannot be read is listed as "unreadable".
[[nodiscard]] std::vector<TestEntry> list_tests(const std::string& state_dir);

}  // namespace cyclerd::record
