// What a cycler behind a BTS server does with a channel: runs a plan of steps on a plant, keeps points and a log. Moves
// only when told to look; one thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "hil/plant/plant.hpp"
#include "protocols/base/time.hpp"

namespace cyclerd::hil {

struct BtsStep {
  enum class Kind : std::uint8_t { rest, charge, discharge };  // charge: CC-CV
  Kind kind = Kind::rest;
  double current_A = 0.0;  // > 0
  double voltage_V = 0.0;  // level of the CV, or where the discharge ends
  double cut_off_A = 0.0;  // a charge ends when its current has fallen to this
  base::Duration longest;  // the step ends then at the latest; 0: it has no such end
};

struct BtsPlan {
  std::vector<BtsStep> steps;
  std::int64_t cycles = 1;
  base::Duration record_every = base::seconds(10);
};

struct BtsPoint {
  std::int64_t number = 0, cycle = 0, step = 0;
  const char* step_type = "rest";
  std::int64_t step_time_ms = 0;
  base::WallTime wall;
  double voltage_V = 0.0, current_A = 0.0, charge_Ah = 0.0, energy_Wh = 0.0;
  double temperature_degC = 0.0;
};

struct BtsLogEntry {
  std::int64_t point = 0, code = 0;
  base::WallTime wall;
};

// Log codes of this server: the first four begin and end tests alike in the one captured log.
namespace bts_log {
inline constexpr std::int64_t kStarted = 100000;
inline constexpr std::int64_t kFinished = 100001;
inline constexpr std::int64_t kStopped = 100007;
inline constexpr std::int64_t kProtected = 100215;
}  // namespace bts_log

class BtsJob {
 public:
  enum class State : std::uint8_t { finish, working, stop, protect };

  [[nodiscard]] bool is_free() const noexcept { return state_ != State::working; }
  // Only when free. Forgets the test before.
  void start(Plant& plant, const BtsPlan& plan, std::string barcode, std::int64_t test_id, base::WallTime wall);
  // False when nothing runs.
  bool stop(Plant& plant, base::WallTime wall);
  // Looks at the plant at its present moment: points, ends of steps, protections.
  void follow(Plant& plant, base::WallTime wall);
  // False when there is no mark.
  bool clear_flag(Plant& plant);

  [[nodiscard]] const char* state_word() const noexcept;
  [[nodiscard]] const char* step_type() const noexcept;  // "--" when nothing runs
  [[nodiscard]] std::int64_t step() const noexcept { return static_cast<std::int64_t>(step_) + 1; }
  [[nodiscard]] std::int64_t cycle() const noexcept { return cycle_; }
  [[nodiscard]] std::int64_t test_id() const noexcept { return test_id_; }
  [[nodiscard]] const std::string& barcode() const noexcept { return barcode_; }
  // The present moment as a point; not stored.
  [[nodiscard]] BtsPoint now(Plant& plant, base::WallTime wall) const;
  [[nodiscard]] base::Duration since_start(base::MonoTime t) const noexcept;
  [[nodiscard]] const std::vector<BtsPoint>& points() const noexcept { return points_; }
  [[nodiscard]] const std::vector<BtsLogEntry>& log() const noexcept { return log_; }

 private:
  void begin_step(Plant& plant, base::WallTime wall);
  void next_step(Plant& plant, base::WallTime wall);
  void end(Plant& plant, State state, std::int64_t code, base::WallTime wall);
  void keep(Plant& plant, base::WallTime wall);
  [[nodiscard]] bool step_is_over(Plant& plant);

  State state_ = State::finish;
  bool flagged_ = false;
  BtsPlan plan_;
  std::string barcode_;
  std::int64_t test_id_ = 0;
  std::size_t step_ = 0;
  std::int64_t cycle_ = 1;
  base::MonoTime started_, step_started_, kept_;
  double charge_at_step_C_ = 0.0, energy_at_step_J_ = 0.0;
  std::vector<BtsPoint> points_;
  std::vector<BtsLogEntry> log_;
};

}  // namespace cyclerd::hil
