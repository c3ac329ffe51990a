#include "daemon/app/doctor.hpp"

#include <fstream>

#include <fmt/format.h>

#include "daemon/app/disk.hpp"
#include "daemon/app/metadata.hpp"

namespace cyclerd::app {
namespace {

using control::Json;

class Report {
 public:
  void ok(const std::string& check, const std::string& detail) { add(check, "ok", detail, ""); }
  void warning(const std::string& check, const std::string& detail, const std::string& fix) {
    add(check, "warning", detail, fix);
  }
  void bad(const std::string& check, const std::string& detail, const std::string& fix) {
    add(check, "bad", detail, fix);
  }
  [[nodiscard]] Json take() { return std::move(rows_); }

 private:
  void add(const std::string& check, const char* verdict, const std::string& detail, const std::string& fix) {
    rows_.push_back({{"check", check}, {"verdict", verdict}, {"detail", detail}, {"fix", fix}});
  }
  Json rows_ = Json::array();
};

void examine_device(const Station& station, std::uint32_t index, Report& report) {
  const DeviceConfig& config = station.config.devices[index];
  if (config.channel < 0) return;
  const io::DeviceHealth health = station.health[index]->load();
  const std::string check = "device " + config.name;
  if (health.link == io::LinkState::closed || health.link == io::LinkState::quarantined) {
    report.bad(check, fmt::format("does not answer: {}", health.error.empty() ? "not opened yet" : health.error.view()),
               "check power, cable and address; the wire is tried again by itself");
  } else if (health.link == io::LinkState::suspect) {
    report.warning(check, fmt::format("missed its last poll: {}", health.error.view()),
                   "see the errors in `cyclerctl devices`");
  } else {
    report.ok(check, fmt::format("{} {} answers in {} us (worst {} us), {} polls, {} errors",
                                 health.identity.maker.view(), health.identity.model.view(), health.round_trip_us,
                                 health.round_trip_max_us, health.polls, health.errors));
  }
  if (config.scan.us > 0 && health.round_trip_us > config.scan.us / 2) {
    report.warning("scan of " + config.name,
                   fmt::format("a poll takes {} us of a scan of {} us", health.round_trip_us, config.scan.us),
                   "poll it less often, or give it a wire of its own");
  }
  const ChannelConfig& channel = station.config.channels[static_cast<std::size_t>(config.channel)];
  if (channel.cycler == index && health.link == io::LinkState::open) {
    if (health.has_watchdog != 0) {
      report.ok("watchdog of " + config.name, fmt::format("armed, {} s", health.capability.watchdog_timeout.seconds()));
    } else {
      report.warning("watchdog of " + config.name,
                     "none: when this computer dies or the cable is cut, the output stays as it is",
                     "do not leave this channel alone; use hardware protection of its own");
    }
  }
}

void examine_disk(const Station& station, Report& report) {
  const DiskRoom room = disk_room(station.config.state_dir);
  const std::string detail =
      fmt::format("{:.1f} GiB free, {:.1f} %", room.free_bytes / (1024.0 * 1024.0 * 1024.0), room.free_share() * 100.0);
  if (room.free_share() < kDiskRefuseShare) {
    report.bad("disk", detail, "make room: nothing new starts below 5 %");
  } else if (room.free_share() < kDiskWarnShare) {
    report.warning("disk", detail, "make room before it is needed");
  } else {
    report.ok("disk", detail);
  }
  const std::string trouble = station.recorder->trouble();
  if (trouble.empty()) {
    report.ok("record", fmt::format("{} frames durable", station.recorder->durable_frames()));
  } else {
    report.bad("record", trouble, "nothing starts until the record is healthy; restart the daemon when the disk is");
  }
  if (station.records.overruns() > 0) {
    report.bad("record ring",
               fmt::format("{} frames were lost before they reached the disk", station.records.overruns()),
               "the disk is too slow for the scan periods");
  }
}

void examine_channel(const Station& station, std::uint32_t index, Report& report) {
  const cycle::ChannelStatus status = station.cycle->status(index).load();
  const std::string check = "channel " + station.config.channels[index].name;
  const std::uint32_t trip = station.safety[index]->latch.cause();
  if (trip != 0) {
    report.bad(check, fmt::format("latched: {}", safety::to_string(static_cast<safety::Cause>(trip))),
               "remove the cause, then `cyclerctl ack`");
  } else if (status.missed_scans > 0) {
    report.warning(check,
                   fmt::format("{} of {} scans came late", status.missed_scans, status.scans + status.missed_scans),
                   "a longer scan, or real-time permission (below)");
  } else {
    report.ok(check, fmt::format("{}, {} scans on time", cycle::to_string(status.state), status.scans));
  }
}

void examine_host(const std::vector<std::string>& warnings, Report& report) {
  if (warnings.empty()) report.ok("real time", "SCHED_FIFO, locked memory and CPU latency as configured");
  for (const std::string& warning : warnings) {
    const std::size_t colon = warning.find(':');
    report.warning("real time", warning.substr(0, colon),
                   colon == std::string::npos ? "" : warning.substr(warning.find_first_not_of(' ', colon + 1)));
  }
  if (wall_clock_synchronized()) {
    report.ok("wall clock", "synchronized");
  } else {
    report.warning("wall clock", "not synchronized: labels in the record may be off, durations are not",
                   "enable systemd-timesyncd or chrony");
  }
  std::ifstream file("/sys/kernel/realtime");
  int realtime = 0;
  file >> realtime;
  report.ok("kernel", realtime == 1 ? "PREEMPT_RT" : "ordinary kernel: wake-ups of 0.1 to 0.2 ms at p99.9 are normal");
}

}  // namespace

Json examine(const Station& station, const std::vector<std::string>& warnings) {
  Report report;
  for (std::uint32_t i = 0; i < station.config.channels.size(); ++i) examine_channel(station, i, report);
  for (std::uint32_t i = 0; i < station.config.devices.size(); ++i) examine_device(station, i, report);
  examine_disk(station, report);
  examine_host(warnings, report);
  return report.take();
}

}  // namespace cyclerd::app
