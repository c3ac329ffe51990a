// Replays the journalled inputs of a test through the executor and compares with the recorded commands, rows and
// summaries. replay_journal STATE_DIR TEST
#include <fmt/core.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>

#include "daemon/app/launch.hpp"
#include "daemon/app/recompile.hpp"
#include "daemon/record/journal_reader.hpp"
#include "profiles/amend_plan.hpp"
#include "profiles/replay.hpp"

namespace {

using namespace cyclerd;

struct Version {
  std::shared_ptr<const profiles::Program> program;
  std::vector<std::byte> state;  // as recorded when it took over
};

// The program of the start, then those of the amendments; empty when one cannot be made again.
std::vector<Version> versions_of(const record::TestJournal& journal, text::Diagnostics& diagnostics) {
  std::vector<Version> versions{{app::program_from_metadata(journal.metadata_json, diagnostics), {}}};
  for (const record::JournalAmendment& amendment : journal.amendments) {
    const std::string metadata = app::amended_metadata(journal.metadata_json, amendment.metadata_json);
    versions.push_back({app::program_from_metadata(metadata, diagnostics), amendment.state});
  }
  for (const Version& version : versions) {
    if (!version.program) return {};
  }
  return versions;
}

// Exchanges at the recorded moments, and counts states that are not the recorded ones to the last bit.
std::vector<profiles::TakeOver> exchanges(const record::TestJournal& journal, const std::vector<Version>& versions,
                                          std::size_t& different) {
  std::vector<profiles::TakeOver> all;
  for (std::size_t i = 0; i < journal.amendments.size(); ++i) {
    const auto amend = [&versions, &different, i](const base::Sample& last, profiles::ExecutorState& state) {
      text::Diagnostics findings;
      const Version& next = versions[i + 1];
      const auto source = std::make_shared<const text::Source>(text::Source{"profile", next.program->source_text});
      const bool amended = profiles::amend_state(*versions[i].program, state, *next.program, last, source, findings);
      const auto bytes = profiles::snapshot(state);
      const bool same =
          bytes.size() == next.state.size() && std::memcmp(bytes.data(), next.state.data(), bytes.size()) == 0;
      if (!amended || !same) ++different;
      fmt::print("{}", findings.render());
    };
    all.push_back({journal.amendments[i].head.last_input_sequence, versions[i + 1].program.get(), amend});
  }
  return all;
}

}  // namespace

int main(int argc, char** argv) {
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
  const std::vector<Version> versions = versions_of(*journal, diagnostics);
  if (versions.empty()) {
    fmt::print(stderr, "{}", diagnostics.render());
    return 1;
  }
  std::size_t different_states = 0;
  const auto amended = exchanges(*journal, versions, different_states);
  const profiles::Replayed replayed = profiles::replay(*versions[0].program, journal->inputs, amended);
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
  if (!amended.empty()) fmt::print("{} amendments, {} states different\n", amended.size(), different_states);
  // The newest state that the record holds belongs to the newest program.
  profiles::ExecutorState restored;
  const bool fits = profiles::restore(*versions.back().program, journal->checkpoint_state, restored);
  if (!fits) fmt::print("the newest checkpoint is not of the newest program\n");
  const bool empty = journal->inputs.empty() || journal->commands.empty() || journal->rows.empty();
  if (empty) fmt::print("the journal holds nothing to compare\n");
  return different == 0 && different_rows == 0 && different_states == 0 && fits && !empty ? 0 : 1;
}
