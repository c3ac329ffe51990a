// A virtual lab as a file says: cells, the chambers they stand in, the cyclers they hang on, and the ports of their
// twins.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "hil/cells/cell_set.hpp"
#include "hil/lab/twin_kinds.hpp"
#include "hil/plant/world.hpp"
#include "protocols/text/diagnostics.hpp"

namespace cyclerd::hil {

// Where a twin is reached.
struct LabPlace {
  const TwinKind* kind = nullptr;  // never null in an accepted lab
  std::uint16_t port = 0;          // 0: a free one
  std::optional<std::string> tty;  // on a pty instead; not empty: a link to it of that name
  int unit = 1;                    // Modbus unit, address or channel on its connection
  std::string shares;              // the twin on whose connection it is; empty: it has its own
};

struct LabChamber {
  std::string name;
  LabPlace place;
  std::string serial;
  ChamberConfig config;
  ChamberReport report = ChamberReport::actual;
  std::optional<std::size_t> sensor_on;  // cycler whose cell carries the chamber's second sensor
};

struct LabCell {
  std::string name;
  CellSet set;
  CellStart start;
  std::size_t chamber = World::kRoom;
};

struct LabCycler {
  std::string name;
  LabPlace place;
  std::string serial;
  std::size_t cell = 0;
  bool state_low_word_first = false;  // EA: order of register 505
  PlantConfig config;
  SenseFault sense_fault = SenseFault::none;
  ProbeFault probe_fault = ProbeFault::none;
};

struct Lab {
  std::string name;
  double room_degC = 25.0;
  std::optional<std::uint16_t> control_port;  // none: no control hook
  std::vector<LabChamber> chambers;
  std::vector<LabCell> cells;
  std::vector<LabCycler> cyclers;  // plant i of the world is cycler i with its cell
};

// nullopt when there are errors. Codes L001..: hil/README.md.
[[nodiscard]] std::optional<Lab> load_lab(const text::SourcePtr& source, text::Diagnostics& diagnostics);

// Everything of the lab, at `start`: chamber i is chambers[i], plant i is cyclers[i].
[[nodiscard]] World build_world(const Lab& lab, base::MonoTime start);

}  // namespace cyclerd::hil
