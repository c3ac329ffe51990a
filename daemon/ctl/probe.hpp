// Asks an instrument for everything that its description lets one read. Holds its link behind a ReadOnlyLink: no path
// leads from here to a write.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "daemon/ctl/client.hpp"
#include "protocols/base/clock.hpp"
#include "protocols/device/description.hpp"
#include "protocols/device/item_scale.hpp"
#include "protocols/device/read_only_link.hpp"
#include "protocols/device/site.hpp"

namespace cyclerd::ctl {

struct ProbedIdentity {
  std::string what;  // "maker"
  std::string text;
  bool fits = true;  // the description's patterns
  std::string note;  // what it should be, or why it could not be read
};

struct ProbedItem {
  int item = device::kNone;
  bool answered = false;
  std::string text;                 // of text items
  double raw = base::kAbsent;       // as the instrument has it
  double value_SI = base::kAbsent;  // scaled
  std::string note;                 // why there is no answer, or why it looks wrong
};

struct ProbeRound {
  std::string error;  // nothing was read: why
  std::vector<ProbedIdentity> identity;
  std::vector<ProbedItem> items;
  std::string status;      // what the status items mean: "output off, remote, regulates current"
  std::string scale_note;  // a nominal value that cannot be
  int failures = 0;
  double took_s = 0.0;

  [[nodiscard]] bool identified() const noexcept;
};

class Probe {
 public:
  Probe(std::shared_ptr<const device::Description> description, const device::SiteParameters& site,
        std::unique_ptr<device::ItemLink> link, base::Clock& clock);

  // Connects when it has to; after an item that was not answered it goes on with the next on a fresh connection.
  [[nodiscard]] ProbeRound round();
  [[nodiscard]] device::ItemLink& link() noexcept { return link_; }

 private:
  void identify(ProbeRound& round);
  [[nodiscard]] ProbedItem ask(int index);
  [[nodiscard]] std::string doubt(int index, double raw) const;
  [[nodiscard]] std::string status_text(const std::vector<ProbedItem>& items) const;

  std::shared_ptr<const device::Description> description_;
  const device::Description& d_;
  device::SiteParameters site_;
  device::ReadOnlyLink link_;
  device::ItemScale scale_;
  base::Clock& clock_;
};

[[nodiscard]] std::string probe_page(const device::Description& description, const ProbeRound& round, int width,
                                     bool colour);
[[nodiscard]] std::string probe_lines(const device::Description& description, const ProbeRound& round);  // --plain
[[nodiscard]] Json probe_json(const device::Description& description, const ProbeRound& round);

}  // namespace cyclerd::ctl
