// What one instrument family is and how it speaks, as data: one TOML file in protocols/devices.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocols/base/sample.hpp"
#include "protocols/base/time.hpp"
#include "protocols/device/can_item.hpp"
#include "protocols/device/device.hpp"
#include "protocols/device/register.hpp"
#include "protocols/device/text_item.hpp"
#include "protocols/text/diagnostics.hpp"
#include "protocols/text/quantity.hpp"
#include "protocols/text/toml.hpp"

namespace cyclerd::device {

inline constexpr int kNone = -1;  // "no such item" where an index is expected

// How an instrument is spoken to: registers, lines of text (SCPI and its relatives), frames.
enum class Dialect : std::uint8_t { modbus, text, can };

// How sure a fact is. `own`: our virtual instruments.
enum class Mark : std::uint8_t { own, two_sources, one_source, conflict, unconfirmed };

// A fact of the site, not of the model: bound in the station file. Numbers are SI, booleans 0 or 1, words an index.
struct Parameter {
  enum class Kind : std::uint8_t { number, boolean, word };
  std::string name;
  Kind kind = Kind::number;
  text::Dimension dimension;
  double standard = 0.0;  // default
  double min = 0.0;
  double max = 0.0;
  std::vector<std::string> words;
  std::string help;
  bool required = false;  // no default is safe: the station file must say it
  bool whole = false;     // counts something: part of an address
  text::Span where;
};

// A unit that an item has while what decides reads `code`. SI = number * factor + offset.
struct ItemUnit {
  double code = 0.0;
  text::Dimension dimension;
  double factor = 1.0;
  double offset = 0.0;
};

// One row of a scale that the instrument's own registers decide: it holds while what decides reads from `from` to `to`.
struct ScaleRow {
  double from = 0.0;
  double to = 0.0;
  double range = base::kAbsent;  // of the live range item; NaN: whatever it reads
  double scale = 1.0;
};

// One value in the instrument.
//   value (SI) = sign * raw * scale [* nominal value / full_scale] * unit factor + unit offset
struct Item {
  std::string name;
  Function function = Function::holding;
  std::uint16_t address = 0;
  std::uint16_t address_step = 0;  // times the site parameter less one, added to `address` by at_site()
  int address_parameter = kNone;
  std::uint16_t count = 1;  // registers, or bits
  ValueType type = ValueType::u16;
  WordOrder words = WordOrder::ABCD;
  int words_parameter = kNone;  // site parameter that overrides `words`
  double scale = 1.0;
  int nominal = kNone;               // item
  int decimals_item = kNone;         // tells how many decimals the raw number has
  int scale_item = kNone;            // chooses among `scale_rows` when the instrument is opened (a model number)
  int range_item = kNone;            // chooses among them in every scan (a measuring range)
  std::vector<ScaleRow> scale_rows;  // instead of `scale`
  double full_scale = 1.0;
  int sign_item = kNone;  // negative while this bit is 1
  std::uint8_t sign_bit = 0;
  double sign_value = base::kAbsent;  // instead of a bit: negative while the sign item reads this
  text::Dimension dimension;
  double unit_factor = 1.0;
  double unit_offset = 0.0;  // degC that 0 degF is
  bool has_unit = false;
  int unit_item = kNone;        // item that tells which of `units` it is
  int unit_parameter = kNone;   // or the site parameter
  std::vector<ItemUnit> units;  // empty: always the same
  bool readable = true;
  bool writable = false;
  bool write_multiple = false;                // function 16 even for one register
  int readback = kNone;                       // item that tells what was written, when not this one
  std::uint32_t readback_mask = 0xFFFFFFFFU;  // bits that must come back
  bool inverted = false;                      // a switch that is true while the bit is 0
  int invert_parameter = kNone;               // site parameter that decides it
  bool negated = false;                       // a number that counts the other way round
  int negate_parameter = kNone;               // site parameter that decides it
  double raw_min = 0.0;
  double raw_max = 0.0;
  double resolution = 0.0;    // SI; 0: that of the raw number
  double written_step = 0.0;  // raw; what a fraction is rounded to when it is sent; 0: not known
  TextItem text;              // of the text dialect
  CanItem can;                // of the CAN dialect
  Mark mark = Mark::unconfirmed;
  std::string source;
  std::string verified;
  text::Span where;

  [[nodiscard]] bool is_bits() const noexcept { return function == Function::coil || function == Function::discrete; }
};

// Some bits of an item's raw value.
struct BitField {
  int item = kNone;
  std::uint32_t mask = 0xFFFFFFFFU;
  std::uint8_t shift = 0;
  bool invert = false;
  std::vector<double> one_of;  // raw values that make it true, instead of bits
};

struct RegulationMap {
  BitField bits;
  std::vector<std::pair<std::uint32_t, base::Regulation>> values;
};

// The numbers a sequence may take from the outside.
enum class Field : std::uint8_t {
  current_A = 0,
  voltage_V,
  power_W,
  resistance_Ohm,
  voltage_max_V,
  voltage_min_V,
  current_max_A,
  current_min_A,
  temperature_degC,
  ramp_K_per_min,
  protect_voltage_max_V,
  protect_voltage_min_V,
  protect_current_max_A,
  protect_current_min_A,
  count_,
};
inline constexpr std::size_t kFieldCount = static_cast<std::size_t>(Field::count_);
using FieldValues = std::array<double, kFieldCount>;  // SI (the ramp in K/s); NaN: not given, the step is skipped

struct Value {
  enum class Kind : std::uint8_t { constant, field, parameter, largest };
  Kind kind = Kind::constant;
  double constant = 0.0;  // SI, or raw for items without a unit
  Field field = Field::current_A;
  int parameter = kNone;
  bool negate = false;  // minus for numbers, not for switches
};

struct Step {
  enum class Kind : std::uint8_t { write, check, wait, send };
  Kind kind = Kind::write;
  int item = kNone;
  int command = kNone;  // send
  Value value;
  bool verify = false;
  bool always = false;           // write although nothing changed
  double tolerance_steps = 0.0;  // of a read-back, in resolution steps
  base::Duration delay_before;
  base::Duration delay_after;
  base::Duration within;  // check: how long it may take to become true
  text::Span where;
};
using Sequence = std::vector<Step>;

enum class SequenceId : std::uint8_t {
  claim = 0,
  connect,
  protect,
  charge,
  discharge,
  voltage,
  power_charge,
  power_discharge,
  resistance,
  rest,
  off,
  make_safe,
  release,
  feed,
  condition,
  close,  // of a relay
  count_,
};
inline constexpr std::size_t kSequenceCount = static_cast<std::size_t>(SequenceId::count_);

// A number that is known, or that the instrument tells.
struct Told {
  double constant = base::kAbsent;
  int item = kNone;
  double times = 1.0;
  int parameter = kNone;  // or the site
};

// Which way a cycler's terminals can drive current: decides which sequences it needs. A source only charges, a sink
// only discharges; one of each makes a composite channel.
enum class Topology : std::uint8_t { two_quadrant, source, sink };

struct CapabilityText {
  Topology topology = Topology::two_quadrant;
  OffMeans off = OffMeans::unknown;
  bool native_cv = false;
  Told voltage_min, voltage_max, current_min, current_max, power_min, power_max, voltage_step, current_step;
  Told temperature_min, temperature_max;
  base::Duration min_scan;
};

struct WatchdogText {
  WatchdogKind kind = WatchdogKind::none;
  Value timeout;            // constant or parameter, s
  bool fed_by_any = false;  // any request feeds it; otherwise the sequence `feed`
};

struct IdentityRule {
  int item = kNone;
  std::string constant;            // instead of an item
  std::vector<std::string> match;  // '*' stands for any text; empty: anything
};

// How a serial wire to this instrument is set up unless the station file says otherwise.
enum class SerialParity : std::uint8_t { none, even, odd };
struct SerialText {
  std::uint32_t baud = 9600;
  SerialParity parity = SerialParity::none;
  std::uint8_t data_bits = 8;
  std::uint8_t stop_bits = 1;
};

// Registers, both ends included, that are neither read nor written, not even as the gap of a block.
struct ForbiddenRange {
  std::uint16_t first = 0;
  std::uint16_t last = 0;
};

struct Description {
  std::string id;
  std::string title;
  DeviceKind kind = DeviceKind::cycler;
  Dialect dialect = Dialect::modbus;
  base::Duration response_timeout = base::milliseconds(500);
  base::Duration min_gap;         // silence on the line before a request
  base::Duration request_gap;     // between two exchanges with this instrument
  base::Duration worst_response;  // no reply comes later than this; 0: twice the response timeout
  std::optional<SerialText> serial_line;
  std::vector<ForbiddenRange> forbidden;
  std::uint16_t max_read = kMaxReadRegisters;
  std::uint16_t max_gap = 8;  // unused registers that a block read may take along

  TextLayer text;        // of the text dialect
  ReplyRule text_reply;  // to what is set, unless it says otherwise
  std::vector<TextCommand> commands;
  std::vector<TextFrame> frames;
  CanLayer can;  // of the CAN dialect

  std::vector<Parameter> parameters;
  std::vector<Item> items;
  IdentityRule maker, model, serial, firmware;
  std::string anonymous;  // why the instrument cannot say who it is; empty: it can

  struct {
    int voltage = kNone, current = kNone, power = kNone, temperature = kNone, chamber = kNone, chamber_setpoint = kNone;
  } measure;
  struct {
    int word = kNone;   // raw, into Reading::status
    int count = kNone;  // unchanged: the instrument repeats itself
    BitField output_on, remote, alarm;
    std::vector<BitField> more_alarms;  // an alarm is any of them
    RegulationMap regulation;
    std::vector<int> compare;  // set-points whose change by somebody else means foreign control
  } status;
  CapabilityText capability;
  WatchdogText watchdog;
  std::array<Sequence, kSequenceCount> sequences;
  std::array<bool, kSequenceCount> has_sequence{};

  text::SourcePtr source;

  [[nodiscard]] int find_item(std::string_view name) const noexcept;
  [[nodiscard]] int find_parameter(std::string_view name) const noexcept;
  [[nodiscard]] const Sequence& sequence(SequenceId which) const noexcept {
    return sequences[static_cast<std::size_t>(which)];
  }
  [[nodiscard]] bool has(SequenceId which) const noexcept { return has_sequence[static_cast<std::size_t>(which)]; }
  [[nodiscard]] const Item& item(int index) const noexcept { return items[static_cast<std::size_t>(index)]; }
};

// Reads and checks a description; every finding (codes D1xx, D0xx and T0xx) is noted. Null when there was an error.
[[nodiscard]] std::shared_ptr<const Description> load_description(const text::SourcePtr&, text::Diagnostics&);

}  // namespace cyclerd::device
