// What a test will take: time, rows, charge and energy, bytes.
#pragma once

#include "protocols/base/time.hpp"

namespace cyclerd::profiles {

// 0: not known.
struct Estimate {
  base::Duration duration;
  double rows = 0.0;
  double charge_C = 0.0;  // A s moved, in and out
  double energy_J = 0.0;  // in and out
};

// What a record of these rows costs: every scan's input is kept besides. Measured on the journal's format 1.
[[nodiscard]] double record_bytes(const Estimate& estimate, base::Duration scan) noexcept;

struct Program;
// Bytes that the record is expected to take; in the worst case where nothing is expected.
[[nodiscard]] double expected_record_bytes(const Program& program) noexcept;

}  // namespace cyclerd::profiles
