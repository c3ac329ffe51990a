#include "hil/cells/cell_set.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <limits>
#include <tuple>
#include <utility>

#include "hil/cells/read_bpx.hpp"
#include "hil/cells/read_faults.hpp"
#include "hil/cells/read_table.hpp"
#include "protocols/text/toml.hpp"

namespace cyclerd::hil {
namespace {

constexpr std::int64_t kFormat = 1;

std::uint64_t fingerprint_of(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325ULL;  // FNV-1a: tells files apart, guards nothing
  for (char c : text) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 0x100000001b3ULL;
  }
  return hash;
}

struct ModelReader {
  std::string_view word;
  std::shared_ptr<const CellModel> (*read)(text::TableReader& root, const SetHeader& header);
};

constexpr std::array kModels = {
    ModelReader{"ecm", read_ecm_model},   ModelReader{"lithium-sulfur", read_lithium_sulfur_model},
    ModelReader{"pack", read_pack_model}, ModelReader{"source", read_source_model},
    ModelReader{"spm", read_spm_model},   ModelReader{"spme", read_spme_model},
};

void read_window(text::TableReader& root, SetHeader& header) {
  const double unknown = std::numeric_limits<double>::quiet_NaN();
  header.voltage_min_V =
      read_bounded(root, "voltage_min", text::dimension::kVoltage, -10.0, 1000.0, false).value_or(unknown);
  header.voltage_max_V =
      read_bounded(root, "voltage_max", text::dimension::kVoltage, -10.0, 1000.0, false).value_or(unknown);
  if (header.voltage_min_V >= header.voltage_max_V) {
    root.diagnostics().error("C004", root.node().find("voltage_max")->value,
                             "`voltage_max` must lie above `voltage_min`");
  }
}

// By its content: what is read from a pipe has no name that says it.
bool is_json(const text::Source& source) {
  const std::size_t first = source.text.find_first_not_of(" \t\r\n");
  return source.name.ends_with(".json") || (first != std::string::npos && source.text[first] == '{');
}

std::optional<CellSet> load_bpx(const text::SourcePtr& source, text::Diagnostics& diagnostics) {
  auto bpx = read_bpx(source, fingerprint_of(source->text), diagnostics);
  if (!bpx) return std::nullopt;
  CellSet set;
  set.name = std::filesystem::path(source->name).stem().string();
  set.title = std::move(bpx->title);
  set.source = std::move(bpx->source);
  set.licence = "not said in the file; a BPX file has no field for it";
  set.header = bpx->header;
  set.model = bpx->electrolyte ? make_spme_model(std::move(bpx->set)) : make_spm_model(std::move(bpx->set));
  return set;
}

// Every file of a folder and of its folders whose name ends in .toml or .json.
void each_file(const std::string& folder, const std::function<void(const std::filesystem::path&)>& visit) {
  namespace fs = std::filesystem;
  std::error_code error;
  fs::recursive_directory_iterator it(folder, error), end;
  for (; !error && it != end; it.increment(error)) {
    if (it.depth() > 2) it.disable_recursion_pending();
    const fs::path extension = it->path().extension();
    std::error_code ignored;
    if ((extension == ".toml" || extension == ".json") && it->is_regular_file(ignored)) visit(it->path());
  }
}

}  // namespace

std::optional<CellSet> load_cell_set(const text::SourcePtr& source, text::Diagnostics& diagnostics) {
  if (is_json(*source)) return load_bpx(source, diagnostics);
  const std::size_t errors_before = diagnostics.error_count();
  auto document = text::parse_toml(source, diagnostics);
  if (!document) return std::nullopt;
  text::TableReader root(*document, "a cell set", diagnostics);
  CellSet set;
  if (auto format = root.required_integer("format", 1, 1000000); format && *format != kFormat) {
    diagnostics.error("C001", document->find("format")->value,
                      fmt::format("format {} is unknown, this program reads format {}", *format, kFormat));
    return std::nullopt;
  }
  set.name = root.required_string("name");
  set.title = root.optional_string("title").value_or("");
  set.source = root.required_string("source");
  set.licence = root.required_string("licence");
  SetHeader& header = set.header;
  header.fingerprint = fingerprint_of(source->text);
  header.capacity_C = read_bounded(root, "capacity", text::dimension::kCapacity, 1e-3, 1e8, true).value_or(1.0);
  read_window(root, header);
  std::vector<std::string> words;
  for (const ModelReader& known : kModels) words.emplace_back(known.word);
  const auto model = root.required_word("model", words);
  if (!model) return std::nullopt;
  const auto* known = std::ranges::find(kModels, std::string_view(*model), &ModelReader::word);
  set.model = with_faults(root, known->read(root, header));
  root.finish();
  if (diagnostics.error_count() != errors_before) return std::nullopt;
  return set;
}

bool looks_like_cell_set(const text::SourcePtr& source) {
  if (is_json(*source)) return true;
  text::Diagnostics unused;
  const auto document = text::parse_toml(source, unused);
  return document && document->find("model") != nullptr;
}

std::vector<std::string> cell_set_folders() {
  std::vector<std::string> folders;
  if (const char* given = std::getenv("CYCLERD_CELL_SETS"); given != nullptr && *given != '\0')
    folders.emplace_back(given);
  std::error_code error;  // beside the program, wherever the installation was moved to
  const std::filesystem::path program = std::filesystem::read_symlink("/proc/self/exe", error);
  if (!error) folders.emplace_back(program.parent_path().parent_path() / "share" / "cyclerd" / "cell-sets");
  folders.emplace_back(CYCLERD_INSTALLED_CELL_SETS);
  folders.emplace_back(CYCLERD_SOURCE_CELL_SETS);
  return folders;
}

std::string find_cell_set(std::string_view name) {
  namespace fs = std::filesystem;
  std::error_code ignored;
  if (name.ends_with(".toml") || name.ends_with(".json"))
    return fs::is_regular_file(fs::path(name), ignored) ? std::string(name) : std::string{};
  if (name.find('/') != std::string_view::npos) return {};
  for (const std::string& folder : cell_set_folders()) {
    // The folder itself before its folders, .toml before .json; not as the file system happens to list them.
    std::vector<std::tuple<std::ptrdiff_t, bool, std::string>> found;
    each_file(folder, [&](const fs::path& path) {
      if (path.stem() == name)
        found.emplace_back(std::distance(path.begin(), path.end()), path.extension() != ".toml", path.string());
    });
    if (!found.empty()) return std::get<2>(*std::ranges::min_element(found));
  }
  return {};
}

std::vector<std::string> cell_set_names() {
  std::vector<std::string> names;
  for (const std::string& folder : cell_set_folders())
    each_file(folder, [&](const std::filesystem::path& path) { names.push_back(path.stem().string()); });
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

}  // namespace cyclerd::hil
