#include "daemon/control/session.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <asio/dispatch.hpp>
#include <asio/post.hpp>
#include <asio/write.hpp>
#include <system_error>
#include <utility>
#include <variant>

#include "daemon/control/rpc.hpp"

namespace cyclerd::control {

namespace {

constexpr std::size_t kReadChunk = 64 * 1024;
constexpr std::size_t kMaxStopLine_bytes = 64 * 1024;  // of who may only stop
constexpr std::size_t kMaxSubscriptions = 8;           // of one connection

}  // namespace

Host::Host(ServerConfig c, StationApi& s, AuditSink audit)
    : config(std::move(c)), station(s), dispatcher(s, std::move(audit), [context = io](std::function<void()> f) {
        asio::dispatch(*context, std::move(f));
      }) {}

void Session::start() {
  if (reserve_) {
    deadline.expires_after(to_chrono(host.config.reserve_time));
    deadline.async_wait([self = shared_from_this()](std::error_code error) {
      if (!error) self->close();
    });
  }
  read();
}

void Session::read() {
  in.erase(0, parsed);
  parsed = 0;
  const std::size_t have = in.size();
  in.resize(have + kReadChunk);
  socket.async_read_some(asio::buffer(in.data() + have, kReadChunk),
                         [self = shared_from_this(), have](std::error_code error, std::size_t n) {
                           self->in.resize(have + n);
                           if (self->closed) return;
                           if (!error) return self->next_line();
                           // End of file. A torn last line is not a request: a client that dies changes nothing.
                           self->finishing = true;
                           self->subscriptions.clear();
                           self->close_when_done();
                         });
}

// One line a turn, so that nobody's stop waits behind somebody else's long list of requests.
void Session::next_line() {
  if (closed || finishing) return;
  if (calls.size() >= host.config.max_calls) {
    crowded = true;
    return;
  }
  const std::size_t most =
      role_ == Role::none ? std::min(kMaxStopLine_bytes, host.config.max_line_bytes) : host.config.max_line_bytes;
  const std::size_t end = in.find('\n', parsed);
  const std::size_t length = (end == std::string::npos ? in.size() : end) - parsed;
  if (length > most) {
    finishing = true;
    subscriptions.clear();
    send(error_line(nullptr, rpc::kInvalidRequest,
                    fmt::format("a request is longer than {} bytes; connection closed", most)));
    return close_when_done();
  }
  if (end == std::string::npos) return read();
  const std::string line = in.substr(parsed, length);
  parsed = end + 1;
  handle(line);
  if (!closed) asio::post(*host.io, [self = shared_from_this()] { self->next_line(); });
}

void Session::handle(std::string_view line) {
  if (line.find_first_not_of(" \t\r") == std::string_view::npos) return;
  auto parsed_line = parse_request(line);
  if (const auto* error = std::get_if<RequestError>(&parsed_line)) {
    return send(error_line(error->id, error->code, error->message));
  }
  auto& request = std::get<Request>(parsed_line);
  if (!Dispatcher::knows(request.method)) {
    if (!request.wants_answer) return;
    return send(error_line(request.id, rpc::kMethodNotFound,
                           fmt::format("no method \"{}\"; the method \"methods\" lists them", request.method)));
  }
  const std::uint64_t call = next_call++;
  auto timer = std::make_unique<asio::steady_timer>(*host.io, to_chrono(host.config.answer_timeout));
  timer->async_wait([weak = weak_from_this(), call, id = request.id, method = request.method](std::error_code error) {
    const auto self = weak.lock();
    if (error || !self) return;
    self->answer(
        call, id,
        Answer::error(Failure::timeout,
                      fmt::format("{}: the station has not confirmed in time; it may still happen: look at the "
                                  "status before trying again",
                                  method)));
  });
  calls.emplace(call, std::move(timer));
  host.dispatcher.call(request.method, request.params, *this,
                       [weak = weak_from_this(), call, id = request.id, wanted = request.wants_answer](Answer a) {
                         const auto self = weak.lock();
                         if (!self) return;
                         if (wanted) return self->answer(call, id, a);
                         self->finish_call(call);
                         self->close_when_done();
                       });
}

void Session::finish_call(std::uint64_t call) {
  calls.erase(call);
  if (!crowded || calls.size() >= host.config.max_calls) return;
  crowded = false;
  asio::post(*host.io, [self = shared_from_this()] { self->next_line(); });
}

void Session::answer(std::uint64_t call, const Json& id, const Answer& answer) {
  if (closed || !calls.contains(call)) return;
  finish_call(call);
  send(response_line(id, answer));
  close_when_done();
}

void Session::send(std::string line) {
  if (closed) return;
  if (out_bytes + line.size() > host.config.max_queue_bytes) return close();  // does not read
  out_bytes += line.size();
  out.push_back(std::move(line));
  if (out.size() == 1) write();
}

void Session::write() {
  asio::async_write(socket, asio::buffer(out.front()), [self = shared_from_this()](std::error_code error, std::size_t) {
    if (self->closed) return;
    if (error) return self->close();
    self->out_bytes -= self->out.front().size();
    self->out.pop_front();
    for (auto& [number, subscription] : self->subscriptions) subscription.unread = {};
    if (!self->out.empty()) return self->write();
    self->close_when_done();
  });
}

void Session::close_when_done() {
  if (finishing && calls.empty() && out.empty()) close();
}

void Session::close() {
  if (closed) return;
  closed = true;
  std::error_code ignored;
  deadline.cancel();
  calls.clear();
  subscriptions.clear();
  socket.shutdown(Socket::shutdown_both, ignored);
  socket.close(ignored);
  host.forget(*this);
}

Answer Session::subscribe_status(int interval_ms, const std::string& channel) {
  if (subscriptions.size() >= kMaxSubscriptions) {
    return Answer::error(Failure::busy, fmt::format("a connection has at most {} subscriptions", kMaxSubscriptions));
  }
  (void)status_of(host.station, channel);  // refuses a channel that does not exist
  const std::int64_t number = next_subscription++;
  Subscription& subscription = subscriptions[number];
  subscription.timer = std::make_unique<asio::steady_timer>(*host.io);
  subscription.interval = std::chrono::milliseconds(interval_ms);
  subscription.channel = channel;
  // The first one follows the answer to this call.
  asio::post(*host.io, [weak = weak_from_this(), number] {
    if (const auto self = weak.lock()) self->tick(number);
  });
  return Answer::ok({{"subscription", number}, {"interval_ms", interval_ms}});
}

void Session::tick(std::int64_t number) {
  const auto it = subscriptions.find(number);
  if (closed || it == subscriptions.end()) return;
  Subscription& subscription = it->second;
  subscription.timer->expires_after(subscription.interval);
  subscription.timer->async_wait([weak = weak_from_this(), number](std::error_code error) {
    const auto self = weak.lock();
    if (!error && self) self->tick(number);
  });
  // A slow reader gets fewer, newer ones, never a backlog.
  if (!out.empty()) {
    subscription.unread += subscription.interval;
    if (subscription.unread >= to_chrono(host.config.stall_timeout)) close();
    return;
  }
  try {
    send(notification_line("status",
                           {{"subscription", number}, {"status", status_of(host.station, subscription.channel)}}));
  } catch (const std::exception& e) {
    send(notification_line("error", {{"subscription", number}, {"message", e.what()}}));
    subscriptions.erase(number);
  }
}

Answer Session::unsubscribe(std::int64_t number) {
  if (subscriptions.erase(number) == 0) {
    return Answer::error(Failure::usage, fmt::format("this connection has no subscription {}", number));
  }
  return Answer::ok({{"subscription", number}});
}

}  // namespace cyclerd::control
