#include "profiles/exchange/profile_text.hpp"

#include <gtest/gtest.h>

#include "profiles/compile.hpp"

namespace cyclerd::exchange {
namespace {

StepText step(std::string control, std::string arguments, std::vector<ConditionText> until) {
  StepText made;
  made.control = std::move(control);
  made.arguments = std::move(arguments);
  made.until = std::move(until);
  return made;
}

TEST(ProfileText, parses_whatever_the_foreign_names_are) {
  ProfileText profile;
  profile.name = "Häßlich \"Test\" #1";
  profile.comment = "from a file\nwith two lines\x01";
  profile.title = "tab\there \"quoted\" \\";
  StepText loop = step("repeat", InlineTable().raw("count", "3").str(), {{"cycle > 2", "", "", ""}});
  loop.name = valid_step_name("1st: charge");
  loop.steps.push_back(step("charge", InlineTable().text("current", quantity(0.5, "C")).str(),
                            {{"voltage >= 4.2 V", "", "1 s", "a\nb"}, {"time >= 4 h", "fail", "", ""}}));
  loop.steps.push_back(step("rest", "", {{"time >= 1 h", "", "", ""}}));
  loop.steps.push_back(step("advance_cycle", "", {}));
  profile.steps.push_back(loop);
  const auto source = std::make_shared<const text::Source>(text::Source{"made.toml", to_toml(profile)});
  text::Diagnostics findings;
  profiles::check_profile(source, findings);
  EXPECT_FALSE(findings.has_errors()) << findings.render() << source->text;
}

TEST(ProfileText, names_become_valid) {
  EXPECT_EQ(valid_step_name("1st: charge"), "step_1st_charge");
  EXPECT_EQ(valid_step_name("voltage"), "step_voltage");
  EXPECT_EQ(valid_step_name("\xC3\xA4"), "step");
  EXPECT_EQ(valid_profile_name("a b.000"), "a_b.000");
  EXPECT_EQ(valid_profile_name("//"), "imported");
}

TEST(ProfileText, a_number_reads_back_as_itself) {
  EXPECT_EQ(quantity(0.05, "C"), "0.05 C");
  EXPECT_EQ(quantity(0.1 + 0.2, "A"), "0.30000000000000004 A");
}

}  // namespace
}  // namespace cyclerd::exchange
