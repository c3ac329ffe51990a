// A bench that can do everything, for targets that compile a profile.
#pragma once

#include "profiles/compile.hpp"

namespace cyclerd::fuzz {

inline profiles::Launch roomy_launch() {
  profiles::Launch launch;
  launch.cell.name = launch.cell.model = "bench";
  launch.cell.chemistry = "nmc-graphite";
  launch.cell.nominal_capacity_C = 18'000.0;
  launch.cell.voltage_min_V = 2.5;
  launch.cell.voltage_max_V = 4.2;
  launch.cell.charge_current_max_A = 5.0;
  launch.cell.discharge_current_max_A = 10.0;
  launch.cycler.native_cv = launch.cycler.can_charge = launch.cycler.can_discharge = launch.cycler.can_power = 1;
  launch.cycler.voltage_max_V = 60.0;
  launch.cycler.current_max_A = 40.0;
  launch.cycler.current_min_A = -40.0;
  launch.cycler.power_max_W = 1000.0;
  launch.cycler.power_min_W = -1000.0;
  launch.chamber.kind = device::DeviceKind::chamber;
  launch.chamber.temperature_min_degC = -40.0;
  launch.chamber.temperature_max_degC = 90.0;
  launch.has_chamber = launch.has_cell_temperature = true;
  launch.initial_soc = 0.5;
  launch.simulated = true;  // any chemistry
  launch.waveforms["us06.csv"] = launch.waveforms["drive.csv"] = "time_s,current_C\n0,0\n1,-0.5\n";
  return launch;
}

}  // namespace cyclerd::fuzz
