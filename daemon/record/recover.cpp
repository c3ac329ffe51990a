#include "daemon/record/recover.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

namespace cyclerd::record {
namespace {

namespace fs = std::filesystem;
using profiles::RecordKind;

struct Seen {
  std::uint32_t channel = 0;
  bool begun = false;
  bool ended = false;
  std::uint64_t first_position = 0;
  std::uint64_t last_sequence = 0;
  std::uint64_t missing = 0;
  profiles::RecordHeader header;
  profiles::TestBegin begin;
  std::string metadata;
  std::set<std::uint32_t> segments;
};
using SeenTests = std::map<std::uint64_t, Seen>;

void look_at(SeenTests& tests, const JournalFrame& f) {
  if (f.header.test == 0) return;
  Seen& t = tests[f.header.test];
  if (t.segments.empty()) t.first_position = f.position;
  t.segments.insert(static_cast<std::uint32_t>(f.position >> 32));
  t.channel = f.header.channel;
  if (t.last_sequence != 0 && f.header.sequence > t.last_sequence + 1) {
    t.missing += f.header.sequence - t.last_sequence - 1;
  }
  t.last_sequence = std::max(t.last_sequence, f.header.sequence);
  if (f.header.kind == RecordKind::test_end) t.ended = true;
  if (f.header.kind == RecordKind::test_begin) {
    std::span<const std::byte> rest;
    if (decode(f.payload, t.begin, &rest)) {
      t.begun = true;
      t.header = f.header;
      t.metadata.assign(reinterpret_cast<const char*>(rest.data()), rest.size());
    }
  }
}

// Zeroes what follows the last whole frame, so that no later reading takes it for frames.
base::Status cut_tail(const std::string& path, const SegmentReport& segment) {
  TRY_ASSIGN(File file, File::open(path, O_RDWR));
  const std::vector<std::byte> zeros(static_cast<std::size_t>(segment.dropped_bytes));
  if (const int e = Storage::system().write_at(file.fd(), zeros, segment.used_bytes); e != 0) {
    return disk_failure(path, "cutting the torn tail", e);
  }
  if (const int e = Storage::system().sync_data(file.fd()); e != 0) return disk_failure(path, "fdatasync", e);
  return {};
}

// Segments that were prepared and never used, and half-made ones.
void remove_unused(const std::string& directory, const JournalReport& report) {
  const std::uint32_t newest = report.segments.empty() ? 0 : report.segments.back().number;
  for (std::uint32_t n = newest + 1; n <= report.highest_segment; ++n) {
    ::unlink((directory + "/" + segment_name(n)).c_str());
  }
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(directory, ignored)) {
    if (entry.path().extension() == ".tmp") ::unlink(entry.path().c_str());
  }
}

bool is_final(const std::string& state) {
  return !state.empty() && state != "running" && state != "interrupted";
}

std::string state_in(const std::string& folder) {
  const auto text = read_text(folder + "/test.json");
  if (!text) return {};
  const Json about = parse_or_null(*text);
  return about.is_object() ? about.value("state", "") : "";
}

struct Rebuild {
  std::unique_ptr<TestFolder> folder;
  std::vector<std::string> notes;
};

base::Result<Rebuild> open_for_rebuild(const std::string& state_dir, std::uint64_t test, const Seen& seen,
                                       const FolderOptions& options) {
  Rebuild out;
  const std::string path = find_test_folder(state_dir, test);
  if (!path.empty()) {
    TRY_ASSIGN(out.folder, TestFolder::reopen(path, options, out.notes));
  } else if (seen.begun) {
    TRY_ASSIGN(out.folder, TestFolder::create(state_dir, seen.header, seen.begin, seen.metadata, options, out.notes));
    out.notes.push_back("the folder was missing and was made again from the journal");
  } else {
    out.notes.push_back("neither its beginning nor its folder was found; its frames stay in the journal");
  }
  if (seen.missing != 0) out.notes.push_back(fmt::format("{} frames of it are missing in the journal", seen.missing));
  return out;
}

// Brings the files of every test that is not final up to date.
base::Status rebuild_tests(const std::string& state_dir, const SeenTests& tests, const FolderOptions& options,
                           const base::Clock& clock, LineFile& station, Recovered& out) {
  std::map<std::uint64_t, Rebuild> open;
  for (const auto& [id, seen] : tests) {
    const std::string folder = find_test_folder(state_dir, id);
    if (!folder.empty() && is_final(state_in(folder))) continue;
    TRY_ASSIGN(open[id], open_for_rebuild(state_dir, id, seen, options));
  }
  std::vector<std::string> problems;
  TRY(scan_journal(state_dir + "/journal", [&](const JournalFrame& f) {
    base::Status status;
    if (f.header.test == 0) {
      status = append_station_line(station, f);
    } else if (const auto it = open.find(f.header.test); it != open.end() && it->second.folder) {
      status = it->second.folder->apply(f.header, f.payload, clock.now());
    }
    if (!status && problems.size() < 20) problems.push_back(status.error().text());
  }));
  TRY(station.flush());
  TRY(station.sync());
  for (auto& [id, rebuild] : open) {
    const Seen& seen = tests.at(id);
    if (rebuild.folder && !rebuild.folder->ended()) {
      TRY(rebuild.folder->suspend("interrupted", rebuild.notes));
      const bool replaced = std::any_of(tests.begin(), tests.end(), [&](const auto& other) {
        return other.second.channel == seen.channel && other.second.first_position > seen.first_position;
      });
      if (!replaced) out.interrupted.push_back({id, seen.channel, rebuild.folder->path()});
    }
    for (const std::string& note : rebuild.notes) out.report.push_back(fmt::format("test {}: {}", id, note));
  }
  out.report.insert(out.report.end(), problems.begin(), problems.end());
  return {};
}

}  // namespace

base::Status append_station_line(LineFile& file, const JournalFrame& frame) {
  if (frame.header.kind == RecordKind::audit) {
    Json line = parse_or_null({reinterpret_cast<const char*>(frame.payload.data()), frame.payload.size()});
    if (!line.is_object()) line = {{"text", "unreadable audit record"}};
    line["kind"] = "audit";
    file.push(std::move(line), frame.position);
  }
  base::Event event;
  if (frame.header.kind == RecordKind::event && decode(frame.payload, event)) file.push(to_json(event), frame.position);
  return {};
}

base::Result<Recovered> recover(const std::string& state_dir, const FolderOptions& options, const base::Clock& clock) {
  Recovered out;
  const std::string directory = state_dir + "/journal";
  SeenTests tests;
  TRY_ASSIGN(const JournalReport journal, scan_journal(directory, [&](const JournalFrame& f) { look_at(tests, f); }));
  for (const SegmentReport& segment : journal.segments) {
    if (segment.dropped_bytes != 0) TRY(cut_tail(directory + "/" + segment_name(segment.number), segment));
  }
  remove_unused(directory, journal);
  out.report = journal.texts();
  out.next_segment = (journal.segments.empty() ? 0 : journal.segments.back().number) + 1;
  out.next_group = journal.last_group + 1;

  TRY_ASSIGN(LineFile station, LineFile::open(state_dir + "/events.jsonl", "at", *options.storage, out.report));
  TRY(rebuild_tests(state_dir, tests, options, clock, station, out));
  for (const SegmentReport& segment : journal.segments) out.segments[segment.number];
  for (const InterruptedTest& t : out.interrupted) {
    for (const std::uint32_t s : tests.at(t.test).segments) out.segments[s].insert(t.test);
    out.report.push_back(fmt::format(
        "test {} on channel {} was interrupted; its files were made whole from the journal", t.test, t.channel));
  }
  return out;
}

}  // namespace cyclerd::record
