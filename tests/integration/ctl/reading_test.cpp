// cyclerctl expand and format, as a reviewer and an editor use them.
#include <sys/stat.h>

#include "tests/integration/ctl/profile_bench.hpp"

namespace cyclerd::ctl {
namespace {

const std::string kOne =
    "# a comment\nprofile = \"same\"\nschema = 1\n[parameters]\nrate = { default = \"0.5 C\", max = \"1 C\" }\n"
    "[[step]]\nname = \"charge\"\ncharge = { current = \"rate\", voltage = \"4.2 V\" } # and another\n"
    "until = [\"abs(current) <= 0.05 C\", { when = \"time >= 4 h\", then = \"fail\", reason = \"# none\" }]\n";
// By another hand: units, order, spaces.
const std::string kOther =
    "schema = 1\nprofile = 'same'\n[[step]]\ncharge = { voltage = \"4200 mV\", current = \"rate\" }\n"
    "until = [ { when = \"abs( current )<=C/20\" }, { then = \"fail\", reason = \"# none\", when = \"time >= 240 min\" "
    "} ]\n"
    "name = \"charge\"\n[parameters]\nrate = { max = \"1 C\", default = \"C/2\" }\n";

using Reading = ProfileCommands;

TEST_F(Reading, ExpandWorksValuesOutOnACell) {
  const Ran ran = run({"expand", write("p.toml", kOne), "--cell", "lg-m50"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_NE(ran.out.find("charge with 2.5 A up to 4.2 V, then hold it [current = rate]"), std::string::npos) << ran.out;
  EXPECT_NE(ran.out.find("until abs(current) <= 250 mA [abs(current) <= 0.05 C] -> end"), std::string::npos) << ran.out;
  EXPECT_NE(ran.out.find("time >= 4 h -> the test fails: # none"), std::string::npos) << ran.out;
  const Ran set = run({"expand", write("p.toml", kOne), "--cell", "lg-m50", "--set", "rate=0.2 C"});
  EXPECT_NE(set.out.find("charge with 1 A up to"), std::string::npos) << set.out;
}

TEST_F(Reading, ExpandWithoutACellStaysSymbolic) {
  const Ran ran = run({"expand", "-"}, kOne);
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_NE(ran.out.find("rate = 0.5 C, max 1 C"), std::string::npos) << ran.out;
  EXPECT_NE(ran.out.find("charge with rate up to 4.2 V"), std::string::npos) << ran.out;
  EXPECT_EQ(run({"expand", "-", "--set", "rate=1 C"}, kOne).code, 2) << "nothing is worked out without a cell";
}

TEST_F(Reading, ExpandAsData) {
  const Json json = Json::parse(run({"expand", write("p.toml", kOne), "--cell", "lg-m50", "--json"}).out);
  EXPECT_EQ(json["name"], "same");
  EXPECT_EQ(json["parameters"][0]["value"]["value"], 2.5);
  EXPECT_EQ(json["limits"]["voltage"]["max"]["unit"], "V");
  EXPECT_EQ(json["record"]["every"]["value"], 1.0);
  const Json& step = json["steps"][0];
  EXPECT_EQ(step["type"], "CCCV_CHG");
  EXPECT_EQ(step["values"]["current"]["value"], 2.5);
  EXPECT_EQ(step["values"]["current"]["written"], "rate");
  EXPECT_EQ(step["until"][0]["then"], "next");
  EXPECT_EQ(step["until"][0]["target"], 1);
  EXPECT_EQ(step["until"][1]["target"], nullptr);
  EXPECT_EQ(json["steps"][1]["type"], "END");
}

TEST_F(Reading, EveryShippedProfileExpandsWithAndWithoutACell) {
  for (const auto& entry : std::filesystem::directory_iterator(CYCLERD_SOURCE_DIR "/profiles/library")) {
    if (entry.path().extension() != ".toml") continue;
    const Ran ran = run({"expand", entry.path().string()});
    EXPECT_EQ(ran.code, 0) << entry.path() << ran.err;
    const Ran json = run({"expand", entry.path().string(), "--json"});
    ASSERT_EQ(json.code, 0) << entry.path();
    EXPECT_FALSE(Json::parse(json.out)["steps"].empty());
  }
}

TEST_F(Reading, AProfileWithErrorsIsNotRead) {
  for (const char* command : {"expand", "format"}) {
    const Ran ran = run({command, "-"}, "profile = \"x\"\nschema = 1\n[[step]]\nrest = {}\n");
    EXPECT_EQ(ran.code, 3) << command;
    EXPECT_EQ(ran.out, "") << command;
    EXPECT_NE(ran.err.find("error[P0"), std::string::npos) << ran.err;
    EXPECT_EQ(Json::parse(run({command, "-", "--json"}, "schema = 1\n").out)["valid"], false) << command;
  }
}

TEST_F(Reading, FormatGivesOneSpellingForTwoHands) {
  const Ran one = run({"format", write("one.toml", kOne)});
  const Ran other = run({"format", write("other.toml", kOther)});
  EXPECT_EQ(one.code, 0) << one.err;
  EXPECT_EQ(one.out, other.out);
  EXPECT_EQ(run({"format", "-"}, one.out).out, one.out) << "the canonical form is its own";
  const Json a = Json::parse(run({"format", "-", "--hash", "--cell", "lg-m50", "--json"}, kOne).out);
  const Json b = Json::parse(run({"format", "-", "--hash", "--cell", "lg-m50", "--json"}, kOther).out);
  EXPECT_EQ(a["canonical_sha256"], b["canonical_sha256"]);
  EXPECT_EQ(a["compiled_sha256"], b["compiled_sha256"]);
  EXPECT_NE(a["source_sha256"], b["source_sha256"]);
  EXPECT_EQ(a["comment_lines"], 2) << "a # in a text is no comment";
}

TEST_F(Reading, TheHashesAreThoseOfTheCheck) {
  const std::string path = write("one.toml", kOne);
  const Json checked = Json::parse(run({"check", path, "--cell", "lg-m50", "--json"}).out)["program"];
  const Ran ran = run({"format", path, "--hash", "--cell", "lg-m50"});
  for (const char* hash : {"sha256", "canonical_sha256", "compiled_sha256"}) {
    EXPECT_NE(ran.out.find(checked[hash].get<std::string>()), std::string::npos) << hash << ran.out;
  }
  EXPECT_NE(run({"format", path, "--hash"}).out.find("add --cell"), std::string::npos);
}

TEST_F(Reading, FormatCheckTellsByItsExitCode) {
  const std::string path = write("p.toml", kOne);
  EXPECT_EQ(run({"format", path, "--check"}).code, 1);
  write("p.toml", run({"format", path}).out);
  const Ran ran = run({"format", path, "--check"});
  EXPECT_EQ(ran.code, 0);
  EXPECT_EQ(ran.out + ran.err, "");
}

TEST_F(Reading, FormatWritesOnlyWhenCommentsMayBeLost) {
  const std::string path = write("p.toml", kOne);
  ASSERT_EQ(chmod(path.c_str(), 0640), 0);
  const Ran refused = run({"format", path, "--write"});
  EXPECT_EQ(refused.code, 2);
  EXPECT_NE(refused.err.find("2 lines of them"), std::string::npos) << refused.err;
  EXPECT_EQ(read(path), kOne);
  const std::string canonical = run({"format", path}).out;
  EXPECT_EQ(run({"format", path, "--write", "--yes"}).code, 0);
  EXPECT_EQ(read(path), canonical);
  struct stat now {};
  ASSERT_EQ(stat(path.c_str(), &now), 0);
  EXPECT_EQ(now.st_mode & 0777U, 0640U);
  EXPECT_EQ(run({"format", "cycle-life", "--write", "--yes"}).code, 2) << "a shipped profile stays as it is";
}

}  // namespace
}  // namespace cyclerd::ctl
