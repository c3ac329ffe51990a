// A table of open-circuit voltages out of CSV.
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <map>

#include "hil/identify/csv_columns.hpp"
#include "hil/identify/ocv.hpp"

namespace cyclerd::hil {
namespace {

struct OcvColumns {
  int soc = -1;
  std::map<double, int> voltage;  // over temperature; 25 when the name says none
  std::map<double, int> half_gap;
  std::map<double, int> whole_gap;
  bool time = false;
};

// "ocv_-25" to ("ocv", -25)
std::pair<std::string, std::optional<double>> with_temperature(std::string name) {
  const std::size_t bar = name.rfind('_');
  if (bar == std::string::npos) return {name, std::nullopt};
  std::string tail = name.substr(bar + 1);
  for (const char* unit : {"degC", "C"}) {
    if (tail.ends_with(unit) && tail != unit) tail.resize(tail.size() - std::string_view(unit).size());
  }
  double degC = 0.0;
  const auto [end, error] = std::from_chars(tail.data(), tail.data() + tail.size(), degC);
  if (error != std::errc() || end != tail.data() + tail.size()) return {name, std::nullopt};
  return {name.substr(0, bar), degC};
}

std::string plain(std::string_view name) {
  std::string out;
  for (const char c : name) {
    if (c == '[' || c == '(' || c == '/') break;
    if (std::isspace(static_cast<unsigned char>(c)) == 0) out += c;
  }
  return out;
}

OcvColumns columns_of(std::string_view header, char separator) {
  OcvColumns out;
  const auto names = split_fields(header, separator);
  for (std::size_t i = 0; i < names.size(); ++i) {
    const int place = static_cast<int>(i);
    auto [name, degC] = with_temperature(plain(names[i]));
    std::ranges::transform(name, name.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    const double at = degC.value_or(25.0);
    if (column_of(names[i]).role == ColumnRole::time) out.time = true;
    if (name == "soc" || name == "z") out.soc = place;
    if (name == "ocv" || name == "ocv_v" || name == "ocv_mean_v" || name == "voltage_v" || name == "u_v" ||
        name == "u" || name == "v" || name == "voltage")
      out.voltage[at] = place;
    if (name == "m" || name == "half_gap_v" || name == "half_gap") out.half_gap[at] = place;
    if (name == "gap_v" || name == "hysteresis_v" || name == "hysteresis") out.whole_gap[at] = place;
  }
  return out;
}

char separator_of(std::string_view header) {
  for (const char c : {'\t', ';'}) {
    if (header.find(c) != std::string_view::npos) return c;
  }
  return ',';
}

std::string_view take_line(std::string_view& rest) {
  const std::size_t end = rest.find('\n');
  std::string_view line = rest.substr(0, end);
  rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

std::string_view header_of(std::string_view& rest, std::uint32_t& number) {
  if (rest.starts_with("\xEF\xBB\xBF")) rest.remove_prefix(3);
  while (!rest.empty()) {
    const std::string_view line = take_line(rest);
    ++number;
    if (!line.empty() && line.front() != '#') return line;
  }
  return {};
}

}  // namespace

bool looks_like_ocv_table(std::string_view text) {
  std::uint32_t number = 0;
  const std::string_view header = header_of(text, number);
  const OcvColumns columns = columns_of(header, separator_of(header));
  return columns.soc >= 0 && !columns.voltage.empty() && !columns.time;
}

std::optional<OcvTable> read_ocv_table(const text::SourcePtr& source, text::Diagnostics& diagnostics) {
  std::string_view rest = source->text;
  std::uint32_t number = 0;
  const std::string_view header = header_of(rest, number);
  const char separator = separator_of(header);
  const OcvColumns columns = columns_of(header, separator);
  const std::size_t errors_before = diagnostics.error_count();
  OcvTable out;
  for (const auto& [degC, place] : columns.voltage) {
    (void)place;
    out.temperature_degC.push_back(degC);
    out.voltage_V.emplace_back();
  }
  const bool gap =
      columns.half_gap.size() == columns.voltage.size() || columns.whole_gap.size() == columns.voltage.size();
  if (gap) out.half_gap_V.resize(out.voltage_V.size());
  while (!rest.empty() && diagnostics.error_count() - errors_before < 5) {
    const std::string_view line = take_line(rest);
    ++number;
    if (line.empty() || line.front() == '#') continue;
    const auto fields = split_fields(line, separator);
    const auto value = [&](int place) {
      if (static_cast<std::size_t>(place) < fields.size()) {
        const auto x = number_of(fields[static_cast<std::size_t>(place)], separator != ',');
        if (x && std::isfinite(*x)) return *x;
      }
      diagnostics.error("I030", {source, number, 1, 1},
                        "a table of open-circuit voltages needs a number in every field");
      return 0.0;
    };
    const double soc = value(columns.soc);
    if (!out.soc.empty() && soc <= out.soc.back()) {
      diagnostics.error("I031", {source, number, 1, 1},
                        fmt::format("soc {} does not rise above {}", soc, out.soc.back()),
                        "sort the table by state of charge; every one once");
    }
    if (soc < -0.5 || soc > 1.5) {
      diagnostics.error("I031", {source, number, 1, 1}, fmt::format("soc {} is outside -0.5 .. 1.5", soc),
                        "state of charge is a fraction, 0 empty and 1 full");
    }
    out.soc.push_back(soc);
    std::size_t row = 0;
    for (const auto& [degC, place] : columns.voltage) {
      out.voltage_V[row].push_back(value(place));
      if (gap) {
        const auto half = columns.half_gap.find(degC);
        const double gap_V =
            half != columns.half_gap.end() ? value(half->second) : 0.5 * value(columns.whole_gap.at(degC));
        out.half_gap_V[row].push_back(std::max(0.0, gap_V));
      }
      ++row;
    }
  }
  if (out.soc.size() < 2 && diagnostics.error_count() == errors_before) {
    diagnostics.error("I030", {source, 0, 1, 1}, "a table of open-circuit voltages needs at least two rows");
  }
  if (diagnostics.error_count() != errors_before) return std::nullopt;
  for (std::vector<double>& row : out.voltage_V) make_rising(row);
  out.from = fmt::format("table {}", source->name.substr(source->name.find_last_of('/') + 1));
  return out;
}

}  // namespace cyclerd::hil
