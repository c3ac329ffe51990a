// Watches that every part of the daemon makes progress. The watchdog of the service manager is fed only while all do.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "protocols/base/time.hpp"

namespace cyclerd::safety {

struct Late {
  std::size_t id = 0;  // as given by watch()
  std::string_view name;
  base::Duration age;  // since the last progress
  base::Duration allowed;
};

// Used by one thread, which calls check() on its own schedule.
class Supervisor {
 public:
  // Watches a counter that must change at least every `allowed` (the moment it is exactly so old is still in time).
  // Ages count from `now`. Before the first check(), only. Returns the id.
  std::size_t watch(std::string name, const std::atomic<std::uint64_t>& counter, base::Duration allowed,
                    base::MonoTime now);
  std::size_t watch(std::string name, std::function<std::uint64_t()> counter, base::Duration allowed,
                    base::MonoTime now);

  // Reads every counter; those that are late. Valid until the next call. Allocates nothing after the first.
  std::span<const Late> check(base::MonoTime now);

  // May the watchdog be fed? Only when the last check(), made at this very `now`, found something to watch and none
  // late: an old verdict feeds nothing.
  [[nodiscard]] bool may_feed(base::MonoTime now) const noexcept;

 private:
  struct Entry {
    std::string name;
    std::function<std::uint64_t()> counter;
    base::Duration allowed;
    base::MonoTime progressed;
    std::uint64_t last = 0;
  };
  std::vector<Entry> entries_;
  std::vector<Late> late_;
  base::MonoTime checked_{INT64_MIN};
};

}  // namespace cyclerd::safety
