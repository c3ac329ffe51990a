// One connection that carries lines of text, shared by the instruments (or channels) behind it.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string_view>

#include "protocols/base/clock.hpp"
#include "protocols/base/fixed_text.hpp"
#include "protocols/base/result.hpp"
#include "protocols/transport/byte_stream.hpp"

namespace cyclerd::scpi {

inline constexpr std::size_t kLongestReply = 8192;

// Used by the wire's one thread. A reply that was not read belongs to no later question: whoever doubts puts the line
// out of step for everybody. TCP is closed and opened anew; a serial line is left to the late reply first, then asked
// what only an instrument in step can answer.
class TextLine {
 public:
  TextLine(std::unique_ptr<transport::ByteStream> stream, base::Clock& clock)
      : stream_(std::move(stream)), clock_(clock) {}
  TextLine(const TextLine&) = delete;
  TextLine& operator=(const TextLine&) = delete;

  [[nodiscard]] std::string_view name() const noexcept { return stream_->name(); }
  [[nodiscard]] bool is_open() const noexcept { return stream_->is_open(); }
  // Messages sent, questions and others.
  [[nodiscard]] std::uint64_t messages() const noexcept { return messages_; }

 private:
  friend class TextClient;

  base::Status open();
  void close() noexcept;
  // Nothing that arrives from now on is believed until the line is in step again.
  void doubt(base::Duration worst_response) noexcept;
  // Waits for the gap after the last message, then throws away what nobody asked for. `protocol` when there was any.
  base::Status take_turn(base::Duration gap);
  // The whole message in one write.
  base::Status write(std::string_view message, std::string_view terminator, base::Duration timeout);
  // The next reply, valid until the next call. `timeout`, `protocol` (longer than the buffer, or no line).
  [[nodiscard]] base::Result<std::string_view> read(std::string_view terminator, base::MonoTime deadline);
  // Throws away what arrives until `quiet_until_`, and on until nothing has come for `silence`; at most a second more.
  [[nodiscard]] bool settle(base::Duration silence);
  void pause(base::Duration after) noexcept;

  std::unique_ptr<transport::ByteStream> stream_;
  base::Clock& clock_;
  bool in_step_ = false;
  std::uint32_t epoch_ = 0;  // counts the moments after which everybody has to begin afresh
  std::uint32_t clients_ = 0;
  std::uint64_t messages_ = 0;
  base::FixedText<16> selected_;  // channel that the instrument has been told last; empty: not known
  base::MonoTime quiet_until_;    // a late reply may come until then
  base::MonoTime last_;           // end of the last message or reply
  base::MonoTime not_before_;
  std::array<char, kLongestReply> in_{};
  std::size_t filled_ = 0;
};

}  // namespace cyclerd::scpi
