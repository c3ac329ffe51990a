// Writes the live stream of one test: rows.arrows. Recorder thread only.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "daemon/record/arrow_format.hpp"
#include "daemon/record/storage.hpp"
#include "daemon/record/stream_reader.hpp"
#include "protocols/base/time.hpp"

namespace cyclerd::record {

class RowStream {
 public:
  // Starts `path`, or goes on with it: the end mark and a torn or damaged tail are cut off first (`report` says so).
  static base::Result<RowStream> open(const std::string& path, const arrow::KeyValues& metadata, std::size_t batch_rows,
                                      base::Duration batch_age, Storage& storage, std::vector<std::string>& report);

  // Rows at or below the last sequence in the file are already there and are left out. Writes when the batch is full.
  base::Status push(const profiles::Row& row, std::uint64_t sequence, base::MonoTime now);
  // Writes a batch that is old enough.
  base::Status write_due(base::MonoTime now);
  base::Status flush();
  // Flushes and puts the end mark.
  base::Status finish();
  base::Status sync();

  [[nodiscard]] std::uint64_t rows() const noexcept { return rows_; }
  [[nodiscard]] bool pending() const noexcept { return !batch_.empty(); }
  [[nodiscard]] base::MonoTime due() const noexcept { return oldest_ + batch_age_; }

 private:
  // Rows kept in memory while the disk refuses them; beyond it the newest are left to the journal.
  static constexpr std::size_t kMaxPendingRows = 1'000'000;

  File file_;
  Storage* storage_ = nullptr;
  arrow::BatchEncoder encoder_;
  std::vector<TableRow> batch_;
  std::size_t batch_rows_ = 1000;
  base::Duration batch_age_;
  base::MonoTime oldest_;
  std::uint64_t offset_ = 0;
  std::uint64_t rows_ = 0;
  std::uint64_t first_sequence_ = 0;
  std::uint64_t last_sequence_ = 0;
  base::Error refused_;  // the disk's last refusal; code none: it takes what it is given
  bool finished_ = false;
  bool broken_ = false;  // rows are missing here: nothing may follow them until a restart rebuilds the file
};

}  // namespace cyclerd::record
