// A profile for other programs: what is given out comes in again.
#include "profiles/exchange/exchange.hpp"
#include "tests/fuzz/fuzz_bench.hpp"
#include "tests/fuzz/fuzz_text.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace cyclerd;
  static const profiles::Launch launch = fuzz::roomy_launch();
  return fuzz::read_text(data, size, [](const text::SourcePtr& source, text::Diagnostics& findings) {
    text::Diagnostics others;
    if (const auto strings = exchange::export_pybamm(source, launch, findings)) {
      fuzz::promise(exchange::import_pybamm(fuzz::source_of(strings->text), {}, others).has_value(),
                    "what is exported for PyBaMM can be imported", strings->text + others.render());
    }
    if (const auto protocol = exchange::export_unicycler(source, launch, findings)) {
      fuzz::promise(exchange::import_unicycler(fuzz::source_of(protocol->text), {}, others).has_value(),
                    "what is exported for unicycler can be imported", protocol->text + others.render());
    }
  });
}
