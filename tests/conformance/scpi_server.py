"""SCPI instruments on loopback TCP, written from IEEE 488.2 and the makers' command tables, not from this project's
code: scpi_server.py NAME prints its port. A query that is not known is answered with silence and -113 in the queue."""
import re
import socketserver
import sys
import threading


class Instrument:
    end = "\n"

    def __init__(self, identity, settings):
        self.identity = identity
        self.settings = dict(settings)  # header -> value
        self.defaults = dict(settings)
        self.errors = []

    def known(self, header):
        """The header's name in the table, long and short forms alike, with optional nodes left out."""
        words = [w for w in header.lstrip(":").split(":")]
        for name in self.settings:
            nodes = name.split(":")
            if len(nodes) == len(words) and all(self.same(n, w) for n, w in zip(nodes, words)):
                return name
        return None

    @staticmethod
    def same(node, word):
        short = re.match(r"[A-Z0-9]*", node).group(0)
        return word.upper() in (node.upper(), short)

    def measured(self, name):
        on = self.settings["OUTPut"] == "1"
        if name == "MEASure:VOLTage":
            return "+3.70500E+00"
        level = self.settings.get("CURRent", self.settings.get("SOURce:CURRent:LEVel"))
        amperes = float(level) if on else 0.0
        return "%+.5E" % amperes

    def answer(self, line):
        replies = []
        for unit in line.split(";"):
            unit = unit.strip()
            if unit:
                reply = self.unit(unit)
                if reply is not None:
                    replies.append(reply)
        return ";".join(replies) if replies else None

    def unit(self, unit):
        header, _, argument = unit.partition(" ")
        argument = re.sub(r",?\s*\(@\d+\)", "", argument).strip()
        upper = header.upper()
        if upper == "*IDN?":
            return self.identity
        if upper == "*OPC?":
            return "1"
        if upper == "*CLS":
            self.errors.clear()
            return None
        if upper in (":SYST:ERR?", "SYST:ERR?", ":SYSTEM:ERROR?"):
            return self.errors.pop(0) if self.errors else '+0,"No error"'
        query = header.endswith("?")
        name = self.known(header.rstrip("?"))
        if name is None:
            self.errors.append('-113,"Undefined header;%s"' % header)
            return None
        if query:
            return self.measured(name) if name.startswith("MEAS") else self.settings[name]
        if name.startswith("MEAS"):
            self.errors.append('-113,"Undefined header"')
            return None
        self.write(name, argument)
        return None

    def write(self, name, argument):
        if argument.upper() in ("ON", "OFF"):
            self.settings[name] = "1" if argument.upper() == "ON" else "0"
            return
        if re.fullmatch(r"[A-Za-z]+", argument):
            self.settings[name] = argument.upper()
            return
        try:
            value = float(argument)
        except ValueError:
            if argument == "":
                return  # an event such as OUTP:PROT:CLE
            self.errors.append('-104,"Data type error"')
            return
        if abs(value) > 1000:
            self.errors.append('-222,"Data out of range"')
            return
        self.settings[name] = ("%d" % value) if re.fullmatch(r"[01]", self.settings[name]) else "%+.6E" % value


def keysight():
    return Instrument("Keysight Technologies,N7972A,MY00000042,A.01.05", {
        "MEASure:VOLTage": "", "MEASure:CURRent": "", "OUTPut": "1", "FUNCtion": "VOLT",
        "VOLTage": "+0.0", "CURRent": "+0.0", "VOLTage:LIMit": "5", "CURRent:LIMit": "+1.0", "CURRent:LIMit:NEGative": "-1",
        "VOLTage:PROTection": "24", "CURRent:PROTection:STATe": "0", "STATus:OPERation:CONDition": "+4",
        "STATus:QUEStionable:CONDition": "+0", "OUTPut:PROTection:CLEar": "", "OUTPut:PROTection:WDOG": "0",
        "OUTPut:PROTection:WDOG:DELay": "60"})


def keithley():
    smu = Instrument("KEITHLEY INSTRUMENTS,MODEL 2450,04391234,1.7.12b", {
        "MEASure:VOLTage": "", "MEASure:CURRent": "", "OUTPut": "1", "SOURce:FUNCtion": "VOLT",
        "OUTPut:CURRent:SMODe": "NORM", "OUTPut:VOLTage:SMODe": "NORM", "SOURce:CURRent:LEVel": "+0.0",
        "SOURce:CURRent:VLIMit": "+2.0", "SOURce:VOLTage:LEVel": "+0.0", "SOURce:VOLTage:ILIMit": "0.1",
        "SOURce:CURRent:VLIMit:TRIPped": "0", "SENSe:VOLTage:RSENse": "0", "SENSe:CURRent:RSENse": "0"})
    return smu


class Genesys(Instrument):
    end = "\r"

    def __init__(self):
        super().__init__("LAMBDA,GEN60-12.5", {})
        self.state = {"PV": "0.000", "PC": "0.000", "OVP": "66.00", "OUT": "ON", "AST": "ON", "RMT": "LOC"}
        self.addressed = False

    def answer(self, line):
        word, _, argument = line.strip().partition(" ")
        if word == "ADR":
            self.addressed = argument == "6"
            return "OK" if self.addressed else None
        if not self.addressed:
            return None
        if word == "IDN?":
            return self.identity
        if word == "SN?":
            return "S/N:123456-01"
        if word == "MODE?":
            return "OFF" if self.state["OUT"] == "OFF" else "CC"
        if word == "DVC?":
            amperes = self.state["PC"] if self.state["OUT"] == "ON" else "0.000"
            return "3.7050,%s,%s,%s,66.00,0.00" % (self.state["PV"], amperes, self.state["PC"])
        if word.endswith("?") and word[:-1] in self.state:
            return self.state[word[:-1]]
        if word in self.state:
            if word in ("PV", "PC") and float(argument) > 66:
                return "C01"
            self.state[word] = argument
            return "OK"
        return "E01"


class Handler(socketserver.BaseRequestHandler):
    def handle(self):
        instrument = self.server.instrument
        buffer = ""
        while True:
            data = self.request.recv(4096)
            if not data:
                return
            buffer += data.decode("latin-1")
            while instrument.end in buffer:
                line, buffer = buffer.split(instrument.end, 1)
                with self.server.lock:
                    reply = instrument.answer(line.rstrip("\r"))
                if reply is not None:
                    self.request.sendall((reply + instrument.end).encode("latin-1"))


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True


def main():
    server = Server(("127.0.0.1", 0), Handler)
    server.instrument = {"keysight-n7900": keysight, "keithley-2450": keithley, "tdk-lambda-genesys": Genesys}[sys.argv[1]]()
    server.lock = threading.Lock()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_address[1], flush=True)
    sys.stdin.read()


main()
