// The CAN dialect of a description: [can], [message.NAME], and where items lie in frames.
#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <filesystem>

#include "protocols/dbc/signal.hpp"
#include "protocols/device/loader.hpp"

namespace cyclerd::device::loader {
namespace {

using text::Diagnostics;
using text::TableReader;
using text::TomlNode;

constexpr std::uint32_t kLargestStandard = 0x7FF;
constexpr std::uint32_t kLargestExtended = 0x1FFFFFFF;

std::optional<std::uint8_t> byte_of(std::string_view word) {
  unsigned value = 0;
  const auto parsed = std::from_chars(word.data(), word.data() + word.size(), value, 16);
  if (word.size() != 2 || parsed.ec != std::errc{} || parsed.ptr != word.data() + word.size()) return std::nullopt;
  return static_cast<std::uint8_t>(value);
}

// "10 01 ?? 00": hex bytes; ?? where any byte may stand.
std::vector<CanByte> read_bytes(TableReader& r, const char* key, bool wildcards) {
  const auto text = r.optional_string(key);
  std::vector<CanByte> bytes;
  if (!text) return bytes;
  for (std::size_t at = 0; at < text->size();) {
    const std::size_t end = std::min(text->find(' ', at), text->size());
    const std::string_view word = std::string_view{*text}.substr(at, end - at);
    at = end + 1;
    if (word.empty()) continue;
    const auto byte = byte_of(word);
    if (wildcards && word == "??") {
      bytes.push_back({0, 0});
    } else if (byte) {
      bytes.push_back({*byte, 0xFF});
    } else {
      r.diagnostics().error("D100", r.node().find(key)->value, fmt::format("'{}' is no byte", word),
                            wildcards ? "write two hex digits for each byte, ?? for any: \"10 01 ?? 00\""
                                      : "write two hex digits for each byte: \"10 01 00 00\"");
      return {};
    }
  }
  if (bytes.size() > dbc::kMaxFrameBytes)
    r.diagnostics().error("D100", r.node().find(key)->value,
                          fmt::format("{} bytes; a frame has at most {}", bytes.size(), dbc::kMaxFrameBytes));
  return bytes;
}

std::vector<std::uint8_t> values_of(const std::vector<CanByte>& bytes) {
  std::vector<std::uint8_t> values;
  for (const CanByte& byte : bytes) values.push_back(byte.value);
  return values;
}

class MessageReader {
 public:
  MessageReader(const TomlNode& node, CanMessage& message, const Description& description, Diagnostics& diagnostics)
      : message_(message),
        description_(description),
        diagnostics_(diagnostics),
        reader_(node, "[message." + message.name + "]", diagnostics) {}

  void read(const dbc::Message* known) {
    if (known) {
      message_.content = *known;
      message_.id = {known->id, known->extended, kNone, 0};
    }
    const bool extended = reader_.optional_bool("extended").value_or(message_.id.extended);
    message_.id.extended = extended;
    if (const TomlNode* id = known ? reader_.optional("id") : reader_.required("id"))
      message_.id = read_id(*id, "id", extended);
    const std::int64_t length =
        reader_.optional_integer("length", 1, dbc::kMaxFrameBytes).value_or(known ? known->length : 8);
    message_.content.length = static_cast<std::uint16_t>(length);
    message_.content.flexible_rate = reader_.optional_bool("fd").value_or(length > 8);
    message_.match = read_bytes(reader_, "match", true);
    message_.stale_after = read_duration(reader_, "stale_after", message_.stale_after, base::hours(1));
    request(extended);
    send();
    reader_.finish();
    if (length > 8 && !message_.content.flexible_rate)
      diagnostics_.error("D101", reader_.where(), "a classic frame has at most 8 bytes",
                         "add fd = true, or shorten it");
  }

 private:
  CanId read_id(const TomlNode& node, const char* key, bool extended) {
    CanId id;
    id.extended = extended;
    const std::uint32_t largest = extended ? kLargestExtended : kLargestStandard;
    if (!node.is_table()) {
      id.base = static_cast<std::uint32_t>(reader_.optional_integer(key, 0, largest).value_or(0));
      return id;
    }
    TableReader r(node, reader_.what() + " " + key, diagnostics_);
    id.base = static_cast<std::uint32_t>(r.required_integer("base", 0, largest).value_or(0));
    const std::string name = r.required_string("number");
    id.shift = static_cast<std::uint8_t>(r.optional_integer("shift", 0, 28).value_or(0));
    r.finish();
    id.parameter = name.starts_with('$') ? description_.find_parameter(std::string_view{name}.substr(1)) : kNone;
    if (id.parameter == kNone) {
      diagnostics_.error("D031", node.value, fmt::format("'{}' is no site parameter", name),
                         "declare it in [site] with a whole default, and write number = \"$module\"");
      return id;
    }
    const Parameter& p = description_.parameters[static_cast<std::size_t>(id.parameter)];
    const double most = static_cast<double>(id.base) + std::ldexp(p.max, id.shift);
    if (p.kind != Parameter::Kind::number || p.min < 0.0 || p.min != std::floor(p.min) || most > largest) {
      diagnostics_.error(
          "D101", node.value,
          fmt::format("with '{}' up to {} the identifier can leave its {} bits", p.name, p.max, extended ? 29 : 11));
    }
    return id;
  }

  void request(bool extended) {
    const auto bytes = read_bytes(reader_, "request", false);
    const TomlNode* id = reader_.optional("request_id");
    message_.asked_for = reader_.node().find("request") != nullptr || id != nullptr;
    if (!message_.asked_for) return;
    message_.request = values_of(bytes);
    message_.request_id = id ? read_id(*id, "request_id", extended) : message_.id;
  }

  void send() {
    message_.sent = reader_.optional_bool("send").value_or(false);
    message_.data = values_of(read_bytes(reader_, "data", false));
    message_.cycle = read_duration(reader_, "cycle", {}, base::seconds(60));
    if (!message_.sent && (!message_.data.empty() || message_.cycle.us > 0)) {
      diagnostics_.error("D102", reader_.where(),
                         fmt::format("'{}' is not sent, but has data or a cycle", message_.name), "add send = true");
    }
    if (message_.data.size() > message_.content.length)
      diagnostics_.error(
          "D101", reader_.where(),
          fmt::format("{} bytes of data in a frame of {}", message_.data.size(), message_.content.length));
    message_.data.resize(message_.content.length, 0);
    if (message_.sent && message_.asked_for)
      diagnostics_.error("D102", reader_.where(), fmt::format("'{}' is either sent or asked for", message_.name),
                         "make two messages");
  }

  CanMessage& message_;
  const Description& description_;
  Diagnostics& diagnostics_;
  TableReader reader_;
};

std::optional<dbc::Database> read_database(const TomlNode& node, const Description& description,
                                           Diagnostics& diagnostics) {
  const std::filesystem::path file(node.string);
  if (file.is_absolute() || file.has_parent_path()) {
    diagnostics.error("D103", node.value, "a DBC file lies beside its description", "give its name only");
    return std::nullopt;
  }
  const auto folder = std::filesystem::path(description.source->name).parent_path();
  const auto source = text::read_source((folder / file).string());
  if (!source) {
    diagnostics.error("D103", node.value, fmt::format("the DBC file cannot be read: {}", source.error().text()));
    return std::nullopt;
  }
  return dbc::read_dbc(*source, diagnostics);
}

int message_index(const Description& description, std::string_view name) {
  const auto& messages = description.can.messages;
  for (std::size_t i = 0; i < messages.size(); ++i) {
    if (messages[i].name == name) return static_cast<int>(i);
  }
  return kNone;
}

// "0|16@1+", as in a DBC file; f instead of the sign: a float of 32 or 64 bits.
bool read_layout(std::string_view text, dbc::Signal& signal) {
  unsigned start = 0;
  unsigned length = 0;
  const char* end = text.data() + text.size();
  auto at = std::from_chars(text.data(), end, start);
  if (at.ec != std::errc{} || at.ptr == end || *at.ptr != '|') return false;
  at = std::from_chars(at.ptr + 1, end, length);
  if (at.ec != std::errc{} || end - at.ptr != 3 || at.ptr[0] != '@') return false;
  const char order = at.ptr[1];
  const char sign = at.ptr[2];
  if (start > 511 || length < 1 || length > 64 || (order != '0' && order != '1')) return false;
  signal.start = static_cast<std::uint16_t>(start);
  signal.length = static_cast<std::uint16_t>(length);
  signal.order = order == '1' ? dbc::ByteOrder::intel : dbc::ByteOrder::motorola;
  if (sign == 'f' && length != 32 && length != 64) return false;
  if (sign != '+' && sign != '-' && sign != 'f') return false;
  signal.kind = sign == '+'     ? dbc::NumberKind::unsigned_integer
                : sign == '-'   ? dbc::NumberKind::signed_integer
                : length == 32U ? dbc::NumberKind::float32
                                : dbc::NumberKind::float64;
  return true;
}

class CanItemReader {
 public:
  CanItemReader(TableReader& reader, Item& item, Description& description)
      : reader_(reader), item_(item), description_(description), diagnostics_(reader.diagnostics()) {}

  void read() {
    item_.type = ValueType::f64;
    item_.count = 0;  // no registers: it overlaps nobody
    const TomlNode* name = reader_.required("message");
    const TomlNode* layout = reader_.optional("layout");
    const auto signal = reader_.optional_string("signal");
    const double offset = reader_.optional_number("offset").value_or(0.0);
    if (!name) return;
    item_.can.message = message_index(description_, name->string);
    if (item_.can.message == kNone) {
      std::vector<std::string> names;
      for (const auto& m : description_.can.messages) names.push_back(m.name);
      const std::string near = text::nearest(name->string, names);
      diagnostics_.error(
          "D104", name->value, fmt::format("there is no message '{}'", name->string),
          near.empty() ? "declare it as [message." + name->string + "]" : fmt::format("did you mean '{}'?", near));
      return;
    }
    CanMessage& message = description_.can.messages[static_cast<std::size_t>(item_.can.message)];
    if (layout && !signal) {
      own_signal(*layout, message, offset);
    } else if (signal && !layout) {
      known_signal(*reader_.node().find("signal"), message);
    } else {
      diagnostics_.error("D105", reader_.where(),
                         fmt::format("'{}' needs a signal of the DBC file or a layout, one of them", item_.name),
                         "signal = \"Name\", or layout = \"0|16@1+\"");
    }
    access(message);
  }

 private:
  void own_signal(const TomlNode& layout, CanMessage& message, double offset) {
    dbc::Signal s;
    s.name = item_.name;
    s.offset = offset;
    if (!layout.is_string() || !read_layout(layout.string, s)) {
      diagnostics_.error("D105", layout.value, "a layout is start|length@order and a sign, as in a DBC file",
                         "\"0|16@1+\": from bit 0, 16 bits, Intel (0: Motorola, from its most significant bit), no "
                         "sign (- signed, f float)");
      return;
    }
    if (!dbc::fits(s, message.content.length)) {
      diagnostics_.error(
          "D105", layout.value,
          fmt::format("'{}' reaches beyond the {} bytes of '{}'", item_.name, message.content.length, message.name));
      return;
    }
    item_.can.signal = static_cast<int>(message.content.signals.size());
    if (s.kind == dbc::NumberKind::unsigned_integer || s.kind == dbc::NumberKind::signed_integer)
      item_.type = ValueType::i64;
    if (offset != 0.0) item_.type = ValueType::f64;
    message.content.signals.push_back(std::move(s));
  }

  void known_signal(const TomlNode& node, const CanMessage& message) {
    const dbc::Signal* s = message.content.find(node.string);
    if (!s) {
      std::vector<std::string> names;
      for (const auto& each : message.content.signals) names.push_back(each.name);
      const std::string near = text::nearest(node.string, names);
      diagnostics_.error("D104", node.value, fmt::format("message '{}' has no signal '{}'", message.name, node.string),
                         near.empty() ? "" : fmt::format("did you mean '{}'?", near));
      return;
    }
    item_.can.signal = static_cast<int>(s - message.content.signals.data());
    const bool counts = s->kind == dbc::NumberKind::unsigned_integer || s->kind == dbc::NumberKind::signed_integer;
    if (counts && s->factor == std::floor(s->factor) && s->offset == std::floor(s->offset)) item_.type = ValueType::i64;
    item_.written_step = std::abs(s->factor);
    // The file's unit holds unless the item says another.
    const auto unit =
        reader_.node().find("unit") ? std::nullopt : text::find_unit(s->unit == "\u00b0C" ? "degC" : s->unit);
    if (!unit || unit->c_rate) return;
    item_.dimension = unit->dimension;
    item_.unit_factor = unit->factor;
    item_.has_unit = true;
  }

  void access(const CanMessage& message) {
    item_.writable = message.sent;
    item_.readable = !message.sent;
  }

  TableReader& reader_;
  Item& item_;
  Description& description_;
  Diagnostics& diagnostics_;
};

}  // namespace

void read_can(const TomlNode& table, const TomlNode* messages, Description& description, Diagnostics& diagnostics) {
  TableReader r(table, "[can]", diagnostics);
  std::optional<dbc::Database> database;
  description.can.dbc = r.optional_string("dbc").value_or("");
  if (const TomlNode* node = table.find("dbc"); node && !description.can.dbc.empty())
    database = read_database(*node, description, diagnostics);
  description.can.bitrate = static_cast<std::uint32_t>(r.optional_integer("bitrate", 10'000, 1'000'000).value_or(0));
  description.response_timeout = read_duration(r, "response_timeout", description.response_timeout, base::seconds(30));
  description.min_gap = read_duration(r, "min_gap", description.min_gap, base::seconds(10));
  r.finish();
  if (messages) {
    for (const auto& [name, node] : messages->members) {
      CanMessage message;
      message.name = name;
      MessageReader(node, message, description, diagnostics).read(database ? database->find(name) : nullptr);
      description.can.messages.push_back(std::move(message));
    }
  }
  if (!database) return;
  for (const dbc::Message& known : database->messages) {
    if (message_index(description, known.name) != kNone) continue;
    CanMessage message;
    message.name = known.name;
    message.id = {known.id, known.extended, kNone, 0};
    message.content = known;
    message.data.resize(known.length, 0);
    if (known.cycle.us > 0) message.stale_after = std::max(message.stale_after, base::microseconds(5 * known.cycle.us));
    description.can.messages.push_back(std::move(message));
  }
}

void read_can_item(TableReader& reader, Item& item, Description& description) {
  CanItemReader(reader, item, description).read();
}

}  // namespace cyclerd::device::loader
