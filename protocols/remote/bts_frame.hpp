// How messages of the BTS server end on the wire. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace cyclerd::remote {

inline constexpr std::string_view kBtsTerminator = "\n\n#\r\n";
// A thousand points with a hundred auxiliary columns each stay below it.
inline constexpr std::size_t kMaxBtsReply = 8U << 20U;

// Gathers one reply. It ends with '#' CR LF behind the closing tag or behind an empty line: one source has seen servers
// that leave the empty line out.
class BtsReplyFrame {
 public:
  enum class State { incomplete, complete, too_long, more_than_one };

  State add(std::string_view bytes);
  [[nodiscard]] std::size_t size() const noexcept { return bytes_.size(); }
  // Without the terminator; only when complete.
  [[nodiscard]] std::string_view document() const noexcept { return std::string_view(bytes_).substr(0, end_); }

 private:
  std::string bytes_;
  std::size_t end_ = 0;
};

}  // namespace cyclerd::remote
