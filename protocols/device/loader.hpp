// Inside of the description loader: what its files share.
#pragma once

#include "protocols/device/description.hpp"

namespace cyclerd::device::loader {

// Names of the items, for references that may look ahead.
[[nodiscard]] std::vector<std::string> item_names(const Description& description);

// The index of the item that `node` (a string) names, or kNone after reporting it.
[[nodiscard]] int item_reference(const text::TomlNode& node, const Description& description,
                                 text::Diagnostics& diagnostics);

// A duration between 0 and `max` (D002), or `standard`.
[[nodiscard]] base::Duration read_duration(text::TableReader& reader, const char* key, base::Duration standard,
                                           base::Duration max);
// serial = { baud, parity, data_bits, stop_bits }, the same in every dialect that a serial wire can carry.
void read_serial(text::TableReader& reader, Description& description);
// [modbus]
void read_modbus(const text::TomlNode& table, Description& description, text::Diagnostics& diagnostics);
void read_parameters(const text::TomlNode& table, Description& description, text::Diagnostics& diagnostics);
// The parts of an item that the site or the instrument decides: unit = ..., address = { first, step, number }, invert,
// readback = { item, mask }.
void read_unit(const text::TomlNode& node, Item& item, const Description& description, text::Diagnostics& diagnostics);
void read_site_address(const text::TomlNode& node, Item& item, Description& description,
                       text::Diagnostics& diagnostics);
void read_invert(text::TableReader& reader, Item& item, const Description& description);
void read_negate(text::TableReader& reader, Item& item, const Description& description);
void read_readback(const text::TomlNode& node, Item& item, const Description& description,
                   text::Diagnostics& diagnostics);
// scale = number, { nominal, full_scale }, { q }, { decimals }, { by, range_by, table }; sign = { item, negative }.
void read_scale(const text::TomlNode& node, Item& item, const Description& description, text::Diagnostics& diagnostics);
void read_sign(const text::TomlNode& node, Item& item, const Description& description, text::Diagnostics& diagnostics);
// References of scales and signs that must fit each other.
void check_scales(const Description& description, text::Diagnostics& diagnostics);
// The text dialect: [text] after the site parameters, names of frames before the items, the rest after them.
void read_text(const text::TomlNode& table, Description& description, text::Diagnostics& diagnostics);
void read_text_item(text::TableReader& reader, Item& item, const Description& description);
[[nodiscard]] std::pair<double, double> text_range(const Item& item);
void name_frames(const text::TomlNode& table, Description& description);
void read_frames(const text::TomlNode& table, Description& description, text::Diagnostics& diagnostics);
void read_commands(const text::TomlNode& table, Description& description, text::Diagnostics& diagnostics);
[[nodiscard]] int command_reference(const text::TomlNode& node, const Description& description,
                                    text::Diagnostics& diagnostics);
// The number that a word of the item stands for.
[[nodiscard]] bool word_value(const Item& item, std::string_view word, double& number);
// The CAN dialect: [can] and [message.NAME] before the items, which lie in messages.
void read_can(const text::TomlNode& table, const text::TomlNode* messages, Description& description,
              text::Diagnostics& diagnostics);
void read_can_item(text::TableReader& reader, Item& item, Description& description);
void read_items(const text::TomlNode& table, Description& description, text::Diagnostics& diagnostics);
void read_sequences(const text::TomlNode& table, Description& description, text::Diagnostics& diagnostics);

// A constant, "$parameter", "not $parameter", a field or "max", for a write to or a check of `item`. `fields`: the ones
// that may be used here.
[[nodiscard]] std::optional<Value> read_value(const text::TomlNode& node, const Item& item, std::uint32_t fields,
                                              const Description& description, text::Diagnostics& diagnostics);

}  // namespace cyclerd::device::loader
