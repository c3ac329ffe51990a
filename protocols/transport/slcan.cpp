#include "protocols/transport/slcan.hpp"

#include <algorithm>

namespace cyclerd::transport {

using base::ErrorCode;
using base::Status;

namespace {

constexpr base::Duration kAnswer = base::milliseconds(100);  // of a command while opening
constexpr base::Duration kSilence = base::milliseconds(30);  // then nothing more is to come
constexpr base::Duration kFlagsEvery = base::seconds(1);
constexpr base::Duration kWrite = base::milliseconds(100);
constexpr char kRefused = '\a';

}  // namespace

SlcanBus::SlcanBus(SlcanOptions options, base::Clock& clock) : options_(std::move(options)), clock_(clock) {
  name_.append(options_.line);
}

SlcanBus::~SlcanBus() {
  close();
}

Status SlcanBus::open() {
  close();
  const auto rate = slcan_rate(options_.bitrate);
  if (!rate) {
    return base::failure(
        ErrorCode::invalid, name(),
        "this bit rate has no letter in the adapter's protocol; it knows 10, 20, 50, 100, 125, 250, 500, 800 "
        "kbit/s and 1 Mbit/s");
  }
  TRY_ASSIGN(port_, SerialPort::open(options_.line, options_.settings, clock_));
  health_.state = CanState::unknown;
  const std::array<char, 3> set_rate{'S', *rate, '\r'};
  const Status done = [&]() -> Status {
    // What a program before us left half-written ends here; a channel that is closed already may refuse to be closed.
    TRY(quiet("\r\r\r"));
    TRY(quiet("C\r"));
    TRY(command({set_rate.data(), set_rate.size()}));
    return command("O\r");
  }();
  if (!done) close();
  return done;
}

void SlcanBus::close() noexcept {
  if (!port_) return;
  const std::array<std::uint8_t, 2> goodbye{'C', '\r'};
  (void)port_->write_all(goodbye, clock_.now() + kWrite);
  port_.reset();
  length_ = from_ = until_ = 0;
  overlong_ = refused_ = false;
}

Status SlcanBus::lost(const base::Error& error) {
  if (error.code == ErrorCode::timeout) return std::unexpected(error);
  port_.reset();
  length_ = from_ = until_ = 0;
  return std::unexpected(error);
}

// Says it and passes over every answer, and over traffic of a channel that is still open.
Status SlcanBus::quiet(std::string_view text) {
  const auto bytes = std::span(reinterpret_cast<const std::uint8_t*>(text.data()), text.size());
  const Status written = port_->write_all(bytes, clock_.now() + kWrite);
  if (!written) return lost(written.error());
  const base::MonoTime latest = clock_.now() + kAnswer;
  for (base::MonoTime now = clock_.now(); now < latest; now = clock_.now()) {
    const auto got = port_->read_some(input_, std::min(latest, now + kSilence));
    if (!got) return lost(got.error());
    if (*got == 0) break;
  }
  length_ = from_ = until_ = 0;
  return {};
}

Status SlcanBus::command(std::string_view text) {
  const auto bytes = std::span(reinterpret_cast<const std::uint8_t*>(text.data()), text.size());
  const Status written = port_->write_all(bytes, clock_.now() + kWrite);
  if (!written) return lost(written.error());
  const base::MonoTime deadline = clock_.now() + kAnswer;
  for (;;) {
    TRY_ASSIGN(const bool came, take_line(deadline));
    if (!came) return {};
    CanFrame frame;
    const bool traffic = !refused_ && read_slcan({line_.data(), length_}, frame);  // of a channel that was open
    length_ = 0;
    if (traffic) continue;
    if (!refused_) return {};
    base::FixedText<200> detail{"the adapter refuses '"};
    detail.append(text.substr(0, text.size() - 1))
        .append("'; is it an SLCAN (LAWICEL) adapter, with nobody else using it?");
    return base::failure(ErrorCode::refused, name(), detail.view());
  }
}

base::Result<bool> SlcanBus::take_line(base::MonoTime deadline) {
  for (;;) {
    while (from_ < until_) {
      const char c = static_cast<char>(input_[from_++]);
      if (c != '\r' && c != kRefused) {
        if (length_ < line_.size())
          line_[length_++] = c;
        else
          overlong_ = true;
        continue;
      }
      refused_ = c == kRefused;
      if (overlong_) ++health_.foul;
      const bool usable = !overlong_;
      overlong_ = false;
      if (usable) return true;
      length_ = 0;
    }
    const auto got = port_->read_some(input_, deadline);
    if (!got) return std::unexpected(lost(got.error()).error());
    if (*got == 0) return false;
    from_ = 0;
    until_ = *got;
  }
}

Status SlcanBus::ask_for_flags() {
  if (clock_.now() < flags_asked_ + kFlagsEvery) return {};
  flags_asked_ = clock_.now();
  static constexpr std::array<std::uint8_t, 2> kAsk{'F', '\r'};
  const Status asked = port_->write_all(kAsk, clock_.now() + kWrite);
  if (!asked) return lost(asked.error());
  return {};
}

Status SlcanBus::send(const CanFrame& frame, base::MonoTime deadline) {
  if (!port_) return base::failure(ErrorCode::disconnected, name(), "not open");
  std::array<char, kMaxSlcanLine> line{};
  const std::size_t length = write_slcan(frame, line);
  if (length == 0)
    return base::failure(ErrorCode::invalid, name(), "the adapter carries classic CAN frames of up to 8 bytes only");
  const auto bytes = std::span(reinterpret_cast<const std::uint8_t*>(line.data()), length);
  const Status written = port_->write_all(bytes, deadline);
  if (!written) return lost(written.error());
  ++health_.sent;
  return {};
}

// What the finished line says; true when it is a frame.
bool SlcanBus::take_frame(CanFrame& frame) {
  const std::string_view line{line_.data(), length_};
  length_ = 0;
  if (refused_) {
    ++health_.unacknowledged;
    return false;
  }
  if (read_slcan(line, frame)) return true;
  if (const auto flags = read_slcan_flags(line)) {
    // The protocol has no flag for bus-off.
    health_.state = flags->passive ? CanState::passive : flags->warning ? CanState::warning : CanState::active;
    if (flags->bus_error) ++health_.error_frames;
    if (flags->overrun || flags->receive_full) ++health_.overruns;
    return false;
  }
  // 'z' and 'Z' acknowledge a frame, an empty line a command.
  if (!line.empty() && line != "z" && line != "Z") ++health_.foul;
  return false;
}

base::Result<bool> SlcanBus::receive(CanFrame& frame, base::MonoTime deadline) {
  if (!port_) return base::failure(ErrorCode::disconnected, name(), "not open");
  if (const Status asked = ask_for_flags(); !asked) return std::unexpected(asked.error());
  for (;;) {
    TRY_ASSIGN(const bool came, take_line(deadline));
    if (!came) return false;
    frame.received = clock_.now();
    if (!take_frame(frame)) continue;
    ++health_.received;
    return true;
  }
}

}  // namespace cyclerd::transport
