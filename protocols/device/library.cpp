#include "protocols/device/library.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

namespace cyclerd::device {

namespace {

// A name that leads out of the folder is no name.
bool is_plain(const std::string& id) {
  return !id.empty() && id.size() <= 64 && std::all_of(id.begin(), id.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  });
}

}  // namespace

std::shared_ptr<const Description> DescriptionLibrary::find(const std::string& id, const text::Span& where,
                                                            text::Diagnostics& diagnostics) const {
  for (const auto& folder : folders_) {
    if (!is_plain(id)) break;
    const std::string path = folder + "/" + id + ".toml";
    const auto source = text::read_source(path);
    if (!source && source.error().code == base::ErrorCode::not_found) continue;
    if (!source) {
      diagnostics.error("D003", where, source.error().text());
      return nullptr;
    }
    auto description = load_description(*source, diagnostics);
    if (description && description->id != id) {
      diagnostics.error("D001", text::Span{*source, 0, 0, 1},
                        fmt::format("the file {}.toml describes '{}'", id, description->id),
                        "file name and description = \"...\" must agree");
      return nullptr;
    }
    return description;
  }
  const std::string near = text::nearest(id, names());
  std::string searched;
  for (const auto& folder : folders_) searched += (searched.empty() ? "" : ", ") + folder;
  diagnostics.error("D003", where, fmt::format("there is no device description '{}'", id),
                    near.empty() ? fmt::format("searched in {}", searched) : fmt::format("did you mean '{}'?", near));
  return nullptr;
}

std::vector<std::string> DescriptionLibrary::names() const {
  std::vector<std::string> names;
  for (const auto& folder : folders_) {
    std::error_code ignored;
    for (const auto& entry : std::filesystem::directory_iterator(folder, ignored)) {
      if (entry.path().extension() == ".toml") names.push_back(entry.path().stem().string());
    }
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

}  // namespace cyclerd::device
