// INI-like text with sections, as Arbin writes it.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace cyclerd::exchange {

struct IniSection {
  std::string name;
  std::uint32_t line = 0;
  std::map<std::string, std::string, std::less<>> values;

  // Empty when the key is not there.
  [[nodiscard]] std::string_view at(std::string_view key) const;
};

// Lines before the first section, and lines without '=', are passed over: comments of people who knew no format.
[[nodiscard]] std::vector<IniSection> read_ini(std::string_view text);

}  // namespace cyclerd::exchange
