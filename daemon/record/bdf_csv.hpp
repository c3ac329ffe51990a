// Rows as lines of BDF CSV. Numbers are the shortest decimals that read back to the same bits.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "daemon/record/amendments.hpp"
#include "daemon/record/table.hpp"

namespace cyclerd::record {

class BdfCsv {
 public:
  // `step_types`: for the column Step Type.
  explicit BdfCsv(StepTypes step_types) : step_types_(std::move(step_types)) {}

  // Rows in order, from the first.
  void append(std::span<const TableRow> rows, std::string& out);

  [[nodiscard]] static std::string header();
  struct Description {
    std::string name, quantity, unit;
  };
  [[nodiscard]] static std::vector<Description> describe();

 private:
  StepTypes step_types_;
  std::uint32_t step_count_ = 0;
  std::int64_t step_record_index_ = 0;
};

}  // namespace cyclerd::record
