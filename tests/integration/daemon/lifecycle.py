"""The daemon's life: it starts a test and is stopped; it is killed and a fresh process opens the output; two do not share a state."""
import json
import os
import re
import signal
import socket
import subprocess
import tempfile
import time

from rig import BIN, SOURCE, Rig, expect, main, wait_until

CYCLERD = os.path.join(BIN, "cyclerd")


def rpc(rig, method, **params):
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(30)
        s.connect(rig.socket)
        s.sendall((json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}) + "\n").encode())
        reply = b""
        while not reply.endswith(b"\n"):
            chunk = s.recv(65536)
            expect(chunk, f"the daemon closed the connection in {method}")
            reply += chunk
    answer = json.loads(reply)
    expect("error" not in answer, f"{method}: {answer.get('error')}")
    return answer["result"]


def channel(rig):
    return rpc(rig, "status")["channels"][0]


def start_charging(rig):
    wait_until(lambda: channel(rig)["state"] in ("safe", "finished"), 30, "the channel to be safe")
    profile = open(os.path.join(SOURCE, "tests/integration/lab/profiles/charge.toml")).read()
    cell = open(os.path.join(SOURCE, "profiles/cells/lg-m50.toml")).read()
    test = rpc(rig, "start", profile=profile, profile_name="charge.toml", cell=cell, cell_name="lg-m50", channel="A1", soc=0.5,
               operator="t")
    wait_until(lambda: (channel(rig)["current_A"] or 0) > 2.0, 20, "charging")
    return test


def outputs_on(rig):
    state = rig.lab_control("state")
    return any(c["output_on"] for c in state["cyclers"].values())


def threads_of(pid):
    return sorted(open(f"/proc/{pid}/task/{t}/comm").read().strip() for t in os.listdir(f"/proc/{pid}/task"))


def run():
    # The demo's lab on ports of the system's choice.
    with tempfile.TemporaryDirectory(prefix="cyclerd-lab-") as folder:
        lab = os.path.join(folder, "lab.toml")
        text = open(os.path.join(SOURCE, "hil/labs/demo.toml")).read()
        open(lab, "w").write(re.sub(r"(?m)^port = \d+", "port = 0", text))
        live(lab)


def live(lab):
    with Rig(lab=lab) as rig:
        names = threads_of(rig.daemon.pid)
        expect(names == sorted(["cyclerd", "recorder", "cycle", "wire-cycler", "wire-chamber", "control", "worker"]), f"threads: {names}")
        info = rpc(rig, "server.info")
        expect(info["station"] == "demo", str(info))

        # One daemon per state folder.
        second = subprocess.run([CYCLERD, rig.station, "--state-dir", rig.state, "--socket", rig.socket + "2"], capture_output=True,
                                text=True, timeout=30, stdin=subprocess.DEVNULL)
        expect(second.returncode == 5 and str(rig.daemon.pid) in second.stderr, f"{second.returncode}: {second.stderr}")

        # SIGTERM in the middle of a test: the record says why it ended, the output is off.
        test = start_charging(rig)
        expect(os.path.isdir(test["folder"]), f"a started test has its folder: {test}")
        rig.daemon.send_signal(signal.SIGTERM)
        expect(rig.daemon.wait(20) == 0, "an orderly end is exit 0")
        expect(not outputs_on(rig), "the output is off after SIGTERM")
        about = json.load(open(os.path.join(test["folder"], "test.json")))
        expect(about["state"] == "stopped", f"the record says {about['state']}")
        expect(not os.path.exists(rig.socket), "the socket file is gone")

        # kill -9 in the middle of a test: the output stays on until a fresh process opens it.
        rig.start_daemon()
        test = start_charging(rig)
        rig.daemon.kill()
        rig.daemon.wait(10)
        expect(outputs_on(rig), "nothing has opened the output yet (the twin has no watchdog)")
        began = time.monotonic()
        safe = subprocess.run([CYCLERD, "--make-safe", rig.station], capture_output=True, text=True, timeout=30)
        took_ms = (time.monotonic() - began) * 1000.0
        expect(safe.returncode == 0, f"make-safe: {safe.returncode} {safe.stderr}")
        expect(not outputs_on(rig), "the output is off after make-safe")
        print(f"make-safe took {took_ms:.0f} ms")

        # A station file broken in the meantime still opens what it names.
        broken = rig.station + ".broken"
        open(broken, "w").write(open(rig.station).read() + "\n[nonsense]\nx = 1\n")
        safe = subprocess.run([CYCLERD, "--make-safe", broken], capture_output=True, text=True, timeout=30)
        expect(safe.returncode == 0 and "nonsense" in safe.stderr, f"{safe.returncode}: {safe.stderr}")

        # The next daemon finds the test interrupted and runs another.
        rig.start_daemon()
        tests = rpc(rig, "tests")
        mine = next(t for t in tests if t["test"] == test["test"])
        expect(mine["outcome"] == "interrupted", f"the killed test is {mine['outcome']}")
        start_charging(rig)
        rpc(rig, "stop", channel="A1", reason="enough")
        wait_until(lambda: channel(rig)["state"] in ("finished", "safe"), 10, "the stopped test's end")
        expect(not outputs_on(rig), "the output is off after a stop")

        # make-safe with nobody there: exit 8, and says who.
        rig.lab_control("mute cycler")
        safe = subprocess.run([CYCLERD, "--make-safe", rig.station, "--patience", "0"], capture_output=True, text=True, timeout=30)
        expect(safe.returncode == 8 and "make-safe cycler" in safe.stderr, f"{safe.returncode}: {safe.stderr}")
        rig.lab_control("unmute cycler")


main(run)
