// Which program wrote a file, by what stands in it.
#pragma once

#include <array>
#include <optional>
#include <string_view>

#include "profiles/exchange/exchange.hpp"

namespace cyclerd::exchange {

struct FormatName {
  Format format;
  const char* name;   // of --format
  const char* title;  // for people
};
inline constexpr std::array<FormatName, 5> kFormats{{{Format::pybamm, "pybamm", "PyBaMM experiment"},
                                                     {Format::unicycler, "unicycler", "aurora-unicycler protocol"},
                                                     {Format::neware, "neware", "Neware step file"},
                                                     {Format::maccor, "maccor", "Maccor test procedure"},
                                                     {Format::arbin, "arbin", "Arbin schedule"}}};

[[nodiscard]] const char* format_name(Format format) noexcept;
[[nodiscard]] std::optional<Format> find_format(std::string_view name) noexcept;

// Any bytes are allowed. nullopt: nothing in the text says what it is.
[[nodiscard]] std::optional<Format> detect_format(std::string_view text);

}  // namespace cyclerd::exchange
