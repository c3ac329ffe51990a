// Fields of a protocol of aurora-unicycler: numbers may be texts, an empty text is no value, unknown names are refused.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "profiles/exchange/json_text.hpp"

namespace cyclerd::exchange {

class UnicyclerFields {
 public:
  UnicyclerFields(text::SourcePtr source, text::Diagnostics& diagnostics)
      : source_(std::move(source)), diagnostics_(diagnostics) {}

  [[nodiscard]] bool failed() const noexcept { return failed_; }
  void error(const char* code, const JsonValue& at, std::string message, std::string help = {});
  void missing(const JsonValue& object, std::string_view key, const std::string& why);

  // False when it is no object or has a name that is not among `keys`.
  bool object(const JsonValue& value, const std::string& what, const std::vector<std::string>& keys);
  [[nodiscard]] std::optional<std::string> text(const JsonValue& object, std::string_view key);
  // A finite number; nullopt when the key is absent, null or an empty text, and after a finding.
  [[nodiscard]] std::optional<double> number(const JsonValue& object, std::string_view key);
  // A number as well, or "C/5", "D/2" (discharge), "3C/10", "1/20".
  [[nodiscard]] std::optional<double> rate(const JsonValue& object, std::string_view key);
  // Reports when it is not.
  bool above_zero(const JsonValue& object, std::string_view key, double value);

 private:
  text::SourcePtr source_;
  text::Diagnostics& diagnostics_;
  bool failed_ = false;
  std::size_t errors_ = 0;
};

}  // namespace cyclerd::exchange
