#include "daemon/record/retention.hpp"

#include <unistd.h>

#include "daemon/record/journal_format.hpp"

namespace cyclerd::record {

void Retention::uses(std::uint32_t segment, std::uint64_t test) {
  std::set<std::uint64_t>& tests = needed_[segment];
  if (test != 0) tests.insert(test);
}

void Retention::released(std::uint64_t test) {
  for (auto& [segment, tests] : needed_) tests.erase(test);
}

bool Retention::any_unneeded() const noexcept {
  return needed_.size() > kKeep && needed_.begin()->second.empty();
}

void Retention::remove_unneeded() {
  while (any_unneeded()) {
    // A crash between two removals leaves a shorter journal, never a hole: the oldest goes first.
    ::unlink((directory_ + "/" + segment_name(needed_.begin()->first)).c_str());
    needed_.erase(needed_.begin());
  }
}

}  // namespace cyclerd::record
