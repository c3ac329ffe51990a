"""The rows of the table. Each function measures our figure and its yardstick in the same run, in interleaved slices."""
import csv
import glob
import json
import os
import re
import resource
import shutil
import subprocess
import tempfile

from rig import BIN, SOURCE, Rig, expect, wait_until
from stats import median, percentile

HERE = os.path.dirname(os.path.abspath(__file__))
PERIOD_US = 1000
GOAL_1000_H_S = 5.0
CELL = "tests/integration/lab/cells/closed-form.toml"


def row(name, unit, value, yardstick, yardstick_value, n, note="", better="lower"):
    known = value is not None and yardstick_value
    return {"name": name, "unit": unit, "value": value, "yardstick": yardstick, "yardstick_value": yardstick_value,
            "ratio": value / yardstick_value if known else None, "n": n, "better": better, "note": note}


def run_json(*command):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    expect(done.returncode == 0, f"{' '.join(map(str, command))} ended with {done.returncode}: {done.stderr}")
    return json.loads(done.stdout)


def program(name):
    return os.path.join(BIN, name)


class Bench(Rig):
    """The closed-form cell behind the float32 cycler of the virtual lab, on free ports; the channel polled at `scan`."""

    def __init__(self, scan, lab_core=None):
        super().__init__("hil/labs/virtual.toml", "tests/bench/station.toml", scan)
        self.lab_core = lab_core

    # The twin stands for an instrument, which has a processor of its own and does not wait for this computer's other work.
    def start_lab(self):
        super().start_lab()
        subprocess.run(["chrt", "-a", "-f", "-p", "65", str(self.lab.pid)], check=False, stderr=subprocess.DEVNULL)
        if self.lab_core is not None:
            subprocess.run(["taskset", "-acp", str(self.lab_core), str(self.lab.pid)], check=True, stdout=subprocess.DEVNULL)


# --- wake-up jitter


def cyclictest_us(count):
    """Sorted latencies of one slice."""
    done = subprocess.run(["cyclictest", "-m", "-p80", f"-i{PERIOD_US}", "-l", str(count), "-q", "-h", "100000"],
                          capture_output=True, text=True, check=False)
    expect(done.returncode == 0, f"cyclictest ended with {done.returncode}: {done.stderr.strip()}; it needs SCHED_FIFO")
    values = []
    for line in done.stdout.splitlines():
        if re.fullmatch(r"\d+ \d+", line.strip()):
            latency, times = line.split()
            values += [int(latency)] * int(times)
    return values


def on_time_us(values, around=None):
    """Where the shortest stretch with half of the values begins: the moment of what is not delayed. `around`: on a circle."""
    values = sorted(values)
    half = len(values) // 2
    if around:
        values += [v + around for v in values[:half]]
    return min(zip(values, values[half:]), key=lambda ends: ends[1] - ends[0])[0]


def grid_lateness_us(sent_us):
    """How late each poll was. The phase of the daemon's grid is not in the record: polls on time show where it is."""
    early_us = 200  # what is so little before the grid is not 800 us late
    phase = on_time_us([t % PERIOD_US for t in sent_us], PERIOD_US) - early_us
    late, before = [], None
    for t in sent_us:
        turn, rest = divmod(t - phase, PERIOD_US)
        missed = turn - before - 1 if before is not None else 0
        late.append(rest - early_us + missed * PERIOD_US)
        before = turn
    return late


def daemon_sent_us():
    """When the polls of one test at 1 ms were sent, from its record, in us since its start."""
    with Bench("1 ms") as rig:
        test = rig.start(os.path.join(HERE, "profiles/every-scan.toml"), "--soc", "0.5", cell=CELL)
        status = rig.wait_done(30)
        expect(status["state"] == "finished", f"the test at 1 ms ended {status['state']}: {status.get('trip')}")
        out = os.path.join(rig.folder, "out")
        rig.ctl("export", test, "--out", out)
        with open(glob.glob(os.path.join(out, "*.csv"))[0], newline="") as file:
            rows = list(csv.DictReader(file))
        return [round((float(r["Test Time / s"]) - float(r["Time Uncertainty / s"])) * 1e6) for r in rows]


def beyond_on_time(slices):
    merged = []
    for values in slices:
        least = on_time_us(values)
        merged += [value - least for value in values]
    return sorted(merged)


def wake_up(slices, count):
    yardstick, ours, daemon, fifo = [], [], [], True
    for _ in range(slices):
        yardstick.append(cyclictest_us(count))
        slice_ = run_json(program("bench_wakeup"), str(PERIOD_US), str(count))
        fifo = fifo and slice_["fifo"] and slice_["dma_latency_held"]
        ours.append(slice_["lateness_us"])
        daemon.append(grid_lateness_us(daemon_sent_us()))
    note = "" if fifo else "without SCHED_FIFO or /dev/cpu_dma_latency: not comparable"
    rows = []
    merged = (sorted(v for s in ours for v in s), sorted(v for s in yardstick for v in s))
    beyond = (beyond_on_time(daemon), beyond_on_time(yardstick))
    parts = (("p50", 0.5), ("p99", 0.99), ("p99.9", 0.999))
    for what, (a, b), base, shown in (
            ("wake-up lateness of a port's wait, 1 ms", merged, "cyclictest", parts),
            ("polls of the whole daemon, 1 ms, later than on time", beyond, "cyclictest, likewise", parts[1:])):
        for label, part in shown:
            rows.append(row(f"{what}, {label}", "us", percentile(a, part), base, percentile(b, part), min(len(a), len(b)), note))
    return rows


# --- Modbus


def modbus(slices, reads):
    rows = []
    cores = sorted(os.sched_getaffinity(0))
    places = [("same core", cores[0], cores[0])]
    if len(cores) > 1:
        places.append(("one core each", cores[0], cores[1]))
    for place, client_core, lab_core in places:
        rig = Bench("100 ms", lab_core)
        try:
            rig.start_lab()
            seen = run_json("taskset", "-c", str(client_core), program("bench_modbus"), str(rig.ports["cycler"]), str(slices),
                            str(reads))
        finally:
            rig.__exit__(None)
        base = seen["libmodbus"]
        for way, title in (("client", "TcpClient"), ("driver", "Device::read"), ("port", "port round")):
            rows.append(row(f"Modbus reads of 10 registers, {title}, {place}", "1/s", seen[way]["per_s"], "bare libmodbus",
                            base["per_s"], seen[way]["n"], f"{seen['blocks_per_read']} request a read", "higher"))
        rows.append(row(f"Modbus round trip, Device::read, p99, {place}", "us", seen["driver"]["p99_us"], "bare libmodbus",
                        base["p99_us"], seen["driver"]["n"]))
        rows.append(row(f"CPU of a read, port round, {place}", "us", seen["port"]["cpu_us"], "bare libmodbus", base["cpu_us"],
                        seen["port"]["n"]))
    return rows


# --- a serial line


def rtu(reads, seconds):
    seen = run_json(program("bench_rtu"), str(reads), str(seconds))
    ours, bare, dead = seen["client"], seen["libmodbus"], seen["one_dead"]
    note = "a pty, 1750 us of silence between frames"
    return [row("Modbus RTU reads of 8 registers", "1/s", ours["per_s"], "bare libmodbus", bare["per_s"], seen["n"], note, "higher"),
            row("CPU of a read, RtuClient", "us", ours["cpu_us"], "bare libmodbus", bare["cpu_us"], seen["n"]),
            row("one dead slave of eight, least rate of the others", "1/s", dead["before_per_s"] * dead["least_share"],
                "all alive", dead["before_per_s"], int(dead["before_per_s"] * seconds), "goal 0.95", "higher")]


# --- many channels


def fleet(slices, seconds):
    rows = []
    for wires, units, period_ms in ((64, 1, 10), (64, 16, 100)):
        seen = run_json(program("bench_fleet"), str(wires), str(units), str(period_ms), str(slices), str(seconds))
        ours, bare = seen["ports"], seen["libmodbus"]
        title = f"{wires * units} channels at {1000 // period_ms} Hz"
        note = f"missed {ours['missed']}, bare {bare['missed']}; invalid {ours['invalid']}"
        rows.append(row(f"{title}, readings", "1/s", ours["per_s"], "bare libmodbus", bare["per_s"], ours["n"], note, "higher"))
        rows.append(row(f"{title}, CPU of a reading", "us", ours["cpu_us"], "bare libmodbus", bare["cpu_us"], ours["n"]))
    return rows


# --- a violation's way to the off command


def reaction(rounds):
    took_us, trips_us = [], []
    with Bench("10 ms") as rig:
        for _ in range(rounds):
            rig.start(os.path.join(HERE, "profiles/charge.toml"), "--soc", "0.5", cell=CELL)
            wait_until(lambda: rig.lab_control("state")["cyclers"]["cycler"]["current_A"] > 0.9, 10, "the charge")
            for _ in range(4):
                trips_us.append(rig.json("devices")["devices"][0]["round_trip_us"])
            rig.lab_control("overvoltage cycler 4.5")

            def opened():
                seen = rig.lab_control("state")["cyclers"]["cycler"]
                return seen if seen["lie_shown_us"] and not seen["output_on"] else None

            seen = wait_until(opened, 10, "the off command")
            took_us.append(seen["output_changed_us"] - seen["lie_shown_us"])
            wait_until(lambda: rig.channel()["state"] == "faulted", 10, "the trip")
            rig.lab_control("overvoltage cycler off")
            wait_until(lambda: rig.ctl("ack", "A1", "--reason", "bench", "--yes", ok=False).returncode == 0, 10,
                       "the acknowledgement")
    took_us.sort()
    trip_us = median(trips_us)
    base = f"paced read round trip p50, n={len(trips_us)}"
    name = "violating reply -> off command"
    return [row(f"{name}, p50", "us", percentile(took_us, 0.5), base, trip_us, len(took_us),
                f"the daemon adds {percentile(took_us, 0.5) - trip_us:.0f} us to one round trip"),
            row(f"{name}, p99", "us", percentile(took_us, 0.99), base, trip_us, len(took_us)),
            row(f"{name}, max", "us", took_us[-1], base, trip_us, len(took_us))]


# --- record


def record(rounds):
    seen = [run_json(program("bench_record")) for _ in range(rounds)]

    def middle(key):
        return median([s[key] for s in seen])

    n = seen[0]["rows"] * rounds
    return [row("record, rows per CPU second", "1/s", middle("record_rows_per_cpu_s"), "SQLite WAL FULL",
                middle("sqlite_rows_per_cpu_s"), n, "journal and live stream", "higher"),
            row("record, bytes of a row in the live stream", "B", middle("record_stream_bytes_per_row"), "SQLite WAL FULL",
                middle("sqlite_bytes_per_row"), n)]


# --- models


def shipped_sets():
    """The first set of every model, in the order of their names; files of other formats (BPX) are named with --set."""
    first = {}
    for path in sorted(glob.glob(os.path.join(SOURCE, "hil/cells/sets/*.toml"))):
        with open(path) as file:
            found = re.search(r'^model = "([a-z-]+)"', file.read(), re.MULTILINE)
        if found:
            first.setdefault(found.group(1), os.path.basename(path)[:-len(".toml")])
    return list(first.values())


def models(seconds, sets):
    sets = sets or shipped_sets()
    steps = run_json(program("bench_models"), "steps", str(seconds), *sets)
    rows = [row(f"step of 1 s, {s['model']} ({s['set']})", "ns", s["ns"], "plain loop over the same equations", s["plain_ns"],
                s["n"]) for s in steps]
    for seen in steps:
        if seen["model"] not in ("ecm", "spme"):
            continue
        for cells in (1, 64, 1024):
            for step_us, step in ((1000, "1 ms"), (100000, "100 ms")):
                world = run_json(program("bench_models"), "world", str(seconds), seen["set"], str(cells), str(step_us))
                rows.append(row(f"real-time factor, {cells} x {seen['set']} on cyclers, steps of {step}", "x",
                                world["real_time_factor"], "bare cells", world["bare_real_time_factor"], world["steps"],
                                "" if world["real_time_factor"] >= 1 else "slower than the clock", "higher"))
    return rows


# --- simulation


def simulation(rounds):
    hours, steps = 1000, 3_600_000
    cpu, wall, cell, lab = [], [], [], []
    for _ in range(rounds):
        floor = run_json(program("bench_lab"), str(steps))
        cell.append(floor["cell_cpu_s"])
        lab.append(floor["lab_cpu_s"])
        out = tempfile.mkdtemp(prefix="cyclerd-bench-")
        try:
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            done = subprocess.run([program("cyclerctl"), "simulate", "cycle-life", "--cell", "lg-m50", "--cell-model", "lg-m50",
                                   "--set", "cycles=300", "--json"], capture_output=True, text=True, check=False,
                                  env=dict(os.environ, TMPDIR=out), cwd=SOURCE)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
        finally:
            shutil.rmtree(out)
        expect(done.returncode == 0, f"the simulation ended with {done.returncode}: {done.stdout[-400:]}{done.stderr}")
        told = json.loads(done.stdout)["simulation"]
        expect(told["scans"] > steps // 2, f"only {told['scans']} scans were simulated")
        share = steps / told["scans"]  # to exactly 1000 h
        cpu.append((after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) * share)
        wall.append(told["wall_s"] * share)
    name = f"{hours} h virtual test at 1 s scan, whole program with record"
    return [row(f"{name}, CPU", "s", median(cpu), "the goal", GOAL_1000_H_S, rounds, f"{steps} scans"),
            row(f"{name}, CPU", "s", median(cpu), "bare cell, cycler and chamber", median(lab), rounds,
                f"{steps} scans"),
            row(f"{name}, CPU", "s", median(cpu), "bare cell model", median(cell), rounds),
            row(f"{name}, wall", "s", median(wall), "bare cell, cycler and chamber", median(lab), rounds)]
