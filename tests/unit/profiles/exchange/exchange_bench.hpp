// What the tests of importers and exporters share.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>

#include "profiles/exchange/exchange.hpp"
#include "tests/unit/profiles/language/bench.hpp"

namespace cyclerd::exchange::test {

using Importer = std::optional<Translation> (*)(const text::SourcePtr&, const ImportOptions&, text::Diagnostics&);

struct Imported {
  std::optional<Translation> translation;
  text::Diagnostics findings;

  [[nodiscard]] const Loss* loss(std::string_view what) const {
    if (!translation) return nullptr;
    for (const Loss& loss : translation->losses) {
      if (loss.what.find(what) != std::string::npos) return &loss;
    }
    return nullptr;
  }
  [[nodiscard]] bool says(std::string_view text) const {
    return translation && translation->text.find(text) != std::string::npos;
  }
  [[nodiscard]] std::string all() const { return findings.render() + (translation ? translation->text : ""); }
};

inline Imported import_text(Importer importer, std::string text, std::string name = "test.txt") {
  Imported made;
  made.translation = importer(profiles::test::source_of(std::move(text), std::move(name)), {}, made.findings);
  return made;
}

inline std::string foreign_text(const std::string& name) {
  const std::string path = CYCLERD_SOURCE_DIR "/tests/unit/profiles/exchange/foreign/" + name;
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file) << path;
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// A launch that knows the files of an import.
inline profiles::Launch launch_with(const Translation& translation) {
  profiles::Launch launch = profiles::test::roomy_launch();
  launch.waveforms = translation.files;
  return launch;
}

inline std::unique_ptr<const profiles::Program> compiled(const Translation& translation, text::Diagnostics& findings) {
  return profiles::compile_profile(profiles::test::source_of(translation.text), launch_with(translation), findings);
}

}  // namespace cyclerd::exchange::test
