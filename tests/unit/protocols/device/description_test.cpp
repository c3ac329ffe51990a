#include "protocols/device/description.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/protocols/device/example.hpp"

namespace cyclerd::device {
namespace {

using namespace testing_support;
using testing::HasSubstr;

TEST(Description, ExampleIsReadInFull) {
  const auto loaded = load(example());
  ASSERT_TRUE(loaded.description) << loaded.diagnostics.render();
  const Description& d = *loaded.description;
  EXPECT_EQ(d.id, "example");
  EXPECT_EQ(d.kind, DeviceKind::cycler);
  EXPECT_EQ(d.items.size(), 8U);
  const Item& set_voltage = d.item(d.find_item("set_voltage"));
  EXPECT_EQ(set_voltage.nominal, d.find_item("nominal"));
  EXPECT_DOUBLE_EQ(set_voltage.full_scale, 52428);
  EXPECT_DOUBLE_EQ(set_voltage.raw_max, 53477);
  EXPECT_EQ(set_voltage.mark, Mark::two_sources);
  const Item& set_current = d.item(d.find_item("set_current"));
  EXPECT_DOUBLE_EQ(set_current.scale * set_current.unit_factor, 1e-4);
  EXPECT_EQ(d.item(d.find_item("nominal")).words_parameter, 0);
  EXPECT_EQ(d.item(d.find_item("model")).count, 4);
  EXPECT_EQ(d.item(d.find_item("current")).sign_bit, 3);
  EXPECT_EQ(d.status.regulation.bits.mask, 0x6U);
  EXPECT_EQ(d.status.regulation.bits.shift, 1);
  ASSERT_EQ(d.status.regulation.values.size(), 2U);
  EXPECT_EQ(d.status.regulation.values[1].second, base::Regulation::current);
  EXPECT_DOUBLE_EQ(d.capability.voltage_max.times, 0.5);
  EXPECT_TRUE(std::isnan(d.capability.voltage_max.constant));
  EXPECT_DOUBLE_EQ(d.capability.current_min.constant, -3);
  ASSERT_EQ(d.sequence(SequenceId::charge).size(), 3U);
  EXPECT_EQ(d.sequence(SequenceId::discharge).size(), 3U);
  EXPECT_EQ(d.sequence(SequenceId::charge)[1].delay_after, base::milliseconds(5));
  EXPECT_EQ(d.sequence(SequenceId::charge)[2].value.kind, Value::Kind::parameter);
  EXPECT_EQ(d.sequence(SequenceId::make_safe)[1].within, base::milliseconds(100));
  EXPECT_FALSE(d.has(SequenceId::protect));
}

struct Damage {
  const char* name;
  const char* from;
  const char* to;
  const char* code;
  const char* says;  // in the message or the help
};
void PrintTo(const Damage& damage, std::ostream* out) {
  *out << damage.name;
}

class DamagedDescription : public testing::TestWithParam<Damage> {};

TEST_P(DamagedDescription, IsRefusedWithTheReason) {
  const auto& p = GetParam();
  const auto loaded = load(replaced(example(), p.from, p.to));
  EXPECT_FALSE(loaded.description);
  ASSERT_TRUE(loaded.diagnostics.has_errors());
  bool found = false;
  for (const auto& d : loaded.diagnostics.all()) {
    if (d.code != p.code || (d.message + " | " + d.help).find(p.says) == std::string::npos) continue;
    found = true;
    EXPECT_GT(d.where.line, 0U) << d.message;
  }
  EXPECT_TRUE(found) << p.code << " " << p.says << "\n" << loaded.diagnostics.render();
}

INSTANTIATE_TEST_SUITE_P(
    All, DamagedDescription,
    testing::Values(
        Damage{"unknown_key", "dialect =", "dialetc =", "T012", "did you mean 'dialect'"},
        Damage{"missing_kind", "kind = \"cycler\"\n", "", "T010", "lacks 'kind'"},
        Damage{"wrong_kind", "kind = \"cycler\"", "kind = \"cycle\"", "T014", "did you mean 'cycler'"},
        Damage{"wrong_function", "function = \"coil\"", "function = \"coils\"", "T014", "did you mean 'coil'"},
        Damage{"wrong_register_type", "type = \"i16\"", "type = \"int16\"", "T014", "one of: bool, u16, i16"},
        Damage{"coil_with_number", "address = 5\ntype = \"bool\"", "address = 5\ntype = \"u16\"", "D011",
               "holds one bit"},
        Damage{"register_with_bool", "address = 0\ntype = \"u16\"", "address = 0\ntype = \"bool\"", "D011",
               "cannot be of type 'bool'"},
        Damage{"address_beyond_the_end", "address = 10", "address = 65535", "D012", "beyond address 65535"},
        Damage{"address_too_large", "address = 10", "address = 65536", "T013", "between 0 and 65535"},
        Damage{"overlap", "address = 21", "address = 11", "D015", "overlaps 'nominal' (10..11)"},
        Damage{"too_long_for_a_read", "length = 8", "length = 42", "D016", "21 registers"},
        Damage{"unknown_unit", "unit = \"mA\"", "unit = \"amp\"", "D017", "did you mean 'A'"},
        Damage{"c_rate_unit", "unit = \"mA\"", "unit = \"C\"", "D017", "'C' is not a unit"},
        Damage{"zero_scale", "scale = 0.1", "scale = 0", "D019", "zero"},
        Damage{"raw_max_beyond_type", "raw_max = 53477", "raw_max = 65536", "D019", "0..65535"},
        Damage{"unknown_nominal", "nominal = \"nominal\"", "nominal = \"nominel\"", "D010", "did you mean 'nominal'"},
        Damage{"nominal_of_other_unit", "full_scale = 52428 }\nunit = \"V\"", "full_scale = 52428 }\nunit = \"A\"",
               "D025", "different units"},
        Damage{"input_cannot_be_written", "address = 1\n", "address = 1\naccess = \"rw\"\n", "D013",
               "cannot be written"},
        Damage{"no_source", "source = \"manual\"\n", "", "D010", "where this fact comes from"},
        Damage{"bad_word_orders", "values = [\"ABCD\", \"CDAB\"]", "values = [\"ABCD\", \"CDBA\"]", "D031",
               "word orders"},
        Damage{"default_not_listed", "default = \"ABCD\"", "default = \"ABDC\"", "T014", "did you mean 'ABCD'"},
        Damage{"default_outside_range", "default = \"1 s\"", "default = \"61 s\"", "D032", "outside its own range"},
        Damage{"no_identity", "match = [\"EX*\"]", "match = []", "D060", "tells this instrument from another"},
        Damage{"no_current", "current = \"current\"\n", "", "D040", "voltage and current"},
        Damage{"measured_in_wrong_unit", "current = \"current\"", "current = \"voltage\"", "D025", "must be a current"},
        Damage{"no_output_state", "output_on = { item = \"state\", bit = 0 }\n", "", "D040",
               "whether the output is on"},
        Damage{"bit_beyond_register", "output_on = { item = \"state\", bit = 0 }",
               "output_on = { item = \"state\", bit = 16 }", "D041", "bit 16 does not exist"},
        Damage{"bits_reversed", "bits = [1, 2]", "bits = [2, 1]", "D041", "[lowest, highest]"},
        Damage{"bits_of_a_float", "output_on = { item = \"state\", bit = 0 }",
               "output_on = { item = \"nominal\", bit = 0 }", "D041", "has no bits"},
        Damage{"capability_unit", "current_max = \"3 A\"", "current_max = \"3 V\"", "T015", "must be a current"},
        Damage{"capability_missing", "current_max = \"3 A\"\n", "", "T010", "current_max"},
        Damage{"unknown_sequence", "rest = [", "rset = [", "D020", "did you mean 'rest'"},
        Damage{"missing_sequence", "rest = [ { write = \"output\", value = false, verify = true } ]\noff = \"rest\"",
               "off = [ { write = \"output\", value = false } ]", "D021", "'rest'"},
        Damage{"alias_of_nothing", "discharge = \"charge\"", "discharge = \"chrage\"", "D020", "not a sequence"},
        Damage{"unknown_item_in_sequence", "write = \"set_current\"", "write = \"set_curent\"", "D010",
               "did you mean 'set_current'"},
        Damage{"write_to_read_only", "write = \"set_current\"", "write = \"current\"", "D013", "cannot be written"},
        Damage{"unknown_field", "value = \"current_A\"", "value = \"curent_A\"", "D026", "did you mean 'current_A'"},
        Damage{"field_of_other_dimension", "value = \"current_A\"", "value = \"voltage_min_V\"", "D025",
               "takes a current"},
        Damage{"field_of_other_sequence", "value = \"current_A\"", "value = \"protect_current_max_A\"", "D024",
               "known here: current_A"},
        Damage{"number_without_unit", "value = \"current_A\"", "value = 5", "D026", "needs one too"},
        Damage{"switch_with_number", "value = \"$polarity\"", "value = 1", "D026", "is a switch"},
        Damage{"unknown_parameter", "value = \"$polarity\"", "value = \"$polarty\"", "D031",
               "did you mean '$polarity'"},
        Damage{"parameter_that_does_not_fit", "value = \"$polarity\"", "value = \"$timeout\"", "D025", "does not fit"},
        Damage{"two_kinds_of_step", "{ check = \"output\",", "{ write = \"output\", check = \"output\",", "D022",
               "one of write, check, send and wait"},
        Damage{"make_safe_starts_late", "make_safe = [", "make_safe = [ { wait = \"10 ms\" },", "D023", "at once"},
        Damage{"make_safe_unchecked", "  { check = \"output\", is = false, within = \"100 ms\" },\n", "", "D023",
               "does not check"},
        Damage{"watchdog_without_timeout", "kind = \"none\"", "kind = \"fixed\"\nfed_by = \"any\"", "D050",
               "needs its timeout"},
        Damage{"watchdog_unfed", "kind = \"none\"", "kind = \"fixed\"\ntimeout = \"2 s\"", "D050", "nothing feeds"},
        Damage{"delay_too_long", "delay_after = \"5 ms\"", "delay_after = \"61 s\"", "D022", "between 0 and 60 s"},
        Damage{"response_timeout_too_long", "max_gap = 4", "max_gap = 4\nresponse_timeout = \"31 s\"", "D002",
               "between 0 and 30 s"},
        Damage{"bad_name", "description = \"example\"", "description = \"Example 1\"", "D001", "a-z"}),
    [](const auto& test) { return std::string{test.param.name}; });

TEST(Description, AllMistakesAreReportedAtOnce) {
  auto text = replaced(example(), "type = \"i16\"", "type = \"int16\"");
  text = replaced(text, "unit = \"mA\"", "unit = \"amp\"");
  text = replaced(text, "write = \"set_voltage\"", "write = \"set_volt\"");
  text = replaced(text, "off = \"open\"", "off = \"opne\"");
  text = replaced(text, "address = 5", "address = -5");
  const auto loaded = load(text);
  EXPECT_GE(loaded.diagnostics.error_count(), 5U) << loaded.diagnostics.render();
}

TEST(Description, LongestReadIsExact) {
  EXPECT_TRUE(
      load(replaced(replaced(example(), "length = 8", "length = 20"), "address = 10", "address = 12")).description);
  EXPECT_TRUE(
      load(replaced(replaced(replaced(example(), "max_read = 20", "max_read = 10"), "length = 8", "length = 20"),
                    "address = 0\ntype = \"ascii\"", "address = 30\ntype = \"ascii\""))
          .description);
  EXPECT_FALSE(
      load(replaced(replaced(replaced(example(), "max_read = 20", "max_read = 9"), "length = 8", "length = 20"),
                    "address = 0\ntype = \"ascii\"", "address = 30\ntype = \"ascii\""))
          .description);
}

TEST(Description, NotTomlAtAllIsOneError) {
  const auto loaded = load("[=3,2]\n");
  EXPECT_FALSE(loaded.description);
  EXPECT_EQ(loaded.diagnostics.error_count(), 1U);
}

}  // namespace
}  // namespace cyclerd::device
