// The reader of measurements. What can be told from the data is told from the data and said in a note.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <utility>

#include "hil/identify/csv_columns.hpp"
#include "hil/identify/measured_run.hpp"
#include "hil/identify/run_clues.hpp"

namespace cyclerd::hil {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
constexpr std::size_t kPreamble = 200;  // lines in which the header is looked for
constexpr double kVoltageMax_V = 1e4, kCurrentMax_A = 1e6, kTemperatureMin_degC = -100.0, kTemperatureMax_degC = 1000.0;

struct Layout {
  char separator = ',';
  std::size_t line = 0;  // of the header, from 1
  std::vector<Column> columns;
  std::array<int, 8> at{-1, -1, -1, -1, -1, -1, -1, -1};  // by ColumnRole

  [[nodiscard]] int of(ColumnRole role) const { return at[static_cast<std::size_t>(role)]; }
  [[nodiscard]] const Column& column(ColumnRole role) const { return columns[static_cast<std::size_t>(of(role))]; }
};

struct Row {
  double time_s = 0.0, current_A = 0.0, voltage_V = 0.0, temperature_degC = kNone, ambient_degC = kNone, soc = kNone;
  std::string_view cell;
  int mode = 0;  // 1 charge, -1 discharge, 0 neither
  std::size_t line = 0;
};

class Lines {
 public:
  explicit Lines(std::string_view text) : rest_(text) {
    if (rest_.starts_with("\xEF\xBB\xBF")) rest_.remove_prefix(3);
  }
  bool next(std::string_view& line) {
    if (rest_.empty()) return false;
    const std::size_t end = rest_.find_first_of("\r\n");
    line = rest_.substr(0, end);
    if (end == std::string_view::npos) {
      rest_ = {};
    } else {
      rest_.remove_prefix(end + (rest_.substr(end).starts_with("\r\n") ? 2 : 1));
    }
    ++number_;
    return true;
  }
  [[nodiscard]] std::size_t number() const { return number_; }

 private:
  std::string_view rest_;
  std::size_t number_ = 0;
};

bool blank_or_comment(std::string_view line) {
  const std::size_t first = line.find_first_not_of(" \t;,");
  return first == std::string_view::npos || line[first] == '#' || line[first] == '%' || line.substr(first, 2) == "//";
}

class Reader {
 public:
  Reader(const text::SourcePtr& source, const RunOptions& options, text::Diagnostics& diagnostics)
      : source_(source), options_(options), diagnostics_(diagnostics) {}

  std::optional<MeasuredFile> read() {
    const std::size_t errors_before = diagnostics_.error_count();
    if (source_->text.find('\0') != std::string::npos) {
      diagnostics_.error("I001", at(0), "this is not a text file", "export the measurement as CSV");
      return std::nullopt;
    }
    Lines lines(source_->text);
    if (!find_header(lines)) return std::nullopt;
    read_rows(lines);
    if (diagnostics_.error_count() != errors_before) return std::nullopt;
    if (rows_.size() < 2) {
      diagnostics_.error("I006", at(layout_.line),
                         fmt::format("{} usable rows below the header, at least 2 are needed", rows_.size()));
      return std::nullopt;
    }
    const bool by_mode = layout_.of(ColumnRole::mode) >= 0 && options_.sign == CurrentSign::automatic && sign_by_mode();
    MeasuredFile file = make_file();
    report_skipped();
    find_sign(file, by_mode);
    if (diagnostics_.error_count() != errors_before) return std::nullopt;
    find_ambient(file);
    for (MeasuredRun& run : file.runs) mark_rows_across_steps(run);
    return file;
  }

 private:
  [[nodiscard]] text::Span at(std::size_t line, std::size_t column = 1, std::size_t length = 1) const {
    return {source_, static_cast<std::uint32_t>(line), static_cast<std::uint32_t>(column),
            static_cast<std::uint32_t>(length)};
  }

  static Layout layout_of(std::string_view line, char separator) {
    Layout layout;
    layout.separator = separator;
    for (const std::string_view name : split_fields(line, separator)) layout.columns.push_back(column_of(name));
    for (std::size_t i = 0; i < layout.columns.size(); ++i) {
      const Column& column = layout.columns[i];
      if (column.role == ColumnRole::other) continue;
      int& best = layout.at[static_cast<std::size_t>(column.role)];
      if (best < 0 || column.preference < layout.columns[static_cast<std::size_t>(best)].preference) {
        best = static_cast<int>(i);
      }
    }
    return layout;
  }

  static int needed_columns(const Layout& layout) {
    int found = 0;
    for (const ColumnRole role : {ColumnRole::time, ColumnRole::current, ColumnRole::voltage}) {
      if (layout.of(role) >= 0) ++found;
    }
    return found;
  }

  bool find_header(Lines& lines) {
    std::string_view line;
    Layout nearest;
    int nearest_found = 0;
    std::size_t first_line = 0;
    while (lines.number() < kPreamble && lines.next(line)) {
      if (line.find_first_not_of(" \t") == std::string_view::npos) continue;
      if (first_line == 0 && !blank_or_comment(line)) first_line = lines.number();
      for (const char separator : {'\t', ';', ',', '|'}) {
        if (line.find(separator) == std::string_view::npos) continue;
        Layout layout = layout_of(line, separator);
        layout.line = lines.number();
        const int found = needed_columns(layout);
        if (found == 3) return accept(std::move(layout));
        if (found > nearest_found) {
          nearest_found = found;
          nearest = std::move(layout);
        }
      }
    }
    if (first_line == 0) {
      diagnostics_.error("I001", at(0), "the file holds no line of text");
      return false;
    }
    report_no_header(nearest, nearest_found, first_line);
    return false;
  }

  void report_no_header(const Layout& nearest, int found, std::size_t first_line) {
    const char* help =
        "name the columns as in `t_s,I_A,V_V,T_degC`, `Time [s],I[A],U[V]` or "
        "`Test Time / s,Current / A,Voltage / V`";
    if (found == 0) {
      diagnostics_.error("I002", at(first_line), "no header: no line names columns of time, current and voltage", help);
      return;
    }
    std::string missing;
    for (const auto& [role, word] : {std::pair{ColumnRole::time, "time"}, std::pair{ColumnRole::current, "current"},
                                     std::pair{ColumnRole::voltage, "voltage"}}) {
      if (nearest.of(role) >= 0) continue;
      missing += missing.empty() ? "" : " and ";
      missing += word;
    }
    diagnostics_.error("I002", at(nearest.line), fmt::format("the header names no column of {}", missing), help);
  }

  bool accept(Layout layout) {
    bool good = true;
    for (const int i : layout.at) {
      if (i < 0 || layout.columns[static_cast<std::size_t>(i)].unknown_unit.empty()) continue;
      const Column& column = layout.columns[static_cast<std::size_t>(i)];
      diagnostics_.error("I003", at(layout.line),
                         fmt::format("the unit `{}` of column `{}` is unknown", column.unknown_unit, column.name),
                         "known are s, ms, min, h, d; A, mA, uA; V, mV; degC, K");
      good = false;
    }
    layout_ = std::move(layout);
    return good;
  }

  std::optional<double> value(const std::vector<std::string_view>& fields, ColumnRole role, std::size_t line) {
    const int i = layout_.of(role);
    if (i < 0 || static_cast<std::size_t>(i) >= fields.size()) return kNone;
    const Column& column = layout_.columns[static_cast<std::size_t>(i)];
    const std::string_view field = fields[static_cast<std::size_t>(i)];
    const bool comma = layout_.separator != ',' || field.find('.') == std::string_view::npos;
    const bool clock = column.role == ColumnRole::time && (column.clock || field.find(':') != std::string_view::npos);
    const auto number = clock ? clock_of(field, comma) : number_of(field, comma);
    if (!number) {
      if (++not_numbers_ <= 5) {
        diagnostics_.error("I004", at(line), fmt::format("`{}` in column `{}` is not a number", field, column.name),
                           "leave a field empty or write NaN where nothing was measured");
      }
      return std::nullopt;
    }
    return clock ? *number : *number * column.factor + column.offset;
  }

  void read_rows(Lines& lines) {
    std::string_view line;
    while (lines.next(line)) {
      if (blank_or_comment(line)) continue;
      const auto fields = split_fields(line, layout_.separator);
      const std::size_t number = lines.number();
      if (number == layout_.line + 1 && is_units_line(fields)) continue;
      Row row;
      row.line = number;
      const auto t = value(fields, ColumnRole::time, number);
      const auto i = value(fields, ColumnRole::current, number);
      const auto v = value(fields, ColumnRole::voltage, number);
      const auto temperature = value(fields, ColumnRole::temperature, number);
      const auto ambient = value(fields, ColumnRole::ambient, number);
      const auto soc = value(fields, ColumnRole::soc, number);
      if (!t || !i || !v || !temperature || !ambient || !soc) continue;
      row = {*t, *i, *v, plausible(*temperature), plausible(*ambient), *soc, {}, 0, number};
      if (const int m = layout_.of(ColumnRole::mode); m >= 0 && static_cast<std::size_t>(m) < fields.size()) {
        row.mode = mode_of(fields[static_cast<std::size_t>(m)]);
      }
      if (const int c = layout_.of(ColumnRole::cell); c >= 0 && static_cast<std::size_t>(c) < fields.size()) {
        row.cell = fields[static_cast<std::size_t>(c)];
      }
      if (std::isnan(*t) || std::isnan(*i) || std::isnan(*v)) {
        count(holes_, number);
      } else if (std::abs(*v) > kVoltageMax_V || std::abs(*i) > kCurrentMax_A) {
        count(absurd_, number);
      } else {
        rows_.push_back(row);
      }
    }
    if (not_numbers_ > 5) {
      diagnostics_.error("I004", at(layout_.line), fmt::format("{} fields are not numbers", not_numbers_));
    }
  }

  // Some testers write units in a line of their own.
  static bool is_units_line(const std::vector<std::string_view>& fields) {
    return std::ranges::all_of(fields, [](std::string_view f) {
      return std::ranges::none_of(f, [](char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; });
    });
  }

  // "CHRG", "CC_Chg", "D"; not "Drive" and not "CC".
  static int mode_of(std::string_view word) {
    std::string w(word);
    for (char& c : w) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    const auto has = [&](std::initializer_list<std::string_view> parts) {
      return std::ranges::any_of(parts, [&](std::string_view part) { return w.find(part) != std::string::npos; });
    };
    if (w == "d" || w == "dis" || has({"dch", "disch", "dsch", "dischrg"})) return -1;
    return w == "c" || w == "cha" || has({"chg", "charg", "chrg", "cha.", "chr."}) ? 1 : 0;
  }

  // Some testers write the amount only, in all rows or in some, and the direction into a column of its own. A stretch
  // of one mode in which the current has both signs is a drive cycle: there the mode does not tell.
  bool sign_by_mode() {
    double largest_A = 0.0;
    for (const Row& row : rows_) largest_A = std::max(largest_A, std::abs(row.current_A));
    struct Stretch {
      std::size_t first, last;
      int mode, sign;
    };
    std::vector<Stretch> told;
    bool agrees = false, differs = false, charge = false, discharge = false;
    for (std::size_t first = 0, last = 0; first < rows_.size(); first = last) {
      bool positive = false, negative = false;
      for (last = first; last < rows_.size() && rows_[last].mode == rows_[first].mode; ++last) {
        positive = positive || rows_[last].current_A > 0.01 * largest_A;
        negative = negative || rows_[last].current_A < -0.01 * largest_A;
      }
      const int mode = rows_[first].mode;
      if (mode == 0 || positive == negative) continue;
      told.push_back({first, last, mode, positive ? 1 : -1});
      (told.back().sign == mode ? agrees : differs) = true;
      (mode > 0 ? charge : discharge) = true;
    }
    if (told.empty()) return false;
    if (differs && !agrees && charge && discharge) {
      for (Row& row : rows_) row.current_A = row.current_A == 0.0 ? 0.0 : -row.current_A;
      return true;
    }
    for (const Stretch& s : told) {
      if (s.sign == s.mode) continue;
      for (std::size_t i = s.first; i < s.last; ++i) rows_[i].current_A = -rows_[i].current_A;
    }
    return true;
  }

  static double plausible(double degC) {
    return degC >= kTemperatureMin_degC && degC <= kTemperatureMax_degC ? degC : kNone;
  }

  struct Left {
    std::size_t rows = 0;
    std::size_t first_line = 0;
  };
  static void count(Left& left, std::size_t line) {
    if (left.rows++ == 0) left.first_line = line;
  }
  void report(const Left& left, const char* what) {
    if (left.rows == 0) return;
    diagnostics_.warning("I010", at(left.first_line),
                         fmt::format("{} row{} left out: {}", left.rows, left.rows == 1 ? "" : "s", what));
  }
  void report_skipped() {
    report(holes_, "no time, current or voltage (NaN or empty)");
    report(absurd_, "current or voltage beyond anything a cell does");
    report(backwards_, "the time does not rise");
  }

  MeasuredFile make_file() {
    MeasuredFile file;
    file.name = source_->name;
    file.name.erase(0, file.name.find_last_of('/') + 1);
    if (const std::size_t dot = file.name.rfind('.'); dot != std::string::npos && dot > 0) file.name.resize(dot);
    file.pulses = layout_.of(ColumnRole::soc) >= 0 && layout_.of(ColumnRole::cell) >= 0;
    std::size_t from = 0;
    while (from < rows_.size()) {
      std::size_t to = from + 1;
      while (to < rows_.size() && (!file.pulses || same_pulse(rows_[from], rows_[to]))) ++to;
      MeasuredRun run = make_run(from, to);
      run.name = file.name;
      if (file.pulses) {
        const Row& row = rows_[from];
        run.pulse_degC = row.temperature_degC;
        run.pulse_soc = row.soc;
        run.pulse_cell = std::string(row.cell);
        run.name += fmt::format(" {} degC soc {} cell {}", row.temperature_degC, row.soc, row.cell);
        run.temperature_degC.clear();
      }
      if (run.size() >= 2) file.runs.push_back(std::move(run));
      from = to;
    }
    return file;
  }

  static bool same_pulse(const Row& a, const Row& b) {
    return (a.temperature_degC == b.temperature_degC || std::isnan(a.temperature_degC)) && a.soc == b.soc &&
           a.cell == b.cell;
  }

  MeasuredRun make_run(std::size_t from, std::size_t to) {
    MeasuredRun run;
    bool surface = false;
    bool air = false;
    for (std::size_t i = from; i < to; ++i) {
      surface = surface || std::isfinite(rows_[i].temperature_degC);
      air = air || std::isfinite(rows_[i].ambient_degC);
    }
    for (std::size_t i = from; i < to; ++i) {
      const Row& row = rows_[i];
      if (run.size() != 0) {
        const double dt = row.time_s - run.time_s.back();
        const bool third = run.size() > 1 && row.time_s == run.time_s[run.size() - 2];
        if (dt == 0.0 && row.current_A == run.current_A.back()) {
          ++run.skipped;  // the same row again, as testers write at the end of a step
          continue;
        }
        if (dt < 0.0 || (dt == 0.0 && third)) {
          count(backwards_, row.line);
          ++run.skipped;
          continue;
        }
      }
      run.time_s.push_back(row.time_s);
      run.current_A.push_back(row.current_A);
      run.voltage_V.push_back(row.voltage_V);
      if (surface) run.temperature_degC.push_back(row.temperature_degC);
      if (air) run.chamber_degC.push_back(row.ambient_degC);
    }
    const double start_s = run.time_s.empty() ? 0.0 : run.time_s.front();
    for (double& t : run.time_s) t -= start_s;
    run.counts.assign(run.size(), true);
    run.skipped += holes_.rows + absurd_.rows;
    return run;
  }

  void find_sign(MeasuredFile& file, bool by_mode) {
    CurrentSign sign = options_.sign;
    std::string from = "as told";
    if (by_mode) {
      sign = CurrentSign::charge_positive;
      from = fmt::format("the direction is in column `{}`", layout_.column(ColumnRole::mode).name);
    }
    if (sign == CurrentSign::automatic) {
      sign = layout_.column(ColumnRole::current).sign;
      from = fmt::format("from the column name `{}`", layout_.column(ColumnRole::current).name);
    }
    if (sign == CurrentSign::automatic) sign = sign_of_data(file, from);
    if (sign == CurrentSign::automatic) {
      diagnostics_.error("I007", at(layout_.line),
                         "the data do not tell whether charge or discharge current is positive",
                         "say it: --current-sign charge-positive or discharge-positive");
      return;
    }
    const char* word = sign == CurrentSign::charge_positive ? "charge positive" : "discharge positive";
    if (options_.sign == CurrentSign::automatic) {
      diagnostics_.note("I011", at(layout_.line), fmt::format("sign of the current: {}, {}", word, from));
    }
    for (MeasuredRun& run : file.runs) {
      run.sign_from = from;
      if (sign != CurrentSign::discharge_positive) continue;
      for (double& i : run.current_A) i = i == 0.0 ? 0.0 : -i;
    }
  }

  void find_ambient(MeasuredFile& file) {
    const auto in_name = ambient_in_name(file.name);
    for (MeasuredRun& run : file.runs) {
      const auto first = [](const std::vector<double>& values) {
        const auto it = std::ranges::find_if(values, [](double x) { return std::isfinite(x); });
        return it == values.end() ? kNone : *it;
      };
      const double air = first(run.chamber_degC);
      const double surface = first(run.temperature_degC);
      if (options_.ambient_degC) {
        run.ambient_degC = *options_.ambient_degC;
        run.ambient_from = "as told";
        run.chamber_degC.clear();
      } else if (std::isfinite(run.pulse_degC)) {
        run.ambient_degC = run.pulse_degC;
        run.ambient_from = "from the pulse's temperature";
      } else if (std::isfinite(air)) {
        run.ambient_degC = air;
        run.ambient_from = "measured";
      } else if (std::isfinite(surface)) {
        run.ambient_degC = surface;
        run.ambient_from = "from the cell's first temperature";
      } else if (in_name) {
        run.ambient_degC = *in_name;
        run.ambient_from = "from the file's name";
      } else {
        run.ambient_degC = 25.0;
        run.ambient_from = "nothing says it: assumed";
      }
      fill_holes(run.chamber_degC, run.ambient_degC);
    }
    const MeasuredRun& run = file.runs.front();
    if (!options_.ambient_degC && !file.pulses) {
      const std::string text = fmt::format("ambient {:.1f} degC, {}", run.ambient_degC, run.ambient_from);
      if (run.ambient_from.starts_with("nothing")) {
        diagnostics_.warning("I012", at(0), text, "say it: --ambient 25");
      } else {
        diagnostics_.note("I013", at(0), text);
      }
    }
  }

  static void fill_holes(std::vector<double>& values, double before) {
    for (double& x : values) {
      if (std::isfinite(x)) {
        before = x;
      } else {
        x = before;
      }
    }
  }

  const text::SourcePtr& source_;
  const RunOptions& options_;
  text::Diagnostics& diagnostics_;
  Layout layout_;
  std::vector<Row> rows_;
  Left holes_, absurd_, backwards_;
  std::size_t not_numbers_ = 0;
};

}  // namespace

std::optional<MeasuredFile> read_measured(const text::SourcePtr& source, const RunOptions& options,
                                          text::Diagnostics& diagnostics) {
  return Reader(source, options, diagnostics).read();
}

}  // namespace cyclerd::hil
