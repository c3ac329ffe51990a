// A DBC file: which frames are on a bus and which numbers are in them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "protocols/base/result.hpp"
#include "protocols/base/time.hpp"
#include "protocols/text/diagnostics.hpp"

namespace cyclerd::dbc {

inline constexpr std::uint16_t kMaxFrameBytes = 64;  // CAN FD

enum class ByteOrder : std::uint8_t { intel, motorola };
enum class NumberKind : std::uint8_t { unsigned_integer, signed_integer, float32, float64 };

// value = raw * factor + offset, in `unit`.
struct Signal {
  std::string name;
  std::uint16_t start = 0;  // Intel: bit of the least, Motorola: of the most significant bit; byte * 8 + bit
  std::uint16_t length = 1;
  ByteOrder order = ByteOrder::intel;
  NumberKind kind = NumberKind::unsigned_integer;
  double factor = 1.0;
  double offset = 0.0;
  double min = 0.0;  // min == max: the file says none
  double max = 0.0;
  std::string unit;  // UTF-8
  bool is_switch = false;
  int switched_by = -1;                                            // signal of the message that selects this one
  std::vector<std::pair<std::uint64_t, std::uint64_t>> when;       // raw values of the switch, from and to
  std::vector<std::pair<std::int64_t, std::string>> descriptions;  // of raw values
};

struct Message {
  std::uint32_t id = 0;
  bool extended = false;  // 29 bits
  bool flexible_rate = false;
  std::string name;
  std::string sender;
  std::uint16_t length = 8;  // bytes
  base::Duration cycle;      // 0: not said
  std::vector<Signal> signals;

  [[nodiscard]] const Signal* find(std::string_view signal) const noexcept;
};

struct Database {
  std::vector<Message> messages;  // in the order of the file

  [[nodiscard]] const Message* find(std::string_view message) const noexcept;
  [[nodiscard]] const Message* find(std::uint32_t id, bool extended) const noexcept;
};

// UTF-8, or Windows-1252 where the bytes are no UTF-8. Syntax that cannot be read is an error (D090, D094); what does
// not fit is left out with a warning (D091 signals, D092 doubles, D093 switches, D095 names). Sections that carry no
// frames are passed over. nullopt after an error.
[[nodiscard]] std::optional<Database> read_dbc(const text::SourcePtr& source, text::Diagnostics& diagnostics);

// The same text in UTF-8.
[[nodiscard]] std::string utf8_of(std::string_view bytes);

}  // namespace cyclerd::dbc
