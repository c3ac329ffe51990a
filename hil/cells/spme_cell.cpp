// The single-particle model with electrolyte: spheres in shells, salt in finite volumes, ageing.
#include "hil/cells/electrochemical_set.hpp"
#include "hil/cells/electrolyte_cells.hpp"
#include "hil/cells/particle_shells.hpp"
#include "hil/cells/transport_step.hpp"
#include "protocols/base/check.hpp"

namespace cyclerd::hil {
namespace {

class SpmeTransport {
 public:
  static constexpr std::uint32_t kModel = 0x53504D65;  // "SPMe"
  static constexpr std::string_view kName = "spme";
  // Implicit steps are exact for what drifts steadily, and want to be short after a change: this share of the time
  // since it, within bounds.
  static constexpr double kShare = 0.06, kShortest_s = 0.25, kLongest_s = 10.0;
  static constexpr double kCoarse_s = 300.0;

  struct State {
    ShellState negative, positive;
    SaltState salt;
  };

  explicit SpmeTransport(const InsertionParameters& p)
      : foil_(p.negative.foil), negative_(p.negative), positive_(p.positive), salt_(p.set) {}

  void rest(State& s, double x, double y) const noexcept {
    s.negative.fill(x);
    s.positive.fill(y);
    salt_.rest(s.salt);
  }
  [[nodiscard]] bool advance(State& s, const Fluxes& g, double mean_A, const Warmth& w, double dt_s) const noexcept {
    bool inside = salt_.advance(s.salt, mean_A, w.salt_diffusivity, dt_s);
    if (!foil_) {
      const double flux = 0.5 * (g.negative_start + g.negative_end);
      inside = negative_.advance(s.negative, flux, w.diffusivity_negative, dt_s) && inside;
    }
    const double flux = 0.5 * (g.positive_start + g.positive_end);
    return positive_.advance(s.positive, flux, w.diffusivity_positive, dt_s) && inside;
  }
  void look(const State& s, const Warmth& w, Instant& now) const noexcept {
    now.negative = foil_ ? Surface{} : negative_.surface(s.negative, w.diffusivity_negative);
    now.positive = positive_.surface(s.positive, w.diffusivity_positive);
    now.salt = salt_.view(s.salt, w.two_RT_F_V, w.conductivity);
  }
  [[nodiscard]] Response respond(const State& s, const Warmth& w, double dt_s) const noexcept {
    Response r;
    // In one implicit step the end current counts half; in many, a ramp's surface follows to three quarters.
    const double share = dt_s <= kShortest_s ? 0.5 : 0.75 - 0.25 * kShortest_s / dt_s;
    if (!foil_) r.negative_held = negative_.response_s_per_m(s.negative, w.diffusivity_negative, dt_s);
    r.positive_held = positive_.response_s_per_m(s.positive, w.diffusivity_positive, dt_s);
    r.salt_held_Ohm = salt_.response_Ohm(w.two_RT_F_V, w.salt_diffusivity, dt_s);
    r.negative_end = share * r.negative_held;
    r.positive_end = share * r.positive_held;
    r.salt_end_Ohm = share * r.salt_held_Ohm;
    return r;
  }
  [[nodiscard]] double negative_mean(const State& s) const noexcept {
    return foil_ ? 0.5 : ParticleShells::mean(s.negative);
  }
  [[nodiscard]] static double positive_mean(const State& s) noexcept { return ParticleShells::mean(s.positive); }
  [[nodiscard]] double salt_mol(const State& s) const noexcept { return salt_.salt_mol(s.salt); }
  [[nodiscard]] static double lowest_salt(const State& s) noexcept {
    return *std::min_element(s.salt.begin(), s.salt.end());
  }
  [[nodiscard]] static double substep_s(double /*dt_s*/, double since_jump_s) noexcept {
    return std::clamp(kShare * since_jump_s, kShortest_s, kLongest_s);
  }

 private:
  bool foil_;
  ParticleShells negative_, positive_;
  ElectrolyteCells salt_;
};

}  // namespace

std::shared_ptr<const CellModel> make_spme_model(ElectrochemicalSet set) {
  ENSURE(!defect_of(set), "an electrochemical set that the loader must refuse");
  return std::make_shared<TransportModel<SpmeTransport>>(std::move(set));
}

}  // namespace cyclerd::hil
