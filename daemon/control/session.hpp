// One client of the local socket. Knows Asio: for this folder's .cpp files only.
#pragma once

#include <asio/io_context.hpp>
#include <asio/local/stream_protocol.hpp>
#include <asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "daemon/control/dispatcher.hpp"
#include "daemon/control/server.hpp"

namespace cyclerd::control {

using Socket = asio::local::stream_protocol::socket;

inline std::chrono::microseconds to_chrono(base::Duration d) {
  return std::chrono::microseconds(d.us);
}

struct Session;

// What every session shares; the server.
struct Host {
  Host(ServerConfig c, StationApi& s, AuditSink audit);
  virtual ~Host() = default;
  virtual void forget(Session& session) = 0;  // it has closed

  ServerConfig config;
  StationApi& station;
  // Shared: an answer of the station that comes after the server is gone still posts to a living (stopped) context.
  std::shared_ptr<asio::io_context> io = std::make_shared<asio::io_context>(1);
  Dispatcher dispatcher;
};

// One client. Kept alive by the server's set and by its own outstanding operations.
struct Session final : Connection, std::enable_shared_from_this<Session> {
  Session(Host& h, Socket sock, Caller who, Role r, bool in_reserve)
      : host(h), socket(std::move(sock)), caller_(std::move(who)), role_(r), reserve_(in_reserve), deadline(*h.io) {}

  [[nodiscard]] const Caller& caller() const override { return caller_; }
  [[nodiscard]] Role role() const override { return role_; }
  [[nodiscard]] bool reserve() const override { return reserve_; }
  Answer subscribe_status(int interval_ms, const std::string& channel) override;
  Answer unsubscribe(std::int64_t subscription) override;

  void start();
  void read();
  void next_line();
  void finish_call(std::uint64_t call);
  void handle(std::string_view line);
  void answer(std::uint64_t call, const Json& id, const Answer& answer);
  void send(std::string line);
  void write();
  void tick(std::int64_t subscription);
  void close_when_done();
  void close();

  struct Subscription {
    std::unique_ptr<asio::steady_timer> timer;
    std::chrono::milliseconds interval{};
    std::string channel;
    std::chrono::milliseconds unread{};  // how long ticks have been skipped because the client does not read
  };

  Host& host;
  Socket socket;
  Caller caller_;
  Role role_;
  bool reserve_;
  asio::steady_timer deadline;
  std::string in;
  std::size_t parsed = 0;  // bytes of `in` already handled
  std::deque<std::string> out;
  std::size_t out_bytes = 0;
  bool crowded = false;    // max_calls are under way; the next line waits for one of them
  bool finishing = false;  // nothing more is read; closes when answered and written
  bool closed = false;
  std::uint64_t next_call = 1;
  std::map<std::uint64_t, std::unique_ptr<asio::steady_timer>> calls;  // outstanding, with their time limits
  std::int64_t next_subscription = 1;
  std::map<std::int64_t, Subscription> subscriptions;
};

}  // namespace cyclerd::control
