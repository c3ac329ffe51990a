#include "daemon/safety/supervisor.hpp"

#include <utility>

namespace cyclerd::safety {

std::size_t Supervisor::watch(std::string name, const std::atomic<std::uint64_t>& counter, base::Duration allowed,
                              base::MonoTime now) {
  return watch(
      std::move(name), [&counter] { return counter.load(std::memory_order_acquire); }, allowed, now);
}

std::size_t Supervisor::watch(std::string name, std::function<std::uint64_t()> counter, base::Duration allowed,
                              base::MonoTime now) {
  const std::uint64_t value = counter();
  entries_.push_back({std::move(name), std::move(counter), allowed, now, value});
  late_.reserve(entries_.size());
  return entries_.size() - 1;
}

std::span<const Late> Supervisor::check(base::MonoTime now) {
  late_.clear();
  checked_ = now;
  for (std::size_t id = 0; id < entries_.size(); ++id) {
    Entry& e = entries_[id];
    const std::uint64_t value = e.counter();
    if (value != e.last) {
      e.last = value;
      e.progressed = now;
    }
    const base::Duration age = now - e.progressed;
    if (age > e.allowed) late_.push_back({id, e.name, age, e.allowed});
  }
  return late_;
}

bool Supervisor::may_feed(base::MonoTime now) const noexcept {
  return checked_ == now && !entries_.empty() && late_.empty();
}

}  // namespace cyclerd::safety
