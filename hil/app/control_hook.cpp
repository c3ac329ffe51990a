#include "hil/app/control_hook.hpp"

#include "hil/app/control_lines.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include <asio/buffer.hpp>
#include <asio/write.hpp>

namespace cyclerd::hil {
namespace {

Words words_of(std::string_view line) {
  Words words;
  std::string word;
  for (char c : line) {
    if (c == ' ' || c == '\t' || c == '\r') {
      if (!word.empty()) words.push_back(std::exchange(word, {}));
    } else {
      word += c;
    }
  }
  if (!word.empty()) words.push_back(word);
  return words;
}

nlohmann::json plant_json(const Lab& lab, std::size_t i, Plant& plant) {
  const Truth t = plant.truth();
  nlohmann::json j = {{"cell", lab.cells[lab.cyclers[i].cell].name},
                      {"output_on", t.output_on},
                      {"mode", to_string(t.mode)},
                      {"outcome", to_string(t.outcome)},
                      {"voltage_V", t.voltage_V},
                      {"terminal_V", t.terminal_V},
                      {"sensed_V", t.sensed_V},
                      {"contact_Ohm", t.contact_Ohm},
                      {"current_A", t.current_A},
                      {"charge_C", t.charge_C},
                      {"energy_J", t.energy_J},
                      {"soc", t.cell.soc},
                      {"ocv_V", t.cell.ocv_V},
                      {"surface_degC", t.cell.surface_degC},
                      {"core_degC", t.cell.core_degC},
                      {"cell_flags", t.cell.flags},
                      {"output_changed_us", t.output_changed.us},
                      {"lie_shown_us", t.lie_shown.us}};
  return j;
}

std::vector<std::string> twin_names_of(LiveLab& live) {
  std::vector<std::string> names;
  for (const auto& [name, port] : live.ports()) names.push_back(name);
  for (const auto& [name, tty] : live.ttys()) names.push_back(name);
  return names;
}

std::string state_line(LiveLab& live) {
  nlohmann::json all;
  live.world().now([&](World& w) {
    all["now_us"] = w.now().us;
    for (std::size_t i = 0; i < live.lab().cyclers.size(); ++i)
      all["cyclers"][live.lab().cyclers[i].name] = plant_json(live.lab(), i, w.plant(i));
    for (std::size_t i = 0; i < live.lab().chambers.size(); ++i) {
      const ChamberReadout c = w.chamber(i).readout();
      all["chambers"][live.lab().chambers[i].name] = {
          {"air_degC", c.air_degC},         {"setpoint_degC", c.setpoint_degC},
          {"running", c.running},           {"thermostat_tripped", c.thermostat_tripped},
          {"reading_degC", c.reading_degC}, {"load_degC", c.load_degC},
          {"door_open", c.door_open},       {"compressor_tripped", c.compressor_tripped},
          {"frosted", c.frosted},           {"dew_point_degC", c.dew_point_degC},
          {"condensation", c.condensation}, {"power_W", c.power_W}};
    }
  });
  all["beats"] = live.beats();
  all["overruns"] = live.overruns();
  all["worst_beat_us"] = live.worst_beat().us;
  all["real_time_factor"] = live.real_time_factor();
  for (const std::string& name : twin_names_of(live)) {
    TwinServer& server = *live.server(name);
    all["twins"][name] = {{"mute", server.mute()}, {"requests", server.requests()}};
    if (server.port() != 0) all["twins"][name]["port"] = server.port();
    if (server.port() == 0) all["twins"][name]["tty"] = server.path();
  }
  return all.dump();
}

std::string on_server(LiveLab& live, const Words& words) {
  if (words.size() != 2) return fmt::format("error: write `{} NAME`", words[0]);
  TwinServer* server = live.server(words[1]);
  if (server == nullptr) {
    return not_among("twin in this lab", words[1], twin_names_of(live));
  }
  if (words[0] == "drop") {
    server->drop_clients();
  } else {
    server->set_mute(words[0] == "mute");
  }
  return "ok";
}

// temp, overvoltage, undervoltage, current: what an instrument shows from now on, or `off`.
std::string lie(LiveLab& live, const Words& words) {
  if (words.size() != 3) return fmt::format("error: write `{} NAME VALUE` or `{} NAME off`", words[0], words[0]);
  const auto value = number_of(words[2]);
  if (!value && words[2] != "off") return fmt::format("error: \"{}\" is neither a number nor `off`", words[2]);
  if (auto c = chamber_named(live.lab(), words[1]); c && words[0] == "temp") {
    live.world().now([&](World& w) { w.chamber(*c).reading_fault_degC() = value; });
    return "ok";
  }
  const auto i = plant_named(live.lab(), words[1]);
  if (!i) return no_plant(live.lab(), words[1]);
  live.world().now([&](World& w) {
    SensorFaults& faults = w.plant(*i).faults();
    faults.shown = {};
    if (words[0] == "temp") {
      faults.temperature_degC = value;
    } else if (words[0] == "current") {
      faults.current_A = value;
    } else {
      faults.voltage_V = value;
    }
  });
  return "ok";
}

std::string set_soc(LiveLab& live, const Words& words) {
  if (words.size() != 3) return "error: write `set CELL.soc VALUE`";
  const std::size_t dot = words[1].rfind('.');
  if (dot == std::string::npos || words[1].substr(dot) != ".soc") return "error: only CELL.soc can be set";
  const auto i = plant_named(live.lab(), words[1].substr(0, dot));
  if (!i) return no_plant(live.lab(), words[1].substr(0, dot));
  const auto soc = number_of(words[2]);
  if (!soc || *soc < 0.0 || *soc > 1.0) return fmt::format("error: soc \"{}\" is not between 0 and 1", words[2]);
  live.world().now([&](World& w) { w.plant(*i).set_soc(*soc); });
  return "ok";
}

std::string state(LiveLab& live, const Words& /*words*/) {
  return state_line(live);
}
std::string help(LiveLab& live, const Words& words);

constexpr std::array<ControlLine, 10> kLines = {{{"state", "state", state},
                                                 {"mute", "mute TWIN", on_server},
                                                 {"unmute", "unmute TWIN", on_server},
                                                 {"drop", "drop TWIN", on_server},
                                                 {"set", "set CELL.soc VALUE", set_soc},
                                                 {"temp", "temp CELL|CHAMBER DEGC|off", lie},
                                                 {"voltage", "voltage CYCLER V|off", lie},
                                                 {"overvoltage", "overvoltage CYCLER V|off", lie},
                                                 {"current", "current CYCLER A|off", lie},
                                                 {"help", "help", help}}};

std::array<std::span<const ControlLine>, 3> tables() {
  return {std::span<const ControlLine>(kLines), rig_fault_lines(), cell_fault_lines()};
}

std::string help(LiveLab& /*live*/, const Words& /*words*/) {
  std::string all;
  for (const auto& table : tables()) {
    for (const ControlLine& line : table) all.append(all.empty() ? "" : "; ").append(line.usage);
  }
  return all;
}

}  // namespace

std::optional<double> number_of(const std::string& word) {
  double x = 0.0;
  const auto r = std::from_chars(word.data(), word.data() + word.size(), x);
  if (r.ec != std::errc{} || r.ptr != word.data() + word.size() || !std::isfinite(x)) return std::nullopt;
  return x;
}

std::optional<std::size_t> plant_named(const Lab& lab, std::string_view name) {
  for (std::size_t i = 0; i < lab.cyclers.size(); ++i) {
    if (lab.cyclers[i].name == name || lab.cells[lab.cyclers[i].cell].name == name) return i;
  }
  return std::nullopt;
}

std::optional<std::size_t> chamber_named(const Lab& lab, std::string_view name) {
  for (std::size_t i = 0; i < lab.chambers.size(); ++i) {
    if (lab.chambers[i].name == name) return i;
  }
  return std::nullopt;
}

std::string not_among(const std::string& what, const std::string& word, const std::vector<std::string>& words) {
  const std::string near = text::nearest(word, words);
  return near.empty() ? fmt::format("error: no {} \"{}\"; there is: {}", what, word, fmt::join(words, ", "))
                      : fmt::format("error: no {} \"{}\"; did you mean \"{}\"?", what, word, near);
}

std::string no_plant(const Lab& lab, const std::string& name) {
  std::vector<std::string> names;
  for (const LabCycler& cycler : lab.cyclers) {
    names.push_back(cycler.name);
    names.push_back(lab.cells[cycler.cell].name);
  }
  return not_among("cell or cycler in this lab", name, names);
}

std::string no_chamber(const Lab& lab, const std::string& name) {
  std::vector<std::string> names;
  for (const LabChamber& chamber : lab.chambers) names.push_back(chamber.name);
  return not_among("chamber in this lab", name, names);
}

std::string obey(LiveLab& live, std::string_view sent) {
  const Words words = words_of(sent);
  if (words.empty()) return "error: empty line; write `help`";
  std::vector<std::string> verbs;
  for (const auto& table : tables()) {
    for (const ControlLine& line : table) {
      if (line.verb == words[0]) return line.obey(live, words);
      verbs.emplace_back(line.verb);
    }
  }
  const std::string near = text::nearest(words[0], verbs);
  return fmt::format("error: unknown command \"{}\"; {}", words[0],
                     near.empty() ? "write `help`" : fmt::format("did you mean `{}`?", near));
}

class ControlHook::Session : public std::enable_shared_from_this<Session> {
 public:
  Session(asio::ip::tcp::socket socket, LiveLab& lab) : socket_(std::move(socket)), lab_(lab) {}

  void read() {
    socket_.async_read_some(asio::buffer(chunk_), [self = shared_from_this()](std::error_code error, std::size_t n) {
      if (error) return;
      self->pending_.append(self->chunk_.data(), n);
      self->work();
    });
  }

 private:
  static constexpr std::size_t kLongestLine = 4096;

  void work() {
    const std::size_t end = pending_.find('\n');
    if (end == std::string::npos) {
      if (pending_.size() <= kLongestLine) read();
      return;
    }
    reply_ = obey(lab_, std::string_view(pending_).substr(0, end)) + "\n";
    pending_.erase(0, end + 1);
    asio::async_write(socket_, asio::buffer(reply_), [self = shared_from_this()](std::error_code error, std::size_t) {
      if (!error) self->work();
    });
  }

  asio::ip::tcp::socket socket_;
  LiveLab& lab_;
  std::array<char, 512> chunk_{};
  std::string pending_;
  std::string reply_;
};

base::Result<std::unique_ptr<ControlHook>> ControlHook::start(LiveLab& lab, std::uint16_t port) {
  using asio::ip::tcp;
  std::unique_ptr<ControlHook> hook(new ControlHook(lab));
  const tcp::endpoint where(asio::ip::address_v4::loopback(), port);
  std::error_code error;
  hook->acceptor_.open(where.protocol(), error);
  if (!error) hook->acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) hook->acceptor_.bind(where, error);
  if (!error) hook->acceptor_.listen(asio::socket_base::max_listen_connections, error);
  if (error) {
    return base::failure(
        base::ErrorCode::io, "control hook",
        fmt::format("cannot listen on 127.0.0.1:{}: {}; choose another port or 0", port, error.message()));
  }
  hook->port_ = hook->acceptor_.local_endpoint(error).port();
  hook->accept();
  hook->thread_ = std::thread([h = hook.get()] { h->io_.run(); });
  return hook;
}

ControlHook::~ControlHook() {
  io_.stop();
  if (thread_.joinable()) thread_.join();
}

void ControlHook::accept() {
  acceptor_.async_accept([this](std::error_code error, asio::ip::tcp::socket socket) {
    if (error == asio::error::operation_aborted) return;
    if (!error) std::make_shared<Session>(std::move(socket), lab_)->read();
    accept();
  });
}

}  // namespace cyclerd::hil
