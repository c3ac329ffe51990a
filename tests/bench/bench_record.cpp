// Rows per second through the whole record (ring, journal with CRC and group commit, live stream) and bytes per row,
// against SQLite (WAL, synchronous=FULL, one transaction per commit) with the same rows in the same run. Prints one
// JSON object.
#include <fmt/core.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

#include "daemon/record/recorder.hpp"
#include "profiles/record.hpp"
#include "protocols/base/clock.hpp"
#include "protocols/base/ring.hpp"

namespace {

namespace fs = std::filesystem;
using namespace cyclerd;

constexpr std::uint64_t kTest = 1'700'000'000'000'001;
constexpr std::size_t kRowsPerCommit = 6400;  // 64 channels at 1 kHz, 100 ms

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto s = [](timeval t) { return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6; };
  return s(usage.ru_utime) + s(usage.ru_stime);
}

// A row as a Modbus cycler gives it: float32 values, a few digits of noise, time stamps with jitter.
profiles::Row make_row(std::uint64_t i) {
  profiles::Row row;
  row.record_index = i + 1;
  row.test_time_us = static_cast<std::int64_t>(i) * 1000 + static_cast<std::int64_t>((i * 7919) % 41);
  row.unix_time_us = 1'700'000'000'000'000 + row.test_time_us;
  row.step_time_us = row.test_time_us;
  row.uncertainty_us = 80;
  row.step_count = 1;
  row.cycle_count = 1;
  row.voltage_V =
      std::round((3.7 + 0.1 * std::sin(static_cast<double>(i) * 1e-5)) * 1e4 + static_cast<double>((i * 31) % 3)) *
      1e-4;
  row.current_A = std::round(2500.0 + static_cast<double>((i * 17) % 5)) * 1e-3;
  row.temperature_degC = 25.0 + static_cast<double>((i / 1000) % 10) * 0.1;
  row.chamber_degC = 25.0;
  row.setpoint = 2.5;
  row.test.charge_C = static_cast<double>(i) * 0.0025;
  row.test.charge_J = row.test.charge_C * 3.7;
  row.step = row.test;
  row.cycle = row.test;
  return row;
}

std::uintmax_t bytes_below(const fs::path& folder, const char* ending) {
  std::uintmax_t sum = 0;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file() && entry.path().string().ends_with(ending)) sum += entry.file_size();
  }
  return sum;
}

struct Measured {
  double cpu_s = 0.0;
  double bytes_per_row = 0.0;
};

Measured run_recorder(const fs::path& folder, std::size_t rows) {
  base::FrameRing ring(64U << 20);
  base::VirtualClock clock;
  record::RecorderConfig config;
  config.state_dir = folder.string();
  config.commit_interval = base::milliseconds(100);
  auto recorder = record::Recorder::open(config, ring, clock);
  if (!recorder) {
    fmt::print(stderr, "{}\n", recorder.error().text());
    std::exit(1);
  }
  std::uint64_t sequence = 0;
  std::vector<std::byte> frame;
  const auto push = [&](profiles::RecordKind kind, const void* payload, std::size_t size, std::string_view text) {
    profiles::RecordHeader header;
    header.kind = kind;
    header.test = kTest;
    header.sequence = ++sequence;
    frame.resize(sizeof header + size + text.size());
    std::memcpy(frame.data(), &header, sizeof header);
    std::memcpy(frame.data() + sizeof header, payload, size);
    if (!text.empty()) std::memcpy(frame.data() + sizeof header + size, text.data(), text.size());
    if (!ring.push(frame)) std::exit(2);
  };
  const std::string metadata = R"({"profile":{"name":"bench","text":""}})";
  profiles::TestBegin begin;
  begin.metadata_bytes = static_cast<std::uint32_t>(metadata.size());
  push(profiles::RecordKind::test_begin, &begin, sizeof begin, metadata);
  (*recorder)->run_once();
  const double before_s = cpu_seconds();
  for (std::size_t i = 0; i < rows; ++i) {
    const profiles::Row row = make_row(i);
    push(profiles::RecordKind::row, &row, sizeof row, {});
    if ((i + 1) % kRowsPerCommit == 0) {
      clock.advance(base::milliseconds(100));
      (*recorder)->run_once();
    }
  }
  (*recorder)->finish();
  Measured m;
  m.cpu_s = cpu_seconds() - before_s;
  m.bytes_per_row = static_cast<double>(bytes_below(folder, ".arrows")) / static_cast<double>(rows);
  return m;
}

Measured run_sqlite(const fs::path& folder, std::size_t rows) {
  const std::string file = (folder / "rows.db").string();
  sqlite3* db = nullptr;
  sqlite3_open(file.c_str(), &db);
  const auto exec = [&](const char* sql) {
    if (sqlite3_exec(db, sql, nullptr, nullptr, nullptr) != SQLITE_OK) {
      fmt::print(stderr, "sqlite: {}\n", sqlite3_errmsg(db));
      std::exit(1);
    }
  };
  exec("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;");
  exec(
      "CREATE TABLE rows(i INTEGER PRIMARY KEY, t INTEGER, u INTEGER, st INTEGER, unc INTEGER, sc INTEGER, cc INTEGER,"
      "v REAL, c REAL, temp REAL, ch REAL, sp REAL, tc REAL, td REAL, tcj REAL, tdj REAL)");
  sqlite3_stmt* insert = nullptr;
  sqlite3_prepare_v2(db, "INSERT INTO rows VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)", -1, &insert, nullptr);
  const double before_s = cpu_seconds();
  exec("BEGIN");
  for (std::size_t i = 0; i < rows; ++i) {
    const profiles::Row row = make_row(i);
    const std::int64_t integers[] = {static_cast<std::int64_t>(row.record_index),
                                     row.test_time_us,
                                     row.unix_time_us,
                                     row.step_time_us,
                                     row.uncertainty_us,
                                     row.step_count,
                                     row.cycle_count};
    const double reals[] = {row.voltage_V,        row.current_A,     row.temperature_degC,
                            row.chamber_degC,     row.setpoint,      row.test.charge_C,
                            row.test.discharge_C, row.test.charge_J, row.test.discharge_J};
    int column = 1;
    for (const std::int64_t x : integers) sqlite3_bind_int64(insert, column++, x);
    for (const double x : reals) sqlite3_bind_double(insert, column++, x);
    sqlite3_step(insert);
    sqlite3_reset(insert);
    if ((i + 1) % kRowsPerCommit == 0) exec("COMMIT; BEGIN");
  }
  exec("COMMIT");
  Measured m;
  m.cpu_s = cpu_seconds() - before_s;
  sqlite3_finalize(insert);
  exec("PRAGMA wal_checkpoint(TRUNCATE)");
  sqlite3_close(db);
  m.bytes_per_row = static_cast<double>(fs::file_size(file)) / static_cast<double>(rows);
  return m;
}

}  // namespace

int main(int argc, char** argv) {
  const std::size_t rows = argc > 1 ? static_cast<std::size_t>(std::atoll(argv[1])) : 320'000;
  const fs::path folder = fs::temp_directory_path() / ("cyclerd-bench-" + std::to_string(getpid()));
  fs::create_directories(folder / "sqlite");
  const Measured ours = run_recorder(folder / "state", rows);
  const Measured theirs = run_sqlite(folder / "sqlite", rows);
  fs::remove_all(folder);
  fmt::print(
      "{{\"rows\": {}, \"record_rows_per_cpu_s\": {:.0f}, \"record_stream_bytes_per_row\": {:.1f}, "
      "\"sqlite_rows_per_cpu_s\": {:.0f}, \"sqlite_bytes_per_row\": {:.1f}}}\n",
      rows, static_cast<double>(rows) / ours.cpu_s, ours.bytes_per_row, static_cast<double>(rows) / theirs.cpu_s,
      theirs.bytes_per_row);
  return 0;
}
