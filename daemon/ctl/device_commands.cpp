// devices, device check, show and new: what needs the description files and no instrument.
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>

#include "daemon/app/launch.hpp"
#include "daemon/ctl/commands.hpp"
#include "daemon/ctl/description_files.hpp"
#include "daemon/ctl/description_view.hpp"
#include "daemon/ctl/device_skeleton.hpp"
#include "daemon/ctl/status_view.hpp"
#include "protocols/device/words.hpp"

namespace cyclerd::ctl {

using control::Failure;
using device::Description;

namespace {

std::string good_text(const Description& d) {
  return fmt::format("{}: {}, {} over {}; {} items, {}\n", d.id, d.title, kind_word(d.kind), dialect_word(d.dialect),
                     d.items.size(), provenance_text(provenance_of(d)));
}

Json summary_json(const Description& d) {
  return {{"description", d.id},
          {"title", d.title},
          {"kind", kind_word(d.kind)},
          {"dialect", dialect_word(d.dialect)},
          {"items", d.items.size()},
          {"provenance", provenance_json(provenance_of(d))},
          {"file", d.source ? d.source->name : ""}};
}

// Every description that can be found, or those that are named; those that do not load are told and left out.
std::vector<LoadedDescription> chosen_descriptions(const Options& options, Io& io, int& exit_code) {
  std::vector<LoadedDescription> chosen;
  std::vector<std::string> names = options.descriptions;
  if (names.empty()) names = description_library(options).names();
  for (const std::string& name : names) {
    auto loaded = load_named_description(name, options);
    if (!loaded) {
      exit_code = std::max(exit_code, report(loaded.error(), options, io));
    } else if (!loaded->description) {
      print(io.err, loaded->findings.render(false));
      exit_code = std::max(exit_code, static_cast<int>(Failure::invalid));
    } else {
      chosen.push_back(std::move(*loaded));
    }
  }
  return chosen;
}

Json facts_json(const std::vector<LoadedDescription>& descriptions) {
  Json facts = Json::array();
  for (const auto& loaded : descriptions) {
    for (const device::Item& item : loaded.description->items) {
      if (!is_unverified(item)) continue;
      facts.push_back({{"description", loaded.description->id},
                       {"item", item.name},
                       {"where", place_text(*loaded.description, item)},
                       {"mark", device::to_string(item.mark)},
                       {"source", item.source},
                       {"line", item.where.line}});
    }
  }
  return facts;
}

int show_facts(const Options& options, Io& io) {
  int exit_code = 0;
  const Json facts = facts_json(chosen_descriptions(options, io, exit_code));
  if (options.json) {
    print_json(io.out, {{"unverified", facts}});
    return exit_code;
  }
  Table table({"DESCRIPTION", "ITEM", "WHERE", "MARK", "SOURCE"});
  for (const Json& fact : facts) {
    const std::string mark = text_member(fact, "mark");
    table.add({text_member(fact, "description"), text_member(fact, "item"), text_member(fact, "where"), mark,
               text_member(fact, "source")},
              mark == "C" || mark == "G" ? Tone::warning : Tone::plain);
  }
  print(io.out, options.plain ? table.plain() : table.render(io.width, io.colour));
  return exit_code;
}

int write_new(const std::string& text, const Options& options, Io& io) {
  std::error_code error;
  if (std::filesystem::exists(options.out, error))
    return report({Failure::usage, fmt::format("{} exists; a skeleton replaces nothing", options.out)}, options, io);
  std::ofstream file(options.out);
  file << text;
  file.flush();
  if (!file)
    return report({Failure::permission, fmt::format("{} cannot be written; is its folder there?", options.out)},
                  options, io);
  print(io.err, fmt::format("Fill it in; cyclerctl device check {} tells what is left to do\n", options.out));
  return 0;
}

}  // namespace

Json known_descriptions_json(const Options& options, Io& io, int& exit_code) {
  Json known = Json::array();
  for (const auto& loaded : chosen_descriptions(options, io, exit_code))
    known.push_back(summary_json(*loaded.description));
  return known;
}

Table known_descriptions_table(const Json& known) {
  Table table({"DESCRIPTION", "KIND", "DIALECT", "TITLE", "FACTS", "UNVERIFIED", "V2", "V1", "C", "G"});
  for (const Json& d : known) {
    const Json& marks = member(d, "provenance");
    const auto count = [&](const char* mark) { return member(marks, mark).dump(); };
    const bool doubtful = member(marks, "C") != 0 || member(marks, "G") != 0;
    table.add(
        {text_member(d, "description"), text_member(d, "kind"), text_member(d, "dialect"), text_member(d, "title"),
         member(d, "items").dump(), count("unverified"), count("V2"), count("V1"), count("C"), count("G")},
        doubtful ? Tone::warning : Tone::plain);
  }
  return table;
}

int known_devices(const Options& options, Io& io) {
  if (options.unverified) return show_facts(options, io);
  int exit_code = 0;
  const Json known = known_descriptions_json(options, io, exit_code);
  if (options.json) {
    print_json(io.out, {{"descriptions", known}});
  } else {
    const Table table = known_descriptions_table(known);
    print(io.out, options.plain ? table.plain() : table.render(io.width, io.colour));
  }
  return exit_code;
}

int device_check_command(const Options& options, Io& io) {
  int worst = 0;
  Json files = Json::array();
  for (const std::string& name : options.descriptions) {
    const auto loaded = load_named_description(name, options);
    if (!loaded) {
      worst = std::max(worst, loaded.error().exit_code);
      files.push_back({{"file", name},
                       {"valid", false},
                       {"errors", 0},
                       {"warnings", 0},
                       {"findings", Json::array()},
                       {"description", nullptr},
                       {"error", {{"exit_code", loaded.error().exit_code}, {"message", loaded.error().message}}}});
      if (!options.json || options.descriptions.size() == 1) report(loaded.error(), options, io);
      continue;
    }
    const bool valid = !loaded->findings.has_errors();
    if (!valid) worst = std::max(worst, static_cast<int>(Failure::invalid));
    if (!options.json) {
      std::string text = loaded->findings.render(io.colour);
      if (!text.empty() && text.back() != '\n') text += '\n';
      if (valid) text += good_text(*loaded->description);
      print(io.out, text);
    }
    Json one = findings_json(app::describe_findings(loaded->findings));
    one["file"] = loaded->file;
    one["description"] = valid ? summary_json(*loaded->description) : Json(nullptr);
    files.push_back(std::move(one));
  }
  if (!options.json) return worst;
  if (files.size() == 1) {
    if (!files[0].contains("error")) print_json(io.out, files[0]);
    return worst;
  }
  Json all{{"valid", worst == 0}, {"errors", 0}, {"warnings", 0}, {"files", files}};
  for (const Json& one : files) {
    for (const char* key : {"errors", "warnings"}) all[key] = all[key].get<int>() + one[key].get<int>();
  }
  print_json(io.out, all);
  return worst;
}

int device_show_command(const Options& options, Io& io) {
  int exit_code = 0;
  const auto chosen = chosen_descriptions(options, io, exit_code);
  if (chosen.empty()) return exit_code;
  const Description& description = *chosen.front().description;
  if (options.json)
    print_json(io.out, description_json(description));
  else
    print(io.out, description_page(description, io.width, io.colour));
  return 0;
}

int device_new_command(const Options& options, Io& io) {
  const bool plain_name =
      !options.name.empty() && options.name.size() <= 64 && std::ranges::all_of(options.name, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
      });
  if (!plain_name) {
    return report(
        {Failure::usage, fmt::format("\"{}\" is no name of a description: use a-z, 0-9 and '-'", options.name)},
        options, io);
  }
  const std::pair<std::string_view, device::Dialect> dialects[] = {
      {"modbus", device::Dialect::modbus}, {"text", device::Dialect::text}, {"can", device::Dialect::can}};
  const std::pair<std::string_view, device::DeviceKind> kinds[] = {{"cycler", device::DeviceKind::cycler},
                                                                   {"chamber", device::DeviceKind::chamber},
                                                                   {"sensor", device::DeviceKind::sensor}};
  const auto* dialect = std::ranges::find(dialects, options.dialect, [](const auto& d) { return d.first; });
  const auto* kind = std::ranges::find(kinds, options.kind, [](const auto& k) { return k.first; });
  if (dialect == std::end(dialects))
    return report({Failure::usage, fmt::format("no dialect \"{}\": modbus, text, can", options.dialect)}, options, io);
  if (kind == std::end(kinds))
    return report({Failure::usage, fmt::format("no kind \"{}\": cycler, chamber, sensor", options.kind)}, options, io);
  const std::string text = device_skeleton(options.name, dialect->second, kind->second);
  if (!options.out.empty()) return write_new(text, options, io);
  print(io.out, text);
  return 0;
}

}  // namespace cyclerd::ctl
