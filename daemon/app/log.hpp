// Messages for the person who reads the journal or the terminal: one line each, on standard error.
#pragma once

#include <string_view>

namespace cyclerd::app {

// syslog's severities; the journal reads them from a "<N>" in front of the line.
enum class LogLevel : int { error = 3, warning = 4, notice = 5, info = 6 };

// Any thread but the real-time ones. The "<N>" is written only when standard error is the journal (JOURNAL_STREAM).
void log(LogLevel level, std::string_view message);

}  // namespace cyclerd::app
