// The words and values of Maccor procedures.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace cyclerd::exchange {

// "03:00:00", "::.01", "2:00:00:00" (days), "00:00:01.5"; empty parts are zero.
[[nodiscard]] std::optional<double> maccor_seconds(std::string_view text);

// An end as a condition.
struct MaccorEnd {
  std::string text;
  bool is_voltage = false;
  bool upper = false;
  double value = 0.0;
};
[[nodiscard]] std::optional<MaccorEnd> maccor_end(std::string_view type, std::string_view compare,
                                                  std::string_view value, int sign);

// A report as a key of `record`; an empty key: it says nothing (zero).
struct MaccorReport {
  std::string key, value;
  double size = 0.0;
};
[[nodiscard]] std::optional<MaccorReport> maccor_report(std::string_view type, std::string_view value);

// A formula that is a straight line over the time of the step: "0|4*CRATE*(STIME/3600)". Amperes, or multiples of C.
struct MaccorLine {
  double start = 0.0;
  double per_second = 0.0;
  bool c_rate = false;
};
[[nodiscard]] std::optional<MaccorLine> maccor_line(std::string_view formula);

}  // namespace cyclerd::exchange
