#include "daemon/record/bdf_csv.hpp"

#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace cyclerd::record {
namespace {

// The shortest text of a number takes a hundred nanoseconds to find, and most numbers of a row stood in the row before
// or stand in it twice (the charge of a discharge, sums of one part): the last texts are kept, by their bits.
class NumberTexts {
 public:
  [[nodiscard]] std::string_view of(double x) {
    const auto bits = std::bit_cast<std::uint64_t>(x);
    Entry& e = entries_[(bits * 0x9E3779B97F4A7C15ULL) >> 56U];
    if (e.bits != bits || e.size == 0) {
      const auto r = std::to_chars(e.text.data(), e.text.data() + e.text.size(), x);
      e.bits = bits;
      e.size = static_cast<std::uint8_t>(r.ptr - e.text.data());
    }
    return {e.text.data(), e.size};
  }

 private:
  struct Entry {
    std::uint64_t bits = 0;
    std::array<char, 31> text{};  // -2.2250738585072014e-308 has 24 characters
    std::uint8_t size = 0;
  };
  std::array<Entry, 256> entries_;
};

// What a cell is made from.
struct Cell {
  const TableRow& row;
  std::int64_t step_record_index;
  std::string_view step_type;
  NumberTexts& texts;
};

struct CsvColumn {
  std::string_view name;
  std::string_view quantity;  // empty: as in columns()
  std::string_view unit;
  void (*write)(const Cell&, std::string&);  // null: the column of this name in columns()
};

template <class T>
void put(T value, std::string& out) {
  std::array<char, 40> buffer;
  const auto r = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value);
  out.append(buffer.data(), r.ptr);
}
void put_number(double x, NumberTexts& texts, std::string& out) {
  if (std::isfinite(x)) out += texts.of(x);
}

enum class Sum { net, cumulative };
template <TableThroughput TableRow::*Scope, double TableThroughput::*Charging, double TableThroughput::*Discharging,
          Sum Kind>
void write_sum(const Cell& c, std::string& out) {
  const TableThroughput& t = c.row.*Scope;
  put_number(Kind == Sum::net ? t.*Charging - t.*Discharging : t.*Charging + t.*Discharging, c.texts, out);
}
template <TableThroughput TableRow::*Scope, Sum Kind>
constexpr auto kCapacity = &write_sum<Scope, &TableThroughput::charging_Ah, &TableThroughput::discharging_Ah, Kind>;
template <TableThroughput TableRow::*Scope, Sum Kind>
constexpr auto kEnergy = &write_sum<Scope, &TableThroughput::charging_Wh, &TableThroughput::discharging_Wh, Kind>;

constexpr const char* kNet = "charging minus discharging";
constexpr const char* kCumulative = "charging plus discharging";

const std::array kCsvColumns = {
    CsvColumn{"Test Time / s", "", "", nullptr},
    CsvColumn{"Voltage / V", "", "", nullptr},
    CsvColumn{"Current / A", "", "", nullptr},
    CsvColumn{"Unix Time / s", "", "", nullptr},
    CsvColumn{"Cycle Count / 1", "", "", nullptr},
    CsvColumn{"Step Count / 1", "", "", nullptr},
    CsvColumn{"Ambient Temperature / degC", "", "", nullptr},
    CsvColumn{"Step ID", "", "", nullptr},
    CsvColumn{"Step Type", "what the step does", "", [](const Cell& c, std::string& out) { out += c.step_type; }},
    CsvColumn{"Record Index / 1", "", "", nullptr},
    CsvColumn{"Step Record Index / 1", "rows of the step, from 1", "1",
              [](const Cell& c, std::string& out) { put(c.step_record_index, out); }},
    CsvColumn{"Step Time / s", "", "", nullptr},
    CsvColumn{"Charging Capacity / Ah", "", "", nullptr},
    CsvColumn{"Discharging Capacity / Ah", "", "", nullptr},
    CsvColumn{"Net Capacity / Ah", kNet, "Ah", kCapacity<&TableRow::test, Sum::net>},
    CsvColumn{"Cumulative Capacity / Ah", kCumulative, "Ah", kCapacity<&TableRow::test, Sum::cumulative>},
    CsvColumn{"Charging Energy / Wh", "", "", nullptr},
    CsvColumn{"Discharging Energy / Wh", "", "", nullptr},
    CsvColumn{"Net Energy / Wh", kNet, "Wh", kEnergy<&TableRow::test, Sum::net>},
    CsvColumn{"Cumulative Energy / Wh", kCumulative, "Wh", kEnergy<&TableRow::test, Sum::cumulative>},
    CsvColumn{"Step Charging Capacity / Ah", "", "", nullptr},
    CsvColumn{"Step Discharging Capacity / Ah", "", "", nullptr},
    CsvColumn{"Step Net Capacity / Ah", kNet, "Ah", kCapacity<&TableRow::step, Sum::net>},
    CsvColumn{"Step Cumulative Capacity / Ah", kCumulative, "Ah", kCapacity<&TableRow::step, Sum::cumulative>},
    CsvColumn{"Step Charging Energy / Wh", "", "", nullptr},
    CsvColumn{"Step Discharging Energy / Wh", "", "", nullptr},
    CsvColumn{"Step Net Energy / Wh", kNet, "Wh", kEnergy<&TableRow::step, Sum::net>},
    CsvColumn{"Step Cumulative Energy / Wh", kCumulative, "Wh", kEnergy<&TableRow::step, Sum::cumulative>},
    CsvColumn{"Cycle Charging Capacity / Ah", "", "", nullptr},
    CsvColumn{"Cycle Discharging Capacity / Ah", "", "", nullptr},
    CsvColumn{"Cycle Net Capacity / Ah", kNet, "Ah", kCapacity<&TableRow::cycle, Sum::net>},
    CsvColumn{"Cycle Cumulative Capacity / Ah", kCumulative, "Ah", kCapacity<&TableRow::cycle, Sum::cumulative>},
    CsvColumn{"Cycle Charging Energy / Wh", "", "", nullptr},
    CsvColumn{"Cycle Discharging Energy / Wh", "", "", nullptr},
    CsvColumn{"Cycle Net Energy / Wh", kNet, "Wh", kEnergy<&TableRow::cycle, Sum::net>},
    CsvColumn{"Cycle Cumulative Energy / Wh", kCumulative, "Wh", kEnergy<&TableRow::cycle, Sum::cumulative>},
    CsvColumn{"Power / W", "voltage times current", "W",
              [](const Cell& c, std::string& out) { put_number(c.row.voltage_V * c.row.current_A, c.texts, out); }},
    CsvColumn{"Surface Temperature / degC", "", "", nullptr},
    CsvColumn{"Setpoint / 1", "", "", nullptr},
    CsvColumn{"Control / 1", "", "", nullptr},
    CsvColumn{"Regulation / 1", "", "", nullptr},
    CsvColumn{"Flags / 1", "", "", nullptr},
    CsvColumn{"Time Uncertainty / s", "", "", nullptr},
};

const Column* stream_column(std::string_view name) {
  for (const Column& c : columns()) {
    if (name == c.name) return &c;
  }
  return nullptr;
}

template <class T>
T load(const TableRow& row, const Column& c) {
  T value{};
  std::memcpy(&value, reinterpret_cast<const std::byte*>(&row) + c.offset, sizeof value);
  return value;
}

void write_stream_column(const TableRow& row, const Column& c, NumberTexts& texts, std::string& out) {
  switch (c.type) {
    case ColumnType::f64: put_number(load<double>(row, c), texts, out); break;
    case ColumnType::i64: put(load<std::int64_t>(row, c), out); break;
    case ColumnType::u32: put(load<std::uint32_t>(row, c), out); break;
    case ColumnType::u8: put(static_cast<unsigned>(load<std::uint8_t>(row, c)), out); break;
  }
}

}  // namespace

void BdfCsv::append(std::span<const TableRow> rows, std::string& out) {
  static const auto kSources = [] {
    std::array<const Column*, kCsvColumns.size()> s{};
    for (std::size_t i = 0; i < s.size(); ++i) s[i] = stream_column(kCsvColumns[i].name);
    return s;
  }();
  NumberTexts texts;
  for (const TableRow& row : rows) {
    if (row.step_count != step_count_) {
      step_count_ = row.step_count;
      step_record_index_ = 0;
    }
    ++step_record_index_;
    const std::string_view type = step_types_.at(row.test_time_s, row.step_index);
    const Cell cell{row, step_record_index_, type, texts};
    for (std::size_t i = 0; i < kCsvColumns.size(); ++i) {
      if (i != 0) out += ',';
      if (kCsvColumns[i].write != nullptr) {
        kCsvColumns[i].write(cell, out);
      } else {
        write_stream_column(row, *kSources[i], texts, out);
      }
    }
    out += '\n';
  }
}

std::string BdfCsv::header() {
  std::string out;
  for (const CsvColumn& c : kCsvColumns) {
    if (!out.empty()) out += ',';
    out += c.name;
  }
  return out + '\n';
}

std::vector<BdfCsv::Description> BdfCsv::describe() {
  std::vector<Description> out;
  for (const CsvColumn& c : kCsvColumns) {
    const Column* s = stream_column(c.name);
    if (c.write == nullptr && s != nullptr) {
      out.push_back({std::string(c.name), s->quantity, s->unit});
    } else {
      out.push_back({std::string(c.name), std::string(c.quantity), std::string(c.unit)});
    }
  }
  return out;
}

}  // namespace cyclerd::record
