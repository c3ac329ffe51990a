// Scales that the instrument itself decides: Q formats, decimals, the model, a live range; and signs of their own.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "protocols/device/item_scale.hpp"
#include "protocols/device/scan_plan.hpp"
#include "protocols/device/scripted_device.hpp"
#include "tests/unit/protocols/device/example.hpp"

namespace cyclerd::device {
namespace {

using namespace testing_support;
using base::ErrorCode;
using testing::HasSubstr;

// Raw numbers by item, as an instrument would hold them.
class PlainLink final : public ItemLink {
 public:
  explicit PlainLink(std::shared_ptr<const Description> d) : d_(std::move(d)) {}
  double& operator[](const char* name) { return raw_[d_->find_item(name)]; }
  std::vector<std::pair<std::string, double>> writes;
  int reads = 0;

  base::Status connect() override { return {}; }
  void close() noexcept override {}
  [[nodiscard]] bool is_connected() const noexcept override { return true; }
  [[nodiscard]] std::string_view name() const noexcept override { return "plain"; }
  base::Result<double> read_raw(int item) override {
    ++reads;
    return raw_[item];
  }
  base::Result<base::FixedText<48>> read_text(int) override { return base::FixedText<48>{"EX1"}; }
  base::Status write_raw(int item, double raw) override {
    writes.emplace_back(d_->item(item).name, raw);
    raw_[item] = raw;
    return {};
  }
  base::Status send(int) override { return {}; }
  base::Status scan(base::MonoTime&, base::MonoTime&) override {
    scanned_ = raw_;
    return {};
  }
  [[nodiscard]] double scanned(int item) const noexcept override {
    const auto at = scanned_.find(item);
    return at == scanned_.end() ? NAN : at->second;
  }

 private:
  std::shared_ptr<const Description> d_;
  std::map<int, double> raw_;
  std::map<int, double> scanned_;
};

// The example with other scales for voltage (input 1) and set_current (holding 21, in mA), and two items more.
std::string scaled(const std::string& voltage, const std::string& set_current = "scale = 0.1") {
  std::string text =
      replaced(example(), "address = 1\ntype = \"u16\"\nscale = 0.01", "address = 1\ntype = \"u16\"\n" + voltage);
  text = replaced(text, "scale = 0.1\n", set_current + "\n");
  return replaced(text, "[measure]\n",
                  "[item.model_id]\nfunction = \"holding\"\naddress = 30\ntype = \"u16\"\nmark = \"own\"\n"
                  "[item.range]\nfunction = \"input\"\naddress = 3\ntype = \"u16\"\nmark = \"own\"\n\n[measure]\n");
}

struct Ready {
  std::shared_ptr<const Description> description;
  std::unique_ptr<PlainLink> link;
  std::unique_ptr<ItemScale> scale;
  int item(const char* name) const { return description->find_item(name); }
};

Ready ready(const std::string& text) {
  auto loaded = load(text);
  if (!loaded.description) throw std::logic_error(loaded.diagnostics.render());
  Ready r;
  r.description = loaded.description;
  r.link = std::make_unique<PlainLink>(r.description);
  (*r.link)["nominal"] = 80;
  r.scale = std::make_unique<ItemScale>(*r.description, default_site(*r.description));
  return r;
}

TEST(Scale, QFormatIsAPowerOfTwo) {
  auto r = ready(replaced(scaled("scale = { q = 10 }"), "address = 1\ntype = \"u16\"", "address = 5\ntype = \"i32\""));
  ASSERT_TRUE(r.scale->load_nominals(*r.link));
  EXPECT_DOUBLE_EQ(r.scale->to_SI(r.item("voltage"), 1024), 1.0);
  EXPECT_DOUBLE_EQ(r.scale->to_SI(r.item("voltage"), -1), -1.0 / 1024);
  EXPECT_EQ(r.scale->to_raw(r.item("voltage"), -3.5, "x").value(), -3584);
  auto fine = ready(scaled("scale = { q = 21 }"));
  EXPECT_DOUBLE_EQ(fine.scale->to_SI(fine.item("voltage"), 1 << 21), 1.0);
}

TEST(Scale, DecimalsAreReadFromTheInstrument) {
  // 10^-decimals, not 1 / (10 * decimals), which is right for 0 and 1 only.
  for (const auto& [decimals, factor] : {std::pair{0.0, 1.0}, {1.0, 0.1}, {2.0, 0.01}, {3.0, 0.001}, {9.0, 1e-9}}) {
    auto r = ready(scaled("scale = { decimals = \"model_id\" }"));
    (*r.link)["model_id"] = decimals;
    EXPECT_TRUE(std::isnan(r.scale->to_SI(r.item("voltage"), 250))) << "nothing is known before it was read";
    ASSERT_TRUE(r.scale->load_nominals(*r.link));
    EXPECT_DOUBLE_EQ(r.scale->to_SI(r.item("voltage"), 250), 250 * factor);
  }
  for (const double bad : {10.0, -1.0, 65535.0}) {
    auto r = ready(scaled("scale = { decimals = \"model_id\" }"));
    (*r.link)["model_id"] = bad;
    const auto done = r.scale->load_nominals(*r.link);
    ASSERT_FALSE(done) << bad;
    EXPECT_EQ(done.error().code, ErrorCode::mismatch);
    EXPECT_THAT(done.error().text(), HasSubstr("no number of decimals"));
  }
}

TEST(Scale, DecimalsThatSomebodyChangedAreNoticed) {
  auto r = ready(scaled("scale = { decimals = \"model_id\" }"));
  (*r.link)["model_id"] = 1;
  ASSERT_TRUE(r.scale->load_nominals(*r.link));
  EXPECT_TRUE(r.scale->confirm_units(*r.link));
  (*r.link)["model_id"] = 2;
  const auto done = r.scale->confirm_units(*r.link);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ErrorCode::mismatch);
  EXPECT_THAT(done.error().text(), HasSubstr("decimals of voltage were changed"));
}

const char* const kTable =
    "scale = { by = \"model_id\", range_by = \"range\", table = [ { is = [60060, 60064], scale = 0.001 },"
    " { is = 60065, scale = 0.0001 }, { is = [60125, 60129], range = 0, scale = 0.01 },"
    " { is = [60125, 60129], range = 1, scale = 0.1 } ] }";

TEST(Scale, TheModelChoosesTheRow) {
  for (const auto& [model, factor] :
       {std::pair{60060.0, 1e-3}, {60064.0, 1e-3}, {60065.0, 1e-4}, {60125.0, 1e-2}, {60129.0, 1e-2}}) {
    auto r = ready(scaled(kTable));
    (*r.link)["model_id"] = model;
    ASSERT_TRUE(r.scale->load_nominals(*r.link)) << model;
    EXPECT_DOUBLE_EQ(r.scale->to_SI(r.item("voltage"), 1), factor) << model;
  }
  for (const double stranger : {60059.0, 60066.0, 60124.0, 60130.0, 0.0}) {
    auto r = ready(scaled(kTable));
    (*r.link)["model_id"] = stranger;
    const auto done = r.scale->load_nominals(*r.link);
    ASSERT_FALSE(done) << stranger;
    EXPECT_THAT(done.error().text(), HasSubstr("this model is not described"));
  }
}

TEST(Scale, TheLiveRangeFollowsTheScanAndOnlyWhereTheModelHasOne) {
  auto r = ready(scaled(kTable));
  (*r.link)["model_id"] = 60125;
  ASSERT_TRUE(r.scale->load_nominals(*r.link));
  base::MonoTime t;
  const auto scan_in = [&](double range) {
    (*r.link)["range"] = range;
    (void)r.link->scan(t, t);
    r.scale->follow_ranges(*r.link);
    return r.scale->to_SI(r.item("voltage"), 100);
  };
  EXPECT_DOUBLE_EQ(scan_in(0), 1.0);
  EXPECT_DOUBLE_EQ(scan_in(1), 10.0);
  EXPECT_TRUE(std::isnan(scan_in(2))) << "a range that is not described gives no value";
  EXPECT_THAT(r.scale->to_raw(r.item("voltage"), 1.0, "x").error().text(), HasSubstr("scale is not known"));
  EXPECT_DOUBLE_EQ(scan_in(0), 1.0);
  auto other = ready(scaled(kTable));
  (*other.link)["model_id"] = 60060;
  (*other.link)["range"] = 7;  // means nothing on this model
  ASSERT_TRUE(other.scale->load_nominals(*other.link));
  (void)other.link->scan(t, t);
  other.scale->follow_ranges(*other.link);
  EXPECT_DOUBLE_EQ(other.scale->to_SI(other.item("voltage"), 1000), 1.0);
}

TEST(Scale, TheRangeIsPartOfEveryScan) {
  const auto loaded =
      load(scaled("scale = 0.01", "scale = { range_by = \"range\", table = [ { range = 0, scale = 1 } ] }"));
  ASSERT_TRUE(loaded.description) << loaded.diagnostics.render();
  const auto plan = plan_scan(*loaded.description);
  EXPECT_GE(plan.offsets[static_cast<std::size_t>(loaded.description->find_item("range"))], 0);
}

// A range that was switched at the panel since the last scan would make a set-point ten times too large.
TEST(Scale, TheRangeIsAskedBeforeASetPointIsWritten) {
  auto r = ready(scaled("scale = 0.01",
                        "scale = { range_by = \"range\", table = [ { range = 0, scale = 0.1 },"
                        " { range = 1, scale = 1 } ] }"));
  PlainLink& link = *r.link;
  base::SystemClock clock;
  const auto device = make_scripted_device(r.description, default_site(*r.description), std::move(r.link), clock);
  link["range"] = 0;
  const auto opened = device->open();
  ASSERT_TRUE(opened) << opened.error().text();
  link["range"] = 1;
  link.writes.clear();
  base::Setpoint s;
  s.control = base::Control::current;
  s.current_A = 0.5;  // 500 mA
  s.voltage_max_V = 4.0;
  s.voltage_min_V = base::kAbsent;
  ASSERT_TRUE(device->apply(s));
  EXPECT_THAT(link.writes, testing::Contains(testing::Pair("set_current", 500)));
}

TEST(Scale, ASignMayBeARegisterOfItsOwn) {
  auto r = ready(replaced(scaled("scale = 0.01"), "negative_when = { item = \"state\", bit = 3 }",
                          "sign = { item = \"range\", negative = 1 }"));
  PlainLink& link = *r.link;
  base::SystemClock clock;
  const auto device = make_scripted_device(r.description, default_site(*r.description), std::move(r.link), clock);
  ASSERT_TRUE(device->open());
  link["current"] = 150;
  link["state"] = 0;
  for (const auto& [sign, current_A] : {std::pair{0.0, 1.5}, {1.0, -1.5}, {2.0, 1.5}, {3.0, 1.5}}) {
    link["range"] = sign;
    base::Reading reading;
    ASSERT_TRUE(device->read(reading));
    EXPECT_DOUBLE_EQ(reading.current_A, current_A) << sign;
  }
}

struct Wrong {
  const char* name;
  std::string text;
  const char* code;
  const char* says;
};
void PrintTo(const Wrong& wrong, std::ostream* out) {
  *out << wrong.name;
}
class WrongScale : public testing::TestWithParam<Wrong> {};

TEST_P(WrongScale, IsRefusedWithTheReason) {
  const auto loaded = load(GetParam().text);
  EXPECT_FALSE(loaded.description);
  bool found = false;
  for (const auto& d : loaded.diagnostics.all())
    found = found || (d.code == GetParam().code && d.message.find(GetParam().says) != std::string::npos);
  EXPECT_TRUE(found) << loaded.diagnostics.render();
}

std::string table(const std::string& rows) {
  return scaled("scale = { by = \"model_id\", range_by = \"range\", table = [" + rows + "] }");
}

INSTANTIATE_TEST_SUITE_P(
    All, WrongScale,
    testing::Values(
        Wrong{"q_zero", scaled("scale = { q = 0 }"), "T013", "1"},
        Wrong{"q_32", scaled("scale = { q = 32 }"), "T013", "31"},
        Wrong{"words", scaled("scale = \"0.01\""), "T011", "number or a table"},
        Wrong{"decimals_of_nobody", scaled("scale = { decimals = \"decimal\" }"), "D010", "no item 'decimal'"},
        Wrong{"decimals_are_text", scaled("scale = { decimals = \"model\" }"), "D072", "no plain number"},
        Wrong{"decimals_are_scaled", scaled("scale = { decimals = \"set_voltage\" }"), "D072", "no plain number"},
        Wrong{"no_rows", table(""), "D072", "list of rows"},
        Wrong{"row_without_is", table("{ scale = 1 }"), "T010", "is"},
        Wrong{"row_without_scale", table("{ is = 1 }"), "T010", "scale"},
        Wrong{"row_of_zero", table("{ is = 1, scale = 0 }"), "D019", "zero"},
        Wrong{"is_reversed", table("{ is = [2, 1], scale = 1 }"), "D072", "[lowest, highest]"},
        Wrong{"rows_that_touch", table("{ is = [1, 5], scale = 1 }, { is = [5, 9], scale = 2 }"), "D072",
              "fit the same instrument"},
        Wrong{"range_beside_any", table("{ is = 1, scale = 1 }, { is = 1, range = 0, scale = 2 }"), "D072",
              "fit the same instrument"},
        Wrong{"two_signs",
              replaced(scaled("scale = 0.01"), "negative_when = {",
                       "sign = { item = \"range\", negative = 1 }\nnegative_when = {"),
              "D018", "one sign"},
        Wrong{"sign_of_what_is_written",
              scaled("scale = 0.01", "scale = 0.1\nsign = { item = \"range\", negative = 1 }"), "D018",
              "its sign stands elsewhere"}),
    [](const auto& param) { return std::string(param.param.name); });

TEST(Scale, RowsThatOnlyTheRangeTellsApartAreNoFinding) {
  const auto loaded =
      load(table("{ is = [1, 5], range = 0, scale = 1 }, { is = [5, 9], range = 1, scale = 2 },"
                 "{ is = 10, scale = 3 }"));
  EXPECT_TRUE(loaded.description) << loaded.diagnostics.render();
}

}  // namespace
}  // namespace cyclerd::device
