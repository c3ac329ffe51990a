#include <gmock/gmock.h>

#include "tests/integration/ctl/profile_bench.hpp"

namespace cyclerd::ctl {
namespace {

using testing::HasSubstr;

using DeviceFiles = ProfileCommands;

std::string good_sensor() {
  return R"(description = "my-sensor"
schema = 1
title = "My sensor"
kind = "sensor"
dialect = "modbus"
[identify]
maker = { value = "Example" }
model = { item = "model", match = ["TS-*"] }
[item.model]
function = "holding"
address = 0
type = "ascii"
length = 8
mark = "V1"
source = "manual, page 4"
[item.temperature]
function = "input"
address = 0
type = "i16"
scale = 0.1
unit = "degC"
mark = "G"
source = "none"
[measure]
temperature = "temperature"
[status]
[capability]
)";
}

TEST_F(DeviceFiles, CheckAcceptsAGoodFileAndSaysWhatIsUnverified) {
  const Ran ran = run({"device", "check", write("my-sensor.toml", good_sensor())});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("sensor over modbus; 2 items, 2 unverified: 1 V1, 1 G"));
}

TEST_F(DeviceFiles, CheckShowsEveryFindingWithItsLineAndTheWayOut) {
  std::string text = good_sensor();
  text.replace(text.find("\"i16\""), 5, "\"i61\"");
  text.replace(text.find("\"degC\""), 6, "\"degX\"");
  const Ran ran = run({"device", "check", write("my-sensor.toml", text)});
  EXPECT_EQ(ran.code, 3);
  EXPECT_THAT(ran.out, HasSubstr("type = \"i61\""));
  EXPECT_THAT(ran.out, HasSubstr("^"));
  EXPECT_THAT(ran.out, HasSubstr("degX"));
  const Ran json = run({"device", "check", folder + "/my-sensor.toml", "--json"});
  EXPECT_EQ(json.code, 3);
  const Json parsed = Json::parse(json.out);
  EXPECT_EQ(parsed["valid"], false);
  EXPECT_GE(parsed["errors"], 2);
  EXPECT_EQ(parsed["description"], nullptr);
  EXPECT_GT(parsed["findings"][0]["line"], 0);
}

TEST_F(DeviceFiles, CheckDemandsThatFileAndDescriptionAgreeInName) {
  const Ran ran = run({"device", "check", write("other.toml", good_sensor())});
  EXPECT_EQ(ran.code, 3);
  EXPECT_THAT(ran.out, HasSubstr("D001"));
}

TEST_F(DeviceFiles, CheckOfSeveralExitsWithTheWorst) {
  const std::string good = write("my-sensor.toml", good_sensor());
  const std::string bad = write("bad.toml", "description = 1\n");
  EXPECT_EQ(run({"device", "check", good, "ea-psb-9000"}).code, 0);
  EXPECT_EQ(run({"device", "check", good, bad}).code, 3);
  const Ran json = run({"device", "check", good, bad, "/nowhere.toml", "--json"});
  EXPECT_EQ(json.code, 3);
  const Json parsed = Json::parse(json.out);
  EXPECT_EQ(parsed["files"].size(), 3U);
  EXPECT_EQ(parsed["files"][0]["valid"], true);
  EXPECT_EQ(parsed["files"][2]["error"]["exit_code"], 2);
  EXPECT_EQ(parsed["valid"], false);
}

TEST_F(DeviceFiles, AFileThatIsNotThereIsAUsageErrorWithTheNearestName) {
  const Ran ran = run({"device", "check", "ea-psb-900"});
  EXPECT_EQ(ran.code, 2);
  EXPECT_THAT(ran.err, HasSubstr("did you mean \"ea-psb-9000\"?"));
}

TEST_F(DeviceFiles, EveryShippedDescriptionIsKnownAndValid) {
  const Ran known = run({"devices", "--known", "--json"});
  ASSERT_EQ(known.code, 0) << known.err;
  const Json descriptions = Json::parse(known.out)["descriptions"];
  ASSERT_GE(descriptions.size(), 3U);
  for (const Json& d : descriptions) {
    const Json marks = d["provenance"];
    EXPECT_EQ(marks["unverified"].get<int>() + marks["verified"].get<int>() + marks["own"].get<int>(), d["items"]);
    EXPECT_EQ(run({"device", "show", d["description"]}).code, 0) << d["description"];
  }
}

TEST_F(DeviceFiles, UnverifiedListsEachFactWithMarkAndSource) {
  const std::string file = write("my-sensor.toml", good_sensor());
  const Json facts = Json::parse(run({"devices", "--unverified", file, "--json"}).out)["unverified"];
  ASSERT_EQ(facts.size(), 2U);
  EXPECT_EQ(facts[1]["item"], "temperature");
  EXPECT_EQ(facts[1]["mark"], "G");
  EXPECT_EQ(facts[1]["where"], "input 0");
  EXPECT_EQ(facts[0]["source"], "manual, page 4");
  EXPECT_EQ(run({"devices", "--unverified", "virtual-cycler", "--plain"}).out, "");
}

TEST_F(DeviceFiles, AStationsOwnFolderGoesBeforeTheShippedOne) {
  std::string text = good_sensor();
  text.replace(text.find("my-sensor"), 9, "ea-psb-9000");
  write("ea-psb-9000.toml", text);
  const Json shown = Json::parse(run({"device", "show", "ea-psb-9000", "--devices", folder, "--json"}).out);
  EXPECT_EQ(shown["title"], "My sensor");
  const Json known = Json::parse(run({"devices", "--known", "--devices", folder, "--json"}).out);
  int found = 0;
  for (const Json& d : known["descriptions"]) found += d["title"] == "My sensor" ? 1 : 0;
  EXPECT_EQ(found, 1);
}

TEST_F(DeviceFiles, NewWritesASkeletonThatCheckLeadsThrough) {
  const std::string file = folder + "/my-supply.toml";
  const Ran made = run({"device", "new", "--dialect", "modbus", "--kind", "cycler", "my-supply", "--out", file});
  EXPECT_EQ(made.code, 0) << made.err;
  const Ran checked = run({"device", "check", file});
  EXPECT_EQ(checked.code, 3);
  EXPECT_THAT(checked.out, HasSubstr("address"));
  EXPECT_EQ(run({"device", "new", "--dialect", "modbus", "--kind", "cycler", "my-supply", "--out", file}).code, 2);
  EXPECT_EQ(run({"device", "new", "--dialect", "modbus", "--kind", "cycler", "My Supply"}).code, 2);
  EXPECT_EQ(run({"device", "new", "--dialect", "morse", "--kind", "cycler", "my-supply"}).code, 2);
  EXPECT_EQ(run({"device", "new", "--dialect", "modbus", "--kind", "toaster", "my-supply"}).code, 2);
}

TEST_F(DeviceFiles, WrongWordsBelowDeviceAreNamedWithTheNearest) {
  const Ran ran = run({"device", "chekc", "x"});
  EXPECT_EQ(ran.code, 2);
  EXPECT_THAT(ran.err, HasSubstr("check"));
  EXPECT_EQ(run({"device"}).code, 2);
  EXPECT_THAT(run({"help", "device"}).out, HasSubstr("probe"));
  EXPECT_THAT(run({"device", "probe", "--help"}).out, HasSubstr("--baud"));
  EXPECT_THAT(run({"completion", "bash"}).out, HasSubstr("--parity"));
}

}  // namespace
}  // namespace cyclerd::ctl
