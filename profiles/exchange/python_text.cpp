#include "profiles/exchange/python_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <utility>

#include "profiles/exchange/exchange.hpp"
#include "profiles/exchange/exchange_codes.hpp"
#include "profiles/exchange/python_tokens.hpp"

namespace cyclerd::exchange {
namespace {

constexpr std::size_t kMaxValues = 400'000;
constexpr double kMaxCount = 1e9;

// What happens to a name, in the order of the text: `name = ...`, or something that only running the code would tell.
struct NameEvent {
  std::size_t at = 0;     // token
  std::size_t first = 0;  // first token of the value
  bool by_code = false;   // inside of a loop or branch, or changed by append and the like
};

class Reader {
 public:
  Reader(const text::SourcePtr& source, std::vector<PyToken> tokens, text::Diagnostics& diagnostics)
      : source_(source), tokens_(std::move(tokens)), diagnostics_(diagnostics) {
    find_statements();
  }

  PyRef find(std::string_view wanted);

 private:
  struct Statement {
    std::size_t first = 0;  // token
    std::size_t value = 0;  // first token of the value; == first: a bare expression
    std::string_view name;  // that it is assigned to
    bool in_code = false;   // inside of a loop or branch
  };
  // A line that opens a block, and how far it is indented.
  struct Header {
    std::size_t indent = 0;
    bool runs_once = false;  // def, class, with
  };

  void find_statements();
  void note_statement(std::size_t first);
  [[nodiscard]] std::size_t indent_of(const PyToken& token) const {
    return token.offset - (source_->text.rfind('\n', token.offset) + 1);
  }
  PyRef only_list(std::string_view wanted);
  PyRef bare_lines();

  [[nodiscard]] const PyToken& now() const { return tokens_[at_]; }
  [[nodiscard]] bool sign(std::string_view text) const { return now().is(text); }
  bool take(std::string_view text) {
    if (!sign(text)) return false;
    ++at_;
    return true;
  }
  PyRef fail(const PyToken& token, std::string message, std::string help = {}) {
    if (!failed_) {
      diagnostics_.error(code::kPython, span_of(token), std::move(message), std::move(help));
    }
    failed_ = true;
    return nullptr;
  }
  [[nodiscard]] text::Span span_of(const PyToken& token) const;
  std::shared_ptr<PyValue> make(PyValue::Kind kind, const PyToken& token);
  bool copied(std::size_t values, const PyToken& token);
  bool contains(PyValue& outer, const PyValue& inner, const PyToken& token);

  PyRef expression();  // of sums
  PyRef product();
  PyRef unary();
  PyRef atom();
  PyRef text_literal();
  PyRef name();
  PyRef named(const PyToken& token, std::string_view name);
  bool fill_in(const PyToken& token, std::string& out);
  PyRef call(const PyToken& callee);
  PyRef bracketed(bool list);
  PyRef add(const PyRef& a, const PyRef& b, const PyToken& op);
  PyRef multiply(const PyRef& a, const PyRef& b, const PyToken& op);

  const text::SourcePtr& source_;
  std::vector<PyToken> tokens_;
  text::Diagnostics& diagnostics_;
  std::vector<Statement> statements_;
  std::vector<Header> headers_;
  std::map<std::string_view, std::vector<NameEvent>> names_;
  std::map<std::size_t, PyRef> known_;  // by the token where the name got its value
  std::size_t before_ = 0;              // names are looked up as they stood before this token
  std::size_t at_ = 0;
  std::size_t values_ = 0;
  int depth_ = 0;
  bool failed_ = false;
};

text::Span Reader::span_of(const PyToken& token) const {
  return place_in(source_, token.offset, std::max<std::size_t>(token.text.size(), 1));
}

void Reader::note_statement(std::size_t first) {
  const PyToken& token = tokens_[first];
  if (token.kind == PyToken::Kind::end) return;
  const std::size_t indent = indent_of(token);
  while (!headers_.empty() && headers_.back().indent >= indent) headers_.pop_back();
  Statement statement{first, first, {}, false};
  for (const Header& header : headers_) statement.in_code = statement.in_code || !header.runs_once;
  const PyToken& next = tokens_[first + 1];
  for (const char* word :
       {"def", "class", "with", "for", "while", "if", "elif", "else", "try", "except", "finally", "async"}) {
    if (!token.is(word)) continue;
    const std::string_view opens = word;
    headers_.push_back({indent, opens == "def" || opens == "class" || opens == "with"});
  }
  if (token.kind == PyToken::Kind::name) {
    if (next.is("=")) {
      statement.value = first + 2;
      statement.name = token.text;
      names_[token.text].push_back({first, first + 2, statement.in_code});
    } else if (next.is("+=") || next.is("-=") || next.is("*=")) {
      names_[token.text].push_back({first, 0, true});
    } else if (const std::size_t dot = token.text.rfind('.'); dot != std::string_view::npos && next.is("(")) {
      const std::string_view does = token.text.substr(dot + 1);
      for (const char* change : {"append", "extend", "insert", "pop", "remove", "reverse", "clear"}) {
        if (does == change) names_[token.text.substr(0, dot)].push_back({first, 0, true});
      }
    }
  }
  statements_.push_back(statement);
}

void Reader::find_statements() {
  bool begins = true;
  for (std::size_t i = 0; i < tokens_.size(); ++i) {
    if (tokens_[i].kind == PyToken::Kind::newline) {
      begins = true;
    } else if (begins) {
      note_statement(i);
      begins = false;
    }
  }
}

PyRef Reader::find(std::string_view wanted) {
  std::vector<std::size_t> calls;
  for (std::size_t i = 0; i + 1 < tokens_.size(); ++i) {
    const PyToken& token = tokens_[i];
    if (token.kind != PyToken::Kind::name || !tokens_[i + 1].is("(")) continue;
    if (token.text.substr(token.text.rfind('.') + 1) == wanted) calls.push_back(i);
  }
  if (calls.size() > 1) {
    return fail(tokens_[calls[1]], fmt::format("the text has {} experiments; one at a time is read", calls.size()),
                "keep one of them in the file");
  }
  if (calls.empty()) return only_list(wanted);
  at_ = before_ = calls.front();
  return atom();
}

PyRef Reader::only_list(std::string_view wanted) {
  std::vector<const Statement*> lists;
  bool bare = true;
  for (const Statement& statement : statements_) {
    const PyToken& first = tokens_[statement.value];
    const bool by_name = first.kind == PyToken::Kind::name && names_.contains(first.text) && !first.is("None");
    if (first.is("[") || by_name) lists.push_back(&statement);
    bare = bare && (first.is("(") || first.kind == PyToken::Kind::text) && statement.value == statement.first;
  }
  if (lists.empty() && bare && !statements_.empty()) return bare_lines();
  // Of several lists the one that no other statement uses is meant.
  std::erase_if(lists, [this](const Statement* s) {
    return !s->name.empty() && std::any_of(tokens_.begin(), tokens_.end(), [s, this](const PyToken& token) {
      return token.text == s->name && token.offset != tokens_[s->first].offset;
    });
  });
  if (lists.size() != 1) {
    const PyToken& at = lists.empty() ? tokens_.front() : tokens_[lists[1]->first];
    return fail(at,
                lists.empty() ? fmt::format("no {} and no list of experiment strings is here", wanted)
                              : std::string("the text has more than one list"),
                "pybamm.Experiment([\"Charge at 1C until 4.2 V\", ...]), or one experiment string a line");
  }
  if (lists.front()->in_code) {
    return fail(tokens_[lists.front()->first], "the list stands inside of code that would have to be run",
                "write the finished list at the left margin");
  }
  at_ = lists.front()->value;
  before_ = lists.front()->first;
  return expression();
}

PyRef Reader::bare_lines() {
  auto list = make(PyValue::Kind::list, tokens_.front());
  for (const Statement& statement : statements_) {
    at_ = before_ = statement.value;
    do {
      if (now().kind == PyToken::Kind::newline || now().kind == PyToken::Kind::end) break;
      PyRef value = expression();
      if (value == nullptr) return nullptr;
      list->items.push_back({std::move(value), {}, 1});
    } while (take(","));
    if (now().kind != PyToken::Kind::newline && now().kind != PyToken::Kind::end) {
      return fail(now(), fmt::format("'{}' is not expected here", now().text));
    }
  }
  return list;
}

std::shared_ptr<PyValue> Reader::make(PyValue::Kind kind, const PyToken& token) {
  auto value = std::make_shared<PyValue>();
  value->kind = kind;
  value->offset = token.offset;
  value->length = std::max<std::size_t>(token.text.size(), 1);
  return value;
}

bool Reader::copied(std::size_t values, const PyToken& token) {
  values_ += values + 1;
  if (values_ <= kMaxValues) return true;
  if (!failed_) {
    diagnostics_.error(code::kTooMuch, span_of(token), fmt::format("more than {} values", kMaxValues));
  }
  failed_ = true;
  return false;
}

// Names let a value grow deeper than any bracket does.
bool Reader::contains(PyValue& outer, const PyValue& inner, const PyToken& token) {
  outer.nested = std::max(outer.nested, inner.nested + 1);
  if (outer.nested <= kMaxPythonDepth) return true;
  fail(token, fmt::format("nested deeper than {} levels", kMaxPythonDepth));
  return false;
}

PyRef Reader::add(const PyRef& a, const PyRef& b, const PyToken& op) {
  const bool minus = op.is("-");
  if (a->is(PyValue::Kind::number) && b->is(PyValue::Kind::number)) {
    auto sum = std::make_shared<PyValue>(*a);
    sum->number = minus ? a->number - b->number : a->number + b->number;
    sum->whole = a->whole && b->whole;
    return sum;
  }
  if (minus || a->kind != b->kind) return fail(op, fmt::format("'{}' does not go with these two", op.text));
  if (a->is(PyValue::Kind::text)) {
    auto joined = std::make_shared<PyValue>(*a);
    joined->text += b->text;
    joined->exact = false;
    return copied(joined->text.size() / 16, op) ? joined : nullptr;
  }
  if (!a->is(PyValue::Kind::list) && !a->is(PyValue::Kind::tuple)) {
    return fail(op, fmt::format("'{}' does not go with these two", op.text));
  }
  if (!copied(a->items.size() + b->items.size(), op)) return nullptr;
  auto joined = std::make_shared<PyValue>(*a);
  joined->items.insert(joined->items.end(), b->items.begin(), b->items.end());
  joined->nested = std::max(a->nested, b->nested);
  return joined;
}

PyRef Reader::multiply(const PyRef& a, const PyRef& b, const PyToken& op) {
  if (a->is(PyValue::Kind::number) && b->is(PyValue::Kind::number)) {
    auto result = std::make_shared<PyValue>(*a);
    result->number = op.is("/") ? a->number / b->number : a->number * b->number;
    result->whole = a->whole && b->whole && op.is("*");
    if (!std::isfinite(result->number)) return fail(op, "the result is not a number");
    return result;
  }
  const bool count_first = a->is(PyValue::Kind::number);
  const PyRef& count = count_first ? a : b;
  const PyRef& repeated = count_first ? b : a;
  const bool sequence = repeated->is(PyValue::Kind::list) || repeated->is(PyValue::Kind::tuple);
  if (op.is("/") || !sequence || !count->is(PyValue::Kind::number)) {
    return fail(op, fmt::format("'{}' does not go with these two", op.text),
                repeated->is(PyValue::Kind::text) ? "[(\"Charge ...\", \"Rest ...\")] * 100" : "");
  }
  if (!count->whole || count->number > kMaxCount) {
    diagnostics_.error(
        code::kRepeatCount, span_of(op),
        fmt::format("a list is repeated {} times; a whole number up to {} is needed", count->number, kMaxCount));
    failed_ = true;
    return nullptr;
  }
  auto result = make(repeated->kind, op);
  result->offset = repeated->offset;
  result->length = repeated->length;
  if (!contains(*result, *repeated, op)) return nullptr;
  if (count->number >= 1.0 && !repeated->items.empty()) {
    if (!copied(repeated->items.size(), op)) return nullptr;
    result->items.push_back({nullptr, repeated->items, static_cast<std::int64_t>(count->number)});
  }
  return result;
}

PyRef Reader::expression() {
  if (++depth_ > kMaxPythonDepth) return fail(now(), fmt::format("nested deeper than {} levels", kMaxPythonDepth));
  PyRef left = product();
  while (left != nullptr && (sign("+") || sign("-"))) {
    const PyToken op = now();
    ++at_;
    const PyRef right = product();
    left = right == nullptr ? nullptr : add(left, right, op);
  }
  --depth_;
  return left;
}

PyRef Reader::product() {
  PyRef left = unary();
  while (left != nullptr && (sign("*") || sign("/"))) {
    const PyToken op = now();
    ++at_;
    const PyRef right = unary();
    left = right == nullptr ? nullptr : multiply(left, right, op);
  }
  return left;
}

PyRef Reader::unary() {
  bool negative = false;
  const PyToken first = now();
  while (sign("-") || sign("+")) {
    negative = negative != sign("-");
    ++at_;
  }
  PyRef value = atom();
  if (value != nullptr && (sign(".") || sign("["))) {
    return fail(now(), "this is known only when the code runs", "write the finished value");
  }
  if (value == nullptr || !negative) return value;
  if (!value->is(PyValue::Kind::number)) return fail(first, "'-' does not go with this");
  auto negated = std::make_shared<PyValue>(*value);
  negated->number = -negated->number;
  return negated;
}

PyRef Reader::atom() {
  const PyToken token = now();
  if (!copied(1, token)) return nullptr;
  if (token.is("[") || token.is("(")) {
    if (++depth_ > kMaxPythonDepth) return fail(token, fmt::format("nested deeper than {} levels", kMaxPythonDepth));
    ++at_;
    PyRef value = bracketed(token.is("["));
    --depth_;
    return value;
  }
  if (token.kind == PyToken::Kind::text) return text_literal();
  if (token.kind == PyToken::Kind::name) return name();
  if (token.kind == PyToken::Kind::number) {
    ++at_;
    auto value = make(PyValue::Kind::number, token);
    value->number = token.value;
    value->whole = token.text.find_first_of(".eE") == std::string_view::npos;
    return value;
  }
  if (token.kind == PyToken::Kind::end || token.kind == PyToken::Kind::newline) {
    return fail(token, "the text ends here, in the middle of an expression");
  }
  return fail(token, fmt::format("'{}' is not expected here", token.text));
}

// f"until {v_max} V" with names of numbers and texts.
bool Reader::fill_in(const PyToken& token, std::string& out) {
  const std::string_view text = token.content;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool twice = i + 1 < text.size() && text[i + 1] == text[i];
    if ((text[i] == '{' || text[i] == '}') && twice) {
      out += text[i++];
      continue;
    }
    if (text[i] != '{') {
      out += text[i];
      continue;
    }
    const std::size_t end = text.find('}', i);
    const std::string_view inside = text.substr(i + 1, end == std::string_view::npos ? end : end - i - 1);
    const auto found = names_.find(inside);
    const PyRef value = end == std::string_view::npos || found == names_.end() ? nullptr : named(token, inside);
    if (value == nullptr || !(value->is(PyValue::Kind::number) || value->is(PyValue::Kind::text))) {
      fail(token, fmt::format("what '{{{}}}' stands for is known only when the code runs", inside),
           "write the finished string");
      return false;
    }
    out += value->is(PyValue::Kind::text) ? value->text : fmt::format("{}", value->number);
    i = end;
  }
  return copied(out.size() / 16, token);
}

PyRef Reader::text_literal() {
  const PyToken first = now();
  auto value = make(PyValue::Kind::text, first);
  value->text_offset = first.content_offset;
  value->exact = first.exact && !first.formatted;
  for (; now().kind == PyToken::Kind::text; ++at_) {
    if (now().offset != first.offset) value->exact = false;
    if (!now().formatted) {
      value->text += now().content;
    } else if (!fill_in(now(), value->text)) {
      return nullptr;
    }
  }
  return value;
}

PyRef Reader::name() {
  const PyToken token = now();
  ++at_;
  if (sign("(")) return call(token);
  if (token.is("lambda")) return fail(token, "a function is known only when the code runs", "write its values");
  if (token.is("None")) return make(PyValue::Kind::none, token);
  if (token.is("True") || token.is("False")) {
    auto value = make(PyValue::Kind::boolean, token);
    value->boolean = token.is("True");
    return value;
  }
  return named(token, token.text);
}

// The value of a name as it stands here. `token`: where it is used.
PyRef Reader::named(const PyToken& token, std::string_view name) {
  const NameEvent* event = nullptr;
  if (const auto found = names_.find(name); found != names_.end()) {
    for (const NameEvent& one : found->second) event = one.at < before_ ? &one : event;
  }
  if (event == nullptr) {
    return fail(token, fmt::format("'{}' has no value in this text", name), "write its value here");
  }
  if (event->by_code) {
    return fail(token, fmt::format("'{}' is made by code that would have to be run", name),
                "write the finished list, for example with [...] * 3");
  }
  if (const auto known = known_.find(event->at); known != known_.end()) {
    return copied(known->second->items.size(), token) ? known->second : nullptr;
  }
  const std::size_t back = std::exchange(at_, event->first);
  const std::size_t outside = std::exchange(before_, event->at);
  PyRef value = expression();
  at_ = back;
  before_ = outside;
  if (value != nullptr) known_.emplace(event->at, value);
  return value;
}

PyRef Reader::call(const PyToken& callee) {
  if (++depth_ > kMaxPythonDepth) return fail(callee, fmt::format("nested deeper than {} levels", kMaxPythonDepth));
  auto value = make(PyValue::Kind::call, callee);
  value->text = std::string(callee.text);
  (void)take("(");
  while (!take(")")) {
    std::string keyword;
    if (now().kind == PyToken::Kind::name && tokens_[at_ + 1].is("=")) {
      keyword = std::string(now().text);
      at_ += 2;
    }
    PyRef argument = expression();
    if (argument == nullptr || !contains(*value, *argument, callee)) return nullptr;
    if (keyword.empty()) {
      value->items.push_back({std::move(argument), {}, 1});
    } else if (value->keyword(keyword) != nullptr) {
      return fail(now(), fmt::format("'{}' is given twice", keyword));
    } else {
      value->keywords.emplace_back(std::move(keyword), std::move(argument));
    }
    if (!take(",") && !sign(")")) return fail(now(), "',' or ')' is missing here");
  }
  --depth_;
  return value;
}

PyRef Reader::bracketed(bool list) {
  const PyToken opening = tokens_[at_ - 1];
  auto value = make(list ? PyValue::Kind::list : PyValue::Kind::tuple, opening);
  const std::string_view closing = list ? "]" : ")";
  bool comma = false;
  while (!take(closing)) {
    PyRef item = expression();
    if (item == nullptr || !contains(*value, *item, opening)) return nullptr;
    value->items.push_back({std::move(item), {}, 1});
    if (now().is("for")) {
      return fail(now(), "a list made by 'for' is known only when the code runs",
                  "write the finished list, for example with [...] * 3");
    }
    comma = take(",");
    if (!comma && !sign(closing)) return fail(now(), fmt::format("',' or '{}' is missing here", closing));
  }
  // ("x") is "x", not a tuple.
  if (!list && value->items.size() == 1 && !comma) return value->items.front().value;
  return value;
}

}  // namespace

std::string_view PyValue::last_name() const noexcept {
  const std::string_view name = text;
  return name.substr(name.rfind('.') + 1);
}

PyRef PyValue::keyword(std::string_view name) const noexcept {
  for (const auto& [key, value] : keywords) {
    if (key == name) return value;
  }
  return nullptr;
}

PyRef read_python_value(const text::SourcePtr& source, std::string_view wanted, text::Diagnostics& diagnostics) {
  auto tokens = python_tokens(source, diagnostics);
  if (!tokens) return nullptr;
  return Reader(source, std::move(*tokens), diagnostics).find(wanted);
}

}  // namespace cyclerd::exchange
