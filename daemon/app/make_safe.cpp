#include "daemon/app/make_safe.hpp"

#include <algorithm>
#include <functional>
#include <memory>
#include <utility>

#include <fmt/format.h>

#include "daemon/app/device_maker.hpp"
#include "daemon/app/threads.hpp"
#include "protocols/base/clock.hpp"

namespace cyclerd::app {
namespace {

constexpr base::Duration kPause = base::milliseconds(50);  // between two tries

SafeReport::Line make_one_safe(const StationConfig& station, std::uint32_t index, DeviceFactory& devices,
                               base::Clock& clock, base::MonoTime deadline) {
  const DeviceConfig& config = station.devices[index];
  SafeReport::Line line{config.name, false, {}};
  auto device = devices.make(station, index);
  if (!device) {
    line.words = device.error().text();
    return line;
  }
  for (;;) {
    const base::Status status = (*device)->make_safe();
    if (status) {
      line.safe = true;
      line.words = "output off, verified";
      break;
    }
    line.words = status.error().text();
    if (clock.now() + kPause >= deadline) break;
    clock.sleep_until(clock.now() + kPause);
  }
  (*device)->close();
  return line;
}

bool is_kind(const DeviceConfig& device, device::DeviceKind kind) {
  // A composite's parts are made safe one by one.
  return device.kind != nullptr && !device.composite && promised_capability(device).kind == kind;
}

}  // namespace

bool SafeReport::all_safe() const noexcept {
  return std::ranges::all_of(lines, [](const Line& line) { return line.safe; });
}

SafeReport open_every_output(const StationConfig& station, base::Duration patience) {
  base::SystemClock clock;
  const base::MonoTime deadline = clock.now() + patience;
  std::vector<SafeReport::Line> lines(station.devices.size());
  std::vector<std::function<void()>> jobs;
  for (std::uint32_t wire = 0; wire < station.wires.size(); ++wire) {
    std::vector<std::uint32_t> order;
    for (const auto kind : {device::DeviceKind::cycler, device::DeviceKind::relay, device::DeviceKind::chamber}) {
      for (std::uint32_t i = 0; i < station.devices.size(); ++i) {
        if (station.devices[i].wire == wire && is_kind(station.devices[i], kind)) order.push_back(i);
      }
    }
    if (order.empty()) continue;
    jobs.push_back([&station, &lines, &clock, deadline, order = std::move(order)] {
      DeviceFactory devices(clock);
      for (const std::uint32_t index : order) lines[index] = make_one_safe(station, index, devices, clock, deadline);
    });
  }
  run_in_parallel(std::move(jobs));
  SafeReport report;
  for (std::uint32_t i = 0; i < lines.size(); ++i) {
    if (!lines[i].device.empty()) {
      report.lines.push_back(std::move(lines[i]));
    } else if (station.devices[i].kind == nullptr && !station.devices[i].composite) {
      report.lines.push_back({station.devices[i].name, false, "the station file does not say how to reach it"});
    }
  }
  return report;
}

}  // namespace cyclerd::app
