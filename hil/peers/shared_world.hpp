// A world that several threads look at: the plant's beat, one server for each twin, the control hook. Whoever comes
// moves it to now first, so that a reply is never older than its request.
#pragma once

#include <mutex>
#include <utility>

#include "hil/plant/world.hpp"
#include "protocols/base/clock.hpp"

namespace cyclerd::hil {

class SharedWorld {
 public:
  // How far the world was moved, and what that cost.
  struct Effort {
    base::Duration moved;
    std::int64_t cpu_ns = 0;
  };

  SharedWorld(World world, const base::Clock& clock) : world_(std::move(world)), clock_(clock) {}

  // Calls f(World&) at the present moment, alone.
  template <class Function>
  decltype(auto) now(Function&& f) {
    std::lock_guard lock(mutex_);
    const std::int64_t cpu_before_ns = base::thread_cpu_ns();
    const base::MonoTime before = world_.now();
    world_.advance_to(clock_.now());
    effort_.cpu_ns += base::thread_cpu_ns() - cpu_before_ns;
    effort_.moved = effort_.moved + (world_.now() - before);
    return std::forward<Function>(f)(world_);
  }

  [[nodiscard]] Effort effort() {
    std::lock_guard lock(mutex_);
    return effort_;
  }

 private:
  std::mutex mutex_;
  World world_;
  Effort effort_;
  const base::Clock& clock_;
};

}  // namespace cyclerd::hil
