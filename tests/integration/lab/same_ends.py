"""The same profile in real time over Modbus and simulated in virtual time: every step ends for the same reason, capacities
within 0.5 %; and the journalled inputs, replayed through the executor, give the recorded commands exactly."""
import os
import subprocess

from rig import BIN, Rig, expect, folder_of, jsonl, main

PROFILE = "tests/integration/lab/profiles/short.toml"


def run():
    # 10 ms scans: a step of six seconds then ends within 0.2 % of its capacity.
    with Rig(scan="10 ms") as rig:
        test = rig.start(PROFILE, "--soc", "0.94")
        status = rig.wait_done(150)
        expect(status["state"] == "finished", f"the test ended {status['state']}: {status.get('trip')}")
        folder = folder_of(rig, test)
        real_steps = jsonl(os.path.join(folder, "steps.jsonl"))
        real_cycles = jsonl(os.path.join(folder, "cycles.jsonl"))

        out = os.path.join(rig.folder, "simulated")
        simulated = rig.json("simulate", PROFILE, "--cell", "lg-m50", "--cell-model", "lg-m50", "--soc", "0.94", "--scan",
                             "10ms", "--out", out)
        sim_steps = jsonl(os.path.join(simulated["folder"], "steps.jsonl"))
        sim_cycles = jsonl(os.path.join(simulated["folder"], "cycles.jsonl"))

        names = [(s["name"], s["end"], s["end_text"]) for s in real_steps]
        expect(len(names) >= 5, f"only {len(names)} steps were summarised")
        expect(names == [(s["name"], s["end"], s["end_text"]) for s in sim_steps],
               f"steps ended differently:\n wire      {names}\n simulated "
               f"{[(s['name'], s['end'], s['end_text']) for s in sim_steps]}")
        compared = 0
        for real, sim in zip(real_steps + real_cycles, sim_steps + sim_cycles):
            for key in ("charging_capacity_Ah", "discharging_capacity_Ah"):
                if max(real[key], sim[key]) < 1e-4:
                    continue
                difference = abs(real[key] - sim[key]) / max(real[key], sim[key])
                print(f"{real.get('name', 'cycle')} {key}: wire {real[key]:.6f}, simulated {sim[key]:.6f}, {difference:.3%}")
                expect(difference <= 0.005, f"{real.get('name', 'cycle')}: {key} {real[key]} against {sim[key]}: {difference:.2%}")
                compared += 1
        expect(compared >= 4, f"only {compared} capacities were large enough to compare")

        rig.daemon.terminate()
        rig.daemon.wait(10)
        replay = subprocess.run([os.path.join(BIN, "replay_journal"), rig.state, str(test)], capture_output=True, text=True)
        print(replay.stdout, end="")
        expect(replay.returncode == 0, f"the replay differs:\n{replay.stdout}{replay.stderr}")


main(run)
