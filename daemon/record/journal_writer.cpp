#include "daemon/record/journal_writer.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>

#include "daemon/record/crc32c.hpp"

namespace cyclerd::record {

std::string segment_name(std::uint32_t number) {
  return fmt::format("{:08}.seg", number);
}

base::Result<JournalWriter> JournalWriter::open(Options options, base::WallTime now) {
  if (options.storage == nullptr) options.storage = &Storage::system();
  TRY(make_directories(options.directory));
  JournalWriter writer(std::move(options));
  writer.segment_ = writer.options_.first_segment;
  writer.segment_size_ = writer.options_.segment_bytes;
  TRY(writer.make_segment(writer.segment_, writer.segment_size_, now, writer.file_));
  writer.offset_ = sizeof(SegmentHeader);
  return writer;
}

// Under a temporary name until it is whole and synced, so that a segment with its real name always has a valid header.
base::Status JournalWriter::make_segment(std::uint32_t number, std::size_t bytes, base::WallTime now, File& out) {
  const std::string path = options_.directory + "/" + segment_name(number);
  const std::string temporary = path + ".tmp";
  TRY_ASSIGN(File file, File::open(temporary, O_RDWR | O_CREAT | O_TRUNC));
  SegmentHeader header;
  header.segment_bytes = bytes;
  header.segment = number;
  header.created_unix_us = now.us;
  header.first_group = group_;
  const auto header_bytes = std::as_bytes(std::span(&header, 1));
  header.crc = crc32c(header_bytes.first(offsetof(SegmentHeader, crc)));

  const std::vector<std::byte> zeros(std::min<std::size_t>(bytes, 1U << 20));
  int error = 0;
  for (std::size_t at = 0; at < bytes && error == 0; at += zeros.size()) {
    error = options_.storage->write_at(file.fd(), std::span(zeros).first(std::min(zeros.size(), bytes - at)), at);
  }
  if (error == 0) error = options_.storage->write_at(file.fd(), header_bytes, 0);
  if (error == 0) error = options_.storage->sync_data(file.fd());
  if (error == 0 && ::rename(temporary.c_str(), path.c_str()) != 0) error = errno;
  if (error != 0) {
    ::unlink(temporary.c_str());
    return disk_failure(path, "making a journal segment", error);
  }
  TRY(sync_directory(options_.directory));
  out = File(::dup(file.fd()), path);
  if (!out.is_open()) return disk_failure(path, "dup", errno);
  return {};
}

base::Status JournalWriter::prepare_next(base::WallTime now) {
  if (dead_ || next_.is_open()) return {};
  next_size_ = options_.segment_bytes;
  return make_segment(segment_ + 1, next_size_, now, next_);
}

base::Status JournalWriter::rotate(std::size_t frame_bytes, base::WallTime now) {
  if (next_.is_open() && sizeof(SegmentHeader) + frame_bytes > next_size_) next_.reset();  // a giant: made to measure
  if (!next_.is_open()) {
    next_size_ = std::max(options_.segment_bytes, sizeof(SegmentHeader) + frame_bytes);
    TRY(make_segment(segment_ + 1, next_size_, now, next_));
  }
  TRY(flush());
  file_ = std::move(next_);
  next_ = {};
  ++segment_;
  segment_size_ = next_size_;
  offset_ = sizeof(SegmentHeader);
  return {};
}

base::Status JournalWriter::add(const profiles::RecordHeader& record, std::span<const std::byte> payload,
                                base::WallTime now) {
  if (dead_) return base::failure(base::ErrorCode::io, "journal", "the store is dead; restart the daemon");
  const std::size_t size = padded(sizeof(FrameHeader) + payload.size());
  if (offset_ + buffer_.size() + size > segment_size_) TRY(rotate(size, now));
  FrameHeader header;
  header.magic = kFrameMagic;
  header.length = static_cast<std::uint32_t>(payload.size());
  header.segment = segment_;
  header.record = record;
  header.group = group_;
  const auto bytes = std::as_bytes(std::span(&header, 1));
  header.crc = crc32c(payload, crc32c(bytes.subspan(offsetof(FrameHeader, length))));

  const std::size_t at = buffer_.size();
  last_position_ = (std::uint64_t{segment_} << 32) | (offset_ + at);
  buffer_.resize(at + size);  // zeroes the padding
  std::memcpy(&buffer_[at], &header, sizeof header);
  if (!payload.empty()) std::memcpy(&buffer_[at + sizeof header], payload.data(), payload.size());
  return {};
}

base::Status JournalWriter::flush() {
  if (!buffer_.empty()) {
    if (const int e = options_.storage->write_at(file_.fd(), buffer_, offset_); e != 0) {
      dead_ = e != ENOSPC && e != EDQUOT;  // without room nothing was promised yet: the same write may come again
      return disk_failure(file_.path(), "write to the journal", e);
    }
    offset_ += buffer_.size();
    buffer_.clear();
    unsynced_ = true;
  }
  if (unsynced_) {
    if (const int e = options_.storage->sync_data(file_.fd()); e != 0) {
      dead_ = true;
      return disk_failure(file_.path(), "fdatasync of the journal", e);
    }
    unsynced_ = false;
  }
  return {};
}

base::Status JournalWriter::commit() {
  if (dead_) return base::failure(base::ErrorCode::io, "journal", "the store is dead; restart the daemon");
  TRY(flush());
  ++group_;
  return {};
}

base::Status JournalWriter::close(base::WallTime now) {
  TRY(add(profiles::RecordHeader{}, {}, now));
  return commit();
}

}  // namespace cyclerd::record
