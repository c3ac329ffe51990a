// The unknowns of an equivalent circuit: few, smooth over state of charge, Arrhenius over temperature.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "hil/cells/ecm_set.hpp"
#include "hil/identify/ocv.hpp"

namespace cyclerd::hil {

// Which data tell about an unknown.
enum class Stage : std::uint8_t { pulses, runs, hysteresis };

struct Parameter {
  std::string name;
  Stage stage = Stage::pulses;
  double value = 0.0;  // as fitted: logarithm where `log`
  double low = 0.0, high = 0.0;
  double expected = 0.0;  // drawn to it, `spread` away costs as much as one standard deviation of the data
  double spread = 0.0;
  bool log = true;

  [[nodiscard]] double plain() const;
};

// log y over knots of soc and an activation temperature.
struct ParameterMap {
  std::string name;
  std::vector<double> soc;
  std::size_t first = 0;
  std::size_t activation = 0;
};

struct ExpectedActivation {
  double value_K = 0.0;
  double spread_K = 0.0;
};

class EcmParameters {
 public:
  // `hysteresis`: the OCV tells of a gap, its rate is an unknown.
  EcmParameters(double capacity_C, bool hysteresis);

  [[nodiscard]] std::vector<Parameter>& list() noexcept { return list_; }
  [[nodiscard]] const std::vector<Parameter>& list() const noexcept { return list_; }
  // Without pulses nothing tells the ohmic part from the others: it is drawn to one value for all states of charge.
  void expect_level_series() noexcept { level_series_ = true; }
  // Sets everything but OCV, capacity and heat.
  void apply(EcmSet& set) const;
  // Distance from what is expected and from smoothness, one number each, the same count always.
  void append_prior(std::vector<double>& residuals) const;

 private:
  ParameterMap add_map(const std::string& name, Stage stage, std::vector<double> soc, double expected, double low,
                       double high, ExpectedActivation activation);
  std::size_t add(Parameter parameter);
  [[nodiscard]] StateMap map(const ParameterMap& m) const;

  std::vector<Parameter> list_;
  ParameterMap series_, exchange_, fast_, slow_, diffusion_;
  std::size_t exchange_tau_ = 0, fast_tau_ = 0, slow_tau_ = 0, rate_ = 0;
  bool hysteresis_ = false, level_series_ = false;
};

void apply_ocv(const OcvTable& table, EcmSet& set);

}  // namespace cyclerd::hil
