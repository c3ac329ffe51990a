"""A cell outside its box: the output opens at once, the trip latches, an operator must acknowledge it after its cause is gone."""
import time

from rig import Rig, expect, main, wait_until


def run():
    with Rig() as rig:
        rig.start("tests/integration/lab/profiles/charge.toml", "--soc", "0.5")
        wait_until(lambda: (rig.channel().get("current_A") or 0) > 2.0, 10, "charging")
        rig.lab_control("temp cell 75")
        status = wait_until(lambda: (lambda c: c if c["state"] == "faulted" else None)(rig.channel()), 10, "the trip")
        print("trip:", status["trip"])
        expect("temperature" in str(status["trip"]), "the trip names its cause")
        expect(not rig.lab_control("state")["cyclers"]["cycler"]["output_on"], "the twin's output is off")
        refused = rig.ctl("ack", "A1", "--reason", "looked at it", "--yes", ok=False)
        expect(refused.returncode == 7, f"acknowledging while the cell is at 75 degC is refused with 7, not {refused.returncode}")
        started = rig.ctl("start", "tests/integration/lab/profiles/charge.toml", "--channel", "A1", "--cell", "lg-m50", ok=False)
        expect(started.returncode in (5, 7), f"a start on a tripped channel is refused, not {started.returncode}")
        rig.lab_control("temp cell off")
        time.sleep(1.0)
        rig.ctl("ack", "A1", "--reason", "sensor was loose", "--yes")
        wait_until(lambda: rig.channel()["state"] in ("safe", "finished"), 10, "the channel to be safe again")


main(run)
