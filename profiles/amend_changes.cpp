// What an amendment changes, step by step, for people.
#include <fmt/format.h>

#include <algorithm>

#include "profiles/amend_plan.hpp"
#include "profiles/step_text.hpp"

namespace cyclerd::profiles {
namespace {

struct Identity {
  std::string name;
  std::vector<StepPart> parts;
};

std::vector<Identity> identities(const Program& program) {
  std::vector<Identity> all;
  all.reserve(program.steps.size());
  for (std::uint32_t i = 0; i < program.steps.size(); ++i) {
    const Step& step = program.steps[i];
    all.push_back(
        {fmt::format("{} {} {}", program.text(step.name), program.text(step.type), static_cast<int>(step.kind)),
         step_parts(program, i)});
  }
  return all;
}

}  // namespace

ProgramChanges compare_programs(const Program& from, const Program& to) {
  ProgramChanges changes;
  const auto before = identities(from);
  const auto after = identities(to);
  std::uint32_t a = 0;
  std::uint32_t b = 0;
  const auto pair = [&](std::uint32_t i, std::uint32_t k) {
    auto what = part_differences(before[i].parts, after[k].parts);
    if (what.empty()) {
      ++changes.kept;
    } else {
      changes.steps.push_back({StepChange::Kind::changed, i, k, std::move(what)});
    }
  };
  const auto removed = [&](std::uint32_t i) { changes.steps.push_back({StepChange::Kind::removed, i, kNoStep, {}}); };
  const auto added = [&](std::uint32_t k) { changes.steps.push_back({StepChange::Kind::added, kNoStep, k, {}}); };
  while (a < before.size() && b < after.size()) {
    if (before[a].name == after[b].name) {
      pair(a++, b++);
      continue;
    }
    // The nearest place where both go on together.
    std::uint32_t skip_a = static_cast<std::uint32_t>(before.size()) - a;
    std::uint32_t skip_b = static_cast<std::uint32_t>(after.size()) - b;
    constexpr std::uint32_t kFar = 2000;
    bool met = false;
    for (std::uint32_t sum = 1; !met && sum < std::min(kFar, skip_a + skip_b); ++sum) {
      for (std::uint32_t i = 0; !met && i <= sum; ++i) {
        const std::uint32_t k = sum - i;
        if (a + i >= before.size() || b + k >= after.size() || before[a + i].name != after[b + k].name) continue;
        skip_a = i;
        skip_b = k;
        met = true;
      }
    }
    for (std::uint32_t i = 0; i < skip_a; ++i) removed(a++);
    for (std::uint32_t k = 0; k < skip_b; ++k) added(b++);
  }
  while (a < before.size()) removed(a++);
  while (b < after.size()) added(b++);
  return changes;
}

}  // namespace cyclerd::profiles
