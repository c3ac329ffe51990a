// One scan: sample, step, orders, record.
#include <algorithm>
#include <cmath>

#include "daemon/cycle/channel.hpp"

namespace cyclerd::cycle {

using base::EventKind;
using profiles::RecordKind;
using profiles::Request;
using profiles::RunState;
using safety::Cause;

namespace {

constexpr base::Duration kCheckpointEvery = base::seconds(10);

}  // namespace

base::Sample Channel::join(const base::Reading& reading) noexcept RT_NONBLOCKING {
  base::Sample sample;
  const std::int64_t half_us = (reading.received.us - reading.sent.us) / 2;
  sample.time = {reading.sent.us + half_us};
  sample.wall = {reading.wall.us - (reading.received.us - sample.time.us)};
  sample.uncertainty_us = static_cast<std::int32_t>(std::clamp<std::int64_t>(half_us, 0, INT32_MAX));
  sample.flags = reading.flags;
  sample.voltage_V = reading.voltage_V;
  sample.current_A = reading.current_A;
  sample.regulation = reading.regulation;
  sample.output_on = reading.output_on;
  // A sensor that fell silent has no value: a soak must not complete on an old one.
  if (config_.chamber >= 0) {
    if (fresh(chamber_, sensor_age_allowed(chamber_))) {
      sample.chamber_degC = chamber_.reading.chamber_degC;
    } else {
      sample.flags |= base::flag::kStale;
    }
  }
  if (config_.sensor >= 0) {
    if (fresh(sensor_, sensor_age_allowed(sensor_))) {
      sample.temperature_degC = sensor_.reading.temperature_degC;
    } else {
      sample.flags |= base::flag::kStale;
    }
  } else if (!std::isnan(reading.temperature_degC)) {
    sample.temperature_degC = reading.temperature_degC;
  } else if (config_.chamber >= 0 && !std::isnan(sample.chamber_degC)) {
    sample.temperature_degC = chamber_.reading.temperature_degC;  // a chamber with a probe on the cell
  }
  if (settling_sequence_ != 0) {
    const base::Duration longest = std::max(config_.scan * 5, base::seconds(1)) + config_.settle;
    const bool settled = settled_known_ && sample.time >= settled_at_ + config_.settle;
    if (settled || sample.time - settling_since_ > longest) {
      settling_sequence_ = 0;
    } else {
      sample.flags |= base::flag::kSettling;
    }
  }
  return sample;
}

void Channel::idle_scan(const base::Sample& sample) noexcept RT_NONBLOCKING {
  sample_ = sample;
  has_sample_ = true;
  profiles::Row& row = status_.row;
  row.unix_time_us = sample.wall.us;
  row.flags = sample.flags;
  row.uncertainty_us = sample.uncertainty_us;
  row.voltage_V = sample.voltage_V;
  row.current_A = sample.current_A;
  row.temperature_degC = sample.temperature_degC;
  row.chamber_degC = sample.chamber_degC;
  row.regulation = sample.regulation;
  row.control = base::Control::rest;
  row.setpoint = 0.0;
  dirty_ = true;
  if (state_ == ChannelState::faulted && fault_ == Cause::self_check && !config_.latch->tripped() &&
      devices_trouble().empty()) {
    become(ChannelState::safe, "its devices answer and the output is off");
    fault_ = Cause::none;
  }
}

Channel::Pending Channel::next_request() noexcept RT_NONBLOCKING {
  if (config_.latch->tripped()) {
    const bool lost = config_.latch->cause() == static_cast<std::uint32_t>(Cause::device_lost);
    return {lost ? Request::device_lost : Request::trip, 0};
  }
  // Stop never queues.
  for (std::size_t i = 1; i < pending_count_; ++i) {
    if (pending_[i].request == Request::stop) std::swap(pending_[0], pending_[i]);
  }
  if (pending_count_ > 0 && pending_[0].request == Request::stop) {
    const Pending stop = pending_[0];
    for (std::size_t i = 1; i < pending_count_; ++i) pending_[i - 1] = pending_[i];
    --pending_count_;
    return stop;
  }
  if (pause_asked_) {
    pause_asked_ = false;
    return {Request::pause, 0};
  }
  if (pending_count_ == 0) return {};
  const Pending first = pending_[0];
  for (std::size_t i = 1; i < pending_count_; ++i) pending_[i - 1] = pending_[i];
  --pending_count_;
  return first;
}

void Channel::send(base::Command command, std::uint32_t device, io::Lanes& lanes) noexcept RT_NONBLOCKING {
  command.device = device;
  command.sequence = ++shared_.command_sequences[device];
  command.issued = shared_.clock.now();
  const bool chamber = command.kind == base::Command::Kind::chamber;
  const bool sent = lanes.commands.push(command);
  lanes.to_port.post();
  if (!sent) {
    --shared_.command_sequences[device];
    bool& waiting = chamber ? chamber_pending_ : command_pending_;
    if (!waiting) tell(EventKind::overrun, "commands", "the wire takes no more commands; trying again each scan");
    waiting = true;
    return;
  }
  (chamber ? chamber_pending_ : command_pending_) = false;
  shared_.records.put(stream_, RecordKind::command, command);
  if (!chamber && output_.step_first_setpoint) {
    settling_sequence_ = command.sequence;
    settling_since_ = now();
    settled_known_ = false;
  }
}

void Channel::forward(Request request) noexcept RT_NONBLOCKING {
  if (output_.has_setpoint || command_pending_) {
    if (!output_.has_setpoint) output_.setpoint = run_->state.setpoint;
    send(profiles::setpoint_command(output_, request), config_.cycler, *config_.cycler_lanes);
  }
  if (output_.has_chamber || chamber_pending_) {
    if (!output_.has_chamber) output_.chamber = run_->state.chamber;
    if (config_.chamber >= 0) {
      send(profiles::chamber_command(output_), static_cast<std::uint32_t>(config_.chamber), *config_.chamber_lanes);
    } else {
      tell(EventKind::fault, "chamber", "the profile sets a temperature, but this channel has no chamber");
    }
  }
}

void Channel::record_outputs(Request request) noexcept RT_NONBLOCKING {
  RecordWriter& records = shared_.records;
  const bool fault = request == Request::trip || request == Request::device_lost;
  run_->rows.select(output_, fault,
                    [&](const profiles::Row& row) RT_NONBLOCKING { records.put(stream_, RecordKind::row, row); });
  status_.rows_kept = run_->rows.rows_kept();
  if (fault && output_.steps.count > 0) {  // the record says which limit it was
    auto& text = output_.steps.items[output_.steps.count - 1].reason_text;
    text.append(": ").append(safety::to_string(static_cast<Cause>(config_.latch->cause())));
  }
  for (const profiles::StepSummary& s : output_.steps.view()) records.put(stream_, RecordKind::step_summary, s);
  for (const profiles::CycleSummary& c : output_.cycles.view()) records.put(stream_, RecordKind::cycle_summary, c);
  for (const base::Event& e : output_.events.view()) record(e);
}

void Channel::checkpoint() noexcept RT_NONBLOCKING {
  profiles::Checkpoint head;
  head.time = now();
  head.wall = shared_.records.wall();
  head.last_input_sequence = run_->state.inputs;
  head.state_version = profiles::kStateVersion;
  const auto bytes = profiles::snapshot(run_->state);
  head.state_bytes = static_cast<std::uint32_t>(bytes.size());
  shared_.records.put(stream_, RecordKind::checkpoint, head, bytes);
  last_checkpoint_ = now();
}

void Channel::scan(const base::Sample& sample) noexcept RT_NONBLOCKING {
  const Pending pending = next_request();
  profiles::Input input;
  input.sample = sample;
  input.request = pending.request;
  shared_.records.put(stream_, RecordKind::input, input);
  profiles::step(*run_->program, run_->state, input, output_);
  forward(pending.request);
  sample_ = sample;
  has_sample_ = true;
  dirty_ = true;
  status_.row = output_.row;
  record_outputs(pending.request);

  const bool over = profiles::is_over(output_.state);
  const bool by_person = pending.request != Request::none;
  if (output_.step_changed || output_.cycles.count > 0 || by_person || now() - last_checkpoint_ >= kCheckpointEvery)
    checkpoint();
  if (!over) {
    become(output_.state == RunState::paused ? ChannelState::paused : ChannelState::running, {});
  } else {
    finish(pending.request);
  }
  if (pending.id != 0) reply(Reply::Kind::accepted, pending.id);
}

void Channel::finish(Request request) noexcept RT_NONBLOCKING {
  profiles::TestEnd end;
  end.time = now();
  end.wall = shared_.records.wall();
  end.outcome = output_.state == RunState::finished  ? profiles::TestOutcome::completed
                : output_.state == RunState::stopped ? profiles::TestOutcome::stopped
                : request == Request::trip           ? profiles::TestOutcome::tripped
                                                     : profiles::TestOutcome::failed;
  const bool fault = request == Request::trip || request == Request::device_lost;
  if (fault) {
    end.reason.append(safety::to_string(static_cast<Cause>(config_.latch->cause())));
  } else {
    for (const base::Event& e : output_.events.view()) {
      if (e.kind == EventKind::test_end) end.reason.append(e.text.view());
    }
  }
  fault_limits_ = run_->limits;
  if (fault) {
    become_faulted(config_.latch->cause());
  } else {
    become(ChannelState::finished, profiles::to_string(end.outcome));
  }
  shared_.records.put(stream_, RecordKind::test_end, end);
  send_limits(run_->limits_before);
  status_.test = stream_.test;
  stream_ = RecordStream{stream_.channel, 0, 0, stream_.lost};
  returning_ = run_;
  run_ = nullptr;
  settling_sequence_ = 0;
  for (std::size_t i = 0; i < pending_count_; ++i) {
    if (pending_[i].id != 0) reply(Reply::Kind::refused, pending_[i].id, "the test is over");
  }
  pending_count_ = 0;
  pause_asked_ = false;
}

}  // namespace cyclerd::cycle
