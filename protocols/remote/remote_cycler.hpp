// Cyclers that take no set-points: a vendor's server is given a whole test, runs it with its own safety, and is asked
// how it goes. Never a device of a station: nothing here is fast, bounded or under this daemon's judge. Blocking, one
// thread.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "protocols/base/result.hpp"

namespace cyclerd::remote {

// "13-5-5" in text: device, sub-device, channel.
struct ChannelId {
  std::int32_t device = 0;
  std::int32_t sub_device = 0;
  std::int32_t channel = 0;

  auto operator<=>(const ChannelId&) const = default;
};
[[nodiscard]] std::string to_text(const ChannelId& id);
[[nodiscard]] std::optional<ChannelId> parse_channel_id(std::string_view text);

enum class ChannelState : std::uint8_t {
  unknown,    // a word that nobody has explained
  working,    // a test runs
  waiting,    // a test is loaded and waits for something
  paused,     // a test is under way, its output rests
  finished,   // the last test came to its end
  stopped,    // the last test was stopped
  protection  // the last test was ended by a protection
};
[[nodiscard]] std::string_view to_string(ChannelState state) noexcept;
// Nothing is under way: a job may be given.
[[nodiscard]] bool is_free(ChannelState state) noexcept;

struct ChannelStatus {
  ChannelId id;
  ChannelState state = ChannelState::unknown;
  std::string word;  // the server's own
};

struct Job {
  ChannelId channel;
  std::string schedule_path;  // on the server's computer, which reads it
  std::string barcode;        // name of the sample, may be empty
  std::string backup_folder;  // on the server's computer, may be empty
};

// How a channel is doing. What the server does not tell is empty. Current: charge positive.
struct Progress {
  ChannelStatus status;
  std::string barcode;
  std::string step_type;
  std::optional<std::int64_t> cycle;
  std::optional<std::int64_t> step;
  std::optional<double> voltage_V;
  std::optional<double> current_A;
  std::optional<double> step_charge_Ah;
  std::optional<double> step_energy_Wh;
  std::optional<double> test_time_s;
  std::optional<double> step_time_s;
  std::vector<std::pair<std::string, std::string>> others;  // as the server names and writes them
};

// A stored point. Charge and energy count within the step and are never negative.
struct DataPoint {
  std::int64_t number = 0;  // from 1
  double voltage_V = 0.0;
  double current_A = 0.0;
  double step_time_s = 0.0;
  std::optional<double> step_charge_Ah;
  std::optional<double> step_energy_Wh;
  std::optional<std::int64_t> cycle;
  std::optional<std::int64_t> step;
  std::string step_type;
  std::string server_time;  // of the server's wall clock, whose zone it does not tell
  std::vector<std::pair<std::string, std::string>> others;
};

struct LogEntry {
  std::int64_t number = 0;  // of the data point
  std::int64_t code = 0;    // the vendor's
  std::string server_time;
};

// What is stored of the latest test of a channel.
struct StoredTest {
  std::string id;
  std::int64_t points = 0;
  bool complete = false;  // the server has all of it
};

// Which points: `count` from `first` on, or the last `count`. count 0: all.
struct PointRange {
  std::int64_t first = 0;  // from 1; 0: the last ones
  std::int64_t count = 0;
};

class RemoteCycler {
 public:
  // Points in rising order; an error ends the fetch and is its result.
  using Sink = std::function<base::Status(std::span<const DataPoint>)>;

  virtual ~RemoteCycler() = default;

  // Connects and logs in. Errors: not_found, timeout, disconnected, permission (name or password), protocol.
  [[nodiscard]] virtual base::Status connect() = 0;
  virtual void close() noexcept = 0;
  // False after a time-out or an answer that does not fit: what comes late can then answer no later question.
  [[nodiscard]] virtual bool is_connected() const noexcept = 0;

  // Every channel with its state.
  [[nodiscard]] virtual base::Result<std::vector<ChannelStatus>> channels() = 0;
  // In the order asked; none: all.
  [[nodiscard]] virtual base::Result<std::vector<Progress>> poll(std::span<const ChannelId> ids) = 0;

  // Gives a free channel a job; busy when it is not free (nothing was sent then), refused when the server says no.
  // After any other error it is not known whether the test runs.
  [[nodiscard]] virtual base::Status start(const Job& job) = 0;
  // Whatever the channel does. A channel that is free already is no error. The server may need seconds to obey: poll.
  [[nodiscard]] virtual base::Status stop(const ChannelId& id) = 0;
  // Takes back the mark of an alarm.
  [[nodiscard]] virtual base::Status clear_flag(const ChannelId& id) = 0;

  [[nodiscard]] virtual base::Result<StoredTest> stored(const ChannelId& id) = 0;
  // Of the latest test. mismatch when another test begins meanwhile: what came before is of the first.
  [[nodiscard]] virtual base::Result<StoredTest> fetch(const ChannelId& id, const PointRange& range,
                                                       const Sink& sink) = 0;
  [[nodiscard]] virtual base::Result<std::vector<LogEntry>> log(const ChannelId& id) = 0;
};

}  // namespace cyclerd::remote
