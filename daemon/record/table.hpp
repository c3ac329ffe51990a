// The table the lab keeps: one row in the units and under the column names of the Battery Data Format (BDF 1.3). The
// same list of columns drives the live stream, its reader and the CSV export.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "profiles/record.hpp"

namespace cyclerd::record {

// Capacity and energy of one scope, charge and discharge apart; both >= 0.
struct TableThroughput {
  double charging_Ah = 0.0;
  double discharging_Ah = 0.0;
  double charging_Wh = 0.0;
  double discharging_Wh = 0.0;
};

// A Row in table units. Every number here is one correctly rounded division of the row's own number (us by 1e6, A s and
// J by 3600) or the number itself, so that two ways to the table can be compared bit for bit.
struct TableRow {
  std::int64_t record_index = 0;
  double test_time_s = 0.0;
  double unix_time_s = 0.0;
  double step_time_s = 0.0;
  double uncertainty_s = 0.0;
  double voltage_V = base::kAbsent;
  double current_A = base::kAbsent;
  double temperature_degC = base::kAbsent;  // of the cell
  double chamber_degC = base::kAbsent;      // air
  double setpoint = 0.0;
  std::uint32_t flags = 0;
  std::uint32_t step_count = 0;
  std::uint32_t step_index = 0;
  std::uint32_t cycle_count = 0;
  std::uint8_t control = 0;
  std::uint8_t regulation = 0;
  std::uint8_t reserved[6] = {};
  TableThroughput test;
  TableThroughput step;
  TableThroughput cycle;
};

enum class ColumnType : std::uint8_t { f64, i64, u32, u8 };

struct Column {
  const char* name;      // BDF's preferred label where BDF has one
  const char* quantity;  // in words
  const char* unit;      // "" for words and counts
  ColumnType type;
  bool optional;       // NaN means "not measured": null in the stream, an empty cell in CSV
  std::size_t offset;  // in TableRow
};

[[nodiscard]] constexpr std::size_t width(ColumnType type) noexcept {
  return type == ColumnType::f64 || type == ColumnType::i64 ? 8 : type == ColumnType::u32 ? 4 : 1;
}

// In the order of the live stream.
[[nodiscard]] std::span<const Column> columns() noexcept;
[[nodiscard]] TableRow to_table(const profiles::Row& row) noexcept;
// Bit for bit in every column; any NaN equals any other.
[[nodiscard]] bool identical(const TableRow& a, const TableRow& b) noexcept;

}  // namespace cyclerd::record
