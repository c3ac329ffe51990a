// A station's status as text: the table of `status`, the page and the lines of `watch`. Pure.
#pragma once

#include <string>

#include "daemon/ctl/client.hpp"
#include "daemon/ctl/terminal.hpp"

namespace cyclerd::ctl {

// A member of an object, or null: when it is absent, when `object` is none.
[[nodiscard]] const Json& member(const Json& object, const char* name);
// "" when the member is not a text.
[[nodiscard]] std::string text_member(const Json& object, const char* name);
// "3.8712 V", "+2.5001 A"; "-" when the member is not a number.
[[nodiscard]] std::string quantity(const Json& object, const char* name, int decimals, const char* unit,
                                   bool sign = false);

[[nodiscard]] Table status_table(const Json& status);

// One channel on about ten lines, for a terminal that is redrawn.
[[nodiscard]] std::string channel_page(const Json& channel, const std::string& station, int width, bool colour);
// One channel on one line, for logs.
[[nodiscard]] std::string channel_line(const Json& channel);
// What must have changed before a log is worth a new line: state, step, cycle, event, trip.
[[nodiscard]] std::string change_key(const Json& channel);

[[nodiscard]] std::string progress_bar(double fraction, int width);

// Is a test under way?
[[nodiscard]] bool is_running(const Json& channel);
// Exit code of a test that is not: 0 completed or none, 1 stopped or failed, 7 tripped.
[[nodiscard]] int outcome_code(const Json& channel);
[[nodiscard]] std::string outcome_text(const Json& channel);

}  // namespace cyclerd::ctl
