#include "hil/peers/neware_bts_job.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace cyclerd::hil {

namespace {

constexpr std::size_t kMaxPoints = 1'000'000;

StageRequest request_of(const BtsStep& step, const StageConfig& stage) {
  StageRequest request;
  request.output_on = true;
  request.voltage_V = step.voltage_V;
  request.power_max_W = stage.power_max_W;
  request.power_min_W = stage.power_min_W;
  (step.kind == BtsStep::Kind::charge ? request.current_max_A : request.current_min_A) =
      step.kind == BtsStep::Kind::charge ? step.current_A : -step.current_A;
  return request;
}

}  // namespace

const char* BtsJob::state_word() const noexcept {
  switch (state_) {
    case State::finish: return "finish";
    case State::working: return "working";
    case State::stop: return "stop";
    case State::protect: return "protect";
  }
  return "?";
}

const char* BtsJob::step_type() const noexcept {
  if (state_ != State::working) return "--";
  switch (plan_.steps[step_].kind) {
    case BtsStep::Kind::rest: return "rest";
    case BtsStep::Kind::charge: return "cccv";
    case BtsStep::Kind::discharge: return "dc";
  }
  return "--";
}

base::Duration BtsJob::since_start(base::MonoTime t) const noexcept {
  return state_ == State::working ? t - started_ : base::Duration{};
}

void BtsJob::start(Plant& plant, const BtsPlan& plan, std::string barcode, std::int64_t test_id, base::WallTime wall) {
  plan_ = plan;
  barcode_ = std::move(barcode);
  test_id_ = test_id;
  step_ = 0;
  cycle_ = 1;
  points_.clear();
  log_.clear();
  state_ = State::working;
  started_ = plant.now();
  log_.push_back({1, bts_log::kStarted, wall});
  if (plan_.steps.empty() || plan_.cycles < 1)
    end(plant, State::finish, bts_log::kFinished, wall);
  else
    begin_step(plant, wall);
}

void BtsJob::begin_step(Plant& plant, base::WallTime wall) {
  step_started_ = plant.now();
  const Truth truth = plant.truth();
  charge_at_step_C_ = truth.charge_C;
  energy_at_step_J_ = truth.energy_J;
  const BtsStep& step = plan_.steps[step_];
  if (step.kind == BtsStep::Kind::rest) {
    plant.open_output();
  } else if (plant.apply(request_of(step, plant.config().stage)) != Refusal::none) {
    flagged_ = true;
    return end(plant, State::protect, bts_log::kProtected, wall);
  }
  keep(plant, wall);
}

BtsPoint BtsJob::now(Plant& plant, base::WallTime wall) const {
  const Measurement seen = plant.measure();
  const Truth truth = plant.truth();
  BtsPoint p;
  p.number = static_cast<std::int64_t>(points_.size()) + 1;
  p.cycle = cycle_;
  p.step = step();
  p.step_type = step_type();
  p.step_time_ms = (plant.now() - step_started_).us / 1000;
  p.wall = wall;
  p.voltage_V = seen.voltage_V;
  p.current_A = seen.current_A;
  p.charge_Ah = std::abs(truth.charge_C - charge_at_step_C_) / 3600.0;
  p.energy_Wh = std::abs(truth.energy_J - energy_at_step_J_) / 3600.0;
  p.temperature_degC = seen.temperature_degC;
  return p;
}

void BtsJob::keep(Plant& plant, base::WallTime wall) {
  if (points_.size() >= kMaxPoints) return;
  points_.push_back(now(plant, wall));
  kept_ = plant.now();
}

bool BtsJob::step_is_over(Plant& plant) {
  const BtsStep& step = plan_.steps[step_];
  if (step.longest.us > 0 && plant.now() - step_started_ >= step.longest) return true;
  const Truth truth = plant.truth();
  switch (step.kind) {
    case BtsStep::Kind::rest: return step.longest.us == 0;
    case BtsStep::Kind::charge: return truth.mode == StageMode::voltage && truth.current_A <= step.cut_off_A;
    case BtsStep::Kind::discharge: return truth.mode == StageMode::voltage;
  }
  return true;
}

void BtsJob::follow(Plant& plant, base::WallTime wall) {
  if (state_ != State::working) return;
  if (plant.measure().alarms != 0) {
    flagged_ = true;
    keep(plant, wall);
    return end(plant, State::protect, bts_log::kProtected, wall);
  }
  if (step_is_over(plant)) {
    keep(plant, wall);
    return next_step(plant, wall);
  }
  if (plant.now() - kept_ >= plan_.record_every) keep(plant, wall);
}

void BtsJob::next_step(Plant& plant, base::WallTime wall) {
  if (++step_ == plan_.steps.size()) {
    if (cycle_ == plan_.cycles) {
      --step_;
      return end(plant, State::finish, bts_log::kFinished, wall);
    }
    step_ = 0;
    ++cycle_;
  }
  begin_step(plant, wall);
}

void BtsJob::end(Plant& plant, State state, std::int64_t code, base::WallTime wall) {
  plant.open_output();
  state_ = state;
  log_.push_back({std::max<std::int64_t>(1, static_cast<std::int64_t>(points_.size())), code, wall});
}

bool BtsJob::stop(Plant& plant, base::WallTime wall) {
  if (state_ != State::working) return false;
  keep(plant, wall);
  end(plant, State::stop, bts_log::kStopped, wall);
  return true;
}

bool BtsJob::clear_flag(Plant& plant) {
  if (!flagged_) return false;
  flagged_ = false;
  plant.acknowledge();
  return true;
}

}  // namespace cyclerd::hil
