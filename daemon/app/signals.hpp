// SIGTERM and SIGINT as a wish to end, SIGHUP and SIGPIPE ignored. Signals of a crash keep their default: the process
// ends at once and systemd's ExecStopPost opens the outputs; a crashed process does no I/O of its own.
#pragma once

#include "protocols/base/clock.hpp"

namespace cyclerd::app {

// Posts `wakeup` when the process is asked to end. Once per process; `wakeup` must live as long as it.
void catch_end_signals(base::Wakeup& wakeup);
[[nodiscard]] bool end_was_asked() noexcept;

}  // namespace cyclerd::app
