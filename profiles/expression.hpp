// Expressions with units: text to typed tree, tree to constant, canonical text or bytecode.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "profiles/syntax.hpp"
#include "protocols/text/toml.hpp"

namespace cyclerd::profiles {

struct CellSpec;

// --- lexer ---
struct Token {
  enum class Kind : std::uint8_t { number, name, symbol, end };
  Kind kind = Kind::end;
  std::string_view text;  // of a number: with its unit
  double value = 0.0;     // number, SI, rounded to 15 digits so that the spelling of the unit leaves no trace
  text::Unit unit;
  bool has_unit = false;
  bool absolute = false;  // the unit was degC
  std::uint32_t offset = 0;
  std::uint32_t length = 0;
};

// Reports into `diagnostics` through `where` (the whole expression). nullopt after a finding.
[[nodiscard]] std::optional<std::vector<Token>> tokenize(std::string_view text, const text::Span& where,
                                                         text::Diagnostics& diagnostics);

// The stretch [offset, offset + length) of an expression, as a place in its file.
[[nodiscard]] text::Span part_of(const text::Span& where, std::string_view text, std::size_t offset,
                                 std::size_t length);

// Keeps 15 significant digits: 35 mA and 0.035 A become the same number.
[[nodiscard]] double round_constant(double value) noexcept;

// --- parser and types ---
struct Scope {
  const Names* names = nullptr;  // nullptr: ratings and live quantities only, as in [parameters]
};

// A TOML string or number as a typed tree. !ok() after a finding.
[[nodiscard]] Expression parse_expression(const text::TomlNode& node, const Scope& scope,
                                          text::Diagnostics& diagnostics);

// The live quantities by name, in the order of `Live`.
struct LiveName {
  const char* name;
  Live live;
  Type type;
};
[[nodiscard]] const std::vector<LiveName>& live_names();

// The ratings of the launch's cell, `cell.NAME`: constants of a launch, unknown in a check without a cell.
struct RatingName {
  const char* name;
  Type type;
  double CellSpec::*value;
};
[[nodiscard]] const std::vector<RatingName>& rating_names();

// What a step, block or mark leaves behind, by name.
struct ResultName {
  const char* name;
  ResultOf quantity;
  Type type;
  bool of_block;  // blocks and marks have it too
};
[[nodiscard]] const std::vector<ResultName>& result_names();

namespace type {
inline constexpr Type kNumber{text::dimension::kNone, false, false};
inline constexpr Type kBoolean{text::dimension::kNone, true, false};
inline constexpr Type kVoltage{text::dimension::kVoltage, false, false};
inline constexpr Type kCurrent{text::dimension::kCurrent, false, false};
inline constexpr Type kPower{text::dimension::kPower, false, false};
inline constexpr Type kResistance{text::dimension::kResistance, false, false};
inline constexpr Type kTime{text::dimension::kTime, false, false};
inline constexpr Type kTemperature{text::dimension::kTemperature, false, true};
inline constexpr Type kTemperatureDifference{text::dimension::kTemperature, false, false};
inline constexpr Type kTemperatureRate{text::dimension::kTemperatureRate, false, false};
inline constexpr Type kCapacity{text::dimension::kCapacity, false, false};
inline constexpr Type kEnergy{text::dimension::kEnergy, false, false};
}  // namespace type

// "voltage", "temperature", "temperature difference", "yes-or-no condition", "plain number" ...
[[nodiscard]] std::string type_name(const Type& type);

// True when the expression is what the key wants; otherwise reports. `what` names the key: "voltage of charge".
[[nodiscard]] bool expect_type(const Expression& expression, const Type& want, std::string_view what,
                               text::Diagnostics& diagnostics);

// --- constants, text, code ---
// Numbers for names that live in the executor's state: one table for a whole program. Names are full: "check_up.n".
class References {
 public:
  struct Result {
    std::string step;
    ResultOf quantity;
    ResultPick pick;
    std::uint32_t nth;
    bool operator<(const Result& o) const {
      return std::tie(step, quantity, pick, nth) < std::tie(o.step, o.quantity, o.pick, o.nth);
    }
  };
  [[nodiscard]] std::uint32_t variable(const std::string& name) { return number(variables_, name); }
  [[nodiscard]] std::uint32_t mark(const std::string& name) { return number(marks_, name); }
  [[nodiscard]] std::uint32_t result(const Result& result) { return number(results_, result); }
  // Windows are numbered in each step: take_windows() begins a new one.
  struct LookBack {
    Live quantity;
    double length_s;
  };
  [[nodiscard]] std::uint32_t window(Live quantity, double length_s);
  [[nodiscard]] std::vector<LookBack> take_windows() { return std::exchange(windows_, {}); }
  [[nodiscard]] const std::map<std::string, std::uint32_t>& variables() const noexcept { return variables_; }
  [[nodiscard]] const std::map<std::string, std::uint32_t>& marks() const noexcept { return marks_; }
  [[nodiscard]] const std::map<Result, std::uint32_t>& results() const noexcept { return results_; }

 private:
  template <class Key>
  static std::uint32_t number(std::map<Key, std::uint32_t>& table, const Key& key) {
    return table.emplace(key, static_cast<std::uint32_t>(table.size())).first->second;
  }
  std::map<std::string, std::uint32_t> variables_, marks_;
  std::map<Result, std::uint32_t> results_;
  std::vector<LookBack> windows_;
};

// What a launch makes of names. NaN: not known (an editor's check).
struct ParameterValues {
  std::map<std::string, double> known;        // SI; C-rates of the nominal capacity
  std::map<std::string, std::uint32_t> late;  // given a value when a call is reached: its variable
};
struct Binding {
  std::shared_ptr<ParameterValues> parameters = std::make_shared<ParameterValues>();
  double nominal_capacity_C = base::kAbsent;
  const CellSpec* cell = nullptr;    // of the launch; nullptr: its ratings are not known
  bool measured = false;             // C is of the measured capacity
  std::string prefix;                // of the names inside a call: "check_up."
  References* references = nullptr;  // where names of variables, marks and results get their numbers
};

// The value when it depends on nothing that is measured.
[[nodiscard]] std::optional<double> constant_value(const Expression& expression, const Binding& binding);
[[nodiscard]] std::optional<double> constant_value(const Expression& expression, int node, const Binding& binding);

// Of every node. Asked one by one, a long chain would be walked again for each of its parts.
[[nodiscard]] std::vector<std::optional<double>> constant_values(const Expression& expression, const Binding& binding);

// False when the expression depends on something measured, whether or not a launch is known.
[[nodiscard]] bool is_constant(const Expression& expression);
[[nodiscard]] bool looks_back(const Expression& expression) noexcept;  // has rate() or avg()
[[nodiscard]] bool mentions(const Expression& expression, Live live) noexcept;

// One spelling for all: base units, fixed spaces, as few parentheses as needed. Itself an expression.
[[nodiscard]] std::string canonical_text(const Expression& expression);
[[nodiscard]] std::string canonical_constant(double value, const Type& type, bool c_rate);

// Appends bytecode to `code`, constants folded. What is not known folds to 0 (only in checks without a launch).
[[nodiscard]] ExpressionRef emit(const Expression& expression, const Binding& binding, std::vector<Instruction>& code);
[[nodiscard]] int stack_need(const Expression& expression);

inline constexpr std::size_t kMaxNodes = 1000;

}  // namespace cyclerd::profiles
