#include "hil/identify/run_manifest.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "protocols/text/toml.hpp"

namespace cyclerd::hil {
namespace {

std::vector<std::string> words(text::TableReader& reader, std::string_view key, bool required) {
  std::vector<std::string> out;
  const text::TomlNode* node = required ? reader.required(key) : reader.optional(key);
  if (node == nullptr) return out;
  if (!node->is_array() || !std::ranges::all_of(node->items, &text::TomlNode::is_string)) {
    reader.diagnostics().error("I040", node->value, fmt::format("`{}` must be a list of names", key),
                               fmt::format("write {} = [\"lg-m50\"]", key));
    return out;
  }
  for (const text::TomlNode& item : node->items) out.push_back(item.string);
  return out;
}

void read_run(const text::TomlNode& item, const std::string& folder, std::vector<ShippedRun>& runs,
              text::Diagnostics& diagnostics) {
  if (!item.is_table()) {
    diagnostics.error("I040", item.value, "`run` must be tables", "write [[run]] above each");
    return;
  }
  text::TableReader reader(item, "[[run]]", diagnostics);
  ShippedRun run;
  const std::string file = reader.required_string("file");
  run.file = folder + "/" + file;
  run.cell = reader.required_string("cell");
  run.licence = reader.required_string("licence");
  run.sets = words(reader, "sets", true);
  run.fitted = words(reader, "fitted", false);
  run.ambient_degC = reader.optional_quantity("ambient", text::dimension::kTemperature);
  run.start_soc = reader.optional_number("soc");
  run.current_sign =
      reader.optional_word("current_sign", {"charge-positive", "discharge-positive"}).value_or(std::string());
  reader.finish();
  std::error_code ignored;
  if (!file.empty() && !std::filesystem::is_regular_file(run.file, ignored)) {
    diagnostics.error("I041", item.find("file")->value, fmt::format("there is no file {}", run.file));
  }
  for (const std::string& set : run.fitted) {
    if (std::ranges::find(run.sets, set) != run.sets.end()) continue;
    diagnostics.error("I042", item.find("fitted")->value,
                      fmt::format("`{}` is fitted on this run but does not claim its cell", set), "add it to `sets`");
  }
  runs.push_back(std::move(run));
}

}  // namespace

bool ShippedRun::in_sample(const std::string& set) const {
  return std::ranges::find(fitted, set) != fitted.end();
}

std::string runs_folder() {
  namespace fs = std::filesystem;
  std::vector<fs::path> folders;
  if (const char* given = std::getenv("CYCLERD_RUNS"); given != nullptr && *given != '\0') folders.emplace_back(given);
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  if (!error) folders.push_back(program.parent_path().parent_path() / "share" / "cyclerd" / "runs");
  folders.emplace_back(CYCLERD_INSTALLED_RUNS);
  folders.emplace_back(CYCLERD_SOURCE_RUNS);
  for (const fs::path& folder : folders) {
    if (fs::is_regular_file(folder / "runs.toml", error)) return folder.string();
  }
  return {};
}

std::optional<std::vector<ShippedRun>> load_manifest(const std::string& folder, text::Diagnostics& diagnostics) {
  const auto source = text::read_source(folder + "/runs.toml");
  if (!source) {
    diagnostics.error("I040", {}, source.error().text());
    return std::nullopt;
  }
  const std::size_t errors_before = diagnostics.error_count();
  const auto document = text::parse_toml(*source, diagnostics);
  if (!document) return std::nullopt;
  text::TableReader root(*document, "the list of runs", diagnostics);
  std::vector<ShippedRun> runs;
  if (const text::TomlNode* list = root.optional_array("run")) {
    for (const text::TomlNode& item : list->items) read_run(item, folder, runs, diagnostics);
  }
  root.finish();
  if (diagnostics.error_count() != errors_before) return std::nullopt;
  return runs;
}

}  // namespace cyclerd::hil
