// From a method's name to the station: which role it needs, which parameters it takes, what goes into the audit.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/control/roles.hpp"
#include "daemon/control/station_api.hpp"

namespace cyclerd::control {

// A call that changes (or tried to change) the station's state, for the record. Texts of profiles and cells are left
// out: a test's own metadata holds them.
struct AuditEntry {
  Caller who;
  std::string method;
  Json params;
  Failure failure = Failure::none;
  std::string message;  // why it failed
};
using AuditSink = std::function<void(const AuditEntry&)>;

// What a call may touch of the connection that it came in by.
class Connection {
 public:
  virtual ~Connection() = default;
  [[nodiscard]] virtual const Caller& caller() const = 0;
  [[nodiscard]] virtual Role role() const = 0;
  // True when all places are taken and this connection was let in for a stop only.
  [[nodiscard]] virtual bool reserve() const = 0;
  virtual Answer subscribe_status(int interval_ms, const std::string& channel) = 0;
  virtual Answer unsubscribe(std::int64_t subscription) = 0;
};

inline constexpr int kMinInterval_ms = 50;
inline constexpr int kMaxInterval_ms = 60'000;
inline constexpr int kDefaultInterval_ms = 500;

class Dispatcher {
 public:
  // `post` brings a function to the control thread; answers of the station that arrive on other threads pass through it
  // before they are audited and handed on.
  using Post = std::function<void(std::function<void()>)>;
  Dispatcher(StationApi& station, AuditSink audit, Post post);

  // On the control thread. `done` is called once, on the control thread, perhaps before call() returns. Exceptions of
  // the station become Failure::failed.
  void call(const std::string& method, const Json& params, Connection& connection, Done done);

  [[nodiscard]] static std::vector<std::string> method_names();
  [[nodiscard]] static bool knows(std::string_view method);

 private:
  StationApi& station_;
  AuditSink audit_;
  Post post_;
};

// One channel of a status, or the whole of it when `channel` is empty.
[[nodiscard]] Json status_of(StationApi& station, const std::string& channel);

}  // namespace cyclerd::control
