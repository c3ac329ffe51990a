// Which blocks one poll reads: as few transactions as the description allows.
#pragma once

#include <cstdint>
#include <vector>

#include "protocols/device/description.hpp"

namespace cyclerd::device {

struct ScanBlock {
  Function function = Function::holding;
  std::uint16_t address = 0;
  std::uint16_t count = 0;
  std::uint32_t offset = 0;  // of its first register (or bit) in the scan's words
};

struct ScanPlan {
  std::vector<ScanBlock> blocks;
  std::vector<std::int32_t> offsets;  // per item of the description: place in the scan's words, or -1
  std::uint32_t words = 0;            // total; a bit takes one word as well
  std::size_t main_block = 0;         // the one that holds the measured value whose moment counts
};

// The items that a reading needs; some may stand there twice.
[[nodiscard]] std::vector<int> scan_items(const Description& description);
// Those of them that tell its state: output, alarms, remote, regulation.
[[nodiscard]] std::vector<int> state_items(const Description& description);
// The measured value whose moment is the reading's; kNone: it measures nothing.
[[nodiscard]] int principal_item(const Description& description) noexcept;

// Blocks over all items that a reading needs. Neighbours are joined while at most `max_gap` unused registers lie
// between them and the block stays within `max_read` (2000 for bits). An item is never split.
[[nodiscard]] ScanPlan plan_scan(const Description& description);
// The same for a given set of items.
[[nodiscard]] ScanPlan plan_blocks(const Description& description, std::vector<int> items);

}  // namespace cyclerd::device
