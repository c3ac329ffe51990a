"""Station files and command lines that must be refused: exit code, and words that help. No wire is touched."""
import os
import subprocess
import tempfile

from rig import BIN, SOURCE, expect, main

CYCLERD = os.path.join(BIN, "cyclerd")
GOOD = open(os.path.join(SOURCE, "daemon/app/examples/demo-station.toml")).read()

# what is replaced, by what, what the message must say
MISTAKES = [
    ('cycler          = "cycler"', 'cycler          = "cyclr"', ['"cyclr", which this file does not have', 'did you mean "cycler"?']),
    ('"ea-psb-9000"', '"ea-psb-9001"', ["ea-psb-9001", "ea-psb-9000"]),
    ("allow_no_watchdog = true", "", ["no communication watchdog", "allow_no_watchdog = true"]),
    ("port = 15021", "port = 15020\n[device.twin]\ndescription = \"virtual-chamber\"\nwire = \"chamber\"\nunit = 0",
     ["same instrument: 127.0.0.1:15020 unit 0"]),
    ("[channel.A1]", '[channel.A0]\ncycler = "cycler"\n[channel.A1]', ["already on channel A0"]),
    ("port = 15020", 'port = "15020"', ["port"]),
    ("port = 15020", "prot = 15020", ["prot", "port"]),
    ('scan            = "100 ms"', 'scan            = "100 mV"', ["scan", "100 mV"]),
    ('scan            = "100 ms"', 'scan            = "500 us"', ["outside 1 ms to 10 s"]),
    ('max = "4.4 V"', 'max = "4.4 A"', ["voltage", "4.4 A"]),
    ('"modbus-tcp"', '"modbus-udp"', ["modbus-udp", "modbus-tcp"]),
    ('"modbus-tcp"', '"modbus-rtu"', ["lacks 'line'", "unknown key 'host'"]),
    ("[record]", "[record", ["error"]),
]


def cyclerd(*arguments):
    return subprocess.run([CYCLERD, *arguments], capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)


def check(folder, text, code, words):
    path = os.path.join(folder, "station.toml")
    open(path, "w").write(text)
    for mode in (["--check", path], [path, "--state-dir", os.path.join(folder, "state"), "--socket", os.path.join(folder, "s")]):
        done = cyclerd(*mode)
        expect(done.returncode == code, f"{mode[0]} ends with {done.returncode}, not {code}:\n{done.stdout}{done.stderr}")
        for word in words:
            expect(word in done.stderr, f"'{word}' is missing from:\n{done.stderr}")
    expect(not os.path.exists(os.path.join(folder, "state")), "a refused station leaves nothing behind")


def run():
    with tempfile.TemporaryDirectory(prefix="cyclerd-refusals-") as folder:
        for old, new, words in MISTAKES:
            expect(GOOD.count(old) >= 1, f"the example holds {old}")
            check(folder, GOOD.replace(old, new, 1), 3, words)
            print("refused:", words[0])
        # Several at once are all told.
        text = GOOD
        together = [MISTAKES[i] for i in (0, 1, 5, 7, 9, 10)]
        for old, new, _ in together:
            text = text.replace(old, new, 1)
        check(folder, text, 3, [word for _, _, words in together for word in words[:1]])

        good = os.path.join(folder, "good.toml")
        open(good, "w").write(GOOD)
        done = cyclerd("--check", good)
        expect(done.returncode == 0 and "no errors" in done.stdout, f"the example is good: {done.stdout}{done.stderr}")
        for arguments in ([], ["--no-such-option"], ["--check", "--make-safe", good]):
            done = cyclerd(*arguments)
            expect(done.returncode == 2, f"{arguments} ends with {done.returncode}, not 2")
        done = cyclerd("--check", os.path.join(folder, "nothing.toml"))
        expect(done.returncode == 3 and "nothing.toml" in done.stderr, f"a missing file is named: {done.stderr}")
        done = cyclerd("--version")
        expect(done.returncode == 0 and done.stdout.startswith("cyclerd "), done.stdout)


main(run)
