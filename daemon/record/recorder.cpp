#include "daemon/record/recorder.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <map>
#include <mutex>
#include <optional>

#include "daemon/record/journal_writer.hpp"
#include "daemon/record/recover.hpp"
#include "daemon/record/retention.hpp"
#include "daemon/record/test_folder.hpp"

namespace cyclerd::record {

using profiles::RecordHeader;
using profiles::RecordKind;

namespace {

constexpr std::size_t kMaxGroupBytes = 8U << 20;
constexpr base::Duration kFullDiskRetry = base::seconds(1);

// Someone waits for these: they are committed at once.
bool waits_for_commit(const RecordHeader& header, std::span<const std::byte> payload) {
  if (header.kind == RecordKind::test_begin || header.kind == RecordKind::test_end ||
      header.kind == RecordKind::checkpoint || header.kind == RecordKind::amendment) {
    return true;
  }
  base::Event event;
  if (header.kind != RecordKind::event || !decode(payload, event)) return false;
  using enum base::EventKind;
  return event.kind == pause || event.kind == resume || event.kind == acknowledge || event.kind == trip;
}

// The kinds that go from the journal into a test's files.
bool belongs_in_files(RecordKind kind) {
  using enum RecordKind;
  return kind == test_begin || kind == row || kind == event || kind == step_summary || kind == cycle_summary ||
         kind == test_end || kind == audit || kind == amendment;
}

}  // namespace

struct Recorder::Impl {
  // A frame of the group that is being gathered, on its way from the journal into the files.
  struct Waiting {
    RecordHeader header;
    std::uint64_t position = 0;
    std::size_t at = 0;
    std::size_t size = 0;
  };

  RecorderConfig config;
  base::FrameRing& ring;
  base::Clock& clock;
  FolderOptions folder_options;
  std::optional<JournalWriter> journal;
  Retention retention;
  std::map<std::uint64_t, std::unique_ptr<TestFolder>> tests;
  std::vector<InterruptedTest> interrupted;
  LineFile station;
  std::vector<std::string> report;
  std::function<void()> committed;

  std::vector<Waiting> group;
  std::vector<std::byte> group_bytes;
  bool urgent = false;
  bool unsettled = false;  // frames were added since the last commit
  std::uint64_t taken = 0;
  base::MonoTime last_commit;
  base::MonoTime retry_at;

  std::atomic<std::uint64_t> durable{0};
  std::atomic<std::uint64_t> beats{0};
  mutable std::mutex trouble_mutex;
  std::string journal_trouble;
  std::map<std::string, std::string> file_trouble;  // by folder

  Impl(RecorderConfig c, base::FrameRing& r, base::Clock& k)
      : config(std::move(c)), ring(r), clock(k), retention(config.state_dir + "/journal") {}

  base::Status start();
  base::Status record_recovery();
  void drain(base::MonoTime now);
  bool take(const RecordHeader& header, std::span<const std::byte> payload, base::MonoTime now);
  void commit(base::MonoTime now);
  void distribute(const RecordHeader& header, std::uint64_t position, std::span<const std::byte> payload,
                  base::MonoTime now);
  void begin_test(const RecordHeader& header, std::span<const std::byte> payload, base::MonoTime now);
  void write_files(base::MonoTime now);
  void on_journal_failure(const base::Error& error, base::MonoTime now);
  void note_files(const std::string& where, const base::Status& status);
  bool make_ballast();

  [[nodiscard]] std::string ballast_path() const { return config.state_dir + "/ballast.bin"; }
  void set_journal_trouble(std::string text) {
    const std::lock_guard lock(trouble_mutex);
    journal_trouble = std::move(text);
  }
};

// Real bytes, not a hole: on a full disk they are the room in which the reason is written.
bool Recorder::Impl::make_ballast() {
  if (config.ballast_bytes == 0 || std::filesystem::exists(ballast_path())) return true;
  auto file = File::open(ballast_path(), O_WRONLY | O_CREAT);
  if (!file) return false;
  const std::vector<std::byte> bytes(config.ballast_bytes, std::byte{0xB5});
  const bool ok = config.storage->write_at(file->fd(), bytes, 0) == 0 && config.storage->sync_data(file->fd()) == 0;
  if (!ok) ::unlink(ballast_path().c_str());
  return ok;
}

base::Status Recorder::Impl::start() {
  if (config.storage == nullptr) config.storage = &Storage::system();
  folder_options = {config.batch_rows, config.batch_age, config.durable, config.storage};
  TRY(make_directories(config.state_dir + "/tests", config.durable));
  last_commit = clock.now();
  if (!config.durable) {
    TRY_ASSIGN(station, LineFile::open(config.state_dir + "/events.jsonl", "at", *config.storage, report));
    return {};
  }
  if (!make_ballast()) {
    set_journal_trouble("no room for the ballast file (" + ballast_path() + "); free space on this file system");
  }
  TRY_ASSIGN(Recovered recovered, recover(config.state_dir, folder_options, clock));
  report = std::move(recovered.report);
  interrupted = std::move(recovered.interrupted);
  retention.load(std::move(recovered.segments));
  TRY_ASSIGN(station, LineFile::open(config.state_dir + "/events.jsonl", "at", *config.storage, report));
  TRY_ASSIGN(JournalWriter writer, JournalWriter::open({config.state_dir + "/journal", config.segment_bytes,
                                                        recovered.next_segment, recovered.next_group, config.storage},
                                                       clock.wall()));
  journal.emplace(std::move(writer));
  return record_recovery();
}

base::Status Recorder::Impl::record_recovery() {
  for (const std::string& text : report) {
    base::Event event;
    event.time = clock.now();
    event.wall = clock.wall();
    event.kind = base::EventKind::note;
    event.subject = "recovery";
    event.text = std::string_view(text);
    RecordHeader header;
    header.kind = RecordKind::event;
    const auto payload = std::as_bytes(std::span(&event, 1));
    TRY(journal->add(header, payload, clock.wall()));
    distribute(header, journal->last_position(), payload, clock.now());
  }
  TRY(journal->commit());
  TRY(station.flush());
  retention.uses(journal->segment(), 0);
  return {};
}

void Recorder::Impl::note_files(const std::string& where, const base::Status& status) {
  const std::lock_guard lock(trouble_mutex);
  if (status) {
    file_trouble.erase(where);
  } else {
    file_trouble[where] = status.error().text();
  }
}

void Recorder::Impl::begin_test(const RecordHeader& header, std::span<const std::byte> payload, base::MonoTime now) {
  profiles::TestBegin begin;
  std::span<const std::byte> rest;
  if (!decode(payload, begin, &rest) || tests.contains(header.test)) return;
  (void)now;
  // What was interrupted on this channel cannot be resumed any more: its files are whole, its journal may go.
  for (const InterruptedTest& old : interrupted) {
    if (old.channel == header.channel) retention.released(old.test);
  }
  std::erase_if(interrupted, [&](const InterruptedTest& old) { return old.channel == header.channel; });
  std::vector<std::string> ignored;
  auto folder = TestFolder::create(config.state_dir, header, begin,
                                   {reinterpret_cast<const char*>(rest.data()), rest.size()}, folder_options, ignored);
  if (!folder) {
    note_files(fmt::format("test {}", header.test), std::unexpected(folder.error()));
    return;
  }
  tests[header.test] = std::move(*folder);
}

void Recorder::Impl::distribute(const RecordHeader& header, std::uint64_t position, std::span<const std::byte> payload,
                                base::MonoTime now) {
  if (header.test == 0) {
    note_files("station events", append_station_line(station, {header, position, 0, payload}));
    return;
  }
  if (header.kind == RecordKind::test_begin) {
    begin_test(header, payload, now);
    return;
  }
  const auto it = tests.find(header.test);
  if (it == tests.end()) return;
  if (const base::Status status = it->second->apply(header, payload, now); !status) {
    const bool malformed = status.error().code == base::ErrorCode::invalid;
    note_files(it->second->path() + (malformed ? " frames" : ""), status);
  }
  if (it->second->ended()) {
    retention.released(header.test);
    tests.erase(it);
  }
}

// False when the frame must stay in the ring.
bool Recorder::Impl::take(const RecordHeader& header, std::span<const std::byte> payload, base::MonoTime now) {
  if (!journal) {
    distribute(header, ++taken, payload, now);
    return true;
  }
  if (const base::Status status = journal->add(header, payload, clock.wall()); !status) {
    on_journal_failure(status.error(), now);
    return false;
  }
  retention.uses(journal->segment(), header.test);
  if (belongs_in_files(header.kind)) {
    group.push_back({header, journal->last_position(), group_bytes.size(), payload.size()});
    group_bytes.insert(group_bytes.end(), payload.begin(), payload.end());
  }
  urgent = urgent || waits_for_commit(header, payload);
  unsettled = true;
  ++taken;
  return true;
}

void Recorder::Impl::drain(base::MonoTime now) {
  std::size_t bytes = 0;
  while (bytes < kMaxGroupBytes) {
    const std::span<const std::byte> frame = ring.peek();
    if (frame.data() == nullptr) return;
    RecordHeader header;
    if (frame.size() >= sizeof header) {
      std::memcpy(&header, frame.data(), sizeof header);
      if (!take(header, frame.subspan(sizeof header), now)) return;
    } else {
      note_files("ring", base::failure(base::ErrorCode::invalid, "record ring", "a frame shorter than its header"));
      ++taken;
    }
    bytes += frame.size();
    ring.release();
  }
}

void Recorder::Impl::on_journal_failure(const base::Error& error, base::MonoTime now) {
  if (journal->dead()) {
    set_journal_trouble("the store is dead, nothing is recorded any more: " + error.text() +
                        "; make safe, mend the disk, restart the daemon");
    return;
  }
  retry_at = now + kFullDiskRetry;
  const bool freed = ::unlink(ballast_path().c_str()) == 0;
  if (freed) {
    // Smaller segments fit into what the ballast gave up.
    journal->set_segment_bytes(std::min(config.segment_bytes, std::max<std::size_t>(config.ballast_bytes / 4, 65536)));
    retry_at = now;
  }
  set_journal_trouble(fmt::format("the disk is full{}: {}",
                                  freed ? ", the ballast was given up to write this down" : "", error.text()));
  if (!freed) return;
  base::Event event;
  event.time = now;
  event.wall = clock.wall();
  event.kind = base::EventKind::fault;
  event.subject = "disk";
  event.text = "the disk is full; free space, then restart the daemon";
  RecordHeader header;
  header.kind = RecordKind::event;
  const auto payload = std::as_bytes(std::span(&event, 1));
  if (journal->add(header, payload, clock.wall())) {
    group.push_back({header, journal->last_position(), group_bytes.size(), payload.size()});
    group_bytes.insert(group_bytes.end(), payload.begin(), payload.end());
    unsettled = true;
    urgent = true;
  }
}

void Recorder::Impl::commit(base::MonoTime now) {
  if (const base::Status status = journal->commit(); !status) {
    on_journal_failure(status.error(), now);
    return;
  }
  last_commit = now;
  urgent = false;
  unsettled = false;
  for (const Waiting& w : group) {
    distribute(w.header, w.position, std::span(group_bytes).subspan(w.at, w.size), now);
  }
  group.clear();
  group_bytes.clear();
  durable.store(taken, std::memory_order_release);
  if (committed) committed();
}

void Recorder::Impl::write_files(base::MonoTime now) {
  for (auto it = tests.begin(); it != tests.end();) {
    note_files(it->second->path(), it->second->write_due(now));
    if (it->second->ended()) {
      retention.released(it->first);
      it = tests.erase(it);
    } else {
      ++it;
    }
  }
  note_files("station events", station.flush());
}

base::Result<std::unique_ptr<Recorder>> Recorder::open(RecorderConfig config, base::FrameRing& ring,
                                                       base::Clock& clock) {
  auto impl = std::make_unique<Impl>(std::move(config), ring, clock);
  TRY(impl->start());
  return std::unique_ptr<Recorder>(new Recorder(std::move(impl)));
}

Recorder::Recorder(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Recorder::~Recorder() = default;

base::MonoTime Recorder::run_once() {
  Impl& m = *impl_;
  const base::MonoTime now = m.clock.now();
  m.beats.fetch_add(1, std::memory_order_relaxed);
  const std::uint64_t before = m.taken;
  const bool alive = !m.journal || !m.journal->dead();
  // A dead store takes nothing more: the ring fills, and the cycle pauses its tests.
  if (alive && now >= m.retry_at) m.drain(now);
  if (m.journal) {
    const bool due =
        m.urgent || now >= m.last_commit + m.config.commit_interval || m.group_bytes.size() > kMaxGroupBytes;
    if (m.unsettled && due && !m.journal->dead()) m.commit(now);
  } else if (m.taken != before) {
    m.durable.store(m.taken, std::memory_order_release);
    if (m.committed) m.committed();
  }
  m.write_files(now);
  if (m.journal && !m.journal->dead()) {
    if (m.journal->half_full() && now >= m.retry_at) {
      if (const base::Status status = m.journal->prepare_next(m.clock.wall()); !status) {
        m.on_journal_failure(status.error(), now);
      }
    }
    if (m.retention.any_unneeded() && m.station.flush() && m.station.sync()) m.retention.remove_unneeded();
  }
  return now + std::min(m.config.commit_interval, m.config.poll_interval);
}

void Recorder::finish() {
  Impl& m = *impl_;
  const base::MonoTime now = m.clock.now();
  for (std::uint64_t before = ~std::uint64_t{0}; before != m.taken;) {
    before = m.taken;
    (void)run_once();
  }
  if (m.journal && !m.journal->dead()) {
    if (m.unsettled) m.commit(now);
    if (!m.journal->dead()) (void)m.journal->close(m.clock.wall());
  }
  m.write_files(now);
  for (auto& [id, folder] : m.tests) m.note_files(folder->path(), folder->suspend("running", {}));
  m.tests.clear();
}

std::uint64_t Recorder::durable_frames() const noexcept {
  return impl_->durable.load(std::memory_order_acquire);
}

void Recorder::on_commit(std::function<void()> callback) {
  impl_->committed = std::move(callback);
}

std::string Recorder::trouble() const {
  const std::lock_guard lock(impl_->trouble_mutex);
  std::string text = impl_->journal_trouble;
  for (const auto& [where, what] : impl_->file_trouble) {
    if (!text.empty()) text += "; ";
    text += what;
  }
  return text;
}

std::uint64_t Recorder::heartbeat() const noexcept {
  return impl_->beats.load(std::memory_order_relaxed);
}

const std::vector<std::string>& Recorder::recovery_report() const noexcept {
  return impl_->report;
}

}  // namespace cyclerd::record
