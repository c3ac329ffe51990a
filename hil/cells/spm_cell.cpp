// The single-particle model: one sphere per electrode, lithium by modes, the electrolyte taken as uniform and without
// resistance.
#include "hil/cells/electrochemical_set.hpp"
#include "hil/cells/particle_modes.hpp"
#include "hil/cells/transport_step.hpp"
#include "protocols/base/check.hpp"

namespace cyclerd::hil {
namespace {

class SpmTransport {
 public:
  static constexpr std::uint32_t kModel = 0x53504D31;  // "SPM1"
  static constexpr std::string_view kName = "spm";
  static constexpr double kCoarse_s = 3600.0;
  // Exact in time but for what temperature and diffusivity do meanwhile.
  static constexpr double kLongest_s = 60.0;

  struct State {
    ModeState negative, positive;
  };

  explicit SpmTransport(const InsertionParameters& p)
      : foil_(p.negative.foil),
        negative_(p.negative),
        positive_(p.positive),
        salt_mol_per_m3_(p.set.electrolyte.initial_mol_per_m3) {}

  void rest(State& s, double x, double y) const noexcept {
    s.negative = {.mean = x, .deviation = {}};
    s.positive = {.mean = y, .deviation = {}};
  }
  [[nodiscard]] bool advance(State& s, const Fluxes& g, double /*mean_A*/, const Warmth& w, double dt_s) noexcept {
    const bool negative =
        foil_ || negative_.advance(s.negative, g.negative_start, g.negative_end, w.diffusivity_negative, dt_s);
    return positive_.advance(s.positive, g.positive_start, g.positive_end, w.diffusivity_positive, dt_s) && negative;
  }
  void look(const State& s, const Warmth& w, Instant& now) noexcept {
    now.negative = foil_ ? Surface{} : negative_.surface(s.negative, w.diffusivity_negative);
    now.positive = positive_.surface(s.positive, w.diffusivity_positive);
    now.salt.negative_mol_per_m3 = salt_mol_per_m3_;
  }
  [[nodiscard]] Response respond(const State& s, const Warmth& w, double dt_s) noexcept {
    Response r;
    if (!foil_) r.negative_end = negative_.response_s_per_m(s.negative, w.diffusivity_negative, dt_s);
    r.positive_end = positive_.response_s_per_m(s.positive, w.diffusivity_positive, dt_s);
    // Held, it answers about twice as much: the start's share is as large or larger.
    r.negative_held = 2.0 * r.negative_end;
    r.positive_held = 2.0 * r.positive_end;
    return r;
  }
  [[nodiscard]] static double negative_mean(const State& s) noexcept { return s.negative.mean; }
  [[nodiscard]] static double positive_mean(const State& s) noexcept { return s.positive.mean; }
  [[nodiscard]] static double salt_mol(const State& /*s*/) noexcept { return 0.0; }
  [[nodiscard]] double lowest_salt(const State& /*s*/) const noexcept { return salt_mol_per_m3_; }
  [[nodiscard]] static double substep_s(double dt_s, double /*since_jump_s*/) noexcept {
    return dt_s <= kLongest_s ? dt_s : dt_s / std::ceil(dt_s / kLongest_s);
  }

 private:
  bool foil_;
  ParticleModes negative_, positive_;
  double salt_mol_per_m3_;
};

}  // namespace

std::shared_ptr<const CellModel> make_spm_model(ElectrochemicalSet set) {
  ENSURE(!defect_of(set), "an electrochemical set that the loader must refuse");
  return std::make_shared<TransportModel<SpmTransport>>(std::move(set));
}

}  // namespace cyclerd::hil
