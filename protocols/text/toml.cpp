// The only file that includes toml++. 3.3.0 asserts on some malformed input and relies on the assertion elsewhere, so
// its assertions stay on in every build and throw; the guard refuses what it is known to die of.
#undef NDEBUG
#include <stdexcept>
#define TOML_ASSERT(condition)                                                    \
  do {                                                                            \
    if (!(condition)) throw std::logic_error("toml++ precondition: " #condition); \
  } while (false)
#define TOML_HEADER_ONLY 1
#define TOML_EXCEPTIONS 1
#define TOML_ENABLE_FORMATTERS 0
#define TOML_ENABLE_UNRELEASED_FEATURES 0
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wextra"
#include <toml++/toml.h>
#pragma GCC diagnostic pop

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <memory>

#include "protocols/text/toml.hpp"
#include "protocols/text/toml_guard.hpp"

namespace cyclerd::text {

namespace {

class Converter {
 public:
  Converter(const SourcePtr& source, Diagnostics& diagnostics) : source_(source), diagnostics_(diagnostics) {
    index_lines();
  }

  TomlNode convert(const toml::node& from, Span key) {
    TomlNode to;
    to.value = span_of(from.source());
    to.key = key.source ? std::move(key) : to.value;
    switch (from.type()) {
      case toml::node_type::table: table(*from.as_table(), to); break;
      case toml::node_type::array: array(*from.as_array(), to); break;
      case toml::node_type::string:
        to.kind = TomlNode::Kind::string;
        to.string = from.as_string()->get();
        between_quotes(to.value);
        break;
      case toml::node_type::integer:
        to.kind = TomlNode::Kind::integer;
        to.integer = from.as_integer()->get();
        break;
      case toml::node_type::floating_point:
        to.kind = TomlNode::Kind::floating;
        to.floating = from.as_floating_point()->get();
        if (!std::isfinite(to.floating)) {
          diagnostics_.error("T007", to.value, "nan and infinity are not allowed", "write a finite number");
        }
        break;
      case toml::node_type::boolean:
        to.kind = TomlNode::Kind::boolean;
        to.boolean = from.as_boolean()->get();
        break;
      default:
        diagnostics_.error("T008", to.value, "dates and times are not used here",
                           "write the value as a string in quotes");
        break;
    }
    return to;
  }

  Span span_of(const toml::source_region& region) const {
    Span span{source_, region.begin.line, region.begin.column, 1};
    if (region.end.line == region.begin.line && region.end.column > region.begin.column) {
      span.length = region.end.column - region.begin.column;
    }
    return span;
  }

 private:
  void table(const toml::table& from, TomlNode& to) {
    to.kind = TomlNode::Kind::table;
    struct Member {
      const toml::key* key;
      const toml::node* node;
    };
    std::vector<Member> members;  // the library sorts by name; people read in the order of the file
    members.reserve(from.size());
    for (auto it = from.begin(); it != from.end(); ++it) members.push_back({&it->first, &it->second});
    std::stable_sort(members.begin(), members.end(), [](const Member& a, const Member& b) {
      const auto& p = a.key->source().begin;
      const auto& q = b.key->source().begin;
      return std::pair(p.line, p.column) < std::pair(q.line, q.column);
    });
    to.members.reserve(members.size());
    for (const auto& m : members) {
      to.members.emplace_back(std::string{m.key->str()}, convert(*m.node, span_of(m.key->source())));
    }
  }

  void array(const toml::array& from, TomlNode& to) {
    to.kind = TomlNode::Kind::array;
    to.items.reserve(from.size());
    for (const auto& item : from) to.items.push_back(convert(item, {}));
  }

  void index_lines() {
    const std::string_view text = without_bom(source_->text);
    std::size_t at = 0;
    while (true) {
      const auto end = text.find('\n', at);
      lines_.push_back(text.substr(at, end == std::string_view::npos ? end : end - at));
      if (end == std::string_view::npos) return;
      at = end + 1;
    }
  }

  // Narrows the span of a string literal to its text, so that a place inside the text can be pointed at.
  void between_quotes(Span& span) {
    if (span.line == 0 || span.line > lines_.size()) return;
    const std::string_view line = from_column(span.line, span.column);
    const bool multiline = line.starts_with("\"\"\"") || line.starts_with("'''");
    const std::uint32_t marks = multiline ? 3 : 1;
    span.column += marks;
    span.length = span.length > 2 * marks ? span.length - 2 * marks : 1;
  }

  // A line from one of its columns on. Goes on from where it was asked for last: values come in the order of the file,
  // and a file may have one line.
  std::string_view from_column(std::uint32_t line, std::uint32_t column) {
    if (line != last_line_ || column < last_column_) {
      last_line_ = line;
      last_column_ = 1;
      last_rest_ = lines_[line - 1];
    }
    for (; last_column_ < column && !last_rest_.empty(); ++last_column_) {
      do last_rest_.remove_prefix(1);
      while (!last_rest_.empty() && (static_cast<unsigned char>(last_rest_.front()) & 0xC0U) == 0x80U);
    }
    return last_rest_;
  }

  SourcePtr source_;
  Diagnostics& diagnostics_;
  std::vector<std::string_view> lines_;
  std::uint32_t last_line_ = 0;
  std::uint32_t last_column_ = 1;
  std::string_view last_rest_;
};

// The library's own sentence without its "Error while parsing ...: " lead.
std::string plain(std::string_view description) {
  constexpr std::string_view kLead = "Error while parsing ";
  if (description.starts_with(kLead)) description.remove_prefix(kLead.size());
  return "not valid TOML: " + std::string{description};
}

std::string syntax_hint(std::string_view description) {
  if (description.find("redefine") != std::string_view::npos) return "every key may be given once";
  if (description.find("expected value") != std::string_view::npos)
    return "text and quantities stand in quotes: key = \"4.2 V\"";
  if (description.find("expected a comment or whitespace") != std::string_view::npos) {
    return "one key = value per line; quantities stand in quotes: \"4.2 V\"";
  }
  return {};
}

}  // namespace

base::Result<SourcePtr> read_source(const std::string& path, std::size_t max_bytes) {
  using base::ErrorCode;
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rbe"), &std::fclose);
  if (!file) {
    const int e = errno;
    const ErrorCode code = e == ENOENT || e == ENOTDIR ? ErrorCode::not_found
                           : e == EACCES || e == EPERM ? ErrorCode::permission
                                                       : ErrorCode::io;
    return base::failure(code, path, fmt::format("cannot open the file: {}; check the path", std::strerror(e)));
  }
  auto source = std::make_shared<Source>();
  source->name = path;
  std::array<char, 65536> buffer{};
  while (true) {
    const std::size_t n = std::fread(buffer.data(), 1, buffer.size(), file.get());
    source->text.append(buffer.data(), n);
    if (source->text.size() > max_bytes) {
      return base::failure(ErrorCode::invalid, path,
                           fmt::format("larger than the {} bytes that are read at most", max_bytes));
    }
    if (n < buffer.size()) break;
  }
  if (std::ferror(file.get()) != 0) {
    return base::failure(ErrorCode::io, path, fmt::format("cannot read the file: {}", std::strerror(errno)));
  }
  return SourcePtr{std::move(source)};
}

TomlNode::TomlNode() = default;
TomlNode::TomlNode(const TomlNode&) = default;
TomlNode::TomlNode(TomlNode&&) noexcept = default;
TomlNode& TomlNode::operator=(const TomlNode&) = default;
TomlNode& TomlNode::operator=(TomlNode&&) noexcept = default;
TomlNode::~TomlNode() = default;

const TomlNode* TomlNode::find(std::string_view name) const noexcept {
  for (const auto& [key_name, node] : members) {
    if (key_name == name) return &node;
  }
  return nullptr;
}

std::optional<TomlNode> parse_toml(const SourcePtr& source, Diagnostics& diagnostics, const TomlLimits& limits) {
  if (!guard_toml(source, diagnostics, limits)) return std::nullopt;
  try {
    const std::size_t errors_before = diagnostics.error_count();
    const toml::table root = toml::parse(without_bom(source->text));
    TomlNode node = Converter(source, diagnostics).convert(root, {});
    node.key = Span{source, 1, 1, 1};
    node.value = node.key;
    if (diagnostics.error_count() != errors_before) return std::nullopt;
    return node;
  } catch (const toml::parse_error& e) {
    const auto& at = e.source().begin;
    diagnostics.error("T006", Span{source, at.line, at.column, 1}, plain(e.description()),
                      syntax_hint(e.description()));
  } catch (const std::exception& e) {
    diagnostics.error("T006", Span{source, 0, 0, 1}, fmt::format("not valid TOML ({})", e.what()),
                      "look for a key or a bracket that is missing");
  }
  return std::nullopt;
}

}  // namespace cyclerd::text
