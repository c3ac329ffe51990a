// What the importers of cyclers' own files share: the bytes as text, values with units, the account of what was lost.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "profiles/exchange/exchange.hpp"
#include "profiles/exchange/profile_text.hpp"

namespace cyclerd::exchange {

// Codes of findings; explained in README.md.
namespace code {
inline constexpr const char* kTooLarge = "X040";
inline constexpr const char* kUnreadable = "X041";
inline constexpr const char* kOtherFormat = "X042";
inline constexpr const char* kTooDeep = "X043";
inline constexpr const char* kTooManySteps = "X044";
inline constexpr const char* kNoSteps = "X045";
inline constexpr const char* kValue = "X046";
inline constexpr const char* kMissing = "X047";
inline constexpr const char* kStepKind = "X048";
inline constexpr const char* kLoop = "X049";
inline constexpr const char* kJump = "X050";
inline constexpr const char* kBound = "X051";
inline constexpr const char* kTooManyEnds = "X052";
inline constexpr const char* kResult = "X053";
}  // namespace code

// The bytes of a file as UTF-8: from UTF-8, UTF-16 with or without a mark, GB18030 where that is declared, else
// Latin-1. Never fails; what cannot be read becomes '?'.
[[nodiscard]] std::string as_utf8(std::string_view bytes);

[[nodiscard]] std::string_view trimmed(std::string_view text);
// A decimal number of at most 1e18 and nothing else; spaces around it are allowed.
[[nodiscard]] std::optional<double> number_of(std::string_view text);
[[nodiscard]] std::optional<std::int64_t> whole_of(std::string_view text);

// Values as a technician would write them: "3 h", "25 min", "50 mA", "4.2 V". Rounded to 12 digits.
[[nodiscard]] std::string time_text(double seconds);
[[nodiscard]] std::string current_text(double amperes);
[[nodiscard]] std::string unit_text(double value, std::string_view unit);

// The limits that hold in the whole test, as the other file gives them. SI units.
struct SafetyBox {
  std::optional<double> voltage_max_V, voltage_min_V, current_max_A, current_min_A, power_max_W, power_min_W;
  std::optional<double> temperature_max_degC, temperature_min_degC, capacity_max_Ah;
  double dwell_s = 0.0;
  // Writes [safety].
  void write(ProfileText& profile) const;
};

// One import while it runs.
class Import {
 public:
  // A finding and an empty result when the file is too large.
  Import(const text::SourcePtr& source, const ImportOptions& options, text::Diagnostics& diagnostics);

  [[nodiscard]] bool failed() const noexcept { return failed_; }
  [[nodiscard]] const text::SourcePtr& source() const noexcept { return source_; }  // as UTF-8
  [[nodiscard]] std::string name() const { return name_; }
  [[nodiscard]] std::string file_name() const;  // without its folder

  void error(const char* code, std::uint32_t line, std::string message, std::string help = {});
  void dropped(std::string where, std::string what, std::string why);
  void approximated(std::string where, std::string what, std::string why);
  void translated(std::size_t count = 1) { translation_.translated += count; }

  // Writes the profile and reads it again. nullopt when anything failed.
  [[nodiscard]] std::optional<Translation> finish(const ProfileText& profile);

 private:
  void gather_losses();

  text::SourcePtr source_;
  std::string name_;
  text::Diagnostics& diagnostics_;
  Translation translation_;
  std::size_t errors_ = 0;
  bool failed_ = false;
};

}  // namespace cyclerd::exchange
