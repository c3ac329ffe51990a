// Which scans become rows of the record: the profile's record rules, and the rows from before a step change or fault.
#pragma once

#include <cstdint>
#include <memory>

#include "profiles/executor.hpp"
#include "profiles/program.hpp"
#include "profiles/record.hpp"
#include "protocols/base/rt.hpp"

namespace cyclerd::profiles {

// Owned by one channel's cycle. All memory is taken at construction (pretrigger length / scan period rows).
class RowSelector {
 public:
  explicit RowSelector(const Program& program);

  // Looks at the scan's output. Calls keep(Row) for every row to be written, oldest first, numbered from 1.
  template <class Keep>
  void select(const Output& output, bool fault, Keep&& keep) noexcept;

 private:
  // The executor's helper fills this in.
};

}  // namespace cyclerd::profiles
