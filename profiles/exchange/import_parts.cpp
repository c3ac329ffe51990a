#include "profiles/exchange/import_parts.hpp"

#include <fmt/format.h>
#include <iconv.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <tuple>

#include "profiles/compile.hpp"
#include "profiles/syntax.hpp"

namespace cyclerd::exchange {
namespace {

// After so many findings the file is something else.
constexpr std::size_t kMostFindings = 50;
// No quantity of a cell comes near; products of such numbers stay finite.
constexpr double kLargest = 1e18;

bool valid_utf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const std::size_t length = lead < 0x80                   ? 1
                               : lead >= 0xC2 && lead < 0xE0 ? 2
                               : lead >= 0xE0 && lead < 0xF0 ? 3
                               : lead >= 0xF0 && lead < 0xF5 ? 4
                                                             : 0;
    if (length == 0 || i + length > text.size()) return false;
    std::uint32_t point = length == 1 ? lead : lead & (0x7FU >> length);
    for (std::size_t k = 1; k < length; ++k) {
      const auto next = static_cast<unsigned char>(text[i + k]);
      if ((next & 0xC0U) != 0x80U) return false;
      point = (point << 6U) | (next & 0x3FU);
    }
    if ((length == 3 && point < 0x800) || (length == 4 && (point < 0x10000 || point > 0x10FFFF))) return false;
    if (point >= 0xD800 && point < 0xE000) return false;
    i += length;
  }
  return true;
}

void append_utf8(std::uint32_t point, std::string& out) {
  if (point < 0x80) {
    out += static_cast<char>(point);
  } else if (point < 0x800) {
    out += static_cast<char>(0xC0U | (point >> 6U));
    out += static_cast<char>(0x80U | (point & 0x3FU));
  } else if (point < 0x10000) {
    out += static_cast<char>(0xE0U | (point >> 12U));
    out += static_cast<char>(0x80U | ((point >> 6U) & 0x3FU));
    out += static_cast<char>(0x80U | (point & 0x3FU));
  } else {
    out += static_cast<char>(0xF0U | (point >> 18U));
    out += static_cast<char>(0x80U | ((point >> 12U) & 0x3FU));
    out += static_cast<char>(0x80U | ((point >> 6U) & 0x3FU));
    out += static_cast<char>(0x80U | (point & 0x3FU));
  }
}

std::string from_utf16(std::string_view bytes, bool little) {
  const auto unit = [&](std::size_t i) {
    const auto a = static_cast<unsigned char>(bytes[i]);
    const auto b = static_cast<unsigned char>(bytes[i + 1]);
    return static_cast<std::uint32_t>(little ? a | (b << 8) : (a << 8) | b);
  };
  std::string out;
  for (std::size_t i = 0; i + 1 < bytes.size(); i += 2) {
    std::uint32_t point = unit(i);
    if (point == 0xFEFF) continue;
    if (point >= 0xD800 && point < 0xDC00 && i + 3 < bytes.size()) {
      const std::uint32_t low = unit(i + 2);
      if (low >= 0xDC00 && low < 0xE000) {
        point = 0x10000 + ((point - 0xD800) << 10U) + (low - 0xDC00);
        i += 2;
      }
    }
    if (point >= 0xD800 && point < 0xE000) point = '?';
    append_utf8(point, out);
  }
  return out;
}

std::string from_latin1(std::string_view bytes) {
  std::string out;
  for (const char c : bytes) append_utf8(static_cast<unsigned char>(c), out);
  return out;
}

std::optional<std::string> from_gb18030(std::string_view bytes) {
  const iconv_t converter = iconv_open("UTF-8", "GB18030");
  if (converter == reinterpret_cast<iconv_t>(-1)) return std::nullopt;
  std::string in{bytes};
  std::string out(bytes.size() * 3 + 16, '\0');
  char* from = in.data();
  char* to = out.data();
  std::size_t left = in.size();
  std::size_t room = out.size();
  const bool good = iconv(converter, &from, &left, &to, &room) != static_cast<std::size_t>(-1);
  iconv_close(converter);
  if (!good) return std::nullopt;
  out.resize(out.size() - room);
  return out;
}

bool declares_gb(std::string_view bytes) {
  const std::string_view head = bytes.substr(0, std::min<std::size_t>(bytes.size(), 200));
  for (const char* name : {"GB2312", "gb2312", "GBK", "gbk", "GB18030", "gb18030"}) {
    if (head.find(name) != std::string_view::npos) return true;
  }
  return false;
}

double rounded(double value) {
  return number_of(fmt::format("{:.12g}", value)).value_or(value);
}

}  // namespace

std::string as_utf8(std::string_view bytes) {
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(i < bytes.size() ? bytes[i] : 0); };
  if (bytes.size() >= 2 && at(0) == 0xFF && at(1) == 0xFE) return from_utf16(bytes.substr(2), true);
  if (bytes.size() >= 2 && at(0) == 0xFE && at(1) == 0xFF) return from_utf16(bytes.substr(2), false);
  // Without a mark: both formats begin with an ASCII character.
  if (bytes.size() >= 4 && at(0) != 0 && at(1) == 0 && at(2) != 0 && at(3) == 0) return from_utf16(bytes, true);
  if (bytes.size() >= 4 && at(0) == 0 && at(1) != 0 && at(2) == 0 && at(3) != 0) return from_utf16(bytes, false);
  if (at(0) == 0xEF && at(1) == 0xBB && at(2) == 0xBF) bytes.remove_prefix(3);
  if (valid_utf8(bytes)) return std::string(bytes);
  if (declares_gb(bytes)) {
    if (auto text = from_gb18030(bytes)) return *text;
  }
  return from_latin1(bytes);
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n\f\v";
  const std::size_t first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

std::optional<double> number_of(std::string_view text) {
  text = trimmed(text);
  if (text.starts_with('+')) text.remove_prefix(1);
  double value = 0.0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failure != std::errc() || end != text.data() + text.size() || !(std::abs(value) <= kLargest)) {
    return std::nullopt;
  }
  return value;
}

std::optional<std::int64_t> whole_of(std::string_view text) {
  const auto value = number_of(text);
  if (!value || *value != std::floor(*value) || std::abs(*value) > 9e15) return std::nullopt;
  return static_cast<std::int64_t>(*value);
}

std::string unit_text(double value, std::string_view unit) {
  return quantity(rounded(value), unit);
}

std::string time_text(double seconds) {
  const double s = rounded(seconds);
  if (s >= 86400.0 && std::fmod(s, 86400.0) == 0.0) return unit_text(s / 86400.0, "d");
  if (s >= 3600.0 && std::fmod(s, 1800.0) == 0.0) return unit_text(s / 3600.0, "h");
  if (s >= 60.0 && std::fmod(s, 30.0) == 0.0) return unit_text(s / 60.0, "min");
  if (s != 0.0 && std::abs(s) < 1.0) return unit_text(s * 1e3, "ms");
  return unit_text(s, "s");
}

std::string current_text(double amperes) {
  const double size = std::abs(amperes);
  if (size == 0.0 || size >= 0.1) return unit_text(amperes, "A");
  return size < 1e-4 ? unit_text(amperes * 1e6, "uA") : unit_text(amperes * 1e3, "mA");
}

namespace {

using Limit = std::optional<double>;

// `name` = { min, max, for } of one quantity. `cell_min`, `cell_max`: just inside of where the cell's own limits trip.
// The tighter of the two stands, as it would anyway: a looser limit than the cell's is refused.
void write_bound(ProfileText& profile, const char* name, const Limit& min, const Limit& max, const char* unit,
                 double dwell_s, const char* cell_min, const char* cell_max) {
  if (!min && !max) return;
  InlineTable table;
  const auto tighter = [&](const char* function, double value, const char* of_cell) {
    const std::string text = unit_text(value, unit);
    return *of_cell == 0 ? text : fmt::format("{}({}, {})", function, text, of_cell);
  };
  if (min) table.text("min", tighter("max", *min, cell_min));
  // `max` alone would bound both directions of a current.
  if (!min && std::string_view(name) == "current") table.text("min", cell_min);
  if (max) table.text("max", tighter("min", *max, cell_max));
  if (dwell_s > 0.0) table.text("for", time_text(dwell_s));
  profile.safety.emplace_back(name, table.str());
}

}  // namespace

void SafetyBox::write(ProfileText& profile) const {
  // Without figures of its own a cell trips 50 mV and 5 % beyond its ratings.
  write_bound(profile, "voltage", voltage_min_V, voltage_max_V, "V", dwell_s, "cell.voltage_min - 40 mV",
              "cell.voltage_max + 40 mV");
  write_bound(profile, "current", current_min_A, current_max_A, "A", dwell_s, "-1.04 * cell.discharge_current_max",
              "1.04 * cell.charge_current_max");
  write_bound(profile, "power", power_min_W, power_max_W, "W", dwell_s, "", "");
  write_bound(profile, "temperature", temperature_min_degC, temperature_max_degC, "degC", dwell_s,
              "min(cell.charge_temperature_min, cell.discharge_temperature_min)",
              "max(cell.charge_temperature_max, cell.discharge_temperature_max)");
  write_bound(profile, "capacity", std::nullopt, capacity_max_Ah, "Ah", 0.0, "", "");
}

Import::Import(const text::SourcePtr& source, const ImportOptions& options, text::Diagnostics& diagnostics)
    : source_(source), name_(options.name), diagnostics_(diagnostics) {
  if (name_.empty()) {
    name_ = file_name();
    const std::size_t dot = name_.find_last_of('.');
    if (dot != std::string::npos && dot != 0) name_.resize(dot);
  }
  if (source->text.size() > kMaxImportBytes) {
    error(code::kTooLarge, 0,
          fmt::format("the file has {} bytes; at most {} are read", source->text.size(), kMaxImportBytes));
    return;
  }
  source_ = std::make_shared<const text::Source>(text::Source{source->name, as_utf8(source->text)});
}

std::string Import::file_name() const {
  return source_->name.substr(source_->name.find_last_of('/') + 1);
}

void Import::error(const char* code, std::uint32_t line, std::string message, std::string help) {
  failed_ = true;
  if (++errors_ > kMostFindings) return;
  text::Span where;
  where.source = source_;
  where.line = line;
  where.column = line == 0 ? 0 : 1;
  diagnostics_.error(code, where, std::move(message), std::move(help));
}

void Import::dropped(std::string where, std::string what, std::string why) {
  translation_.losses.push_back({Loss::Kind::dropped, std::move(where), std::move(what), std::move(why)});
}

void Import::approximated(std::string where, std::string what, std::string why) {
  translation_.losses.push_back({Loss::Kind::approximated, std::move(where), std::move(what), std::move(why)});
}

// The same thing at many places is told once, with all the places.
void Import::gather_losses() {
  std::vector<Loss> gathered;
  std::map<std::tuple<Loss::Kind, std::string, std::string>, std::size_t> seen;
  for (Loss& loss : translation_.losses) {
    const auto [at, is_new] = seen.try_emplace({loss.kind, loss.what, loss.why}, gathered.size());
    if (is_new) {
      gathered.push_back(std::move(loss));
    } else {
      std::string& where = gathered[at->second].where;
      const bool steps = loss.where.starts_with("step ") && where.starts_with("step");
      where += ", " + (steps ? loss.where.substr(5) : loss.where);
      if (steps && !where.starts_with("steps")) where.insert(4, "s");
    }
  }
  translation_.losses = std::move(gathered);
}

std::optional<Translation> Import::finish(const ProfileText& profile) {
  if (!failed_ && profile.steps.empty()) error(code::kNoSteps, 0, "none of the file's steps ever runs");
  if (failed_) return std::nullopt;
  translation_.text = to_toml(profile);
  gather_losses();
  const auto made = std::make_shared<const text::Source>(text::Source{name_ + ".toml", translation_.text});
  text::Diagnostics findings;
  static_cast<void>(profiles::parse_profile(made, findings));
  for (const text::Diagnostic& finding : findings.all()) {
    if (finding.severity != text::Severity::error) continue;
    error(code::kResult, 0,
          fmt::format("the result is not a profile: {} {} (line {} of the result)", finding.code, finding.message,
                      finding.where.line),
          finding.help);
    return std::nullopt;
  }
  return std::move(translation_);
}

}  // namespace cyclerd::exchange
