#include "daemon/app/test_list.hpp"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <vector>

#include "daemon/record/record_json.hpp"
#include "daemon/record/storage.hpp"

namespace cyclerd::app {
namespace {

using control::Json;

Json at(const Json& about, const char* pointer) {
  const Json::json_pointer where(pointer);
  return about.contains(where) ? about[where] : Json(nullptr);
}

}  // namespace

Json list_tests(const std::string& state_dir) {
  std::vector<Json> found;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(state_dir + "/tests", ignored)) {
    const auto text = record::read_text((entry.path() / "test.json").string());
    if (!text) continue;
    const Json about = record::parse_or_null(*text);
    if (!about.is_object() || !about.contains("test")) continue;
    found.push_back({{"test", about["test"]},
                     {"channel", at(about, "/metadata/channel")},
                     {"profile", at(about, "/metadata/profile/name")},
                     {"cell", at(about, "/metadata/cell/name")},
                     {"sample_name", at(about, "/metadata/sample_name")},
                     {"operator", at(about, "/metadata/operator")},
                     {"started_unix_us", at(about, "/started_unix_us")},
                     {"ended_unix_us", at(about, "/ended_unix_us")},
                     {"outcome", at(about, "/state")},
                     {"folder", entry.path().string()}});
  }
  std::ranges::sort(found, [](const Json& a, const Json& b) { return a["test"] > b["test"]; });
  return Json(std::move(found));
}

}  // namespace cyclerd::app
