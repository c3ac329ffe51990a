#include "daemon/ctl/description_view.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "protocols/device/library.hpp"

namespace cyclerd::ctl {
namespace {

using testing::HasSubstr;
using testing::Not;

std::shared_ptr<const device::Description> shipped(const std::string& name) {
  text::Diagnostics findings;
  const device::DescriptionLibrary library({CYCLERD_SOURCE_DIR "/protocols/devices"});
  auto description = library.find(name, {}, findings);
  EXPECT_NE(description, nullptr) << findings.render();
  return description;
}

TEST(Provenance, CountsEveryFactOnce) {
  const auto d = shipped("ea-psb-9000");
  const Provenance p = provenance_of(*d);
  EXPECT_EQ(static_cast<std::size_t>(p.unverified() + p.verified + p.own), d->items.size());
  EXPECT_GT(p.unverified(), 0);
  EXPECT_THAT(provenance_text(p), HasSubstr("unverified"));
}

TEST(Provenance, OfTheVirtualInstrumentsNothingIsUnverified) {
  const Provenance p = provenance_of(*shipped("virtual-cycler"));
  EXPECT_EQ(p.unverified(), 0);
  EXPECT_EQ(provenance_text(p), "nothing unverified");
}

TEST(Provenance, AFactThatSomebodySawIsVerifiedWhateverItsMark) {
  device::Description d;
  d.items.resize(3);
  d.items[0].mark = device::Mark::conflict;
  d.items[1].mark = device::Mark::unconfirmed;
  d.items[1].verified = "serial 1, 2026-05-02";
  d.items[2].mark = device::Mark::own;
  const Provenance p = provenance_of(d);
  EXPECT_EQ(p.conflict, 1);
  EXPECT_EQ(p.unconfirmed, 0);
  EXPECT_EQ(p.verified, 1);
  EXPECT_EQ(p.own, 1);
  EXPECT_EQ(provenance_text(p), "1 unverified: 1 C");
}

TEST(StepText, SaysWhatIsWrittenAndWhatIsReadBack) {
  const auto d = shipped("virtual-cycler");
  std::string all;
  for (const auto& step : d->sequence(device::SequenceId::charge)) all += step_text(*d, step) + "\n";
  EXPECT_THAT(all, HasSubstr("current_A"));
  EXPECT_THAT(all, HasSubstr("read"));
  EXPECT_THAT(all, HasSubstr("output"));
  std::string safe;
  for (const auto& step : d->sequence(device::SequenceId::make_safe)) safe += step_text(*d, step) + "\n";
  EXPECT_THAT(safe, HasSubstr("to off"));
  EXPECT_THAT(safe, HasSubstr("must be off"));
}

TEST(ValueText, HasAUnitWhereTheItemHasOne) {
  device::Item item;
  item.type = device::ValueType::f32;
  item.has_unit = true;
  item.dimension = text::dimension::kVoltage;
  EXPECT_EQ(value_text(item, 3.7), "3.7 V");
  EXPECT_EQ(value_text(item, base::kAbsent), "no value");
  item.has_unit = false;
  EXPECT_EQ(value_text(item, 17.0), "17");
  item.type = device::ValueType::boolean;
  EXPECT_EQ(value_text(item, 1.0), "on");
}

TEST(DescriptionPage, NamesEveryItemParameterAndSequence) {
  for (const char* name : {"ea-psb-9000", "virtual-chamber", "virtual-cycler"}) {
    const auto d = shipped(name);
    const std::string page = description_page(*d, 200, false);
    for (const auto& item : d->items) EXPECT_THAT(page, HasSubstr(item.name));
    for (const auto& parameter : d->parameters) EXPECT_THAT(page, HasSubstr(parameter.help));
    EXPECT_THAT(page, HasSubstr("make_safe"));
    EXPECT_THAT(page, Not(HasSubstr("\x1b")));
    const Json json = description_json(*d);
    EXPECT_EQ(json["items"].size(), d->items.size());
    EXPECT_EQ(json["sequences"].contains("make_safe"), true);
  }
}

}  // namespace
}  // namespace cyclerd::ctl
