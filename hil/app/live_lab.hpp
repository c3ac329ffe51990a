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

#include "hil/lab/lab.hpp"
#include "hil/peers/modbus_server.hpp"
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
  void stop();

  [[nodiscard]] const Lab& lab() const noexcept { return lab_; }
  [[nodiscard]] SharedWorld& world() noexcept { return world_; }
  // By the twin's name; nullptr when there is none.
  [[nodiscard]] ModbusServer* server(const std::string& name);
  [[nodiscard]] std::map<std::string, std::uint16_t> ports() const;
  // Beats of the plant that came more than one period late.
  [[nodiscard]] std::uint64_t overruns() const noexcept { return overruns_; }
  [[nodiscard]] std::uint64_t beats() const noexcept { return beats_; }

 private:
  struct Twin {
    std::string name;
    std::unique_ptr<RegisterMap> map;
    asio::io_context io{1};
    std::unique_ptr<ModbusServer> server;
    std::thread thread;
  };
  [[nodiscard]] base::Status add_twin(const std::string& name, std::uint16_t port, std::unique_ptr<RegisterMap> map);
  void beat();

  Lab lab_;
  base::Clock& clock_;
  SharedWorld world_;
  std::vector<std::unique_ptr<Twin>> twins_;
  std::thread plant_thread_;
  std::atomic<bool> stopping_{false};
  std::atomic<std::uint64_t> overruns_{0};
  std::atomic<std::uint64_t> beats_{0};
};

}  // namespace cyclerd::hil
