#!/usr/bin/python3
"""Holds the TOML layer against Python's tomllib: both accept or both refuse a text, and what they read is the same.

toml_against_tomllib.py TOML_JSON [--seed N] [--mutants N] [--root DIR]
Where they differ on purpose stands in DIFFERENCES and in README.md; anything else fails, and prints the text."""

import argparse
import json
import math
import pathlib
import random
import re
import struct
import subprocess
import sys
import tomllib

# name: (what it is, who accepts, an example). README.md has a row for each.
DIFFERENCES = {
    "dates": ("dates and times have no use here", "tomllib", b"a = 1979-05-27T07:32:00Z\n"),
    "infinite": ("numbers are finite; 1e999 is none", "tomllib", b"a = [1.0, -nan]\n"),
    "wide": ("integers have 64 bits", "tomllib", b"a = 9223372036854775808\n"),
    "mark": ("a byte order mark at the beginning is passed over", "cyclerd", b"\xef\xbb\xbfa = 1\n"),
    "large": ("at most 256 KiB", "tomllib", b"#" + b"x" * (256 * 1024)),
    "deep": ("at most 64 levels", "tomllib", b"a = " + b"[" * 64 + b"]" * 64 + b"\n"),
    "dots": ("at most 32 dots in a key", "tomllib", b"a" + b".a" * 33 + b" = 1\n"),
}

# Texts that parsers are known to differ on. Written for this test.
NASTY = [
    # strings and escapes
    r'a = "\b\t\n\f\r\"\\ \u00e9 \U0001F600"', r'a = "\u00"', r'a = "\ud800"', r'a = "\U00110000"', r'a = "\x41"',
    r'a = "\e"', r'a = "\/"', r"a = '\n'", r"a = ''", r'a = ""', r'a = """"""', "a = ''''''",
    'a = """\nx"""', 'a = """\r\nx\r\ny"""', "a = '''\nx\ny'''", 'a = """x\\\n   \n  y"""', 'a = """x\\   \n y"""',
    'a = """x\\ y"""', 'a = """"x""""', 'a = """""x"""""', 'a = """"""x"""', "a = ''''x''''", "a = '''''x'''''",
    "a = '''x''''''", 'a = "x\ny"', "a = 'x\ny'", 'a = "x', "a = 'x", 'a = """x', "a = '''x", 'a = "\tx"',
    'a = """a""b"""', 'a = """\\""""', 'a = """\\"""""', 'a = "a" "b"', 'a = "\u00e9\u4e2d\U0001F600"',
    # control characters
    'a = "\x00"', 'a = "\x01"', 'a = "\x1f"', 'a = "\x7f"', "a = '\x0b'", "# \x00", "# \x07", "# \x7f", "#\tx", "# \u0085\u2028",
    'a = "\r"', "a = 1\rb = 2", "a = 1\r\nb = 2\r\n", "\r", "\r\n", "\x0c", "\x0b", "a =\x0c1", "a\u00a0= 1", "\u00a0a = 1",
    # keys
    "a.b.c = 1", "a . b = 1", "a.'b.c'.\"d\" = 1", "'' = 1", '"" = 1', '"\\u0061" = 1\na = 2', "1 = 1", "1.2 = 3", "-a = 1",
    "a- = 1", "_ = 1", "a b = 1", "= 1", "a", "a =", "a = 1 b = 2", "a = 1 # x", "a = 1, b = 2", "'''a''' = 1", '"""a""" = 1',
    "\u00e9 = 1", "a\u00e9 = 1", '"\u00e9" = 1', ".a = 1", "a. = 1", "a..b = 1", "a.b", "true = 1", "inf = 1", "a = b",
    # duplicate keys and tables
    "a = 1\na = 2", "a = 1\n'a' = 2", "[a]\n[a]", "[a]\n[b]\n[a]", "[a.b]\n[a]", "[a]\n[a.b]", "a.b = 1\n[a]", "a.b = 1\n[a.c]",
    "[a]\nb.c = 1\n[a.b]", "[a]\nb.c = 1\n[a.b.d]", "[a.b.c]\nx = 1\n[a]\nb.d = 2", "[a.b.c]\nx = 1\n[a]\nb.c.d = 2",
    "a = {}\n[a]", "a = {}\n[a.b]", "a = {}\na.b = 1", "a = { b = 1 }\na.c = 1", "a.b = {}\na.b.c = 1", "[a]\nb = 1\n[a.b]",
    "a = 1\na.b = 2", "a.b = 1\na = 2", "a.b = 1\na.b.c = 2", "a.b = 1\na.c = 2", "a = []\n[[a]]", "a = [1]\n[[a]]", "[[a]]\n[a]",
    "[a]\n[[a]]", "[[a]]\n[[a]]", "[[a]]\n[a.b]\n[[a]]\n[a.b]", "[[a.b]]\n[a]", "[[a.b]]\n[[a]]", "[a.b]\n[[a]]", "[[a]]\n[[a.b]]\n[a.b]",
    "[a]\nb = []\n[[a.b]]", "[[a]]\nb = 1\n[a.b]", "[[a]]\nx.y = 1\n[a.x]", "[a.b]\n[a.b.c]\n[a.c]\n[a]", "a.b.c = 1\na.b.d = 2\n[a.e]",
    "[[a]]\n[a.b.c]\n[a.b]", "[a]\nx.y = 1\nx.z = 2", "[a]\n'x'.y = 1\nx.z = 2", "[x]\na.b = 1\n[x.a]", "[x]\na = {b = 1}\n[x.a.c]",
    "[[x]]\na.b = 1\n[x.a]", "[a.b]\nc = 1\n[a]\nb.d = 1", "[a]\nb = {c = 1, c = 2}", "a = {b.c = 1, b.d = 2}", "a = {b.c = 1, b = 2}",
    "a = {b = 1, b.c = 2}", "a = {b = {c = 1}, b.d = 2}",
    # headers
    "[]", "[ ]", "[a", "[a]]", "[[a]", "[[a] ]", "[ [a]]", "[ a ]", "[ a . 'b' ]", "[a] x", "[a] # x", "[a]b = 1", "[a.]", "[.a]", "[a..b]",
    "[[]]", "[[ ]]", "[[ a ]]", "['']", '["\\n"]', "[a\n]", "[[a\n]]", "[[[a]]]", "[a]\n\n\n", "[1]", "[1.2]", "[-]", "['a']\n['a'.b]",
    "[=1]", "[\u00e9]", "[a=1]", "[ ] = 1", "[[a]]b=1",
    # inline tables and arrays
    "a = {}", "a = { }", "a = {b = 1,}", "a = {,}", "a = {b = 1 c = 2}", "a = {b = 1\n}", "a = {\nb = 1}", "a = {b = [\n1\n]}", "a = {b = 1", "a = }",
    "a = []", "a = [ ]", "a = [,]", "a = [1,]", "a = [1,,]", "a = [,1]", "a = [1 2]", "a = [1,\n2]", "a = [\n# x\n1 # y\n, # z\n]", "a = [1", "a = ]",
    "a = [1, 'x', {}, []]", "a = [[], [[]]]", "a = [{a = 1}, {a = 2}]", "a = [{}]\n[a.b]", "a = [{}]\n[[a]]", "a = [1]]", "a = [[1]", "a = {b = {c = {}}}",
    "a = {# x\n}", "a = { b = 1, # x\n c = 2 }", "a = {'b c' = 1}", "a = {b = 1} x", "a = [1] x", "a = { b }", "a = {= 1}", "a = {1}",
    # integers
    "a = 0", "a = +0", "a = -0", "a = 00", "a = 01", "a = -01", "a = +1", "a = ++1", "a = +-1", "a = 1_000", "a = _1", "a = 1_", "a = 1__0",
    "a = 0x", "a = 0xDEAD_beef", "a = 0x_1", "a = 0x1_", "a = +0x1", "a = -0x1", "a = 0X1", "a = 0o17", "a = 0o8", "a = 0O1", "a = 0b101", "a = 0b2", "a = 0B1",
    "a = 0x00", "a = 0o00", "a = 0b00", "a = 9223372036854775807", "a = -9223372036854775808", "a = -9223372036854775809",
    "a = 0x7fffffffffffffff", "a = 0x8000000000000000", "a = 0xffffffffffffffff", "a = 1 2", "a = 1a", "a = 0a", "a = 1e", "a = - 1", "a = + 1", "a = 0_0", "a = 1.", "a = .1",
    # floats
    "a = 0.0", "a = -0.0", "a = +0.0", "a = 1.5", "a = 1.5e3", "a = 1e3", "a = 1E+3", "a = 1e-3", "a = 1e06", "a = 1e+00", "a = 00.1", "a = 01e1", "a = 1.e3", "a = 1._5",
    "a = 1_.5", "a = 1.5_", "a = 1_0.0_1", "a = 1e1_0", "a = 1e_1", "a = 1e1_", "a = 1e1.5", "a = 1.2.3", "a = 5e-324", "a = 1e-400", "a = 1e308", "a = 1e309",
    "a = 0.1", "a = 3.141592653589793238462643383279", "a = 2.2250738585072014e-308", "a = 4.9406564584124654e-324", "a = 1.7976931348623157e308", "a = 123456789012345678901234567890.0",
    "a = inf", "a = +inf", "a = -inf", "a = nan", "a = +nan", "a = -nan", "a = Inf", "a = NaN", "a = infinity", "a = 1.0f", "a = 0x1.8p1", "a = 1,5",
    # booleans and dates
    "a = true", "a = false", "a = True", "a = TRUE", "a = tru", "a = truex", "a = 1979-05-27", "a = 07:32:00", "a = 07:32", "a = 1979-05-27 07:32:00", "a = 1979-05-27T07:32:00.123456789+01:00",
    "a = 1979-13-01", "a = 1979-02-30", "a = 25:00:00", "a = 1979-05-27T", "a = 1979-05-27 ", "a = 1979-5-27", "a = [1979-05-27]", "a = 1979-05-27T07:32:00z", "a = 1979-05-27t07:32:00Z",
    "a = 1979-05-27T07:32:00+25:00", "a = 0000-01-01", "a = 07:32:60", "a = 12:34:56.", "a = -1979-05-27",
    # layout
    "", " ", "\n", "#", "# x", "\t\n", " a = 1", "\ta\t=\t1\t", "a=1", "a\n= 1", "a =\n1", "a = 1\n\n\n# end", "a = 1 \\", "{}", "[a]\n# only", "a = 1;", "// x", "a: 1", "\ufeffa = 1", "a = 1\ufeff", "\ufeff\ufeffa = 1",
]
RAW = [b"a = '\xff'", b"# \xff", b"a = '\xc0\x80'", b"a = '\xed\xa0\x80'", b"a = '\xf4\x90\x80\x80'", b"\xff\xfea\x00", b"a = '\xc3", b"\xef\xbb\xbf", b"\xef\xbb", b"a = 1\n\xef\xbb\xbf",
       b"\xef\xbb\xbf[a]\n\xef\xbb\xbfb = 1"]

# What mutations put in.
WORDS = [b"[", b"]", b"[[", b"]]", b"{", b"}", b"=", b".", b",", b"\"", b"'", b"\"\"\"", b"'''", b"\\", b"\n", b"\r\n", b"\r", b" ", b"\t", b"#", b"_", b"-", b"+", b"0", b"0x", b"1e9", b"a", b"a.b",
         b"\\u00e9", b"\xc3\xa9", b"\x00", b"\x7f", b"true", b"nan", b"inf", b"1979-05-27", b"12:00:00", b"a = 1\n", b"[a]\n", b"[[a]]\n", b"{ a = 1 }", b"[1, 2]", b"name", b"step"]


def seeds(root):
    texts = [t.encode() for t in NASTY] + RAW
    for pattern in ("profiles/library/*.toml", "profiles/library/procedures/*.toml", "profiles/cells/*.toml",
                    "protocols/devices/*.toml", "daemon/app/examples/*.toml", "tests/fuzz/corpus/profile/*.toml"):
        texts += [path.read_bytes() for path in sorted(root.glob(pattern))]
    return texts


def mutant(texts, rng):
    text = bytearray(rng.choice(texts))
    if len(text) > 3000:  # a piece of a long one: what follows a mistake is not read
        start = rng.randrange(len(text) - 2000)
        start = text.rfind(b"\n", 0, start) + 1
        text = text[start:start + rng.randrange(50, 2000)]
    for _ in range(rng.choice((1, 1, 1, 2, 3, 6))):
        at = rng.randrange(len(text) + 1)
        to = min(len(text), at + rng.choice((0, 1, 1, 2, 8)))
        kind = rng.randrange(6)
        if kind < 3:
            text[at:to] = rng.choice(WORDS)
        elif kind == 3:
            del text[at:to]
        elif kind == 4:
            other = rng.choice(texts)
            begin = rng.randrange(len(other) + 1)
            text[at:to] = other[begin:begin + rng.randrange(1, 40)]
        else:
            text[at:at] = text[at:to + rng.randrange(20)]
    return bytes(text)


def exact(value):
    """As toml_json writes it."""
    if isinstance(value, bool) or isinstance(value, str):
        return value
    if isinstance(value, int):
        return {"integer": str(value)}
    if isinstance(value, float):
        return {"float": struct.pack(">d", value).hex()}
    if isinstance(value, list):
        return [exact(item) for item in value]
    if isinstance(value, dict):
        return {"table": {key: exact(item) for key, item in value.items()}}
    return {"date": str(value)}


def same_floats(value):
    """The floats of toml_json in the spelling of exact()."""
    if isinstance(value, list):
        return [same_floats(item) for item in value]
    if isinstance(value, dict):
        if set(value) == {"float"} and isinstance(value["float"], str):
            return {"float": struct.pack(">d", float.fromhex(value["float"])).hex()}
        return {key: same_floats(item) for key, item in value.items()}
    return value


def every(value):
    yield value
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from every(item)


def depth(value):
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if inner is None else 1 + max((depth(item) for item in inner), default=0)


def read_by_tomllib(text):
    """(accepted, value, why)"""
    try:
        return True, tomllib.loads(text.decode("utf-8")), ""
    except RecursionError:
        return None, None, "too deep for Python"
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, ValueError) as error:
        return False, None, str(error)


def explained(text, theirs, ours):
    """The name of the difference, or None. `theirs`: what tomllib read, `ours`: the code of the refusal."""
    accepted, value, _ = theirs
    if accepted:
        leaves = list(every(value))
        if ours == "T008" and any(type(leaf).__module__ == "datetime" for leaf in leaves):
            return "dates"
        if ours in ("T006", "T007") and any(isinstance(leaf, float) and not math.isfinite(leaf) for leaf in leaves):
            return "infinite"
        if ours == "T006" and any(isinstance(leaf, int) and not -2**63 <= leaf < 2**63 for leaf in leaves):
            return "wide"
        if ours == "T001" and len(text) > 256 * 1024:
            return "large"
        if ours == "T003" and depth(value) > 64:
            return "deep"
        if ours == "T004" and re.search(rb"\.(?:[^=\n]*\.){32}", text):
            return "dots"
    elif ours is None and text.startswith(b"\xef\xbb\xbf"):
        return "mark"
    return None


class Layer:
    def __init__(self, program):
        self.process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def read(self, text):
        self.process.stdin.write(b"%d\n" % len(text) + text)
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"the program under test died on:\n{text!r}")
        return json.loads(line)


def compare(text, layer, found):
    """What is wrong, or None."""
    theirs = read_by_tomllib(text)
    ours = layer.read(text)
    accepted, value, why = theirs
    code = ours.get("code")
    if accepted is None:
        return None if code == "T003" else "deeper than Python can go, and accepted"
    if accepted == (code is None):
        if accepted and exact(value) != same_floats(ours["value"]):
            return f"both accept it, and read\n  tomllib {exact(value)}\n  cyclerd {same_floats(ours['value'])}"
        return None
    name = explained(text, theirs, code)
    if name is None:
        return f"tomllib accepts it: {value!r}, cyclerd refuses it: {code}" if accepted else \
            f"tomllib refuses it: {why}, cyclerd accepts it: {ours['value']}"
    found.add(name)
    return None


def table_of(readme):
    return set(re.findall(r"^\| `(\w+)` \|", readme.read_text(), re.MULTILINE))


def main():
    here = pathlib.Path(__file__).resolve().parent
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--mutants", type=int, default=4000)
    parser.add_argument("--root", type=pathlib.Path, default=here.parent.parent)
    options = parser.parse_args()
    sys.setrecursionlimit(5000)
    layer = Layer(options.program)
    mistakes = 0

    def look(text, found):
        nonlocal mistakes
        wrong = compare(text, layer, found)
        if wrong:
            mistakes += 1
            if mistakes <= 20:
                print(f"{text if len(text) < 400 else text[:400]!r}\n  {wrong}")

    for name, (_, who, example) in DIFFERENCES.items():
        found = set()
        look(example, found)
        if found != {name}:
            mistakes += 1
            print(f"the difference {name!r} ({who} accepts) is gone: {example[:80]!r}; take it out here and in README.md")
    documented = table_of(here / "README.md")
    if documented != set(DIFFERENCES):
        mistakes += 1
        print(f"README.md has the differences {sorted(documented)}, the test {sorted(DIFFERENCES)}")

    texts = seeds(options.root)
    for text in texts:
        look(text, set())
        look(text + b"\n", set())
    rng = random.Random(options.seed)
    for _ in range(options.mutants):
        look(mutant(texts, rng), set())
    print(f"{2 * len(texts)} texts and {options.mutants} mutants of seed {options.seed}: {mistakes} disagreements")
    return 1 if mistakes else 0


if __name__ == "__main__":
    sys.exit(main())
