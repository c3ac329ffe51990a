#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "protocols/device/scan_plan.hpp"
#include "tests/unit/protocols/device/example.hpp"

namespace cyclerd::device {
namespace {

using namespace testing_support;

std::string with_wire(const std::string& lines) {
  return replaced(example(), "max_gap = 4\n", "max_gap = 4\n" + lines + "\n");
}

TEST(WireText, SerialSettingsAndGapsAreRead) {
  const auto loaded =
      load(with_wire("serial = { baud = 19200, parity = \"even\", data_bits = 7, stop_bits = 2 }\n"
                     "min_gap = \"203 ms\"\nrequest_gap = \"500 ms\"\nworst_response = \"2 s\""));
  ASSERT_TRUE(loaded.description) << loaded.diagnostics.render();
  const Description& d = *loaded.description;
  ASSERT_TRUE(d.serial_line);
  EXPECT_EQ(d.serial_line->baud, 19200U);
  EXPECT_EQ(d.serial_line->parity, SerialParity::even);
  EXPECT_EQ(d.serial_line->data_bits, 7);
  EXPECT_EQ(d.serial_line->stop_bits, 2);
  EXPECT_EQ(d.min_gap, base::milliseconds(203));
  EXPECT_EQ(d.request_gap, base::milliseconds(500));
  EXPECT_EQ(d.worst_response, base::seconds(2));
}

TEST(WireText, WithoutThemNothingIsAssumedButEightBitsAndNoParity) {
  const auto none = load(example());
  ASSERT_TRUE(none.description);
  EXPECT_FALSE(none.description->serial_line);
  EXPECT_EQ(none.description->request_gap.us, 0);
  EXPECT_EQ(none.description->worst_response.us, 0);
  const auto baud_only = load(with_wire("serial = { baud = 115200 }"));
  ASSERT_TRUE(baud_only.description) << baud_only.diagnostics.render();
  EXPECT_EQ(baud_only.description->serial_line->parity, SerialParity::none);
  EXPECT_EQ(baud_only.description->serial_line->data_bits, 8);
  EXPECT_EQ(baud_only.description->serial_line->stop_bits, 1);
}

struct Wrong {
  const char* name;
  const char* lines;
  const char* code;
  const char* says;
};
void PrintTo(const Wrong& wrong, std::ostream* out) {
  *out << wrong.name;
}
class WrongWire : public testing::TestWithParam<Wrong> {};

TEST_P(WrongWire, IsRefusedWithTheReason) {
  const auto loaded = load(with_wire(GetParam().lines));
  EXPECT_FALSE(loaded.description);
  bool found = false;
  for (const auto& d : loaded.diagnostics.all())
    found = found || (d.code == GetParam().code && d.message.find(GetParam().says) != std::string::npos);
  EXPECT_TRUE(found) << loaded.diagnostics.render();
}

INSTANTIATE_TEST_SUITE_P(
    All, WrongWire,
    testing::Values(Wrong{"no_baud", "serial = { parity = \"even\" }", "T010", "baud"},
                    Wrong{"baud_too_low", "serial = { baud = 49 }", "T013", "50"},
                    Wrong{"parity_mark", "serial = { baud = 9600, parity = \"mark\" }", "T014", "mark"},
                    Wrong{"six_bits", "serial = { baud = 9600, data_bits = 6 }", "T013", "7"},
                    Wrong{"three_stop_bits", "serial = { baud = 9600, stop_bits = 3 }", "T013", "2"},
                    Wrong{"worst_before_usual", "response_timeout = \"500 ms\"\nworst_response = \"499 ms\"", "D002",
                          "cannot be shorter"},
                    Wrong{"gap_too_long", "request_gap = \"10001 ms\"", "D002", "between 0 and 10 s"},
                    Wrong{"range_of_one", "forbidden = [[55]]", "D071", "[first, last]"},
                    Wrong{"range_reversed", "forbidden = [[62, 55]]", "D071", "[first, last]"},
                    Wrong{"range_beyond_the_end", "forbidden = [[55, 65536]]", "D071", "0 to 65535"},
                    // set_voltage is holding 20, nominal 10 and 11.
                    Wrong{"item_at_its_beginning", "forbidden = [[20, 20]]", "D071",
                          "'set_voltage' lies in the forbidden"},
                    Wrong{"end_of_an_item", "forbidden = [[11, 12]]", "D071", "'nominal' lies in the forbidden"}),
    [](const auto& param) { return std::string(param.param.name); });

TEST(Forbidden, RangesNextToItemsAreNoFinding) {
  const auto loaded = load(with_wire("forbidden = [[12, 19], [22, 30]]"));
  EXPECT_TRUE(loaded.description) << loaded.diagnostics.render();
}

// Items at 50 and 63; 55 to 62 may not be read.
TEST(Forbidden, NoBlockReadsAcross) {
  Description d;
  d.max_gap = 20;
  d.max_read = 125;
  for (const int address : {50, 54, 63}) {
    Item item;
    item.function = Function::holding;
    item.address = static_cast<std::uint16_t>(address);
    d.items.push_back(item);
  }
  EXPECT_EQ(plan_blocks(d, {0, 1, 2}).blocks.size(), 1U);
  d.forbidden = {{55, 62}};
  const auto plan = plan_blocks(d, {0, 1, 2});
  ASSERT_EQ(plan.blocks.size(), 2U);
  EXPECT_EQ(plan.blocks[0].count, 5);
  EXPECT_EQ(plan.blocks[1].address, 63);
}

}  // namespace
}  // namespace cyclerd::device
