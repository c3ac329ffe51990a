// cyclerctl import and export-profile, as a lab that changes over uses them.
#include "profiles/exchange/detect.hpp"
#include "tests/integration/ctl/profile_bench.hpp"

namespace cyclerd::ctl {
namespace {

namespace fs = std::filesystem;
using Exchange = ProfileCommands;

const std::string kForeign = CYCLERD_SOURCE_DIR "/tests/unit/profiles/exchange/foreign";
const std::string kStrings = "Discharge at C/10 until 2.5 V\nRest for 1 hour\n";

// Every foreign file of the repository, named by the format whose folder it lies in.
std::vector<std::pair<std::string, std::string>> foreign_files() {
  std::vector<std::pair<std::string, std::string>> files;
  for (const exchange::FormatName& format : exchange::kFormats) {
    for (const auto& entry : fs::directory_iterator(kForeign + "/" + format.name)) {
      const std::string ending = entry.path().extension().string();
      if (ending != ".toml" && ending != ".losses" && ending != ".md" && entry.is_regular_file())
        files.emplace_back(format.name, entry.path().string());
    }
  }
  return files;
}

TEST_F(Exchange, EveryForeignFileIsRecognisedAndBecomesAProfile) {
  const auto files = foreign_files();
  ASSERT_GE(files.size(), 5U);
  for (const auto& [format, path] : files) {
    const std::string out = folder + "/" + fs::path(path).filename().string() + ".toml";
    const Ran ran = run({"import", path, "--out", out});
    EXPECT_EQ(ran.code, 0) << path << ran.err;
    EXPECT_EQ(ran.out, "") << path;
    EXPECT_EQ(
        ran.err.rfind(format + ": ", 0) != std::string::npos || ran.err.find("\n" + format + ": ") != std::string::npos,
        true)
        << path << ran.err;
    const Ran check = run({"check", out});
    EXPECT_EQ(check.code, 0) << path << check.out;
    EXPECT_EQ(run({"expand", out}).code, 0) << path;
  }
}

TEST_F(Exchange, TheProfileGoesToStdoutAndTheLossesToStderr) {
  const Ran ran = run({"import", "-", "--name", "ageing"}, kStrings);
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_NE(ran.out.find("profile = \"ageing\""), std::string::npos) << ran.out;
  EXPECT_NE(ran.err.find("pybamm: "), std::string::npos) << ran.err;
  EXPECT_EQ(run({"check", "-"}, ran.out).code, 0);
}

TEST_F(Exchange, TheReportAsAFileAndAsData) {
  const std::string path = write("e.txt", kStrings);
  EXPECT_EQ(run({"import", path, "--out", folder + "/e.toml", "--report", folder + "/losses.txt"}).err, "");
  EXPECT_EQ(read(folder + "/losses.txt").rfind("pybamm: ", 0), 0U);
  run({"import", path, "--out", folder + "/e.toml", "--report", folder + "/losses.json"});
  const Json file = Json::parse(read(folder + "/losses.json"));
  EXPECT_EQ(file["format"], "pybamm");
  const Json json = Json::parse(run({"import", path, "--json"}).out);
  EXPECT_EQ(json["valid"], true);
  EXPECT_EQ(json["translated"], file["translated"]);
  EXPECT_EQ(json["losses"], file["losses"]);
  EXPECT_EQ(json["losses"].size(), json["approximated"].get<std::size_t>() + json["dropped"].get<std::size_t>());
  EXPECT_NE(json["text"].get<std::string>().find("[[step]]"), std::string::npos);
}

TEST_F(Exchange, AFileOfNoKnownProgramIsSaidToBeSo) {
  const Ran unknown = run({"import", write("x.bin", "hello\n")});
  EXPECT_EQ(unknown.code, 2);
  EXPECT_NE(unknown.err.find("add --format, one of pybamm, unicycler, neware, maccor, arbin"), std::string::npos)
      << unknown.err;
  EXPECT_EQ(run({"import", write("x.bin", "hello\n"), "--format", "biologic"}).code, 2);
  EXPECT_EQ(run({"import", folder + "/none.xml"}).code, 2);
  EXPECT_EQ(run({"import", folder}).code, 2);
}

TEST_F(Exchange, AMalformedFileGetsFindingsWithAPlace) {
  for (const exchange::FormatName& format : exchange::kFormats) {
    const Ran ran = run({"import", "-", "--format", format.name, "--stdin-name", "bad"}, "<<< {\"]");
    EXPECT_EQ(ran.code, 3) << format.name;
    EXPECT_EQ(ran.out, "") << format.name;
    EXPECT_NE(ran.err.find("error[X0"), std::string::npos) << format.name << ran.err;
    const Json json = Json::parse(run({"import", "-", "--format", format.name, "--json"}, "<<< {\"]").out);
    EXPECT_EQ(json["valid"], false) << format.name;
    EXPECT_EQ(json["findings"][0]["severity"], "error") << format.name;
  }
}

const std::string kPlain =
    "profile = \"plain\"\nschema = 1\n[record]\nevery = \"10 s\"\n"
    "[[step]]\ndischarge = { current = \"C/2\" }\nuntil = [\"voltage <= 3 V\", \"time >= 3 h\"]\n"
    "[[step]]\nrest = {}\nuntil = \"time >= 10 min\"\n";

TEST_F(Exchange, WhatIsExportedComesBackTheSame) {
  const std::string path = write("plain.toml", kPlain);
  for (const char* format : {"pybamm", "unicycler"}) {
    const std::string out = folder + "/out." + format;
    const Ran ran = run({"export-profile", path, "--format", format, "--cell", "lg-m50", "--out", out});
    ASSERT_EQ(ran.code, 0) << format << ran.err;
    const std::string back = folder + "/back.toml";
    ASSERT_EQ(run({"import", out, "--out", back}).code, 0) << read(out);
    const Json again = Json::parse(run({"expand", back, "--cell", "lg-m50", "--json"}).out);
    EXPECT_EQ(again["steps"][0]["type"], "CC_DCH") << format;
    EXPECT_NEAR(again["steps"][0]["values"]["current"]["value"].get<double>(), 2.5, 1e-9) << format;
    EXPECT_EQ(again["steps"][1]["type"], "REST") << format;
  }
}

TEST_F(Exchange, WhatCannotBeSaidThereIsAnErrorThatNamesThePlace) {
  const std::string path = write("p.toml", kPlain + "[[step]]\noperator = { message = \"look\" }\n");
  for (const char* format : {"pybamm", "unicycler"}) {
    const Ran ran = run({"export-profile", path, "--format", format, "--cell", "lg-m50"});
    EXPECT_EQ(ran.code, 3) << format;
    EXPECT_EQ(ran.out, "") << format;
    EXPECT_NE(ran.err.find("p.toml:12:"), std::string::npos) << format << ran.err;
  }
  EXPECT_EQ(run({"export-profile", path, "--format", "neware", "--cell", "lg-m50"}).code, 2);
  EXPECT_EQ(run({"export-profile", path, "--format", "pybamm"}).code, 2);
}

}  // namespace
}  // namespace cyclerd::ctl
