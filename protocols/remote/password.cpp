#include "protocols/remote/password.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "protocols/transport/tcp.hpp"

namespace cyclerd::remote {

using base::ErrorCode;

Password::Password(Password&& other) noexcept : text_(other.text_) {
  other.wipe();
}

Password& Password::operator=(Password&& other) noexcept {
  if (this != &other) {
    wipe();
    text_ = other.text_;
    other.wipe();
  }
  return *this;
}

Password::~Password() {
  wipe();
}

void Password::wipe() noexcept {
  explicit_bzero(text_.data(), text_.size());
  text_.clear();
}

base::Result<Password> read_password_file(const std::string& path) {
  const transport::Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
  if (!file.valid()) {
    const int error = errno;
    base::FixedText<200> detail{"cannot open the password file: "};
    detail.append(strerrordesc_np(error));
    return base::failure(error == ENOENT   ? ErrorCode::not_found
                         : error == EACCES ? ErrorCode::permission
                                           : ErrorCode::io,
                         path, detail.view());
  }
  struct stat about {};
  if (fstat(file.get(), &about) != 0 || !S_ISREG(about.st_mode))
    return base::failure(ErrorCode::invalid, path, "the password file is no ordinary file");
  if ((about.st_mode & S_IROTH) != 0)
    return base::failure(ErrorCode::permission, path, "everybody may read this password file: chmod 600 it");
  std::array<char, 514> bytes{};
  const ssize_t n = read(file.get(), bytes.data(), bytes.size());
  if (n < 0) return base::failure(ErrorCode::io, path, "cannot read the password file");
  const char* const stop = bytes.data() + n;
  const char* const line_end = std::find(static_cast<const char*>(bytes.data()), stop, '\n');
  std::string line(static_cast<const char*>(bytes.data()), line_end);
  explicit_bzero(bytes.data(), bytes.size());
  if (!line.empty() && line.back() == '\r') line.pop_back();
  Password password(line);
  explicit_bzero(line.data(), line.size());
  const std::string& text = password.reveal();
  if (text.empty()) return base::failure(ErrorCode::invalid, path, "the first line of the password file is empty");
  if (text.size() > 256)
    return base::failure(ErrorCode::invalid, path, "the first line of the password file is longer than 256 bytes");
  if (std::any_of(text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7F; }))
    return base::failure(ErrorCode::invalid, path, "there is a control character in the password");
  return password;
}

}  // namespace cyclerd::remote
