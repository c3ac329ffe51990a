// How an instrument's items are reached: what a dialect offers, and all that ScriptedDevice knows of a wire.
#pragma once

#include <string_view>

#include "protocols/base/fixed_text.hpp"
#include "protocols/base/result.hpp"
#include "protocols/base/time.hpp"

namespace cyclerd::device {

// One instrument on its wire; used by the wire's thread only. Calls block until the transaction's deadline, never
// longer, and allocate nothing after connect(). `raw` is the number as the instrument has it, before scale and unit.
class ItemLink {
 public:
  virtual ~ItemLink() = default;

  // Begins afresh: whatever was asked before can not be answered any more. Where several instruments share a wire that
  // is open and in step, only this instrument's part is renewed.
  virtual base::Status connect() = 0;
  virtual void close() noexcept = 0;
  // False after everything that makes a later answer doubtful (time-out, garbage, a wire that others had to renew):
  // ScriptedDevice then connects again, and believes nothing until the canary has matched.
  [[nodiscard]] virtual bool is_connected() const noexcept = 0;
  // For messages: where the instrument is. Stable.
  [[nodiscard]] virtual std::string_view name() const noexcept = 0;

  [[nodiscard]] virtual base::Result<double> read_raw(int item) = 0;
  [[nodiscard]] virtual base::Result<base::FixedText<48>> read_text(int item) = 0;
  [[nodiscard]] virtual base::Status write_raw(int item, double raw) = 0;
  // A command of the description that carries no value (a commit, a clear).
  [[nodiscard]] virtual base::Status send(int command) = 0;
  // After the last step of a sequence: what the instrument thought of it, where it tells only when asked.
  [[nodiscard]] virtual base::Status finish_sequence() { return {}; }

  // Everything that a reading needs. `sent` and `received` surround the transaction that measures.
  [[nodiscard]] virtual base::Status scan(base::MonoTime& sent, base::MonoTime& received) = 0;
  // An item of the last scan; NaN where the instrument marked it as no value.
  [[nodiscard]] virtual double scanned(int item) const noexcept = 0;
};

}  // namespace cyclerd::device
