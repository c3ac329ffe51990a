// The files of one test: tests/<name>/{test.json, profile.toml, rows.arrows, events.jsonl, steps.jsonl, cycles.jsonl}.
// Recorder thread only (reading is free: every file is append-only or replaced as a whole).
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/record/record_json.hpp"
#include "daemon/record/row_stream.hpp"
#include "profiles/record.hpp"

namespace cyclerd::record {

// A file of JSON lines, each with the sequence number of the frame it came from.
class LineFile {
 public:
  // Cuts a torn last line off; `key` is the member that rises from line to line.
  static base::Result<LineFile> open(const std::string& path, const char* key, Storage& storage,
                                     std::vector<std::string>& report);
  // False when a line of this number is already there.
  bool push(Json line, std::uint64_t number);
  base::Status flush();
  base::Status sync();
  [[nodiscard]] std::uint64_t lines() const noexcept { return lines_; }
  [[nodiscard]] std::size_t pending_bytes() const noexcept { return pending_.size(); }

 private:
  File file_;
  Storage* storage_ = nullptr;
  std::string key_;
  std::string pending_;
  std::uint64_t offset_ = 0;
  std::uint64_t last_ = 0;
  std::uint64_t lines_ = 0;
};

struct FolderOptions {
  std::size_t batch_rows = 1000;
  base::Duration batch_age = base::seconds(5);
  bool durable = true;
  Storage* storage = nullptr;
};

class TestFolder {
 public:
  // Makes the folder of a new test: named by its start and channel.
  static base::Result<std::unique_ptr<TestFolder>> create(const std::string& state_dir,
                                                          const profiles::RecordHeader& header,
                                                          const profiles::TestBegin& begin, std::string_view metadata,
                                                          const FolderOptions& options,
                                                          std::vector<std::string>& report);
  // Goes on with a folder that is there; frames that are already in its files are skipped by apply().
  static base::Result<std::unique_ptr<TestFolder>> reopen(const std::string& folder, const FolderOptions& options,
                                                          std::vector<std::string>& report);

  // Adds what a frame holds for these files. A test_end closes and syncs everything.
  base::Status apply(const profiles::RecordHeader& header, std::span<const std::byte> payload, base::MonoTime now);
  // Writes lines, and rows that are old enough.
  base::Status write_due(base::MonoTime now);
  // Everything to the files and to the disk, the test left open under the state `state`; `notes` go to test.json.
  base::Status suspend(std::string_view state, const std::vector<std::string>& notes);

  [[nodiscard]] bool ended() const noexcept { return ended_; }
  [[nodiscard]] const std::string& path() const noexcept { return path_; }
  [[nodiscard]] std::uint32_t channel() const noexcept { return channel_; }
  [[nodiscard]] bool rows_pending() const noexcept { return rows_.pending(); }
  [[nodiscard]] base::MonoTime rows_due() const noexcept { return rows_.due(); }
  [[nodiscard]] std::string state() const { return about_.value("state", ""); }

 private:
  TestFolder() = default;
  base::Status open_files(std::vector<std::string>& report);
  base::Status write_about();
  base::Status amend(const profiles::RecordHeader& header, const profiles::TestAmendment& head, std::string_view about);
  base::Status write_amendments();
  base::Status close();

  std::string path_;
  FolderOptions options_;
  std::uint32_t channel_ = 0;
  Json about_;                   // test.json
  bool amendments_due_ = false;  // about_ holds one that is not in the files yet
  RowStream rows_;
  LineFile events_;
  LineFile steps_;
  LineFile cycles_;
  profiles::TestEnd end_;
  bool end_asked_ = false;
  bool ended_ = false;
};

// tests/<name> of the test with this id; empty when there is none.
[[nodiscard]] std::string find_test_folder(const std::string& state_dir, std::uint64_t test);

}  // namespace cyclerd::record
