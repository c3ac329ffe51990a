#include "protocols/remote/bts_replies.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <initializer_list>
#include <limits>
#include <optional>
#include <pugixml.hpp>
#include <set>

namespace cyclerd::remote::bts {

namespace {

using base::ErrorCode;

std::unexpected<base::Error> no_reply(std::string_view why) {
  return base::failure(ErrorCode::protocol, "", why);
}

// What the server wrote, fit for a message.
std::string shown(std::string_view text) {
  std::string out(text.substr(0, 40));
  for (char& c : out) {
    if (static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) > 0x7E) c = '?';
  }
  return out + (text.size() > 40 ? "..." : "");
}

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

std::string_view attribute(const pugi::xml_node& node, const char* name) {
  return trimmed(node.attribute(name).value());
}

// Walks without recursion: the depth is what is in doubt.
bool is_shallow(const pugi::xml_document& document) {
  int depth = 0;
  for (pugi::xml_node node = document.first_child(); node;) {
    if (depth >= kMaxXmlDepth) return false;
    if (const pugi::xml_node inner = node.first_child()) {
      node = inner;
      ++depth;
      continue;
    }
    while (!node.next_sibling() && depth > 0) {
      node = node.parent();
      --depth;
    }
    node = node.next_sibling();
  }
  return true;
}

// A reply as a tree: <bts><cmd>VERB_resp</cmd>...
class Reply {
 public:
  // `verbs`: how the reply may be called; servers misspell some.
  base::Status read(std::string_view document, std::initializer_list<std::string_view> verbs) {
    const auto result = tree_.load_buffer(document.data(), document.size(), pugi::parse_default | pugi::parse_doctype,
                                          pugi::encoding_utf8);
    if (!result)
      return no_reply(fmt::format("the reply is no XML ({} at byte {})", result.description(), result.offset));
    for (const pugi::xml_node& node : tree_) {
      if (node.type() == pugi::node_doctype) return no_reply("the reply brings a document type of its own");
    }
    if (!is_shallow(tree_)) return no_reply(fmt::format("the reply is nested deeper than {}", kMaxXmlDepth));
    root_ = tree_.document_element();
    if (std::string_view(root_.name()) != "bts")
      return no_reply(fmt::format("the reply is no <bts> but <{}>: is this a BTS server?", shown(root_.name())));
    const std::string_view verb = trimmed(root_.child("cmd").text().get());
    if (std::find(verbs.begin(), verbs.end(), verb) != verbs.end()) return {};
    return no_reply(fmt::format("asked for {}, answered \"{}\"", *verbs.begin(), shown(verb)));
  }
  [[nodiscard]] const pugi::xml_node& root() const noexcept { return root_; }
  // Elements of <list> with this name.
  [[nodiscard]] std::vector<pugi::xml_node> list(const char* element) const {
    std::vector<pugi::xml_node> found;
    for (const pugi::xml_node& node : root_.child("list").children(element)) found.push_back(node);
    return found;
  }

 private:
  pugi::xml_document tree_;
  pugi::xml_node root_;
};

template <class Number>
std::optional<Number> number_of(std::string_view text) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  if constexpr (std::is_floating_point_v<Number>) {
    if (!std::isfinite(value)) return std::nullopt;
  }
  return value;
}

// Reads the numbers of one element; the first that is none is remembered.
class Numbers {
 public:
  explicit Numbers(const pugi::xml_node& node) : node_(node) {}

  template <class Number>
  std::optional<Number> may(const char* name) {
    const std::string_view text = attribute(node_, name);
    if (text.empty() || text == "--") return std::nullopt;
    const auto value = number_of<Number>(text);
    if (!value) wrong(name, text);
    return value;
  }
  template <class Number>
  Number must(const char* name) {
    const std::string_view text = attribute(node_, name);
    const auto value = number_of<Number>(text);
    if (!value) wrong(name, text);
    return value.value_or(Number{});
  }
  [[nodiscard]] base::Status status() const {
    if (wrong_.empty()) return {};
    return no_reply(wrong_);
  }

 private:
  void wrong(const char* name, std::string_view text) {
    if (wrong_.empty()) wrong_ = fmt::format("<{}>: {}=\"{}\" is no number", shown(node_.name()), name, shown(text));
  }
  pugi::xml_node node_;
  std::string wrong_;
};

std::vector<std::pair<std::string, std::string>> others_of(const pugi::xml_node& node,
                                                           std::initializer_list<std::string_view> known) {
  std::vector<std::pair<std::string, std::string>> others;
  for (const pugi::xml_attribute& a : node.attributes()) {
    if (std::find(known.begin(), known.end(), a.name()) == known.end()) others.emplace_back(a.name(), a.value());
  }
  return others;
}

base::Status check_id(const BtsChannel& asked, const ChannelId& told) {
  const bool fits = told.device == asked.id.device && told.channel == asked.id.channel &&
                    (told.sub_device == asked.id.sub_device || told.sub_device == 1);
  if (fits) return {};
  return no_reply(fmt::format("asked about channel {}, answered about {}", to_text(asked.id), to_text(told)));
}

// An element that names its channel by attributes.
base::Status check_place(const BtsChannel& asked, const pugi::xml_node& node) {
  Numbers numbers(node);
  const ChannelId told{numbers.must<std::int32_t>("devid"), numbers.must<std::int32_t>("subdevid"),
                       numbers.must<std::int32_t>("chlid")};
  TRY(numbers.status());
  return check_id(asked, told);
}

// "27-21-1-4-0": type, device, sub-device, channel, auxiliary.
base::Status check_dev(const BtsChannel& asked, std::string_view dev) {
  const auto first = dev.find('-');
  const auto last = dev.rfind('-');
  const auto told = first == std::string_view::npos || last <= first
                        ? std::nullopt
                        : parse_channel_id(dev.substr(first + 1, last - first - 1));
  if (!told) return no_reply(fmt::format("dev=\"{}\" names no channel", shown(dev)));
  return check_id(asked, *told);
}

base::Result<std::vector<pugi::xml_node>> one_for_each(const Reply& reply, const char* element,
                                                       std::span<const BtsChannel> asked) {
  auto found = reply.list(element);
  if (found.size() == asked.size()) return found;
  return no_reply(fmt::format("asked about {} channels, answered about {}", asked.size(), found.size()));
}

ChannelStatus status_of(const BtsChannel& channel, std::string_view word) {
  return {channel.id, state_of(word), std::string(word)};
}

}  // namespace

ChannelState state_of(std::string_view word) noexcept {
  struct Row {
    std::string_view word;
    ChannelState state;
  };
  // "ligth" is the server's spelling.
  constexpr std::array kWords = {Row{"working", ChannelState::working},   Row{"finish", ChannelState::finished},
                                 Row{"stop", ChannelState::stopped},      Row{"protect", ChannelState::protection},
                                 Row{"pause", ChannelState::paused},      Row{"synCtrl", ChannelState::waiting},
                                 Row{"waitStart", ChannelState::waiting}, Row{"waitTimeOut", ChannelState::waiting}};
  for (const Row& row : kWords) {
    if (row.word == word) return row.state;
  }
  return ChannelState::unknown;
}

base::Status read_connect(std::string_view document) {
  Reply reply;
  TRY(reply.read(document, {"connect_resp"}));
  const std::string_view result = trimmed(reply.root().child("result").text().get());
  if (result == "ok") return {};
  return base::failure(ErrorCode::permission, "",
                       fmt::format("the server refuses the login ({}): check --user and the password, and that the "
                                   "server's API is unlocked",
                                   result.empty() ? "without a word" : shown(result)));
}

base::Result<std::vector<BtsChannel>> read_device_info(std::string_view document) {
  Reply reply;
  TRY(reply.read(document, {"getdevinfo_resp"}));
  std::vector<BtsChannel> channels;
  std::set<ChannelId> seen;
  for (const pugi::xml_node& node : reply.root().child("middle").children("channel")) {
    Numbers numbers(node);
    BtsChannel channel;
    channel.type = numbers.must<std::int32_t>("devtype");
    channel.id.device = numbers.must<std::int32_t>("devid");
    channel.id.sub_device = numbers.must<std::int32_t>("subdevid");
    // Here, and only here, the channel is called so.
    channel.id.channel = numbers.must<std::int32_t>(node.attribute("Channelid") ? "Channelid" : "chlid");
    channel.ip = attribute(node, "ip");
    TRY(numbers.status());
    if (!can_be_sent(channel.ip)) return no_reply("a channel's ip holds control characters");
    if (!seen.insert(channel.id).second)
      return no_reply(fmt::format("the server lists channel {} twice", to_text(channel.id)));
    channels.push_back(std::move(channel));
  }
  return channels;
}

base::Result<std::vector<ChannelStatus>> read_status(std::string_view document, std::span<const BtsChannel> asked) {
  Reply reply;
  TRY(reply.read(document, {"getchlstatus_resp"}));
  TRY_ASSIGN(const auto nodes, one_for_each(reply, "status", asked));
  std::vector<ChannelStatus> all;
  for (std::size_t i = 0; i < asked.size(); ++i) {
    TRY(check_place(asked[i], nodes[i]));
    all.push_back(status_of(asked[i], trimmed(nodes[i].text().get())));
  }
  return all;
}

base::Result<std::vector<Progress>> read_inquire(std::string_view document, std::span<const BtsChannel> asked) {
  Reply reply;
  TRY(reply.read(document, {"inquire_resp"}));
  TRY_ASSIGN(const auto nodes, one_for_each(reply, "inquire", asked));
  std::vector<Progress> all;
  for (std::size_t i = 0; i < asked.size(); ++i) {
    const pugi::xml_node& node = nodes[i];
    TRY(check_dev(asked[i], attribute(node, "dev")));
    Numbers numbers(node);
    Progress p;
    p.status = status_of(asked[i], attribute(node, "workstatus"));
    p.barcode = attribute(node, "barcode");
    p.step_type = attribute(node, "step_type") == "--" ? "" : attribute(node, "step_type");
    p.cycle = numbers.may<std::int64_t>("cycle_id");
    p.step = numbers.may<std::int64_t>("step_id");
    p.voltage_V = numbers.may<double>("voltage");
    p.current_A = numbers.may<double>("current");
    p.step_charge_Ah = numbers.may<double>("capacity");
    p.step_energy_Wh = numbers.may<double>("energy");
    p.test_time_s = numbers.may<double>("totaltime");
    p.step_time_s = numbers.may<double>("relativetime");
    p.others = others_of(node, {"dev", "cycle_id", "step_id", "step_type", "workstatus", "barcode", "current",
                                "voltage", "capacity", "energy", "totaltime", "relativetime"});
    TRY(numbers.status());
    all.push_back(std::move(p));
  }
  return all;
}

base::Result<bool> read_verdict(std::string_view document, std::string_view verb, const BtsChannel& asked) {
  Reply reply;
  const std::string name = fmt::format("{}_resp", verb);
  TRY(reply.read(document, {name}));
  TRY_ASSIGN(const auto nodes, one_for_each(reply, std::string(verb).c_str(), std::span(&asked, 1)));
  const std::string_view verdict = trimmed(nodes[0].text().get());
  if (verdict == "false") return false;  // whatever channel it names: a captured refusal names another
  if (verdict != "ok") return no_reply(fmt::format("neither ok nor false but \"{}\"", shown(verdict)));
  TRY(check_place(asked, nodes[0]));
  return true;
}

base::Result<StoredTest> read_stored(std::string_view document, const BtsChannel& asked) {
  Reply reply;
  TRY(reply.read(document, {"inquiredf_resp"}));
  TRY_ASSIGN(const auto nodes, one_for_each(reply, "chl", std::span(&asked, 1)));
  TRY(check_place(asked, nodes[0]));
  Numbers numbers(nodes[0]);
  StoredTest test;
  test.id = attribute(nodes[0], "testid");
  test.points = numbers.must<std::int64_t>("count");
  test.complete = trimmed(nodes[0].text().get()) == "true";
  TRY(numbers.status());
  if (test.points < 0) return no_reply("the server counts fewer than no points");
  return test;
}

base::Result<Page> read_download(std::string_view document, const BtsChannel& asked, std::int64_t first) {
  Reply reply;
  TRY(reply.read(document, {"download_resp", "donwload_resp"}));
  Page page;
  if (const pugi::xml_node echo = reply.root().child("download")) {
    TRY(check_place(asked, echo));
    page.test_id = attribute(echo, "testid");
  }
  std::int64_t least = first;
  for (const pugi::xml_node& node : reply.list("data")) {
    Numbers numbers(node);
    DataPoint p;
    p.number = numbers.must<std::int64_t>("seqid");
    p.voltage_V = numbers.must<double>("volt");
    p.current_A = numbers.must<double>("curr");
    p.step_time_s = numbers.must<double>("testtime") * 1e-3;
    p.step_charge_Ah = numbers.may<double>("cap");
    p.step_energy_Wh = numbers.may<double>("eng");
    p.cycle = numbers.may<std::int64_t>("cycleid");
    p.step = numbers.may<std::int64_t>("stepid");
    p.step_type = attribute(node, "steptype");
    p.server_time = attribute(node, "atime");
    p.others =
        others_of(node, {"seqid", "volt", "curr", "testtime", "cap", "eng", "cycleid", "stepid", "steptype", "atime"});
    TRY(numbers.status());
    if (p.number < least)
      return no_reply(fmt::format("point {} comes where {} or a later one is due", p.number, least));
    if (p.number == std::numeric_limits<std::int64_t>::max())
      return no_reply("a point's number is beyond all counting");
    least = p.number + 1;
    page.points.push_back(std::move(p));
  }
  return page;
}

base::Result<std::vector<LogEntry>> read_log(std::string_view document, const BtsChannel& asked) {
  Reply reply;
  TRY(reply.read(document, {"downloadlog_resp", "donwloadlog_resp"}));
  if (const pugi::xml_node echo = reply.root().child("download")) TRY(check_place(asked, echo));
  std::vector<LogEntry> entries;
  for (const pugi::xml_node& node : reply.list("data")) {
    Numbers numbers(node);
    LogEntry entry{numbers.must<std::int64_t>("seqid"), numbers.must<std::int64_t>("log_code"),
                   std::string(attribute(node, "atime"))};
    TRY(numbers.status());
    entries.push_back(std::move(entry));
  }
  return entries;
}

}  // namespace cyclerd::remote::bts
