// Headers and parameters of SCPI messages as an instrument reads them: short and long forms, optional nodes, numeric
// suffixes, channel lists.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cyclerd::hil {

// "CURRent" is CURR or CURRENT, in any case, and nothing between.
[[nodiscard]] bool is_mnemonic(std::string_view pattern, std::string_view word) noexcept;

// "[SOURce#]:VOLTage[:LEVel][:IMMediate]?": nodes in brackets may be left out, # takes a suffix (1 where none is
// given).
class ScpiPattern {
 public:
  explicit ScpiPattern(std::string_view pattern);
  // The suffixes of the nodes marked #, in order; none where the header is another one.
  [[nodiscard]] std::optional<std::vector<int>> match(std::string_view header) const;

 private:
  struct Node {
    std::string name;
    bool optional = false, suffix = false;
  };
  std::vector<Node> nodes_;
  bool query_ = false;
};

// Pieces between separators that stand in no quotes and no parentheses, trimmed.
[[nodiscard]] std::vector<std::string> split_outside(std::string_view text, char separator);

struct ScpiUnit {
  std::string header;                   // absolute, without the leading colon
  std::vector<std::string> parameters;  // without the channel list
  std::vector<int> channels;            // of (@1,3:5)
  bool bad_channels = false;
};
// The units of a message; a header without a colon goes on at the level of the one before.
[[nodiscard]] std::vector<ScpiUnit> read_message(std::string_view message);

}  // namespace cyclerd::hil
