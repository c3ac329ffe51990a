"""Runs inside the container, as a service: see kill9."""
import json
import os
import signal
import socket
import subprocess
import sys
import time

BIN = "/opt/cyclerd/bin/"
STATE = "/var/lib/cyclerd"
LIMIT_MS = {signal.SIGKILL: 250.0, signal.SIGSTOP: 1000.0}  # killed; hung, until the service manager's watchdog acts
PROFILE = """profile = "kill9"
schema = 1
[cell]
chemistry = "nmc-graphite"
[safety]
voltage = { min = "2.6 V", max = "4.25 V" }
current = { max = "1 C" }
[record]
every = "100 ms"
[[step]]
name = "charge"
charge = { current = "0.5 C", voltage = "4.2 V" }
until = ["abs(current) <= 0.05 C", { when = "time >= 3 h", then = "fail", reason = "no taper" }]
"""


def fail(message):
    print(f"FAILED: {message}", flush=True)
    sys.exit(1)


def wait_until(condition, seconds, what):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            value = condition()
        except (OSError, ValueError, KeyError, StopIteration):
            value = None
        if value:
            return value
        time.sleep(0.02)
    fail(f"waited {seconds} s in vain for {what}")


def lab(port, line):
    with socket.create_connection(("127.0.0.1", port), timeout=5) as s:
        s.sendall((line + "\n").encode())
        reply = b""
        while not reply.endswith(b"\n"):
            reply += s.recv(65536)
    return json.loads(reply)


def say(port, line):
    with socket.create_connection(("127.0.0.1", port), timeout=5) as s:
        s.sendall((line + "\n").encode())
        answer = s.recv(4096).decode().strip()
    if answer != "ok":
        fail(f"lab control '{line}': {answer}")


def ctl(*arguments, ok=True):
    done = subprocess.run([BIN + "cyclerctl", *arguments, "--json"], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if ok and done.returncode != 0:
        fail(f"cyclerctl {' '.join(arguments)} ended with {done.returncode}: {done.stdout}{done.stderr}")
    return json.loads(done.stdout) if done.stdout.strip() else {}


def channel():
    return ctl("status", ok=False)["channels"][0]


def main_pid():
    return int(subprocess.run(["systemctl", "show", "-p", "MainPID", "--value", "cyclerd"], capture_output=True,
                              text=True).stdout or 0)


def main():
    rounds = int(os.environ.get("KILL9_ROUNDS") or open("/proc/1/environ").read().split("KILL9_ROUNDS=")[1].split("\0")[0])
    subprocess.run(["ip", "link", "set", "lo", "up"], check=False)
    os.makedirs("/etc/cyclerd", exist_ok=True)
    subprocess.Popen([BIN + "cycler-hil", "lab", "/opt/cyclerd/hil/labs/demo.toml", "--ports-file", "/run/ports.json"],
                     stdout=open("/var/tmp/kill9/lab.log", "w"), stderr=subprocess.STDOUT)
    wait_until(lambda: os.path.exists("/run/ports.json"), 10, "the virtual lab")
    ports = json.load(open("/run/ports.json"))
    station = open("/opt/cyclerd/kill9_station.toml").read()
    station = station.replace("port = 15020", f"port = {ports['cycler']}").replace("port = 15021", f"port = {ports['chamber']}")
    open("/etc/cyclerd/station.toml", "w").write(station)
    open("/run/profile.toml", "w").write(PROFILE)
    started = subprocess.run(["systemctl", "start", "cyclerd"], capture_output=True, text=True)
    if started.returncode != 0:
        fail(f"systemctl start: {started.stderr}")

    latencies_ms = {signal.SIGKILL: [], signal.SIGSTOP: []}
    for turn in range(rounds):
        how = signal.SIGSTOP if turn % 4 == 3 else signal.SIGKILL
        wait_until(lambda: channel()["state"] in ("safe", "finished"), 20, "the channel to be safe after its self-check")
        say(ports["control"], "set cell.soc 0.5")
        test = ctl("start", "/run/profile.toml", "--channel", "A1", "--cell", "lg-m50", "--soc", "0.5")["test"]
        wait_until(lambda: channel()["current_A"] > 2.0, 10, "charging")
        time.sleep(1.5 + 0.13 * turn)
        seen = channel()
        pid = main_pid()
        before_us = time.monotonic_ns() // 1000
        os.kill(pid, how)
        state = wait_until(lambda: (lambda s: s if not s["output_on"] else None)(lab(ports["control"], "state")["cyclers"]["cycler"]), 5,
                           "the output to open")
        latency_ms = (state["output_changed_us"] - before_us) / 1000.0
        latencies_ms[how].append(latency_ms)
        print(f"round {turn + 1}: output off {latency_ms:.1f} ms after {how.name}", flush=True)
        wait_until(lambda: main_pid() not in (0, pid) and channel(), 20, "the restarted daemon")
        # Everything acknowledged is there: the test's start, and every row that had been committed when we looked.
        folder = next(t["folder"] for t in ctl("tests")["tests"] if str(t["test"]) == str(test))
        for name in ("test.json", "profile.toml", "rows.arrows", "events.jsonl"):
            if not os.path.exists(os.path.join(folder, name)):
                fail(f"{folder} has no {name} after the kill")
        out = f"/run/export{turn}"
        ctl("export", folder, "--out", out)
        csv = next(os.path.join(out, n) for n in os.listdir(out) if n.endswith(".bdf.csv"))
        rows = sum(1 for _ in open(csv)) - 1
        # `seen` was read at least one commit interval (1 s bound of the contract) after these rows were taken.
        promised = max(0, int(seen["rows"]) - 10)
        if rows < promised:
            fail(f"{rows} rows after the kill, at least {promised} were promised")
    for how, seen_ms in latencies_ms.items():
        seen_ms.sort()
        print(f"{how.name} to output off: min {seen_ms[0]:.1f}, median {seen_ms[len(seen_ms) // 2]:.1f}, max {seen_ms[-1]:.1f} ms "
              f"over {len(seen_ms)} rounds; bound {LIMIT_MS[how]:.0f} ms")
        if seen_ms[-1] > LIMIT_MS[how]:
            fail("later than the bound")
    print("kill9 passed")


main()
