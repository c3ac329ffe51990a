// Another program for the test that runs, between two scans.
#include "daemon/cycle/channel.hpp"
#include "profiles/evaluate.hpp"

namespace cyclerd::cycle {

using base::EventKind;

// Where the test is, for whoever plans an amendment.
void Channel::look(const Order& order) noexcept RT_NONBLOCKING {
  if (!runs() || order.amend == nullptr) {
    reply(Reply::Kind::refused, order.id, "no test runs on this channel");
    return;
  }
  order.amend->seen = run_->state;
  reply(Reply::Kind::accepted, order.id);
}

Words Channel::why_not_amend(const Amend& wanted) const noexcept RT_NONBLOCKING {
  if (!runs() || stream_.test != wanted.test) return "the test is over";
  if (config_.latch->tripped()) return "the channel has tripped";
  if (wanted.program == nullptr || wanted.rows == nullptr) return "there is no program in the order";
  if (profiles::malformed(*wanted.program) != nullptr) {
    Words text{"the program is malformed (a bug in its compiler): "};
    return text.append(profiles::malformed(*wanted.program));
  }
  return {};
}

bool Channel::record_amendment(const Amend& wanted) noexcept RT_NONBLOCKING {
  const profiles::ExecutorState& state = run_->state;
  profiles::TestAmendment head;
  head.time = now();
  head.wall = shared_.records.wall();
  head.last_input_sequence = state.inputs;
  head.test_time_us = state.last_input_us;
  head.step_count = state.step_count;
  head.step_index = state.step_index;
  head.cycle_count = state.cycle_count;
  head.metadata_bytes = static_cast<std::uint32_t>(wanted.metadata_json.size());
  head.state_version = profiles::kStateVersion;
  const auto bytes = profiles::snapshot(state);
  head.state_bytes = static_cast<std::uint32_t>(bytes.size());
  const std::span<const char> metadata{wanted.metadata_json};
  return shared_.records.put(stream_, profiles::RecordKind::amendment, head, std::as_bytes(metadata), bytes);
}

void Channel::amend(const Order& order) noexcept RT_NONBLOCKING {
  if (order.amend == nullptr) return reply(Reply::Kind::refused, order.id, "there is no amendment in the order");
  Amend& wanted = *order.amend;
  if (const Words why = why_not_amend(wanted); !why.empty()) {
    reply(Reply::Kind::refused, order.id, why.view());
    return;
  }
  if (run_->program.get() != wanted.from || !profiles::fits(wanted.plan, run_->state)) {
    Reply late;
    late.kind = Reply::Kind::refused;
    late.moved_on = 1;
    late.channel = config_.index;
    late.id = order.id;
    late.text.append("the test has gone on in the meantime");
    shared_.replies.push(late);
    return;
  }
  wanted.seen = run_->state;  // to go back to, should the record have no room
  profiles::amend(wanted.plan, *wanted.program, sample_, run_->state);
  if (!record_amendment(wanted)) {
    run_->state = wanted.seen;
    reply(Reply::Kind::refused, order.id, "the record ring has no room for the new profile");
    return;
  }
  run_->program.swap(wanted.program);
  wanted.rows->take_over(run_->rows);
  run_->rows.swap(*wanted.rows);
  last_checkpoint_ = now();  // the record holds the state now
  Words text{order.who.view()};
  if (!order.text.empty()) text.append(": ").append(order.text.view());
  tell(EventKind::profile_change, run_->program->name, text.view());
  reply(Reply::Kind::accepted, order.id);
}

}  // namespace cyclerd::cycle
