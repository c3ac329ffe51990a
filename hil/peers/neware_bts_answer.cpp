#include "hil/peers/neware_bts_answer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <ctime>

namespace cyclerd::hil {

namespace {

constexpr std::size_t kPointsAtOnce = 1000;

std::string plain(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '&') {
      out += text[i];
      continue;
    }
    const auto end = text.find(';', i);
    const std::string_view name = end == std::string_view::npos ? "" : text.substr(i + 1, end - i - 1);
    const char c = name == "amp" ? '&' : name == "lt" ? '<' : name == "gt" ? '>' : name == "quot" ? '"' : '\0';
    if (c == '\0') {
      out += '&';
      continue;
    }
    out += c;
    i = end;
  }
  return out;
}

std::string quoted(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '&' || c == '<' || c == '>' || c == '"')
      out += fmt::format("&#{};", static_cast<int>(c));
    else
      out += c;
  }
  return out;
}

// The text between <name> and </name>.
std::string between(std::string_view text, std::string_view name) {
  const std::string open = fmt::format("<{}>", name), shut = fmt::format("</{}>", name);
  const auto begin = text.find(open);
  if (begin == std::string_view::npos) return {};
  const auto end = text.find(shut, begin);
  if (end == std::string_view::npos) return {};
  return plain(text.substr(begin + open.size(), end - begin - open.size()));
}

std::string wall_text(base::WallTime wall) {
  const std::time_t seconds = static_cast<std::time_t>(wall.us / 1'000'000);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02}", parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday,
                     parts.tm_hour, parts.tm_min, parts.tm_sec);
}

std::string reply(std::string_view verb, std::string_view rest) {
  return fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n<bts version=\"1.0\">\r\n  <cmd>{}_resp</cmd>\r\n{}</bts>", verb,
      rest);
}

std::string list(const std::vector<std::string>& lines) {
  if (lines.empty()) return "  <list count=\"0\" />\r\n";
  std::string text = fmt::format("  <list count=\"{}\">\r\n", lines.size());
  for (const std::string& line : lines) text += "    " + line + "\r\n";
  return text + "  </list>\r\n";
}

std::string numbers(const BtsPlace& p, std::int32_t sub_device) {
  return fmt::format(R"(devtype="{}" devid="{}" subdevid="{}" chlid="{}")", p.type, p.device, sub_device, p.channel);
}

}  // namespace

// One element of a request that names a channel.
struct BtsFace::Element {
  std::string name;
  std::map<std::string, std::string> attributes;
  std::string text;

  [[nodiscard]] std::int64_t number(const std::string& key) const {
    const auto found = attributes.find(key);
    std::int64_t value = -1;
    if (found != attributes.end())
      std::from_chars(found->second.data(), found->second.data() + found->second.size(), value);
    return value;
  }

  static std::vector<Element> all(std::string_view request) {
    std::vector<Element> found;
    for (auto at = request.find('<'); at != std::string_view::npos; at = request.find('<', at + 1)) {
      const auto end = request.find('>', at);
      if (end == std::string_view::npos) break;
      std::string_view tag = request.substr(at + 1, end - at - 1);
      if (tag.find(" devid=") == std::string_view::npos) continue;
      Element element;
      element.name = tag.substr(0, tag.find(' '));
      tag.remove_prefix(element.name.size());
      read_attributes(tag, element);
      if (!tag.ends_with('/')) element.text = plain(request.substr(end + 1, request.find('<', end) - end - 1));
      found.push_back(std::move(element));
    }
    return found;
  }

 private:
  static void read_attributes(std::string_view tag, Element& element) {
    while (true) {
      const auto name = tag.find_first_not_of(' ');
      const auto sign = tag.find("=\"");
      if (name == std::string_view::npos || sign == std::string_view::npos || sign < name) return;
      const auto end = tag.find('"', sign + 2);
      if (end == std::string_view::npos) return;
      element.attributes[std::string(tag.substr(name, sign - name))] = plain(tag.substr(sign + 2, end - sign - 2));
      tag.remove_prefix(end + 1);
    }
  }
};

void BtsFace::follow(World& world, base::WallTime wall) {
  for (std::size_t i = 0; i < jobs_.size(); ++i) jobs_[i].follow(world.plant(options_.places[i].plant), wall);
}

const BtsPlace* BtsFace::place_of(const Element& element, std::size_t& index) const {
  for (index = 0; index < options_.places.size(); ++index) {
    const BtsPlace& p = options_.places[index];
    if (element.number("devtype") == p.type && element.number("devid") == p.device &&
        element.number("subdevid") == p.sub_device && element.number("chlid") == p.channel)
      return &p;
  }
  return nullptr;
}

std::string BtsFace::connect(std::string_view request, bool& logged_in) const {
  logged_in = between(request, "username") == options_.user && between(request, "password") == options_.password &&
              between(request, "type") == "bfgs";
  return reply("connect", fmt::format("  <result>{}</result>\r\n", logged_in ? "ok" : "false"));
}

std::string BtsFace::device_info() const {
  std::string text = fmt::format(
      "  <serverip count=\"1\">\r\n    <server ip=\"127.0.0.1\" port=\"3306\" />\r\n  </serverip>\r\n"
      "  <middle count=\"{}\">\r\n",
      options_.places.size());
  for (const BtsPlace& p : options_.places) {
    text += fmt::format(
        "    <channel ip=\"127.0.0.1\" devtype=\"{}\" devid=\"{}\" subdevid=\"{}\" Channelid=\"{}\">true</channel>\r\n",
        p.type, p.device, p.sub_device, p.channel);
  }
  return reply("getdevinfo", text + "  </middle>\r\n");
}

std::string BtsFace::states(const std::vector<Element>& asked) const {
  std::vector<std::string> lines;
  for (const Element& element : asked) {
    std::size_t i = 0;
    const BtsPlace* p = place_of(element, i);
    if (p == nullptr) continue;
    lines.push_back(fmt::format(R"(<status ip="127.0.0.1" {} reservepause="0">{}</status>)",
                                numbers(*p, options_.names_sub_device_1 ? 1 : p->sub_device), jobs_[i].state_word()));
  }
  return reply("getchlstatus", list(lines));
}

std::string BtsFace::inquire(const std::vector<Element>& asked, World& world, base::WallTime wall) {
  std::vector<std::string> lines;
  for (const Element& element : asked) {
    std::size_t i = 0;
    const BtsPlace* p = place_of(element, i);
    if (p == nullptr) continue;
    const BtsJob& job = jobs_[i];
    Plant& plant = world.plant(p->plant);
    const BtsPoint now = job.now(plant, wall);
    const bool working = !job.is_free();
    std::string line = fmt::format(R"(<inquire dev="{}-{}-{}-{}-0" cycle_id="{}")", p->type, p->device,
                                   options_.names_sub_device_1 ? 1 : p->sub_device, p->channel, job.cycle());
    if (working) line += fmt::format(R"( step_id="{}")", job.step());
    line += fmt::format(
        R"( step_type="{}" workstatus="{}" barcode="{}" current="{:.4f}" voltage="{:.4f}" capacity="{:.4f}" )"
        R"(energy="{:.4f}" totaltime="{}" relativetime="{}" open_or_close="0" log_code="0" T1="{:.1f}" />)",
        job.step_type(), job.state_word(), quoted(job.barcode()), now.current_A, now.voltage_V,
        working ? now.charge_Ah : 0.0, working ? now.energy_Wh : 0.0, job.since_start(plant.now()).seconds(),
        working ? static_cast<double>(now.step_time_ms) * 1e-3 : 0.0, now.temperature_degC);
    lines.push_back(std::move(line));
  }
  return reply("inquire", list(lines));
}

bool BtsFace::obey(const std::string& verb, const Element& element, World& world, base::WallTime wall) {
  std::size_t i = 0;
  const BtsPlace* p = place_of(element, i);
  if (p == nullptr) return false;
  Plant& plant = world.plant(p->plant);
  BtsJob& job = jobs_[i];
  if (verb == "stop") return job.stop(plant, wall);
  if (verb == "clearflag") return job.clear_flag(plant);
  const auto schedule = options_.schedules.find(element.text);
  if (!job.is_free() || schedule == options_.schedules.end()) return false;
  const auto barcode = element.attributes.find("barcode");
  job.start(plant, schedule->second, barcode == element.attributes.end() ? "" : barcode->second, ++last_test_, wall);
  return true;
}

std::string BtsFace::change(const std::string& verb, const std::vector<Element>& asked, World& world,
                            base::WallTime wall) {
  std::vector<std::string> lines;
  for (const Element& element : asked) {
    std::size_t i = 0;
    const BtsPlace* p = place_of(element, i);
    if (p == nullptr) continue;
    lines.push_back(fmt::format(R"(<{0} ip="127.0.0.1" {1}>{2}</{0}>)", verb, numbers(*p, p->sub_device),
                                obey(verb, element, world, wall) ? "ok" : "false"));
  }
  return reply(verb, list(lines));
}

std::string BtsFace::stored(const std::vector<Element>& asked) const {
  std::vector<std::string> lines;
  for (const Element& element : asked) {
    std::size_t i = 0;
    const BtsPlace* p = place_of(element, i);
    if (p == nullptr) continue;
    lines.push_back(fmt::format(R"(<chl {} testid="{}" count="{}">{}</chl>)", numbers(*p, p->sub_device),
                                jobs_[i].test_id(), jobs_[i].points().size(), jobs_[i].is_free()));
  }
  return reply("inquiredf", list(lines));
}

std::string BtsFace::download(const std::vector<Element>& asked) const {
  std::size_t i = 0;
  if (asked.size() != 1 || place_of(asked[0], i) == nullptr) return {};
  const auto& points = jobs_[i].points();
  const std::int64_t first = std::max<std::int64_t>(1, asked[0].number("startpos"));
  const std::int64_t count = asked[0].number("count");
  std::vector<std::string> lines;
  for (auto n = static_cast<std::size_t>(first - 1);
       n < points.size() && lines.size() < kPointsAtOnce && static_cast<std::int64_t>(lines.size()) < count; ++n) {
    const BtsPoint& p = points[n];
    lines.push_back(fmt::format(
        R"(<data seqid="{}" stepid="{}" cycleid="{}" steptype="{}" testtime="{}" atime="{}" volt="{}" curr="{}" )"
        R"(cap="{}" eng="{}" T1="{:.2f}" />)",
        p.number, p.step, p.cycle, p.step_type, p.step_time_ms, wall_text(p.wall), p.voltage_V, p.current_A,
        p.charge_Ah, p.energy_Wh, p.temperature_degC));
  }
  const std::string echo =
      fmt::format("  <download {} testid=\"{}\" startpos=\"{}\" count=\"{}\" auxid=\"0\" />\r\n",
                  numbers(options_.places[i], options_.places[i].sub_device), jobs_[i].test_id(), first, count);
  return reply(options_.misspells ? "donwload" : "download", echo + list(lines));
}

std::string BtsFace::log(const std::vector<Element>& asked) const {
  std::size_t i = 0;
  if (asked.size() != 1 || place_of(asked[0], i) == nullptr) return {};
  std::vector<std::string> lines;
  for (const BtsLogEntry& entry : jobs_[i].log())
    lines.push_back(
        fmt::format(R"(<data seqid="{}" log_code="{}" atime="{}" />)", entry.point, entry.code, wall_text(entry.wall)));
  const std::string echo = fmt::format("  <download {} testid=\"{}\" log_lever=\"0\" />\r\n",
                                       numbers(options_.places[i], options_.places[i].sub_device), jobs_[i].test_id());
  return reply(options_.misspells ? "donwloadlog" : "downloadlog", echo + list(lines));
}

std::string BtsFace::answer(std::string_view request, World& world, base::WallTime wall, bool& logged_in) {
  const std::string verb = between(request, "cmd");
  if (verb == "connect") return connect(request, logged_in);
  if (!logged_in) return {};
  const std::vector<Element> asked = Element::all(request);
  if (verb == "getdevinfo") return device_info();
  if (verb == "getchlstatus") return states(asked);
  if (verb == "inquire") return inquire(asked, world, wall);
  if (verb == "inquiredf") return stored(asked);
  if (verb == "download") return download(asked);
  if (verb == "downloadlog") return log(asked);
  if (verb == "start" || verb == "stop" || verb == "clearflag") return change(verb, asked, world, wall);
  return {};
}

}  // namespace cyclerd::hil
