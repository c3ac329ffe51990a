// Reads TOML texts from stdin, each behind its length on a line of its own, and writes what became of each as a line of
// JSON: {"value": ...}, or {"code": "T006"}. For toml_against_tomllib.py.
#include <cstdio>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>

#include "protocols/text/toml.hpp"

namespace {

using cyclerd::text::TomlNode;
using Json = nlohmann::json;

// Integers and floats are told apart; everything is exact.
Json value_of(const TomlNode& node) {
  char digits[40];
  switch (node.kind) {
    case TomlNode::Kind::string: return node.string;
    case TomlNode::Kind::boolean: return node.boolean;
    case TomlNode::Kind::integer: return {{"integer", std::to_string(node.integer)}};
    case TomlNode::Kind::floating:
      std::snprintf(digits, sizeof digits, "%a", node.floating);
      return {{"float", digits}};
    case TomlNode::Kind::array: {
      Json list = Json::array();
      for (const TomlNode& item : node.items) list.push_back(value_of(item));
      return list;
    }
    case TomlNode::Kind::table: {
      Json members = Json::object();
      for (const auto& [key, member] : node.members) members[key] = value_of(member);
      return {{"table", std::move(members)}};
    }
  }
  return nullptr;
}

}  // namespace

int main() {
  std::string length;
  while (std::getline(std::cin, length)) {
    std::string text(std::stoul(length), '\0');
    if (!std::cin.read(text.data(), static_cast<std::streamsize>(text.size()))) return 1;
    cyclerd::text::Diagnostics findings;
    const auto source = std::make_shared<const cyclerd::text::Source>(cyclerd::text::Source{"text", std::move(text)});
    const auto root = cyclerd::text::parse_toml(source, findings);
    const Json line = root ? Json{{"value", value_of(*root)}}
                           : Json{{"code", findings.all().empty() ? "none" : findings.all().front().code}};
    std::cout << line.dump(-1, ' ', true, Json::error_handler_t::strict) << '\n' << std::flush;
  }
  return 0;
}
