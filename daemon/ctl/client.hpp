// One connection to cyclerd's local socket. Blocking, with deadlines; one thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <expected>
#include <map>
#include <optional>
#include <string>

#include "daemon/control/station_api.hpp"
#include "protocols/base/clock.hpp"
#include "protocols/base/time.hpp"

namespace cyclerd::ctl {

using Json = nlohmann::json;

inline constexpr int kInterrupted = 130;

// What the program exits with, and why. Exit codes: control::Failure, and kInterrupted.
struct Trouble {
  int exit_code = 1;
  std::string message;
  Json details;  // of the daemon's answer; null when there are none

  Trouble(control::Failure failure, std::string m, Json d = nullptr)
      : exit_code(static_cast<int>(failure)), message(std::move(m)), details(std::move(d)) {}
  Trouble(int code, std::string m) : exit_code(code), message(std::move(m)) {}
};

template <class T>
using Outcome = std::expected<T, Trouble>;

class Client {
 public:
  // `interrupted` (may be null) ends every wait with kInterrupted.
  static Outcome<Client> connect(const std::string& path, const std::atomic<bool>* interrupted);
  Client(Client&& other) noexcept;
  Client& operator=(Client&& other) noexcept;
  ~Client();

  // Asks and waits for the answer; notifications that come meanwhile are kept.
  Outcome<Json> call(const std::string& method, const Json& params = Json::object());
  // The two halves of call(): several questions may be under way.
  Outcome<std::int64_t> send(const std::string& method, const Json& params);
  Outcome<Json> wait(std::int64_t id);

  // The next notification's {method, params}, or nullopt when none comes in time.
  Outcome<std::optional<Json>> next_notification(base::Duration patience);

 private:
  Client(int descriptor, std::string path, const std::atomic<bool>* interrupted);
  Outcome<bool> receive(base::MonoTime deadline);  // false: nothing came in time

  int descriptor_ = -1;
  std::string path_;
  const std::atomic<bool>* interrupted_ = nullptr;
  base::SystemClock clock_;
  std::int64_t next_id_ = 1;
  std::string buffer_;
  std::map<std::int64_t, Json> answers_;
  std::deque<Json> notifications_;
};

}  // namespace cyclerd::ctl
