#include "hil/cells/cell_set.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <limits>
#include <utility>

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
    ModelReader{"ecm", read_ecm_model},
    ModelReader{"lithium-sulfur", read_lithium_sulfur_model},
    ModelReader{"pack", read_pack_model},
    ModelReader{"source", read_source_model},
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

}  // namespace

std::optional<CellSet> load_cell_set(const text::SourcePtr& source, text::Diagnostics& diagnostics) {
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
  if (name.ends_with(".toml")) return fs::is_regular_file(fs::path(name), ignored) ? std::string(name) : std::string{};
  if (name.find('/') != std::string_view::npos) return {};
  for (const std::string& folder : cell_set_folders()) {
    fs::path path = fs::path(folder) / (std::string(name) + ".toml");
    if (fs::is_regular_file(path, ignored)) return path.string();
  }
  return {};
}

std::vector<std::string> cell_set_names() {
  namespace fs = std::filesystem;
  std::vector<std::string> names;
  for (const std::string& folder : cell_set_folders()) {
    std::error_code error;
    for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
      if (it->path().extension() == ".toml") names.push_back(it->path().stem().string());
    }
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

}  // namespace cyclerd::hil
