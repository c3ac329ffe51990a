// Devices of a simulation: the daemon's device interface directly on a world, in virtual time. One thread.
#pragma once

#include <cstddef>
#include <optional>

#include "hil/plant/world.hpp"
#include "protocols/base/clock.hpp"
#include "protocols/device/device.hpp"

namespace cyclerd::hil {

struct InprocessOptions {
  base::Duration round_trip;                          // request to reply; the value is of the middle
  base::Duration time_out = base::milliseconds(500);  // what a silent device costs its caller
  base::Duration watchdog_timeout;                    // cycler; 0: has none
  bool reports_temperature = true;                    // cycler: also shows the temperature of its cell
  double voltage_step_V = 0.0, current_step_A = 0.0;  // what the capability says about resolution
  std::optional<std::size_t> sensor_on;               // chamber: plant whose cell carries its second sensor
};

// What both kinds share: the clock, the way there and back, and falling silent on request.
class InprocessDevice : public device::Device {
 public:
  InprocessDevice(World& world, base::VirtualClock& clock, const InprocessOptions& options)
      : world_(world), clock_(clock), options_(options) {}

  base::Status open() override;
  void close() noexcept override { open_ = false; }
  [[nodiscard]] bool is_open() const noexcept override { return open_; }
  [[nodiscard]] const device::Capability& capability() const noexcept override { return capability_; }
  [[nodiscard]] const device::Identity& identity() const noexcept override { return identity_; }

  // From now on no answer comes, as from a server that was killed; or answers again.
  void set_silent(bool silent) noexcept { silent_ = silent; }

 protected:
  // Half a round trip, then the world at that moment. Fails when nobody is there.
  [[nodiscard]] base::Status there();
  void back() noexcept { clock_.advance(options_.round_trip - options_.round_trip / 2); }

  World& world_;
  base::VirtualClock& clock_;
  InprocessOptions options_;
  device::Capability capability_;
  device::Identity identity_;
  bool open_ = false;
  bool silent_ = false;
};

class InprocessCycler final : public InprocessDevice {
 public:
  InprocessCycler(World& world, std::size_t plant, base::VirtualClock& clock, const InprocessOptions& options = {});

  base::Status open() override;
  base::Status read(base::Reading& reading) override;
  base::Status apply(const base::Setpoint& setpoint) override;
  base::Status apply(const base::ChamberSetpoint& setpoint) override;
  base::Status make_safe() override;
  base::Status protect(const device::Protections& protections) override;
  base::Status feed_watchdog() override;
  base::Status release() override;

 private:
  [[nodiscard]] Plant& plant() { return world_.plant(plant_); }
  std::size_t plant_;
};

class InprocessChamber final : public InprocessDevice {
 public:
  InprocessChamber(World& world, std::size_t chamber, base::VirtualClock& clock, const InprocessOptions& options = {});

  base::Status open() override;
  base::Status read(base::Reading& reading) override;
  base::Status apply(const base::Setpoint& setpoint) override;
  base::Status apply(const base::ChamberSetpoint& setpoint) override;
  base::Status make_safe() override;
  base::Status protect(const device::Protections& protections) override;
  base::Status feed_watchdog() override;
  base::Status release() override;

 private:
  [[nodiscard]] Chamber& chamber() { return world_.chamber(chamber_); }
  std::size_t chamber_;
};

}  // namespace cyclerd::hil
