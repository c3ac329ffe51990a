"""The closed-form CC-CV case over the wire: hand-over and cut-off within one scan period of the exact solution."""
import math
import os

from rig import Rig, expect, folder_of, jsonl, main

# U = 3.0 + 1.2 z, Q = 5 Ah, R0 = 20 mOhm, R1 = 10 mOhm, tau = 30 s; 2.5 A to 4.2 V. Started near the end so that it is short.
Q_C, R0, R1, TAU, I_CC, V_CV = 5 * 3600.0, 0.020, 0.010, 30.0, 2.5, 4.2
Z0 = 0.9500
SCAN_S = 0.1


def exact(cut_off_A):
    """Times since the charge began: hand-over to CV, and the moment the current falls to `cut_off_A`."""
    def v(t):
        return 3.0 + 1.2 * (Z0 + I_CC * t / Q_C) + R0 * I_CC + R1 * I_CC * (1 - math.exp(-t / TAU))

    low, high = 0.0, 4000.0
    for _ in range(80):
        mid = (low + high) / 2
        low, high = (mid, high) if v(mid) < V_CV else (low, mid)
    t_cv = high
    # In CV: i = (V - U(z) - v1) / R0, dz/dt = i/Q, dv1/dt = (R1 i - v1)/tau. Fourth order, 1 ms.
    z, v1, t, h = Z0 + I_CC * t_cv / Q_C, R1 * I_CC * (1 - math.exp(-t_cv / TAU)), t_cv, 1e-3

    def current(z, v1):
        return (V_CV - 3.0 - 1.2 * z - v1) / R0

    def slope(z, v1):
        i = current(z, v1)
        return i / Q_C, (R1 * i - v1) / TAU

    while current(z, v1) > cut_off_A:
        a = slope(z, v1)
        b = slope(z + a[0] * h / 2, v1 + a[1] * h / 2)
        c = slope(z + b[0] * h / 2, v1 + b[1] * h / 2)
        d = slope(z + c[0] * h, v1 + c[1] * h)
        z += h * (a[0] + 2 * b[0] + 2 * c[0] + d[0]) / 6
        v1 += h * (a[1] + 2 * b[1] + 2 * c[1] + d[1]) / 6
        t += h
    return t_cv, t


def run():
    cut_off_A = 2.40
    t_cv, t_end = exact(cut_off_A)
    print(f"exact: CV at {t_cv:.3f} s, {cut_off_A} A at {t_end:.3f} s")
    expect(5 < t_cv < 200 and t_end - t_cv > 2, "the case is not the one meant")
    with Rig("hil/labs/virtual.toml", "tests/integration/lab/virtual-station.toml") as rig:
        rig.lab_control(f"set cell.soc {Z0}")
        test = rig.start("tests/integration/lab/profiles/closed-form.toml", "--soc", str(Z0), cell="tests/integration/lab/cells/closed-form.toml")
        rig.wait_done(t_end + 40)
        step = next(s for s in jsonl(os.path.join(folder_of(rig, test), "steps.jsonl")) if s["name"] == "charge")
        seen_end = step["duration_s"]
        seen_cv = seen_end - step["cv_duration_s"]
        print(f"seen:  CV at {seen_cv:.3f} s, cut-off at {seen_end:.3f} s; errors {seen_cv - t_cv:+.3f}, {seen_end - t_end:+.3f} s")
        expect(abs(seen_cv - t_cv) <= SCAN_S, f"CV began {seen_cv:.3f} s after the start, exactly {t_cv:.3f} s")
        expect(abs(seen_end - t_end) <= SCAN_S, f"cut-off came at {seen_end:.3f} s, exactly {t_end:.3f} s")


main(run)
