#include <algorithm>
#include <cmath>
#include <limits>

#include "daemon/record/amendments.hpp"
#include "daemon/record/plot.hpp"
#include "daemon/record/record_json.hpp"
#include "daemon/record/storage.hpp"
#include "daemon/record/stream_reader.hpp"

namespace cyclerd::record {
namespace {

// The step that runs has no summary yet: from the end of the last one to the newest row.
void add_running_step(PlotData& data, const Json& about, std::uint32_t step_index) {
  const double from = data.steps.empty() ? 0.0 : data.steps.back().end_s;
  if (data.time_s.empty() || data.time_s.back() <= from || text_at(about, "/state") != "running") return;
  PlotStep step;
  step.start_s = from;
  step.end_s = data.time_s.back();
  const Json steps = newest_steps(about);
  if (step_index < steps.size()) {
    step.name = text_at(steps[step_index], "/name");
    step.type = text_at(steps[step_index], "/type");
  }
  data.steps.push_back(std::move(step));
}

}  // namespace

base::Result<PlotData> load_plot(const std::string& test_folder) {
  TRY_ASSIGN(const std::string text, read_text(test_folder + "/test.json"));
  const Json about = parse_or_null(text);
  TRY_ASSIGN(const std::vector<std::byte> bytes, read_bytes(test_folder + "/rows.arrows"));
  PlotData data;
  std::uint32_t step_index = 0;
  const StreamReport report = read_stream(bytes, [&](std::span<const TableRow> rows) {
    for (const TableRow& row : rows) {
      data.time_s.push_back(row.test_time_s);
      data.voltage_V.push_back(row.voltage_V);
      data.current_A.push_back(row.current_A);
      data.temperature_degC.push_back(row.temperature_degC);
      data.chamber_degC.push_back(row.chamber_degC);
      step_index = row.step_index;
    }
  });
  if (!report.has_schema) {
    return base::failure(base::ErrorCode::invalid, "rows.arrows", test_folder + "/rows.arrows cannot be read");
  }
  for (const Json& line : read_lines(test_folder + "/steps.jsonl")) {
    PlotStep step;
    step.start_s = number_at<double>(line, "/start_s");
    step.end_s = step.start_s + number_at<double>(line, "/duration_s");
    step.name = text_at(line, "/name");
    step.type = text_at(line, "/type");
    step.ended_by = end_words(line);
    if (step.end_s > step.start_s) data.steps.push_back(std::move(step));
  }
  add_running_step(data, about, step_index);
  data.title = text_at(about, "/metadata/profile/title", text_at(about, "/metadata/profile/name", "Test"));
  const auto add = [&](const std::string& part) {
    if (part.empty()) return;
    if (!data.subtitle.empty()) data.subtitle += "  \u00B7  ";
    data.subtitle += part;
  };
  add(text_at(about, "/metadata/cell/name", text_at(about, "/metadata/cell")));
  add(text_at(about, "/metadata/channel/name", text_at(about, "/metadata/channel")));
  add(text_at(about, "/state"));
  add(text_at(about, "/reason"));
  return data;
}

}  // namespace cyclerd::record
