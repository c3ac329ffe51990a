// cyclerctl check: for people, for scripts, for editors.
#include <set>

#include "tests/integration/ctl/profile_bench.hpp"

namespace cyclerd::ctl {
namespace {

const std::string kGood = "profile = \"good\"\nschema = 1\n[[step]]\nrest = {}\nuntil = \"time >= 1 h\"\n";
const std::string kWrong = "profile = \"wrong\"\nschema = 1\n[[step]]\nrest = {}\nuntil = \"voltage >= 4.2 A\"\n";

std::set<std::string> keys_of(const Json& object) {
  std::set<std::string> keys;
  for (const auto& [key, value] : object.items()) keys.insert(key);
  return keys;
}

using Check = ProfileCommands;

TEST_F(Check, AFindingHasAPlaceForAnEditor) {
  const Ran ran = run({"check", "-", "--stdin-name", "rest.toml", "--json"}, kWrong);
  EXPECT_EQ(ran.code, 3);
  EXPECT_EQ(ran.err, "");
  const Json json = Json::parse(ran.out);
  EXPECT_EQ(keys_of(json), (std::set<std::string>{"profile", "valid", "errors", "warnings", "findings", "program"}));
  EXPECT_EQ(json["profile"], "rest.toml");
  EXPECT_EQ(json["valid"], false);
  EXPECT_EQ(json["errors"], 1);
  ASSERT_EQ(json["findings"].size(), 1U);
  const Json& finding = json["findings"][0];
  EXPECT_EQ(keys_of(finding), (std::set<std::string>{"severity", "code", "file", "line", "column", "length", "message",
                                                     "label", "help", "related"}));
  EXPECT_EQ(finding["code"], "P023");
  EXPECT_EQ(finding["file"], "rest.toml");
  EXPECT_EQ(finding["line"], 5);
  EXPECT_EQ(finding["column"], 21);
  EXPECT_EQ(finding["length"], 5);
}

TEST_F(Check, AFindingNamesThePlaceOfTheBoundItBreaks) {
  const std::string path = write("p.toml",
                                 "profile = \"p\"\nschema = 1\n[[step]]\ncharge = { current = \"9 A\" }\n"
                                 "until = [\"voltage >= 4.1 V\", \"time >= 1 h\"]\n");
  const Json json = Json::parse(run({"check", path, "--cell", "lg-m50", "--json"}).out);
  ASSERT_EQ(json["findings"].size(), 1U) << json.dump(2);
  const Json& related = json["findings"][0]["related"];
  EXPECT_EQ(keys_of(related), (std::set<std::string>{"file", "line", "column", "length", "label"}));
  EXPECT_NE(related["file"].get<std::string>().find("lg-m50"), std::string::npos);
  EXPECT_GT(related["line"], 0);
}

TEST_F(Check, OfAValidProfileTheProgramIsDescribed) {
  const Ran ran = run({"check", write("good.toml", kGood), "--cell", "lg-m50", "--json"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  const Json program = Json::parse(ran.out)["program"];
  EXPECT_EQ(program["name"], "good");
  EXPECT_EQ(program["worst_case_duration_s"], 3600.0);
  EXPECT_GT(program["rows"], 3600.0 - 1.0);
  EXPECT_GT(program["disk_bytes"], 0.0);
  for (const char* hash : {"sha256", "canonical_sha256", "compiled_sha256"}) {
    EXPECT_EQ(program[hash].get<std::string>().size(), 64U) << hash;
  }
  EXPECT_EQ(program["steps"][0]["type"], "REST");
}

TEST_F(Check, SeveralProfilesAreOneDocumentAndTheWorstExitCode) {
  const std::string good = write("good.toml", kGood);
  const std::string wrong = write("wrong.toml", kWrong);
  EXPECT_EQ(run({"check", good, good}).code, 0);
  const Ran people = run({"check", wrong, good, "--cell", "lg-m50"});
  EXPECT_EQ(people.code, 3);
  EXPECT_NE(people.out.find("error[P023]"), std::string::npos) << people.out;
  EXPECT_NE(people.out.find("good\n  2 instructions"), std::string::npos) << people.out;
  const Ran ran = run({"check", good, wrong, folder + "/none.toml", "--json"});
  EXPECT_EQ(ran.code, 3);
  const Json json = Json::parse(ran.out);
  EXPECT_EQ(json["valid"], false);
  EXPECT_EQ(json["errors"], 1);
  ASSERT_EQ(json["profiles"].size(), 3U);
  EXPECT_EQ(json["profiles"][0]["valid"], true);
  EXPECT_EQ(json["profiles"][1]["findings"][0]["code"], "P023");
  EXPECT_EQ(json["profiles"][2]["error"]["exit_code"], 2);
}

TEST_F(Check, WithoutJsonItReadsLikeACompiler) {
  const Ran ran = run({"check", "-"}, kWrong);
  EXPECT_EQ(ran.code, 3);
  EXPECT_NE(ran.out.find("--> stdin:5:21"), std::string::npos) << ran.out;
  EXPECT_NE(ran.out.find("^^^^^"), std::string::npos) << ran.out;
}

TEST_F(Check, StdinFindsTheWaveformsBesideItsName) {
  write("drive.csv", "time_s,current_A\n0,0\n10,1\n");
  const std::string profile = "profile = \"d\"\nschema = 1\n[[step]]\nfollow = { waveform = \"drive.csv\" }\n";
  EXPECT_EQ(run({"check", "-", "--stdin-name", folder + "/d.toml", "--cell", "lg-m50"}, profile).code, 0);
  EXPECT_EQ(run({"check", "-", "--stdin-name", "/tmp/d.toml", "--cell", "lg-m50"}, profile).code, 3);
}

TEST_F(Check, AMissingFileIsTheUsersMistake) {
  const Ran ran = run({"check", folder + "/none.toml"});
  EXPECT_EQ(ran.code, 2);
  EXPECT_EQ(ran.out, "");
  EXPECT_NE(ran.err.find("none.toml"), std::string::npos);
  EXPECT_EQ(Json::parse(run({"check", "none", "--json"}).err)["error"]["exit_code"], 2);
}

}  // namespace
}  // namespace cyclerd::ctl
