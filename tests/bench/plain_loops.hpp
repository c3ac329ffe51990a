// The equations of each kind of cell model as a student would write them: numbers in arrays, one function a step, no
// interface, no bounds, nothing to snapshot. Yardsticks, not models: sizes are the shipped models', numbers are round.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>

namespace cyclerd::bench {

// Open-circuit voltage on an even grid.
template <std::size_t N>
struct PlainTable {
  std::array<double, N> y{};
  [[nodiscard]] double at(double x) const {
    const double p = std::clamp(x, 0.0, 1.0) * static_cast<double>(N - 1);
    const auto i = std::min(static_cast<std::size_t>(p), N - 2);
    return y[i] + (p - static_cast<double>(i)) * (y[i + 1] - y[i]);
  }
};
template <std::size_t N, class F>
PlainTable<N> tabulated(F&& f) {
  PlainTable<N> t;
  for (std::size_t i = 0; i < N; ++i) t.y[i] = f(static_cast<double>(i) / static_cast<double>(N - 1));
  return t;
}

// V = U + R I.
class PlainSource {
 public:
  explicit PlainSource(double /*dt_s*/) {}
  double step(double current_A) { return 3.7 + 0.05 * current_A; }
};

// Series resistor and three RC branches with tables over state of charge and temperature, entropy, two thermal nodes;
// exponentials of the step are worked out once.
class PlainEcm {
 public:
  explicit PlainEcm(double dt_s) : dt_s_(dt_s) {
    ocv_ = tabulated<101>([](double z) { return 3.0 + 1.2 * z + 0.1 * std::sin(9.0 * z); });
    for (std::size_t j = 0; j < 4; ++j) {
      for (std::size_t t = 0; t < 4; ++t) {
        for (std::size_t i = 0; i < 11; ++i) {
          map_[j][t][i] = 0.02 / static_cast<double>(1 + j + t) * (1.0 + 0.03 * static_cast<double>(i));
        }
      }
    }
    const double tau_s[3] = {1.0, 30.0, 600.0};
    for (std::size_t j = 0; j < 3; ++j) decay_[j] = std::exp(-dt_s / tau_s[j]);
    core_decay_ = std::exp(-dt_s / 60.0);
    surface_decay_ = std::exp(-dt_s / 700.0);
  }
  double step(double current_A) {
    z_ += current_A * dt_s_ / 17820.0;
    const double zp = std::clamp(z_, 0.0, 1.0) * 10.0;
    const auto zi = std::min(static_cast<std::size_t>(zp), std::size_t{9});
    const double zf = zp - static_cast<double>(zi);
    const double tp = std::clamp(core_ / 15.0, 0.0, 3.0);
    const auto ti = std::min(static_cast<std::size_t>(tp), std::size_t{2});
    const double tf = tp - static_cast<double>(ti);
    std::array<double, 4> ohm;
    for (std::size_t j = 0; j < 4; ++j) {
      const auto& m = map_[j];
      const double a = m[ti][zi] + zf * (m[ti][zi + 1] - m[ti][zi]);
      const double b = m[ti + 1][zi] + zf * (m[ti + 1][zi + 1] - m[ti + 1][zi]);
      ohm[j] = a + tf * (b - a);
    }
    double over_V = 0.0;
    for (std::size_t j = 0; j < 3; ++j) {
      v_[j] = decay_[j] * v_[j] + (1.0 - decay_[j]) * ohm[j + 1] * current_A;
      over_V += v_[j];
    }
    const double heat_W = current_A * (over_V + ohm[0] * current_A + 1e-4 * (core_ + 273.15));
    const double surface_rest = 25.0 + heat_W / 0.3;
    const double core_rest = surface_ + heat_W / 1.5;
    surface_ = surface_rest + (surface_ - surface_rest) * surface_decay_;
    core_ = core_rest + (core_ - core_rest) * core_decay_;
    return ocv_.at(z_) + 1e-4 * (core_ - 25.0) + over_V + ohm[0] * current_A;
  }

 private:
  double dt_s_;
  PlainTable<101> ocv_;
  double map_[4][4][11]{};
  std::array<double, 3> decay_{}, v_{};
  double core_decay_ = 0.0, surface_decay_ = 0.0;
  double z_ = 0.5, core_ = 25.0, surface_ = 25.0;
};

// What both single-particle loops share: potentials of the electrodes and kinetics at their surfaces.
struct PlainElectrodes {
  PlainTable<201> negative_V =
      tabulated<201>([](double x) { return 0.1 + 0.6 * std::exp(-25.0 * x) - 0.02 * std::tanh(10.0 * (x - 0.5)); });
  PlainTable<201> positive_V =
      tabulated<201>([](double x) { return 4.4 - 0.9 * x - 0.1 * std::tanh(12.0 * (x - 0.6)); });

  [[nodiscard]] double voltage_V(double xn, double xp, double current_A, double kelvin) const {
    const double two_RT_F = 2.0 * 8.314462618 * kelvin / 96485.33212;
    const double i0n = 3.0 * std::sqrt(std::clamp(xn * (1.0 - xn), 1e-9, 1.0));
    const double i0p = 5.0 * std::sqrt(std::clamp(xp * (1.0 - xp), 1e-9, 1.0));
    return positive_V.at(xp) - negative_V.at(xn) + two_RT_F * std::asinh(0.5 * current_A / i0p) +
           two_RT_F * std::asinh(0.5 * current_A / i0n) + 0.01 * current_A;
  }
};

// Single particles by 20 modes each, lumped heat.
class PlainSpm {
 public:
  explicit PlainSpm(double dt_s) : dt_s_(dt_s) {
    for (std::size_t k = 0; k < kModes; ++k) {
      const double root = 4.4934 + 3.1416 * static_cast<double>(k);
      for (std::size_t s = 0; s < 2; ++s) {
        decay_[s][k] = std::exp(-root * root * 5e-4 * dt_s);
        gain_[s][k] = (1.0 - decay_[s][k]) * 0.02 / (root * root);
      }
    }
  }
  double step(double current_A) {
    double x[2];
    for (std::size_t s = 0; s < 2; ++s) {
      const double flux = s == 0 ? current_A : -current_A;
      mean_[s] += flux * dt_s_ / 20000.0;
      double surface = mean_[s];
      for (std::size_t k = 0; k < kModes; ++k) {
        mode_[s][k] = decay_[s][k] * mode_[s][k] + gain_[s][k] * flux;
        surface += mode_[s][k];
      }
      x[s] = surface;
    }
    const double v = electrodes_.voltage_V(x[0], x[1], current_A, celsius_ + 273.15);
    celsius_ += dt_s_ / 70.0 * (0.02 * current_A * current_A - 0.3 * (celsius_ - 25.0));
    return v;
  }

 private:
  static constexpr std::size_t kModes = 20;
  double dt_s_;
  PlainElectrodes electrodes_;
  std::array<std::array<double, kModes>, 2> decay_{}, gain_{}, mode_{};
  std::array<double, 2> mean_{0.5, 0.5};
  double celsius_ = 25.0;
};

// a x[i-1] + b x[i] + c x[i+1] = d, d becomes x.
template <std::size_t N>
void solve_tridiagonal(const std::array<double, N>& a, const std::array<double, N>& b, std::array<double, N> c,
                       std::array<double, N>& d) {
  c[0] /= b[0];
  d[0] /= b[0];
  for (std::size_t i = 1; i < N; ++i) {
    const double m = 1.0 / (b[i] - a[i] * c[i - 1]);
    c[i] *= m;
    d[i] = (d[i] - a[i] * d[i - 1]) * m;
  }
  for (std::size_t i = N - 1; i-- > 0;) d[i] -= c[i] * d[i + 1];
}

// Single particles with electrolyte: 20 shells each and 30 cells of salt, implicit Euler with a coefficient that
// depends on the concentration at every face.
class PlainSpme {
 public:
  explicit PlainSpme(double dt_s) : dt_s_(dt_s) {
    for (auto& shells : x_) shells.fill(0.5);
    salt_.fill(1000.0);
  }
  double step(double current_A) {
    for (std::size_t s = 0; s < 2; ++s) advance_particle(x_[s], s == 0 ? current_A : -current_A);
    advance_salt(current_A);
    const double kelvin = celsius_ + 273.15;
    double ohm = 0.0;
    for (double c : salt_) {
      const double m = 1e-3 * c;
      ohm += 4e-4 / (0.1297 * m * m * m - 2.51 * std::sqrt(m * m * m) + 3.329 * m);
    }
    const double salt_V = 2.0 * 8.314462618 * kelvin / 96485.33212 * 0.74 * std::log(salt_.back() / salt_.front());
    const double v = electrodes_.voltage_V(x_[0].back(), x_[1].back(), current_A, kelvin) + ohm * current_A + salt_V;
    celsius_ += dt_s_ / 70.0 * (0.02 * current_A * current_A - 0.3 * (celsius_ - 25.0));
    return v;
  }

 private:
  static constexpr std::size_t kShells = 20, kCells = 30;

  void advance_particle(std::array<double, kShells>& x, double flux) const {
    std::array<double, kShells> a{}, b{}, c{};
    for (std::size_t i = 0; i < kShells; ++i) b[i] = 1.0;
    for (std::size_t i = 0; i + 1 < kShells; ++i) {
      const double r = static_cast<double>(i + 1);
      const double d = 0.002 * (1.0 + 0.5 * (x[i] + x[i + 1])) * r * r * dt_s_;
      const double inner = (r * r * r - (r - 1.0) * (r - 1.0) * (r - 1.0)) / 3.0;
      const double outer = ((r + 1.0) * (r + 1.0) * (r + 1.0) - r * r * r) / 3.0;
      c[i] = -d / inner;
      b[i] += d / inner;
      a[i + 1] = -d / outer;
      b[i + 1] += d / outer;
    }
    x.back() += flux * dt_s_ / 3000.0;
    solve_tridiagonal(a, b, c, x);
  }
  void advance_salt(double current_A) {
    std::array<double, kCells> a{}, b{}, c{};
    for (std::size_t i = 0; i < kCells; ++i) b[i] = 1.0;
    for (std::size_t i = 0; i + 1 < kCells; ++i) {
      const double m = 5e-4 * (salt_[i] + salt_[i + 1]);
      const double d = (0.1 - 0.03 * m + 0.005 * m * m) * dt_s_;
      c[i] = -d;
      b[i] += d;
      a[i + 1] = -d;
      b[i + 1] += d;
    }
    for (std::size_t i = 0; i < kCells; ++i) salt_[i] += (i < 12 ? 0.2 : i < 18 ? 0.0 : -0.2) * current_A * dt_s_;
    solve_tridiagonal(a, b, c, salt_);
  }

  double dt_s_;
  PlainElectrodes electrodes_;
  std::array<std::array<double, kShells>, 2> x_{};
  std::array<double, kCells> salt_{};
  double celsius_ = 25.0;
};

// Lithium-sulfur without space: five masses, two reactions sharing the current (Newton for the voltage), shuttle, and
// precipitation taken implicitly because it is a hundred times faster than a step. Ten inner steps a second.
class PlainLithiumSulfur {
 public:
  explicit PlainLithiumSulfur(double dt_s) : dt_s_(dt_s) {}
  double step(double current_A) {
    const int inner = std::max(1, static_cast<int>(std::lround(10.0 * dt_s_)));
    for (int i = 0; i < inner; ++i) advance(-current_A, dt_s_ / inner);
    return voltage_V_;
  }

 private:
  void advance(double discharge_A, double h_s) {
    constexpr double kB = 4.0 * 96485.33212 / (2.0 * 8.314462618 * 298.0);
    constexpr double kThermal_V = 8.314462618 * 298.0 / (4.0 * 96485.33212);
    const double high_V = 2.35 + kThermal_V * std::log(s8_ / (s4_ * s4_));
    const double low_V = 2.195 + kThermal_V * std::log(s4_ / (s_ * s_ * s2_));
    double high_A = 0.0;
    for (int round = 0; round < 8; ++round) {
      const double x = kB * (voltage_V_ - high_V), y = kB * (voltage_V_ - low_V);
      high_A = -2.0 * 9.6 * std::sinh(x);
      const double error = high_A - 2.0 * 4.8 * std::sinh(y) - discharge_A;
      const double slope = -kB * (2.0 * 9.6 * std::cosh(x) + 2.0 * 4.8 * std::cosh(y));
      const double change = error / slope;
      voltage_V_ -= std::clamp(change, -0.02, 0.02);
      if (std::abs(change) < 1e-9) break;
    }
    const double low_A = discharge_A - high_A;
    constexpr double kPerCharge = 32.065 / 96485.33212;  // g for each A s, one electron an atom
    const double shuttle = 2e-4 * s8_;
    s8_ = std::max(1e-9, s8_ + h_s * (-2.0 * kPerCharge * high_A - shuttle));
    s4_ = std::max(1e-9, s4_ + h_s * (2.0 * kPerCharge * high_A + shuttle - kPerCharge * low_A));
    s2_ = std::max(1e-9, s2_ + h_s * 0.5 * kPerCharge * low_A);
    const double rate = 100.0 / (2000.0 * 0.0114) * solid_ * h_s;
    const double before = std::max(1e-9, s_ + h_s * 0.5 * kPerCharge * low_A);
    s_ = (before + rate * 1e-4) / (1.0 + rate);
    solid_ = std::max(1e-9, solid_ + before - s_);
  }

  double dt_s_;
  double s8_ = 1.3, s4_ = 0.7, s2_ = 0.02, s_ = 0.001, solid_ = 0.7;
  double voltage_V_ = 2.3;
};

}  // namespace cyclerd::bench
