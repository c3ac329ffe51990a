// A cell set, TOML or BPX. Whatever loads makes a cell that answers with numbers.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>

#include "hil/cells/cell_set.hpp"

namespace {

cyclerd::text::SourcePtr source_of(const std::uint8_t* data, std::size_t size) {
  return std::make_shared<const cyclerd::text::Source>(
      cyclerd::text::Source{"fuzz", std::string(reinterpret_cast<const char*>(data), size)});
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  cyclerd::text::Diagnostics findings;
  const auto set = cyclerd::hil::load_cell_set(source_of(data, size), findings);
  (void)findings.render();
  if (!set) return 0;
  const double one_C_A = set->header.capacity_C / 3600.0;
  for (const double soc : {0.0, 0.5, 1.0}) {
    const auto cell = set->make({soc, 25.0, 0.0});
    for (const double rate : {-2.0, 0.0, 1.0}) {
      if (!std::isfinite(cell->propose(rate * one_C_A, rate * one_C_A, 10.0))) std::abort();
      cell->commit();
      const auto now = cell->readout();
      if (!std::isfinite(now.soc) || !std::isfinite(now.ocv_V) || !std::isfinite(now.core_degC)) std::abort();
    }
  }
  return 0;
}
