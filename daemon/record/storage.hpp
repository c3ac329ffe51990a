// The few file operations that durability hangs on, in one place: written, synced, renamed, and the folder synced too.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "protocols/base/result.hpp"

namespace cyclerd::record {

// What may fail on a disk. Tests replace it to make it fail; both return 0 or an errno.
class Storage {
 public:
  virtual ~Storage() = default;
  virtual int write_at(int fd, std::span<const std::byte> bytes, std::uint64_t offset);
  virtual int sync_data(int fd);

  static Storage& system();
};

// An open file; closes itself.
class File {
 public:
  File() = default;
  File(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}
  ~File() { reset(); }
  File(File&& o) noexcept : fd_(std::exchange(o.fd_, -1)), path_(std::move(o.path_)) {}
  File& operator=(File&& o) noexcept {
    if (this != &o) {
      reset();
      fd_ = std::exchange(o.fd_, -1);
      path_ = std::move(o.path_);
    }
    return *this;
  }

  // `flags` as of open(2); O_CLOEXEC is added, mode 0640.
  static base::Result<File> open(const std::string& path, int flags);
  [[nodiscard]] bool is_open() const noexcept { return fd_ >= 0; }
  [[nodiscard]] int fd() const noexcept { return fd_; }
  [[nodiscard]] const std::string& path() const noexcept { return path_; }
  [[nodiscard]] base::Result<std::uint64_t> size() const;
  base::Status truncate(std::uint64_t size);
  void reset() noexcept;

 private:
  int fd_ = -1;
  std::string path_;
};

// An Error of a system call: who, what was tried, the system's words, what to do.
[[nodiscard]] std::unexpected<base::Error> disk_failure(std::string_view path, std::string_view tried, int error);

[[nodiscard]] base::Result<std::vector<std::byte>> read_bytes(const std::string& path);
[[nodiscard]] base::Result<std::string> read_text(const std::string& path);
// Old content or new, never a mixture, whatever happens: temporary file, fsync, rename, fsync of the folder. `durable`
// false leaves the two syncs out.
base::Status write_atomically(const std::string& path, std::string_view text, bool durable = true);
base::Status sync_directory(const std::string& path);
base::Status sync_file(const std::string& path);
// Makes the folder and the missing ones above it; each new entry is synced into its parent.
base::Status make_directories(const std::string& path, bool durable = true);
[[nodiscard]] std::string sha256_hex(std::span<const std::byte> bytes);

}  // namespace cyclerd::record
