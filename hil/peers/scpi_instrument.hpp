// An instrument that speaks SCPI: dispatch of messages, IEEE 488.2 common commands, error queue, status. A family adds
// its commands to the table.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hil/peers/scpi_header.hpp"
#include "hil/peers/text_server.hpp"

namespace cyclerd::hil {

namespace scpi_error {
inline constexpr int kDataType = -104, kParameterNotAllowed = -108, kMissingParameter = -109, kUndefinedHeader = -113,
                     kHeaderSuffix = -114, kSuffix = -131, kSettingsConflict = -221, kOutOfRange = -222,
                     kIllegalValue = -224, kOverflow = -350;
}
[[nodiscard]] std::string_view scpi_error_text(int code) noexcept;

enum class NumberStyle : std::uint8_t {
  signed_exponent,  // +4.20000000E+00
  exponent,         // 4.200000E+00
  fixed             // 4.2000
};
[[nodiscard]] std::string scpi_number(double value, NumberStyle style);

struct ScpiRange {
  double min = 0.0, max = 0.0, fallback = 0.0;
};

// One unit of a message on its way through a handler: its parameters, and what becomes of it.
class ScpiCall {
 public:
  ScpiCall(const ScpiUnit& unit, std::vector<int> suffixes) : unit_(unit), suffixes_(std::move(suffixes)) {}

  [[nodiscard]] const std::vector<int>& channels() const noexcept { return unit_.channels; }
  [[nodiscard]] int suffix(std::size_t n = 0) const noexcept { return n < suffixes_.size() ? suffixes_[n] : 1; }
  [[nodiscard]] std::size_t parameter_count() const noexcept { return unit_.parameters.size(); }
  // Each of these leaves an error behind and gives none when the parameter is missing or wrong. MIN, MAX and DEF are
  // numbers; so are those with a unit of the right letter ("mV" is 1e-3 where the unit is V).
  std::optional<double> number(const ScpiRange& range, std::string_view unit = "", std::size_t n = 0);
  std::optional<bool> boolean(std::size_t n = 0);
  std::optional<std::size_t> word(std::initializer_list<std::string_view> mnemonics, std::size_t n = 0);
  [[nodiscard]] std::string text(std::size_t n = 0) const {
    return n < unit_.parameters.size() ? unit_.parameters[n] : std::string();
  }

  void fail(int code) noexcept {
    if (error == 0) error = code;
  }
  void answer(std::string reply_text) { reply = std::move(reply_text); }

  int error = 0;
  std::optional<std::string> reply;

 private:
  [[nodiscard]] const std::string* parameter(std::size_t n);
  const ScpiUnit& unit_;
  std::vector<int> suffixes_;
};

struct ScpiManners {
  std::string identity;  // *IDN?
  std::string no_error = "0,\"No error\"";
  bool plus_on_zero = false;  // +0,"No error"
  std::size_t queue_depth = 20;
  NumberStyle numbers = NumberStyle::exponent;
};

class ScpiInstrument : public TextInstrument {
 public:
  std::optional<std::string> answer(std::string_view line) override;

 protected:
  using Handler = std::function<void(ScpiCall&)>;
  explicit ScpiInstrument(ScpiManners manners);
  void on(std::string_view pattern, Handler handler) {
    commands_.push_back({ScpiPattern(pattern), std::move(handler)});
  }
  // The whole instrument as after *RST.
  virtual void reset() = 0;
  // Every line that arrives, before it is obeyed: watchdogs are fed here.
  virtual void heard() {}
  virtual std::uint16_t questionable() { return 0; }
  virtual std::uint16_t operation() { return 0; }

  void push_error(int code);
  [[nodiscard]] std::string number(double value) const { return scpi_number(value, manners_.numbers); }

 private:
  struct Command {
    ScpiPattern pattern;
    Handler handler;
  };
  void add_common();
  void add_status();
  void add_register(std::string_view name, std::uint16_t& enable, std::uint16_t (ScpiInstrument::*condition)());
  [[nodiscard]] std::string next_error();
  [[nodiscard]] int status_byte();

  ScpiManners manners_;
  std::vector<Command> commands_;
  std::deque<int> errors_;
  int event_status_ = 128;  // power on
  int event_enable_ = 0, service_enable_ = 0;
  std::uint16_t operation_enable_ = 0, questionable_enable_ = 0;
};

}  // namespace cyclerd::hil
