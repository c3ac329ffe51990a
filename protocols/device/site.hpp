// The site parameters of one instrument: what the station file says about what its description leaves open.
#pragma once

#include <memory>
#include <vector>

#include "protocols/device/description.hpp"

namespace cyclerd::device {

// One number per Description::parameters, in their order: SI, 0 or 1, or the index of a word.
struct SiteParameters {
  std::vector<double> values;
};

// The defaults of the description.
[[nodiscard]] SiteParameters default_site(const Description& description);

// Reads a table of the station file ({ watchdog_timeout = "2 s" }); null: the defaults. Wrong names, kinds and ranges
// are reported there (D031, D032), with the place of the declaration.
[[nodiscard]] SiteParameters bind_site(const Description& description, const text::TomlNode* table,
                                       text::Diagnostics& diagnostics);

// The description with the addresses that the site decides; the same object where it decides none.
[[nodiscard]] std::shared_ptr<const Description> at_site(std::shared_ptr<const Description> description,
                                                         const SiteParameters& site);

}  // namespace cyclerd::device
