// Commands on their way to an instrument: the newest, through the gate, read back.
#include <cmath>

#include "daemon/io/entry.hpp"
#include "daemon/io/port.hpp"
#include "daemon/io/words.hpp"

namespace cyclerd::io {

using base::EventKind;

namespace {

bool is_rest(const base::Command& c) noexcept {
  if (c.kind == base::Command::Kind::chamber) return c.chamber.run == 0;
  return c.kind == base::Command::Kind::setpoint && c.setpoint.control == base::Control::rest;
}

}  // namespace

bool Port::command_next() {
  for (auto& e : entries_) {
    if (!e->has_command) continue;
    // make_safe comes first and is tried again soon; a rest waits for it rather than take its time on the wire.
    if (e->unsafe && e->linked() && is_rest(e->command)) continue;
    e->has_command = false;
    execute(*e, e->command, e->superseded);
    return true;
  }
  return false;
}

void Port::execute(Entry& e, const base::Command& command, std::uint32_t superseded) {
  const bool chamber = command.kind == base::Command::Kind::chamber;
  const bool rest = is_rest(command);
  const std::uint32_t cause = e.slot.safety->latch.cause();
  const safety::Decision decision = safety::admit(command, cause, e.judge.limits(), e.slot.device->capability());
  if (!decision.allowed) return fail_command(e, command, decision.words.view(), cause == 0);
  if (e.kind == device::DeviceKind::sensor || chamber != (e.kind == device::DeviceKind::chamber)) {
    return fail_command(e, command, "the command does not suit this kind of instrument", true);
  }
  if (e.unsafe && !rest) return fail_command(e, command, "the output is not verified off yet", true);
  if (!e.linked() || (e.reopen && !rest)) {
    // Of a lost instrument whose output was last verified off, a rest asks nothing that is dangerous to miss.
    return fail_command(e, command, "the instrument is not connected; see its last error", !rest || e.may_be_on);
  }
  if (!rest && e.is_cycler()) {
    e.may_be_on = true;
    set_energised(e, true);
  }
  const base::MonoTime before = clock_.now();
  const base::Status status = chamber ? e.slot.device->apply(command.chamber) : e.slot.device->apply(command.setpoint);
  if (!status) {
    const Words why = words(status.error());
    count_failure(e, status.error(), false);
    return fail_command(e, command, why, true);
  }
  if (chamber) {
    e.judge.commanded(command.chamber);
  } else {
    e.judge.commanded(command.setpoint, command.step_count);
    if (rest) {
      e.may_be_on = false;
      set_energised(e, false);
    }
  }
  Words text = chamber ? words(command.chamber) : words(command.setpoint);
  text.append(", sent and read back in ").append((clock_.now() - before).us).append(" us");
  if (superseded != 0) {
    text.append("; ").append(static_cast<std::int64_t>(superseded)).append(" older not sent");
  }
  base::Event done = event(e, chamber ? EventKind::chamber : EventKind::setpoint, text);
  done.value = chamber                                              ? command.chamber.temperature_degC
               : command.setpoint.control == base::Control::voltage ? command.setpoint.voltage_V
               : command.setpoint.control == base::Control::power   ? command.setpoint.power_W
                                                                    : command.setpoint.current_A;
  notify(e, Notice::What::command_done, command.sequence, done);
}

// A cycler that did not take a set-point is in an unknown state, and one that refused goes on with the previous one:
// both are made safe. A chamber's failure is the cycle's to weigh.
void Port::fail_command(Entry& e, const base::Command& command, const Words& why, bool trips) {
  if (e.is_cycler() && trips && !e.slot.safety->latch.tripped()) {
    trip_on(e, {safety::Cause::command_failed, 0.0, 0.0}, clock_.now());
  }
  Words text = command.kind == base::Command::Kind::chamber ? words(command.chamber) : words(command.setpoint);
  text.append(" failed: ").append(why.view());
  notify(e, Notice::What::command_failed, command.sequence, event(e, EventKind::fault, text));
  publish(e);
}

}  // namespace cyclerd::io
