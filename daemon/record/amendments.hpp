// A test whose profile was replaced while it ran: what test.json says of it, and which of its profiles a row belongs
// to.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/record/record_json.hpp"
#include "profiles/record.hpp"

namespace cyclerd::record {

// An entry of test.json's "amendments". `about`: {by, reason, changes, profile}, from whoever amended. `number`: of the
// profile, 2 for the first amendment.
[[nodiscard]] Json amendment_entry(const profiles::RecordHeader& header, const profiles::TestAmendment& head,
                                   std::string_view about, std::size_t number);
// "profile.toml", "profile-2.toml": the texts in a test's folder.
[[nodiscard]] std::string profile_file(std::size_t number);

// The amendments of a test.json, oldest first; empty when there are none.
[[nodiscard]] std::vector<Json> amendments_of(const Json& about);
// The steps (`name`, `type`, `line`) of the profile that was in force when the frame of this number was written; null
// when they are not known.
[[nodiscard]] Json steps_at_sequence(const Json& about, std::uint64_t sequence);
// Of the newest profile.
[[nodiscard]] Json newest_steps(const Json& about);

// Types of steps by place in the program, by the time of a row.
class StepTypes {
 public:
  StepTypes() = default;
  explicit StepTypes(const Json& about);
  // Rows in the order of time.
  [[nodiscard]] std::string_view at(double test_time_s, std::uint32_t step_index);

 private:
  struct InForce {
    double after_s = 0.0;  // rows later than this
    std::vector<std::string> types;
  };
  std::vector<InForce> profiles_;
  std::size_t current_ = 0;
};

// "amended 3:12:05 into the test (scan 115201, step 17 'charge') by ada (uid 1000, operator): longer; profile ageing
// 1a2b3c4d, profile-2.toml"
[[nodiscard]] std::string amendment_words(const Json& entry);

}  // namespace cyclerd::record
