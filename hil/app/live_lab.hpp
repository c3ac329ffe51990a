// A lab in real time: one thread beats the plant, one thread serves each twin. The only place of hil/ that makes
// threads.
#pragma once

#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "hil/app/twin_server.hpp"
#include "hil/lab/lab.hpp"
#include "hil/peers/shared_world.hpp"
#include "protocols/base/clock.hpp"
#include "protocols/base/result.hpp"

namespace cyclerd::hil {

class LiveLab {
 public:
  LiveLab(Lab lab, base::Clock& clock);
  ~LiveLab();
  LiveLab(const LiveLab&) = delete;
  LiveLab& operator=(const LiveLab&) = delete;

  // Opens every port, then starts the threads. On failure nothing runs.
  [[nodiscard]] base::Status start();
  // Asks for SCHED_FIFO and locked memory, after start(). What was refused, and what to do about it.
  [[nodiscard]] std::vector<std::string> ask_for_real_time();
  void stop();

  [[nodiscard]] const Lab& lab() const noexcept { return lab_; }
  [[nodiscard]] SharedWorld& world() noexcept { return world_; }
  // By the twin's name; nullptr when there is none.
  [[nodiscard]] TwinServer* server(const std::string& name);
  [[nodiscard]] std::map<std::string, std::uint16_t> ports() const;  // of twins on TCP
  [[nodiscard]] std::map<std::string, std::string> ttys() const;     // of twins on ptys
  // Beats of the plant that came more than one period late.
  [[nodiscard]] std::uint64_t overruns() const noexcept { return overruns_; }
  [[nodiscard]] std::uint64_t beats() const noexcept { return beats_; }
  // From the moment a beat was due to its end, the longest so far.
  [[nodiscard]] base::Duration worst_beat() const noexcept { return {worst_beat_us_}; }
  // Time that passed in the world for the CPU time spent on moving it; 0 before it has moved.
  [[nodiscard]] double real_time_factor();

 private:
  struct Connection : TwinConnection {
    std::thread thread;
  };
  [[nodiscard]] std::vector<TwinOrder> orders() const;
  void beat();

  Lab lab_;
  base::Clock& clock_;
  SharedWorld world_;
  std::vector<std::unique_ptr<Connection>> connections_;
  std::thread plant_thread_;
  std::atomic<bool> stopping_{false};
  std::atomic<std::uint64_t> overruns_{0};
  std::atomic<std::uint64_t> beats_{0};
  std::atomic<std::int64_t> worst_beat_us_{0};
};

}  // namespace cyclerd::hil
