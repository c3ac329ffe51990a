// cyclerctl's commands on profiles, run as a user would, without a daemon.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "daemon/ctl/commands.hpp"

namespace cyclerd::ctl {

struct ProfileCommands : testing::Test {
  struct Ran {
    int code = -1;
    std::string out;
    std::string err;
  };

  void SetUp() override {
    char name[] = "/tmp/ctl-profiles-XXXXXX";
    ASSERT_NE(mkdtemp(name), nullptr);
    folder = name;
  }
  void TearDown() override { std::filesystem::remove_all(folder); }

  // `arguments` after "cyclerctl"; `typed` is stdin.
  static Ran run(std::vector<std::string> arguments, std::string typed = "") {
    Ran ran;
    char* out = nullptr;
    char* err = nullptr;
    std::size_t out_size = 0;
    std::size_t err_size = 0;
    Io io;
    io.out = open_memstream(&out, &out_size);
    io.err = open_memstream(&err, &err_size);
    typed += ' ';  // fmemopen refuses nothing at all; behind a TOML text a space means nothing
    io.in = fmemopen(typed.data(), typed.size(), "r");
    io.width = 120;
    ran.code = ctl::run(arguments, "/nowhere.sock", io);
    for (std::FILE* file : {io.out, io.err, io.in}) std::fclose(file);
    ran.out.assign(out, out_size);
    ran.err.assign(err, err_size);
    std::free(out);
    std::free(err);
    return ran;
  }
  // A file in the test's folder, by its path.
  std::string write(const std::string& name, const std::string& text) const {
    const std::string path = folder + "/" + name;
    std::ofstream(path) << text;
    return path;
  }
  static std::string read(const std::string& path) {
    std::ifstream file(path);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
  }

  std::string folder;
};

}  // namespace cyclerd::ctl
