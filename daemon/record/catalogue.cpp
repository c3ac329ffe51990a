#include "daemon/record/catalogue.hpp"

#include <algorithm>
#include <filesystem>

#include "daemon/record/record_json.hpp"
#include "daemon/record/storage.hpp"

namespace cyclerd::record {
namespace fs = std::filesystem;

std::vector<TestEntry> list_tests(const std::string& state_dir) {
  std::vector<TestEntry> out;
  std::error_code ignored;
  for (const auto& place : fs::directory_iterator(state_dir + "/tests", ignored)) {
    if (!place.is_directory(ignored)) continue;
    TestEntry entry;
    entry.folder = place.path().string();
    const auto text = read_text(entry.folder + "/test.json");
    const Json about = text ? parse_or_null(*text) : Json();
    entry.test = number_at<std::uint64_t>(about, "/test");
    entry.state = text_at(about, "/state", "unreadable");
    entry.reason = text_at(about, "/reason");
    entry.channel = text_at(about, "/metadata/channel/name", text_at(about, "/metadata/channel"));
    entry.profile = text_at(about, "/metadata/profile/name");
    entry.cell = text_at(about, "/metadata/cell/name", text_at(about, "/metadata/cell"));
    entry.started_unix_us = number_at<std::int64_t>(about, "/started_unix_us");
    entry.ended_unix_us = number_at<std::int64_t>(about, "/ended_unix_us");
    entry.rows = number_at<std::uint64_t>(about, "/rows");
    entry.steps = number_at<std::uint64_t>(about, "/steps");
    entry.cycles = number_at<std::uint64_t>(about, "/cycles");
    out.push_back(std::move(entry));
  }
  std::sort(out.begin(), out.end(), [](const TestEntry& a, const TestEntry& b) {
    return a.started_unix_us != b.started_unix_us ? a.started_unix_us > b.started_unix_us : a.folder > b.folder;
  });
  return out;
}

}  // namespace cyclerd::record
