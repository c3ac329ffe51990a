#include "protocols/base/event.hpp"

namespace cyclerd::base {

std::string_view to_string(EventKind kind) noexcept RT_NONBLOCKING {
  switch (kind) {
    case EventKind::none: return "none";
    case EventKind::test_start: return "test_start";
    case EventKind::test_end: return "test_end";
    case EventKind::step_start: return "step_start";
    case EventKind::step_end: return "step_end";
    case EventKind::cycle_end: return "cycle_end";
    case EventKind::setpoint: return "setpoint";
    case EventKind::chamber: return "chamber";
    case EventKind::state: return "state";
    case EventKind::trip: return "trip";
    case EventKind::acknowledge: return "acknowledge";
    case EventKind::fault: return "fault";
    case EventKind::recovered: return "recovered";
    case EventKind::pause: return "pause";
    case EventKind::resume: return "resume";
    case EventKind::gap: return "gap";
    case EventKind::clock: return "clock";
    case EventKind::note: return "note";
    case EventKind::message: return "message";
    case EventKind::overrun: return "overrun";
    case EventKind::profile_change: return "profile_change";
  }
  return "unknown";
}

}  // namespace cyclerd::base
