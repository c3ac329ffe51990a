"""A rig for tests of the whole program: the virtual lab, the daemon and the client, on ephemeral ports in a folder of its own."""
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time

SOURCE = os.environ["CYCLERD_SOURCE_DIR"]
BIN = os.environ["CYCLERD_BIN_DIR"]


class Failure(Exception):
    pass


def expect(condition, message):
    if not condition:
        raise Failure(message)


def wait_until(condition, seconds, what):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        time.sleep(0.05)
    raise Failure(f"waited {seconds} s in vain for {what}")


class Rig:
    """lab: a lab file; station: a station file whose ports are replaced by the lab's."""

    def __init__(self, lab="hil/labs/demo.toml", station="daemon/app/examples/demo-station.toml", scan=None):
        self.folder = tempfile.mkdtemp(prefix="cyclerd-rig-")
        self.lab_file = os.path.join(SOURCE, lab)
        self.station_source = os.path.join(SOURCE, station)
        self.scan = scan
        self.socket = os.path.join(self.folder, "control.sock")
        self.state = os.path.join(self.folder, "state")
        self.env = dict(os.environ, CYCLERD_SOCKET=self.socket, PATH=BIN + ":" + os.environ["PATH"], NO_COLOR="1")
        self.lab = self.daemon = None

    def __enter__(self):
        try:
            self.start_lab()
            self.start_daemon()
        except Exception:
            self.__exit__(*sys.exc_info())
            raise
        return self

    def __exit__(self, kind, *_):
        for process in (self.daemon, self.lab):
            if process and process.poll() is None:
                process.send_signal(signal.SIGTERM)
                try:
                    process.wait(10)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
        if kind is not None:
            for name in ("lab.log", "daemon.log"):
                path = os.path.join(self.folder, name)
                if os.path.exists(path):
                    print(f"--- {name}\n" + open(path).read()[-4000:], file=sys.stderr)
        else:
            subprocess.run(["rm", "-rf", self.folder], check=False)

    def start_lab(self):
        ports_file = os.path.join(self.folder, "ports.json")
        lab = os.path.join(self.folder, "lab.toml")  # a copy on ephemeral ports
        open(lab, "w").write(re.sub(r"^port = \d+", "port = 0", open(self.lab_file).read(), flags=re.M))
        self.lab = subprocess.Popen([os.path.join(BIN, "cycler-hil"), "lab", lab, "--ports-file", ports_file],
                                    stdout=open(os.path.join(self.folder, "lab.log"), "w"), stderr=subprocess.STDOUT,
                                    env=self.env)
        wait_until(lambda: os.path.exists(ports_file) or self.lab.poll() is not None, 10, "the virtual lab")
        expect(self.lab.poll() is None, "the virtual lab ended at once")
        self.ports = json.load(open(ports_file))
        text = open(self.station_source).read()
        if self.scan:
            text = re.sub(r'^(scan *= *)"100 ms"', rf'\1"{self.scan}"', text, flags=re.M)
        for key, fixed in (("cycler", 15020), ("chamber", 15021)):
            if key in self.ports:
                text = text.replace(f"port = {fixed}", f"port = {self.ports[key]}")
        self.station = os.path.join(self.folder, "station.toml")
        open(self.station, "w").write(text)

    def start_daemon(self, *arguments):
        self.daemon = subprocess.Popen([os.path.join(BIN, "cyclerd"), self.station, "--state-dir", self.state, "--socket",
                                        self.socket, *arguments], stdout=open(os.path.join(self.folder, "daemon.log"), "a"),
                                       stderr=subprocess.STDOUT, env=self.env)
        wait_until(lambda: self.can_connect() or self.daemon.poll() is not None, 10, "the daemon's socket")
        expect(self.daemon.poll() is None, "the daemon ended at once")

    def can_connect(self):
        try:
            with socket.socket(socket.AF_UNIX) as s:
                s.connect(self.socket)
            return True
        except OSError:
            return False

    def ctl(self, *arguments, ok=True):
        done = subprocess.run([os.path.join(BIN, "cyclerctl"), *arguments], env=self.env, capture_output=True, text=True,
                              timeout=600, stdin=subprocess.DEVNULL, cwd=SOURCE)
        if ok:
            expect(done.returncode == 0, f"cyclerctl {' '.join(arguments)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
        return done

    def json(self, *arguments):
        return json.loads(self.ctl(*arguments, "--json").stdout)

    def channel(self, name="A1"):
        return next(c for c in self.json("status")["channels"] if c["name"] == name)

    def wait_ready(self, name="A1"):
        wait_until(lambda: self.channel(name)["state"] in ("safe", "finished"), 20, "the channel to be safe")

    def start(self, profile, *arguments, cell="lg-m50", channel="A1"):
        self.wait_ready(channel)
        answer = self.json("start", profile, "--channel", channel, "--cell", cell, *arguments)
        return str(answer["test"])

    def wait_done(self, seconds, name="A1"):
        return wait_until(lambda: (lambda c: c if c["state"] in ("finished", "faulted") else None)(self.channel(name)), seconds,
                          "the test to end")

    def lab_control(self, line):
        with socket.create_connection(("127.0.0.1", self.ports["control"]), timeout=5) as s:
            s.sendall((line + "\n").encode())
            reply = b""
            while not reply.endswith(b"\n"):
                chunk = s.recv(65536)
                if not chunk:
                    break
                reply += chunk
        text = reply.decode().strip()
        expect(not text.startswith("error"), f"lab control '{line}': {text}")
        return json.loads(text) if text.startswith(("{", "[")) else text


def folder_of(rig, test):
    return next(t["folder"] for t in rig.json("tests")["tests"] if str(t["test"]) == str(test))


def jsonl(path):
    return [json.loads(line) for line in open(path) if line.strip()]


def main(run):
    try:
        run()
    except Failure as failure:
        print(f"FAILED: {failure}", file=sys.stderr)
        sys.exit(1)
    print("passed")
