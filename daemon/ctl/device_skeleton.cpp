#include "daemon/ctl/device_skeleton.hpp"

#include <fmt/format.h>

#include <array>

#include "daemon/ctl/description_view.hpp"

namespace cyclerd::ctl {

using device::DeviceKind;
using device::Dialect;

namespace {

constexpr std::string_view kHead =
    R"(# Fill in what stands behind a '#' with "..."; then: cyclerctl device check THIS-FILE
# Every key is explained in protocols/README.md. Every fact says how sure it is:
#   mark = "V2"  the maker's text, or two sources that agree      mark = "V1"  one source
#   mark = "C"   sources conflict                                 mark = "G"   not confirmed by anything
# and where it is from: source = "manual 2.3, page 41". Once somebody has seen it on the instrument:
#   verified = "serial 1234, firmware 2.3, 2026-05-02"
description = "{}"
schema      = 1
title       = "{}"
kind        = "{}"
dialect     = "{}"
)";

constexpr std::string_view kModbusLink = R"(
[modbus]
response_timeout = "500 ms"  # for a whole reply
min_gap          = "0 ms"    # the pause that the manual asks for between a reply and the next request
max_gap          = 0         # how many registers between two items may be read along with them; 0: none is safe to touch
)";

constexpr std::string_view kTextLink = R"(
[text]
terminator       = "\n"      # ends what is sent
reply_terminator = "\n"      # ends what comes back
response_timeout = "1 s"     # for a whole reply
min_gap          = "0 ms"    # the pause that the manual asks for between a reply and the next line
)";

constexpr std::string_view kIdentify = R"(
# Who answers. Patterns ('*' stands for anything) keep a wrong address from being driven. The serial number is asked
# again after every interruption.
[identify]
# maker  = {{ value = "..." }}
model    = {{ item = "{}" }}                # add: match = ["..."]
{}firmware = {{ value = "unknown" }}
)";

// One item: its lines of place and type, then what every dialect has.
struct ItemText {
  const char* name;
  const char* modbus;  // function and type
  const char* query;
  const char* set;  // nullptr: only read
  const char* unit;
  const char* comment;
};

constexpr ItemText kModel{"model", "holding ascii", "*IDN?", nullptr, "", "which model answers"};
constexpr ItemText kSerial{"serial", "holding u32", "*IDN?", nullptr, "", "tells one instrument from its sister"};
constexpr ItemText kState{"state", "holding u16", "STAT:OPER:COND?", nullptr, "", "the status word"};
constexpr ItemText kVoltage{"voltage", "holding u16", "MEAS:VOLT?", nullptr, "V", "measured at the cell"};
constexpr ItemText kCurrent{"current", "holding i16", "MEAS:CURR?", nullptr, "A", "measured; charge is positive"};
constexpr ItemText kSetVoltage{"set_voltage", "holding u16", "VOLT?", "VOLT {value:.4f}", "V", "set-point"};
constexpr ItemText kSetCurrent{"set_current", "holding u16", "CURR?", "CURR {value:.4f}", "A", "set-point"};
constexpr ItemText kOutput{"output", "coil bool", "OUTP?", "OUTP {value}", "", "the output switch"};
constexpr ItemText kAir{"air_temperature", "holding i16", "MEAS:TEMP?", nullptr, "degC", "air of the test space"};
constexpr ItemText kSetTemperature{"set_temperature",  "holding i16", "TEMP?",
                                   "TEMP {value:.1f}", "degC",        "set-point of the air"};
constexpr ItemText kRun{"run", "coil bool", "OUTP?", "OUTP {value}", "", "conditioning on or off"};
constexpr ItemText kTemperature{"temperature", "holding i16", "MEAS:TEMP?", nullptr, "degC", "at the cell"};

std::string modbus_item(const ItemText& item) {
  const std::string_view words = item.modbus;
  const auto space = words.find(' ');
  const std::string_view type = words.substr(space + 1);
  std::string text = fmt::format("\n[item.{}]  # {}\n", item.name, item.comment);
  text += fmt::format("function = \"{}\"  # coil, discrete, holding or input\n", words.substr(0, space));
  text += "# address = ...  # zero-based: \"40001\" is holding 0\n";
  text += fmt::format("type     = \"{}\"{}\n", type, type == "bool" ? "" : "  # u16 i16 u32 i32 f32 ascii");
  if (type == "ascii") text += "# length = ...  # characters\n";
  if (type == "u32") text += "words    = \"ABCD\"  # CDAB: the low word comes first\n";
  if (*item.unit != '\0') text += "# scale = ...  # value of one raw step\n";
  return text;
}

std::string text_item(const ItemText& item) {
  const bool is_switch = std::string_view{item.modbus}.ends_with("bool");
  const std::string_view name = item.name;
  std::string text = fmt::format("\n[item.{}]  # {}\n", item.name, item.comment);
  text += fmt::format("# query = \"...\"  # such as {}\n", item.query);
  if (item.set != nullptr) {
    text += fmt::format("# set = \"...\"    # such as {}\n", item.set);
    text += "reply    = \"none\"  # what a set is answered with: none, or its text (\"OK\")\n";
  }
  if (name == "model" || name == "serial") {
    text += fmt::format("type     = \"text\"\nfield    = {}      # part of the reply, from 0\nseparator = \",\"\n",
                        name == "model" ? 1 : 2);
  } else if (is_switch) {
    text += "type     = \"bool\"\n";
  } else {
    text += fmt::format("type     = \"{}\"\n", name == "state" ? "integer" : "number");
  }
  return text;
}

std::string item_text(const ItemText& item, Dialect dialect) {
  std::string text = dialect == Dialect::modbus ? modbus_item(item) : text_item(item);
  if (*item.unit != '\0') text += fmt::format("unit     = \"{}\"\n", item.unit);
  if (item.set != nullptr) text += "access   = \"rw\"\n";
  text += "mark     = \"V1\"\n# source = \"...\"\n";
  return text;
}

constexpr std::string_view kCyclerRest = R"(
[measure]
voltage = "voltage"
current = "current"

[status]
word      = "state"
output_on = { item = "output" }   # or a bit of the status word: { item = "state", bit = 7 }
# alarm      = { item = "state", bit = 15 }
# regulation = { item = "state", bits = [9, 10], is = { 0 = "voltage", 2 = "current" } }
compare   = ["set_voltage", "set_current"]  # differs from what was written: somebody else is at the panel

[capability]
topology    = "two_quadrant"  # "source": charges only; "sink": discharges only (leave out what it cannot)
native_cv   = false           # true: goes from CC to CV by itself
# off         = "..."         # what off leaves at the terminals: open, zero_volt, zero_ampere, unknown
# voltage_min = "..."         # a quantity such as "0 V", or { item = "nominal_voltage" }
# voltage_max = "..."
# current_min = "..."         # discharge: negative
# current_max = "..."
min_scan    = "100 ms"        # polling faster is pointless

[watchdog]
kind = "none"                 # fixed, programmable: what opens the output when the computer falls silent

# Steps run in their order. verify: read back, and stop when it differs. The make_safe begins with the off write.
[sequence]
connect = [ { write = "output", value = false, verify = true } ]
charge = [
  { write = "set_voltage", value = "voltage_max_V", verify = true },
  { write = "set_current", value = "current_A", verify = true },
  { write = "output", value = true, verify = true, always = true },
]
discharge = [
  { write = "set_voltage", value = "voltage_min_V", verify = true },
  { write = "set_current", value = "-current_A", verify = true },
  { write = "output", value = true, verify = true, always = true },
]
rest = [ { write = "output", value = false, verify = true } ]
off  = "rest"
make_safe = [
  { write = "output", value = false },
  { check = "output", is = false, within = "200 ms" },
]
)";

constexpr std::string_view kChamberRest = R"(
[measure]
chamber          = "air_temperature"
chamber_setpoint = "set_temperature"

[status]
output_on = { item = "run" }

[capability]
# off             = "..."  # of a chamber nearly always "open"
# temperature_min = "..."
# temperature_max = "..."
min_scan = "1 s"

[sequence]
connect = [ { write = "run", value = false, verify = true } ]
condition = [
  { write = "set_temperature", value = "temperature_degC", verify = true },
  { write = "run", value = true, verify = true, always = true },
]
off       = [ { write = "run", value = false, verify = true } ]
make_safe = [
  { write = "run", value = false },
  { check = "run", is = false, within = "2 s" },
]
)";

constexpr std::string_view kSensorRest = R"(
[measure]
temperature = "temperature"  # of the cell. Others: voltage, current, power, chamber

[status]

[capability]
min_scan = "500 ms"
)";

std::string_view link_text(Dialect dialect) {
  return dialect == Dialect::modbus ? kModbusLink : kTextLink;
}

}  // namespace

std::string device_skeleton(std::string_view name, Dialect dialect, DeviceKind kind) {
  constexpr std::array kCycler{&kModel, &kSerial, &kState, &kVoltage, &kCurrent, &kSetVoltage, &kSetCurrent, &kOutput};
  constexpr std::array kChamber{&kModel, &kAir, &kSetTemperature, &kRun};
  constexpr std::array kSensor{&kModel, &kTemperature};
  std::string text = fmt::format(fmt::runtime(kHead), name, name, kind_word(kind), dialect_word(dialect));
  text += link_text(dialect);
  const bool cycler = kind == DeviceKind::cycler;
  text += fmt::format(fmt::runtime(kIdentify), "model", cycler ? "serial   = { item = \"serial\" }\n" : "");
  const auto add = [&](const auto& items) {
    for (const ItemText* item : items) text += item_text(*item, dialect);
  };
  if (cycler)
    add(kCycler);
  else if (kind == DeviceKind::chamber)
    add(kChamber);
  else
    add(kSensor);
  text += cycler ? kCyclerRest : kind == DeviceKind::chamber ? kChamberRest : kSensorRest;
  return text;
}

}  // namespace cyclerd::ctl
