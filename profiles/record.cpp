#include "profiles/record.hpp"

namespace cyclerd::profiles {

const char* to_string(EndReason reason) noexcept RT_NONBLOCKING {
  switch (reason) {
    case EndReason::none: return "none";
    case EndReason::condition: return "condition";
    case EndReason::block: return "block";
    case EndReason::complete: return "complete";
    case EndReason::skipped: return "skipped";
    case EndReason::operator_stop: return "operator stop";
    case EndReason::operator_skip: return "operator skip";
    case EndReason::trip: return "trip";
    case EndReason::failure: return "failure";
  }
  return "unknown";
}

const char* to_string(TestOutcome outcome) noexcept RT_NONBLOCKING {
  switch (outcome) {
    case TestOutcome::none: return "none";
    case TestOutcome::completed: return "completed";
    case TestOutcome::stopped: return "stopped";
    case TestOutcome::failed: return "failed";
    case TestOutcome::tripped: return "tripped";
    case TestOutcome::interrupted: return "interrupted";
  }
  return "unknown";
}

}  // namespace cyclerd::profiles
