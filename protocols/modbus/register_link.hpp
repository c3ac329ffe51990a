// One instrument's registers over Modbus.
#pragma once

#include <array>
#include <memory>
#include <span>
#include <vector>

#include "protocols/device/description.hpp"
#include "protocols/device/item_link.hpp"
#include "protocols/device/scan_plan.hpp"
#include "protocols/device/site.hpp"
#include "protocols/modbus/client.hpp"

namespace cyclerd::modbus {

class RegisterLink final : public device::ItemLink {
 public:
  RegisterLink(std::shared_ptr<const device::Description> description, const device::SiteParameters& site,
               std::unique_ptr<Client> client);

  base::Status connect() override { return client_->connect(); }
  void close() noexcept override { client_->close(); }
  [[nodiscard]] bool is_connected() const noexcept override { return client_->is_connected(); }
  [[nodiscard]] std::string_view name() const noexcept override { return client_->name(); }
  [[nodiscard]] base::Result<double> read_raw(int item) override;
  [[nodiscard]] base::Result<base::FixedText<48>> read_text(int item) override;
  [[nodiscard]] base::Status write_raw(int item, double raw) override;
  [[nodiscard]] base::Status send(int command) override;
  [[nodiscard]] base::Status scan(base::MonoTime& sent, base::MonoTime& received) override;
  [[nodiscard]] double scanned(int item) const noexcept override;

 private:
  [[nodiscard]] double decode(int item, std::span<const std::uint16_t> registers) const noexcept;

  std::shared_ptr<const device::Description> description_;
  const device::Description& d_;
  std::unique_ptr<Client> client_;
  device::ScanPlan plan_;
  std::vector<device::WordOrder> orders_;  // per item
  std::vector<std::uint16_t> scan_;        // words of the last scan
  std::array<std::uint8_t, device::kMaxReadBits> bits_{};
};

}  // namespace cyclerd::modbus
