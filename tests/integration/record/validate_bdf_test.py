#!/usr/bin/env python3
"""validate_bdf_test.py <record_make_test> <work folder>: our export is valid, and every way of spoiling it is found."""

import csv
import hashlib
import json
import os
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))


def verdict(path):
    return subprocess.run([sys.executable, os.path.join(HERE, "validate_bdf.py"), path], capture_output=True).returncode


def spoil(rows, header, name, row, change):
    copy = [list(r) for r in rows]
    at = header.index(name)
    copy[row][at] = change(copy[row][at])
    return header, copy


def main():
    make_test, work = sys.argv[1], sys.argv[2]
    shutil.rmtree(work, ignore_errors=True)
    os.makedirs(work)
    out = subprocess.run([make_test, work, "1"], check=True, capture_output=True, text=True).stdout.split("\n")
    path = out[1]
    assert verdict(path) == 0, "the export must be valid"
    with open(path, newline="", encoding="utf-8") as file:
        table = list(csv.reader(file))
    header, all_rows = table[0], table[1:]
    rows = all_rows[:4500]

    def plus(x):
        return lambda cell: repr(float(cell) + x)

    spoilt = {
        "time runs back": spoil(rows, header, "Test Time / s", 50, plus(-10)),
        "net is wrong": spoil(rows, header, "Net Capacity / Ah", 4000, plus(1e-3)),
        "cumulative is wrong": spoil(rows, header, "Step Cumulative Energy / Wh", 4000, plus(1e-3)),
        "charge falls": spoil(rows, header, "Charging Capacity / Ah", 4000, plus(-1e-2)),
        "power is wrong": spoil(rows, header, "Power / W", 2000, plus(0.1)),
        "cycle is no whole number": spoil(rows, header, "Cycle Count / 1", 9, lambda cell: "1.5"),
        "step counts back": spoil(rows, header, "Step Count / 1", 3000, lambda cell: "1"),
        "step record index": spoil(rows, header, "Step Record Index / 1", 0, lambda cell: "0"),
        "record index twice": spoil(rows, header, "Record Index / 1", 5, lambda cell: "5"),
        "a word for a number": spoil(rows, header, "Voltage / V", 5, lambda cell: "high"),
        "milliseconds": (
            header,
            [[repr(float(c) * 1000) if n == "Test Time / s" else c for n, c in zip(header, r)] for r in rows],
        ),
        "a label misspelt": ([n.replace("Voltage / V", "voltage / v") for n in header], rows),
        "a cell too many": (header, rows[:3] + [rows[3] + ["1"]] + rows[4:]),
        "no rows": (header, []),
    }
    for name, (h, r) in spoilt.items():
        bad = os.path.join(work, "spoilt.bdf.csv")
        with open(bad, "w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([h] + r)
        assert verdict(bad) == 1, f"{name}: not found"
    assert verdict(os.path.join(work, "missing.csv")) == 2

    sidecar = path.replace(".bdf.csv", ".bdf.metadata.json")
    with open(sidecar, encoding="utf-8") as file:
        about = json.load(file)
    assert about["rows"] == len(all_rows) and [c["name"] for c in about["columns"]] == header
    assert about["test"]["status"] == "completed" and about["test"]["cell_id"] == "LG-M50-0007"
    files = {a["file"]: a for a in about["artifacts"]}
    with open(path, "rb") as file:
        assert files[os.path.basename(path)]["sha256"] == hashlib.sha256(file.read()).hexdigest()
    print(f"valid, and {len(spoilt)} spoilt files found")
    return 0


if __name__ == "__main__":
    sys.exit(main())
