#include "daemon/cycle/cycle.hpp"

#include <algorithm>

#include "daemon/cycle/channel.hpp"
#include "protocols/base/check.hpp"

namespace cyclerd::cycle {

struct Cycle::Impl {
  Impl(std::vector<io::Lanes*> all_lanes, base::FrameRing& records, base::Clock& clock, bool journal)
      : shared(records, clock, journal), lanes(std::move(all_lanes)) {}

  Shared shared;
  std::vector<io::Lanes*> lanes;
  std::vector<std::unique_ptr<Channel>> channels;         // by index
  std::vector<std::vector<Channel*>> channels_of_device;  // a chamber may serve several channels
  base::Wakeup own_wakeup;                                // of a cycle without wires
  std::atomic<std::uint64_t> heartbeat{0};

  void serve(std::uint32_t device, Channel* channel) {
    if (device >= channels_of_device.size()) channels_of_device.resize(device + 1);
    auto& served = channels_of_device[device];
    if (std::find(served.begin(), served.end(), channel) == served.end()) served.push_back(channel);
  }
  // Readings and notices of devices that belong to no channel are nobody's.
  [[nodiscard]] std::span<Channel* const> of(std::uint32_t device) const noexcept RT_NONBLOCKING {
    if (device >= channels_of_device.size()) return {};
    return {channels_of_device[device].data(), channels_of_device[device].size()};
  }

  void take_orders() noexcept RT_NONBLOCKING {
    if (shared.orders.empty()) return;  // an order is large, and most rounds have none
    Order order;
    while (shared.orders.pop(order)) {
      if (order.channel < channels.size()) {
        channels[order.channel]->take(order);
        continue;
      }
      Reply refused;
      refused.kind = Reply::Kind::refused;
      refused.channel = order.channel;
      refused.id = order.id;
      refused.run = order.run;
      refused.text.append("there is no such channel");
      if (order.id != 0 || order.run != nullptr) shared.replies.push(refused);
    }
  }
  // Notices first: a set-point known to be in force, or a lost device, is known to the sample that came after it.
  void take_notices() noexcept RT_NONBLOCKING {
    for (io::Lanes* l : lanes) {
      if (l->notices.empty()) continue;
      io::Notice notice;
      while (l->notices.pop(notice)) {
        for (Channel* channel : of(notice.device)) channel->take(notice);
      }
    }
  }
  void take_readings() noexcept RT_NONBLOCKING {
    base::Reading reading;
    for (io::Lanes* l : lanes) {
      while (l->readings.pop(reading)) {
        for (Channel* channel : of(reading.device)) channel->take(reading);
      }
    }
  }
};

Cycle::Cycle(std::vector<ChannelConfig> channels, std::vector<io::Lanes*> lanes, base::FrameRing& records,
             base::Clock& clock, bool journal)
    : impl_(std::make_unique<Impl>(std::move(lanes), records, clock, journal)) {
  for (const io::Lanes* l : impl_->lanes) {
    ENSURE(&l->to_cycle == &impl_->lanes[0]->to_cycle, "all wires wake the same cycle");
  }
  std::uint32_t devices = 0;
  for (ChannelConfig& config : channels) {
    ENSURE(config.index == impl_->channels.size(), "channels come in the order of their index");
    ENSURE(config.latch != nullptr && config.cycler_lanes != nullptr, "a channel has a latch and a cycler");
    ENSURE((config.chamber < 0) == (config.chamber_lanes == nullptr), "a chamber has a wire");
    ENSURE((config.sensor < 0) == (config.sensor_lanes == nullptr), "a thermometer has a wire");
    auto channel = std::make_unique<Channel>(std::move(config), impl_->shared);
    const ChannelConfig& kept = channel->config();
    impl_->serve(kept.cycler, channel.get());
    if (kept.chamber >= 0) impl_->serve(static_cast<std::uint32_t>(kept.chamber), channel.get());
    if (kept.sensor >= 0) impl_->serve(static_cast<std::uint32_t>(kept.sensor), channel.get());
    devices = std::max(devices, static_cast<std::uint32_t>(impl_->channels_of_device.size()));
    impl_->channels.push_back(std::move(channel));
  }
  impl_->shared.command_sequences.resize(devices, 0);
}

Cycle::~Cycle() = default;

base::MonoTime Cycle::run_once() noexcept RT_NONBLOCKING {
  Impl& cycle = *impl_;
  const base::MonoTime now = cycle.shared.clock.now();
  cycle.shared.records.set_time(now, cycle.shared.clock.wall());
  cycle.take_orders();
  cycle.take_notices();
  cycle.take_readings();
  base::MonoTime next = now + base::milliseconds(500);
  for (auto& channel : cycle.channels) {
    channel->tick();
    next = std::min(next, channel->due());
  }
  cycle.heartbeat.fetch_add(1, std::memory_order_release);
  return next;
}

base::Ring<Order>& Cycle::orders() noexcept {
  return impl_->shared.orders;
}
base::Ring<Reply>& Cycle::replies() noexcept {
  return impl_->shared.replies;
}
base::Wakeup& Cycle::wakeup() noexcept {
  return impl_->lanes.empty() ? impl_->own_wakeup : impl_->lanes[0]->to_cycle;
}
const base::Published<ChannelStatus>& Cycle::status(std::uint32_t channel) const noexcept {
  ENSURE(channel < impl_->channels.size(), "channel index");
  return impl_->channels[channel]->status();
}
const std::atomic<std::uint64_t>& Cycle::heartbeat() const noexcept {
  return impl_->heartbeat;
}

}  // namespace cyclerd::cycle
