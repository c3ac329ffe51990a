#include "protocols/can/can_link.hpp"

#include <algorithm>
#include <cmath>

#include "protocols/dbc/signal.hpp"
#include "protocols/device/item_scale.hpp"
#include "protocols/device/scan_plan.hpp"

namespace cyclerd::can {

using base::ErrorCode;
using base::FixedText;
using base::Result;
using base::Status;
using device::kNone;

namespace {

constexpr base::Duration kSendPatience = base::milliseconds(50);

std::uint32_t id_at_site(const device::CanId& id, const device::SiteParameters& site) {
  if (id.parameter == kNone) return id.base;
  return id.base +
         (static_cast<std::uint32_t>(std::llround(site.values[static_cast<std::size_t>(id.parameter)])) << id.shift);
}

transport::CanFrame frame_of(std::uint32_t id, const device::CanMessage& message, std::span<const std::uint8_t> bytes) {
  transport::CanFrame frame;
  frame.id = id;
  frame.extended = message.id.extended;
  frame.flexible_rate = message.content.flexible_rate;
  frame.length = static_cast<std::uint8_t>(bytes.size());
  std::ranges::copy(bytes, frame.data.begin());
  return frame;
}

}  // namespace

CanLink::CanLink(std::shared_ptr<const device::Description> description, const device::SiteParameters& site,
                 std::shared_ptr<CanLine> line, base::Clock& clock)
    : description_(std::move(description)),
      d_(*description_),
      line_(std::move(line)),
      clock_(clock),
      messages_(d_.can.messages.size()),
      heard_(d_.items.size()) {
  name_.append(line_->name()).append(" ").append(d_.id);
  for (std::size_t i = 0; i < d_.items.size(); ++i) {
    const device::CanItem& place = d_.items[i].can;
    if (place.message != kNone && place.signal != kNone) state(place.message).items.push_back(static_cast<int>(i));
  }
  for (std::size_t i = 0; i < messages_.size(); ++i) {
    const device::CanMessage& message = d_.can.messages[i];
    Message& m = messages_[i];
    m.id = id_at_site(message.id, site);
    m.request_id = id_at_site(message.request_id, site);
    m.image = message.data;
    if (!message.sent && !m.items.empty())
      line_->subscribe(*this, static_cast<int>(i), m.id, message.id.extended, message.match);
  }
  for (const int item : device::scan_items(d_)) {
    const int message = message_of(item);
    if (text(message).asked_for && std::ranges::find(asked_in_scan_, message) == asked_in_scan_.end())
      asked_in_scan_.push_back(message);
  }
  for (const int item : device::state_items(d_)) {
    if (!text(message_of(item)).asked_for) needed_in_scan_.push_back(item);
  }
  main_item_ = device::principal_item(d_);
}

CanLink::~CanLink() {
  line_->leave(*this);
}

bool CanLink::is_connected() const noexcept {
  return connected_ && line_->is_open() && epoch_ == line_->epoch();
}

Status CanLink::connect() {
  if (!line_->is_open()) TRY(line_->open());
  epoch_ = line_->epoch();
  for (Message& m : messages_) {
    m.frames = 0;
    m.written = false;
  }
  for (std::size_t i = 0; i < messages_.size(); ++i) messages_[i].image = d_.can.messages[i].data;
  std::ranges::fill(heard_, Heard{});
  repeat_failure_ = {};
  written_at_ = {};
  connected_ = true;
  return {};
}

void CanLink::take(int tag, const transport::CanFrame& frame) noexcept {
  Message& m = state(tag);
  const dbc::Message& content = text(tag).content;
  ++m.frames;
  m.at = frame.received;
  for (const int item : m.items) {
    const dbc::Signal& signal = content.signals[static_cast<std::size_t>(d_.item(item).can.signal)];
    if (!dbc::is_present(content, signal, frame.bytes())) continue;
    heard_[static_cast<std::size_t>(item)] = {dbc::value_of(signal, frame.bytes()), frame.received};
  }
}

base::MonoTime CanLink::repeat(base::MonoTime now) {
  base::MonoTime next = now + base::hours(1);
  if (!is_connected()) return next;
  for (std::size_t i = 0; i < messages_.size(); ++i) {
    Message& m = messages_[i];
    const base::Duration cycle = d_.can.messages[i].cycle;
    if (!m.written || cycle.us <= 0) continue;
    if (now >= m.repeat_at) {
      const Status sent = send_message(static_cast<int>(i));
      if (!sent && repeat_failure_) repeat_failure_ = sent;
    }
    next = std::min(next, m.repeat_at);
  }
  return next;
}

Status CanLink::send_message(int message) {
  Message& m = state(message);
  // On the grid; one that was missed is not made up for.
  m.repeat_at = clock_.now() + text(message).cycle;
  return line_->send(frame_of(m.id, text(message), m.image), kSendPatience);
}

Status CanLink::doubt(Status failure) {
  connected_ = false;
  return failure;
}

Status CanLink::missing(int message, const char* what) const {
  FixedText<200> detail{what};
  detail.append(" '")
      .append(text(message).name)
      .append("' within ")
      .append(d_.response_timeout.us / 1000)
      .append(" ms");
  const auto& health = line_->health();
  if (health.state != transport::CanState::active && health.state != transport::CanState::unknown)
    detail.append("; the bus is ")
        .append(transport::to_string(health.state))
        .append(": check termination, bit rate and wiring");
  return base::failure(ErrorCode::timeout, name(), detail.view());
}

Status CanLink::ask(int message, base::MonoTime& sent) {
  const Message& m = state(message);
  TRY(line_->listen(clock_.now(), [] { return true; }));  // an answer that came too late is none
  const std::uint64_t before = m.frames;
  sent = clock_.now();
  const Status asked = line_->send(frame_of(m.request_id, text(message), text(message).request), kSendPatience);
  if (!asked) return doubt(asked);
  const Status heard = line_->listen(sent + d_.response_timeout, [&] { return m.frames != before; });
  if (!heard) return doubt(heard);
  return m.frames != before ? Status{} : doubt(missing(message, "no answer"));
}

bool CanLink::is_stale(int item, base::MonoTime now) const noexcept {
  const Heard& heard = heard_[static_cast<std::size_t>(item)];
  return std::isnan(heard.value) || now - heard.at > text(message_of(item)).stale_after;
}

Status CanLink::hear(int item, base::MonoTime since) {
  const int message = message_of(item);
  if (text(message).asked_for) {
    base::MonoTime sent;
    TRY(ask(message, sent));
    return is_stale(item, clock_.now()) ? missing(message, "the answer did not carry what was asked for:") : Status{};
  }
  const Status heard = line_->listen(clock_.now() + d_.response_timeout, [&] { return said_since(item, since); });
  if (!heard) return doubt(heard);
  return said_since(item, since) ? Status{} : missing(message, "nothing heard of");
}

Result<double> CanLink::read_raw(int item) {
  if (!is_connected()) return base::failure(ErrorCode::disconnected, name(), "not connected");
  if (const Status there = hear(item, written_at_); !there)
    return std::unexpected(device::with_item(there.error(), d_.item(item).name));
  return heard_[static_cast<std::size_t>(item)].value;
}

Result<FixedText<48>> CanLink::read_text(int item) {
  TRY_ASSIGN(const double raw, read_raw(item));
  FixedText<48> text;
  text.append(raw, 12);
  return text;
}

Status CanLink::write_raw(int item, double raw) {
  if (!is_connected()) return base::failure(ErrorCode::disconnected, name(), "not connected");
  const int message = message_of(item);
  Message& m = state(message);
  const dbc::Signal& signal = text(message).content.signals[static_cast<std::size_t>(d_.item(item).can.signal)];
  if (!dbc::put_value(signal, raw, m.image)) {
    FixedText<200> detail{d_.item(item).name};
    detail.append(": its ").append(std::int64_t{signal.length}).append(" bits cannot hold ").append(raw);
    return base::failure(ErrorCode::invalid, name(), detail.view());
  }
  m.written = true;
  written_at_ = clock_.now();
  const Status sent = send_message(message);
  if (sent) return {};
  return doubt(std::unexpected(device::with_item(sent.error(), d_.item(item).name)));
}

Status CanLink::send(int) {
  return base::failure(ErrorCode::unsupported, name(), "CAN has no commands without a value");
}

Status CanLink::scan(base::MonoTime& sent, base::MonoTime& received) {
  if (!is_connected()) return base::failure(ErrorCode::disconnected, name(), "not connected");
  (void)repeat(clock_.now());
  if (!repeat_failure_) return doubt(std::exchange(repeat_failure_, {}));
  for (const int message : asked_in_scan_) {
    base::MonoTime asked;
    TRY(ask(message, asked));
    if (main_item_ != kNone && message_of(main_item_) == message) sent = asked;
  }
  if (main_item_ == kNone) {
    sent = received = clock_.now();
    return line_->listen(sent, [] { return true; });
  }
  const int message = message_of(main_item_);
  if (!text(message).asked_for) {
    if (const Status heard = hear(main_item_, {}); !heard) return doubt(heard);
    sent = heard_[static_cast<std::size_t>(main_item_)].at;
  }
  received = heard_[static_cast<std::size_t>(main_item_)].at;
  for (const int item : needed_in_scan_) {
    if (const Status heard = hear(item, {}); !heard) return doubt(heard);
  }
  return {};
}

double CanLink::scanned(int item) const noexcept {
  return is_stale(item, clock_.now()) ? base::kAbsent : heard_[static_cast<std::size_t>(item)].value;
}

}  // namespace cyclerd::can
