// Every shipped description file is held to the same contract.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "protocols/device/library.hpp"
#include "protocols/device/scan_plan.hpp"
#include "protocols/modbus/modbus_device.hpp"
#include "protocols/scpi/text_device.hpp"

namespace cyclerd::device {
namespace {

DescriptionLibrary library() {
  return DescriptionLibrary({CYCLERD_SOURCE_DIR "/protocols/devices"});
}

// Over TCP, whatever the dialect.
std::unique_ptr<Device> device_at(const std::shared_ptr<const Description>& d, std::uint16_t port, base::Clock& clock) {
  if (d->dialect == Dialect::text)
    return scpi::make_text_device(d, scpi::make_tcp_text_line("127.0.0.1", port, clock), {}, default_site(*d), clock);
  modbus::ModbusTcpEndpoint endpoint;
  endpoint.port = port;
  return modbus::make_modbus_device(d, endpoint, default_site(*d), clock);
}

class ShippedDescription : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    text::Diagnostics diagnostics;
    d_ = library().find(GetParam(), {}, diagnostics);
    ASSERT_TRUE(d_) << diagnostics.render();
    EXPECT_EQ(diagnostics.warning_count(), 0U) << diagnostics.render();
  }
  std::shared_ptr<const Description> d_;
};

TEST_P(ShippedDescription, KindHasItsSequences) {
  std::set<SequenceId> cycler{SequenceId::connect, SequenceId::charge,    SequenceId::discharge, SequenceId::rest,
                              SequenceId::off,     SequenceId::make_safe, SequenceId::protect,   SequenceId::voltage};
  // Half a cycler offers what its one direction has.
  if (d_->capability.topology == Topology::source)
    cycler = {SequenceId::connect, SequenceId::charge, SequenceId::rest, SequenceId::off, SequenceId::make_safe};
  if (d_->capability.topology == Topology::sink)
    cycler = {SequenceId::connect, SequenceId::discharge, SequenceId::rest, SequenceId::off, SequenceId::make_safe};
  const std::set<SequenceId> chamber{SequenceId::connect, SequenceId::condition, SequenceId::off,
                                     SequenceId::make_safe};
  if (d_->kind == DeviceKind::sensor) GTEST_SKIP();
  for (const auto id : d_->kind == DeviceKind::cycler ? cycler : chamber)
    EXPECT_TRUE(d_->has(id)) << static_cast<int>(id);
}

TEST_P(ShippedDescription, ConnectAndMakeSafeLeaveTheOutputOff) {
  if (d_->kind == DeviceKind::sensor) GTEST_SKIP();
  const Sequence& safe = d_->sequence(SequenceId::make_safe);
  ASSERT_FALSE(safe.empty());
  const int output = safe.front().item;
  bool first_write_is_off = false;
  for (const Step& step : d_->sequence(SequenceId::connect)) {
    if (step.kind != Step::Kind::write) continue;
    first_write_is_off = step.item == output && step.verify;
    break;
  }
  EXPECT_TRUE(first_write_is_off) << "the first write of 'connect' must switch the output off and verify it";
  for (const auto id : {SequenceId::charge, SequenceId::discharge, SequenceId::voltage, SequenceId::condition}) {
    if (d_->has(id)) {
      EXPECT_EQ(d_->sequence(id).back().item, output) << "the output is the last thing that is switched";
    }
  }
}

TEST_P(ShippedDescription, EverySetPointIsReadBack) {
  for (const auto id : {SequenceId::charge, SequenceId::discharge, SequenceId::voltage, SequenceId::power_charge,
                        SequenceId::power_discharge, SequenceId::protect, SequenceId::condition, SequenceId::rest}) {
    for (const Step& step : d_->sequence(id)) {
      if (step.kind == Step::Kind::write) {
        EXPECT_TRUE(step.verify) << d_->item(step.item).name;
      }
    }
  }
}

TEST_P(ShippedDescription, FactsSayWhereTheyComeFrom) {
  for (const Item& item : d_->items) EXPECT_TRUE(item.mark == Mark::own || !item.source.empty()) << item.name;
}

TEST_P(ShippedDescription, SiteDefaultsLieInTheirRanges) {
  for (const Parameter& p : d_->parameters) {
    EXPECT_LE(p.min, p.standard) << p.name;
    EXPECT_GE(p.max, p.standard) << p.name;
    EXPECT_FALSE(p.help.empty()) << p.name;
  }
}

TEST_P(ShippedDescription, ScanIsShortAndMeasuresInOneBlock) {
  const ScanPlan plan = plan_scan(*d_);
  // A chamber is slow: what it says of itself may lie scattered. Lines of text carry one question each.
  const bool text = d_->dialect == Dialect::text;
  EXPECT_LE(plan.blocks.size(), d_->kind == DeviceKind::chamber || text ? 8U : 2U);
  if (d_->dialect != Dialect::modbus) return;  // registers alone lie in blocks
  const ScanBlock& main = plan.blocks.at(plan.main_block);
  for (const int item : {d_->measure.voltage, d_->measure.current, d_->measure.power}) {
    if (item == kNone) continue;
    const auto at = static_cast<std::uint32_t>(plan.offsets[static_cast<std::size_t>(item)]);
    EXPECT_TRUE(at >= main.offset && at < main.offset + main.count)
        << d_->item(item).name << " is read at another moment than the rest";
    const int sign = d_->item(item).sign_item;
    if (sign == kNone) continue;
    const auto sign_at = static_cast<std::uint32_t>(plan.offsets[static_cast<std::size_t>(sign)]);
    EXPECT_TRUE(sign_at >= main.offset && sign_at < main.offset + main.count) << "the sign must be read with its value";
  }
}

TEST_P(ShippedDescription, CapabilityKnownBeforeOpeningIsSane) {
  base::SystemClock clock;
  const auto device = device_at(d_, 1, clock);
  const Capability& c = device->capability();
  EXPECT_EQ(c.kind, d_->kind);
  if (c.off_means == OffMeans::unknown && d_->kind != DeviceKind::sensor) {
    EXPECT_NE(d_->source->text.find("what off leaves at the terminals"), std::string::npos)
        << "a schedule must know it, or the head of the file say that nobody does";
  }
  EXPECT_GT(c.min_scan.us, 0);
  if (c.watchdog != WatchdogKind::none) {
    EXPECT_GT(c.watchdog_timeout.us, 0);
  }
  EXPECT_FALSE(device->is_open());
}

TEST_P(ShippedDescription, NobodyThereIsAnErrorWithTheAddress) {
  base::SystemClock clock;
  const auto device = device_at(d_, 1, clock);
  for (const auto& done : {device->open(), device->make_safe()}) {
    ASSERT_FALSE(done);
    EXPECT_THAT(done.error().text(), testing::HasSubstr("127.0.0.1:1"));
  }
  base::Reading reading;
  EXPECT_FALSE(device->read(reading));
  EXPECT_FALSE(device->apply(base::Setpoint{}));
}

INSTANTIATE_TEST_SUITE_P(All, ShippedDescription, testing::ValuesIn(library().names()), [](const auto& test) {
  std::string name = test.param;
  for (char& c : name) c = c == '-' ? '_' : c;
  return name;
});

TEST(Shipped, ThereAreDescriptions) {
  EXPECT_GE(library().names().size(), 3U);
}

}  // namespace
}  // namespace cyclerd::device
