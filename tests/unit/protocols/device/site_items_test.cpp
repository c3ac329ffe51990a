// What an item leaves open until the site or the instrument tells it: unit, address, polarity, bits of a read-back.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "protocols/device/host_ramp.hpp"
#include "protocols/device/item_scale.hpp"
#include "protocols/device/site.hpp"
#include "tests/unit/protocols/device/example.hpp"

namespace cyclerd::device {
namespace {

using namespace testing_support;

std::string with_items(const std::string& items, const std::string& site = "") {
  return replaced(replaced(example(), "[item.output]", items + "\n[item.output]"), "[modbus]", site + "\n[modbus]");
}

constexpr const char* kUnitRegister = R"([item.unit_register]
function = "holding"
address = 901
type = "u16"
mark = "own"
[item.air]
function = "holding"
address = 100
type = "i16"
scale = 0.1
unit = { by = "unit_register", is = { 0 = "degF", 1 = "degC" } }
access = "rw"
mark = "own"
)";

// Items by name, as an instrument holds them.
class FakeLink final : public ItemLink {
 public:
  explicit FakeLink(const Description& d) : d_(d) {}
  std::map<std::string, double> raw;
  int reads = 0;
  base::Status connect() override { return {}; }
  void close() noexcept override {}
  [[nodiscard]] bool is_connected() const noexcept override { return true; }
  [[nodiscard]] std::string_view name() const noexcept override { return "fake"; }
  base::Result<double> read_raw(int item) override {
    ++reads;
    return raw[d_.item(item).name];
  }
  base::Result<base::FixedText<48>> read_text(int) override { return base::FixedText<48>{""}; }
  base::Status write_raw(int, double) override { return {}; }
  base::Status send(int) override { return {}; }
  base::Status scan(base::MonoTime&, base::MonoTime&) override { return {}; }
  [[nodiscard]] double scanned(int) const noexcept override { return 0.0; }

 private:
  const Description& d_;
};

TEST(ItemUnitTest, ARegisterDecidesBetweenCelsiusAndFahrenheit) {
  const auto loaded = load(with_items(kUnitRegister));
  ASSERT_TRUE(loaded.description) << loaded.diagnostics.render();
  const Description& d = *loaded.description;
  const int air = d.find_item("air");
  FakeLink link(d);
  link.raw = {{"unit_register", 1}, {"nominal", 80}};
  ItemScale scale(d, default_site(d));
  EXPECT_TRUE(std::isnan(scale.to_SI(air, 250))) << "nothing is known before the instrument was asked";
  EXPECT_FALSE(scale.to_raw(air, 25.0, "x"));
  ASSERT_TRUE(scale.load_nominals(link));
  EXPECT_NEAR(scale.to_SI(air, 250), 25.0, 1e-12);
  link.raw["unit_register"] = 0;
  const auto changed = scale.confirm_units(link);
  ASSERT_FALSE(changed);
  EXPECT_EQ(changed.error().code, base::ErrorCode::mismatch);
  EXPECT_THAT(std::string{changed.error().detail.view()}, testing::HasSubstr("changed at the instrument"));
  ASSERT_TRUE(scale.load_nominals(link));
  EXPECT_NEAR(scale.to_SI(air, 770), 25.0, 1e-9);
  EXPECT_NEAR(scale.to_SI(air, -400), -40.0, 1e-9);
  EXPECT_EQ(scale.to_raw(air, 25.0, "x").value(), 770);
  EXPECT_EQ(scale.to_raw(air, 0.0, "x").value(), 320) << "zero degC is not raw zero";
  EXPECT_TRUE(scale.confirm_units(link));
  link.raw["unit_register"] = 2;
  EXPECT_FALSE(scale.load_nominals(link));
}

TEST(ItemUnitTest, ASiteParameterDecidesWhereTheInstrumentDoesNotTell) {
  const std::string items = R"([item.air]
function = "holding"
address = 100
type = "i16"
scale = 0.1
unit = "$temperature_unit"
mark = "own"
[item.slope]
function = "holding"
address = 102
type = "u16"
unit = { by = "$temperature_unit", is = { degC = "K/min", degF = "degF/min" } }
mark = "own"
)";
  const auto loaded =
      load(with_items(items, R"(temperature_unit = { default = "degC", values = ["degC", "degF"], help = "panel" })"));
  ASSERT_TRUE(loaded.description) << loaded.diagnostics.render();
  const Description& d = *loaded.description;
  SiteParameters site = default_site(d);
  EXPECT_NEAR(ItemScale(d, site).to_SI(d.find_item("air"), 250), 25.0, 1e-12);
  EXPECT_NEAR(ItemScale(d, site).to_SI(d.find_item("slope"), 6), 0.1, 1e-12);
  site.values[static_cast<std::size_t>(d.find_parameter("temperature_unit"))] = 1;
  EXPECT_NEAR(ItemScale(d, site).to_SI(d.find_item("air"), 770), 25.0, 1e-9);
  EXPECT_NEAR(ItemScale(d, site).to_SI(d.find_item("slope"), 108), 1.0, 1e-9) << "108 degF/min is 60 K/min";
}

TEST(SiteAddress, FollowsTheNumberThatTheSiteSays) {
  const std::string item = R"([item.run]
function = "holding"
address = { first = 2000, step = 10, number = "$run_output" }
type = "bool"
invert = "$run_at_0"
access = "rw"
mark = "own"
)";
  const std::string parameters =
      R"(run_output = { default = 1, min = 1, max = 8, required = true, help = "event output" }
run_at_0 = { default = false, help = "polarity" })";
  const auto loaded = load(with_items(item, parameters));
  ASSERT_TRUE(loaded.description) << loaded.diagnostics.render();
  const auto source = std::make_shared<const text::Source>(text::Source{"s.toml", "run_output = 3\nrun_at_0 = true\n"});
  text::Diagnostics diagnostics;
  const auto table = text::parse_toml(source, diagnostics);
  const SiteParameters site = bind_site(*loaded.description, &*table, diagnostics);
  EXPECT_FALSE(diagnostics.has_errors()) << diagnostics.render();
  const auto bound = at_site(loaded.description, site);
  const int run = bound->find_item("run");
  EXPECT_EQ(bound->item(run).address, 2020);
  const ItemScale scale(*bound, site);
  EXPECT_EQ(scale.switched(run, 1.0), 0.0);
  EXPECT_EQ(scale.switched(run, 0.0), 1.0);
  EXPECT_TRUE(scale.agrees(run, 0.0, 0.0, 0.0));
  EXPECT_FALSE(scale.agrees(run, 0.0, 1.0, 0.0));
  const ItemScale plain(*bound, default_site(*bound));
  EXPECT_EQ(plain.switched(run, 1.0), 1.0);
}

TEST(SiteAddress, WithoutADecisionNothingIsCopied) {
  const auto loaded = load(example());
  EXPECT_EQ(at_site(loaded.description, default_site(*loaded.description)), loaded.description);
}

TEST(SiteParameter, RequiredOnesMustBeSaid) {
  const auto loaded = load(
      replaced(example(), "[modbus]",
               "run_output = { default = 1, min = 1, max = 8, required = true, help = \"event output\" }\n[modbus]"));
  ASSERT_TRUE(loaded.description) << loaded.diagnostics.render();
  text::Diagnostics diagnostics;
  (void)bind_site(*loaded.description, nullptr, diagnostics);
  ASSERT_EQ(diagnostics.error_count(), 1U);
  EXPECT_EQ(diagnostics.all()[0].code, "D033");
  EXPECT_THAT(diagnostics.render(), testing::HasSubstr("event output"));
}

TEST(ReadBackMask, OtherBitsMayDiffer) {
  const std::string items = R"([item.operation]
function = "holding"
address = 300
type = "u16"
access = "w"
readback = { item = "operation_now", mask = 0x0002 }
mark = "own"
[item.operation_now]
function = "holding"
address = 310
type = "u16"
mark = "own"
)";
  const auto loaded = load(with_items(items));
  ASSERT_TRUE(loaded.description) << loaded.diagnostics.render();
  const Description& d = *loaded.description;
  const ItemScale scale(d, default_site(d));
  const int operation = d.find_item("operation");
  EXPECT_TRUE(scale.agrees(operation, 3, 0x43, 0.0));
  EXPECT_TRUE(scale.agrees(operation, 3, 2, 0.0));
  EXPECT_FALSE(scale.agrees(operation, 3, 1, 0.0));
}

struct Wrong {
  const char* name;
  const char* from;
  const char* to;
  const char* code;
};
void PrintTo(const Wrong& wrong, std::ostream* out) {
  *out << wrong.name;
}
class WrongSiteItem : public testing::TestWithParam<Wrong> {};

TEST_P(WrongSiteItem, IsRefused) {
  const auto loaded =
      load(replaced(with_items(kUnitRegister, "many = { default = 1, min = 0, max = 9000, help = \"x\" }"),
                    GetParam().from, GetParam().to));
  EXPECT_FALSE(loaded.description);
  EXPECT_THAT(loaded.diagnostics.render(), testing::HasSubstr(GetParam().code));
}

INSTANTIATE_TEST_SUITE_P(
    All, WrongSiteItem,
    testing::Values(
        Wrong{"unit_word", "\"degF\"", "\"degX\"", "D017"}, Wrong{"two_dimensions", "\"degF\"", "\"V\"", "D025"},
        Wrong{"no_number", "0 = \"degF\"", "cold = \"degF\"", "D017"},
        Wrong{"one_choice", "0 = \"degF\", ", "", "D017"},
        Wrong{"no_such_item", "by = \"unit_register\"", "by = \"unit_registr\"", "D010"},
        Wrong{"no_words", "by = \"unit_register\"", "by = \"$timeout\"", "D031"},
        Wrong{"unit_kind", "unit = { by", "unit = 5 #", "D017"},
        Wrong{"counts_from_zero", "address = 901", "address = { first = 901, step = 1, number = \"$many\" }", "D031"},
        Wrong{"no_parameter", "address = 901", "address = { first = 901, step = 1, number = \"$other\" }", "D031"},
        Wrong{"inverted_number", "address = 901", "address = 901\ninvert = true", "D018"},
        Wrong{"mask_of_a_temperature", "address = 100", "address = 100\nreadback = { item = \"air\", mask = 1 }",
              "D041"}),
    [](const auto& test) { return std::string{test.param.name}; });

TEST(HostRampTest, WritesEveryFewSecondsAndEndsOnTheTarget) {
  HostRamp ramp;
  EXPECT_FALSE(ramp.due({100'000'000}));
  const base::MonoTime start{1'000'000};
  ramp.begin(25.0, 24.0, 0.05, start);
  EXPECT_FALSE(ramp.due(start + HostRamp::kPeriod - base::microseconds(1)));
  EXPECT_NEAR(ramp.due(start + HostRamp::kPeriod).value(), 24.75, 1e-9);
  EXPECT_FALSE(ramp.due(start + base::seconds(6)));
  EXPECT_NEAR(ramp.at(start + base::seconds(10)), 24.5, 1e-9);
  EXPECT_EQ(ramp.due(start + base::seconds(60)).value(), 24.0);
  EXPECT_FALSE(ramp.active());
  EXPECT_FALSE(ramp.due(start + base::seconds(120)));
}

}  // namespace
}  // namespace cyclerd::device
