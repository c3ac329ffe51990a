"""The chamber's server dies in the middle of a soak: the test pauses (or trips) as the station's policy says; the cycler's wire
does not notice."""
import time

from rig import Rig, expect, main, wait_until


def cycler_health(rig):
    return next(d for d in rig.json("devices")["devices"] if d["kind"] == "cycler")


def one(policy, expected):
    with Rig() as rig:
        text = open(rig.station).read()
        expect('on_chamber_loss = "pause"' in text, "the example station states its policy")
        rig.daemon.terminate()
        rig.daemon.wait(10)
        open(rig.station, "w").write(text.replace('on_chamber_loss = "pause"', f'on_chamber_loss = "{policy}"'))
        rig.start_daemon()
        rig.start("tests/integration/lab/profiles/soak.toml", "--soc", "0.5")
        wait_until(lambda: rig.channel()["step"]["name"] == "soak", 10, "the soak")
        time.sleep(1.0)
        before = cycler_health(rig)
        start = time.monotonic()
        rig.lab_control("mute chamber")
        wait_until(lambda: rig.channel()["state"] == expected, 20, f"state {expected}")
        reaction_s = time.monotonic() - start
        time.sleep(2.0)
        span_s = time.monotonic() - start
        after = cycler_health(rig)
        polls = after["polls"] - before["polls"]
        print(f"{policy}: {expected} after {reaction_s:.2f} s; cycler polled {polls} times in {span_s:.2f} s, errors "
              f"{after['errors'] - before['errors']}, overruns {after['overruns'] - before['overruns']}")
        expect(after["errors"] == before["errors"], "the cycler's wire saw errors")
        expect(polls >= 0.95 * span_s / 0.1, f"the cycler was polled only {polls} times in {span_s:.2f} s")
        expect(not rig.channel()["output_on"], "the output is off")
        if expected == "paused":
            rig.lab_control("unmute chamber")
            wait_until(lambda: next(d for d in rig.json("devices")["devices"] if d["kind"] == "chamber")["link"] == "open", 60,
                       "the chamber to come back")
            rig.ctl("resume", "A1")
            wait_until(lambda: rig.channel()["state"] == "running", 10, "the test to go on")
            rig.ctl("stop", "A1")


def run():
    one("pause", "paused")
    one("trip", "faulted")


main(run)
