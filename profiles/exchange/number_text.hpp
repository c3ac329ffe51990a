// C-rates as people write them.
#pragma once

#include <string>

namespace cyclerd::exchange {

// "0.5 C"; "C/3" where the decimal number would not end.
[[nodiscard]] std::string rate_text(double rate);

}  // namespace cyclerd::exchange
