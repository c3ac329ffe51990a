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
  SharedWorld(World world, const base::Clock& clock) : world_(std::move(world)), clock_(clock) {}

  // Calls f(World&) at the present moment, alone.
  template <class Function>
  decltype(auto) now(Function&& f) {
    std::lock_guard lock(mutex_);
    world_.advance_to(clock_.now());
    return std::forward<Function>(f)(world_);
  }

 private:
  std::mutex mutex_;
  World world_;
  const base::Clock& clock_;
};

}  // namespace cyclerd::hil
