// An ItemLink that cannot write: for looking at an instrument that nobody has described completely yet, or that others
// drive.
#pragma once

#include <memory>
#include <utility>

#include "protocols/device/item_link.hpp"

namespace cyclerd::device {

// Owns the real link and hands nobody the way to it: what has no path to a write needs no care to avoid one. A dialect
// that must write in order to read (selecting a channel of a mainframe) does so inside its own read.
class ReadOnlyLink final : public ItemLink {
 public:
  explicit ReadOnlyLink(std::unique_ptr<ItemLink> link) : link_(std::move(link)) {}

  base::Status connect() override { return link_->connect(); }
  void close() noexcept override { link_->close(); }
  [[nodiscard]] bool is_connected() const noexcept override { return link_->is_connected(); }
  [[nodiscard]] std::string_view name() const noexcept override { return link_->name(); }
  [[nodiscard]] base::Result<double> read_raw(int item) override { return link_->read_raw(item); }
  [[nodiscard]] base::Result<base::FixedText<48>> read_text(int item) override { return link_->read_text(item); }
  [[nodiscard]] base::Status write_raw(int, double) override { return refuse(); }
  [[nodiscard]] base::Status send(int) override { return refuse(); }
  // Asking an error queue changes it, and on some instruments acknowledges alarms.
  [[nodiscard]] base::Status finish_sequence() override { return {}; }
  [[nodiscard]] base::Status scan(base::MonoTime& sent, base::MonoTime& received) override {
    return link_->scan(sent, received);
  }
  [[nodiscard]] double scanned(int item) const noexcept override { return link_->scanned(item); }

 private:
  [[nodiscard]] base::Status refuse() const {
    return base::failure(base::ErrorCode::unsupported, name(), "this connection only reads; nothing was sent");
  }

  std::unique_ptr<ItemLink> link_;
};

}  // namespace cyclerd::device
