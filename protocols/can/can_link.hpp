// One instrument's signals on a CAN bus.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "protocols/can/can_line.hpp"
#include "protocols/device/description.hpp"
#include "protocols/device/item_link.hpp"
#include "protocols/device/site.hpp"

namespace cyclerd::can {

// What the instrument says unasked is kept as it comes, each item with its moment; one that is older than its message's
// `stale_after` is no value. What it says when asked is asked for by each read. A frame that is set is sent at once and
// repeated from this thread only: when the daemon hangs, the instrument hears nothing more, and its own watchdog acts.
class CanLink final : public device::ItemLink, private Listener {
 public:
  CanLink(std::shared_ptr<const device::Description> description, const device::SiteParameters& site,
          std::shared_ptr<CanLine> line, base::Clock& clock);
  ~CanLink() override;

  base::Status connect() override;
  void close() noexcept override { connected_ = false; }
  [[nodiscard]] bool is_connected() const noexcept override;
  [[nodiscard]] std::string_view name() const noexcept override { return name_.view(); }
  [[nodiscard]] base::Result<double> read_raw(int item) override;
  // The number as text: serial numbers.
  [[nodiscard]] base::Result<base::FixedText<48>> read_text(int item) override;
  [[nodiscard]] base::Status write_raw(int item, double raw) override;
  [[nodiscard]] base::Status send(int command) override;
  [[nodiscard]] base::Status scan(base::MonoTime& sent, base::MonoTime& received) override;
  [[nodiscard]] double scanned(int item) const noexcept override;

 private:
  struct Heard {  // of an item
    double value = base::kAbsent;
    base::MonoTime at;
  };
  struct Message {
    std::uint32_t id = 0;
    std::uint32_t request_id = 0;
    std::uint64_t frames = 0;  // since connect()
    base::MonoTime at;         // of the last
    std::vector<int> items;
    std::vector<std::uint8_t> image;  // of one that is sent
    bool written = false;             // since connect(): repeated
    base::MonoTime repeat_at;
  };

  void take(int tag, const transport::CanFrame& frame) noexcept override;
  base::MonoTime repeat(base::MonoTime now) override;
  [[nodiscard]] bool is_stale(int item, base::MonoTime now) const noexcept;
  [[nodiscard]] bool said_since(int item, base::MonoTime since) const noexcept {
    return !is_stale(item, clock_.now()) && heard_[static_cast<std::size_t>(item)].at > since;
  }
  [[nodiscard]] int message_of(int item) const noexcept { return d_.item(item).can.message; }
  [[nodiscard]] Message& state(int message) noexcept { return messages_[static_cast<std::size_t>(message)]; }
  [[nodiscard]] const device::CanMessage& text(int message) const noexcept {
    return d_.can.messages[static_cast<std::size_t>(message)];
  }
  base::Status doubt(base::Status failure);
  base::Status ask(int message, base::MonoTime& sent);
  // Waits until the item was said, or said again after `since`.
  base::Status hear(int item, base::MonoTime since);
  base::Status send_message(int message);
  base::Status missing(int message, const char* what) const;

  std::shared_ptr<const device::Description> description_;
  const device::Description& d_;
  std::shared_ptr<CanLine> line_;
  base::Clock& clock_;
  base::FixedText<48> name_;
  std::vector<Message> messages_;  // as in the description
  std::vector<Heard> heard_;       // per item
  std::vector<int> asked_in_scan_;
  std::vector<int> needed_in_scan_;  // state, without which a reading says nothing
  base::MonoTime written_at_;        // what was said before tells nothing of the last write
  int main_item_ = device::kNone;
  bool connected_ = false;
  std::uint32_t epoch_ = 0;
  base::Status repeat_failure_;
};

}  // namespace cyclerd::can
