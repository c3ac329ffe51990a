"""A running test is amended: during a step, twice, in a pause; refused where it must be; the record has every version, and replays
across them to the last bit, also after kill -9."""
import json
import os
import re
import subprocess
import tempfile

from rig import BIN, Rig, expect, folder_of, jsonl, main, wait_until

PROFILE = """profile = "ageing"
schema = 1
[parameters]
passes = { default = 3, min = 1, max = 50 }
[cell]
chemistry = "nmc-graphite"
[safety]
voltage = { min = "2.6 V", max = "4.25 V" }
[record]
every = "200 ms"
pretrigger = "500 ms"
[[step]]
name = "loops"
repeat = { count = "passes" }
  [[step.steps]]
  name = "up"
  charge = { current = "C/2" }
  until = "time >= 2.5 s"
  [[step.steps]]
  name = "down"
  discharge = { current = "C/2" }
  until = "time >= 2.5 s"
  [[step.steps]]
  advance_cycle = {}
[[step]]
name = "relax"
rest = {}
until = "time >= 1 s"
"""
LONGER = PROFILE.replace('until = "time >= 1 s"\n', 'until = "time >= 2 s"\n\n[[step]]\nname = "pulse"\ndischarge = { current = "1 C" }\nuntil = "time >= 1 s"\n')


def write(folder, name, text):
    path = os.path.join(folder, name)
    open(path, "w").write(text)
    return path


def wait_step(rig, name):
    wait_until(lambda: (rig.channel()["step"] or {}).get("name") == name, 20, f"step {name}")


def replay(rig, test):
    done = subprocess.run([os.path.join(BIN, "replay_journal"), rig.state, test], env=rig.env, capture_output=True, text=True, timeout=120)
    expect(done.returncode == 0, f"replay: {done.stdout}{done.stderr}")
    print(done.stdout.strip())
    return done.stdout


def amended_twice(rig, folder):
    base = write(folder, "ageing.toml", PROFILE)
    longer = write(folder, "longer.toml", LONGER)
    refused = rig.ctl("amend", "A1", base, ok=False)
    expect(refused.returncode == 7 and "no test runs" in refused.stderr, f"{refused.returncode}: {refused.stderr}")
    test = rig.start(base, "--soc", "0.5")
    wait_step(rig, "down")
    before = rig.channel()

    shown = rig.ctl("amend", "A1", longer, "--dry-run")
    print(shown.stdout)
    for words in ("would be amended while 'down'", "changed 'relax' (REST, line 27): until: time >= 1 -> time >= 2", "added   'pulse'", "at most"):
        expect(words in shown.stdout, f"'{words}' is missing from:\n{shown.stdout}")
    expect(rig.channel()["profile_sha256"] == before["profile_sha256"], "a dry run changes nothing")

    wrong = rig.ctl("amend", "A1", write(folder, "wrong.toml", PROFILE.replace("C/2", "C/3")), ok=False)
    expect(wrong.returncode == 3 and "P100" in wrong.stderr and "wrong.toml:" in wrong.stderr, f"{wrong.returncode}: {wrong.stderr}")
    looser = rig.ctl("amend", "A1", write(folder, "looser.toml", PROFILE.replace("4.25 V", "4.22 V")), ok=False)
    expect(looser.returncode == 3 and "[safety] voltage max" in looser.stderr, f"{looser.returncode}: {looser.stderr}")

    first = rig.json("amend", "A1", longer, "--reason", "a pulse at the end")
    expect(not first["unchanged"], str(first))
    again = rig.json("amend", "A1", longer, "--reason", "a pulse at the end")
    expect(again["unchanged"], "the same again changes nothing")
    wait_step(rig, "up")
    rig.ctl("pause", "A1")
    print(rig.ctl("amend", "A1", longer, "--set", "passes=2", "--reason", "two are enough").stdout)
    rig.ctl("resume", "A1")
    status = rig.channel()
    expect(status["amendments"] == 2 and status["profile_sha256"] != before["profile_sha256"], str(status["amendments"]))
    end = rig.wait_done(60)
    expect(end["run_state"] == "finished", end["run_state"])

    where = folder_of(rig, test)
    wait_until(lambda: json.load(open(os.path.join(where, "test.json")))["state"] == "completed", 5, "the record's end")
    steps = [s["name"] for s in jsonl(os.path.join(where, "steps.jsonl"))]
    expect(steps == ["up", "down", "up", "down", "relax", "pulse"], f"steps: {steps}")
    types = [s["type"] for s in jsonl(os.path.join(where, "steps.jsonl"))]
    expect(types[-1] == "CC_DCH", f"types: {types}")
    about = json.load(open(os.path.join(where, "test.json")))
    expect([a["reason"] for a in about["amendments"]] == ["a pulse at the end", "two are enough"], str(about["amendments"])[:400])
    expect(about["amendments"][1]["profile"]["parameters"] == {"passes": "2"}, str(about["amendments"][1]["profile"]["parameters"]))
    expect(open(os.path.join(where, "profile.toml")).read() == PROFILE and open(os.path.join(where, "profile-2.toml")).read() == LONGER,
           "both texts are in the folder")
    scans = [a["scan"] for a in about["amendments"]]
    expect(0 < scans[0] < scans[1], f"scans: {scans}")
    summary = rig.ctl("summary", test).stdout
    print(summary)
    expect(len(re.findall(r"^amended .* a pulse at the end; profile ageing", summary, re.M)) == 1, summary)
    out = os.path.join(folder, "out")
    rig.ctl("export", test, "--out", out)
    sidecar = json.load(open(next(os.path.join(out, n) for n in os.listdir(out) if n.endswith("metadata.json"))))
    expect(len(sidecar["amendments"]) == 2 and sidecar["test_protocol"]["text"] == PROFILE, "the export has every version")
    changes = [e for e in jsonl(os.path.join(where, "events.jsonl")) if e["kind"] == "profile_change"]
    expect(len(changes) == 2, f"events: {changes}")
    told = replay(rig, test)
    expect("2 amendments, 0 states different" in told, told)
    return test


def killed(rig, folder):
    base = write(folder, "ageing.toml", PROFILE)
    longer = write(folder, "longer.toml", LONGER)
    test = rig.start(base, "--soc", "0.5")
    wait_until(lambda: rig.channel()["rows"] > 4, 10, "rows")
    rig.json("amend", "A1", longer, "--reason", "before the crash")  # answered: so it is durable
    rig.daemon.kill()
    rig.daemon.wait(10)
    rig.start_daemon()
    where = folder_of(rig, test)
    about = json.load(open(os.path.join(where, "test.json")))
    expect(about["state"] == "interrupted", about["state"])
    expect([a["reason"] for a in about["amendments"]] == ["before the crash"], "the amendment survived")
    expect(open(os.path.join(where, "profile-2.toml")).read() == LONGER, "so did its text")
    expect("1 amendments, 0 states different" in replay(rig, test), "replay")
    expect("before the crash" in rig.ctl("summary", test).stdout, "summary")


def run():
    with tempfile.TemporaryDirectory(prefix="cyclerd-amend-") as folder, Rig() as rig:
        amended_twice(rig, folder)
        killed(rig, folder)


main(run)
