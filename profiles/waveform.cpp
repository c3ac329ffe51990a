#include "profiles/waveform.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <string_view>

#include "profiles/codes.hpp"
#include "protocols/text/toml.hpp"

namespace cyclerd::profiles {
namespace {

constexpr int kMaxFindings = 10;
constexpr double kMaxTime_s = 1e9;

std::string_view trimmed(std::string_view s) noexcept {
  while (!s.empty() && (s.front() == ' ' || s.front() == '"')) s.remove_prefix(1);
  while (!s.empty() && (s.back() == ' ' || s.back() == '"' || s.back() == '\r')) s.remove_suffix(1);
  return s;
}

class Reader {
 public:
  Reader(const text::SourcePtr& source, text::Diagnostics& diagnostics) : source_(source), diagnostics_(diagnostics) {}

  std::optional<Waveform> run() {
    std::string_view rest = source_->text;
    if (rest.substr(0, 3) == "\xEF\xBB\xBF") rest.remove_prefix(3);
    bool headed = false;
    while (!rest.empty() && findings_ < kMaxFindings) {
      ++line_;
      const std::size_t end = rest.find('\n');
      std::string_view line = rest.substr(0, end);
      rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
      if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
      if (line.find_first_not_of(" \t") == std::string_view::npos || line[line.find_first_not_of(" \t")] == '#')
        continue;
      if (!headed) {
        if (!header(line)) return std::nullopt;
        headed = true;
        // Most files have rows of similar length; one reservation instead of many copies.
        const std::size_t guess =
            std::min(kMaxWaveformRows, rest.size() / std::max<std::size_t>(4, line.size() / 2) + 16);
        waveform_.time_us.reserve(guess);
        waveform_.value.reserve(guess);
      } else if (waveform_.value.size() >= kMaxWaveformRows) {
        fail(1, 1, fmt::format("the file has more than {} rows", kMaxWaveformRows), "thin it or split it");
        break;
      } else {
        row(line);
      }
    }
    if (findings_ == 0 && waveform_.value.size() < 2) {
      fail(1, 1, "a waveform needs a header and at least two rows", "header: time_s,current_A");
    }
    if (findings_ != 0) return std::nullopt;
    return std::move(waveform_);
  }

 private:
  void fail(std::size_t column, std::size_t length, std::string message, std::string help = {}) {
    ++findings_;
    diagnostics_.error(
        code::kWaveformText,
        text::Span{source_, line_, static_cast<std::uint32_t>(column), static_cast<std::uint32_t>(length)},
        std::move(message), std::move(help));
  }

  bool header(std::string_view line) {
    separator_ = line.find(';') != std::string_view::npos    ? ';'
                 : line.find('\t') != std::string_view::npos ? '\t'
                                                             : ',';
    struct Name {
      std::string_view text;
      bool time;
      double factor;
      WaveformQuantity quantity;
    };
    static constexpr std::array<Name, 7> kNames = {{{"time_s", true, 1e6, {}},
                                                    {"time_ms", true, 1e3, {}},
                                                    {"time_min", true, 60e6, {}},
                                                    {"current_A", false, 1.0, WaveformQuantity::current},
                                                    {"current_C", false, 1.0, WaveformQuantity::c_rate},
                                                    {"power_W", false, 1.0, WaveformQuantity::power},
                                                    {"voltage_V", false, 1.0, WaveformQuantity::voltage}}};
    int times = 0;
    int values = 0;
    for (std::size_t begin = 0; begin <= line.size();) {
      const std::size_t end = std::min(line.find(separator_, begin), line.size());
      const std::string_view word = trimmed(line.substr(begin, end - begin));
      const Name* found = nullptr;
      for (const Name& name : kNames) {
        if (name.text == word) found = &name;
      }
      if (found == nullptr) {
        std::vector<std::string> known;
        for (const Name& name : kNames) known.emplace_back(name.text);
        const std::string near = text::nearest(word, known);
        const bool number = !word.empty() && word.find_first_not_of("0123456789+-.,eE") == word.npos;
        fail(begin + 1, std::max<std::size_t>(1, end - begin), fmt::format("'{}' is not a column of a waveform", word),
             number ? "the first line names the columns; put for instance time_s,current_A above the numbers"
             : near.empty()
                 ? "columns are time_s, time_ms or time_min and one of current_A, current_C, power_W, voltage_V"
                 : fmt::format("did you mean {}?", near));
        return false;
      }
      if (found->time) {
        ++times;
        time_column_ = columns_;
        us_per_unit_ = found->factor;
      } else {
        ++values;
        waveform_.quantity = found->quantity;
      }
      ++columns_;
      begin = end + 1;
    }
    if (times == 1 && values == 1) return true;
    fail(1, std::max<std::size_t>(1, line.size()), "a waveform has one column of time and one of a quantity",
         "header: time_s,current_A");
    return false;
  }

  std::optional<double> number(std::string_view line, std::size_t begin, std::size_t end) {
    std::string_view word = trimmed(line.substr(begin, end - begin));
    if (!word.empty() && word.front() == '+') word.remove_prefix(1);
    double value = 0.0;
    const auto [stop, error] = std::from_chars(word.data(), word.data() + word.size(), value);
    if (error != std::errc{} || stop != word.data() + word.size() || !std::isfinite(value)) {
      fail(begin + 1, std::max<std::size_t>(1, end - begin), fmt::format("'{}' is not a number", word.substr(0, 40)),
           separator_ == ',' ? "decimal point, not comma" : "write numbers with a decimal point");
      return std::nullopt;
    }
    return value;
  }

  void row(std::string_view line) {
    const std::size_t split = line.find(separator_);
    if (split == std::string_view::npos || line.find(separator_, split + 1) != std::string_view::npos) {
      fail(1, std::max<std::size_t>(1, line.size()), "a row has exactly two columns");
      return;
    }
    const auto first = number(line, 0, split);
    const auto second = number(line, split + 1, line.size());
    if (!first || !second) return;
    const double time_us = (time_column_ == 0 ? *first : *second) * us_per_unit_;
    if (std::fabs(time_us) > kMaxTime_s * 1e6) {
      fail(1, std::max<std::size_t>(1, line.size()), fmt::format("the time is beyond {} s", kMaxTime_s));
      return;
    }
    const std::int64_t rounded_us = std::llround(time_us);
    if (waveform_.time_us.empty()) start_us_ = rounded_us;
    const std::int64_t at_us = rounded_us - start_us_;
    if (!waveform_.time_us.empty() && at_us <= waveform_.time_us.back()) {
      fail(1, std::max<std::size_t>(1, line.size()), "time does not increase from the row before",
           "rows need strictly increasing times, at least 1 us apart");
      return;
    }
    waveform_.time_us.push_back(at_us);
    waveform_.value.push_back(time_column_ == 0 ? *second : *first);
  }

  const text::SourcePtr& source_;
  text::Diagnostics& diagnostics_;
  Waveform waveform_;
  std::uint32_t line_ = 0;
  int findings_ = 0;
  char separator_ = ',';
  std::size_t columns_ = 0;
  std::size_t time_column_ = 0;
  double us_per_unit_ = 1e6;
  std::int64_t start_us_ = 0;
};

}  // namespace

std::optional<Waveform> parse_waveform(const text::SourcePtr& source, text::Diagnostics& diagnostics) {
  return Reader(source, diagnostics).run();
}

namespace {

void collect_waveforms(const text::TomlNode& node, std::vector<std::string>& files) {
  for (const auto& [name, member] : node.members) {
    if (name == "waveform" && member.is_string() && stays_inside(member.string) &&
        std::find(files.begin(), files.end(), member.string) == files.end()) {
      files.push_back(member.string);
    }
    collect_waveforms(member, files);
  }
  for (const text::TomlNode& item : node.items) collect_waveforms(item, files);
}

}  // namespace

std::vector<std::string> waveform_files(const text::SourcePtr& profile) {
  std::vector<std::string> files;
  text::Diagnostics ignored;
  if (const auto root = text::parse_toml(profile, ignored)) collect_waveforms(*root, files);
  return files;
}

bool stays_inside(const std::string& path) {
  if (path.empty() || path.front() == '/' || path.find('\0') != std::string::npos) return false;
  for (std::size_t begin = 0; begin <= path.size();) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    if (path.compare(begin, end - begin, "..") == 0) return false;
    begin = end + 1;
  }
  return true;
}

}  // namespace cyclerd::profiles
