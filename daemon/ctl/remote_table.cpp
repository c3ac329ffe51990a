#include "daemon/ctl/remote_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

namespace cyclerd::ctl {

namespace {

constexpr std::array kCharging = {"cc", "cv", "cccv", "pcccv", "cp", "cr"};
constexpr std::array kDischarging = {"dc", "dv", "cccd", "dp", "dr"};

template <class List>
bool is_one_of(const List& list, std::string_view word) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

std::string cell(std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) return std::string(text);
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + '"';
}

template <class Number>
std::string cell(const std::optional<Number>& number) {
  return number ? fmt::format("{}", *number) : std::string();
}

// Charging and discharging, apart. A server's sum of a step that may do both says nothing about either.
std::string apart(const std::optional<double>& sum, std::string_view step_type) {
  if (!sum) return ",";
  if (is_one_of(kCharging, step_type)) return fmt::format("{},0", *sum);
  if (is_one_of(kDischarging, step_type)) return fmt::format("0,{}", *sum);
  return step_type == "rest" ? "0,0" : ",";
}

}  // namespace

void RemoteTable::header(const remote::DataPoint& point, std::string& out) {
  out +=
      "Test Time / s,Voltage / V,Current / A,Cycle Count / 1,Step Count / 1,Step ID,Step Type,Record Index / 1,"
      "Step Time / s,Step Charging Capacity / Ah,Step Discharging Capacity / Ah,Step Charging Energy / Wh,"
      "Step Discharging Energy / Wh,Server Time";
  for (const auto& [name, value] : point.others) {
    others_.push_back(name);
    out += "," + cell("Auxiliary " + name);
  }
  out += '\n';
}

void RemoteTable::row(const remote::DataPoint& p, std::string& out) {
  const bool new_step = rows_ == 0 || p.cycle != cycle_ || p.step != step_ || p.step_time_s < step_time_s_;
  if (new_step) {
    step_began_s_ += step_time_s_;
    ++step_count_;
  }
  cycle_ = p.cycle;
  step_ = p.step;
  step_time_s_ = p.step_time_s;
  // The server counts milliseconds; sums of them are rounded back to what they are.
  const double test_time_s = std::round((step_began_s_ + p.step_time_s) * 1e6) / 1e6;
  out += fmt::format("{},{},{},{},{},{},{},{},{},{},{},{}", test_time_s, p.voltage_V, p.current_A, cell(p.cycle),
                     step_count_, cell(p.step), cell(p.step_type), p.number, p.step_time_s,
                     apart(p.step_charge_Ah, p.step_type), apart(p.step_energy_Wh, p.step_type), cell(p.server_time));
  for (const std::string& name : others_) {
    const auto found = std::find_if(p.others.begin(), p.others.end(), [&](const auto& o) { return o.first == name; });
    out += ",";
    if (found != p.others.end()) out += cell(found->second);
  }
  out += '\n';
  left_out_ = left_out_ || std::any_of(p.others.begin(), p.others.end(),
                                       [&](const auto& o) { return !is_one_of(others_, o.first); });
}

void RemoteTable::append(std::span<const remote::DataPoint> points, std::string& out) {
  for (const remote::DataPoint& p : points) {
    if (rows_ == 0) {
      header(p, out);
      first_ = p.number;
    }
    row(p, out);
    ++rows_;
    last_ = p.number;
  }
}

}  // namespace cyclerd::ctl
