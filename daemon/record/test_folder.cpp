#include "daemon/record/test_folder.hpp"

#include <fcntl.h>
#include <fmt/chrono.h>
#include <fmt/format.h>

#include <cctype>
#include <ctime>
#include <filesystem>

#include "daemon/record/amendments.hpp"
#include "daemon/record/journal_reader.hpp"

namespace cyclerd::record {

namespace fs = std::filesystem;

base::Result<LineFile> LineFile::open(const std::string& path, const char* key, Storage& storage,
                                      std::vector<std::string>& report) {
  LineFile out;
  out.key_ = key;
  out.storage_ = &storage;
  TRY_ASSIGN(out.file_, File::open(path, O_RDWR | O_CREAT));
  TRY_ASSIGN(const std::string text, read_text(path));
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t end = text.find('\n', at);
    if (end == std::string::npos) break;
    const Json line = parse_or_null(std::string_view(text).substr(at, end - at));
    if (!line.is_object() || !line.contains(key) || !line[key].is_number_unsigned()) break;
    out.last_ = line[key].get<std::uint64_t>();
    ++out.lines_;
    at = end + 1;
  }
  if (at != text.size()) {
    report.push_back(fmt::format("{}: torn or damaged tail of {} bytes at offset {} cut off",
                                 fs::path(path).filename().string(), text.size() - at, at));
    TRY(out.file_.truncate(at));
  }
  out.offset_ = at;
  return out;
}

bool LineFile::push(Json line, std::uint64_t number) {
  if (number <= last_) return false;
  line[key_] = number;
  pending_ += dump(line);
  pending_ += '\n';
  last_ = number;
  ++lines_;
  return true;
}

base::Status LineFile::flush() {
  if (pending_.empty()) return {};
  if (const int e = storage_->write_at(file_.fd(), std::as_bytes(std::span(pending_)), offset_); e != 0) {
    TRY(file_.truncate(offset_));
    return disk_failure(file_.path(), "write", e);
  }
  offset_ += pending_.size();
  pending_.clear();
  return {};
}

base::Status LineFile::sync() {
  if (const int e = storage_->sync_data(file_.fd()); e != 0) return disk_failure(file_.path(), "fdatasync", e);
  return {};
}

namespace {

// Letters that are safe in a folder's name on every system.
std::string plain(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool safe = std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_' || c == '.';
    out += safe ? c : '_';
  }
  if (out.empty() || out.front() == '.') out.insert(out.begin(), '_');
  return out.substr(0, 48);
}

std::string channel_name(const Json& metadata, std::uint32_t channel) {
  if (metadata.is_object() && metadata.contains("channel")) {
    const Json& c = metadata["channel"];
    if (c.is_string()) return c.get<std::string>();
    if (c.is_object() && c.contains("name") && c["name"].is_string()) return c["name"].get<std::string>();
  }
  return fmt::format("ch{}", channel);
}

// Ids that are moments (Unix microseconds, since 2001) become a readable date; others stay numbers.
std::string folder_name(std::uint64_t test, const std::string& channel) {
  constexpr std::uint64_t kYear2001_us = 978'307'200'000'000;
  constexpr std::uint64_t kYear2200_us = 7'258'118'400'000'000;
  if (test < kYear2001_us || test > kYear2200_us) return fmt::to_string(test);
  const auto seconds = static_cast<std::time_t>(test / 1'000'000);
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  return fmt::format("{:%Y%m%d-%H%M%S}-{}", utc, plain(channel));
}

}  // namespace

base::Result<std::unique_ptr<TestFolder>> TestFolder::create(const std::string& state_dir,
                                                             const profiles::RecordHeader& header,
                                                             const profiles::TestBegin& begin,
                                                             std::string_view metadata, const FolderOptions& options,
                                                             std::vector<std::string>& report) {
  Json parsed = parse_or_null(metadata);
  const std::string base = state_dir + "/tests/" + folder_name(header.test, channel_name(parsed, header.channel));
  std::string path = base;
  for (int n = 2; fs::exists(path); ++n) path = fmt::format("{}-{}", base, n);
  TRY(make_directories(path, options.durable));

  std::unique_ptr<TestFolder> folder(new TestFolder);
  folder->path_ = path;
  folder->options_ = options;
  folder->channel_ = header.channel;
  folder->about_ = {{"format", 1},
                    {"test", header.test},
                    {"channel", header.channel},
                    {"state", "running"},
                    {"started_unix_us", begin.wall.us},
                    {"started_mono_us", begin.time.us},
                    {"metadata", parsed}};
  if (parsed.is_null() && !metadata.empty()) folder->about_["metadata_text"] = metadata;
  const Json::json_pointer text("/profile/text");
  if (parsed.is_object() && parsed.contains(text) && parsed[text].is_string()) {
    TRY(write_atomically(path + "/profile.toml", parsed[text].get<std::string>(), options.durable));
  }
  TRY(folder->write_about());
  TRY(folder->open_files(report));
  return folder;
}

base::Result<std::unique_ptr<TestFolder>> TestFolder::reopen(const std::string& path, const FolderOptions& options,
                                                             std::vector<std::string>& report) {
  std::unique_ptr<TestFolder> folder(new TestFolder);
  folder->path_ = path;
  folder->options_ = options;
  TRY_ASSIGN(const std::string text, read_text(path + "/test.json"));
  folder->about_ = parse_or_null(text);
  if (!folder->about_.is_object()) {
    return base::failure(base::ErrorCode::invalid, "test.json", path + "/test.json holds no JSON object");
  }
  folder->channel_ = folder->about_.value("channel", 0U);
  TRY(folder->open_files(report));
  return folder;
}

base::Status TestFolder::open_files(std::vector<std::string>& report) {
  Storage& storage = *options_.storage;
  const arrow::KeyValues metadata = {
      {"cyclerd.format", "1"},
      {"cyclerd.test", fmt::to_string(about_.value("test", std::uint64_t{0}))},
      {"cyclerd.channel", fmt::to_string(channel_)},
      {"cyclerd.started_unix_us", fmt::to_string(about_.value("started_unix_us", std::int64_t{0}))},
      {"bdf.version", "1.3.0"}};
  TRY_ASSIGN(rows_, RowStream::open(path_ + "/rows.arrows", metadata, options_.batch_rows, options_.batch_age, storage,
                                    report));
  TRY_ASSIGN(events_, LineFile::open(path_ + "/events.jsonl", "seq", storage, report));
  TRY_ASSIGN(steps_, LineFile::open(path_ + "/steps.jsonl", "seq", storage, report));
  TRY_ASSIGN(cycles_, LineFile::open(path_ + "/cycles.jsonl", "seq", storage, report));
  if (options_.durable) TRY(sync_directory(path_));
  return {};
}

base::Status TestFolder::write_about() {
  return write_atomically(path_ + "/test.json", dump(about_, 1) + "\n", options_.durable);
}

base::Status TestFolder::apply(const profiles::RecordHeader& header, std::span<const std::byte> payload,
                               base::MonoTime now) {
  using enum profiles::RecordKind;
  const auto malformed = [&] {
    return base::failure(base::ErrorCode::invalid, path_,
                         fmt::format("a frame of kind {} has {} bytes, not its kind's size; it stays in the journal",
                                     static_cast<int>(header.kind), payload.size()));
  };
  switch (header.kind) {
    case row: {
      profiles::Row value;
      return decode(payload, value) ? rows_.push(value, header.sequence, now) : base::Status(malformed());
    }
    case event: {
      base::Event value;
      if (!decode(payload, value)) return malformed();
      events_.push(to_json(value), header.sequence);
      return {};
    }
    case step_summary: {
      profiles::StepSummary value;
      if (!decode(payload, value)) return malformed();
      steps_.push(to_json(value, steps_at_sequence(about_, header.sequence)), header.sequence);
      return {};
    }
    case cycle_summary: {
      profiles::CycleSummary value;
      if (!decode(payload, value)) return malformed();
      cycles_.push(to_json(value), header.sequence);
      return {};
    }
    case amendment: {
      profiles::TestAmendment head;
      std::span<const std::byte> rest;
      if (!decode(payload, head, &rest) || rest.size() < head.metadata_bytes) return malformed();
      return amend(header, head, {reinterpret_cast<const char*>(rest.data()), head.metadata_bytes});
    }
    case test_end: {
      if (!decode(payload, end_)) return malformed();
      end_asked_ = true;
      return close();
    }
    default: return {};  // the journal alone keeps the others
  }
}

base::Status TestFolder::amend(const profiles::RecordHeader& header, const profiles::TestAmendment& head,
                               std::string_view about) {
  const std::vector<Json> known = amendments_of(about_);
  for (const Json& entry : known) {
    if (number_at<std::uint64_t>(entry, "/sequence") >= header.sequence) return {};  // told again by a recovery
  }
  about_["amendments"].push_back(amendment_entry(header, head, about, known.size() + 2));
  amendments_due_ = true;
  return write_amendments();
}

// Every text that is missing, then test.json, which names them.
base::Status TestFolder::write_amendments() {
  for (const Json& entry : amendments_of(about_)) {
    const std::string path = path_ + "/" + text_at(entry, "/file");
    if (fs::exists(path)) continue;
    TRY(write_atomically(path, text_at(entry, "/profile/text"), options_.durable));
  }
  TRY(write_about());
  amendments_due_ = false;
  return {};
}

base::Status TestFolder::write_due(base::MonoTime now) {
  if (amendments_due_) TRY(write_amendments());
  TRY(events_.flush());
  TRY(steps_.flush());
  TRY(cycles_.flush());
  TRY(rows_.write_due(now));
  return end_asked_ ? close() : base::Status{};  // again, when the disk refused the first time
}

base::Status TestFolder::suspend(std::string_view state, const std::vector<std::string>& notes) {
  TRY(events_.flush());
  TRY(steps_.flush());
  TRY(cycles_.flush());
  TRY(rows_.flush());
  if (options_.durable) {
    TRY(rows_.sync());
    TRY(events_.sync());
    TRY(steps_.sync());
    TRY(cycles_.sync());
  }
  about_["state"] = state;
  about_["rows"] = rows_.rows();
  about_["steps"] = steps_.lines();
  about_["cycles"] = cycles_.lines();
  for (const std::string& note : notes) about_["recovery"].push_back(note);
  return write_about();
}

base::Status TestFolder::close() {
  if (ended_) return {};
  TRY(rows_.finish());
  about_["ended_unix_us"] = end_.wall.us;
  about_["ended_mono_us"] = end_.time.us;
  about_["reason"] = end_.reason.view();
  TRY(suspend(profiles::to_string(end_.outcome), {}));
  ended_ = true;
  return {};
}

namespace {

// Among the folders whose names begin with `prefix`; only those are opened.
std::string find_among(const std::string& state_dir, std::uint64_t test, const std::string& prefix) {
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(state_dir + "/tests", ignored)) {
    if (!entry.path().filename().string().starts_with(prefix)) continue;
    const auto text = read_text((entry.path() / "test.json").string());
    if (!text) continue;
    const Json about = parse_or_null(*text);
    if (about.is_object() && about.contains("test") && about["test"].is_number_unsigned() &&
        about["test"].get<std::uint64_t>() == test) {
      return entry.path().string();
    }
  }
  return {};
}

}  // namespace

std::string find_test_folder(const std::string& state_dir, std::uint64_t test) {
  // A station may hold thousands of tests: the name says nearly always which one it is.
  const std::string expected = folder_name(test, "");
  std::string found = find_among(state_dir, test, expected.substr(0, expected.find_last_not_of('_') + 1));
  return found.empty() ? find_among(state_dir, test, "") : found;
}

}  // namespace cyclerd::record
