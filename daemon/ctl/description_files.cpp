#include "daemon/ctl/description_files.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <system_error>

#include "daemon/app/resources.hpp"

namespace cyclerd::ctl {

namespace fs = std::filesystem;
using control::Failure;

device::DescriptionLibrary description_library(const Options& options) {
  std::vector<std::string> folders = options.description_folders;
  folders.push_back(app::find_resources().devices);
  return device::DescriptionLibrary{std::move(folders)};
}

Outcome<LoadedDescription> load_named_description(const std::string& word, const Options& options) {
  std::error_code error;
  fs::path path = word;
  if (!fs::is_regular_file(path, error)) {
    const auto library = description_library(options);
    const bool plain = word.find('/') == std::string::npos;
    path.clear();
    for (const auto& folder : library.folders()) {
      const fs::path candidate = fs::path(folder) / (word.ends_with(".toml") ? word : word + ".toml");
      if (!plain || !path.empty() || !fs::is_regular_file(candidate, error)) continue;
      path = candidate;
    }
    if (path.empty()) {
      const std::string near = text::nearest(fs::path(word).stem().string(), library.names());
      return std::unexpected(
          Trouble(Failure::usage, fmt::format("no description \"{}\": neither a file nor the name of a known one{}",
                                              word, near.empty() ? "" : fmt::format("; did you mean \"{}\"?", near))));
    }
  }
  const auto source = text::read_source(path.string());
  if (!source) {
    const bool permission = source.error().code == base::ErrorCode::permission;
    return std::unexpected(Trouble(permission ? Failure::permission : Failure::usage, source.error().text()));
  }
  LoadedDescription loaded;
  loaded.file = path.string();
  loaded.description = device::load_description(*source, loaded.findings);
  if (loaded.description && loaded.description->id != path.stem().string()) {
    loaded.findings.error("D001", text::Span{*source, 0, 0, 1},
                          fmt::format("the file {} describes '{}'", path.filename().string(), loaded.description->id),
                          "a station finds a description by its file's name: both must agree");
    loaded.description = nullptr;
  }
  return loaded;
}

}  // namespace cyclerd::ctl
