#include "daemon/record/summary.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "daemon/record/amendments.hpp"
#include "daemon/record/record_json.hpp"
#include "daemon/record/storage.hpp"

namespace cyclerd::record {
namespace {

using Line = std::vector<std::string>;

// Characters on the terminal, not bytes: continuation bytes of UTF-8 take no room.
std::size_t shown_width(const std::string& s) {
  return static_cast<std::size_t>(
      std::count_if(s.begin(), s.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

// `left`: columns set to the left; all others, the numbers, to the right.
std::string table(const Line& head, const std::vector<Line>& lines, std::initializer_list<std::size_t> left) {
  std::vector<std::size_t> widths;
  for (const std::string& h : head) widths.push_back(shown_width(h));
  for (const Line& line : lines) {
    for (std::size_t i = 0; i < line.size(); ++i) widths[i] = std::max(widths[i], shown_width(line[i]));
  }
  const auto render = [&](const Line& line) {
    std::string out;
    for (std::size_t i = 0; i < line.size(); ++i) {
      const std::string fill(widths[i] - shown_width(line[i]), ' ');
      const bool to_left = std::find(left.begin(), left.end(), i) != left.end();
      out += (i == 0 ? "" : "  ") + (to_left ? line[i] + fill : fill + line[i]);
    }
    out.erase(out.find_last_not_of(' ') + 1);
    return out + "\n";
  };
  std::string out = render(head);
  std::size_t total = 0;
  for (const std::size_t w : widths) total += w + 2;
  out += std::string(total - 2, '-') + "\n";
  for (const Line& line : lines) out += line.empty() ? "  ...\n" : render(line);
  return out;
}

std::string fixed(const Json& line, const char* pointer, int digits, double scale = 1.0) {
  const double x = number_at<double>(line, pointer, base::kAbsent) * scale;
  return std::isfinite(x) ? fmt::format("{:.{}f}", x, digits) : "-";
}

std::string duration(double seconds) {
  if (seconds < 60) return fmt::format("{:.1f} s", seconds);
  const auto whole = static_cast<std::int64_t>(std::llround(seconds));
  return fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
}

// The first and the last ones; an empty line where some were left out.
std::vector<Json> shortened(std::vector<Json> lines, std::size_t most) {
  if (most < 2 || lines.size() <= most) return lines;
  const auto tail = static_cast<std::ptrdiff_t>(most / 2);
  std::vector<Json> out(lines.begin(), lines.begin() + static_cast<std::ptrdiff_t>(most) - tail);
  out.emplace_back();
  out.insert(out.end(), lines.end() - tail, lines.end());
  return out;
}

std::string steps_table(const std::vector<Json>& steps) {
  std::vector<Line> lines;
  for (const Json& s : steps) {
    if (s.is_null()) {
      lines.emplace_back();
      continue;
    }
    lines.push_back({fmt::to_string(number_at<int>(s, "/step_count")),
                     fmt::to_string(number_at<int>(s, "/cycle_count")), text_at(s, "/name"), text_at(s, "/type"),
                     duration(number_at<double>(s, "/duration_s")), fixed(s, "/charging_capacity_Ah", 4),
                     fixed(s, "/discharging_capacity_Ah", 4), fixed(s, "/charging_energy_Wh", 3),
                     fixed(s, "/discharging_energy_Wh", 3), fixed(s, "/end_voltage_V", 4),
                     fixed(s, "/end_current_A", 3), fixed(s, "/max_temperature_degC", 1), end_words(s)});
  }
  return table({"step", "cycle", "name", "type", "duration", "chg Ah", "dchg Ah", "chg Wh", "dchg Wh", "end V", "end A",
                "max degC", "ended by"},
               lines, {2, 3, 12});
}

std::string cycles_table(const std::vector<Json>& cycles) {
  std::vector<Line> lines;
  for (const Json& c : cycles) {
    if (c.is_null()) {
      lines.emplace_back();
      continue;
    }
    lines.push_back({fmt::to_string(number_at<int>(c, "/cycle_count")), duration(number_at<double>(c, "/duration_s")),
                     fixed(c, "/charging_capacity_Ah", 4), fixed(c, "/discharging_capacity_Ah", 4),
                     fixed(c, "/charging_energy_Wh", 3), fixed(c, "/discharging_energy_Wh", 3),
                     fixed(c, "/coulombic_efficiency", 3, 100.0), fixed(c, "/energy_efficiency", 2, 100.0),
                     fixed(c, "/max_temperature_degC", 1)});
  }
  return table({"cycle", "duration", "chg Ah", "dchg Ah", "chg Wh", "dchg Wh", "CE %", "EE %", "max degC"}, lines, {});
}

}  // namespace

std::string summary_text(const std::string& test_folder, const SummaryOptions& options) {
  const auto text = read_text(test_folder + "/test.json");
  const Json about = text ? parse_or_null(*text) : Json();
  std::string out = text_at(about, "/metadata/profile/title");
  if (out.empty()) out = text_at(about, "/metadata/profile/name", "test");
  if (const std::string cell = text_at(about, "/metadata/cell/name", text_at(about, "/metadata/cell")); !cell.empty()) {
    out += ", cell " + cell;
  }
  out += ": " + text_at(about, "/state", "unreadable");
  if (const std::string reason = text_at(about, "/reason"); !reason.empty()) out += " (" + reason + ")";
  out += "\n";
  for (const Json& entry : amendments_of(about)) out += amendment_words(entry) + "\n";
  out += "\n";
  out += steps_table(shortened(read_lines(test_folder + "/steps.jsonl"), options.max_steps));
  const std::vector<Json> cycles = read_lines(test_folder + "/cycles.jsonl");
  if (!cycles.empty()) out += "\n" + cycles_table(shortened(cycles, options.max_cycles));
  return out;
}

}  // namespace cyclerd::record
