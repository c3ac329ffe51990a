// The part of Python that people paste an experiment in: literals, lists, tuples, calls with keywords, `*` and `+`,
// names given a value before. Nothing is run.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "protocols/text/diagnostics.hpp"

namespace cyclerd::exchange {

struct PyValue;
using PyRef = std::shared_ptr<const PyValue>;

// One element of a list or tuple, or elements that `* count` repeats. Repeats are kept as counts, never written out.
struct PyItem {
  PyRef value;
  std::vector<PyItem> group;
  std::int64_t count = 1;
};

struct PyValue {
  enum class Kind : std::uint8_t { none, boolean, number, text, list, tuple, call };
  Kind kind = Kind::none;
  bool boolean = false;
  double number = 0.0;
  bool whole = false;  // the number was written without point and exponent
  std::string text;    // text; call: its name, "pybamm.step.rest"
  std::vector<PyItem> items;
  std::vector<std::pair<std::string, PyRef>> keywords;  // call; its other arguments are `items`
  std::size_t offset = 0;                               // bytes, in the source
  std::size_t length = 1;
  std::size_t text_offset = 0;  // text: where its first letter stands
  bool exact = false;           // text: it stands there letter by letter
  int nested = 0;               // levels of lists, calls and repeats inside

  [[nodiscard]] bool is(Kind wanted) const noexcept { return kind == wanted; }
  [[nodiscard]] std::string_view last_name() const noexcept;  // call: "rest"
  [[nodiscard]] PyRef keyword(std::string_view name) const noexcept;
};

inline constexpr int kMaxPythonDepth = 64;

// Looks for the one call whose name ends in `wanted`; without any, for the one list that is written or assigned, or for
// lines of bare strings and tuples (which become a list). Findings, and nullptr, when there is none or several, or when
// something on the way to it can only be known by running the code.
[[nodiscard]] PyRef read_python_value(const text::SourcePtr& source, std::string_view wanted,
                                      text::Diagnostics& diagnostics);

}  // namespace cyclerd::exchange
