#include "hil/lab/twin_kinds.hpp"

#include "hil/peers/binder_mb2_twin.hpp"
#include "hil/peers/csz_ezt_twin.hpp"
#include "hil/peers/ea_psb_twin.hpp"
#include "hil/peers/omega_cn7500_twin.hpp"
#include "hil/peers/riden_twin.hpp"
#include "hil/peers/virtual_chamber_twin.hpp"
#include "hil/peers/virtual_cycler_twin.hpp"
#include "hil/peers/watlow_f4_twin.hpp"
#include "hil/peers/watlow_f4t_twin.hpp"

namespace cyclerd::hil {
namespace {

using Registers = std::unique_ptr<RegisterMap>;

Registers ea_psb(SharedWorld& w, const TwinSeat& s) {
  const EaPsbOptions options{s.serial, s.state_low_word_first ? WordOrder::low_first : WordOrder::high_first};
  return std::make_unique<EaPsbTwin>(w, s.index, options);
}
Registers virtual_cycler(SharedWorld& w, const TwinSeat& s) {
  return std::make_unique<VirtualCyclerTwin>(w, s.index, VirtualCyclerOptions{s.serial});
}
Registers virtual_chamber(SharedWorld& w, const TwinSeat& s) {
  return std::make_unique<VirtualChamberTwin>(w, s.index, VirtualChamberOptions{s.serial, s.sensor_on});
}
Registers binder(SharedWorld& w, const TwinSeat& s) {
  return std::make_unique<BinderMb2Twin>(w, s.index);
}
// A model of twins that need nothing said about them.
template <class Twin, class Options>
Registers plain(SharedWorld& w, const TwinSeat& s) {
  return std::make_unique<Twin>(w, s.index, Options{});
}

TwinKind registers(std::string_view name, bool chamber, Registers (*make)(SharedWorld&, const TwinSeat&)) {
  TwinKind kind;
  kind.name = name;
  kind.chamber = chamber;
  kind.registers = make;
  return kind;
}

std::vector<TwinKind> make_kinds() {
  std::vector<TwinKind> kinds;
  kinds.push_back(registers("ea-psb", false, ea_psb));
  kinds.push_back(registers("virtual-cycler", false, virtual_cycler));
  kinds.push_back(registers("riden", false, plain<RidenTwin, RidenOptions>));
  kinds.push_back(registers("virtual-chamber", true, virtual_chamber));
  kinds.push_back(registers("binder-mb2", true, binder));
  kinds.push_back(registers("csz-ezt-570i", true, plain<CszEztTwin, CszEztOptions>));
  kinds.back().rtu.least_gap = CszEztOptions{}.exchange;
  kinds.push_back(registers("omega-cn7500", true, plain<OmegaCn7500Twin, OmegaCn7500Options>));
  kinds.push_back(registers("watlow-f4", true, plain<WatlowF4Twin, WatlowF4Options>));
  kinds.push_back(registers("watlow-f4t", true, plain<WatlowF4tTwin, WatlowF4tOptions>));
  return kinds;
}

}  // namespace

const std::vector<TwinKind>& twin_kinds() {
  static const std::vector<TwinKind> kinds = make_kinds();
  return kinds;
}

const TwinKind* twin_kind(std::string_view name) noexcept {
  for (const TwinKind& kind : twin_kinds()) {
    if (kind.name == name) return &kind;
  }
  return nullptr;
}

std::vector<std::string> twin_names(bool chamber) {
  std::vector<std::string> names;
  for (const TwinKind& kind : twin_kinds()) {
    if (kind.chamber == chamber) names.emplace_back(kind.name);
  }
  return names;
}

}  // namespace cyclerd::hil
