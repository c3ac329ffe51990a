#!/usr/bin/python3
"""Holds the DBC reader and the signal codec against canmatrix: the same messages and signals are read from a file, and the
same raw numbers from random frames.

dbc_against_canmatrix.py DBC_JSON [--seed N] [--files N]: the files of dbc/, and N that are made up."""

import argparse
import json
import math
import pathlib
import random
import struct
import subprocess
import sys
import tempfile
import warnings

warnings.simplefilter("ignore")
import canmatrix.formats  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
FRAMES = 40  # random ones for each message


def made_up(rng):
    """A file with signals anywhere: Intel, Motorola, signed, floats, switched."""
    lines = ['VERSION ""', "", "NS_ :", "", "BS_:", "", "BU_: A B", ""]
    ends = []
    ids = rng.sample(range(1, 0x7FF), 6)
    for number, frame_id in enumerate(ids):
        extended = rng.random() < 0.3
        size = rng.choice([1, 2, 3, 8, 8, 8, 12, 16, 24, 32, 48, 64])
        written = frame_id | 0x80000000 if extended else frame_id
        lines.append(f"BO_ {written} Message{number}: {size} A")
        switched = size >= 2 and rng.random() < 0.4
        if switched:
            lines.append(' SG_ Selector M : 0|3@1+ (1,0) [0|0] "" B')
        for k in range(rng.randint(1, 8)):
            motorola = rng.random() < 0.5
            kind = rng.choice(["+", "-", "+", "-", "f", "d"])
            length = {"f": 32, "d": 64}.get(kind) or rng.randint(1, min(64, size * 8))
            if length > size * 8:
                continue
            first = rng.randint(0, size * 8 - length)  # in the order in which the bits are sent
            start = first // 8 * 8 + 7 - first % 8 if motorola else first
            switch = f" m{rng.randint(0, 7)}" if switched and rng.random() < 0.7 else ""
            factor = rng.choice(["1", "0.1", "0.25", "1E-3", "-2"])
            sign = kind if kind in "+-" else "-"
            lines.append(f' SG_ S{k}{switch} : {start}|{length}@{0 if motorola else 1}{sign} ({factor},{rng.choice(["0", "-40", "0.5"])}) [0|0] "V" B')
            if kind in "fd":
                ends.append(f"SIG_VALTYPE_ {written} S{k} : {1 if kind == 'f' else 2};")
        lines.append("")
    return "\n".join(lines + ends) + "\n"


def read_ours(program, path, frames):
    text = "".join(f"{frame_id:x}{'x' if extended else ''} {data.hex()}\n" for frame_id, extended, data in frames)
    done = subprocess.run([program, str(path)], input=text, capture_output=True, text=True, check=False)
    if done.returncode != 0 or done.stderr:
        sys.exit(f"{path}: {done.returncode}\n{done.stderr}")
    lines = done.stdout.splitlines()
    return json.loads(lines[0]), [json.loads(line) for line in lines[1:]]


def same(ours, theirs):
    ours = float.fromhex(ours) if ours not in ("nan", "-nan", "inf", "-inf") else float(ours)
    theirs = float(theirs)
    return ours == theirs or (math.isnan(ours) and math.isnan(theirs))


def compare(program, path, rng, encoding):
    theirs = canmatrix.formats.loadp_flat(str(path), dbcImportEncoding=encoding)
    messages = [f for f in theirs.frames if f.name != "VECTOR__INDEPENDENT_SIG_MSG"]
    frames = []
    for message in messages:
        for _ in range(FRAMES):
            data = bytearray(rng.getrandbits(8) for _ in range(message.size))
            frames.append((message, bytes(data)))
    described, values = read_ours(program, path, [(m.arbitration_id.id, m.arbitration_id.extended, d) for m, d in frames])
    by_name = {m["name"]: m for m in described}
    if set(by_name) != {m.name for m in messages}:
        sys.exit(f"{path}: messages differ: {sorted(by_name)} and {sorted(m.name for m in messages)}")
    for message in messages:
        ours = by_name[message.name]
        if ours["length"] != message.size or set(ours["signals"]) != {s.name for s in message.signals}:
            sys.exit(f"{path}: {message.name} differs: {ours} and {message.size}, {[s.name for s in message.signals]}")
        for signal in message.signals:
            mine = ours["signals"][signal.name]
            if (mine["unit"], mine["factor"], mine["offset"]) != (signal.unit, float(signal.factor), float(signal.offset)):
                sys.exit(f"{path}: {message.name}.{signal.name}: {mine} and {signal.unit} {signal.factor} {signal.offset}")
            if mine["values"] != {str(k): v for k, v in signal.values.items()}:
                sys.exit(f"{path}: {message.name}.{signal.name}: {mine['values']} and {signal.values}")
    compared = 0
    for (message, data), ours in zip(frames, values, strict=True):
        decoded = message.decode(data)
        if set(ours) != set(decoded):
            sys.exit(f"{path}: {message.name} {data.hex()}: signals {sorted(ours)} and {sorted(decoded)}")
        for name, value in decoded.items():
            if not same(ours[name], value.raw_value):
                sys.exit(f"{path}: {message.name}.{name} of {data.hex()}: {ours[name]} and {value.raw_value}")
            compared += 1
    return compared


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--files", type=int, default=60)
    options = parser.parse_args()
    rng = random.Random(options.seed)
    compared = 0
    files = 0
    for path in sorted((HERE / "dbc").glob("*.dbc")):
        compared += compare(options.program, path, rng, "cp1252" if path.stem.endswith("1252") else "utf-8")
        files += 1
    with tempfile.TemporaryDirectory() as folder:
        for number in range(options.files):
            path = pathlib.Path(folder, f"made-up-{number}.dbc")
            path.write_text(made_up(rng))
            compared += compare(options.program, path, rng, "utf-8")
            files += 1
    if compared < 1000:
        sys.exit(f"only {compared} values were compared")
    print(f"seed {options.seed}: {files} files, {compared} values, all the same")


if __name__ == "__main__":
    main()
