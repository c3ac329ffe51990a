// Which scans become rows of the record: the profile's record rules, and the rows from before a step change or fault.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "profiles/executor.hpp"
#include "profiles/program.hpp"
#include "profiles/record.hpp"
#include "protocols/base/rt.hpp"

namespace cyclerd::profiles {

// Owned by one channel's cycle. All memory is taken at construction. Rows come out in the order of time, each at most
// once, test time strictly increasing. Because a row that no rule asks for may still be wanted when a step changes a
// moment later, every row is held back for the pretrigger time; without a pretrigger nothing is held back.
class RowSelector {
 public:
  explicit RowSelector(const Program& program);

  // Looks at the scan's output. Calls keep(Row) for every row that is due, oldest first, numbered from 1. The first and
  // last row of a step are kept whatever the rules say; a step change, the test's end and a fault bring out all rows of
  // the last `pretrigger`, those that no rule had asked for flagged kPretrigger.
  template <class Keep>
  void select(const Output& output, bool fault, Keep&& keep) noexcept {
    if (!accept(output, fault)) return;
    while (const Row* row = next_due()) keep(*row);
  }
  // Goes on after a recovery: the next row gets the number after `last`.
  void continue_after(const Row& last) noexcept RT_NONBLOCKING;
  // Goes on for an amended test where `old` stands: its rows that are held back, its numbers. Neither allocates nor
  // frees; `old` is not to be used again.
  void take_over(RowSelector& old) noexcept RT_NONBLOCKING;
  void swap(RowSelector& other) noexcept RT_NONBLOCKING;
  [[nodiscard]] std::uint64_t rows_kept() const noexcept RT_NONBLOCKING { return kept_; }
  [[nodiscard]] std::size_t capacity() const noexcept RT_NONBLOCKING { return capacity_; }

 private:
  struct Held {
    Row row;
    bool wanted = false;
  };

  bool accept(const Output& output, bool fault) noexcept RT_NONBLOCKING;
  [[nodiscard]] bool rule_asks(const Row& row, const RecordRule& rule) const noexcept RT_NONBLOCKING;
  [[nodiscard]] const Row* next_due() noexcept RT_NONBLOCKING;

  const Program* program_;
  std::unique_ptr<Held[]> held_;  // a ring, oldest at tail_
  std::size_t capacity_ = 0;
  std::uint64_t head_ = 0;
  std::uint64_t tail_ = 0;
  std::uint64_t kept_ = 0;
  std::int64_t due_before_us_ = INT64_MIN;  // rows from before this moment are due
  std::int64_t newest_us_ = INT64_MIN;
  bool flush_ = false;
  bool any_wanted_ = false;
  Row reference_;  // the last row that was asked for: what deltas are measured from
};

}  // namespace cyclerd::profiles
