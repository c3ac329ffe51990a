// Replays the journalled inputs of a test through the executor and compares with the recorded commands, rows and
// summaries. replay_journal STATE_DIR TEST
#include <fmt/core.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "daemon/app/launch.hpp"
#include "daemon/app/recompile.hpp"
#include "daemon/record/journal_reader.hpp"
#include "profiles/replay.hpp"

int main(int argc, char** argv) {
  using namespace cyclerd;
  if (argc != 3) {
    fmt::print(stderr, "usage: replay_journal STATE_DIR TEST\n");
    return 2;
  }
  const auto journal = record::read_test_journal(argv[1], std::strtoull(argv[2], nullptr, 10));
  if (!journal) {
    fmt::print(stderr, "{}\n", journal.error().text());
    return 1;
  }
  text::Diagnostics diagnostics;
  const auto program = app::program_from_metadata(journal->metadata_json, diagnostics);
  if (!program) {
    fmt::print(stderr, "{}", diagnostics.render());
    return 1;
  }
  const profiles::Replayed replayed = profiles::replay(*program, journal->inputs);
  std::size_t different = replayed.commands.size() == journal->commands.size() ? 0 : 1;
  for (std::size_t i = 0; i < std::min(replayed.commands.size(), journal->commands.size()); ++i) {
    if (profiles::same_order(replayed.commands[i], journal->commands[i])) continue;
    if (different++ == 0) fmt::print("the first different command is number {}\n", i + 1);
  }
  std::size_t different_rows = replayed.rows.size() == journal->rows.size() ? 0 : 1;
  for (std::size_t i = 0; i < std::min(replayed.rows.size(), journal->rows.size()); ++i) {
    if (std::memcmp(&replayed.rows[i], &journal->rows[i], sizeof(profiles::Row)) != 0) ++different_rows;
  }
  fmt::print(
      "{} inputs replayed: {} commands recorded, {} replayed, {} different; {} rows recorded, {} replayed, {} "
      "different\n",
      journal->inputs.size(), journal->commands.size(), replayed.commands.size(), different, journal->rows.size(),
      replayed.rows.size(), different_rows);
  const bool empty = journal->inputs.empty() || journal->commands.empty() || journal->rows.empty();
  if (empty) fmt::print("the journal holds nothing to compare\n");
  return different == 0 && different_rows == 0 && !empty ? 0 : 1;
}
