// Inside of the driver of every description: what its files share.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "protocols/base/clock.hpp"
#include "protocols/device/description.hpp"
#include "protocols/device/device.hpp"
#include "protocols/device/host_ramp.hpp"
#include "protocols/device/item_link.hpp"
#include "protocols/device/item_scale.hpp"
#include "protocols/device/scan_plan.hpp"
#include "protocols/device/site.hpp"
#include "protocols/device/words.hpp"

namespace cyclerd::device {

[[nodiscard]] inline FieldValues no_fields() {
  FieldValues fields;
  fields.fill(base::kAbsent);
  return fields;
}

inline void set(FieldValues& fields, Field field, double value) {
  fields[static_cast<std::size_t>(field)] = value * facts(field).factor;
}

class ScriptedDevice final : public Device {
 public:
  ScriptedDevice(std::shared_ptr<const Description> description, const SiteParameters& site,
                 std::unique_ptr<ItemLink> link, base::Clock& clock)
      : d_(std::move(description)),
        clock_(clock),
        link_(std::move(link)),
        scale_(*d_, site),
        written_(d_->items.size(), base::kAbsent),
        state_items_(state_items(*d_)) {
    describe();
  }

  base::Status open() override;
  void close() noexcept override {
    link_->close();
    open_ = false;
    ramp_.stop();
    forget();
  }
  [[nodiscard]] bool is_open() const noexcept override { return open_; }
  base::Status read(base::Reading& reading) override;
  base::Status apply(const base::Setpoint& setpoint) override;
  base::Status apply(const base::ChamberSetpoint& setpoint) override;
  base::Status make_safe() override;
  base::Status protect(const Protections& protections) override;
  base::Status feed_watchdog() override;
  base::Status release() override;
  [[nodiscard]] const Capability& capability() const noexcept override { return capability_; }
  [[nodiscard]] const Identity& identity() const noexcept override { return identity_; }

 private:
  void describe();
  base::Status load_capability();
  base::Status told(const Told& from, double& value);
  base::Result<base::FixedText<48>> identity_text(const IdentityRule& rule, std::string_view what);
  base::Status identify();
  base::Status resynchronise();
  base::Status believe_again();
  base::Status run(SequenceId id, const FieldValues& fields, bool force);
  base::Status run_step(const Step& step, const FieldValues& fields, bool force);
  base::Status run_write(const Step& step, const FieldValues& fields, bool force);
  base::Status run_check(const Step& step, const FieldValues& fields);
  base::Status run_send(const Step& step);
  base::Result<double> resolve(const Value& value, int item, const FieldValues& fields);
  base::Status read_back(int item, double raw, double tolerance_steps);
  base::Status apply_sequence(SequenceId id, const FieldValues& fields);
  base::Status inside_limits(const base::ChamberSetpoint& setpoint) const;
  base::Status begin_ramp(const base::ChamberSetpoint& setpoint, double& first_degC);
  base::Status follow_ramp(const base::Reading& reading);
  void fill(base::Reading& reading);
  [[nodiscard]] double measured(int item, std::uint32_t& flags) const noexcept;
  [[nodiscard]] std::uint32_t bits(const BitField& field) const noexcept;
  [[nodiscard]] bool touched_by_others() const noexcept;
  void forget() noexcept { written_.assign(written_.size(), base::kAbsent); }
  void pause(base::Duration duration) {
    if (duration.us > 0) clock_.sleep_until(clock_.now() + duration);
  }

  std::shared_ptr<const Description> d_;
  base::Clock& clock_;
  std::unique_ptr<ItemLink> link_;
  ItemScale scale_;
  std::vector<double> written_;   // raw, per item: what the instrument is known to hold; NaN: unknown
  std::vector<int> state_items_;  // without a value of each, a reading says nothing
  Capability capability_;
  Identity identity_;
  bool identified_ = false;
  bool open_ = false;
  double last_count_ = base::kAbsent;
  std::uint8_t last_output_on_ = 0;
  bool rewrite_all_ = true;
  bool believed_ = true;
  HostRamp ramp_;
  bool ramps_itself_ = false;
  double commanded_degC_ = base::kAbsent;  // last set-point of a chamber that runs
};

}  // namespace cyclerd::device
