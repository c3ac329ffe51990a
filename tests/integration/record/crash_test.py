#!/usr/bin/env python3
"""crash_test.py <record_crash_writer> <record_crash_check> <work folder>: 20 times SIGKILL at a random moment; nothing that was
acknowledged may be lost."""

import os
import random
import shutil
import subprocess
import sys
import threading

ROUNDS = 20


def run_round(writer, state_dir, test, seconds):
    process = subprocess.Popen([writer, state_dir, str(test)], stdout=subprocess.PIPE, text=True)
    acked, killer = 0, None
    for line in process.stdout:
        if not line.endswith("\n"):
            break  # cut by the kill
        acked = int(line.split()[1])
        if killer is None:
            killer = threading.Timer(seconds, process.kill)
            killer.start()
    code = process.wait()
    assert killer is not None and code == -9, f"the writer ended by itself with {code}"
    return acked


def main():
    writer, checker, work = sys.argv[1:4]
    shutil.rmtree(work, ignore_errors=True)
    os.makedirs(work)
    seed = int.from_bytes(os.urandom(4), "little")
    chance = random.Random(seed)
    print(f"seed {seed}")
    total = 0
    for number in range(1, ROUNDS + 1):
        acked = run_round(writer, work, 1000 + number, chance.uniform(0.001, 0.25))
        total += acked
        done = subprocess.run([checker, work, str(1000 + number), str(acked)], capture_output=True, text=True)
        if done.returncode != 0:
            print(f"round {number}: {acked} acknowledged\n{done.stderr}")
            return 1
    print(f"{ROUNDS} kills, {total} frames acknowledged, 0 lost")
    shutil.rmtree(work, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
