// A virtual cell's file: whatever loads must give finite numbers.
#include "hil/cells/cell_set.hpp"

#include <cmath>

#include "tests/fuzz/fuzz_text.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace cyclerd;
  return fuzz::read_text(data, size, [](const text::SourcePtr& source, text::Diagnostics& findings) {
    const auto set = hil::load_cell_set(source, findings);
    if (!set) return;
    const double one_C_A = set->header.capacity_C / 3600.0;
    for (const double soc : {0.0, 0.5, 1.0}) {
      const auto cell = set->make({soc, 25.0, 0.0});
      for (const double rate : {-2.0, 0.0, 1.0}) {
        fuzz::promise(std::isfinite(cell->propose(rate * one_C_A, rate * one_C_A, 10.0)), "a voltage is a number");
        cell->commit();
        const auto now = cell->readout();
        fuzz::promise(std::isfinite(now.soc) && std::isfinite(now.ocv_V) && std::isfinite(now.core_degC),
                      "a readout is of numbers");
      }
    }
  });
}
