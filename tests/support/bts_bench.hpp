// A BTS server in front of two virtual cells, on its own thread; its world's time moves only when a test says so.
#pragma once

#include <gtest/gtest.h>

#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>
#include <atomic>
#include <memory>
#include <string>
#include <thread>

#include "hil/peers/neware_bts_server.hpp"
#include "tests/unit/hil/golden.hpp"

namespace cyclerd::test {

// Read by the server's thread while the test moves it.
class HandClock final : public base::Clock {
 public:
  [[nodiscard]] base::MonoTime now() const noexcept override { return {us_}; }
  [[nodiscard]] base::WallTime wall() const noexcept override { return {1'767'000'000'000'000 + us_}; }
  void sleep_until(base::MonoTime deadline) override { us_ = deadline.us; }
  bool wait_until(base::MonoTime deadline, base::Wakeup&) override {
    us_ = deadline.us;
    return false;
  }
  void advance(base::Duration d) noexcept { us_ += d.us; }

 private:
  std::atomic<std::int64_t> us_{0};
};

inline constexpr const char* kCapacityTest = "C:\\tests\\capacity <5 Ah> & more.xml";
inline constexpr const char* kTooMuch = "C:\\tests\\too much.xml";
inline constexpr const char* kPassword = "p<&>\"secret";

// The closed-form cell: CV begins after 3150 s of charging.
struct BtsBench {
  static hil::BtsOptions options() {
    using Kind = hil::BtsStep::Kind;
    hil::BtsOptions o;
    o.password = kPassword;
    o.places = {{0, 27, 21, 1, 1}, {1, 27, 21, 2, 1}};
    hil::BtsPlan plan;
    plan.steps = {{Kind::charge, 2.5, 4.2, 0.1, {}},
                  {Kind::rest, 0, 0, 0, base::seconds(60)},
                  {Kind::discharge, 2.5, 3.0, 0, {}}};
    o.schedules[kCapacityTest] = plan;
    plan.steps[0].current_A = 1000.0;
    o.schedules[kTooMuch] = plan;
    return o;
  }
  static hil::World world_of_two() {
    hil::World world;
    for (int i = 0; i < 2; ++i) world.add_plant(hil::test::shipped("linear-closed-form").make({0.5, 25.0}), {});
    return world;
  }

  explicit BtsBench(const hil::BtsOptions& o = options()) : world(world_of_two(), clock) {
    auto made = hil::BtsServer::listen(io, 0, world, clock, o);
    if (!made) {
      ADD_FAILURE() << made.error().text();
      return;
    }
    server = std::move(*made);
    thread = std::thread([this] { io.run(); });
  }
  ~BtsBench() { shut(); }
  BtsBench(const BtsBench&) = delete;
  BtsBench& operator=(const BtsBench&) = delete;

  // The server is gone, its connections with it.
  void shut() {
    if (!thread.joinable()) return;
    io.stop();
    thread.join();
    server.reset();
  }
  void pass(base::Duration time) {
    for (std::int64_t left_us = time.us; left_us > 0; left_us -= 1'000'000) {
      clock.advance(base::microseconds(std::min<std::int64_t>(left_us, 1'000'000)));
      server->beat();
    }
  }

  HandClock clock;
  hil::SharedWorld world;
  asio::io_context io{1};
  asio::executor_work_guard<asio::io_context::executor_type> work = asio::make_work_guard(io);
  std::unique_ptr<hil::BtsServer> server;
  std::thread thread;
};

}  // namespace cyclerd::test
