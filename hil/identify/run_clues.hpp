// What a measurement's numbers and its file's name tell beyond its header.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "hil/identify/measured_run.hpp"

namespace cyclerd::hil {

// A cell's voltage rises with the charge current, at once in a jump and slowly while it goes on. `from`: what told it.
[[nodiscard]] CurrentSign sign_of_data(const MeasuredFile& file, std::string& from);

// 25 out of T25_0p5C, P25_s1, run_25degC, -5 out of N05; not out of a larger number.
[[nodiscard]] std::optional<double> ambient_in_name(std::string_view name);

// A row logged across a step has the current of one side and the voltage of the other: it shall not count.
void mark_rows_across_steps(MeasuredRun& run);

}  // namespace cyclerd::hil
