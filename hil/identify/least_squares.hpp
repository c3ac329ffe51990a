// Nonlinear least squares with bounds: Levenberg and Marquardt's method, derivatives by differences.
#pragma once

#include <cstddef>
#include <functional>
#include <vector>

namespace cyclerd::hil {

struct Unknown {
  double value = 0.0;
  double low = -1e9;
  double high = 1e9;
  double step = 1e-3;  // of the difference quotient
};

struct LeastSquaresOptions {
  int iterations = 30;
  double tolerance = 1e-4;  // stops when the sum of squares falls by less than this share
};

struct LeastSquaresReport {
  double before = 0.0;  // sum of squares
  double after = 0.0;
  int iterations = 0;
};

// Always writes the same number of finite residuals.
using Residuals = std::function<void(const std::vector<double>& x, std::vector<double>& residuals)>;

LeastSquaresReport minimise(const Residuals& residuals, std::vector<Unknown>& unknowns,
                            const LeastSquaresOptions& options = {});

}  // namespace cyclerd::hil
