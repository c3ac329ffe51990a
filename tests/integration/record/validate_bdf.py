#!/usr/bin/env python3
"""Checks a BDF CSV file by the rules of the Battery Data Format: validate_bdf.py FILE  (exit 0 valid, 1 invalid, 2 unreadable)

Written from BDF's published rules, not from our exporter, so that both can be wrong only in different ways.
"""

import csv
import math
import sys

REQUIRED = ["Test Time / s", "Voltage / V", "Current / A"]
SCOPES = ["", "Step ", "Cycle "]
QUANTITIES = ["Capacity / Ah", "Energy / Wh"]
KNOWN = set(
    REQUIRED
    + ["Unix Time / s", "Cycle Count / 1", "Step Count / 1", "Ambient Temperature / degC", "Step ID", "Step Type"]
    + ["Record Index / 1", "Step Record Index / 1", "Step Time / s", "Power / W", "Surface Temperature / degC"]
    + [f"{s}{k} {q}" for s in SCOPES for k in ("Charging", "Discharging", "Net", "Cumulative") for q in QUANTITIES]
)
RELATIVE = 1e-6
MOST_FINDINGS = 20


class Findings:
    def __init__(self):
        self.texts = []

    def add(self, text):
        if len(self.texts) < MOST_FINDINGS:
            self.texts.append(text)


def close(a, b, scale):
    return abs(a - b) <= RELATIVE * max(abs(a), abs(b), scale)


def load(path, findings):
    with open(path, newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    header = rows[0]
    if len(set(header)) != len(header):
        findings.add("a column name occurs twice")
    columns = {name: [] for name in header}
    for number, row in enumerate(rows[1:], start=2):
        if len(row) != len(header):
            findings.add(f"line {number}: {len(row)} cells under {len(header)} names")
            continue
        for name, cell in zip(header, row):
            if name in ("Step ID", "Step Type"):
                columns[name].append(cell)
                continue
            try:
                columns[name].append(float(cell) if cell != "" else None)
            except ValueError:
                findings.add(f"line {number}: {name}: {cell!r} is no number")
                columns[name].append(None)
    return columns


def check_rises(columns, name, findings, strictly=False, resets_with=None):
    values = columns.get(name)
    if values is None:
        return
    group = columns.get(resets_with) if resets_with else None
    for i in range(1, len(values)):
        a, b = values[i - 1], values[i]
        if a is None or b is None or (group is not None and group[i] != group[i - 1]):
            continue
        if b < a or (strictly and b == a):
            findings.add(f"line {i + 2}: {name} falls from {a!r} to {b!r}")


def check_whole(columns, name, least, findings):
    for i, value in enumerate(columns.get(name, [])):
        if value is None or value != math.floor(value) or value < least:
            findings.add(f"line {i + 2}: {name} is {value!r}, not a whole number from {least}")


def check_identities(columns, findings):
    for scope in SCOPES:
        for quantity in QUANTITIES:
            names = [f"{scope}{kind} {quantity}" for kind in ("Charging", "Discharging", "Net", "Cumulative")]
            if any(name not in columns for name in names):
                continue
            for i, (c, d, net, total) in enumerate(zip(*(columns[name] for name in names))):
                if None in (c, d, net, total):
                    findings.add(f"line {i + 2}: an empty cell in {names}")
                    continue
                if c < 0 or d < 0:
                    findings.add(f"line {i + 2}: {scope}{quantity} is negative")
                if not close(net, c - d, c + d):
                    findings.add(f"line {i + 2}: {names[2]} is {net!r}, not {c!r} - {d!r}")
                if not close(total, c + d, 0):
                    findings.add(f"line {i + 2}: {names[3]} is {total!r}, not {c!r} + {d!r}")
    if "Power / W" in columns:
        for i, (v, a, w) in enumerate(zip(columns["Voltage / V"], columns["Current / A"], columns["Power / W"])):
            if None not in (v, a, w) and not close(w, v * a, 1e-9):
                findings.add(f"line {i + 2}: Power / W is {w!r}, not {v!r} * {a!r}")


def check_time_scale(columns, findings):
    """Milliseconds under a header of seconds show as a slope of 1000 between the two clocks."""
    test, unix = columns.get("Test Time / s"), columns.get("Unix Time / s")
    if not test or not unix or None in (test[0], test[-1], unix[0], unix[-1]) or test[-1] - test[0] <= 1.0:
        return
    slope = (unix[-1] - unix[0]) / (test[-1] - test[0])
    if not 0.5 < slope < 2.0:
        findings.add(f"Unix Time / s runs {slope:.6g} times as fast as Test Time / s")
    if unix[0] != 0 and not 1e9 < unix[0] < 1e10:
        findings.add(f"Unix Time / s begins at {unix[0]!r}: not seconds since 1970")


def check_step_records(columns, findings):
    steps, index = columns.get("Step Count / 1"), columns.get("Step Record Index / 1")
    if steps is None or index is None:
        return
    expected = 0
    for i, value in enumerate(index):
        expected = 1 if i == 0 or steps[i] != steps[i - 1] else expected + 1
        if value != expected:
            findings.add(f"line {i + 2}: Step Record Index / 1 is {value!r}, not {expected}")


def validate(path):
    findings = Findings()
    columns = load(path, findings)
    for name in REQUIRED:
        if name not in columns:
            findings.add(f"the required column {name!r} is missing")
    if findings.texts:
        return findings.texts
    for name in columns:
        stem = name.strip().lower()
        if name not in KNOWN and any(stem == known.lower() for known in KNOWN):
            findings.add(f"column {name!r} is spelt unlike BDF's label")
    if not columns["Test Time / s"]:
        findings.add("no rows")
    check_rises(columns, "Test Time / s", findings)
    check_rises(columns, "Record Index / 1", findings, strictly=True)
    check_rises(columns, "Cycle Count / 1", findings)
    check_rises(columns, "Step Count / 1", findings)
    check_rises(columns, "Step Time / s", findings, resets_with="Step Count / 1")
    for scope, group in zip(SCOPES, (None, "Step Count / 1", "Cycle Count / 1")):
        for quantity in QUANTITIES:
            for kind in ("Charging", "Discharging", "Cumulative"):
                check_rises(columns, f"{scope}{kind} {quantity}", findings, resets_with=group)
    check_whole(columns, "Cycle Count / 1", 0, findings)
    check_whole(columns, "Step Count / 1", 0, findings)
    check_whole(columns, "Record Index / 1", 0, findings)
    check_step_records(columns, findings)
    check_identities(columns, findings)
    check_time_scale(columns, findings)
    return findings.texts


def main():
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    try:
        findings = validate(sys.argv[1])
    except (OSError, UnicodeDecodeError, IndexError, csv.Error) as error:
        print(f"{sys.argv[1]}: cannot be read: {error}", file=sys.stderr)
        return 2
    for text in findings:
        print(f"{sys.argv[1]}: {text}")
    if not findings:
        print(f"{sys.argv[1]}: valid")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
