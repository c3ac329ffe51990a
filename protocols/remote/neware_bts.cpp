#include "protocols/remote/neware_bts.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <limits>

#include "protocols/remote/bts_frame.hpp"
#include "protocols/remote/bts_replies.hpp"

namespace cyclerd::remote {

using base::ErrorCode;
using base::Status;

namespace {

constexpr std::size_t kChannelsAtOnce = 128;  // in one question about many
constexpr std::int64_t kGlance_ms = 100;      // how soon a cancelled wait ends
constexpr std::size_t kMaxText = 1024;

Status check_text(const char* what, std::string_view text) {
  if (text.size() > kMaxText)
    return base::failure(ErrorCode::invalid, "", fmt::format("the {} is longer than {} bytes", what, kMaxText));
  if (!bts::can_be_sent(text))
    return base::failure(
        ErrorCode::invalid, "",
        fmt::format("the {} holds a control character or is no UTF-8: the server cannot be told", what));
  return {};
}

std::string channel_list(const std::vector<BtsChannel>& channels) {
  std::string text;
  for (const BtsChannel& c : channels) {
    if (text.size() > 100) return text + ", ...";
    text += (text.empty() ? "" : ", ") + to_text(c.id);
  }
  return text;
}

}  // namespace

NewareBts::NewareBts(BtsEndpoint endpoint, base::Clock& clock, std::function<bool()> cancelled)
    : endpoint_(std::move(endpoint)),
      clock_(clock),
      cancelled_(std::move(cancelled)),
      name_(fmt::format("{}:{}", endpoint_.host, endpoint_.port)) {}

void NewareBts::close() noexcept {
  socket_.reset();
  channels_.clear();
}

std::unexpected<base::Error> NewareBts::failed(base::Error error) {
  error.subject = std::string_view(name_);
  if (error.code == ErrorCode::protocol) close();
  return std::unexpected(error);
}

template <class T>
base::Result<T> NewareBts::checked(base::Result<T> read) {
  if (read) return read;
  return failed(read.error());
}

Status NewareBts::wait(std::string_view verb, short events, base::MonoTime deadline) {
  while (true) {
    if (cancelled_ && cancelled_()) return base::failure(ErrorCode::timeout, name_, "interrupted while waiting");
    const std::int64_t left_ms = ((deadline - clock_.now()).us + 999) / 1000;
    if (left_ms <= 0) {
      return base::failure(ErrorCode::timeout, name_,
                           fmt::format("no whole answer to {} within {:g} s; the connection was closed so that a late "
                                       "one answers nothing else. Is the server's program busy or hung?",
                                       verb, endpoint_.response_timeout.seconds()));
    }
    pollfd waiting{socket_.get(), events, 0};
    const int n = ::poll(&waiting, 1, static_cast<int>(std::min(left_ms, kGlance_ms)));
    if (n > 0) return {};
    if (n < 0 && errno != EINTR)
      return base::failure(ErrorCode::io, name_, fmt::format("cannot wait: {}", strerrordesc_np(errno)));
  }
}

Status NewareBts::send(std::string_view verb, std::string_view bytes, base::MonoTime deadline) {
  while (!bytes.empty()) {
    const ssize_t n = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n > 0) {
      bytes.remove_prefix(static_cast<std::size_t>(n));
    } else if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) {
      TRY(wait(verb, POLLOUT, deadline));
    } else {
      return base::failure(ErrorCode::disconnected, name_,
                           fmt::format("the connection broke while asking for {}: {}", verb, strerrordesc_np(errno)));
    }
  }
  return {};
}

base::Result<std::string> NewareBts::receive(std::string_view verb, base::MonoTime deadline) {
  BtsReplyFrame frame;
  std::array<char, 65536> chunk{};
  while (true) {
    const ssize_t n = recv(socket_.get(), chunk.data(), chunk.size(), MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) {
      TRY(wait(verb, POLLIN, deadline));
      continue;
    }
    if (n <= 0) {
      return base::failure(ErrorCode::disconnected, name_,
                           fmt::format("the server closed the connection {} its answer to {}",
                                       frame.size() == 0 ? "before" : "in the middle of", verb));
    }
    switch (frame.add({chunk.data(), static_cast<std::size_t>(n)})) {
      case BtsReplyFrame::State::complete: return std::string(frame.document());
      case BtsReplyFrame::State::incomplete: break;
      case BtsReplyFrame::State::too_long:
        return base::failure(ErrorCode::protocol, name_,
                             fmt::format("the answer to {} is longer than {} MiB", verb, kMaxBtsReply >> 20U));
      case BtsReplyFrame::State::more_than_one:
        return base::failure(ErrorCode::protocol, name_,
                             fmt::format("more than one answer to {}: out of step, closed", verb));
    }
    // A server that trickles is cut off as well.
    if (clock_.now() >= deadline) TRY(wait(verb, POLLIN, deadline));
  }
}

base::Result<std::string> NewareBts::ask(std::string_view verb, const std::string& request) {
  if (!socket_.valid())
    return base::failure(ErrorCode::disconnected, name_, "not connected, or closed after an error: connect again");
  if (transport::has_unasked_input(socket_.get())) {
    close();
    return base::failure(ErrorCode::disconnected, name_,
                         "bytes that nobody asked for, or a closed connection, before the request; connect again");
  }
  const base::MonoTime deadline = clock_.now() + endpoint_.response_timeout;
  auto exchange = [&]() -> base::Result<std::string> {
    TRY(send(verb, request, deadline));
    TRY(send(verb, kBtsTerminator, deadline));
    return receive(verb, deadline);
  };
  auto reply = exchange();
  if (!reply) close();
  return reply;
}

Status NewareBts::connect() {
  close();
  TRY(check_text("user name", endpoint_.user));
  transport::TcpOptions options;
  options.connect_timeout = endpoint_.connect_timeout;
  options.send_timeout = endpoint_.response_timeout;
  options.descriptor_limit = std::numeric_limits<int>::max();
  TRY_ASSIGN(socket_, transport::connect_tcp(endpoint_.host, endpoint_.port, options));
  auto log_in = [&]() -> Status {
    std::string request = bts::connect(endpoint_.user, endpoint_.password.reveal());
    const auto answer = ask("connect", request);
    explicit_bzero(request.data(), request.size());
    if (!answer) return std::unexpected(answer.error());
    TRY(bts::read_connect(*answer));
    TRY_ASSIGN(const std::string devices, ask("getdevinfo", bts::device_info()));
    TRY_ASSIGN(channels_, bts::read_device_info(devices));
    if (channels_.empty())
      return base::failure(ErrorCode::not_found, "",
                           "the server knows no channel: are the cyclers on, and seen by the BTS client program?");
    return {};
  };
  const Status done = log_in();
  if (done) return {};
  close();
  return failed(done.error());
}

base::Result<BtsChannel> NewareBts::find(const ChannelId& id) {
  if (!is_connected())
    return base::failure(ErrorCode::disconnected, name_, "not connected, or closed after an error: connect again");
  const auto found = std::find_if(channels_.begin(), channels_.end(), [&](const auto& c) { return c.id == id; });
  if (found != channels_.end()) return *found;
  return base::failure(ErrorCode::not_found, name_,
                       fmt::format("no channel {}; the server has {}", to_text(id), channel_list(channels_)));
}

base::Result<std::vector<ChannelStatus>> NewareBts::channels() {
  std::vector<ChannelStatus> all;
  const std::vector<BtsChannel> known = channels_;  // a failure forgets them
  if (known.empty()) return base::failure(ErrorCode::disconnected, name_, "not connected: connect again");
  for (std::size_t from = 0; from < known.size(); from += kChannelsAtOnce) {
    const auto some = std::span(known).subspan(from, std::min(kChannelsAtOnce, known.size() - from));
    TRY_ASSIGN(const std::string reply, ask("getchlstatus", bts::about("getchlstatus", some)));
    TRY_ASSIGN(auto part, checked(bts::read_status(reply, some)));
    std::move(part.begin(), part.end(), std::back_inserter(all));
  }
  return all;
}

base::Result<std::vector<Progress>> NewareBts::poll(std::span<const ChannelId> ids) {
  std::vector<BtsChannel> asked;
  for (const ChannelId& id : ids) {
    TRY_ASSIGN(auto channel, find(id));
    asked.push_back(std::move(channel));
  }
  if (ids.empty()) asked = channels_;
  if (asked.empty()) return base::failure(ErrorCode::disconnected, name_, "not connected: connect again");
  std::vector<Progress> all;
  for (std::size_t from = 0; from < asked.size(); from += kChannelsAtOnce) {
    const auto some = std::span(asked).subspan(from, std::min(kChannelsAtOnce, asked.size() - from));
    TRY_ASSIGN(const std::string reply, ask("inquire", bts::inquire(some)));
    TRY_ASSIGN(auto part, checked(bts::read_inquire(reply, some)));
    std::move(part.begin(), part.end(), std::back_inserter(all));
  }
  return all;
}

base::Result<ChannelStatus> NewareBts::status_of(const BtsChannel& channel) {
  const std::span<const BtsChannel> one(&channel, 1);
  TRY_ASSIGN(const std::string reply, ask("getchlstatus", bts::about("getchlstatus", one)));
  TRY_ASSIGN(auto status, checked(bts::read_status(reply, one)));
  return std::move(status.front());
}

base::Result<bool> NewareBts::verdict(std::string_view verb, const std::string& request, const BtsChannel& channel) {
  TRY_ASSIGN(const std::string reply, ask(verb, request));
  return checked(bts::read_verdict(reply, verb, channel));
}

Status NewareBts::start(const Job& job) {
  for (const auto& [what, text] :
       {std::pair{"path of the schedule", &job.schedule_path}, std::pair{"barcode", &job.barcode},
        std::pair{"backup folder", &job.backup_folder}}) {
    if (const Status good = check_text(what, *text); !good) return failed(good.error());
  }
  if (job.schedule_path.empty())
    return base::failure(ErrorCode::invalid, name_, "a job without a schedule: give its path on the server's computer");
  TRY_ASSIGN(const BtsChannel channel, find(job.channel));
  TRY_ASSIGN(const ChannelStatus now, status_of(channel));
  if (!is_free(now.state)) {
    return base::failure(ErrorCode::busy, name_,
                         fmt::format("channel {} is in state \"{}\", and a job may start only in finish, stop or "
                                     "protect: stop it first",
                                     to_text(job.channel), now.word));
  }
  const auto verdict_of_server = verdict("start", bts::start(channel, job), channel);
  if (!verdict_of_server) {
    base::Error error = verdict_of_server.error();
    const std::string detail =
        fmt::format("whether channel {} runs is not known: ask for its status before starting again ({})",
                    to_text(job.channel), error.detail.view());
    error.detail = std::string_view(detail);
    return std::unexpected(error);
  }
  if (*verdict_of_server) return {};
  return base::failure(
      ErrorCode::refused, name_,
      fmt::format("the server does not start channel {}: can its computer read the schedule under that "
                  "path, and is the schedule within the channel's range?",
                  to_text(job.channel)));
}

Status NewareBts::stop(const ChannelId& id) {
  TRY_ASSIGN(const BtsChannel channel, find(id));
  TRY_ASSIGN(const bool done, verdict("stop", bts::about("stop", std::span(&channel, 1)), channel));
  if (done) return {};
  TRY_ASSIGN(const ChannelStatus now, status_of(channel));
  if (is_free(now.state)) return {};
  return base::failure(
      ErrorCode::refused, name_,
      fmt::format("the server does not stop channel {}, which is in state \"{}\": stop it there, or at "
                  "the cycler's switch",
                  to_text(id), now.word));
}

Status NewareBts::clear_flag(const ChannelId& id) {
  TRY_ASSIGN(const BtsChannel channel, find(id));
  TRY_ASSIGN(const bool done, verdict("clearflag", bts::about("clearflag", std::span(&channel, 1)), channel));
  if (done) return {};
  return base::failure(ErrorCode::refused, name_,
                       fmt::format("the server takes back no mark of channel {}: is there one?", to_text(id)));
}

base::Result<StoredTest> NewareBts::stored(const ChannelId& id) {
  TRY_ASSIGN(const BtsChannel channel, find(id));
  TRY_ASSIGN(const std::string reply, ask("inquiredf", bts::stored(channel)));
  return checked(bts::read_stored(reply, channel));
}

base::Result<StoredTest> NewareBts::fetch(const ChannelId& id, const PointRange& range, const Sink& sink) {
  if (range.first < 0 || range.count < 0) return base::failure(ErrorCode::invalid, name_, "points are counted from 1");
  TRY_ASSIGN(const BtsChannel channel, find(id));
  TRY_ASSIGN(const StoredTest test, stored(id));
  const std::int64_t count = range.count == 0 ? test.points : std::min(range.count, test.points);
  std::int64_t next = range.first > 0 ? range.first : test.points - count + 1;
  const std::int64_t last = next > test.points ? test.points : next + std::min(count, test.points - next + 1) - 1;
  while (next <= last) {
    const std::int64_t wanted = std::min(bts::kMaxPoints, last - next + 1);
    TRY_ASSIGN(const std::string reply, ask("download", bts::download(channel, next, wanted)));
    TRY_ASSIGN(bts::Page page, checked(bts::read_download(reply, channel, next)));
    if (!page.test_id.empty() && !test.id.empty() && page.test_id != test.id) {
      return base::failure(ErrorCode::mismatch, name_,
                           fmt::format("another test ({}) took the place of test {} before point {}: fetch again",
                                       page.test_id, test.id, next));
    }
    // More than was asked for is cut: the tail comes with a fetch of its own.
    const auto beyond =
        std::find_if(page.points.begin(), page.points.end(), [&](const auto& p) { return p.number > last; });
    page.points.erase(beyond, page.points.end());
    if (page.points.empty()) {
      return base::failure(
          ErrorCode::mismatch, name_,
          fmt::format("the server counts {} points but gives none from {} on: fetch again later", test.points, next));
    }
    next = page.points.back().number + 1;
    TRY(sink(page.points));
  }
  return test;
}

base::Result<std::vector<LogEntry>> NewareBts::log(const ChannelId& id) {
  TRY_ASSIGN(const BtsChannel channel, find(id));
  TRY_ASSIGN(const std::string reply, ask("downloadlog", bts::download_log(channel)));
  return checked(bts::read_log(reply, channel));
}

}  // namespace cyclerd::remote
