#include "protocols/scpi/text_line.hpp"

#include <algorithm>

#include "protocols/scpi/codec.hpp"

namespace cyclerd::scpi {

using base::Duration;
using base::ErrorCode;
using base::MonoTime;
using base::Result;
using base::Status;

namespace {

std::span<std::uint8_t> room(std::array<char, kLongestReply>& buffer, std::size_t from) {
  return {reinterpret_cast<std::uint8_t*>(buffer.data()) + from, buffer.size() - from};
}

bool only_line_ends(std::string_view text) noexcept {
  return std::all_of(text.begin(), text.end(), [](char c) { return c == '\r' || c == '\n' || c == '\0'; });
}

}  // namespace

Status TextLine::open() {
  if (stream_->is_open()) return {};
  TRY(stream_->open());
  ++epoch_;
  in_step_ = false;
  filled_ = 0;
  selected_ = {};
  last_ = clock_.now();
  return {};
}

void TextLine::close() noexcept {
  stream_->close();
  in_step_ = false;
  filled_ = 0;
  selected_ = {};
}

void TextLine::doubt(Duration worst_response) noexcept {
  ++epoch_;
  in_step_ = false;
  filled_ = 0;
  selected_ = {};
  if (!stream_->keeps_late_replies()) return stream_->close();
  quiet_until_ = std::max(quiet_until_, clock_.now() + worst_response);
}

Status TextLine::take_turn(Duration gap) {
  const MonoTime earliest = std::max(last_ + gap, not_before_);
  if (earliest > clock_.now()) clock_.sleep_until(earliest);
  bool clean = true;
  filled_ = 0;
  while (true) {
    TRY_ASSIGN(const std::size_t n, stream_->read_some(room(in_, 0), clock_.now()));
    if (n == 0) break;
    clean = clean && only_line_ends({in_.data(), n});
  }
  if (clean) return {};
  return base::failure(ErrorCode::protocol, name(),
                       "something came that nobody asked for; is a set answered that has reply = \"none\"?");
}

Status TextLine::write(std::string_view message, std::string_view terminator, Duration timeout) {
  std::array<std::uint8_t, 1024> bytes;
  const std::size_t size = message.size() + terminator.size();
  if (size > bytes.size()) return base::failure(ErrorCode::invalid, name(), "the message is too long");
  std::copy(message.begin(), message.end(), bytes.begin());
  std::copy(terminator.begin(), terminator.end(), bytes.begin() + static_cast<std::ptrdiff_t>(message.size()));
  const Duration on_the_line = stream_->byte_time() * static_cast<std::int64_t>(size);
  TRY(stream_->write_all(std::span(bytes).first(size), clock_.now() + timeout + on_the_line));
  ++messages_;
  last_ = clock_.now() + on_the_line;
  return {};
}

Result<std::string_view> TextLine::read(std::string_view terminator, MonoTime deadline) {
  filled_ = 0;
  while (true) {
    const std::string_view bytes(in_.data(), filled_);
    const Framing found = frame(bytes, terminator);
    if (found.state == Framing::State::complete) {
      last_ = clock_.now();
      if (!only_line_ends(bytes.substr(found.used)))
        return base::failure(ErrorCode::protocol, name(), "more than one reply came to one question");
      filled_ = 0;
      return bytes.substr(found.begin, found.size);
    }
    if (found.state == Framing::State::garbage)
      return base::failure(ErrorCode::protocol, name(), "the reply is neither a line nor a block of known length");
    if (filled_ == in_.size()) return base::failure(ErrorCode::protocol, name(), "the reply is longer than 8192 bytes");
    const Duration on_the_line = stream_->byte_time() * static_cast<std::int64_t>(filled_ + 1);
    TRY_ASSIGN(const std::size_t n, stream_->read_some(room(in_, filled_), deadline + on_the_line));
    if (n == 0) {
      return base::failure(ErrorCode::timeout, name(),
                           filled_ == 0 ? "no reply in time; is the instrument on, and does it know this question?"
                                        : "the reply did not end in time; is the terminator right?");
    }
    filled_ += n;
  }
}

bool TextLine::settle(Duration silence) {
  const MonoTime until = std::max(clock_.now() + silence, quiet_until_);
  const MonoTime latest = until + base::seconds(1);
  MonoTime heard{};
  filled_ = 0;
  while (true) {
    const MonoTime now = clock_.now();
    const MonoTime end = std::max(until, heard + silence);
    if (now >= end) return true;
    if (now >= latest) return false;
    const auto n = stream_->read_some(room(in_, 0), std::min(end, latest));
    if (!n) return false;
    if (*n != 0) heard = clock_.now();
  }
}

void TextLine::pause(Duration after) noexcept {
  not_before_ = std::max(not_before_, last_ + after);
}

}  // namespace cyclerd::scpi
