#include "profiles/exchange/profile_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "profiles/parse_parts.hpp"

namespace cyclerd::exchange {
namespace {

constexpr std::size_t kLongestName = 64;

std::string comment_lines(std::string_view comment, std::string_view indent) {
  std::string out;
  while (!comment.empty()) {
    const std::size_t end = std::min(comment.find('\n'), comment.size());
    std::string line{comment.substr(0, end)};
    // Control characters are not allowed in a comment.
    std::replace_if(
        line.begin(), line.end(), [](unsigned char c) { return c < 0x20 || c == 0x7F; }, ' ');
    out += fmt::format("{}#{}{}\n", indent, line.empty() ? "" : " ", line);
    comment.remove_prefix(std::min(end + 1, comment.size()));
  }
  return out;
}

std::string condition(const ConditionText& c) {
  if (c.then.empty() && c.dwell.empty() && c.reason.empty()) return quoted(c.when);
  InlineTable table;
  table.text("when", c.when);
  if (!c.then.empty()) table.text("then", c.then);
  if (!c.dwell.empty()) table.text("for", c.dwell);
  if (!c.reason.empty()) table.text("reason", c.reason);
  return table.str();
}

std::string until(const std::vector<ConditionText>& list) {
  if (list.size() == 1) return condition(list.front());
  std::string body;
  for (const ConditionText& c : list) body += (body.empty() ? "" : ", ") + condition(c);
  return "[" + body + "]";
}

void write_steps(const std::vector<StepText>& steps, const std::string& path, std::size_t depth, std::string& out) {
  const std::string indent(2 * depth, ' ');
  for (const StepText& step : steps) {
    out += "\n" + comment_lines(step.comment, indent);
    out += fmt::format("{}[[{}]]\n", indent, path);
    if (!step.name.empty()) out += fmt::format("{}name = {}\n", indent, quoted(step.name));
    std::string arguments = step.arguments.empty() ? "{}" : step.arguments;
    const bool repeat = step.control == "repeat";
    if (repeat && !step.until.empty()) {
      arguments.resize(arguments.size() - 1);
      while (arguments.ends_with(' ')) arguments.pop_back();
      arguments += fmt::format("{} until = {} }}", arguments == "{" ? "" : ",", until(step.until));
    }
    out += fmt::format("{}{} = {}\n", indent, step.control, arguments);
    for (const auto& [key, value] : step.keys) out += fmt::format("{}{} = {}\n", indent, key, value);
    if (!repeat && !step.until.empty()) out += fmt::format("{}until = {}\n", indent, until(step.until));
    write_steps(step.steps, path + ".steps", depth + 1, out);
  }
}

std::string valid_name(std::string_view wanted, std::string_view others, std::string_view otherwise) {
  std::string name;
  for (const char c : wanted.substr(0, kLongestName)) {
    const auto byte = static_cast<unsigned char>(c);
    const bool good = (byte < 0x80 && std::isalnum(byte) != 0) || others.find(c) != std::string_view::npos;
    if (good) {
      name += c;
    } else if (!name.empty() && name.back() != '_') {
      name += '_';
    }
  }
  while (name.ends_with('_')) name.pop_back();
  return name.empty() ? std::string(otherwise) : name;
}

}  // namespace

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20 || byte == 0x7F) {
      out += fmt::format("\\u{:04X}", static_cast<unsigned>(byte));
    } else {
      out += c;
    }
  }
  return out + "\"";
}

std::string quantity(double value, std::string_view unit) {
  return unit.empty() ? fmt::format("{}", value) : fmt::format("{} {}", value, unit);
}

InlineTable& InlineTable::text(std::string_view key, std::string_view value) {
  return raw(key, quoted(value));
}

InlineTable& InlineTable::raw(std::string_view key, std::string_view value) {
  body_ += fmt::format("{}{} = {}", body_.empty() ? "" : ", ", key, value);
  return *this;
}

std::string valid_profile_name(std::string_view wanted) {
  return valid_name(wanted, "-_.", "imported");
}

std::string valid_step_name(std::string_view wanted) {
  std::string name = valid_name(wanted, "_", "step");
  if (std::isdigit(static_cast<unsigned char>(name.front())) != 0 || profiles::reserved_word(name)) {
    name = "step_" + name;
  }
  return name.substr(0, kLongestName);
}

std::string to_toml(const ProfileText& profile) {
  std::string out = comment_lines(profile.comment, "");
  out += fmt::format("profile = {}\nschema = 1\n", quoted(valid_profile_name(profile.name)));
  if (!profile.title.empty()) out += fmt::format("title = {}\n", quoted(profile.title));
  const auto table = [&out](const char* name, const std::vector<std::pair<std::string, std::string>>& keys) {
    if (keys.empty()) return;
    out += fmt::format("\n[{}]\n", name);
    for (const auto& [key, value] : keys) out += fmt::format("{} = {}\n", key, value);
  };
  table("parameters", profile.parameters);
  table("cell", profile.cell);
  table("safety", profile.safety);
  table("record", profile.record);
  write_steps(profile.steps, "step", 0, out);
  return out;
}

}  // namespace cyclerd::exchange
