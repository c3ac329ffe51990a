// The description files of a station, found by their name.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "protocols/device/description.hpp"

namespace cyclerd::device {

class DescriptionLibrary {
 public:
  // Folders are searched in this order; the first that holds NAME.toml wins, so a station may override a shipped file.
  explicit DescriptionLibrary(std::vector<std::string> folders) : folders_(std::move(folders)) {}

  // Null after reporting what is wrong: no such description (with the nearest name, at `where`), or errors in its file.
  [[nodiscard]] std::shared_ptr<const Description> find(const std::string& id, const text::Span& where,
                                                        text::Diagnostics& diagnostics) const;
  // All names, sorted.
  [[nodiscard]] std::vector<std::string> names() const;
  [[nodiscard]] const std::vector<std::string>& folders() const noexcept { return folders_; }

 private:
  std::vector<std::string> folders_;
};

}  // namespace cyclerd::device
