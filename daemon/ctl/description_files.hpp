// The description files that a command names: by path, or by the name of a known one.
#pragma once

#include <memory>
#include <string>

#include "daemon/ctl/client.hpp"
#include "daemon/ctl/options.hpp"
#include "daemon/ctl/terminal.hpp"
#include "protocols/device/library.hpp"
#include "protocols/text/diagnostics.hpp"

namespace cyclerd::ctl {

struct LoadedDescription {
  std::string file;
  text::Diagnostics findings;
  std::shared_ptr<const device::Description> description;  // null when there are errors
};

// The folders of --devices before what ships.
[[nodiscard]] device::DescriptionLibrary description_library(const Options& options);

// A trouble when there is no such file; what is wrong inside is in `findings`.
[[nodiscard]] Outcome<LoadedDescription> load_named_description(const std::string& word, const Options& options);

// What `devices` shows of them. Files that do not load are told on io.err and raise `exit_code`.
[[nodiscard]] Json known_descriptions_json(const Options& options, Io& io, int& exit_code);
[[nodiscard]] Table known_descriptions_table(const Json& known);
int known_devices(const Options& options, Io& io);

}  // namespace cyclerd::ctl
