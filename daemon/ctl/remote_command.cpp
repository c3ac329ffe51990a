// remote status, start, stop, fetch and log: whole tests on a vendor's server. Talks to the server itself, not to
// cyclerd: nothing here is under the daemon's judge.
#include <fmt/format.h>

#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "daemon/ctl/commands.hpp"
#include "daemon/ctl/remote_table.hpp"
#include "daemon/ctl/status_view.hpp"
#include "protocols/remote/neware_bts.hpp"

namespace cyclerd::ctl {

using base::ErrorCode;
using control::Failure;
using remote::ChannelId;

namespace {

constexpr base::Duration kStopPatience = base::seconds(20);  // servers refresh their states every 5 s or so
constexpr base::Duration kPollEvery = base::seconds(1);

Trouble trouble_of(const base::Error& error) {
  Failure failure = Failure::device;
  switch (error.code) {
    case ErrorCode::timeout: failure = Failure::timeout; break;
    case ErrorCode::busy: failure = Failure::busy; break;
    case ErrorCode::permission: failure = Failure::permission; break;
    case ErrorCode::invalid:
    case ErrorCode::not_found: failure = Failure::usage; break;
    default: break;
  }
  return {failure, error.text()};
}

// HOST, HOST:PORT, [IPv6]:PORT or a bare IPv6 address.
Outcome<std::pair<std::string, std::uint16_t>> server_of(const std::string& text) {
  const Trouble wrong(Failure::usage,
                      fmt::format("--server \"{}\": write HOST or HOST:PORT, for example cycler-pc:502", text));
  std::string host = text;
  std::string port = "502";
  const auto colon = text.rfind(':');
  if (text.starts_with('[')) {
    const auto end = text.find(']');
    if (end == std::string::npos || (end + 1 != text.size() && text[end + 1] != ':')) return std::unexpected(wrong);
    host = text.substr(1, end - 1);
    if (end + 1 != text.size()) port = text.substr(end + 2);
  } else if (colon != std::string::npos && text.find(':') == colon) {
    host = text.substr(0, colon);
    port = text.substr(colon + 1);
  }
  std::uint16_t number = 0;
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), number);
  if (host.empty() || error != std::errc{} || end != port.data() + port.size() || number == 0)
    return std::unexpected(wrong);
  return std::pair{host, number};
}

Outcome<remote::Password> password_of(const Options& options) {
  if (!options.remote.password_file.empty()) {
    auto password = remote::read_password_file(options.remote.password_file);
    if (!password) return std::unexpected(trouble_of(password.error()));
    return std::move(*password);
  }
  const char* from_environment = std::getenv("CYCLERD_REMOTE_PASSWORD");
  if (from_environment != nullptr && *from_environment != '\0') return remote::Password(from_environment);
  return std::unexpected(Trouble(Failure::usage,
                                 "no password: put it into a file that only you may read and name it with "
                                 "--password-file, or set CYCLERD_REMOTE_PASSWORD"));
}

// A connected server, and the channel that --channel names.
struct Session {
  std::unique_ptr<remote::RemoteCycler> server;
  std::optional<ChannelId> channel;
};

Outcome<Session> open_session(const Options& options, Io& io, base::Clock& clock) {
  Session session;
  if (!options.channel.empty()) {
    session.channel = remote::parse_channel_id(options.channel);
    if (!session.channel) {
      return std::unexpected(Trouble(
          Failure::usage,
          fmt::format("--channel \"{}\": write device, sub-device and channel, for example 13-5-8", options.channel)));
    }
  }
  auto server = server_of(options.remote.server);
  if (!server) return std::unexpected(server.error());
  auto password = password_of(options);
  if (!password) return std::unexpected(password.error());
  remote::BtsEndpoint endpoint;
  std::tie(endpoint.host, endpoint.port) = *server;
  endpoint.user = options.remote.user;
  endpoint.password = std::move(*password);
  endpoint.response_timeout = base::microseconds(static_cast<std::int64_t>(options.remote.timeout_s * 1e6));
  session.server =
      std::make_unique<remote::NewareBts>(std::move(endpoint), clock, [&io] { return io.was_interrupted(); });
  if (const auto done = session.server->connect(); !done) return std::unexpected(trouble_of(done.error()));
  return session;
}

int fail(const base::Error& error, const Options& options, Io& io) {
  if (io.was_interrupted()) return report(Trouble(kInterrupted, error.text()), options, io);
  return report(trouble_of(error), options, io);
}

template <class Number>
Json number_json(const std::optional<Number>& number) {
  return number ? Json(*number) : Json(nullptr);
}

Json others_json(const std::vector<std::pair<std::string, std::string>>& others) {
  Json json = Json::object();
  for (const auto& [name, value] : others) json[name] = value;
  return json;
}

Json progress_json(const remote::Progress& p) {
  return {{"channel", remote::to_text(p.status.id)},
          {"state", remote::to_string(p.status.state)},
          {"word", p.status.word},
          {"barcode", p.barcode},
          {"step_type", p.step_type},
          {"cycle", number_json(p.cycle)},
          {"step", number_json(p.step)},
          {"voltage_V", number_json(p.voltage_V)},
          {"current_A", number_json(p.current_A)},
          {"step_charge_Ah", number_json(p.step_charge_Ah)},
          {"step_energy_Wh", number_json(p.step_energy_Wh)},
          {"test_time_s", number_json(p.test_time_s)},
          {"step_time_s", number_json(p.step_time_s)},
          {"others", others_json(p.others)}};
}

Json point_json(const remote::DataPoint& p) {
  return {{"number", p.number},
          {"voltage_V", p.voltage_V},
          {"current_A", p.current_A},
          {"step_time_s", p.step_time_s},
          {"step_charge_Ah", number_json(p.step_charge_Ah)},
          {"step_energy_Wh", number_json(p.step_energy_Wh)},
          {"cycle", number_json(p.cycle)},
          {"step", number_json(p.step)},
          {"step_type", p.step_type},
          {"server_time", p.server_time},
          {"others", others_json(p.others)}};
}

Tone tone_of(const remote::ChannelStatus& status) {
  switch (status.state) {
    case remote::ChannelState::working: return Tone::good;
    case remote::ChannelState::protection: return Tone::bad;
    case remote::ChannelState::unknown:
    case remote::ChannelState::paused:
    case remote::ChannelState::waiting: return Tone::warning;
    default: return Tone::plain;
  }
}

void show_status(const std::vector<remote::Progress>& all, const Options& options, Io& io) {
  Table table({"CHANNEL", "STATE", "CYCLE", "STEP", "TYPE", "VOLTAGE", "CURRENT", "TIME", "BARCODE"});
  for (const remote::Progress& p : all) {
    const Json json = progress_json(p);
    const bool known = p.status.state != remote::ChannelState::unknown;
    table.add({remote::to_text(p.status.id),
               known ? std::string(remote::to_string(p.status.state)) : printable(p.status.word),
               p.cycle ? std::to_string(*p.cycle) : "-", p.step ? std::to_string(*p.step) : "-",
               p.step_type.empty() ? "-" : printable(p.step_type), quantity(json, "voltage_V", 4, "V"),
               quantity(json, "current_A", 4, "A", true), p.test_time_s ? duration_text(*p.test_time_s) : "-",
               printable(p.barcode)},
              tone_of(p.status));
  }
  print(io.out, options.plain ? table.plain() : table.render(io.width, io.colour));
}

// Until the server says that the channel is free. True: it is.
base::Result<remote::Progress> wait_until_free(Session& session, Io& io, base::Clock& clock) {
  const base::MonoTime last = clock.now() + kStopPatience;
  while (true) {
    auto now = session.server->poll(std::span(&*session.channel, 1));
    if (!now) return std::unexpected(now.error());
    if (remote::is_free(now->front().status.state) || clock.now() >= last || io.was_interrupted())
      return std::move(now->front());
    clock.sleep_until(clock.now() + kPollEvery);
  }
}

// Where fetched points go: CSV to a file or stdout, or with --json and no file into one document.
class Fetched {
 public:
  Fetched(const Options& options, Io& io) : options_(options), io_(io), part_(options.out + ".part") {}

  base::Status take(std::span<const remote::DataPoint> points) {
    std::string text;
    table_.append(points, text);
    if (!options_.out.empty()) {
      if (!file_.is_open()) file_.open(part_, std::ios::binary | std::ios::trunc);
      file_ << text;
      file_.flush();
      if (!file_)
        return base::failure(ErrorCode::io, part_, "cannot write; is the folder there, and the disk not full?");
    } else if (options_.json) {
      for (const auto& p : points) points_.push_back(point_json(p));
    } else {
      print(io_.out, text);
      if (std::ferror(io_.out) != 0) return base::failure(ErrorCode::io, "stdout", "nobody takes the points any more");
    }
    return {};
  }

  // The file appears under its name when it is whole.
  int finish(const remote::StoredTest& test) {
    if (file_.is_open()) {
      file_.close();
      std::error_code error;
      std::filesystem::rename(part_, options_.out, error);
      if (file_.fail() || error)
        return report({Failure::failed, fmt::format("{} cannot be written: {}", options_.out, error.message())},
                      options_, io_);
    }
    if (options_.json) {
      print_json(io_.out, about(test));
    } else {
      print(io_.err, fmt::format("cyclerctl: {} of {} points of test {}{}{}\n", table_.rows(), test.points,
                                 printable(test.id), test.complete ? "" : ", which is not complete yet", notes()));
    }
    return 0;
  }
  [[nodiscard]] std::string kept() const {
    if (options_.out.empty() || table_.rows() == 0) return {};
    return fmt::format("; {} points are in {}", table_.rows(), part_);
  }

 private:
  [[nodiscard]] std::string notes() const {
    std::string text;
    if (table_.missing() > 0) text += fmt::format("; the server left {} numbers out", table_.missing());
    if (table_.left_columns_out()) text += "; auxiliary columns that begin after the first point were left out";
    if (table_.first() > 1) text += "; Test Time and Step Count begin with the step of the first point";
    return text;
  }
  [[nodiscard]] Json about(const remote::StoredTest& test) const {
    Json json{{"channel", options_.channel},
              {"test", test.id},
              {"complete", test.complete},
              {"stored", test.points},
              {"rows", table_.rows()},
              {"first", table_.first()},
              {"last", table_.last()},
              {"missing", table_.missing()},
              {"columns_left_out", table_.left_columns_out()}};
    if (options_.out.empty())
      json["points"] = points_;
    else
      json["file"] = table_.rows() > 0 ? Json(options_.out) : Json(nullptr);
    return json;
  }

  const Options& options_;
  Io& io_;
  std::string part_;
  RemoteTable table_;
  std::ofstream file_;
  Json points_ = Json::array();
};

}  // namespace

int remote_status_command(const Options& options, Io& io) {
  base::SystemClock clock;
  auto session = open_session(options, io, clock);
  if (!session) return report(session.error(), options, io);
  std::vector<ChannelId> asked;
  if (session->channel) asked.push_back(*session->channel);
  const auto all = session->server->poll(asked);
  if (!all) return fail(all.error(), options, io);
  if (options.json) {
    Json channels = Json::array();
    for (const auto& p : *all) channels.push_back(progress_json(p));
    print_json(io.out, {{"server", options.remote.server}, {"channels", channels}});
  } else {
    show_status(*all, options, io);
  }
  return 0;
}

int remote_start_command(const Options& options, Io& io) {
  base::SystemClock clock;
  auto session = open_session(options, io, clock);
  if (!session) return report(session.error(), options, io);
  const remote::Job job{*session->channel, options.remote.schedule, options.remote.barcode,
                        options.remote.backup_folder};
  if (const auto done = session->server->start(job); !done) return fail(done.error(), options, io);
  if (options.json)
    print_json(io.out, {{"channel", options.channel}, {"started", true}, {"schedule", job.schedule_path}});
  else
    print(io.err, fmt::format("cyclerctl: {} started; the server's own protections guard it, cyclerd does not\n",
                              options.channel));
  return 0;
}

int remote_stop_command(const Options& options, Io& io) {
  base::SystemClock clock;
  auto session = open_session(options, io, clock);
  if (!session) return report(session.error(), options, io);
  if (const auto done = session->server->stop(*session->channel); !done) return fail(done.error(), options, io);
  const auto after = wait_until_free(*session, io, clock);
  if (!after) return fail(after.error(), options, io);
  if (!remote::is_free(after->status.state)) {
    return report(
        {Failure::device,
         fmt::format("the server took the order, but channel {} is still in state \"{}\": look at it, and stop "
                     "it there or at the cycler's switch",
                     options.channel, printable(after->status.word))},
        options, io);
  }
  if (options.json)
    print_json(io.out, progress_json(*after));
  else
    print(io.err,
          fmt::format("cyclerctl: {} is in state {}\n", options.channel, remote::to_string(after->status.state)));
  return 0;
}

int remote_fetch_command(const Options& options, Io& io) {
  base::SystemClock clock;
  auto session = open_session(options, io, clock);
  if (!session) return report(session.error(), options, io);
  const auto& wanted = options.remote;
  const remote::PointRange range{wanted.from, wanted.from > 0 ? wanted.count : wanted.last};
  Fetched fetched(options, io);
  const auto test = session->server->fetch(*session->channel, range, [&](auto points) { return fetched.take(points); });
  if (test) return fetched.finish(*test);
  Trouble trouble = trouble_of(test.error());
  if (io.was_interrupted()) trouble.exit_code = kInterrupted;
  trouble.message += fetched.kept();
  return report(trouble, options, io);
}

int remote_log_command(const Options& options, Io& io) {
  base::SystemClock clock;
  auto session = open_session(options, io, clock);
  if (!session) return report(session.error(), options, io);
  const auto entries = session->server->log(*session->channel);
  if (!entries) return fail(entries.error(), options, io);
  if (options.json) {
    Json json = Json::array();
    for (const auto& e : *entries)
      json.push_back({{"point", e.number}, {"code", e.code}, {"server_time", e.server_time}});
    print_json(io.out, {{"channel", options.channel}, {"log", json}});
    return 0;
  }
  Table table({"SERVER TIME", "POINT", "CODE"});
  for (const auto& e : *entries)
    table.add({printable(e.server_time), std::to_string(e.number), std::to_string(e.code)});
  print(io.out, options.plain ? table.plain() : table.render(io.width, io.colour));
  return 0;
}

}  // namespace cyclerd::ctl
