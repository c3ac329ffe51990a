// Values and conditions of Neware step files.
#pragma once

#include <initializer_list>
#include <map>
#include <optional>
#include <string>

#include "profiles/exchange/flow_blocks.hpp"
#include "profiles/exchange/xml_text.hpp"

namespace cyclerd::exchange {

class NewareValues {
 public:
  static constexpr double kPerVolt = 1e4;
  static constexpr double kPerSecond = 1e3;

  NewareValues(Import& import, const XmlText& xml) : import_(import), xml_(xml) {}

  // Head_Info/Scale: currents are in mA times this.
  void set_scale(double scale) { scale_ = scale; }
  [[nodiscard]] double per_ampere() const { return 1e3 * scale_; }
  [[nodiscard]] double per_ampere_hour() const { return 3600.0 * 1e3 * scale_; }

  // A child's Value; nothing when it is missing, empty or switched off. Not a number: a finding.
  [[nodiscard]] std::optional<double> value(const pugi::xml_node& parent, const char* key, const std::string& where);
  // In SI; zero means "not set" in these files.
  [[nodiscard]] std::optional<double> nonzero(const pugi::xml_node& parent, const char* key, const std::string& where,
                                              double per_unit);
  // In SI, zero included.
  [[nodiscard]] std::optional<double> scaled(const pugi::xml_node& parent, const char* key, const std::string& where,
                                             double per_unit);

  [[nodiscard]] static bool says_nothing(const pugi::xml_node& node);
  // No attribute in it is a number but zero.
  [[nodiscard]] static bool all_zero(const pugi::xml_node& node);
  // What may bound the cell and is not understood is an error, unless it is zero or switched off.
  void unknown_keys(const pugi::xml_node& parent, std::initializer_list<const char*> known, const std::string& where);

 private:
  Import& import_;
  const XmlText& xml_;
  double scale_ = 1.0;
};

// A user variable of the file: the step that gives it a value when it ends, and what of it.
struct NewareVariable {
  static constexpr std::size_t kTwice = static_cast<std::size_t>(-1);  // by more than one step
  NewareVariable(std::size_t by, int of) : step(by), quantity(of) {}
  std::size_t step;
  int quantity;
};

// Limit/Other: conditions with a jump each.
class NewareConditions {
 public:
  static constexpr int kExpressionType = 22;
  static constexpr int kSetType = 23;

  NewareConditions(Import& import, const XmlText& xml, NewareValues& values,
                   const std::map<std::int64_t, std::size_t>& index, const std::map<int, NewareVariable>& variables)
      : import_(import), xml_(xml), values_(values), index_(index), variables_(variables) {}

  void read(const pugi::xml_node& other, FlowStep& step);
  [[nodiscard]] static std::string step_name(std::size_t step);

 private:
  void condition(const pugi::xml_node& node, FlowStep& step);
  [[nodiscard]] bool when(const pugi::xml_node& node, const char* compare, FlowEnd& end);
  [[nodiscard]] bool expression(const pugi::xml_node& node, const char* compare, FlowEnd& end);
  [[nodiscard]] bool jump_to(std::int64_t jump, FlowEnd& end);

  Import& import_;
  const XmlText& xml_;
  NewareValues& values_;
  const std::map<std::int64_t, std::size_t>& index_;
  const std::map<int, NewareVariable>& variables_;
};

}  // namespace cyclerd::exchange
