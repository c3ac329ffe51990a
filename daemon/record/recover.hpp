// What an earlier process left is made whole again: torn tails cut and reported, the files of every test that did not
// end brought up to date from the journal. Before the recorder opens; nothing else may write below `state_dir`.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "daemon/record/journal_reader.hpp"
#include "daemon/record/test_folder.hpp"
#include "protocols/base/clock.hpp"

namespace cyclerd::record {

struct InterruptedTest {
  std::uint64_t test = 0;
  std::uint32_t channel = 0;
  std::string folder;
};

struct Recovered {
  std::vector<std::string> report;                            // in words, for an event; empty when nothing was wrong
  std::vector<InterruptedTest> interrupted;                   // begun, not ended, and the newest of their channel
  std::map<std::uint32_t, std::set<std::uint64_t>> segments;  // segment -> tests that still need it
  std::uint32_t next_segment = 1;
  std::uint64_t next_group = 1;
};

base::Result<Recovered> recover(const std::string& state_dir, const FolderOptions& options, const base::Clock& clock);

// The station's own events (of no test): events.jsonl in the state folder, numbered by their place in the journal.
base::Status append_station_line(LineFile& file, const JournalFrame& frame);

}  // namespace cyclerd::record
