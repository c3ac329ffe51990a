#include "daemon/record/export_bdf.hpp"

#include <fcntl.h>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cctype>
#include <ctime>
#include <filesystem>

#include "daemon/record/amendments.hpp"
#include "daemon/record/bdf_csv.hpp"
#include "daemon/record/record_json.hpp"
#include "daemon/record/storage.hpp"
#include "daemon/record/stream_reader.hpp"

namespace cyclerd::record {
namespace {

namespace fs = std::filesystem;

std::string iso_utc(std::int64_t unix_us) {
  const auto seconds = static_cast<std::time_t>(unix_us / 1'000'000);
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:06}Z", utc, unix_us % 1'000'000);
}

// A part of the file's name: the double underscore separates parts, so it is not allowed inside one.
std::string name_part(std::string_view text, std::string_view absent) {
  std::string out;
  for (const char c : text) {
    const bool safe = std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '.';
    out += safe ? c : '-';
  }
  return out.empty() ? std::string(absent) : out;
}

std::string sidecar_of(const std::string& csv_path) {
  constexpr std::string_view kBdf = ".bdf.csv";
  constexpr std::string_view kCsv = ".csv";
  const std::size_t cut = csv_path.ends_with(kBdf) ? kBdf.size() : kCsv.size();
  return csv_path.substr(0, csv_path.size() - cut) + ".bdf.metadata.json";
}

std::string choose_path(const Json& about, const std::string& out, const ExportOptions& options) {
  if (out.ends_with(".csv")) return out;
  const std::string institution =
      name_part(!options.institution.empty() ? options.institution : text_at(about, "/metadata/institution"), "Lab");
  const std::string cell = name_part(
      !options.cell.empty() ? options.cell : text_at(about, "/metadata/cell/name", text_at(about, "/metadata/cell")),
      "cell");
  const auto seconds = static_cast<std::time_t>(number_at<std::int64_t>(about, "/started_unix_us") / 1'000'000);
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  for (int n = 1;; ++n) {
    std::string path = fmt::format("{}/{}__{}__{:%Y%m%d}_{:03}.bdf.csv", out, institution, cell, utc, n);
    if (!fs::exists(path)) return path;
    const auto text = read_text(sidecar_of(path));
    const Json other = text ? parse_or_null(*text) : Json();
    if (other.is_object() &&
        number_at<std::uint64_t>(other, "/test/number") == number_at<std::uint64_t>(about, "/test") &&
        number_at<std::uint64_t>(other, "/test/number") != 0) {
      return path;
    }
  }
}

// BattINFO's words for what may deviate.
const char* deviation_category(const std::string& kind) {
  if (kind == "trip") return "out_of_tolerance";
  if (kind == "fault") return "equipment_failure";
  if (kind == "gap") return "communication_loss";
  if (kind == "pause") return "operator_intervention";
  if (kind == "overrun") return "software_error";
  if (kind == "profile_change") return "parameter_drift";
  return nullptr;
}

Json deviations(const Json& about, const std::vector<Json>& events) {
  Json out = Json::array();
  for (const Json& event : events) {
    const char* category = deviation_category(text_at(event, "/kind"));
    if (category == nullptr) continue;
    Json d = {{"category", category},
              {"type", text_at(event, "/kind")},
              {"occurred_at", iso_utc(static_cast<std::int64_t>(number_at<double>(event, "/unix_time_s") * 1e6))},
              {"impact", text_at(event, "/kind") == "trip" ? "major" : "minor"},
              {"text", fmt::format("{} {}", text_at(event, "/subject"), text_at(event, "/text"))}};
    out.push_back(std::move(d));
  }
  const std::string state = text_at(about, "/state");
  if (state == "interrupted" || state == "stopped" || state == "failed" || state == "tripped") {
    out.push_back({{"category", "premature_termination"},
                   {"type", state},
                   {"occurred_at", iso_utc(number_at<std::int64_t>(about, "/ended_unix_us"))},
                   {"impact", "major"},
                   {"text", text_at(about, "/reason")}});
  }
  return out;
}

Json artifact(const std::string& path, const char* role) {
  const auto bytes = read_bytes(path);
  if (!bytes) return nullptr;
  return {{"role", role},
          {"file", fs::path(path).filename().string()},
          {"bytes", bytes->size()},
          {"sha256", sha256_hex(*bytes)}};
}

Json member(const Json& metadata, const char* key) {
  return metadata.is_object() && metadata.contains(key) ? metadata[key] : Json();
}

Json describe_test(const Json& about, const std::vector<Json>& events) {
  const Json metadata = member(about, "metadata");
  const std::string state = text_at(about, "/state");
  const std::string status = state == "running" || state == "completed" ? state : "aborted";
  Json found = deviations(about, events);
  const std::string conformance = found.empty() ? "conformant" : "deviating";
  const std::int64_t ended = number_at<std::int64_t>(about, "/ended_unix_us");
  return {{"id", fmt::format("cyclerd-{}", number_at<std::uint64_t>(about, "/test"))},
          {"number", number_at<std::uint64_t>(about, "/test")},
          {"name", text_at(metadata, "/name", text_at(metadata, "/profile/title"))},
          {"kind", text_at(metadata, "/kind", "cycling")},
          {"cell_id", text_at(metadata, "/cell/name", text_at(metadata, "/cell"))},
          {"channel_id", text_at(metadata, "/channel/name", text_at(metadata, "/channel"))},
          {"protocol_id", text_at(metadata, "/profile/canonical_sha256")},
          {"status", status},
          {"state", state},
          {"reason", text_at(about, "/reason")},
          {"started_at", iso_utc(number_at<std::int64_t>(about, "/started_unix_us"))},
          {"ended_at", ended == 0 ? Json() : Json(iso_utc(ended))},
          {"conformance", {{"status", conformance}, {"deviations", std::move(found)}}}};
}

Json sidecar(const Json& about, const std::string& folder, const Exported& exported) {
  const Json metadata = member(about, "metadata");
  const std::vector<Json> events = read_lines(folder + "/events.jsonl");
  Json columns = Json::array();
  for (const auto& c : BdfCsv::describe()) {
    columns.push_back({{"name", c.name}, {"quantity", c.quantity}, {"unit", c.unit}});
  }
  Json anchors = Json::array();
  anchors.push_back({{"mono_us", number_at<std::int64_t>(about, "/started_mono_us")},
                     {"unix_us", number_at<std::int64_t>(about, "/started_unix_us")}});
  for (const Json& e : events) {
    if (text_at(e, "/kind") == "clock") {
      anchors.push_back({{"mono_us", e.value("mono_us", std::int64_t{0})},
                         {"unix_us", static_cast<std::int64_t>(number_at<double>(e, "/unix_time_s") * 1e6)},
                         {"text", text_at(e, "/text")}});
    }
  }
  Json artifacts = Json::array();
  for (const auto& [file, role] :
       {std::pair{exported.csv_path, "vendor_export"}, std::pair{folder + "/profile.toml", "source_protocol"},
        std::pair{folder + "/rows.arrows", "raw_data"}, std::pair{folder + "/events.jsonl", "event_log"}}) {
    if (Json a = artifact(file, role); !a.is_null()) artifacts.push_back(std::move(a));
  }
  Json amendments = Json::array();
  for (Json& entry : amendments_of(about)) {
    if (Json a = artifact(folder + "/" + text_at(entry, "/file"), "source_protocol"); !a.is_null())
      artifacts.push_back(std::move(a));
    entry["occurred_at"] = iso_utc(number_at<std::int64_t>(entry, "/unix_time_us"));
    amendments.push_back(std::move(entry));
  }
  Json protocol = member(metadata, "profile");
  Json limits = protocol.is_object() && protocol.contains("limits") ? protocol["limits"] : Json();
  Json out = {{"format", "BDF metadata"},
              {"bdf_version", "1.3.0"},
              {"test", describe_test(about, events)},
              {"test_protocol", std::move(protocol)},
              {"amendments", std::move(amendments)},
              {"equipment", member(metadata, "devices")},
              {"station", member(metadata, "station")},
              {"software", member(metadata, "software")},
              {"cell", member(metadata, "cell")},
              {"operator", member(metadata, "operator")},
              {"limits", std::move(limits)},
              {"clock_anchors", std::move(anchors)},
              {"columns", std::move(columns)},
              {"rows", exported.rows},
              {"damage", exported.warnings},
              {"artifacts", std::move(artifacts)}};
  return out;
}

base::Status write_csv(const std::string& folder, const Json& about, Exported& exported) {
  TRY_ASSIGN(const std::vector<std::byte> bytes, read_bytes(folder + "/rows.arrows"));
  const std::string temporary = exported.csv_path + ".tmp";
  TRY_ASSIGN(File file, File::open(temporary, O_WRONLY | O_CREAT | O_TRUNC));
  BdfCsv csv{StepTypes(about)};
  std::string text = BdfCsv::header();
  std::uint64_t offset = 0;
  int error = 0;
  const auto write = [&] {
    if (error == 0) error = Storage::system().write_at(file.fd(), std::as_bytes(std::span(text)), offset);
    offset += text.size();
    text.clear();
  };
  const StreamReport report = read_stream(bytes, [&](std::span<const TableRow> rows) {
    csv.append(rows, text);
    if (text.size() > (1U << 20)) write();
  });
  write();
  if (error == 0 && ::fsync(file.fd()) != 0) error = errno;
  if (error == 0 && ::rename(temporary.c_str(), exported.csv_path.c_str()) != 0) error = errno;
  if (error != 0) {
    ::unlink(temporary.c_str());
    return disk_failure(exported.csv_path, "write of the export", error);
  }
  exported.rows = report.rows;
  exported.warnings = report.damage;
  if (!report.has_schema && bytes.size() > 0) exported.warnings.emplace_back("rows.arrows has no readable schema");
  return {};
}

}  // namespace

base::Result<Exported> export_bdf_csv(const std::string& test_folder, const std::string& out,
                                      const ExportOptions& options) {
  TRY_ASSIGN(const std::string text, read_text(test_folder + "/test.json"));
  const Json about = parse_or_null(text);
  if (!about.is_object()) {
    return base::failure(base::ErrorCode::invalid, "test.json", test_folder + "/test.json holds no JSON object");
  }
  const fs::path parent = out.ends_with(".csv") ? fs::path(out).parent_path() : fs::path(out);
  if (!parent.empty()) TRY(make_directories(parent.string(), false));
  Exported exported;
  exported.csv_path = choose_path(about, out, options);
  exported.metadata_path = sidecar_of(exported.csv_path);
  TRY(write_csv(test_folder, about, exported));
  TRY(write_atomically(exported.metadata_path, dump(sidecar(about, test_folder, exported), 1) + "\n"));
  return exported;
}

}  // namespace cyclerd::record
