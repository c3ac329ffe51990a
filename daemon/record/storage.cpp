#include "daemon/record/storage.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/sha.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <system_error>

namespace cyclerd::record {

namespace fs = std::filesystem;
using base::ErrorCode;

int Storage::write_at(int fd, std::span<const std::byte> bytes, std::uint64_t offset) {
  while (!bytes.empty()) {
    const ssize_t n = ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (n < 0) {
      if (errno == EINTR) continue;
      return errno;
    }
    bytes = bytes.subspan(static_cast<std::size_t>(n));
    offset += static_cast<std::uint64_t>(n);
  }
  return 0;
}

int Storage::sync_data(int fd) {
  return ::fdatasync(fd) == 0 ? 0 : errno;
}

Storage& Storage::system() {
  static Storage instance;
  return instance;
}

std::unexpected<base::Error> disk_failure(std::string_view path, std::string_view tried, int error) {
  const char* advice = "look at the disk and at its kernel messages";
  ErrorCode code = ErrorCode::io;
  if (error == ENOSPC || error == EDQUOT) advice = "free space on this file system";
  if (error == EACCES || error == EPERM || error == EROFS) {
    advice = "give the daemon's user write access to the state folder";
    code = ErrorCode::permission;
  }
  if (error == ENOENT) {
    advice = "check the path";
    code = ErrorCode::not_found;
  }
  // The end of a path tells more than its beginning; the subject is short.
  const std::string_view shown = path.size() > 48 ? path.substr(path.size() - 48) : path;
  return base::failure(code, shown,
                       fmt::format("{} failed: {}; {}", tried, std::generic_category().message(error), advice));
}

base::Result<File> File::open(const std::string& path, int flags) {
  const int fd = ::open(path.c_str(), flags | O_CLOEXEC, 0640);
  if (fd < 0) return disk_failure(path, "open", errno);
  return File(fd, path);
}

base::Result<std::uint64_t> File::size() const {
  struct stat st = {};
  if (::fstat(fd_, &st) != 0) return disk_failure(path_, "stat", errno);
  return static_cast<std::uint64_t>(st.st_size);
}

base::Status File::truncate(std::uint64_t size) {
  if (::ftruncate(fd_, static_cast<off_t>(size)) != 0) return disk_failure(path_, "truncate", errno);
  return {};
}

void File::reset() noexcept {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

namespace {

// Fills `out` (vector<byte> or string) with the whole file.
template <class Container>
base::Status read_whole(const std::string& path, Container& out) {
  TRY_ASSIGN(File file, File::open(path, O_RDONLY));
  TRY_ASSIGN(const std::uint64_t size, file.size());
  out.resize(size);
  std::size_t done = 0;
  while (done < out.size()) {
    const ssize_t n = ::read(file.fd(), out.data() + done, out.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return disk_failure(path, "read", errno);
    if (n == 0) break;  // it shrank meanwhile
    done += static_cast<std::size_t>(n);
  }
  out.resize(done);
  return {};
}

}  // namespace

base::Result<std::vector<std::byte>> read_bytes(const std::string& path) {
  std::vector<std::byte> out;
  TRY(read_whole(path, out));
  return out;
}

base::Result<std::string> read_text(const std::string& path) {
  std::string out;
  TRY(read_whole(path, out));
  return out;
}

base::Status sync_directory(const std::string& path) {
  TRY_ASSIGN(File folder, File::open(path, O_RDONLY | O_DIRECTORY));
  if (::fsync(folder.fd()) != 0) return disk_failure(path, "fsync of the folder", errno);
  return {};
}

base::Status sync_file(const std::string& path) {
  TRY_ASSIGN(File file, File::open(path, O_RDONLY));
  if (::fsync(file.fd()) != 0) return disk_failure(path, "fsync", errno);
  return {};
}

base::Status write_atomically(const std::string& path, std::string_view text, bool durable) {
  const std::string temporary = path + ".tmp";
  TRY_ASSIGN(File file, File::open(temporary, O_WRONLY | O_CREAT | O_TRUNC));
  if (const int e = Storage::system().write_at(file.fd(), std::as_bytes(std::span(text)), 0); e != 0) {
    ::unlink(temporary.c_str());
    return disk_failure(path, "write", e);
  }
  if (durable && ::fsync(file.fd()) != 0) return disk_failure(path, "fsync", errno);
  file.reset();
  if (::rename(temporary.c_str(), path.c_str()) != 0) return disk_failure(path, "rename", errno);
  if (durable) TRY(sync_directory(fs::path(path).parent_path().string()));
  return {};
}

base::Status make_directories(const std::string& path, bool durable) {
  const fs::path full = fs::absolute(path).lexically_normal();
  fs::path built;
  for (const fs::path& part : full) {
    const fs::path parent = built;
    built /= part;
    if (built == built.root_path() || part.empty()) continue;
    if (::mkdir(built.c_str(), 0750) == 0) {
      if (durable) TRY(sync_directory(parent.string()));
    } else if (errno != EEXIST && errno != EISDIR) {
      return disk_failure(built.string(), "mkdir", errno);
    }
  }
  return {};
}

std::string sha256_hex(std::span<const std::byte> bytes) {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), digest.data());
  std::string out;
  for (const unsigned char c : digest) out += fmt::format("{:02x}", c);
  return out;
}

}  // namespace cyclerd::record
