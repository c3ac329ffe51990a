#include "hil/peers/scpi_instrument.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>

namespace cyclerd::hil {
namespace {

// A multiplier before the letter of the unit.
std::optional<double> multiplier(std::string_view given, std::string_view unit) {
  while (!given.empty() && given.front() == ' ') given.remove_prefix(1);
  if (given.empty()) return 1.0;
  if (unit.empty() || given.size() < unit.size()) return std::nullopt;
  const std::string_view tail = given.substr(given.size() - unit.size());
  if (!std::equal(tail.begin(), tail.end(), unit.begin(),
                  [](char a, char b) { return std::toupper(a) == std::toupper(b); }))
    return std::nullopt;
  given.remove_suffix(unit.size());
  if (given.empty()) return 1.0;
  if (given == "m" || given == "M") return 1e-3;
  if (given == "u" || given == "U") return 1e-6;
  if (given == "k" || given == "K") return 1e3;
  return std::nullopt;
}

}  // namespace

std::string_view scpi_error_text(int code) noexcept {
  switch (code) {
    case 0: return "No error";
    case scpi_error::kDataType: return "Data type error";
    case scpi_error::kParameterNotAllowed: return "Parameter not allowed";
    case scpi_error::kMissingParameter: return "Missing parameter";
    case scpi_error::kUndefinedHeader: return "Undefined header";
    case scpi_error::kHeaderSuffix: return "Header suffix out of range";
    case scpi_error::kSuffix: return "Invalid suffix";
    case scpi_error::kSettingsConflict: return "Settings conflict";
    case scpi_error::kOutOfRange: return "Data out of range";
    case scpi_error::kIllegalValue: return "Illegal parameter value";
    case scpi_error::kOverflow: return "Queue overflow";
    default: return "Execution error";
  }
}

std::string scpi_number(double value, NumberStyle style) {
  switch (style) {
    case NumberStyle::signed_exponent: return fmt::format("{:+.8E}", value);
    case NumberStyle::exponent: return fmt::format("{:.6E}", value);
    case NumberStyle::fixed: return fmt::format("{:.4f}", value);
  }
  return {};
}

const std::string* ScpiCall::parameter(std::size_t n) {
  if (n >= unit_.parameters.size() || unit_.parameters[n].empty()) {
    fail(scpi_error::kMissingParameter);
    return nullptr;
  }
  return &unit_.parameters[n];
}

std::optional<double> ScpiCall::number(const ScpiRange& range, std::string_view unit, std::size_t n) {
  const std::string* p = parameter(n);
  if (p == nullptr) return std::nullopt;
  if (is_mnemonic("MINimum", *p)) return range.min;
  if (is_mnemonic("MAXimum", *p)) return range.max;
  if (is_mnemonic("DEFault", *p)) return range.fallback;
  const char* begin = p->data() + (p->front() == '+' ? 1 : 0);
  double value = 0.0;
  const auto r = std::from_chars(begin, p->data() + p->size(), value);
  if (r.ec != std::errc{} || !std::isfinite(value)) {
    fail(scpi_error::kDataType);
    return std::nullopt;
  }
  const auto factor = multiplier({r.ptr, static_cast<std::size_t>(p->data() + p->size() - r.ptr)}, unit);
  if (!factor) {
    fail(scpi_error::kSuffix);
    return std::nullopt;
  }
  value *= *factor;
  const double room = 1e-9 * std::max(std::abs(range.min), std::abs(range.max));
  if (value < range.min - room || value > range.max + room) {
    fail(scpi_error::kOutOfRange);
    return std::nullopt;
  }
  return value;
}

std::optional<bool> ScpiCall::boolean(std::size_t n) {
  const std::string* p = parameter(n);
  if (p == nullptr) return std::nullopt;
  if (*p == "1" || is_mnemonic("ON", *p)) return true;
  if (*p == "0" || is_mnemonic("OFF", *p)) return false;
  fail(scpi_error::kDataType);
  return std::nullopt;
}

std::optional<std::size_t> ScpiCall::word(std::initializer_list<std::string_view> mnemonics, std::size_t n) {
  const std::string* p = parameter(n);
  if (p == nullptr) return std::nullopt;
  std::size_t i = 0;
  for (std::string_view m : mnemonics) {
    if (is_mnemonic(m, *p)) return i;
    ++i;
  }
  fail(scpi_error::kIllegalValue);
  return std::nullopt;
}

ScpiInstrument::ScpiInstrument(ScpiManners manners) : manners_(std::move(manners)) {
  add_common();
  add_status();
}

void ScpiInstrument::push_error(int code) {
  if (code <= -400) {
    event_status_ |= 4;
  } else if (code <= -300 || code > 0) {
    event_status_ |= 8;
  } else if (code <= -200) {
    event_status_ |= 16;
  } else {
    event_status_ |= 32;
  }
  if (errors_.size() < manners_.queue_depth) {
    errors_.push_back(code);
  } else {
    errors_.back() = scpi_error::kOverflow;  // the first ones stay
  }
}

std::string ScpiInstrument::next_error() {
  if (errors_.empty()) return manners_.plus_on_zero ? "+" + manners_.no_error : manners_.no_error;
  const int code = errors_.front();
  errors_.pop_front();
  return fmt::format("{},\"{}\"", code, scpi_error_text(code));
}

int ScpiInstrument::status_byte() {
  int byte = errors_.empty() ? 0 : 4;
  if ((questionable() & questionable_enable_) != 0) byte |= 8;
  if ((event_status_ & event_enable_) != 0) byte |= 32;
  if ((operation() & operation_enable_) != 0) byte |= 128;
  if ((byte & service_enable_) != 0) byte |= 64;
  return byte;
}

void ScpiInstrument::add_common() {
  auto whole = [](ScpiCall& c) { return c.number({0, 255, 0}); };
  on("*IDN?", [this](ScpiCall& c) { c.answer(manners_.identity); });
  on("*CLS", [this](ScpiCall&) { errors_.clear(), event_status_ = 0; });
  on("*RST", [this](ScpiCall&) { reset(); });
  on("*OPC", [this](ScpiCall&) { event_status_ |= 1; });
  on("*OPC?", [](ScpiCall& c) { c.answer("1"); });
  on("*WAI", [](ScpiCall&) {});
  on("*TST?", [](ScpiCall& c) { c.answer("0"); });
  on("*ESR?", [this](ScpiCall& c) { c.answer(fmt::format("{}", std::exchange(event_status_, 0))); });
  on("*ESE?", [this](ScpiCall& c) { c.answer(fmt::format("{}", event_enable_)); });
  on("*SRE?", [this](ScpiCall& c) { c.answer(fmt::format("{}", service_enable_)); });
  on("*STB?", [this](ScpiCall& c) { c.answer(fmt::format("{}", status_byte())); });
  on("*ESE", [this, whole](ScpiCall& c) {
    if (auto n = whole(c)) event_enable_ = static_cast<int>(*n);
  });
  on("*SRE", [this, whole](ScpiCall& c) {
    if (auto n = whole(c)) service_enable_ = static_cast<int>(*n);
  });
}

void ScpiInstrument::add_register(std::string_view name, std::uint16_t& enable,
                                  std::uint16_t (ScpiInstrument::*condition)()) {
  // The conditions are looked at when asked for, so an event is a condition that is there now.
  auto tell = [this, condition](ScpiCall& c) { c.answer(fmt::format("{}", (this->*condition)())); };
  on(fmt::format("STATus:{}[:EVENt]?", name), tell);
  on(fmt::format("STATus:{}:CONDition?", name), tell);
  on(fmt::format("STATus:{}:ENABle?", name), [&enable](ScpiCall& c) { c.answer(fmt::format("{}", enable)); });
  on(fmt::format("STATus:{}:ENABle", name), [&enable](ScpiCall& c) {
    if (auto n = c.number({0, 65535, 0})) enable = static_cast<std::uint16_t>(*n);
  });
}

void ScpiInstrument::add_status() {
  on("SYSTem:ERRor[:NEXT]?", [this](ScpiCall& c) { c.answer(next_error()); });
  on("SYSTem:VERSion?", [](ScpiCall& c) { c.answer("1999.0"); });
  on("STATus:PRESet", [this](ScpiCall&) { operation_enable_ = questionable_enable_ = 0; });
  add_register("OPERation", operation_enable_, &ScpiInstrument::operation);
  add_register("QUEStionable", questionable_enable_, &ScpiInstrument::questionable);
}

std::optional<std::string> ScpiInstrument::answer(std::string_view line) {
  heard();
  std::optional<std::string> all;
  for (const ScpiUnit& unit : read_message(line)) {
    const Command* found = nullptr;
    std::vector<int> suffixes;
    for (const Command& command : commands_) {
      auto match = command.pattern.match(unit.header);
      if (!match) continue;
      found = &command;
      suffixes = std::move(*match);
      break;
    }
    if (found == nullptr || unit.bad_channels) {
      push_error(found == nullptr ? scpi_error::kUndefinedHeader : scpi_error::kDataType);
      break;  // the rest of a message with a command error is not looked at
    }
    ScpiCall call(unit, std::move(suffixes));
    found->handler(call);
    if (call.error != 0) {
      push_error(call.error);
      if (call.error > -200) break;
      continue;
    }
    if (call.reply) all = all ? *all + ";" + *call.reply : *call.reply;
  }
  return all;
}

}  // namespace cyclerd::hil
