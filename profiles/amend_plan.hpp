// May this profile take the place of the one that runs? Everything that is the same, everything that is not, and the
// plan for the exchange. Not for real-time threads.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "profiles/amend.hpp"
#include "protocols/text/diagnostics.hpp"

namespace cyclerd::profiles {

// The plan for a state that can_amend(); nullopt with errors in `diagnostics` (P100, P101, P102; places in `source`,
// the new profile's text). The rules: README.md, "Amending a test".
[[nodiscard]] std::optional<Amendment> plan_amendment(const Program& from, const ExecutorState& state,
                                                      const Program& to, const text::SourcePtr& source,
                                                      text::Diagnostics& diagnostics);

// Plan and exchange in one. `state` is left alone when it returns false.
[[nodiscard]] bool amend_state(const Program& from, ExecutorState& state, const Program& to, const base::Sample& last,
                               const text::SourcePtr& source, text::Diagnostics& diagnostics);

// The parameters that the test was started with, `typed` in the place of those of the same name. Those that the profile
// does not have any more are left out, with a warning (P103).
[[nodiscard]] std::map<std::string, std::string> amended_parameters(
    const std::map<std::string, std::string>& of_the_test, const std::map<std::string, std::string>& typed,
    const text::SourcePtr& source, text::Diagnostics& diagnostics);

struct StepChange {
  enum class Kind : std::uint8_t { changed, added, removed };
  Kind kind = Kind::changed;
  std::uint32_t from = kNoStep;  // flat steps; kNoStep: not there
  std::uint32_t to = kNoStep;
  std::vector<std::string> differences;  // as in part_differences()
};
struct ProgramChanges {
  std::uint32_t kept = 0;         // steps of the new program that are as before
  std::vector<StepChange> steps;  // in the order of the new program
  [[nodiscard]] bool empty() const noexcept { return steps.empty(); }
};
[[nodiscard]] ProgramChanges compare_programs(const Program& from, const Program& to);

}  // namespace cyclerd::profiles
