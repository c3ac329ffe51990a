#include "daemon/ctl/options.hpp"

#include <gtest/gtest.h>

namespace cyclerd::ctl {
namespace {

Options good(const std::vector<std::string>& arguments, const std::string& socket = "") {
  const auto parsed = parse_options(arguments, socket);
  if (const auto* leave = std::get_if<Leave>(&parsed)) {
    ADD_FAILURE() << leave->err << leave->out;
    return {};
  }
  return std::get<Options>(parsed);
}

Leave refused(const std::vector<std::string>& arguments) {
  const auto parsed = parse_options(arguments, "");
  if (const auto* leave = std::get_if<Leave>(&parsed)) return *leave;
  ADD_FAILURE() << "accepted";
  return {};
}

TEST(ParseOptions, GlobalOptionsMayStandBeforeAndAfterTheCommand) {
  EXPECT_TRUE(good({"--json", "status"}).json);
  const Options after = good({"status", "A1", "--json", "--socket", "/tmp/x"});
  EXPECT_TRUE(after.json);
  EXPECT_EQ(after.channel, "A1");
  EXPECT_EQ(after.socket, "/tmp/x");
}

TEST(ParseOptions, TheSocketComesFromOptionThenEnvironmentThenDefault) {
  EXPECT_EQ(good({"status"}).socket, kDefaultSocket);
  EXPECT_EQ(good({"status"}, "/env").socket, "/env");
  EXPECT_EQ(good({"status", "--socket", "/opt"}, "/env").socket, "/opt");
}

TEST(ParseOptions, StartTakesEverythingThatALaunchMayNeed) {
  const Options o = good({"start", "p.toml", "--channel", "A1", "--cell", "lg-m50", "--set", "cycles=200", "--set",
                          "rate=0.5 C", "--sample", "S1", "--operator", "Ada", "--soc", "0.5", "--wait"});
  EXPECT_EQ(o.command, "start");
  EXPECT_EQ(o.profile, "p.toml");
  EXPECT_EQ(o.set, (std::vector<std::string>{"cycles=200", "rate=0.5 C"}));
  EXPECT_EQ(o.operator_name, "Ada");
  EXPECT_TRUE(o.wait);
}

TEST(ParseOptions, AChannelMayBeCalledLikeACommand) {
  const Options o = good({"status", "stop"});
  EXPECT_EQ(o.command, "status");
  EXPECT_EQ(o.channel, "stop");
}

TEST(ParseOptions, WrongWordsAreNamedWithTheNearest) {
  EXPECT_NE(refused({"stauts"}).err.find("did you mean \"status\""), std::string::npos);
  EXPECT_NE(refused({"status", "--jsno"}).err.find("did you mean \"--json\""), std::string::npos);
  EXPECT_NE(refused({"help", "exit-code"}).err.find("did you mean \"exit-codes\""), std::string::npos);
  EXPECT_EQ(refused({"stauts"}).exit_code, 2);
  EXPECT_EQ(refused({"sta"}).exit_code, 2);  // no abbreviations
  EXPECT_EQ(refused({"status", "A1", "B1"}).exit_code, 2);
  EXPECT_EQ(refused({"start"}).exit_code, 2);
  EXPECT_EQ(refused({"watch", "--interval", "0.01"}).exit_code, 2);
}

TEST(ParseOptions, StopNeedsAChannelOrAllButNotBoth) {
  EXPECT_EQ(refused({"stop"}).exit_code, 2);
  EXPECT_EQ(refused({"stop", "A1", "--all"}).exit_code, 2);
  EXPECT_TRUE(good({"stop", "--all"}).all);
  EXPECT_EQ(good({"stop", "A1"}).channel, "A1");
}

TEST(ParseOptions, HelpIsAResultNothingIsAnError) {
  const Leave help = refused({"--help"});
  EXPECT_EQ(help.exit_code, 0);
  EXPECT_TRUE(help.err.empty());
  const Leave nothing = refused({});
  EXPECT_EQ(nothing.exit_code, 2);
  EXPECT_TRUE(nothing.out.empty());
  EXPECT_FALSE(nothing.err.empty());
}

TEST(ParseOptions, HelpShowsExamplesBeforeOptions) {
  for (const char* command : {"check", "simulate", "start", "status", "watch", "pause", "resume", "skip", "stop", "ack",
                              "tests", "summary", "export", "plot", "devices", "doctor", "version"}) {
    const std::string text = refused({command, "--help"}).out;
    const auto examples = text.find("Examples:\n  cyclerctl " + std::string(command));
    ASSERT_NE(examples, std::string::npos) << text;
    EXPECT_LT(examples, text.find("Usage:")) << text;
    EXPECT_EQ(refused({"help", command}).out, text);
  }
}

TEST(ParseOptions, EveryExitCodeIsExplained) {
  const std::string text = refused({"help", "exit-codes"}).out;
  for (const char* code : {"    0  ", "    1  ", "    2  ", "    3  ", "    4  ", "    5  ", "    6  ", "    7  ",
                           "    8  ", "    9  ", "  130  "}) {
    EXPECT_NE(text.find(code), std::string::npos) << code;
  }
}

TEST(ParametersOf, SplitsAtTheFirstEqualsSign) {
  std::string wrong;
  const auto parameters = parameters_of({"rate=0.5 C", "text=a=b", "empty="}, wrong);
  EXPECT_TRUE(wrong.empty());
  EXPECT_EQ(parameters.at("rate"), "0.5 C");
  EXPECT_EQ(parameters.at("text"), "a=b");
  EXPECT_EQ(parameters.at("empty"), "");
  (void)parameters_of({"cycles"}, wrong);
  EXPECT_NE(wrong.find("cycles"), std::string::npos);
}

TEST(BashCompletion, KnowsEveryCommandAndItsOptionsAndIsBash) {
  const std::string text = bash_completion();
  for (const char* word : {"simulate", "--until-done", "--state-dir", "--json"}) {
    EXPECT_NE(text.find(word), std::string::npos) << word;
  }
  const std::string script =
      text +
      "\nCOMP_WORDS=(cyclerctl wa); COMP_CWORD=1; _cyclerctl; echo \"${COMPREPLY[@]}\""
      "\nCOMP_WORDS=(cyclerctl watch --unt); COMP_CWORD=2; _cyclerctl; echo \"${COMPREPLY[@]}\"\n";
  const std::string path = testing::TempDir() + "/completion_test.bash";
  std::FILE* file = std::fopen(path.c_str(), "w");
  ASSERT_NE(file, nullptr);
  std::fputs(script.c_str(), file);
  std::fclose(file);
  std::FILE* bash = popen(("bash --norc " + path).c_str(), "r");
  ASSERT_NE(bash, nullptr);
  char out[256] = {};
  const std::size_t n = std::fread(out, 1, sizeof out - 1, bash);
  EXPECT_EQ(pclose(bash), 0);
  EXPECT_EQ(std::string(out, n), "watch\n--until-done\n");
  std::remove(path.c_str());
}

}  // namespace
}  // namespace cyclerd::ctl
