// One instrument's items over lines of text.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "protocols/device/description.hpp"
#include "protocols/device/item_link.hpp"
#include "protocols/device/scan_plan.hpp"
#include "protocols/scpi/text_client.hpp"

namespace cyclerd::scpi {

class TextLink final : public device::ItemLink {
 public:
  TextLink(std::shared_ptr<const device::Description> description, std::unique_ptr<TextClient> client,
           std::string channel);

  base::Status connect() override;
  void close() noexcept override { client_->close(); }
  [[nodiscard]] bool is_connected() const noexcept override { return client_->is_connected(); }
  [[nodiscard]] std::string_view name() const noexcept override { return client_->name(); }
  [[nodiscard]] base::Result<double> read_raw(int item) override;
  // Items of one reply that are asked for one after the other cost one question: *IDN?.
  [[nodiscard]] base::Result<base::FixedText<48>> read_text(int item) override;
  [[nodiscard]] base::Status write_raw(int item, double raw) override;
  [[nodiscard]] base::Status send(int command) override;
  [[nodiscard]] base::Status finish_sequence() override;
  [[nodiscard]] base::Status scan(base::MonoTime& sent, base::MonoTime& received) override;
  [[nodiscard]] double scanned(int item) const noexcept override;

 private:
  base::Result<double> parse(int item, std::string_view reply);
  base::Status send_frame(int frame);
  base::Status tell(const device::TextTemplate& text, double value, const device::TextItem* item,
                    const device::ReplyRule& reply, base::Duration after);
  [[nodiscard]] const std::string& query(int item) const noexcept { return queries_[static_cast<std::size_t>(item)]; }

  std::shared_ptr<const device::Description> description_;
  const device::Description& d_;
  std::unique_ptr<TextClient> client_;
  std::string channel_;
  std::string prefix_;
  std::vector<std::string> queries_;  // per item, as sent
  std::vector<const device::TextItem*> layouts_;
  device::ScanPlan plan_;
  std::vector<int> slots_;      // item of each place of the scan
  std::vector<double> values_;  // of the last scan, by place
  std::vector<double> held_;    // per item of a frame: raw; NaN: not known
  std::array<char, 600> message_{};
  // The last reply to a question for text.
  int text_item_ = device::kNone;
  std::uint64_t text_at_ = 0;
  base::FixedText<240> text_reply_;
};

}  // namespace cyclerd::scpi
