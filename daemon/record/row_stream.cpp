#include "daemon/record/row_stream.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <filesystem>

namespace cyclerd::record {

base::Result<RowStream> RowStream::open(const std::string& path, const arrow::KeyValues& metadata,
                                        std::size_t batch_rows, base::Duration batch_age, Storage& storage,
                                        std::vector<std::string>& report) {
  RowStream stream;
  stream.storage_ = &storage;
  stream.batch_rows_ = batch_rows == 0 ? 1 : batch_rows;
  stream.batch_age_ = batch_age;
  stream.batch_.reserve(stream.batch_rows_);
  TRY_ASSIGN(stream.file_, File::open(path, O_RDWR | O_CREAT));
  TRY_ASSIGN(const std::uint64_t size, stream.file_.size());
  if (size != 0) {
    TRY_ASSIGN(const std::vector<std::byte> bytes, read_bytes(path));
    // Only what lies before the first damage is kept here: what comes later is written again, in order.
    StreamReport found = read_stream(bytes, {});
    if (!found.damage.empty()) {
      TRY(write_atomically(path + ".damaged", {reinterpret_cast<const char*>(bytes.data()), bytes.size()}));
      report.push_back(found.damage.front() + "; the file as found is kept as rows.arrows.damaged");
      found = read_stream(std::span(bytes).first(found.good_bytes), {});
    }
    const std::uint64_t end_mark = found.ended ? arrow::kEndBytes : 0;
    if (found.good_bytes + end_mark < size) {
      report.push_back(fmt::format("{}: torn or damaged tail of {} bytes at offset {} cut off",
                                   std::filesystem::path(path).filename().string(), size - found.good_bytes - end_mark,
                                   found.good_bytes));
    }
    if (found.good_bytes != size) TRY(stream.file_.truncate(found.good_bytes));
    stream.offset_ = found.good_bytes;
    stream.rows_ = found.rows;
    stream.last_sequence_ = found.last_sequence;
  }
  if (stream.offset_ == 0) {
    const std::vector<std::byte> schema = arrow::schema_message(metadata);
    if (const int e = storage.write_at(stream.file_.fd(), schema, 0); e != 0) return disk_failure(path, "write", e);
    stream.offset_ = schema.size();
  }
  return stream;
}

base::Status RowStream::push(const profiles::Row& row, std::uint64_t sequence, base::MonoTime now) {
  if (sequence <= last_sequence_) return {};
  if (broken_ || batch_.size() >= kMaxPendingRows) {
    broken_ = true;
    return base::failure(base::ErrorCode::io, file_.path(), "the disk took no rows for too long; the journal has them");
  }
  if (batch_.empty()) {
    first_sequence_ = sequence;
    oldest_ = now;
  }
  batch_.push_back(to_table(row));
  last_sequence_ = sequence;
  if (batch_.size() >= batch_rows_) return flush();
  return {};
}

base::Status RowStream::write_due(base::MonoTime now) {
  if (!batch_.empty() && now >= due()) return flush();
  if (refused_.code != base::ErrorCode::none) return std::unexpected(refused_);
  return {};
}

base::Status RowStream::flush() {
  if (batch_.empty()) return {};
  const auto bytes = encoder_.encode(batch_, first_sequence_, last_sequence_);
  if (const int e = storage_->write_at(file_.fd(), bytes, offset_); e != 0) {
    // A torn batch would make other readers refuse the whole file; the rows stay here for the next try.
    oldest_ = oldest_ + batch_age_;
    TRY(file_.truncate(offset_));
    refused_ = disk_failure(file_.path(), "write of the live stream", e).error();
    return std::unexpected(refused_);
  }
  refused_ = {};
  offset_ += bytes.size();
  rows_ += batch_.size();
  batch_.clear();
  return {};
}

base::Status RowStream::finish() {
  TRY(flush());
  if (finished_) return {};
  if (const int e = storage_->write_at(file_.fd(), arrow::end_of_stream(), offset_); e != 0) {
    return disk_failure(file_.path(), "write of the live stream's end", e);
  }
  offset_ += arrow::kEndBytes;
  finished_ = true;
  return {};
}

base::Status RowStream::sync() {
  if (const int e = storage_->sync_data(file_.fd()); e != 0) return disk_failure(file_.path(), "fdatasync", e);
  return {};
}

}  // namespace cyclerd::record
