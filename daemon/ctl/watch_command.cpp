#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <map>

#include "daemon/ctl/commands.hpp"
#include "daemon/ctl/status_view.hpp"
#include "protocols/base/clock.hpp"

namespace cyclerd::ctl {

using control::Failure;

namespace {

constexpr double kScreenInterval_s = 0.25;
constexpr double kLineInterval_s = 1.0;
// A test that was acknowledged a moment ago may not have reached the published status yet.
constexpr base::Duration kSettle = base::seconds(2);

// Redraws a page in place. The cursor is hidden while it lives.
class Screen {
 public:
  explicit Screen(Io& io) : io_(io) { print(io_.out, "\033[?25l"); }
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;
  ~Screen() {
    print(io_.out, "\033[?25h");
    std::fflush(io_.out);
  }
  void draw(const std::string& page) {
    std::string text;
    if (lines_ > 0) text = fmt::format("\033[{}A\r", lines_);
    lines_ = 0;
    std::size_t start = 0;
    while (start < page.size()) {
      const std::size_t end = std::min(page.find('\n', start), page.size());
      text.append(page, start, end - start).append("\033[K\n");
      ++lines_;
      start = end + 1;
    }
    print(io_.out, text + "\033[J");
    std::fflush(io_.out);
  }

 private:
  Io& io_;
  int lines_ = 0;
};

int terminal_width(const Io& io) {
  winsize size{};
  if (io.out_is_terminal && ioctl(fileno(io.out), TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  return io.width;
}

std::string page_of(const Json& status, bool one, const Io& io) {
  const int width = std::max(40, terminal_width(io));
  const std::string station = text_member(status, "station");
  const Json& channels = member(status, "channels");
  if (one && channels.is_array() && channels.size() == 1) return channel_page(channels[0], station, width, io.colour);
  return paint(Tone::bold, station, io.colour) + "\n" + status_table(status).render(width, io.colour);
}

// Prints what is new since the last time, for logs and pipes.
class Lines {
 public:
  Lines(Io& io, base::Duration every) : io_(io), every_(every) {}
  void show(const Json& status) {
    const base::MonoTime now = clock_.now();
    for (const Json& channel : member(status, "channels")) {
      Last& last = last_[text_member(channel, "name")];
      const std::string key = change_key(channel);
      if (key == last.key && now - last.time < every_) continue;
      if (key == last.key && !is_running(channel)) continue;  // nothing moves
      last = {key, now};
      print(io_.out, channel_line(channel) + "\n");
    }
    std::fflush(io_.out);
  }

 private:
  struct Last {
    std::string key;
    base::MonoTime time;
  };
  Io& io_;
  base::Duration every_;
  base::SystemClock clock_;
  std::map<std::string, Last> last_;
};

class Follower {
 public:
  Follower(Client& client, const Options& options, Io& io) : client_(client), options_(options), io_(io) {
    live_ = io.out_is_terminal && !options.json && !options.plain;
    if (options.interval_s > 0) {
      interval_s_ = options.interval_s;
    } else {
      interval_s_ = live_ ? kScreenInterval_s : kLineInterval_s;
    }
  }

  // `channel` empty: all. `until_done`: leave when test `test` (null: whichever) is over.
  int follow(const std::string& channel, const Json& test, bool until_done) {
    // In lines the beat is finer than the interval, so that a change shows at once.
    const double beat_s = live_ ? interval_s_ : std::min(interval_s_, kScreenInterval_s);
    Json params{{"topic", "status"}, {"interval_ms", static_cast<int>(beat_s * 1000)}};
    if (!channel.empty()) params["channel"] = channel;
    const auto subscribed = client_.call("subscribe", params);
    if (!subscribed) return report(explain_channel(subscribed.error(), client_, channel), options_, io_);
    return stream(channel, test, until_done);
  }

 private:
  int stream(const std::string& channel, const Json& test, bool until_done) {
    std::optional<Screen> screen;
    if (live_) screen.emplace(io_);
    Lines lines(io_, base::microseconds(static_cast<std::int64_t>(interval_s_ * 1e6)));
    const base::MonoTime begin = clock_.now();
    for (;;) {
      const auto next = client_.next_notification(base::seconds(30));
      if (!next) return leave(screen, next.error());
      if (!*next) return leave(screen, {Failure::timeout, "cyclerd has sent nothing for 30 s"});
      const Json& params = member(**next, "params");
      if (text_member(**next, "method") == "error") {
        return leave(screen, {Failure::failed, text_member(params, "message")});
      }
      const Json& status = member(params, "status");
      if (options_.json) {
        print(io_.out, status.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n");
        std::fflush(io_.out);
      } else if (screen) {
        screen->draw(page_of(status, !channel.empty() || member(status, "channels").size() == 1, io_));
      } else {
        lines.show(status);
      }
      if (!until_done) continue;
      const auto code = finished(status, test, clock_.now() - begin);
      if (!code) continue;
      screen.reset();
      return *code;
    }
  }

  std::optional<int> finished(const Json& status, const Json& test, base::Duration waited) {
    int worst = 0;
    std::string words;
    for (const Json& channel : member(status, "channels")) {
      const bool ours = test.is_null() || member(channel, "test") == test;
      if (ours && is_running(channel)) {
        seen_running_ = true;
        return {};
      }
      // Not ours: it has not begun yet, or another one has begun since.
      if (!ours && (!seen_running_ && waited < kSettle)) return {};
      worst = std::max(worst, outcome_code(channel));
      words += outcome_text(channel) + "\n";
    }
    if (!seen_running_ && waited < kSettle && test.is_null() && worst == 0) return {};
    if (!options_.json) print(io_.err, words);
    return worst;
  }

  int leave(std::optional<Screen>& screen, const Trouble& trouble) {
    screen.reset();
    return report(trouble, options_, io_);
  }

  Client& client_;
  const Options& options_;
  Io& io_;
  base::SystemClock clock_;
  bool live_ = false;
  bool seen_running_ = false;
  double interval_s_ = kLineInterval_s;
};

}  // namespace

int watch_command(const Options& options, Io& io) {
  auto client = connect(options, io);
  if (!client) return report(client.error(), options, io);
  return Follower(*client, options, io).follow(options.channel, nullptr, options.until_done);
}

int follow_channel(Client& client, const std::string& channel, const Json& test, const Options& options, Io& io) {
  return Follower(client, options, io).follow(channel, test, true);
}

}  // namespace cyclerd::ctl
