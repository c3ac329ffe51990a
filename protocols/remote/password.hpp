// A password on its way from a file or the environment to the wire. It prints nowhere.
#pragma once

#include <string>

#include "protocols/base/result.hpp"

namespace cyclerd::remote {

class Password {
 public:
  Password() = default;
  explicit Password(std::string text) noexcept : text_(std::move(text)) {}
  Password(Password&& other) noexcept;
  Password& operator=(Password&& other) noexcept;
  ~Password();

  [[nodiscard]] bool empty() const noexcept { return text_.empty(); }
  // For the one request that carries it.
  [[nodiscard]] const std::string& reveal() const noexcept { return text_; }

 private:
  void wipe() noexcept;
  std::string text_;
};

// The first line of the file. Errors: not_found, io, permission (everybody may read it), invalid (empty, too long, or a
// control character in it).
[[nodiscard]] base::Result<Password> read_password_file(const std::string& path);

}  // namespace cyclerd::remote
