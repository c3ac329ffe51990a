#include "protocols/dbc/dbc.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <set>

#include "protocols/dbc/dbc_tokens.hpp"
#include "protocols/dbc/signal.hpp"

namespace cyclerd::dbc {
namespace {

using text::Diagnostics;

constexpr std::size_t kMaxBytes = 16U << 20;
constexpr std::size_t kMaxMessages = 20'000;
constexpr std::size_t kMaxSignals = 200'000;  // of the file
constexpr std::size_t kMaxFindings = 100;     // more of the same help nobody
constexpr int kMaxSwitchDepth = 8;
constexpr std::uint32_t kExtendedBit = 0x80000000U;
constexpr std::uint32_t kUnusedSignals = 0xC0000000U;  // VECTOR__INDEPENDENT_SIG_MSG: a bin, no frame

// Words that begin a statement: where reading goes on after one that is broken.
constexpr std::array<std::string_view, 24> kStatements{"VERSION",
                                                       "NS_",
                                                       "BS_",
                                                       "BU_",
                                                       "BO_",
                                                       "SG_",
                                                       "VAL_",
                                                       "VAL_TABLE_",
                                                       "CM_",
                                                       "BA_",
                                                       "BA_DEF_",
                                                       "BA_DEF_DEF_",
                                                       "SIG_VALTYPE_",
                                                       "SG_MUL_VAL_",
                                                       "SIG_GROUP_",
                                                       "EV_",
                                                       "BO_TX_BU_",
                                                       "BU_BO_REL_",
                                                       "BU_SG_REL_",
                                                       "BU_EV_REL_",
                                                       "BA_REL_",
                                                       "BA_DEF_REL_",
                                                       "BA_DEF_DEF_REL_",
                                                       "ENVVAR_DATA_"};

bool begins_statement(const Token& token) {
  return token.kind == Token::Kind::word && token.first &&
         std::ranges::find(kStatements, token.text) != kStatements.end();
}

class Reader {
 public:
  Reader(const text::SourcePtr& source, Diagnostics& diagnostics)
      : source_(source), diagnostics_(diagnostics), tokens_(tokens_of(source, diagnostics)) {}

  std::optional<Database> read() {
    while (now().kind != Token::Kind::end && diagnostics_.all().size() < kMaxFindings) statement();
    if (errors_ || diagnostics_.has_errors()) return std::nullopt;
    for (Message& message : database_.messages) settle_switches(message);
    return std::move(database_);
  }

 private:
  // --- words
  [[nodiscard]] const Token& now() const { return tokens_[at_]; }
  [[nodiscard]] const Token& after() const { return tokens_[std::min(at_ + 1, tokens_.size() - 1)]; }
  void next() {
    if (now().kind != Token::Kind::end) ++at_;
  }
  [[nodiscard]] text::Span span(const Token& token) const {
    return {source_, token.line, token.column, static_cast<std::uint32_t>(std::max<std::size_t>(1, token.text.size()))};
  }
  bool fail(const char* wanted) {
    diagnostics_.error("D090", span(now()), fmt::format("{} is needed here", wanted));
    errors_ = true;
    return false;
  }
  bool mark(std::string_view what) {
    if (!now().is(what)) return fail(fmt::format("'{}'", what).c_str());
    next();
    return true;
  }
  bool number(double& value) {
    if (now().kind != Token::Kind::number) return fail("a number");
    value = now().number;
    next();
    return true;
  }
  bool whole(std::int64_t& value, std::int64_t min, std::int64_t max) {
    const Token& token = now();
    double read = 0.0;
    if (!number(read)) return false;
    if (read != std::floor(read) || read < static_cast<double>(min) || read > static_cast<double>(max)) {
      diagnostics_.error("D090", span(token), fmt::format("a whole number between {} and {} is needed here", min, max));
      errors_ = true;
      return false;
    }
    value = static_cast<std::int64_t>(read);
    return true;
  }
  bool word(std::string& value) {
    if (now().kind != Token::Kind::word) return fail("a name");
    value = now().text;
    next();
    return true;
  }
  bool string(std::string& value) {
    if (now().kind != Token::Kind::string) return fail("a text in quotes");
    value = now().text;
    next();
    return true;
  }
  void skip_statement() {
    while (now().kind != Token::Kind::end && !now().is(";") && !begins_statement(now())) next();
    if (now().is(";")) next();
  }
  void warn(const char* code, const Token& at, std::string message, std::string help = {}) {
    if (diagnostics_.all().size() < kMaxFindings)
      diagnostics_.warning(code, span(at), std::move(message), std::move(help));
  }

  // --- statements
  void statement() {
    const Token& head = now();
    if (!begins_statement(head)) {
      (void)fail("a section such as BO_ or SG_");
      next();
      skip_statement();
      return;
    }
    next();
    if (head.is("NS_")) return new_symbols();
    if (head.is("BO_")) return (void)(message(head) || recover());
    if (head.is("SG_")) return (void)(signal(head) || recover());
    if (head.is("VAL_")) return (void)(values() || recover());
    if (head.is("SIG_VALTYPE_")) return (void)(value_type() || recover());
    if (head.is("SG_MUL_VAL_")) return (void)(switch_ranges() || recover());
    if (head.is("BA_")) return (void)(attribute() || recover());
    if (head.is("VERSION") || head.is("BS_") || head.is("BU_")) {
      while (now().kind != Token::Kind::end && !begins_statement(now())) next();
      return;
    }
    skip_statement();
  }
  bool recover() {
    skip_statement();
    return false;
  }

  // A list of words, each alone on its line: the same words begin statements.
  void new_symbols() {
    if (now().is(":")) next();
    while (now().kind == Token::Kind::word && after().line != now().line && !now().is("BO_")) next();
  }

  bool message(const Token& head) {
    const Token& id_token = now();
    std::int64_t id = 0;
    std::int64_t length = 0;
    Message m;
    if (!whole(id, 0, 0xFFFFFFFFLL) || !word(m.name) || !mark(":") || !whole(length, 0, 0xFFFF) || !word(m.sender))
      return false;
    skipping_ = static_cast<std::uint32_t>(id) == kUnusedSignals;
    current_ = nullptr;
    if (skipping_) return true;
    m.extended = (static_cast<std::uint32_t>(id) & kExtendedBit) != 0;
    m.id = static_cast<std::uint32_t>(id) & ~kExtendedBit;
    const std::uint32_t largest = m.extended ? 0x1FFFFFFFU : 0x7FFU;
    if (m.id > largest) {
      skipping_ = true;
      warn("D091", id_token,
           fmt::format("{} is no identifier of {} bits; '{}' is left out", m.id, m.extended ? 29 : 11, m.name));
      return true;
    }
    if (length > kMaxFrameBytes) {
      skipping_ = true;
      warn("D091", id_token,
           fmt::format("'{}' has {} bytes; a frame has at most {}: it is left out", m.name, length, kMaxFrameBytes));
      return true;
    }
    m.length = static_cast<std::uint16_t>(length);
    m.flexible_rate = length > 8;
    if (by_id_.contains(static_cast<std::uint32_t>(id)) || !names_.insert(m.name).second) {
      skipping_ = true;
      warn("D092", head, fmt::format("'{}' has an identifier or a name that was there before; it is left out", m.name));
      return true;
    }
    if (database_.messages.size() >= kMaxMessages) {
      diagnostics_.error("D094", span(head), fmt::format("more than {} messages", kMaxMessages));
      return false;
    }
    by_id_[static_cast<std::uint32_t>(id)] = database_.messages.size();
    database_.messages.push_back(std::move(m));
    current_ = &database_.messages.back();
    return true;
  }

  bool layout(Signal& s) {
    std::int64_t start = 0;
    std::int64_t length = 0;
    std::int64_t order = 0;
    if (!mark(":") || !whole(start, 0, 65535) || !mark("|") || !whole(length, 1, 64) || !mark("@") ||
        !whole(order, 0, 1))
      return false;
    s.start = static_cast<std::uint16_t>(start);
    s.length = static_cast<std::uint16_t>(length);
    s.order = order == 1 ? ByteOrder::intel : ByteOrder::motorola;
    if (!now().is("+") && !now().is("-")) return fail("'+' or '-'");
    s.kind = now().is("-") ? NumberKind::signed_integer : NumberKind::unsigned_integer;
    next();
    return mark("(") && number(s.factor) && mark(",") && number(s.offset) && mark(")") && mark("[") && number(s.min) &&
           mark("|") && number(s.max) && mark("]") && string(s.unit);
  }

  // "M", "m3", "m3M"
  bool switch_word(Signal& s) {
    std::string_view word = now().text;
    if (word.ends_with('M')) {
      s.is_switch = true;
      word.remove_suffix(1);
    }
    if (word.starts_with('m') && word.size() > 1 && word.size() < 12) {
      std::uint64_t value = 0;
      for (const char c : word.substr(1)) {
        if (c < '0' || c > '9') return fail("M, m0 or m0M");
        value = value * 10 + static_cast<std::uint64_t>(c - '0');
      }
      s.when.emplace_back(value, value);
    } else if (!word.empty()) {
      return fail("M, m0 or m0M");
    }
    next();
    return true;
  }

  bool signal(const Token& head) {
    Signal s;
    if (!word(s.name)) return false;
    if (now().kind == Token::Kind::word && !switch_word(s)) return false;
    if (!layout(s)) return false;
    while (now().kind != Token::Kind::end && !begins_statement(now())) next();  // receivers
    if (skipping_) return true;
    if (current_ == nullptr) {
      diagnostics_.error("D090", span(head), fmt::format("the signal '{}' belongs to no message", s.name),
                         "BO_ comes before its SG_");
      return false;
    }
    if (++signals_ > kMaxSignals) {
      diagnostics_.error("D094", span(head), fmt::format("more than {} signals", kMaxSignals));
      return false;
    }
    if (current_->find(s.name) != nullptr) {
      warn("D092", head, fmt::format("'{}' has a signal '{}' twice; the second is left out", current_->name, s.name));
    } else if (!fits(s, current_->length)) {
      warn("D091", head,
           fmt::format("signal '{}' reaches beyond the {} bytes of '{}'; it is left out", s.name, current_->length,
                       current_->name),
           "check start and length; Motorola signals start at their most significant bit");
    } else if (s.factor == 0.0) {
      warn("D091", head, fmt::format("signal '{}' has the factor 0; it is left out", s.name));
    } else {
      current_->signals.push_back(std::move(s));
    }
    return true;
  }

  // The signal that the next two words name; nullptr: of no message, or left out.
  bool reference(Message*& message, Signal*& signal) {
    std::int64_t id = 0;
    std::string name;
    if (!whole(id, 0, 0xFFFFFFFFLL) || !word(name)) return false;
    message = nullptr;
    signal = nullptr;
    const auto found = by_id_.find(static_cast<std::uint32_t>(id));
    if (found == by_id_.end()) return true;
    message = &database_.messages[found->second];
    for (Signal& s : message->signals) {
      if (s.name == name) signal = &s;
    }
    return true;
  }

  bool values() {
    if (now().kind == Token::Kind::word) {  // of an environment variable
      skip_statement();
      return true;
    }
    Message* message = nullptr;
    Signal* s = nullptr;
    if (!reference(message, s)) return false;
    while (now().kind == Token::Kind::number) {
      double value = 0.0;
      std::string words;
      if (!number(value) || !string(words)) return false;
      if (s != nullptr && std::abs(value) < 9e15)
        s->descriptions.emplace_back(static_cast<std::int64_t>(value), std::move(words));
    }
    return mark(";");
  }

  bool value_type() {
    const Token& head = now();
    Message* message = nullptr;
    Signal* s = nullptr;
    std::int64_t type = 0;
    if (!reference(message, s)) return false;
    if (now().is(":")) next();
    if (!whole(type, 0, 3) || !mark(";")) return false;
    if (s == nullptr || type == 0) return true;
    const bool good = (type == 1 && s->length == 32) || (type == 2 && s->length == 64);
    if (good) {
      s->kind = type == 1 ? NumberKind::float32 : NumberKind::float64;
    } else {
      warn("D091", head, fmt::format("signal '{}' has {} bits, which is no float; it is left out", s->name, s->length));
      std::erase_if(message->signals, [&](const Signal& other) { return other.name == s->name; });
    }
    return true;
  }

  // SG_MUL_VAL_ id signal switch 1-1, 3-5 ;
  bool switch_ranges() {
    const Token& head = now();
    Message* message = nullptr;
    Signal* s = nullptr;
    std::string selector;
    if (!reference(message, s) || !word(selector)) return false;
    std::vector<std::pair<std::uint64_t, std::uint64_t>> ranges;
    while (now().kind == Token::Kind::number) {
      std::int64_t from = 0;
      std::int64_t to = 0;
      if (!whole(from, 0, std::int64_t{1} << 53)) return false;
      if (now().is("-")) next();
      if (!whole(to, -(std::int64_t{1} << 53), std::int64_t{1} << 53))
        return false;  // "1-3": the sign is read with the 3
      ranges.emplace_back(static_cast<std::uint64_t>(from), static_cast<std::uint64_t>(std::abs(to)));
      if (now().is(",")) next();
    }
    if (!mark(";")) return false;
    if (s == nullptr) return true;
    if (message->find(selector) == nullptr) {
      warn("D093", head, fmt::format("'{}' is switched by '{}', which its message does not have", s->name, selector));
      return true;
    }
    s->when = std::move(ranges);
    named_switch_[message->name + '\n' + s->name] = selector;
    return true;
  }

  // BA_ "GenMsgCycleTime" BO_ id ms; BA_ "VFrameFormat" BO_ id 14;
  bool attribute() {
    std::string name;
    if (!string(name)) return false;
    const bool of_message = now().is("BO_");
    if (!of_message || (name != "GenMsgCycleTime" && name != "VFrameFormat")) {
      skip_statement();
      return true;
    }
    next();
    std::int64_t id = 0;
    double value = 0.0;
    if (!whole(id, 0, 0xFFFFFFFFLL) || !number(value) || !mark(";")) return false;
    const auto found = by_id_.find(static_cast<std::uint32_t>(id));
    if (found == by_id_.end()) return true;
    Message& m = database_.messages[found->second];
    if (name == "VFrameFormat") m.flexible_rate = value == 14.0 || value == 15.0;
    if (name == "GenMsgCycleTime" && value > 0.0 && value < 1e9)
      m.cycle = base::microseconds(std::llround(value * 1e3));
    return true;
  }

  // Which signal selects which; what hangs on nothing, or on itself, is left out.
  void settle_switches(Message& m) {
    const auto index_of = [&m](std::string_view name) {
      const auto found = std::ranges::find(m.signals, name, &Signal::name);
      return found == m.signals.end() ? -1 : static_cast<int>(found - m.signals.begin());
    };
    int top = -1;
    for (std::size_t i = 0; i < m.signals.size(); ++i) {
      if (m.signals[i].is_switch && m.signals[i].when.empty() && top < 0) top = static_cast<int>(i);
    }
    for (Signal& s : m.signals) {
      if (s.when.empty()) continue;
      const auto named = named_switch_.find(m.name + '\n' + s.name);
      s.switched_by = named != named_switch_.end() ? index_of(named->second) : top;
    }
    const auto hangs = [&m](const Signal& s) {
      const Signal* at = &s;
      for (int depth = 0; depth < kMaxSwitchDepth; ++depth) {
        if (at->when.empty()) return true;
        if (at->switched_by < 0) return false;
        at = &m.signals[static_cast<std::size_t>(at->switched_by)];
      }
      return false;
    };
    std::vector<Signal*> loose;
    for (Signal& s : m.signals) {
      if (!hangs(s)) loose.push_back(&s);
    }
    for (Signal* s : loose) {
      warn("D093", Token{},
           fmt::format("signal '{}' of '{}' is switched by nothing that the message has; it is left out", s->name,
                       m.name));
      s->length = 0;  // marks it: indices must stay until all are settled
    }
    drop_unsettled(m);
  }

  static void drop_unsettled(Message& m) {
    std::vector<int> place(m.signals.size(), -1);
    int kept = 0;
    for (std::size_t i = 0; i < m.signals.size(); ++i) {
      if (m.signals[i].length != 0) place[i] = kept++;
    }
    std::erase_if(m.signals, [](const Signal& s) { return s.length == 0; });
    for (Signal& s : m.signals) {
      if (s.switched_by >= 0) s.switched_by = place[static_cast<std::size_t>(s.switched_by)];
    }
  }

  const text::SourcePtr& source_;
  Diagnostics& diagnostics_;
  std::vector<Token> tokens_;
  std::size_t at_ = 0;
  std::size_t signals_ = 0;
  bool errors_ = false;
  bool skipping_ = false;  // the signals of a message that is left out
  Message* current_ = nullptr;
  Database database_;
  std::set<std::string> names_;
  std::map<std::uint32_t, std::size_t> by_id_;       // as in the file, with bit 31
  std::map<std::string, std::string> named_switch_;  // "message\nsignal" -> switch
};

}  // namespace

const Signal* Message::find(std::string_view signal) const noexcept {
  const auto found = std::ranges::find(signals, signal, &Signal::name);
  return found == signals.end() ? nullptr : &*found;
}

const Message* Database::find(std::string_view message) const noexcept {
  const auto found = std::ranges::find(messages, message, &Message::name);
  return found == messages.end() ? nullptr : &*found;
}

const Message* Database::find(std::uint32_t id, bool extended) const noexcept {
  const auto found =
      std::ranges::find_if(messages, [&](const Message& m) { return m.id == id && m.extended == extended; });
  return found == messages.end() ? nullptr : &*found;
}

std::optional<Database> read_dbc(const text::SourcePtr& source, text::Diagnostics& diagnostics) {
  if (source->text.size() > kMaxBytes) {
    diagnostics.error("D094", {source, 0, 0, 0}, fmt::format("the file has more than {} MiB", kMaxBytes >> 20));
    return std::nullopt;
  }
  const auto readable = std::make_shared<const text::Source>(text::Source{source->name, utf8_of(source->text)});
  Diagnostics own;
  auto database = Reader(readable, own).read();
  diagnostics.append(std::move(own));
  return database;
}

}  // namespace cyclerd::dbc
