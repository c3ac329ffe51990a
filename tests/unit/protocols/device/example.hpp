// A small complete description, and a way to damage it in one place.
#pragma once

#include <memory>
#include <string>

#include "protocols/device/description.hpp"

namespace cyclerd::device::testing_support {

inline std::string example() {
  return R"(description = "example"
schema = 1
title = "Example supply"
kind = "cycler"
dialect = "modbus"

[site]
order = { default = "ABCD", values = ["ABCD", "CDAB"], help = "word order" }
timeout = { default = "1 s", min = "100 ms", max = "60 s", help = "watchdog" }
polarity = { default = true, help = "run contact" }

[modbus]
max_gap = 4
max_read = 20

[identify]
maker = { value = "Example" }
model = { item = "model", match = ["EX*"] }

[item.model]
function = "holding"
address = 0
type = "ascii"
length = 8
mark = "own"
[item.nominal]
function = "holding"
address = 10
type = "f32"
words = "$order"
unit = "V"
mark = "own"
[item.set_voltage]
function = "holding"
address = 20
type = "u16"
scale = { nominal = "nominal", full_scale = 52428 }
unit = "V"
raw_max = 53477
access = "rw"
mark = "V2"
source = "manual"
[item.set_current]
function = "holding"
address = 21
type = "i16"
scale = 0.1
unit = "mA"
access = "rw"
mark = "own"
[item.state]
function = "input"
address = 0
type = "u16"
mark = "own"
[item.voltage]
function = "input"
address = 1
type = "u16"
scale = 0.01
unit = "V"
mark = "own"
[item.current]
function = "input"
address = 2
type = "u16"
scale = 0.01
unit = "A"
negative_when = { item = "state", bit = 3 }
mark = "own"
[item.output]
function = "coil"
address = 5
type = "bool"
access = "rw"
mark = "own"

[measure]
voltage = "voltage"
current = "current"

[status]
word = "state"
output_on = { item = "state", bit = 0 }
regulation = { item = "state", bits = [1, 2], is = { 0 = "voltage", 2 = "current" } }

[capability]
off = "open"
voltage_min = "0 V"
voltage_max = { item = "nominal", times = 0.5 }
current_min = "-3 A"
current_max = "3 A"

[watchdog]
kind = "none"

[sequence]
connect = [ { write = "output", value = false, verify = true } ]
charge = [
  { write = "set_voltage", value = "voltage_max_V", verify = true },
  { write = "set_current", value = "current_A", verify = true, delay_after = "5 ms" },
  { write = "output", value = "$polarity", verify = true },
]
discharge = "charge"
rest = [ { write = "output", value = false, verify = true } ]
off = "rest"
make_safe = [
  { write = "output", value = false },
  { check = "output", is = false, within = "100 ms" },
]
)";
}

inline std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const auto at = text.find(from);
  if (at == std::string::npos) throw std::logic_error("the example has no '" + from + "'");
  return text.replace(at, from.size(), to);
}

struct Loaded {
  std::shared_ptr<const Description> description;
  text::Diagnostics diagnostics;
};

inline Loaded load(std::string text) {
  Loaded out;
  const auto source = std::make_shared<const text::Source>(text::Source{"example.toml", std::move(text)});
  out.description = load_description(source, out.diagnostics);
  return out;
}

}  // namespace cyclerd::device::testing_support
