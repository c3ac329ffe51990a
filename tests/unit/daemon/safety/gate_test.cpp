#include "daemon/safety/gate.hpp"

#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include <gmock/gmock.h>

namespace cyclerd::safety {
namespace {

using base::Command;
using base::Control;
using base::Setpoint;
using testing::HasSubstr;

device::Capability cycler() {
  device::Capability c;
  c.kind = device::DeviceKind::cycler;
  c.can_charge = c.can_discharge = c.can_power = 1;
  c.voltage_min_V = 0.0;
  c.voltage_max_V = 10.0;
  c.current_max_A = 20.0;
  c.current_min_A = -30.0;
  c.power_max_W = 100.0;
  c.power_min_W = -150.0;
  return c;
}

device::Capability chamber() {
  device::Capability c;
  c.kind = device::DeviceKind::chamber;
  c.temperature_min_degC = -40.0;
  c.temperature_max_degC = 100.0;
  return c;
}

Command command(const Setpoint& s) {
  Command c;
  c.setpoint = s;
  return c;
}
Command command(const base::ChamberSetpoint& s) {
  Command c;
  c.kind = Command::Kind::chamber;
  c.chamber = s;
  return c;
}

// Set-points well inside everything, one for each way of control.
Setpoint charge() {
  return {.control = Control::current, .current_A = 1.0, .voltage_max_V = 4.0, .voltage_min_V = 3.0};
}
Setpoint discharge() {
  return {.control = Control::current, .current_A = -1.0, .voltage_max_V = 4.0, .voltage_min_V = 3.0};
}
Setpoint hold() {
  return {.control = Control::voltage,
          .voltage_V = 3.7,
          .voltage_max_V = 4.0,
          .voltage_min_V = 3.0,
          .current_max_A = 1.0,
          .current_min_A = -1.0};
}
Setpoint power(double power_W) {
  return {.control = Control::power,
          .power_W = power_W,
          .voltage_max_V = 4.0,
          .voltage_min_V = 3.0,
          .current_max_A = 1.0,
          .current_min_A = -1.0};
}
Setpoint resistor() {
  return {.control = Control::resistance,
          .resistance_Ohm = 2.0,
          .voltage_max_V = 4.0,
          .voltage_min_V = 3.0,
          .current_max_A = 1.0,
          .current_min_A = -1.0};
}
base::ChamberSetpoint warm() {
  return {.run = 1, .temperature_degC = 25.0};
}

bool passes(const Command& c, const LimitTable& limits = {}, const device::Capability& capability = cycler()) {
  const Decision d = admit(c, 0, limits, capability);
  EXPECT_EQ(d.allowed, d.words.empty()) << "words exactly when refused";
  return d.allowed;
}

// One number of a command and the bounds that hold it.
struct Bounded {
  std::string name;
  std::function<Command(double)> with;
  Cause cause;        // of the limit table
  double capability;  // bound of the instrument
  bool is_chamber = false;
};

template <class Make>
std::function<Command(double)> set(Make make, double Setpoint::*field) {
  return [=](double value) {
    Setpoint s = make();
    s.*field = value;
    return command(s);
  };
}

std::vector<Bounded> bounded() {
  const auto charging_power = [] { return power(5.0); };
  const auto discharging_power = [] { return power(-5.0); };
  std::vector<Bounded> list{
      {"charge_current", set(charge, &Setpoint::current_A), Cause::charge_current_high, 20.0},
      {"discharge_current", set(discharge, &Setpoint::current_A), Cause::discharge_current_high, -30.0},
      {"charge_end", set(charge, &Setpoint::voltage_max_V), Cause::voltage_high, 10.0},
      {"charge_end_low", set(charge, &Setpoint::voltage_max_V), Cause::voltage_low, 0.0},
      {"discharge_end", set(discharge, &Setpoint::voltage_min_V), Cause::voltage_low, 0.0},
      {"discharge_end_high", set(discharge, &Setpoint::voltage_min_V), Cause::voltage_high, 10.0},
      {"hold_high", set(hold, &Setpoint::voltage_V), Cause::voltage_high, 10.0},
      {"hold_low", set(hold, &Setpoint::voltage_V), Cause::voltage_low, 0.0},
      {"charge_power", set(charging_power, &Setpoint::power_W), Cause::power_high, 100.0},
      {"discharge_power", set(discharging_power, &Setpoint::power_W), Cause::power_low, -150.0},
      {"charge_power_end", set(charging_power, &Setpoint::voltage_max_V), Cause::voltage_high, 10.0},
      {"discharge_power_end", set(discharging_power, &Setpoint::voltage_min_V), Cause::voltage_low, 0.0},
      {"resistance_end", set(resistor, &Setpoint::voltage_min_V), Cause::voltage_low, 0.0},
  };
  const std::pair<std::string, std::function<Setpoint()>> clamped[] = {
      {"hold", hold}, {"power", charging_power}, {"resistance", resistor}};
  for (const auto& [name, make] : clamped) {
    list.push_back({name + "_charge_clamp", set(make, &Setpoint::current_max_A), Cause::charge_current_high, 20.0});
    list.push_back(
        {name + "_discharge_clamp", set(make, &Setpoint::current_min_A), Cause::discharge_current_high, -30.0});
  }
  const auto air = [](double value) {
    base::ChamberSetpoint s = warm();
    s.temperature_degC = value;
    return command(s);
  };
  list.push_back({"chamber_high", air, Cause::chamber_high, 100.0, true});
  list.push_back({"chamber_low", air, Cause::chamber_low, -40.0, true});
  return list;
}

class EveryBound : public testing::TestWithParam<Bounded> {
 protected:
  void expect_bound(double bound, const LimitTable& limits, const std::string& whose) {
    const Bounded& b = GetParam();
    const device::Capability c = b.is_chamber ? chamber() : cycler();
    const double infinity = std::numeric_limits<double>::infinity();
    const double out = describe(b.cause).side == Side::upper ? infinity : -infinity;
    EXPECT_TRUE(passes(b.with(std::nextafter(bound, -out)), limits, c)) << "just inside";
    EXPECT_TRUE(passes(b.with(bound), limits, c)) << "at the bound";
    const Decision d = admit(b.with(std::nextafter(bound, out)), 0, limits, c);
    EXPECT_FALSE(d.allowed) << "just beyond";
    EXPECT_THAT(std::string{d.words.view()}, HasSubstr(whose));
    EXPECT_THAT(std::string{d.words.view()}, HasSubstr(describe(b.cause).unit.data()));
  }
};

TEST_P(EveryBound, OfTheInstrumentIsAllowedAndNothingBeyond) {
  expect_bound(GetParam().capability, {}, "the instrument's");
}

TEST_P(EveryBound, OfTheTableIsAllowedAndNothingBeyondWhateverItsDwell) {
  const Bounded& b = GetParam();
  const double examples[] = {0.0, 4.25, 2.5, 2.0, -3.0, 8.0, -9.0, 0.0, 0.0, 60.0, -10.0};
  const double bound = examples[static_cast<std::size_t>(b.cause)];
  LimitTable limits;
  limits.tighten(b.cause, bound, base::hours(1));
  expect_bound(bound, limits, std::string{to_string(b.cause)});
}

INSTANTIATE_TEST_SUITE_P(Table, EveryBound, testing::ValuesIn(bounded()),
                         [](const auto& suite) { return suite.param.name; });

TEST(Gate, AfterATripOnlyRestAndMakeSafePass) {
  const auto latched = static_cast<std::uint32_t>(Cause::voltage_high);
  for (const Setpoint& s : {charge(), discharge(), hold(), power(5.0), resistor()}) {
    const Decision d = admit(command(s), latched, {}, cycler());
    EXPECT_FALSE(d.allowed);
    EXPECT_THAT(std::string{d.words.view()}, HasSubstr("the cell voltage is above its limit"));
    EXPECT_THAT(std::string{d.words.view()}, HasSubstr("acknowledge"));
  }
  EXPECT_FALSE(admit(command(warm()), latched, {}, chamber()).allowed);
  Command safe;
  safe.kind = Command::Kind::make_safe;
  EXPECT_TRUE(admit(safe, latched, {}, cycler()).allowed);
  EXPECT_TRUE(admit(command(Setpoint{}), latched, {}, cycler()).allowed);
  EXPECT_TRUE(admit(command(base::ChamberSetpoint{}), latched, {}, chamber()).allowed);
}

TEST(Gate, EveryCauseLatches) {
  for (std::uint32_t cause = 1; cause < kCauseCount + 2; ++cause) {
    EXPECT_FALSE(admit(command(charge()), cause, {}, cycler()).allowed) << cause;
  }
}

TEST(Gate, EveryWayOfControlInsideItsBoundsPasses) {
  for (const Setpoint& s : {charge(), discharge(), hold(), power(5.0), power(-5.0), resistor(), Setpoint{}}) {
    EXPECT_TRUE(passes(command(s)));
  }
  EXPECT_TRUE(passes(command(warm()), {}, chamber()));
}

TEST(Gate, ANumberThatIsNotFiniteIsRefusedInEveryField) {
  double Setpoint::*const fields[] = {&Setpoint::current_A,      &Setpoint::voltage_V,     &Setpoint::power_W,
                                      &Setpoint::resistance_Ohm, &Setpoint::voltage_max_V, &Setpoint::voltage_min_V,
                                      &Setpoint::current_max_A,  &Setpoint::current_min_A};
  const double infinity = std::numeric_limits<double>::infinity();
  for (const double bad : {base::kAbsent, infinity, -infinity}) {
    for (auto field : fields) {
      Setpoint s = charge();
      s.*field = bad;
      EXPECT_FALSE(passes(command(s)));
      s.control = Control::rest;
      EXPECT_TRUE(passes(command(s))) << "off is always allowed";
    }
    base::ChamberSetpoint s = warm();
    s.temperature_degC = bad;
    EXPECT_FALSE(passes(command(s), {}, chamber()));
    s = warm();
    s.ramp_K_per_min = bad;
    EXPECT_FALSE(passes(command(s), {}, chamber()));
  }
}

TEST(Gate, WhatTheInstrumentCannotDoIsRefused) {
  device::Capability c = cycler();
  c.can_charge = 0;
  EXPECT_FALSE(passes(command(charge()), {}, c));
  EXPECT_FALSE(passes(command(hold()), {}, c));
  EXPECT_FALSE(passes(command(power(5.0)), {}, c));
  EXPECT_TRUE(passes(command(discharge()), {}, c));
  c = cycler();
  c.can_discharge = 0;
  EXPECT_FALSE(passes(command(discharge()), {}, c));
  EXPECT_FALSE(passes(command(hold()), {}, c));
  EXPECT_FALSE(passes(command(power(-5.0)), {}, c));
  EXPECT_FALSE(passes(command(resistor()), {}, c));
  EXPECT_TRUE(passes(command(charge()), {}, c));
  Setpoint one_way = hold();
  one_way.current_min_A = 0.0;
  EXPECT_TRUE(passes(command(one_way), {}, c));
  one_way.current_max_A = 0.0;
  EXPECT_TRUE(passes(command(one_way), {}, c)) << "a clamp at zero closes a direction";
  c = cycler();
  c.can_power = 0;
  EXPECT_FALSE(passes(command(power(5.0)), {}, c));
  EXPECT_TRUE(passes(command(charge()), {}, c));
}

TEST(Gate, NoDirectionIsAskedForWhereNoneIsWanted) {
  device::Capability c = cycler();
  c.can_charge = c.can_discharge = 0;
  Setpoint s = charge();
  s.current_A = 0.0;
  EXPECT_TRUE(passes(command(s), {}, c));
  EXPECT_TRUE(passes(command(power(0.0)), {}, c));
  s = hold();
  s.current_max_A = s.current_min_A = 0.0;
  EXPECT_TRUE(passes(command(s), {}, c));
  c.can_discharge = 1;
  EXPECT_TRUE(passes(command(resistor()), {}, c)) << "a resistor does not charge";
}

TEST(Gate, CommandForAnotherKindOfInstrumentIsRefused) {
  EXPECT_FALSE(passes(command(charge()), {}, chamber()));
  EXPECT_FALSE(passes(command(warm()), {}, cycler()));
}

TEST(Gate, ClampsOfTheWrongSignAreRefused) {
  Setpoint s = hold();
  s.current_max_A = -0.5;
  EXPECT_FALSE(passes(command(s)));
  s = hold();
  s.current_min_A = 0.5;
  EXPECT_FALSE(passes(command(s)));
}

TEST(Gate, ResistanceMustBeAboveZero) {
  Setpoint s = resistor();
  s.resistance_Ohm = 0.0;
  EXPECT_FALSE(passes(command(s)));
  s.resistance_Ohm = -1.0;
  EXPECT_FALSE(passes(command(s)));
  s.resistance_Ohm = std::numeric_limits<double>::denorm_min();
  EXPECT_TRUE(passes(command(s)));
}

TEST(Gate, ChamberRampMustNotBeNegative) {
  base::ChamberSetpoint s = warm();
  s.ramp_K_per_min = 0.0;
  EXPECT_TRUE(passes(command(s), {}, chamber()));
  s.ramp_K_per_min = std::nextafter(0.0, -1.0);
  EXPECT_FALSE(passes(command(s), {}, chamber()));
}

// The end that the instrument cannot reach with this direction of current does not matter.
TEST(Gate, TheOtherEndOfTheVoltageIsFree) {
  LimitTable limits;
  limits.tighten(Cause::voltage_high, 4.25, {});
  limits.tighten(Cause::voltage_low, 2.5, {});
  Setpoint s = charge();
  s.voltage_min_V = 0.0;
  EXPECT_TRUE(passes(command(s), limits));
  s = discharge();
  s.voltage_max_V = 9.0;
  EXPECT_TRUE(passes(command(s), limits));
}

TEST(Gate, UnknownControlIsRefused) {
  Setpoint s = charge();
  s.control = static_cast<Control>(17);
  EXPECT_FALSE(passes(command(s)));
}

}  // namespace
}  // namespace cyclerd::safety
