// device probe: looks, and writes nothing.
#include <fmt/format.h>

#include <algorithm>

#include "daemon/ctl/commands.hpp"
#include "daemon/ctl/description_files.hpp"
#include "daemon/ctl/probe.hpp"
#include "daemon/ctl/probe_link.hpp"
#include "daemon/ctl/status_view.hpp"

namespace cyclerd::ctl {

using control::Failure;

namespace {

constexpr base::Duration kGlance = base::milliseconds(50);  // how soon Ctrl-C is seen

// The daemon's instrument on the same wire, or empty. A daemon that is not there is no reason to say anything.
std::string owner_of(const std::string& wire, const Options& options, Io& io) {
  auto client = connect(options, io);
  if (!client) return {};
  const auto devices = client->call("devices");
  if (!devices) return {};
  for (const Json& device : *devices) {
    const std::string address = text_member(device, "address");
    if (address == wire || address.starts_with(wire + " ") || address.starts_with(wire + ",")) {
      return text_member(device, "name");
    }
  }
  return {};
}

// Two masters on a serial line answer each other's questions; on a network many instruments take a second client.
Trouble refuse_shared(const std::string& wire, const std::string& owner) {
  return {Failure::busy,
          fmt::format("cyclerd drives {} on {}: two programs on one line would read each other's answers. Stop cyclerd "
                      "first, or look at it with: cyclerctl devices",
                      owner, wire)};
}

void show(const device::Description& description, const ProbeRound& round, const Options& options, Io& io) {
  if (options.json) {
    const Json json = probe_json(description, round);
    if (options.watch)
      print(io.out, json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n");
    else
      print_json(io.out, json);
  } else if (options.plain) {
    print(io.out, probe_lines(description, round));
  } else {
    // Home and clear below: a page that stays where it is.
    const std::string begin = options.watch && io.out_is_terminal ? "\x1b[H\x1b[J" : "";
    print(io.out, begin + probe_page(description, round, std::max(40, io.width), io.colour));
  }
  std::fflush(io.out);
}

int verdict(const ProbeRound& round) {
  const bool answered = std::ranges::any_of(round.items, [](const ProbedItem& item) { return item.answered; });
  if (!answered || !round.identified()) return static_cast<int>(Failure::device);
  return round.failures > 0 || !round.error.empty() ? static_cast<int>(Failure::failed) : 0;
}

int watch(Probe& probe, const device::Description& description, const Options& options, Io& io) {
  base::SystemClock clock;
  const double interval_s = options.interval_s > 0.0 ? options.interval_s : 1.0;
  const base::Duration interval = base::microseconds(static_cast<std::int64_t>(interval_s * 1e6));
  while (!io.was_interrupted()) {
    const base::MonoTime next = clock.now() + interval;
    show(description, probe.round(), options, io);
    while (!io.was_interrupted() && clock.now() < next) {
      const base::MonoTime glance = std::min(next, clock.now() + kGlance);
      clock.sleep_until(glance);
    }
  }
  return kInterrupted;
}

}  // namespace

int device_probe_command(const Options& options, Io& io) {
  auto loaded = load_named_description(options.descriptions.front(), options);
  if (!loaded) return report(loaded.error(), options, io);
  if (!loaded->description) {
    print(io.err, loaded->findings.render(false));
    return report({Failure::invalid, fmt::format("{} has errors: mend them first", loaded->file)}, options, io);
  }
  const device::Description& description = *loaded->description;
  const auto site = probe_site(description, options.set);
  if (!site) return report(site.error(), options, io);
  base::SystemClock clock;
  auto link = make_probe_link(loaded->description, *site, options.wire, clock);
  if (!link) return report(link.error(), options, io);

  const std::string wire = wire_text(description, options.wire);
  const bool exclusive = !options.wire.serial.empty() || !options.wire.slcan.empty();
  if (const std::string owner = owner_of(wire, options, io); !owner.empty()) {
    if (exclusive) return report(refuse_shared(wire, owner), options, io);
    print(io.err, fmt::format("cyclerctl: cyclerd drives {} at {}; an instrument that takes only one connection will "
                              "drop one of them, and a running test may trip\n",
                              owner, wire));
  }
  Probe probe(loaded->description, *site, std::move(*link), clock);
  if (options.watch) return watch(probe, description, options, io);
  const ProbeRound round = probe.round();
  if (round.items.empty() && !round.error.empty()) {
    return report(
        {exclusive && round.error.find("busy") != std::string::npos ? Failure::busy : Failure::device, round.error},
        options, io);
  }
  show(description, round, options, io);
  return verdict(round);
}

}  // namespace cyclerd::ctl
