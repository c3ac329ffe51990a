#include "hil/identify/least_squares.hpp"

#include <Eigen/Cholesky>
#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <limits>

namespace cyclerd::hil {
namespace {

double square_sum(const std::vector<double>& r) {
  double sum = 0.0;
  for (const double x : r) sum += x * x;
  return std::isfinite(sum) ? sum : std::numeric_limits<double>::infinity();
}

struct Normal {
  Eigen::MatrixXd matrix;    // J^T J
  Eigen::VectorXd gradient;  // J^T r
};

Normal normal_equations(const Residuals& residuals, const std::vector<Unknown>& unknowns, std::vector<double> x,
                        const std::vector<double>& r) {
  const auto rows = static_cast<Eigen::Index>(r.size());
  const auto columns = static_cast<Eigen::Index>(x.size());
  Eigen::MatrixXd jacobian(rows, columns);
  std::vector<double> moved(r.size());
  for (std::size_t j = 0; j < x.size(); ++j) {
    const double here = x[j];
    // Away from the nearer bound.
    const double step = here + unknowns[j].step > unknowns[j].high ? -unknowns[j].step : unknowns[j].step;
    x[j] = here + step;
    residuals(x, moved);
    x[j] = here;
    for (std::size_t i = 0; i < r.size(); ++i) {
      jacobian(static_cast<Eigen::Index>(i), static_cast<Eigen::Index>(j)) = (moved[i] - r[i]) / step;
    }
  }
  const Eigen::Map<const Eigen::VectorXd> vector(r.data(), rows);
  return {jacobian.transpose() * jacobian, jacobian.transpose() * vector};
}

// The damped step; unknowns at a bound that would leave it stay where they are.
std::vector<double> stepped(const Normal& normal, const std::vector<Unknown>& unknowns, const std::vector<double>& x,
                            double damping) {
  Eigen::MatrixXd matrix = normal.matrix;
  Eigen::VectorXd right = -normal.gradient;
  for (Eigen::Index j = 0; j < matrix.rows(); ++j) {
    const auto k = static_cast<std::size_t>(j);
    const bool held = (x[k] <= unknowns[k].low && right(j) < 0.0) || (x[k] >= unknowns[k].high && right(j) > 0.0);
    if (held) {
      matrix.row(j).setZero();
      matrix.col(j).setZero();
      matrix(j, j) = 1.0;
      right(j) = 0.0;
      continue;
    }
    matrix(j, j) += damping * std::max(matrix(j, j), 1e-9);
  }
  const Eigen::VectorXd step = matrix.ldlt().solve(right);
  std::vector<double> out = x;
  for (std::size_t k = 0; k < x.size(); ++k) {
    const double s = step(static_cast<Eigen::Index>(k));
    if (std::isfinite(s)) out[k] = std::clamp(x[k] + s, unknowns[k].low, unknowns[k].high);
  }
  return out;
}

}  // namespace

LeastSquaresReport minimise(const Residuals& residuals, std::vector<Unknown>& unknowns,
                            const LeastSquaresOptions& options) {
  std::vector<double> x;
  for (const Unknown& u : unknowns) x.push_back(std::clamp(u.value, u.low, u.high));
  std::vector<double> r;
  residuals(x, r);
  std::vector<double> tried(r.size());
  LeastSquaresReport report;
  report.before = report.after = square_sum(r);
  double damping = 1e-2;
  bool going = !x.empty() && std::isfinite(report.after);
  while (going && report.iterations < options.iterations) {
    ++report.iterations;
    const Normal normal = normal_equations(residuals, unknowns, x, r);
    bool better = false;
    for (int attempt = 0; attempt < 8 && !better; ++attempt) {
      const std::vector<double> next = stepped(normal, unknowns, x, damping);
      residuals(next, tried);
      const double sum = square_sum(tried);
      better = sum < report.after;
      if (!better) {
        damping *= 4.0;
        continue;
      }
      going = report.after - sum > options.tolerance * report.after;
      x = next;
      r = tried;
      report.after = sum;
      damping = std::max(damping / 5.0, 1e-7);
    }
    if (!better) break;
  }
  for (std::size_t k = 0; k < x.size(); ++k) unknowns[k].value = x[k];
  return report;
}

}  // namespace cyclerd::hil
