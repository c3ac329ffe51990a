#include "daemon/ctl/status_view.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace cyclerd::ctl {

namespace {

Tone tone_of(const std::string& state) {
  if (state == "running" || state == "armed") return Tone::good;
  if (state == "paused" || state == "recovering") return Tone::warning;
  if (state == "faulted") return Tone::bad;
  return Tone::plain;
}

std::string upper(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return (c >= 'a' && c <= 'z') ? static_cast<char>(c - 32) : c; });
  return text;
}

double number_member(const Json& object, const char* name) {
  const Json& value = member(object, name);
  return value.is_number() ? value.get<double>() : std::nan("");
}

std::string test_text(const Json& channel) {
  const Json& test = member(channel, "test");
  if (test.is_number() && test != 0) return test.dump();
  return test.is_string() ? test.get<std::string>() : std::string{};
}

const char* setpoint_unit(const std::string& control) {
  if (control == "current") return "A";
  if (control == "voltage") return "V";
  if (control == "power") return "W";
  return control == "resistance" ? "Ohm" : "";
}

std::string setpoint_text(const Json& channel) {
  const std::string control = text_member(channel, "control");
  if (control == "rest") return "rest";
  if (!member(channel, "setpoint").is_number()) return "-";
  return quantity(channel, "setpoint", 4, setpoint_unit(control), control != "voltage");
}

std::string step_text(const Json& channel) {
  const Json& step = member(channel, "step");
  if (!step.is_object()) return {};
  std::string name = text_member(step, "name");
  const std::string type = text_member(step, "type");
  if (name.empty()) name = type;
  if (!type.empty() && type != name) name += " (" + type + ")";
  return name;
}

// "ageing 12/500 > charge", from the list of blocks that app gives with their passes.
std::string path_text(const Json& channel) {
  const Json& path = member(member(channel, "step"), "path");
  if (!path.is_array()) return {};
  std::string text;
  for (const Json& part : path) {
    if (part.is_string()) text += (text.empty() ? "" : " > ") + part.get<std::string>();
  }
  return text;
}

std::string event_text(const Json& channel) {
  const Json& event = member(channel, "last_event");
  if (!event.is_object()) return {};
  const Json& when = member(event, "unix_time_us");
  const std::string stamp = when.is_number_integer() ? wall_text(when.get<std::int64_t>()).substr(11) : std::string{};
  std::string text = text_member(event, "kind");
  for (const char* name : {"subject", "text"}) {
    const std::string part = text_member(event, name);
    if (!part.empty()) text += ": " + part;
  }
  return printable(stamp.empty() ? text : stamp + " " + text);
}

std::string list_text(const Json& list) {
  std::string text;
  if (!list.is_array()) return text;
  for (const Json& item : list) {
    if (item.is_string()) text += (text.empty() ? "" : ", ") + item.get<std::string>();
  }
  return printable(text);
}

std::string trip_text(const Json& channel) {
  const Json& trip = member(channel, "trip");
  if (!trip.is_object()) return {};
  const std::string words = text_member(trip, "text");
  return printable(text_member(trip, "cause") + (words.empty() ? "" : ": " + words));
}

std::string progress_line(const Json& channel, int width) {
  const double fraction = number_member(channel, "progress");
  const double left_s = number_member(channel, "eta_s");
  std::string text;
  if (std::isfinite(fraction)) {
    text = fmt::format("[{}] {:3.0f} %   ", progress_bar(fraction, std::clamp(width - 60, 10, 40)), fraction * 100);
  }
  text += "elapsed " + duration_text(number_member(channel, "time_s"));
  const double expected_s = number_member(channel, "expected_left_s");
  if (expected_s > 0.0) text += fmt::format("   about {} left", duration_text(expected_s));
  if (std::isfinite(left_s)) text += fmt::format("   at most {} left", duration_text(left_s));
  return text;
}

}  // namespace

const Json& member(const Json& object, const char* name) {
  static const Json kNull;
  if (!object.is_object()) return kNull;
  const auto found = object.find(name);
  return found == object.end() ? kNull : *found;
}

std::string text_member(const Json& object, const char* name) {
  const Json& value = member(object, name);
  return value.is_string() ? printable(value.get_ref<const std::string&>()) : std::string{};
}

std::string quantity(const Json& object, const char* name, int decimals, const char* unit, bool sign) {
  const double value = number_member(object, name);
  if (!std::isfinite(value)) return "-";
  return sign ? fmt::format("{:+.{}f} {}", value, decimals, unit) : fmt::format("{:.{}f} {}", value, decimals, unit);
}

std::string progress_bar(double fraction, int width) {
  const int full = static_cast<int>(std::lround(std::clamp(fraction, 0.0, 1.0) * width));
  return std::string(static_cast<std::size_t>(full), '#') + std::string(static_cast<std::size_t>(width - full), '.');
}

Table status_table(const Json& status) {
  Table table(
      {"CHANNEL", "STATE", "VOLTAGE", "CURRENT", "CELL", "CHAMBER", "CYCLE", "STEP", "PROFILE", "TEST", "NOTE"});
  for (const Json& channel : member(status, "channels")) {
    const std::string state = text_member(channel, "state");
    std::string note = trip_text(channel);
    if (note.empty()) note = list_text(member(channel, "badges"));
    const Json& cycle = member(channel, "cycle");
    table.add({text_member(channel, "name"), state, quantity(channel, "voltage_V", 4, "V"),
               quantity(channel, "current_A", 4, "A", true), quantity(channel, "temperature_degC", 1, "degC"),
               quantity(channel, "chamber_degC", 1, "degC"), cycle.is_number() ? cycle.dump() : "", step_text(channel),
               text_member(channel, "profile"), test_text(channel), note},
              tone_of(state));
  }
  return table;
}

std::string channel_page(const Json& channel, const std::string& station, int width, bool colour) {
  const std::string state = text_member(channel, "state");
  std::string page;
  const auto line = [&](const std::string& text, Tone tone = Tone::plain) {
    std::string cut = display_width(text) > width ? fit(text, width) : text;
    cut.erase(cut.find_last_not_of(' ') + 1);
    page += paint(tone, cut, colour) + "\n";
  };
  const std::string title = printable(station) + " " + text_member(channel, "name");
  const std::string label = upper(state);
  const int gap = std::max(1, width - display_width(title) - display_width(label));
  page += paint(Tone::bold, title, colour) + std::string(static_cast<std::size_t>(gap), ' ') +
          paint(tone_of(state), label, colour) + "\n";

  const std::string trip = trip_text(channel);
  if (!trip.empty()) {
    line(fit(" TRIPPED: " + trip, width), Tone::alarm);
    line(fit(fmt::format(" Find the cause, then: cyclerctl ack {}", text_member(channel, "name")), width), Tone::alarm);
  }
  std::string what = text_member(channel, "profile");
  for (const auto& [name, value] :
       {std::pair<const char*, std::string>{"cell", text_member(channel, "cell")}, {"test", test_text(channel)}}) {
    if (!value.empty()) what += fmt::format("{}{} {}", what.empty() ? "" : "   ", name, value);
  }
  line(what.empty() ? "no test" : what, Tone::dim);

  const Json& step = member(channel, "step");
  if (step.is_object()) {
    const Json& cycle = member(channel, "cycle");
    line(fmt::format("cycle {}   step {} {}   in it {}", cycle.is_number() ? cycle.dump() : "-",
                     member(step, "count").is_number() ? member(step, "count").dump() : "-", step_text(channel),
                     duration_text(number_member(step, "time_s"))));
    const std::string path = path_text(channel);
    if (!path.empty()) line("  " + path, Tone::dim);
  }
  line("");
  const bool output_on = member(channel, "output_on") == true;
  line(fmt::format("  voltage  {:>13}    set point  {}", quantity(channel, "voltage_V", 4, "V"),
                   setpoint_text(channel)));
  line(fmt::format("  current  {:>13}    regulating {}", quantity(channel, "current_A", 4, "A", true),
                   text_member(channel, "regulation")));
  line(fmt::format("  cell     {:>13}    output     {}", quantity(channel, "temperature_degC", 1, "degC"),
                   output_on ? "ON" : "off"));
  line(fmt::format("  chamber  {:>13}", quantity(channel, "chamber_degC", 1, "degC")));
  line("");
  if (step.is_object()) line(progress_line(channel, width));
  const std::string event = event_text(channel);
  if (!event.empty()) line("last: " + event);
  const std::string badges = list_text(member(channel, "badges"));
  if (!badges.empty()) line("! " + badges, Tone::warning);
  return page;
}

std::string channel_line(const Json& channel) {
  std::string text = fmt::format("{} {}", text_member(channel, "name"), text_member(channel, "state"));
  const Json& step = member(channel, "step");
  if (step.is_object()) {
    text += fmt::format("  {}  cycle {}  step {} {} {}", duration_text(number_member(channel, "time_s")),
                        member(channel, "cycle").is_number() ? member(channel, "cycle").dump() : "-",
                        member(step, "count").is_number() ? member(step, "count").dump() : "-", step_text(channel),
                        duration_text(number_member(step, "time_s")));
  }
  text += fmt::format("  {}  {}  {}", quantity(channel, "voltage_V", 4, "V"),
                      quantity(channel, "current_A", 4, "A", true), quantity(channel, "temperature_degC", 1, "degC"));
  const double fraction = number_member(channel, "progress");
  if (std::isfinite(fraction)) text += fmt::format("  {:.0f} %", fraction * 100);
  const std::string trip = trip_text(channel);
  if (!trip.empty()) text += "  TRIPPED: " + trip;
  return text;
}

std::string change_key(const Json& channel) {
  return fmt::format("{}|{}|{}|{}|{}|{}", member(channel, "state").dump(), member(channel, "run_state").dump(),
                     member(member(channel, "step"), "count").dump(), member(channel, "cycle").dump(),
                     member(channel, "trip").dump(), member(channel, "test").dump());
}

bool is_running(const Json& channel) {
  const std::string state = text_member(channel, "state");
  if (state == "running" || state == "paused" || state == "armed" || state == "recovering") return true;
  if (state == "faulted") return false;
  const std::string run = text_member(channel, "run_state");
  return run == "running" || run == "paused";
}

int outcome_code(const Json& channel) {
  if (text_member(channel, "state") == "faulted" || member(channel, "trip").is_object()) return 7;
  const std::string run = text_member(channel, "run_state");
  return run == "stopped" || run == "failed" ? 1 : 0;
}

std::string outcome_text(const Json& channel) {
  const std::string name = text_member(channel, "name");
  const std::string trip = trip_text(channel);
  if (!trip.empty()) return fmt::format("{} tripped: {}", name, trip);
  if (text_member(channel, "state") == "faulted") return name + " is faulted";
  if (test_text(channel).empty()) return name + " runs no test";
  std::string run = text_member(channel, "run_state");
  if (run == "finished" || run == "ready") run = "completed";
  return fmt::format("{}: test {} {}", name, test_text(channel), run);
}

}  // namespace cyclerd::ctl
