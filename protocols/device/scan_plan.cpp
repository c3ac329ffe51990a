#include "protocols/device/scan_plan.hpp"

#include <algorithm>

namespace cyclerd::device {

namespace {

void add(std::vector<int>& items, int item) {
  if (item != kNone) items.push_back(item);
}

}  // namespace

std::vector<int> scan_items(const Description& d) {
  std::vector<int> items;
  for (const int item :
       {d.measure.voltage, d.measure.current, d.measure.power, d.measure.temperature, d.measure.chamber,
        d.measure.chamber_setpoint, d.status.word, d.status.count, d.status.output_on.item, d.status.remote.item,
        d.status.alarm.item, d.status.regulation.bits.item}) {
    add(items, item);
    if (item != kNone) add(items, d.item(item).sign_item);
  }
  for (const int item : d.status.compare) add(items, item);
  // A range belongs to the scan whatever it scales: it may change at the panel at any time.
  for (const Item& item : d.items) add(items, item.range_item);
  for (const BitField& more : d.status.more_alarms) add(items, more.item);
  return items;
}

std::vector<int> state_items(const Description& d) {
  std::vector<int> items;
  for (const int item : {d.status.word, d.status.output_on.item, d.status.remote.item, d.status.alarm.item,
                         d.status.regulation.bits.item}) {
    add(items, item);
  }
  for (const BitField& more : d.status.more_alarms) add(items, more.item);
  return items;
}

int principal_item(const Description& d) noexcept {
  for (const int item : {d.measure.voltage, d.measure.current, d.measure.chamber, d.measure.temperature}) {
    if (item != kNone) return item;
  }
  return kNone;
}

namespace {

// Whether a block from `first` to before `end` would touch what must not be read.
bool forbidden_between(const Description& d, const Item& item, std::uint32_t first, std::uint32_t end) {
  if (item.is_bits()) return false;
  return std::any_of(d.forbidden.begin(), d.forbidden.end(),
                     [&](const ForbiddenRange& r) { return r.first < end && r.last >= first; });
}

}  // namespace

namespace {

// Items of one query share its reply.
bool same_query(const Item& a, const Item& b) {
  return std::equal(a.text.query.begin(), a.text.query.end(), b.text.query.begin(), b.text.query.end(),
                    [](const TextPiece& x, const TextPiece& y) { return x.kind == y.kind && x.literal == y.literal; });
}

ScanPlan plan_queries(const Description& d, const std::vector<int>& items) {
  ScanPlan plan;
  plan.offsets.assign(d.items.size(), -1);
  for (const int first : items) {
    if (plan.offsets[static_cast<std::size_t>(first)] != -1) continue;
    ScanBlock block{Function::holding, 0, 0, plan.words};
    for (const int other : items) {
      auto& offset = plan.offsets[static_cast<std::size_t>(other)];
      if (offset != -1 || !same_query(d.item(first), d.item(other))) continue;
      offset = static_cast<std::int32_t>(plan.words++);
      ++block.count;
    }
    plan.blocks.push_back(block);
  }
  return plan;
}

}  // namespace

ScanPlan plan_blocks(const Description& d, std::vector<int> items) {
  if (d.dialect == Dialect::text) return plan_queries(d, items);
  std::sort(items.begin(), items.end(), [&d](int a, int b) {
    return std::tuple(d.item(a).function, d.item(a).address, a) < std::tuple(d.item(b).function, d.item(b).address, b);
  });
  items.erase(std::unique(items.begin(), items.end()), items.end());
  ScanPlan plan;
  plan.offsets.assign(d.items.size(), -1);
  for (const int index : items) {
    const Item& item = d.item(index);
    const std::uint32_t end = std::uint32_t{item.address} + item.count;
    const std::uint32_t longest = item.is_bits() ? kMaxReadBits : d.max_read;
    ScanBlock* last = plan.blocks.empty() ? nullptr : &plan.blocks.back();
    const bool joins = last != nullptr && last->function == item.function &&
                       item.address <= std::uint32_t{last->address} + last->count + d.max_gap &&
                       end - last->address <= longest && !forbidden_between(d, item, last->address, end);
    if (!joins) {
      plan.blocks.push_back({item.function, item.address, item.count, plan.words});
      last = &plan.blocks.back();
    } else if (end > std::uint32_t{last->address} + last->count) {
      last->count = static_cast<std::uint16_t>(end - last->address);
    }
    plan.words = last->offset + last->count;
    plan.offsets[static_cast<std::size_t>(index)] =
        static_cast<std::int32_t>(last->offset + (item.address - last->address));
  }
  return plan;
}

ScanPlan plan_scan(const Description& d) {
  ScanPlan plan = plan_blocks(d, scan_items(d));
  const int principal = principal_item(d);
  if (principal == kNone) return plan;
  const auto at = static_cast<std::uint32_t>(plan.offsets[static_cast<std::size_t>(principal)]);
  for (std::size_t i = 0; i < plan.blocks.size(); ++i) {
    const ScanBlock& b = plan.blocks[i];
    if (at >= b.offset && at < b.offset + b.count) plan.main_block = i;
  }
  return plan;
}

}  // namespace cyclerd::device
