// A pty as the serial port of a twin: the twin holds the master side, whoever drives it opens the slave's path. It has
// neither baud rate nor parity: what it proves is framing and time.
#pragma once

#include <string>

#include "protocols/base/result.hpp"

namespace cyclerd::hil {

class PseudoTerminal {
 public:
  // `link`: a name for the slave that stays the same ("" for none); a link that a pty left behind is replaced, anything
  // else is an error.
  [[nodiscard]] static base::Result<PseudoTerminal> open(const std::string& link = "");
  PseudoTerminal(PseudoTerminal&& other) noexcept;
  PseudoTerminal& operator=(PseudoTerminal&&) = delete;
  ~PseudoTerminal();

  // Raw, close-on-exec, owned by this object.
  [[nodiscard]] int master() const noexcept { return master_; }
  // What the other side opens: the link, or /dev/pts/N.
  [[nodiscard]] const std::string& path() const noexcept { return link_.empty() ? slave_ : link_; }

 private:
  PseudoTerminal() = default;
  int master_ = -1;
  int kept_open_ = -1;  // the slave: without it the line hangs up whenever the other side closes
  std::string slave_;
  std::string link_;
};

}  // namespace cyclerd::hil
