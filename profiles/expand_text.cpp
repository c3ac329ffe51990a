// An expansion as a page to read.
#include <fmt/format.h>

#include <algorithm>

#include "profiles/expand.hpp"
#include "protocols/text/quantity.hpp"

namespace cyclerd::profiles {
namespace {

std::string value_text(const ExpandedValue& value) {
  return value.written.empty() ? value.text : fmt::format("{} [{}]", value.text, value.written);
}

std::string range_text(const ExpandedBound& bound) {
  std::string text = !bound.min.given()   ? "up to " + value_text(bound.max)
                     : !bound.max.given() ? "from " + value_text(bound.min)
                                          : value_text(bound.min) + " to " + value_text(bound.max);
  if (bound.dwell.given()) text += ", left for " + value_text(bound.dwell);
  return text;
}

std::string record_text(const ExpandedValues& rules) {
  std::string text;
  for (const auto& [key, value] : rules) {
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", key, value_text(value));
  }
  return text.empty() ? "nothing but the first and last row" : text;
}

class Page {
 public:
  explicit Page(const Expansion& expansion) : x_(expansion) {}

  std::string str() {
    head();
    parameters();
    limits();
    out_ += fmt::format("\nrecord: a row whenever one of these says so, unless a step says otherwise\n  {}\n",
                        record_text(x_.record));
    waveforms();
    out_ += "\nsteps: number, name, type, line in the profile\n";
    for (const ExpandedStep& step : x_.steps) print(step);
    return std::move(out_);
  }

 private:
  void head() {
    out_ += x_.name;
    if (!x_.title.empty()) out_ += ": " + x_.title;
    out_ += "\n";
    if (!x_.description.empty()) out_ += x_.description + "\n";
    if (!x_.chemistries.empty()) out_ += fmt::format("written for {}\n", fmt::join(x_.chemistries, ", "));
    out_ +=
        x_.with_cell ? fmt::format("on the cell {}\n", x_.cell) : "without a cell: C-rates and ratings as written\n";
  }

  void parameters() {
    if (x_.parameters.empty()) return;
    out_ += "\nparameters\n";
    for (const ExpandedParameter& p : x_.parameters) {
      out_ += fmt::format("  {} = {}", p.name, value_text(p.value));
      std::string more;
      if (p.standard != p.value.text && p.standard != p.value.written) more += ", default " + p.standard;
      if (!p.min.empty()) more += ", min " + p.min;
      if (!p.max.empty()) more += ", max " + p.max;
      out_ += more + (p.help.empty() ? "" : ": " + p.help) + "\n";
    }
  }

  void bounds(const std::vector<ExpandedBound>& list) {
    std::size_t width = 0;
    for (const ExpandedBound& b : list) width = std::max(width, b.name.size());
    for (const ExpandedBound& b : list) out_ += fmt::format("  {:<{}}  {}\n", b.name, width, range_text(b));
  }

  void limits() {
    out_ += x_.with_cell ? "\nbox: outside of it the output opens and the channel trips\n"
                         : "\nbox of the profile; the cell's and the station's are added at launch\n";
    bounds(x_.limits);
    out_ += fmt::format("  readings older than {}\n", value_text(x_.sensor_loss));
    if (x_.envelope.empty()) return;
    out_ += "\nset-points are kept inside\n";
    bounds(x_.envelope);
  }

  void waveforms() {
    if (x_.waveforms.empty()) return;
    out_ += "\nwaveforms\n";
    for (const ExpandedWaveform& w : x_.waveforms) {
      out_ += fmt::format("  {}: {} over {}, {} points, {:.6g} {} to {:.6g} {}, mean {:.4g} {}\n", w.name, w.quantity,
                          text::format_quantity(w.length_s, text::dimension::kTime), w.points, w.min, w.unit, w.max,
                          w.unit, w.mean, w.unit);
    }
  }

  // Where the test goes on at `index`. Ends of calls are only passed.
  [[nodiscard]] std::string place(std::uint32_t index) const {
    while (index < x_.steps.size() && x_.steps[index].type == "CALL_END") ++index;
    if (index >= x_.steps.size()) return "end";
    const ExpandedStep& step = x_.steps[index];
    if (step.type == "END") return "end";
    if (step.type == "LOOP_END") return fmt::format("{} end of the pass", index);
    return fmt::format("{} {}", index, step.name);
  }

  [[nodiscard]] std::string outcome(const ExpandedCondition& c) const {
    std::string text = "-> ";
    if (c.then == "fail") {
      text += "the test fails";
    } else if (c.then == "end") {
      text += "the test ends";
    } else {
      text += (c.then == "pause" ? "pause, then " : c.then == "break" ? "leaves the loop to " : "") + place(c.target);
    }
    return text + (c.reason.empty() ? "" : ": " + c.reason) + (c.never ? " (cannot happen)" : "");
  }

  void print(const ExpandedStep& step) {
    const std::string pad(2 * step.depth, ' ');
    const std::string inner = pad + std::string(7, ' ');
    const bool closing = step.type == "LOOP_END" || step.type == "CALL_END";
    out_ += fmt::format("{:>4} {}{}  {}", step.index, pad, step.name, step.type);
    if (closing || step.type == "END") {
      out_ += fmt::format(": {}\n", step.does);
      return;
    }
    out_ += fmt::format("  line {}\n", step.line);
    if (step.when.given()) {
      const bool block = step.peer > step.index;
      out_ += fmt::format("{}only when {}, else -> {}\n", inner, value_text(step.when),
                          place((block ? step.peer : step.index) + 1));
    }
    out_ += fmt::format("{}{}{}\n", inner, step.does, written_text(step));
    const char* lead = step.type == "LOOP" ? "after a pass, until " : "until ";
    std::string indent = inner + lead;
    bool first = true;
    for (const ExpandedCondition& c : step.until) {
      out_ += first ? indent : std::string(indent.size(), ' ');
      first = false;
      out_ += fmt::format("{}{} {}\n", value_text(c.when), c.dwell.given() ? " for " + value_text(c.dwell) : "",
                          outcome(c));
    }
    const bool at_once = step.type == "SET" || step.type == "MARK";
    if (!step.then.empty() && !at_once) out_ += fmt::format("{}{} -> {}\n", inner, step.then, place(step.next));
    if (step.own_record) out_ += fmt::format("{}record {}\n", inner, record_text(step.record));
  }

  // What the author wrote, where the sentence has the value instead.
  static std::string written_text(const ExpandedStep& step) {
    std::string text;
    for (const auto& [key, value] : step.values) {
      if (value.written.empty()) continue;
      text += fmt::format("{}{} = {}", text.empty() ? "" : ", ", key, value.written);
    }
    return text.empty() ? "" : fmt::format(" [{}]", text);
  }

  const Expansion& x_;
  std::string out_;
};

}  // namespace

std::string to_text(const Expansion& expansion) {
  return Page(expansion).str();
}

}  // namespace cyclerd::profiles
