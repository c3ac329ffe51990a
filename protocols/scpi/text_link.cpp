#include "protocols/scpi/text_link.hpp"

#include <algorithm>
#include <cmath>

#include "protocols/device/item_scale.hpp"
#include "protocols/scpi/codec.hpp"

namespace cyclerd::scpi {

using namespace device;

using base::ErrorCode;
using base::FixedText;
using base::Result;
using base::Status;

namespace {

Shape shape_of(const Item& item) noexcept {
  if (item.type == ValueType::boolean) return Shape::boolean;
  if (item.type == ValueType::f64) return Shape::number;
  return item.text.only_words ? Shape::word : Shape::integer;
}

std::string rendered(const TextTemplate& text, std::string_view channel) {
  std::array<char, 512> out{};
  Places places;
  places.channel = channel;
  const auto n = render(text, places, out);
  return n ? std::string(out.data(), *n) : std::string{};
}

}  // namespace

TextLink::TextLink(std::shared_ptr<const Description> description, std::unique_ptr<TextClient> client,
                   std::string channel)
    : description_(std::move(description)),
      d_(*description_),
      client_(std::move(client)),
      channel_(std::move(channel)),
      prefix_(rendered(d_.text.prefix, channel_)),
      plan_(plan_scan(d_)),
      slots_(plan_.words, kNone),
      values_(plan_.words, base::kAbsent),
      held_(d_.items.size(), base::kAbsent) {
  for (std::size_t i = 0; i < d_.items.size(); ++i) {
    const TextItem& t = d_.items[i].text;
    queries_.push_back(t.query.empty() ? std::string{} : prefix_ + rendered(t.query, channel_));
    layouts_.push_back(&t);
    if (plan_.offsets[i] >= 0) slots_[static_cast<std::size_t>(plan_.offsets[i])] = static_cast<int>(i);
  }
}

Status TextLink::connect() {
  text_item_ = kNone;
  std::fill(held_.begin(), held_.end(), base::kAbsent);
  return client_->connect();
}

Result<double> TextLink::parse(int index, std::string_view reply) {
  const Item& item = d_.item(index);
  const auto value = parse_value(reply, item.text, shape_of(item));
  if (value) return *value;
  return std::unexpected(with_item(client_->garbled(reply), item.name));
}

Result<double> TextLink::read_raw(int index) {
  const Item& item = d_.item(index);
  if (item.type == ValueType::ascii) return base::failure(ErrorCode::invalid, name(), "text has no number");
  const auto reply = client_->ask(query(index));
  if (!reply) return std::unexpected(with_item(reply.error(), item.name));
  return parse(index, *reply);
}

Result<FixedText<48>> TextLink::read_text(int index) {
  const Item& item = d_.item(index);
  FixedText<48> out;
  if (item.type != ValueType::ascii) {
    TRY_ASSIGN(const double raw, read_raw(index));
    out.append(raw, 10);
    return out;
  }
  const bool known = text_item_ != kNone && text_at_ == client_->messages() && client_->is_connected() &&
                     query(text_item_) == query(index);
  if (!known) {
    text_item_ = kNone;
    const auto reply = client_->ask(query(index));
    if (!reply) return std::unexpected(with_item(reply.error(), item.name));
    text_reply_ = FixedText<240>{*reply};
    text_item_ = index;
    text_at_ = client_->messages();
  }
  const auto text = parse_text(text_reply_.view(), item.text);
  if (!text) return std::unexpected(with_item(client_->garbled(text_reply_.view()), item.name));
  for (const char c : *text) {
    const char shown = c >= ' ' && c <= '~' ? c : '?';
    out.append(std::string_view{&shown, 1});
  }
  return out;
}

Status TextLink::tell(const TextTemplate& text, double value, const TextItem* item, const ReplyRule& reply,
                      base::Duration after) {
  std::copy(prefix_.begin(), prefix_.end(), message_.begin());
  const Places places{value, item, channel_, held_, layouts_};
  const auto n = render(text, places, std::span(message_).subspan(prefix_.size()));
  if (!n) return base::failure(ErrorCode::invalid, name(), "this value cannot be written into its message");
  return client_->tell({message_.data(), prefix_.size() + *n}, reply.pattern, after);
}

Status TextLink::write_raw(int index, double raw) {
  const Item& item = d_.item(index);
  const TextItem& t = item.text;
  Status done;
  if (t.frame == kNone) {
    done = tell(t.set, raw, &t, t.reply, d_.text.after_write);
  } else {
    held_[static_cast<std::size_t>(index)] = raw;
    if (!t.hold) done = send_frame(t.frame);
  }
  if (!done) return std::unexpected(with_item(done.error(), item.name));
  return {};
}

// Everything else in the frame goes out as it was: as it was written, or as the instrument has it.
Status TextLink::send_frame(int index) {
  const TextFrame& frame = d_.frames[static_cast<std::size_t>(index)];
  for (const TextPiece& piece : frame.send) {
    if (piece.kind != TextPiece::Kind::item) continue;
    double& held = held_[static_cast<std::size_t>(piece.item)];
    if (!std::isnan(held)) continue;
    if (query(piece.item).empty()) {
      held = d_.item(piece.item).text.initial;
    } else {
      TRY_ASSIGN(held, read_raw(piece.item));
    }
  }
  return tell(frame.send, 0.0, nullptr, frame.reply, frame.after);
}

Status TextLink::send(int index) {
  const TextCommand& command = d_.commands[static_cast<std::size_t>(index)];
  const Status done = tell(command.send, 0.0, nullptr, command.reply, command.after);
  if (!done) return std::unexpected(with_item(done.error(), command.name));
  return {};
}

Status TextLink::finish_sequence() {
  if (d_.text.error_check != ErrorCheck::sequence || !client_->is_connected()) return {};
  return client_->check_errors();
}

Status TextLink::scan(base::MonoTime& sent, base::MonoTime& received) {
  for (std::size_t i = 0; i < plan_.blocks.size(); ++i) {
    const ScanBlock& block = plan_.blocks[i];
    const int first = slots_[block.offset];
    const auto reply = client_->ask(query(first));
    if (!reply) return std::unexpected(with_item(reply.error(), d_.item(first).name));
    for (std::size_t k = block.offset; k < block.offset + block.count; ++k) {
      const auto value = parse(slots_[k], *reply);
      if (!value) return std::unexpected(value.error());
      values_[k] = *value;
    }
    if (i == plan_.main_block) {
      sent = client_->sent();
      received = client_->received();
    }
  }
  return {};
}

double TextLink::scanned(int item) const noexcept {
  const auto at = plan_.offsets[static_cast<std::size_t>(item)];
  return at < 0 ? base::kAbsent : values_[static_cast<std::size_t>(at)];
}

}  // namespace cyclerd::scpi
