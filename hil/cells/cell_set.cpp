#include "hil/cells/cell_set.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <utility>

#include "hil/cells/read_table.hpp"
#include "protocols/text/toml.hpp"

namespace cyclerd::hil {
namespace {

constexpr std::int64_t kFormat = 1;
const Bounds kVoltageBounds{-10.0, 1000.0, "V"};

std::uint64_t fingerprint_of(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325ULL;  // FNV-1a: tells files apart, guards nothing
  for (char c : text) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 0x100000001b3ULL;
  }
  return hash;
}

void read_hysteresis(text::TableReader& root, EcmSet& set) {
  const text::TomlNode* node = root.optional_table("hysteresis");
  if (node == nullptr) return;
  text::TableReader reader(*node, "[hysteresis]", root.diagnostics());
  auto curve = read_curve(reader, "half_gap_V", {0.0, 10.0, "V"});
  auto rate = read_number(reader, "rate", {0.0, 1e5, ""}, true);
  reader.finish();
  if (curve && rate) {
    set.hysteresis_V = std::move(*curve);
    set.hysteresis_rate = *rate;
  }
}

void read_branches(text::TableReader& root, EcmSet& set) {
  const text::TomlNode* node = root.optional_array("rc");
  if (node == nullptr) return;
  if (node->items.size() > kMaxRc) {
    root.diagnostics().error("C007", node->value,
                             fmt::format("{} RC branches, at most {} are possible", node->items.size(), kMaxRc));
    return;
  }
  for (std::size_t i = 0; i < node->items.size(); ++i) {
    const text::TomlNode& item = node->items[i];
    if (!item.is_table()) {
      root.diagnostics().error("C003", item.value, "`rc` must be tables", "write [[rc]] above each branch");
      continue;
    }
    text::TableReader reader(item, fmt::format("[[rc]] number {}", i + 1), root.diagnostics());
    RcBranch branch;
    auto tau = read_bounded(reader, "tau", text::dimension::kTime, 1e-6, 1e6, true);
    auto resistance = read_resistance(reader);
    reader.finish();
    if (!tau || !resistance) continue;
    branch.tau_s = *tau;
    branch.resistance = std::move(*resistance);
    set.branches.push_back(std::move(branch));
  }
}

void read_thermal(text::TableReader& root, EcmSet& set) {
  const text::TomlNode* node = root.optional_table("thermal");
  if (node == nullptr) return;
  text::TableReader reader(*node, "[thermal]", root.diagnostics());
  const Bounds capacity{1e-6, 1e7, "J/K"};
  const Bounds conductance{1e-9, 1e6, "W/K"};
  auto core = read_number(reader, "core_J_per_K", capacity, true);
  auto surface = read_number(reader, "surface_J_per_K", capacity, true);
  auto inner = read_number(reader, "core_to_surface_W_per_K", conductance, true);
  auto outer = read_number(reader, "surface_to_ambient_W_per_K", conductance, true);
  reader.finish();
  if (core && surface && inner && outer) set.thermal = ThermalSet{*core, *surface, *inner, *outer};
}

std::shared_ptr<const EcmSet> read_ecm(text::TableReader& root, double capacity_C) {
  auto set = std::make_shared<EcmSet>();
  set->capacity_C = capacity_C;
  set->charge_efficiency = read_number(root, "charge_efficiency", {0.5, 1.0, ""}, false).value_or(1.0);
  set->reference_degC =
      read_bounded(root, "reference_temperature", text::dimension::kTemperature, -50.0, 100.0, false).value_or(25.0);
  if (const text::TomlNode* node = root.required_table("ocv")) {
    text::TableReader reader(*node, "[ocv]", root.diagnostics());
    auto curve = read_curve(reader, "voltage_V", kVoltageBounds);
    reader.finish();
    if (curve && curve->values().size() < 2) {
      root.diagnostics().error("C008", reader.where(), "[ocv] needs at least two points",
                               "for a constant voltage use model = \"source\"");
    }
    if (curve) set->ocv_V = std::move(*curve);
  }
  if (const text::TomlNode* node = root.optional_table("entropy")) {
    text::TableReader reader(*node, "[entropy]", root.diagnostics());
    auto curve = read_curve(reader, "slope_V_per_K", {-0.1, 0.1, "V/K"});
    reader.finish();
    if (curve) set->entropic_V_per_K = std::move(*curve);
  }
  read_hysteresis(root, *set);
  if (const text::TomlNode* node = root.required_table("series")) {
    text::TableReader reader(*node, "[series]", root.diagnostics());
    auto series = read_resistance(reader);
    reader.finish();
    if (series) set->series = std::move(*series);
  }
  read_branches(root, *set);
  read_thermal(root, *set);
  return set;
}

std::shared_ptr<const SourceSet> read_source_model(text::TableReader& root, double capacity_C) {
  auto set = std::make_shared<SourceSet>();
  set->capacity_C = capacity_C;
  set->emf_V = read_bounded(root, "voltage", text::dimension::kVoltage, -10.0, 1000.0, true).value_or(0.0);
  set->resistance_Ohm = read_bounded(root, "resistance", text::dimension::kResistance, 1e-9, 1e6, true).value_or(1.0);
  return set;
}

template <class Set>
std::shared_ptr<const Set> with_fingerprint(std::shared_ptr<const Set> set, std::uint64_t fingerprint) {
  auto copy = std::make_shared<Set>(*set);
  copy->fingerprint = fingerprint;
  return copy;
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
  set.capacity_C = read_bounded(root, "capacity", text::dimension::kCapacity, 1e-3, 1e8, true).value_or(1.0);
  auto model = root.required_word("model", {"ecm", "source"});
  if (!model) return std::nullopt;
  const std::uint64_t fingerprint = fingerprint_of(source->text);
  if (*model == "ecm") {
    auto ecm = read_ecm(root, set.capacity_C);
    root.finish();
    if (diagnostics.error_count() == errors_before) set.model = with_fingerprint(ecm, fingerprint);
  } else {
    auto constant = read_source_model(root, set.capacity_C);
    root.finish();
    set.model = with_fingerprint(constant, fingerprint);
  }
  if (diagnostics.error_count() != errors_before) return std::nullopt;
  return set;
}

std::unique_ptr<Cell> CellSet::make(const CellStart& start) const {
  if (const auto* ecm = std::get_if<std::shared_ptr<const EcmSet>>(&model))
    return std::make_unique<EcmCell>(*ecm, start);
  return std::make_unique<SourceCell>(std::get<std::shared_ptr<const SourceSet>>(model), start);
}

std::string_view CellSet::model_name() const noexcept {
  return model.index() == 0 ? "ecm" : "source";
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
