#include "protocols/scpi/text_client.hpp"

#include <algorithm>
#include <array>

#include "protocols/device/words.hpp"
#include "protocols/scpi/codec.hpp"

namespace cyclerd::scpi {

using base::Duration;
using base::Error;
using base::ErrorCode;
using base::FixedText;
using base::Result;
using base::Status;

namespace {

constexpr Duration kSilence = base::milliseconds(20);  // after which a serial line counts as quiet

std::string rendered(const device::TextTemplate& text, std::string_view channel) {
  std::array<char, 512> out{};
  Places places;
  places.channel = channel;
  const auto n = render(text, places, out);
  return n ? std::string(out.data(), *n) : std::string{};
}

std::string_view short_of(std::string_view text) noexcept {
  return text.substr(0, 60);
}

}  // namespace

TextClient::TextClient(std::shared_ptr<TextLine> line, TextManners manners, base::Clock& clock)
    : line_(std::move(line)), manners_(std::move(manners)), clock_(clock), name_(line_->name()) {
  ++line_->clients_;
  if (!manners_.channel.empty()) name_.append(" channel ").append(manners_.channel);
  if (manners_.worst_response.us == 0) manners_.worst_response = manners_.response_timeout * 2;
  const std::string prefix = rendered(layer().prefix, manners_.channel);
  select_message_ = rendered(layer().select, manners_.channel);
  const auto with_prefix = [&prefix](const std::string& text) { return text.empty() ? text : prefix + text; };
  sync_send_ = with_prefix(layer().sync_send);
  sync_ask_ = with_prefix(layer().sync_ask);
  error_query_ = with_prefix(layer().error_query);
}

TextClient::~TextClient() {
  if (--line_->clients_ == 0) line_->close();
}

Status TextClient::connect() {
  connected_ = false;
  TRY(line_->open());
  epoch_ = line_->epoch_;
  connected_ = true;
  return {};
}

void TextClient::close() noexcept {
  connected_ = false;
  if (line_->clients_ == 1) line_->close();
}

bool TextClient::is_connected() const noexcept {
  return connected_ && line_->is_open() && epoch_ == line_->epoch_;
}

Status TextClient::connected() const {
  if (is_connected()) return {};
  return base::failure(ErrorCode::disconnected, name(), "not connected");
}

std::unexpected<Error> TextClient::doubt(Error error, std::string_view message) {
  connected_ = false;
  if (error.code == ErrorCode::timeout || error.code == ErrorCode::protocol)
    line_->doubt(manners_.worst_response);
  else
    line_->close();
  FixedText<200> detail{short_of(message)};
  detail.append(": ").append(error.detail.view());
  error.detail = detail;
  error.subject = name_;
  return std::unexpected(error);
}

Error TextClient::garbled(std::string_view reply) {
  FixedText<200> detail{"the reply '"};
  detail.append(short_of(reply)).append("' cannot be read as this value");
  connected_ = false;
  line_->doubt(manners_.worst_response);
  return {ErrorCode::protocol, name_, detail};
}

Status TextClient::turn() {
  return line_->take_turn(std::max(manners_.min_gap, manners_.request_gap));
}

Status TextClient::refusal(std::string_view message, std::string_view reply) const {
  for (const auto& pattern : layer().refused) {
    if (!device::matches_pattern(reply, pattern)) continue;
    FixedText<200> detail{short_of(message)};
    detail.append(" is answered with ").append(short_of(reply));
    return base::failure(ErrorCode::refused, name(), detail.view());
  }
  return {};
}

Result<std::string_view> TextClient::exchange(std::string_view message) {
  if (const Status clean = turn(); !clean) return doubt(clean.error(), message);
  sent_ = clock_.now();
  const Status written = line_->write(message, layer().terminator, manners_.response_timeout);
  if (!written) return doubt(written.error(), message);
  const auto reply = line_->read(layer().reply_terminator, line_->last_ + manners_.response_timeout);
  received_ = clock_.now();
  if (!reply) return doubt(reply.error(), message);
  TRY(refusal(message, *reply));
  return *reply;
}

Status TextClient::get_in_step() {
  if (line_->in_step_) return {};
  const bool late = line_->stream_->keeps_late_replies();
  if (late && !line_->settle(kSilence)) {
    return doubt({ErrorCode::protocol, name_, "the line does not become silent; does something else talk on it?"},
                 "resynchronising");
  }
  if (!sync_ask_.empty()) {
    select_unheard();
    Status sent;
    if (!sync_send_.empty()) write_unheard(sync_send_, false, sent);
    if (!sent) return doubt(sent.error(), sync_send_);
    TRY_ASSIGN(const std::string_view reply, exchange(sync_ask_));
    if (!device::matches_pattern(trimmed(reply), layer().sync_expect)) {
      FixedText<200> detail{"answered with '"};
      detail.append(short_of(reply)).append("', not '").append(layer().sync_expect).append("': out of step");
      return doubt({ErrorCode::protocol, name_, detail}, sync_ask_);
    }
  }
  line_->in_step_ = true;
  // What is in the queue from before is nobody's refusal now.
  if (layer().error_check != device::ErrorCheck::never && sync_send_.empty()) {
    const Status old = check_errors();
    if (!old && old.error().code != ErrorCode::refused) return old;
  }
  return {};
}

Status TextClient::select() {
  if (select_message_.empty() || line_->selected_ == manners_.channel) return {};
  line_->selected_ = {};
  if (layer().select_reply.expected()) {
    TRY_ASSIGN(const std::string_view reply, exchange(select_message_));
    if (!device::matches_pattern(trimmed(reply), layer().select_reply.pattern)) return std::unexpected(garbled(reply));
  } else {
    if (const Status clean = turn(); !clean) return doubt(clean.error(), select_message_);
    const Status done = line_->write(select_message_, layer().terminator, manners_.response_timeout);
    if (!done) return doubt(done.error(), select_message_);
    line_->pause(layer().after_write);
  }
  line_->selected_ = std::string_view{manners_.channel};
  return {};
}

void TextClient::write_unheard(std::string_view message, bool answered, Status& done) {
  if (!done) return;
  (void)line_->take_turn(manners_.min_gap);
  done = line_->write(message, layer().terminator, manners_.response_timeout);
  if (!done || !answered) return;
  (void)line_->read(layer().reply_terminator, line_->last_ + manners_.response_timeout);
  line_->filled_ = 0;
}

void TextClient::select_unheard() {
  if (select_message_.empty()) return;
  Status ignored;
  write_unheard(select_message_, layer().select_reply.expected(), ignored);
  line_->pause(layer().after_write);
}

Status TextClient::tell_unheard(std::string_view message, bool answered, Duration after) {
  select_unheard();
  Status done;
  write_unheard(message, answered, done);
  if (!done) return doubt(done.error(), message);
  line_->pause(after);
  if (answered) line_->quiet_until_ = std::max(line_->quiet_until_, clock_.now() + manners_.worst_response);
  return {};
}

Result<std::string_view> TextClient::ask(std::string_view message) {
  TRY(connected());
  TRY(get_in_step());
  TRY(select());
  return exchange(message);
}

Status TextClient::tell(std::string_view message, std::string_view expected, Duration after) {
  TRY(connected());
  if (!line_->in_step_) return tell_unheard(message, !expected.empty(), after);
  TRY(select());
  if (expected.empty()) {
    if (const Status clean = turn(); !clean) return doubt(clean.error(), message);
    const Status done = line_->write(message, layer().terminator, manners_.response_timeout);
    if (!done) return doubt(done.error(), message);
  } else {
    TRY_ASSIGN(const std::string_view reply, exchange(message));
    if (!device::matches_pattern(trimmed(reply), expected)) {
      FixedText<200> detail{"answered with '"};
      detail.append(short_of(reply)).append("', not '").append(expected).append("'");
      return doubt({ErrorCode::protocol, name_, detail}, message);
    }
  }
  line_->pause(after);
  return layer().error_check == device::ErrorCheck::write ? check_errors() : Status{};
}

Status TextClient::check_errors() {
  if (error_query_.empty() || !line_->in_step_) return {};
  TRY(connected());
  Status first;
  for (int i = 0; i < layer().error_drain; ++i) {
    TRY_ASSIGN(const std::string_view reply, exchange(error_query_));
    const auto& none = layer().no_error;
    const bool empty = std::any_of(none.begin(), none.end(), [&](const std::string& pattern) {
      return device::matches_pattern(trimmed(reply), pattern);
    });
    if (empty) return first;
    const auto entry = parse_error(reply);
    if (!entry) return std::unexpected(garbled(reply));
    FixedText<200> detail{"the instrument reports "};
    detail.append(std::int64_t{entry->number}).append(" ").append(entry->text);
    if (first) first = base::failure(ErrorCode::refused, name(), detail.view());
  }
  return first;
}

}  // namespace cyclerd::scpi
