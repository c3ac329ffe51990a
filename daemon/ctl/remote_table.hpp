// Points of a remote cycler as CSV under the column names of the Battery Data Format. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "protocols/remote/remote_cycler.hpp"

namespace cyclerd::ctl {

// The server tells time and charge within a step; time since the beginning is their sum over steps. It begins with the
// step of the first row, and so do the counts of steps.
class RemoteTable {
 public:
  // Rows in rising order. The header comes with the first; columns of its own that the server adds later are left out.
  void append(std::span<const remote::DataPoint> points, std::string& out);

  [[nodiscard]] std::int64_t rows() const noexcept { return rows_; }
  [[nodiscard]] std::int64_t first() const noexcept { return first_; }
  [[nodiscard]] std::int64_t last() const noexcept { return last_; }
  // Numbers that the server skipped.
  [[nodiscard]] std::int64_t missing() const noexcept { return rows_ == 0 ? 0 : last_ - first_ + 1 - rows_; }
  [[nodiscard]] bool left_columns_out() const noexcept { return left_out_; }

 private:
  void header(const remote::DataPoint& point, std::string& out);
  void row(const remote::DataPoint& point, std::string& out);

  std::vector<std::string> others_;
  std::optional<std::int64_t> cycle_, step_;
  double step_began_s_ = 0.0;  // in time of the table
  double step_time_s_ = 0.0;
  std::int64_t step_count_ = 0;
  std::int64_t rows_ = 0, first_ = 0, last_ = 0;
  bool left_out_ = false;
};

}  // namespace cyclerd::ctl
