#include "profiles/row_selector.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace cyclerd::profiles {

namespace {

// A quantity that appears or disappears counts as changed.
bool moved(double now, double before, double delta) noexcept RT_NONBLOCKING {
  if (!(delta > 0)) return false;
  const bool known = std::isfinite(now);
  if (known != std::isfinite(before)) return true;
  return known && std::fabs(now - before) >= delta;
}

}  // namespace

RowSelector::RowSelector(const Program& program) : program_(&program) {
  std::int64_t longest_us = 0;
  for (const RecordRule& rule : program.records) longest_us = std::max(longest_us, rule.pretrigger.us);
  const std::int64_t scan_us = std::max<std::int64_t>(program.scan.us, 1000);
  capacity_ = static_cast<std::size_t>(longest_us / scan_us) + 4;  // the two ends, and two early scans
  held_ = std::make_unique<Held[]>(capacity_);
}

void RowSelector::continue_after(const Row& last) noexcept RT_NONBLOCKING {
  kept_ = last.record_index;
  newest_us_ = last.test_time_us;
  reference_ = last;
  any_wanted_ = true;
}

void RowSelector::swap(RowSelector& other) noexcept RT_NONBLOCKING {
  std::swap(program_, other.program_);
  held_.swap(other.held_);
  std::swap(capacity_, other.capacity_);
  std::swap(head_, other.head_);
  std::swap(tail_, other.tail_);
  std::swap(kept_, other.kept_);
  std::swap(due_before_us_, other.due_before_us_);
  std::swap(newest_us_, other.newest_us_);
  std::swap(flush_, other.flush_);
  std::swap(any_wanted_, other.any_wanted_);
  std::swap(reference_, other.reference_);
}

void RowSelector::take_over(RowSelector& old) noexcept RT_NONBLOCKING {
  const Program* program = program_;
  // A larger ring is needed only when a longer pretrigger came in; otherwise the old one goes on as it is.
  if (capacity_ > old.capacity_) {
    for (std::uint64_t at = old.tail_; at != old.head_; ++at) held_[at % capacity_] = old.held_[at % old.capacity_];
    held_.swap(old.held_);
    std::swap(capacity_, old.capacity_);
  }
  swap(old);
  program_ = program;
}

bool RowSelector::rule_asks(const Row& row, const RecordRule& rule) const noexcept RT_NONBLOCKING {
  if (!any_wanted_) return true;
  if (rule.every.us > 0 && row.test_time_us - reference_.test_time_us >= rule.every.us) return true;
  return moved(row.voltage_V, reference_.voltage_V, rule.voltage_V) ||
         moved(row.current_A, reference_.current_A, rule.current_A) ||
         moved(row.temperature_degC, reference_.temperature_degC, rule.temperature_K) ||
         moved(row.voltage_V * row.current_A, reference_.voltage_V * reference_.current_A, rule.power_W) ||
         moved(row.test.charge_C + row.test.discharge_C, reference_.test.charge_C + reference_.test.discharge_C,
               rule.capacity_C) ||
         moved(row.test.charge_J + row.test.discharge_J, reference_.test.charge_J + reference_.test.discharge_J,
               rule.energy_J);
}

bool RowSelector::accept(const Output& output, bool fault) noexcept RT_NONBLOCKING {
  const Row& row = output.row;
  const bool trigger = output.step_changed || fault || is_over(output.state);
  flush_ = trigger;
  if (row.test_time_us <= newest_us_) {
    due_before_us_ = trigger ? newest_us_ : due_before_us_;
    return trigger;  // the row is of a moment that is held or written already
  }
  const RecordRule& rule = program_->records[program_->steps[row.step_index].record];
  Held& held = held_[head_ % capacity_];
  held.row = row;
  held.wanted = output.keep_row || fault || rule_asks(row, rule);
  if (held.wanted) {
    reference_ = row;
    any_wanted_ = true;
  }
  newest_us_ = row.test_time_us;
  ++head_;
  due_before_us_ = row.test_time_us - rule.pretrigger.us;
  return true;
}

const Row* RowSelector::next_due() noexcept RT_NONBLOCKING {
  while (tail_ != head_) {
    Held& held = held_[tail_ % capacity_];
    const bool old = held.row.test_time_us < due_before_us_;
    const bool newest_without_pretrigger =
        held.row.test_time_us == due_before_us_ && held.row.test_time_us == newest_us_;
    // The last slot must be free again before the next scan.
    const bool crowded = head_ - tail_ >= capacity_;
    if (!old && !flush_ && !newest_without_pretrigger && !crowded) return nullptr;
    ++tail_;
    if (!held.wanted && (old || !flush_)) continue;
    if (!held.wanted) held.row.flags |= base::flag::kPretrigger;
    held.row.record_index = ++kept_;
    return &held.row;
  }
  return nullptr;
}

}  // namespace cyclerd::profiles
