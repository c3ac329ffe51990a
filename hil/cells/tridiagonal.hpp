// Symmetric tridiagonal systems, as diffusion makes them, eliminated from both ends at once: two independent chains of
// divisions run side by side.
#pragma once

#include <array>
#include <cstddef>

namespace cyclerd::hil {

// Row i: diagonal[i] x[i] - off[i-1] x[i-1] - off[i] x[i+1] = x_in[i]. Takes the right side in x and leaves the
// solution there; changes diagonal. n >= 2 rows, diagonally dominant.
template <std::size_t N>
inline void solve_tridiagonal(std::size_t n, std::array<double, N>& diagonal, const std::array<double, N>& off,
                              std::array<double, N>& x) noexcept {
  const std::size_t middle = n / 2;
  std::size_t right = n - 1;
  for (std::size_t left = 0; left < middle; ++left) {
    diagonal[left] = 1.0 / diagonal[left];
    const double l = off[left] * diagonal[left];
    diagonal[left + 1] -= off[left] * l;
    x[left + 1] += l * x[left];
    if (right > middle) {
      diagonal[right] = 1.0 / diagonal[right];
      const double r = off[right - 1] * diagonal[right];
      diagonal[right - 1] -= off[right - 1] * r;
      x[right - 1] += r * x[right];
      --right;
    }
  }
  x[middle] /= diagonal[middle];
  right = middle + 1;
  for (std::size_t left = middle; left-- > 0;) {
    x[left] = (x[left] + off[left] * x[left + 1]) * diagonal[left];
    if (right < n) {
      x[right] = (x[right] + off[right - 1] * x[right - 1]) * diagonal[right];
      ++right;
    }
  }
}

}  // namespace cyclerd::hil
