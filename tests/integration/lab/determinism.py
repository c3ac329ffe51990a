"""One seed gives the same bytes in everything that a simulation keeps; two seeds give others."""
import hashlib
import os
import subprocess
import sys
import tempfile

SOURCE = os.environ["CYCLERD_SOURCE_DIR"]
BIN = os.environ["CYCLERD_BIN_DIR"]


def run(folder, seed, cell):
    done = subprocess.run([os.path.join(BIN, "cyclerctl"), "simulate", "capacity-check", "--cell-model", cell, "--seed", str(seed), "--out",
                           folder], capture_output=True, text=True, timeout=300, cwd=SOURCE, stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        sys.exit(f"simulate ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    hashes = {}
    for where, _, files in os.walk(folder):
        for name in files:
            path = os.path.join(where, name)
            hashes[os.path.relpath(path, folder)] = hashlib.sha256(open(path, "rb").read()).hexdigest()
    return hashes


with tempfile.TemporaryDirectory(prefix="cyclerd-same-") as folder:
    first, again, other = (run(os.path.join(folder, name), seed, "lg-m50") for name, seed in (("a", 5), ("b", 5), ("c", 6)))
    rows = [name for name in first if name.endswith("rows.arrows")]
    assert rows and len(first) >= 6, f"too little was kept: {sorted(first)}"
    assert first == again, f"one seed, other bytes: {[n for n in first if first[n] != again.get(n)]}"
    assert all(first[name] != other[name] for name in rows), "two seeds, the same rows"
    print(f"{len(first)} files, the same bytes twice; another seed gives other rows")
