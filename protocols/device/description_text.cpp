// The text dialect of a description: [text], the places of templates, text items, commands and frames.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "protocols/device/loader.hpp"

namespace cyclerd::device::loader {

namespace {

using text::Diagnostics;
using text::TableReader;
using text::TomlNode;

constexpr double kLargestInteger = 9007199254740992.0;  // 2^53
constexpr double kLargestNumber = 9.8e37;               // SCPI's infinity begins above
constexpr std::size_t kLongestLiteral = 400;

std::optional<NumberFormat> number_format(std::string_view spec) {
  NumberFormat f;
  if (spec.starts_with('0')) {
    f.zero_padded = true;
    spec.remove_prefix(1);
  }
  const auto number = [&spec](std::uint8_t& into) {
    const auto r = std::from_chars(spec.data(), spec.data() + spec.size(), into);
    const bool good = r.ec == std::errc{} && into <= 20;
    spec.remove_prefix(static_cast<std::size_t>(r.ptr - spec.data()));
    return good;
  };
  if (!spec.empty() && spec[0] >= '1' && spec[0] <= '9' && !number(f.width)) return std::nullopt;
  if (spec.starts_with('.')) {
    spec.remove_prefix(1);
    if (!number(f.decimals)) return std::nullopt;
  }
  using Notation = NumberFormat::Notation;
  if (spec == "f") f.notation = Notation::fixed;
  if (spec == "e") f.notation = Notation::exponent;
  if (spec == "g") f.notation = Notation::general;
  if (spec == "d") f.notation = Notation::integer;
  if (spec == "x") f.notation = Notation::hex;
  if (f.notation == Notation::shortest) return std::nullopt;
  return f;
}

// Which places a template may have.
struct Allowed {
  bool value = false;
  bool items = false;
};

class TemplateReader {
 public:
  TemplateReader(const TomlNode& node, const Allowed& allowed, const Description& description, Diagnostics& diagnostics)
      : node_(node), allowed_(allowed), d_(description), diagnostics_(diagnostics) {}

  TextTemplate read() {
    if (!node_.is_string()) {
      diagnostics_.error("T011", node_.value, "a message is a string", "write it in quotes");
      return {};
    }
    std::string_view rest = node_.string;
    while (!rest.empty() && good_) rest = take(rest);
    if (node_.string.empty()) bad("a message cannot be empty");
    if (node_.string.find_first_of("\r\n") != std::string::npos)
      bad("a message is one line; its end is `terminator` of [text]");
    if (node_.string.size() > kLongestLiteral) bad(fmt::format("a message has at most {} characters", kLongestLiteral));
    return good_ ? out_ : TextTemplate{};
  }

 private:
  void bad(const std::string& message, const std::string& help = {}) {
    if (good_) diagnostics_.error("D080", node_.value, message, help);
    good_ = false;
  }

  void literal(std::string_view text) {
    if (out_.empty() || out_.back().kind != TextPiece::Kind::literal) out_.push_back({});
    out_.back().literal += text;
  }

  std::string_view take(std::string_view rest) {
    if (rest.starts_with("{{") || rest.starts_with("}}")) {
      literal(rest.substr(0, 1));
      return rest.substr(2);
    }
    if (rest.front() == '}') {
      bad("a '}' without its '{'", "write }} for the character itself");
      return {};
    }
    if (rest.front() != '{') {
      const std::size_t n = rest.find_first_of("{}");
      literal(rest.substr(0, n));
      return n == std::string_view::npos ? std::string_view{} : rest.substr(n);
    }
    const std::size_t end = rest.find('}');
    if (end == std::string_view::npos) {
      bad("a '{' without its '}'", "write {{ for the character itself");
      return {};
    }
    place(rest.substr(1, end - 1));
    return rest.substr(end + 1);
  }

  void place(std::string_view inside) {
    const std::size_t colon = inside.find(':');
    const std::string_view name = inside.substr(0, colon);
    const bool has_spec = colon != std::string_view::npos;
    const std::string_view spec = has_spec ? inside.substr(colon + 1) : std::string_view{};
    if (name == "byte") return byte(spec);
    TextPiece piece;
    piece.kind = name == "value"     ? TextPiece::Kind::value
                 : name == "channel" ? TextPiece::Kind::channel
                                     : TextPiece::Kind::item;
    if (piece.kind == TextPiece::Kind::channel) {
      if (d_.text.channel.empty() && d_.text.channel_parameter == kNone) {
        diagnostics_.error("D085", node_.value, "{channel} is used, but no channel is given",
                           "add channel = 1 or channel = \"$channel\" to [text]");
        good_ = false;
      }
      if (has_spec) bad("{channel} is taken as it is", "write {channel}");
    }
    if (piece.kind == TextPiece::Kind::value && !allowed_.value) bad("there is no value here", "remove {value}");
    if (piece.kind == TextPiece::Kind::item) item(name, piece);
    if (has_spec && good_) {
      const auto format = number_format(spec);
      if (!format)
        bad(fmt::format("'{}' is no number format", spec),
            "write {value:.4f}, {value:06.1f}, {value:.6e}, {value:.6g}, {value:d} or {value:x}");
      else
        piece.format = *format;
    }
    if (good_) out_.push_back(std::move(piece));
  }

  void byte(std::string_view spec) {
    std::uint8_t code = 0;
    const auto r = std::from_chars(spec.data(), spec.data() + spec.size(), code, 16);
    if (spec.size() != 2 || r.ec != std::errc{} || r.ptr != spec.data() + spec.size())
      return bad("a byte is two hexadecimal digits", "write {byte:B6}");
    literal(std::string(1, static_cast<char>(code)));
  }

  void item(std::string_view name, TextPiece& piece) {
    if (allowed_.items) piece.item = d_.find_item(name);
    if (piece.item != kNone) return;
    std::vector<std::string> known = allowed_.items ? item_names(d_) : std::vector<std::string>{};
    for (const char* word : {"channel", "byte"}) known.emplace_back(word);
    if (allowed_.value) known.emplace_back("value");
    const std::string near = text::nearest(name, known);
    bad(fmt::format("there is no place '{{{}}}' here", name),
        near.empty() ? "write {{ for the character itself" : fmt::format("did you mean '{{{}}}'?", near));
  }

  const TomlNode& node_;
  Allowed allowed_;
  const Description& d_;
  Diagnostics& diagnostics_;
  TextTemplate out_;
  bool good_ = true;
};

TextTemplate read_template(const TomlNode& node, const Allowed& allowed, const Description& d,
                           Diagnostics& diagnostics) {
  return TemplateReader(node, allowed, d, diagnostics).read();
}

// A second answer would be taken for the answer to the next question.
void check_queries(const TomlNode& node, std::size_t most, const char* help, Diagnostics& diagnostics) {
  if (!node.is_string()) return;
  const auto marks = static_cast<std::size_t>(std::count(node.string.begin(), node.string.end(), '?'));
  if (marks > most)
    diagnostics.error(
        "D089", node.value,
        most == 0 ? "this message asks, but nobody reads the answer" : "this message asks more than one question",
        help);
}

// Plain text that may hold {byte:XX}, such as a terminator.
std::string plain(TableReader& r, const char* key, std::string standard, const Description& d) {
  const TomlNode* node = r.optional(key);
  if (!node) return standard;
  if (!node->is_string() || node->string.empty()) {
    r.diagnostics().error("D081", node->value, fmt::format("'{}' is a text of at least one character", key),
                          "write \"\\n\", \"\\r\" or \"\\r\\n\"");
    return standard;
  }
  if (node->string.find('{') == std::string::npos) return node->string;
  const TextTemplate pieces = read_template(*node, {}, d, r.diagnostics());
  return pieces.size() == 1 && pieces.front().kind == TextPiece::Kind::literal ? pieces.front().literal : standard;
}

std::vector<std::string> patterns(TableReader& r, const char* key) {
  std::vector<std::string> out;
  const TomlNode* list = r.optional_array(key);
  if (!list) return out;
  for (const auto& node : list->items) {
    if (node.is_string() && !node.string.empty())
      out.push_back(node.string);
    else
      r.diagnostics().error("D082", node.value, fmt::format("'{}' lists replies; '*' stands for any text", key),
                            "write [\"NA:*\"]");
  }
  return out;
}

ReplyRule reply(TableReader& r, const ReplyRule& standard) {
  const auto word = r.optional_string("reply");
  if (!word) return standard;
  if (word->empty())
    r.diagnostics().error("D082", r.node().find("reply")->value, "a reply cannot be empty",
                          "write \"none\", \"OK\" or a pattern such as \"OK:*\"");
  return {*word == "none" ? std::string{} : *word};
}

void read_channel(TableReader& r, Description& d) {
  const TomlNode* node = r.optional("channel");
  if (!node) return;
  if (node->kind == TomlNode::Kind::integer && node->integer >= 0 && node->integer <= 999) {
    d.text.channel = fmt::format("{}", node->integer);
    return;
  }
  if (node->is_string() && !node->string.starts_with('$') && !node->string.empty()) {
    d.text.channel = node->string;
    return;
  }
  if (node->is_string()) {
    d.text.channel_parameter = d.find_parameter(std::string_view{node->string}.substr(1));
    if (d.text.channel_parameter != kNone) {
      Parameter& p = d.parameters[static_cast<std::size_t>(d.text.channel_parameter)];
      const bool counts = p.kind == Parameter::Kind::number && p.dimension == text::dimension::kNone;
      p.whole = p.whole || counts;
      if (counts || p.kind == Parameter::Kind::word) return;
    }
    d.text.channel_parameter = kNone;
  }
  r.diagnostics().error("D085", node->value, "a channel is a number, a text, or a site parameter that is one",
                        "write channel = 1, or channel = \"$channel\" and declare it in [site]");
}

void read_select(TableReader& r, Description& d) {
  const TomlNode* node = r.optional("select");
  if (!node) return;
  if (node->is_string()) {
    d.text.select = read_template(*node, {}, d, r.diagnostics());
    return;
  }
  if (!node->is_table()) {
    r.diagnostics().error("T011", node->value, "'select' is a message or { send, reply }");
    return;
  }
  TableReader t(*node, "[text] select", r.diagnostics());
  if (const TomlNode* send = t.required("send")) d.text.select = read_template(*send, {}, d, r.diagnostics());
  d.text.select_reply = reply(t, d.text.select_reply);
  t.finish();
}

void read_errors(TableReader& r, Description& d) {
  const TomlNode* node = r.optional_table("errors");
  if (!node) return;
  TableReader t(*node, "[text] errors", r.diagnostics());
  d.text.error_query = t.required_string("query");
  if (const TomlNode* query = node->find("query")) check_queries(*query, 1, "ask one entry at a time", r.diagnostics());
  d.text.no_error = patterns(t, "none");
  if (d.text.no_error.empty()) d.text.no_error = {"0", "0,*", "+0,*"};
  const auto after = t.required_word("after", {"write", "sequence", "never"});
  d.text.error_check = after == "write"      ? ErrorCheck::write
                       : after == "sequence" ? ErrorCheck::sequence
                                             : ErrorCheck::never;
  d.text.error_drain = static_cast<int>(t.optional_integer("drain", 1, 100).value_or(d.text.error_drain));
  t.finish();
}

void read_resynchronise(TableReader& r, Description& d) {
  const TomlNode* node = r.optional_table("resynchronise");
  if (!node) return;
  TableReader t(*node, "[text] resynchronise", r.diagnostics());
  d.text.sync_send = t.optional_string("send").value_or("");
  d.text.sync_ask = t.required_string("ask");
  d.text.sync_expect = t.required_string("expect");
  t.finish();
}

// One CR or LF alone, or both: anything else is taken as written.
void check_terminator(TableReader& r, const char* key, const std::string& value) {
  if (value.size() <= 4) return;
  r.diagnostics().error("D081", r.node().find(key)->value, fmt::format("'{}' has more than four characters", key),
                        "a terminator is \"\\n\", \"\\r\" or \"\\r\\n\"");
}

}  // namespace

void read_text(const TomlNode& table, Description& d, Diagnostics& diagnostics) {
  TableReader r(table, "[text]", diagnostics);
  d.response_timeout = read_duration(r, "response_timeout", base::seconds(1), base::seconds(30));
  if (d.response_timeout.us < 1000)
    diagnostics.error("D002", table.find("response_timeout")->value, "response_timeout must be at least 1 ms");
  d.worst_response = read_duration(r, "worst_response", {}, base::seconds(60));
  if (const TomlNode* worst = table.find("worst_response"); worst && d.worst_response < d.response_timeout)
    diagnostics.error("D002", worst->value, "worst_response cannot be shorter than response_timeout");
  d.min_gap = read_duration(r, "min_gap", d.min_gap, base::seconds(10));
  d.request_gap = read_duration(r, "request_gap", d.request_gap, base::seconds(10));
  d.text.after_write = read_duration(r, "after_write", {}, base::seconds(10));
  d.text.terminator = plain(r, "terminator", "\n", d);
  d.text.reply_terminator = plain(r, "reply_terminator", d.text.terminator, d);
  check_terminator(r, "terminator", d.text.terminator);
  check_terminator(r, "reply_terminator", d.text.reply_terminator);
  read_channel(r, d);
  if (const TomlNode* prefix = r.optional("prefix")) d.text.prefix = read_template(*prefix, {}, d, diagnostics);
  d.text_reply = reply(r, {});
  d.text.select_reply = d.text_reply;
  read_select(r, d);
  d.text.refused = patterns(r, "refused");
  read_errors(r, d);
  read_resynchronise(r, d);
  read_serial(r, d);
  r.finish();
}

namespace {

class TextItemReader {
 public:
  TextItemReader(TableReader& reader, Item& item, const Description& d)
      : r_(reader), item_(item), d_(d), diagnostics_(reader.diagnostics()) {}

  void read() {
    item_.count = 2;  // a status word has up to 32 bits
    type();
    messages();
    parsing();
    words();
    frame();
    if (item_.text.query.empty() && item_.text.set.empty() && item_.text.frame == kNone)
      diagnostics_.error("D084", item_.where, fmt::format("'{}' can neither be asked nor set", item_.name),
                         "add query = \"...\", set = \"...\" or frame = \"...\"");
    const auto access = r_.optional_word("access", {"r", "w", "rw"});
    item_.readable = !item_.text.query.empty() && access != "w";
    item_.writable = (!item_.text.set.empty() || item_.text.frame != kNone) && access != "r";
    if (item_.writable && item_.type == ValueType::ascii)
      diagnostics_.error("D013", item_.where, fmt::format("'{}' cannot be set: it is text", item_.name),
                         "make it a command, or type = \"word\" with its words");
  }

 private:
  void type() {
    const auto word = r_.required_word("type", {"number", "integer", "text", "word", "bool"});
    is_word_ = item_.text.only_words = word == "word";
    item_.type = word == "text"                        ? ValueType::ascii
                 : word == "bool"                      ? ValueType::boolean
                 : word == "integer" || word == "word" ? ValueType::i64
                                                       : ValueType::f64;
  }

  void messages() {
    const TomlNode* query = r_.optional("query");
    if (query) {
      item_.text.query = read_template(*query, {}, d_, diagnostics_);
      check_queries(*query, 1, "make an item of each; items with one query share it", diagnostics_);
    }
    item_.text.reply = reply(r_, d_.text_reply);
    const TomlNode* set = r_.optional("set");
    if (!set) return;
    item_.text.set = read_template(*set, {true, false}, d_, diagnostics_);
    check_queries(*set, item_.text.reply.expected() ? 1 : 0, "remove the question, or say what the answer is: reply",
                  diagnostics_);
    const auto value = std::find_if(item_.text.set.begin(), item_.text.set.end(),
                                    [](const TextPiece& p) { return p.kind == TextPiece::Kind::value; });
    if (value == item_.text.set.end()) {
      if (!item_.text.set.empty())
        diagnostics_.error("D080", set->value, fmt::format("'{}' is set by a message without {{value}}", item_.name),
                           "make it a command: [command.NAME] send = ...");
      return;
    }
    rounding(value->format);
  }

  // What the message rounds to is what comes back.
  void rounding(const NumberFormat& format) {
    if (item_.type != ValueType::f64) return;
    if (format.notation == NumberFormat::Notation::fixed) item_.written_step = std::pow(10.0, -format.decimals);
    if (format.notation == NumberFormat::Notation::integer) item_.written_step = 1.0;
  }

  void parsing() {
    TextItem& t = item_.text;
    t.field = static_cast<int>(r_.optional_integer("field", 0, 999).value_or(-1));
    t.separator = plain(r_, "separator", ",", d_);
    t.prefix = r_.optional_string("prefix").value_or("");
    t.suffix = r_.optional_string("suffix").value_or("");
    t.character = static_cast<int>(r_.optional_integer("character", 0, 999).value_or(-1));
    if (const auto radix = r_.optional_integer("radix", 2, 16)) {
      t.radix = static_cast<int>(*radix);
      if (item_.type != ValueType::i64)
        diagnostics_.error("D083", r_.node().find("radix")->key, "only integers have a radix",
                           "write type = \"integer\"");
    }
    if (const TomlNode* list = r_.optional_array("invalid")) {
      for (const auto& node : list->items) {
        if (node.is_number())
          t.invalid.push_back(node.number());
        else
          diagnostics_.error("T011", node.value, "'invalid' lists numbers that stand for no value",
                             "write invalid = [-999.0]");
      }
    }
  }

  void words() {
    const TomlNode* table = r_.optional_table("words");
    if (table) {
      for (const auto& [word, number] : table->members) {
        if (number.is_number())
          item_.text.words.emplace_back(word, number.number());
        else
          diagnostics_.error("D083", number.value, fmt::format("the word '{}' stands for a number", word),
                             "write words = { ON = 1, OFF = 0 }");
      }
    }
    if (item_.type == ValueType::boolean && !table) item_.text.words = {{"ON", 1.0}, {"OFF", 0.0}};
    if (is_word_ && item_.text.words.empty())
      diagnostics_.error("D083", item_.where, fmt::format("'{}' does not say which words there are", item_.name),
                         "add words = { CURR = 1, VOLT = 2 }");
    if (table && item_.type == ValueType::ascii)
      diagnostics_.error("D083", table->key, "text is taken as it is; it has no words", "write type = \"word\"");
    if (table && item_.type == ValueType::boolean) both_states(*table);
  }

  void both_states(const TomlNode& table) {
    const auto has = [this](double number) {
      return std::any_of(item_.text.words.begin(), item_.text.words.end(),
                         [number](const auto& w) { return w.second == number; });
    };
    if (!has(0.0) || !has(1.0))
      diagnostics_.error("D083", table.key, fmt::format("the switch '{}' needs a word for 1 and one for 0", item_.name),
                         "write words = { ON = 1, OFF = 0 }");
  }

  void frame() {
    const TomlNode* name = r_.optional("frame");
    item_.text.hold = r_.optional_bool("hold").value_or(false);
    if (const auto initial = r_.optional_number("initial")) {
      item_.text.initial = *initial;
      item_.text.has_initial = true;
    }
    if (!name) {
      for (const char* key : {"hold", "initial"}) {
        if (const TomlNode* node = r_.node().find(key))
          diagnostics_.error("D086", node->key, fmt::format("'{}' belongs to an item of a frame", key),
                             "add frame = \"...\", or remove it");
      }
      return;
    }
    for (std::size_t i = 0; i < d_.frames.size(); ++i) {
      if (name->is_string() && d_.frames[i].name == name->string) item_.text.frame = static_cast<int>(i);
    }
    if (item_.text.frame == kNone)
      diagnostics_.error("D086", name->value, "there is no such frame", "declare it as [frame.NAME] send = \"...\"");
  }

  TableReader& r_;
  Item& item_;
  const Description& d_;
  Diagnostics& diagnostics_;
  bool is_word_ = false;
};

// A frame holds every item that says so, and every value that it sends is known somehow.
void check_frame(const TomlNode& node, const Description& d, int index, Diagnostics& diagnostics) {
  const TextFrame& frame = d.frames[static_cast<std::size_t>(index)];
  const auto held = [&frame](int item) {
    return std::any_of(frame.send.begin(), frame.send.end(), [item](const TextPiece& p) { return p.item == item; });
  };
  for (std::size_t i = 0; i < d.items.size(); ++i) {
    const Item& item = d.items[i];
    const bool in = held(static_cast<int>(i));
    if (item.text.frame == index && !in)
      diagnostics.error("D086", node.value, fmt::format("the frame '{}' has no place for '{}'", frame.name, item.name),
                        fmt::format("add {{{}}}", item.name));
    if (in && !item.text.has_initial && item.text.query.empty())
      diagnostics.error("D088", item.where,
                        fmt::format("the frame '{}' sends '{}', which can neither be asked nor has a first value",
                                    frame.name, item.name),
                        "add query = \"...\" or initial = ...");
  }
}

}  // namespace

void read_text_item(TableReader& reader, Item& item, const Description& description) {
  TextItemReader(reader, item, description).read();
}

std::pair<double, double> text_range(const Item& item) {
  switch (item.type) {
    case ValueType::boolean: return {0.0, 1.0};
    case ValueType::i64: return {-kLargestInteger, kLargestInteger};
    case ValueType::f64: return {-kLargestNumber, kLargestNumber};
    default: return {0.0, 0.0};
  }
}

void name_frames(const TomlNode& table, Description& d) {
  for (const auto& [name, node] : table.members) d.frames.push_back({name, {}, {}, {}});
}

void read_frames(const TomlNode& table, Description& d, Diagnostics& diagnostics) {
  for (std::size_t i = 0; i < table.members.size(); ++i) {
    const TomlNode& node = table.members[i].second;
    TextFrame& frame = d.frames[i];
    TableReader r(node, "[frame." + frame.name + "]", diagnostics);
    frame.reply = reply(r, d.text_reply);
    frame.after = read_duration(r, "after", d.text.after_write, base::seconds(10));
    if (const TomlNode* send = r.required("send")) {
      frame.send = read_template(*send, {false, true}, d, diagnostics);
      if (!frame.send.empty()) check_frame(*send, d, static_cast<int>(i), diagnostics);
    }
    r.finish();
  }
}

void read_commands(const TomlNode& table, Description& d, Diagnostics& diagnostics) {
  for (const auto& [name, node] : table.members) {
    TextCommand command;
    command.name = name;
    TableReader r(node, "[command." + name + "]", diagnostics);
    command.reply = reply(r, d.text_reply);
    command.after = read_duration(r, "after", d.text.after_write, base::seconds(10));
    if (const TomlNode* send = r.required("send")) {
      command.send = read_template(*send, {}, d, diagnostics);
      check_queries(*send, command.reply.expected() ? 1 : 0, "say what the answer is: reply = \"...\"", diagnostics);
    }
    r.finish();
    d.commands.push_back(std::move(command));
  }
}

int command_reference(const TomlNode& node, const Description& d, Diagnostics& diagnostics) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < d.commands.size(); ++i) {
    if (node.is_string() && d.commands[i].name == node.string) return static_cast<int>(i);
    names.push_back(d.commands[i].name);
  }
  const std::string near = node.is_string() ? text::nearest(node.string, names) : std::string{};
  diagnostics.error(
      "D087", node.value, "there is no such command",
      near.empty() ? "declare it as [command.NAME] send = \"...\"" : fmt::format("did you mean '{}'?", near));
  return kNone;
}

bool word_value(const Item& item, std::string_view word, double& number) {
  for (const auto& [name, value] : item.text.words) {
    if (name != word || item.type == ValueType::boolean) continue;
    number = value;
    return true;
  }
  return false;
}

}  // namespace cyclerd::device::loader
