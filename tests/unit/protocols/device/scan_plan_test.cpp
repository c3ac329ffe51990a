#include "protocols/device/scan_plan.hpp"

#include <gtest/gtest.h>

#include "tests/unit/protocols/device/example.hpp"

namespace cyclerd::device {
namespace {

// A description that holds only items, for the planner.
Description items(std::initializer_list<std::tuple<Function, int, int>> list, std::uint16_t max_gap,
                  std::uint16_t max_read) {
  Description d;
  d.max_gap = max_gap;
  d.max_read = max_read;
  for (const auto& [function, address, count] : list) {
    Item item;
    item.function = function;
    item.address = static_cast<std::uint16_t>(address);
    item.count = static_cast<std::uint16_t>(count);
    d.items.push_back(item);
  }
  return d;
}

constexpr auto kHolding = Function::holding;
constexpr auto kInput = Function::input;
constexpr auto kCoil = Function::coil;

TEST(ScanPlan, NeighboursShareABlock) {
  const auto d = items({{kHolding, 10, 2}, {kHolding, 0, 2}, {kHolding, 6, 1}}, 4, 125);
  const auto plan = plan_blocks(d, {0, 1, 2});
  ASSERT_EQ(plan.blocks.size(), 1U);
  EXPECT_EQ(plan.blocks[0].address, 0);
  EXPECT_EQ(plan.blocks[0].count, 12);
  EXPECT_EQ(plan.offsets, (std::vector<std::int32_t>{10, 0, 6}));
}

TEST(ScanPlan, GapLimitIsExact) {
  const auto at = items({{kHolding, 0, 1}, {kHolding, 5, 1}}, 4, 125);
  EXPECT_EQ(plan_blocks(at, {0, 1}).blocks.size(), 1U);
  const auto above = items({{kHolding, 0, 1}, {kHolding, 6, 1}}, 4, 125);
  EXPECT_EQ(plan_blocks(above, {0, 1}).blocks.size(), 2U);
}

TEST(ScanPlan, ReadLimitIsExact) {
  const auto at = items({{kHolding, 0, 2}, {kHolding, 123, 2}}, 200, 125);
  EXPECT_EQ(plan_blocks(at, {0, 1}).blocks.size(), 1U);
  const auto above = items({{kHolding, 0, 2}, {kHolding, 124, 2}}, 200, 125);
  const auto plan = plan_blocks(above, {0, 1});
  ASSERT_EQ(plan.blocks.size(), 2U);
  EXPECT_EQ(plan.words, 4U);
  EXPECT_EQ(plan.offsets, (std::vector<std::int32_t>{0, 2}));
}

TEST(ScanPlan, FunctionsDoNotMix) {
  const auto d = items({{kHolding, 0, 1}, {kInput, 1, 1}, {kCoil, 2, 1}}, 16, 125);
  EXPECT_EQ(plan_blocks(d, {0, 1, 2}).blocks.size(), 3U);
}

TEST(ScanPlan, UnusedItemsHaveNoPlace) {
  const auto d = items({{kHolding, 0, 1}, {kHolding, 1, 1}}, 16, 125);
  const auto plan = plan_blocks(d, {1, 1});
  EXPECT_EQ(plan.offsets, (std::vector<std::int32_t>{-1, 0}));
  EXPECT_EQ(plan.words, 1U);
}

TEST(ScanPlan, ScanOfTheExampleIsOneBlock) {
  const auto loaded = testing_support::load(testing_support::example());
  const auto plan = plan_scan(*loaded.description);
  ASSERT_EQ(plan.blocks.size(), 1U);
  EXPECT_EQ(plan.blocks[0].function, kInput);
  EXPECT_EQ(plan.blocks[0].count, 3);
}

// Every item lies inside its block and every block within the limits, whatever the layout.
TEST(ScanPlan, AnyLayoutIsCovered) {
  std::uint32_t random = 12345;
  auto next = [&random](std::uint32_t n) {
    random = random * 1664525U + 1013904223U;
    return (random >> 10U) % n;
  };
  for (int round = 0; round < 500; ++round) {
    Description d;
    d.max_gap = static_cast<std::uint16_t>(next(20));
    d.max_read = static_cast<std::uint16_t>(2 + next(124));
    std::vector<int> all;
    std::uint32_t address = 0;
    for (int i = 0; i < 30; ++i) {
      Item item;
      item.count = static_cast<std::uint16_t>(1 + next(2));
      item.address = static_cast<std::uint16_t>(address += next(40));
      address += item.count;
      item.function = kHolding;
      d.items.push_back(item);
      all.push_back(i);
    }
    const auto plan = plan_blocks(d, all);
    for (int i = 0; i < 30; ++i) {
      bool inside = false;
      for (const auto& b : plan.blocks) {
        EXPECT_LE(b.count, d.max_read);
        const auto at = static_cast<std::uint32_t>(plan.offsets[static_cast<std::size_t>(i)]);
        if (at >= b.offset && at + d.item(i).count <= b.offset + b.count)
          inside = b.address + (at - b.offset) == d.item(i).address;
      }
      EXPECT_TRUE(inside) << round << " " << i;
    }
  }
}

}  // namespace
}  // namespace cyclerd::device
