// Where a test can go from each flat step, and what is done by then.
#pragma once

#include <cstdint>
#include <vector>

#include "profiles/compile_parts.hpp"

namespace cyclerd::profiles {

struct FlowEdge {
  std::uint32_t to = 0;
  bool done = true;                    // the step was run to an end: its results are there (false: it was skipped)
  std::uint32_t left_block = kNoStep;  // the repeat_begin of a block that ended on the way
  bool operator==(const FlowEdge&) const = default;
};
using FlowGraph = std::vector<std::vector<FlowEdge>>;

// Over-careful where a step has findings of its own: one mistake, one finding.
[[nodiscard]] FlowGraph flow_graph(const Compiler& compiler);

}  // namespace cyclerd::profiles
