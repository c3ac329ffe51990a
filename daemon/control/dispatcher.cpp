#include "daemon/control/dispatcher.hpp"

#include <fmt/format.h>

#include <array>
#include <atomic>
#include <memory>
#include <stdexcept>
#include <utility>

namespace cyclerd::control {

namespace {

// The caller's params do not fit; caught in Dispatcher::call.
struct BadParams : std::runtime_error {
  using std::runtime_error::runtime_error;
};

std::string text_param(const Json& params, const char* name, bool required) {
  const auto it = params.find(name);
  if (it == params.end() || it->is_null()) {
    if (required) throw BadParams(fmt::format("`{}` is missing: a string", name));
    return {};
  }
  if (!it->is_string()) throw BadParams(fmt::format("`{}` must be a string, not {}", name, it->type_name()));
  auto value = it->get<std::string>();
  if (required && value.empty()) throw BadParams(fmt::format("`{}` is empty", name));
  return value;
}

std::int64_t integer_param(const Json& params, const char* name, std::int64_t fallback, std::int64_t min,
                           std::int64_t max) {
  const auto it = params.find(name);
  if (it == params.end()) return fallback;
  if (!it->is_number_integer()) throw BadParams(fmt::format("`{}` must be a whole number", name));
  const bool fits = it->is_number_unsigned() ? it->get<std::uint64_t>() <= static_cast<std::uint64_t>(max) : true;
  const auto value = fits ? it->get<std::int64_t>() : max;
  if (!fits || value < min || value > max) {
    throw BadParams(fmt::format("`{}` is {}, must be {} to {}", name, it->dump(), min, max));
  }
  return value;
}

void require_strings(const Json& params, const char* name, const char* example) {
  const auto it = params.find(name);
  if (it == params.end() || it->is_null()) return;
  if (!it->is_object()) throw BadParams(fmt::format("`{}` must be an object of strings, {}", name, example));
  for (const auto& [key, value] : it->items()) {
    if (!value.is_string())
      throw BadParams(fmt::format("`{}` must be a string: `{}` is an object of strings, {}", key, name, example));
  }
}

void require_launch_params(const Json& params, bool start) {
  text_param(params, "profile", true);
  text_param(params, "channel", start);
  text_param(params, "cell", start);
  for (const char* name : {"profile_name", "cell_name", "sample_name", "operator", "institution", "note"}) {
    text_param(params, name, false);
  }
  require_strings(params, "parameters", "as typed: {\"cycles\": \"200\"}");
  require_strings(params, "waveforms", "the texts of the files that the profile names: {\"drive.csv\": \"...\"}");
}

void require_amend_params(const Json& params) {
  text_param(params, "profile", true);
  text_param(params, "channel", true);
  for (const char* name : {"profile_name", "reason"}) text_param(params, name, false);
  require_strings(params, "parameters", "as typed: {\"cycles\": \"200\"}");
  require_strings(params, "waveforms", "the texts of the files that the profile names: {\"drive.csv\": \"...\"}");
  for (const char* name : {"cell", "cell_name", "soc"}) {
    if (params.contains(name)) throw BadParams(fmt::format("`{}` stays that of the running test: leave it out", name));
  }
  if (const auto it = params.find("dry_run"); it != params.end() && !it->is_boolean())
    throw BadParams("`dry_run` must be true or false");
}

struct Call {
  StationApi& station;
  const Json& params;
  Connection& connection;
  Done done;
};

void request(Call& call, const char* what) {
  call.station.request(text_param(call.params, "channel", true), what, text_param(call.params, "reason", false),
                       call.connection.caller(), std::move(call.done));
}

struct Method {
  std::string_view name;
  Role role;           // the lowest that may call it
  bool changes_state;  // audited
  bool in_reserve;     // also served when every place is taken
  void (*run)(Call&);
};

constexpr std::array<Method, 16> kMethods{{
    {"server.info", Role::none, false, true, [](Call& c) { c.done(Answer::ok(c.station.server_info())); }},
    {"status", Role::viewer, false, true,
     [](Call& c) { c.done(Answer::ok(status_of(c.station, text_param(c.params, "channel", false)))); }},
    {"devices", Role::viewer, false, false, [](Call& c) { c.done(Answer::ok(c.station.devices())); }},
    {"doctor", Role::viewer, false, false, [](Call& c) { c.station.doctor_later(std::move(c.done)); }},
    {"tests", Role::viewer, false, false, [](Call& c) { c.station.tests_later(std::move(c.done)); }},
    {"check", Role::viewer, false, false,
     [](Call& c) {
       require_launch_params(c.params, false);
       c.station.check_later(c.params, std::move(c.done));
     }},
    {"start", Role::operator_, true, false,
     [](Call& c) {
       require_launch_params(c.params, true);
       c.station.start(c.params, c.connection.caller(), std::move(c.done));
     }},
    {"amend", Role::operator_, true, false,
     [](Call& c) {
       require_amend_params(c.params);
       c.station.amend(c.params, c.connection.caller(), std::move(c.done));
     }},
    {"pause", Role::operator_, true, false, [](Call& c) { request(c, "pause"); }},
    {"resume", Role::operator_, true, false, [](Call& c) { request(c, "resume"); }},
    {"skip", Role::operator_, true, false, [](Call& c) { request(c, "skip_step"); }},
    {"stop", Role::none, true, true, [](Call& c) { request(c, "stop"); }},
    {"ack", Role::operator_, true, false,
     [](Call& c) {
       c.station.acknowledge(text_param(c.params, "channel", true), text_param(c.params, "reason", false),
                             c.connection.caller(), std::move(c.done));
     }},
    {"subscribe", Role::viewer, false, false,
     [](Call& c) {
       const auto topic = text_param(c.params, "topic", false);
       if (!topic.empty() && topic != "status") {
         throw BadParams(fmt::format("`topic` is \"{}\": \"status\" is the only one", topic));
       }
       const auto interval =
           integer_param(c.params, "interval_ms", kDefaultInterval_ms, kMinInterval_ms, kMaxInterval_ms);
       c.done(c.connection.subscribe_status(static_cast<int>(interval), text_param(c.params, "channel", false)));
     }},
    {"unsubscribe", Role::none, false, false,
     [](Call& c) {
       if (!c.params.contains("subscription")) throw BadParams("`subscription` is missing: the number subscribe gave");
       c.done(c.connection.unsubscribe(integer_param(c.params, "subscription", 0, 0, INT64_MAX)));
     }},
    {"methods", Role::none, false, false, [](Call& c) { c.done(Answer::ok(Dispatcher::method_names())); }},
}};

const Method* find_method(std::string_view name) {
  for (const Method& method : kMethods) {
    if (method.name == name) return &method;
  }
  return nullptr;
}

Json without_texts(const Json& params) {
  Json kept = params;
  for (const char* name : {"profile", "cell"}) {
    const auto it = kept.find(name);
    if (it != kept.end() && it->is_string()) *it = fmt::format("({} bytes)", it->get_ref<const std::string&>().size());
  }
  if (const auto waveforms = kept.find("waveforms"); waveforms != kept.end() && waveforms->is_object()) {
    for (Json& text : *waveforms) {
      if (text.is_string()) text = fmt::format("({} bytes)", text.get_ref<const std::string&>().size());
    }
  }
  return kept;
}

}  // namespace

Json status_of(StationApi& station, const std::string& channel) {
  Json status = station.status();
  if (channel.empty() || !status.is_object() || !status.contains("channels")) return status;
  std::string names;
  for (const Json& item : status["channels"]) {
    const auto name = item.value("name", std::string{});
    if (name == channel) {
      Json found = item;
      status["channels"] = Json::array({std::move(found)});
      return status;
    }
    names += (names.empty() ? "" : ", ") + name;
  }
  throw BadParams(fmt::format("no channel \"{}\" on this station; there are: {}", channel, names));
}

Dispatcher::Dispatcher(StationApi& station, AuditSink audit, Post post)
    : station_(station), audit_(std::move(audit)), post_(std::move(post)) {}

std::vector<std::string> Dispatcher::method_names() {
  std::vector<std::string> names;
  for (const Method& method : kMethods) names.emplace_back(method.name);
  return names;
}

bool Dispatcher::knows(std::string_view method) {
  return find_method(method) != nullptr;
}

void Dispatcher::call(const std::string& name, const Json& params, Connection& connection, Done done) {
  const Method* method = find_method(name);
  if (method == nullptr) {
    done(Answer::error(Failure::usage, fmt::format("no method \"{}\"; the method \"methods\" lists them", name)));
    return;
  }
  Done finish = done;
  if (method->changes_state) {
    finish = [audit = audit_, who = connection.caller(), name, kept = without_texts(params),
              done = std::move(done)](Answer answer) {
      if (audit) audit({who, name, kept, answer.failure, answer.message});
      done(std::move(answer));
    };
  }
  if (connection.reserve() && !method->in_reserve) {
    finish(Answer::error(Failure::busy, "every connection is taken: only stop, status and server.info are served"));
    return;
  }
  if (connection.role() < method->role) {
    finish(Answer::error(Failure::permission,
                         fmt::format("{} needs the role {}, {} is {}: ask an administrator to add the user to the "
                                     "station's {} group",
                                     name, to_string(method->role), connection.caller().user,
                                     to_string(connection.role()), to_string(method->role))));
    return;
  }
  // Whatever happens below, the caller is answered once: the station may answer twice by mistake, or throw after it
  // has.
  auto answered = std::make_shared<std::atomic<bool>>(false);
  Done once = [answered, post = post_, finish](Answer answer) {
    if (answered->exchange(true)) return;
    post([finish, answer = std::move(answer)]() mutable { finish(std::move(answer)); });
  };
  try {
    Call call{station_, params, connection, once};
    method->run(call);
  } catch (const BadParams& e) {
    once(Answer::error(Failure::usage, fmt::format("{}: {}", name, e.what())));
  } catch (const std::exception& e) {
    once(Answer::error(Failure::failed, fmt::format("{} failed inside the daemon: {}", name, e.what())));
  }
}

}  // namespace cyclerd::control
