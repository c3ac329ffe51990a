#!/usr/bin/env python3
"""Makes the synthetic waveforms of this folder, and the ones that are a table.

    generate.py             writes dst.csv, pv-smoothing.csv and frequency-regulation.csv beside itself
    generate.py --check     exits with 1 when one of the files is not what it would write
    generate.py --describe  prints the figures that README.md states

Nothing here was measured. Each maker says its model and its numbers; where a number is common practice and was not read
in a source, it says so. Power is that of the battery, charge positive, 1 W at the largest magnitude: `scale` of `follow`
makes it the rating of a cell. Only the standard library; values are rounded, so that every machine writes the same file.
"""
import math
import random
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
DAY_S = 24 * 3600


def normalised(power, digits):
    """Without net charge over the whole length (trapezoids), the largest magnitude 1."""
    mean = (sum(power) - (power[0] + power[-1]) / 2) / (len(power) - 1)
    power = [p - mean for p in power]
    peak = max(abs(p) for p in power)
    return [round(p / peak, digits) + 0.0 for p in power]


# Dynamic stress test of the USABC (Electric Vehicle Battery Test Procedures Manual, revision 2, 1996): 360 s, powers in
# percent of the peak power. The manual was read for how the test ends; this table is as it is commonly printed and was
# not read in the manual itself.
DST = [(16, 0.0), (28, -12.5), (12, -25.0), (8, 12.5), (16, 0.0), (24, -12.5), (12, -25.0), (8, 12.5), (16, 0.0),
       (24, -12.5), (12, -25.0), (8, 12.5), (16, 0.0), (36, -12.5), (8, -100.0), (24, -62.5), (8, 25.0), (32, -25.0),
       (8, 50.0), (44, 0.0)]


def dst():
    """To be held, not joined: each row is in force until the next one."""
    rows = []
    time_s = 0
    for length_s, percent in DST:
        rows.append((time_s, percent / 100))
        time_s += length_s
    return rows + [(time_s, 0.0)]


def pv_smoothing():
    """What a battery does that leaves the grid the mean of an hour of a solar plant's power.

    The plant: a clear sky from 6 to 18 h, sin(x)^1.3 (a fixed panel; chosen), times what clouds let through. Clouds come
    and go as a two-state Markov chain at 10 s: on average 6 min of sun, 4 min of cloud that lets through 15 to 70 %
    (chosen: a day of broken clouds), and the edge passes the plant with a time constant of 60 s (a plant of some
    hundred metres; chosen). The battery takes the plant's power minus its mean over the hour around it.
    """
    chance = random.Random(20160701)
    step_s = 10
    clear, cloud = 360.0, 240.0
    through, wanted, sunny = 1.0, 1.0, True
    plant = []
    for i in range(DAY_S // step_s + 1):
        hour = i * step_s / 3600
        if chance.random() < step_s / (clear if sunny else cloud):
            sunny = not sunny
            wanted = 1.0 if sunny else 0.15 + 0.55 * chance.random()
        through += (wanted - through) * (1 - math.exp(-step_s / 60))
        height = math.sin(math.pi * (hour - 6) / 12) if 6 < hour < 18 else 0.0
        plant.append(through * height ** 1.3)
    half = 1800 // step_s
    total = [0.0]
    for p in plant:
        total.append(total[-1] + p)
    battery = []
    for i, p in enumerate(plant):
        low, high = max(0, i - half), min(len(plant), i + half + 1)
        battery.append(p - (total[high] - total[low]) / (high - low))
    return [(i * step_s, p) for i, p in enumerate(normalised(battery, 4))]


def frequency_regulation():
    """What a battery does that answers the grid's frequency: charge above 50 Hz, discharge below.

    The frequency: 400 sine waves of random phase with periods from 20 s to 2 h, spaced evenly in the logarithm, of equal
    amplitude (a spectrum of 1/f), together 20 mHz of standard deviation (the order of the European grid; common
    practice, not read). The droop: nothing within +-10 mHz, then in proportion to full power at +-50 mHz, not more
    beyond (steeper than the +-200 mHz of primary control, so that a test of a day works the cell; chosen). Every whole
    wave fits into the day, so that its end joins its beginning.
    """
    chance = random.Random(50)
    step_s = 4
    waves = []
    shortest, longest, count = 20.0, 7200.0, 400
    for k in range(count):
        period_s = longest * (shortest / longest) ** ((k + 0.5) / count)
        waves.append((round(DAY_S / period_s), 2 * math.pi * chance.random()))
    amplitude_Hz = 0.020 * math.sqrt(2 / count)
    n = DAY_S // step_s
    turn = [math.cos(2 * math.pi * i / n) for i in range(n)]
    power = []
    starts = [round(phase / (2 * math.pi) * n) for _, phase in waves]
    for i in range(n + 1):
        deviation_Hz = amplitude_Hz * sum(turn[(turns * i + at) % n] for (turns, _), at in zip(waves, starts))
        beyond_Hz = max(0.0, abs(deviation_Hz) - 0.010)
        power.append(math.copysign(min(1.0, beyond_Hz / 0.040), deviation_Hz))
    return [(i * step_s, p) for i, p in enumerate(normalised(power, 3))]


WAVEFORMS = {
    "dst.csv": (dst, "USABC dynamic stress test, 360 s, peak power 1 W; to be held between rows"),
    "pv-smoothing.csv": (pv_smoothing, "SYNTHETIC: smoothing of a solar plant under broken clouds, 24 h, peak 1 W"),
    "frequency-regulation.csv": (frequency_regulation, "SYNTHETIC: droop on a random grid frequency, 24 h, peak 1 W"),
}


def text_of(name):
    maker, title = WAVEFORMS[name]
    lines = [f"# {title}. Made by generate.py; charge positive.", "time_s,power_W"]
    return "\n".join(lines + [f"{t},{p:g}" for t, p in maker()]) + "\n"


def describe(name):
    rows = WAVEFORMS[name][0]()
    held = name == "dst.csv"
    net_Ws, charge_Ws, discharge_Ws, low, high, level, crossings, idle_s, last = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0, 0.0, 0.0
    for (t0, p0), (t1, p1) in zip(rows, rows[1:]):
        energy_Ws = (t1 - t0) * (p0 if held else (p0 + p1) / 2)
        charge_Ws += max(energy_Ws, 0.0)
        discharge_Ws -= min(energy_Ws, 0.0)
        level += energy_Ws
        low, high = min(low, level), max(high, level)
        if abs(p0) < 0.005:
            idle_s += t1 - t0
        elif last * p0 < 0:
            crossings += 1
        if abs(p0) >= 0.005:
            last = p0
    values = [p for _, p in rows]
    length_s = rows[-1][0]
    print(f"{name}: {len(rows)} rows, {length_s} s, {min(values):g} to {max(values):g} W, mean {level / length_s:.5f} W, "
          f"charge {charge_Ws / 3600:.4f} Wh, discharge {discharge_Ws / 3600:.4f} Wh, net {level / 3600:.5f} Wh, "
          f"content {low / 3600:.4f} to {high / 3600:.4f} Wh, {crossings} changes of sign, idle {100 * idle_s / length_s:.1f} %")


def main(arguments):
    wrong = []
    for name in WAVEFORMS:
        path = FOLDER / name
        if arguments == ["--describe"]:
            describe(name)
        elif arguments == ["--check"]:
            if not path.is_file() or path.read_text() != text_of(name):
                wrong.append(name)
        elif not arguments:
            path.write_text(text_of(name))
        else:
            sys.exit(__doc__)
    if wrong:
        sys.exit(f"{FOLDER}: not what generate.py makes: {', '.join(wrong)}; run it and read the change")


if __name__ == "__main__":
    main(sys.argv[1:])
