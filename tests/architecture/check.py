#!/usr/bin/env python3
"""The architecture, checked: layers, include cycles, doors to the operating system, units in names, size budgets.

Usage: check.py SOURCE_DIR RULE...    (no RULE: all). Prints every breach as file:line: rule: what; exit 1 when there is one.
"""
import os
import re
import sys
import tomllib

ROOMS = ("protocols", "profiles", "hil", "daemon")
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def sources(root):
    for room in ROOMS:
        for folder, _, names in os.walk(os.path.join(root, room)):
            for name in names:
                if name.endswith((".hpp", ".cpp", ".h")):
                    path = os.path.join(folder, name)
                    yield os.path.relpath(path, root)


def read(root, path):
    with open(os.path.join(root, path), encoding="utf-8") as f:
        return f.read().splitlines()


def strip_comments(lines):
    """Lines without comments and string contents, so that words in them are not taken for code."""
    out, block = [], False
    for line in lines:
        if block:
            end = line.find("*/")
            if end < 0:
                out.append("")
                continue
            line, block = line[end + 2:], False
        line = re.sub(r'"(\\.|[^"\\])*"', '""', line)
        line = re.sub(r"//.*", "", line)
        line = re.sub(r"/\*.*?\*/", "", line)
        if "/*" in line:
            line, block = line[: line.find("/*")], True
        out.append(line)
    return out


def room_of(path, rooms):
    best = ""
    for room in rooms:
        if (path == room or path.startswith(room + "/")) and len(room) > len(best):
            best = room
    return best


def rule_layers(root, files, config):
    rooms = config["rooms"]
    for path in files:
        room = room_of(path, rooms)
        if not room:
            yield path, 1, "no room of layers.toml holds this file: name it there"
            continue
        allowed = [room] + rooms[room]
        for number, line in enumerate(read(root, path), 1):
            match = INCLUDE.match(line)
            if not match or match.group(1) != '"':
                continue
            target = match.group(2)
            if not target.startswith(tuple(r + "/" for r in ROOMS)):
                yield path, number, f'include "{target}" from the root of the repository'
                continue
            if not any(target == a or target.startswith(a + "/") for a in allowed):
                yield path, number, f"{room} may not include {target} (allowed: {', '.join(rooms[room]) or 'nothing'})"


def rule_doors(root, files, config):
    for path in files:
        for number, line in enumerate(read(root, path), 1):
            match = INCLUDE.match(line)
            if not match or match.group(1) != "<":
                continue
            for header, doors in config["only_in"].items():
                name = match.group(2)
                hit = name == header or name == header + ".hpp" or name.startswith(header if header.endswith("/") else header + "/")
                if hit and not any(path.startswith(d) for d in doors):
                    yield path, number, f"<{name}> may be included only in {', '.join(doors) or 'no file'}"


def rule_cycles(root, files, _config):
    graph = {}
    for path in files:
        graph[path] = [m.group(2) for m in map(INCLUDE.match, read(root, path)) if m and m.group(1) == '"']
    state, stack = {}, []

    def visit(node):
        state[node] = 1
        stack.append(node)
        for target in graph.get(node, []):
            if target not in graph:
                continue
            if state.get(target) == 1:
                cycle = stack[stack.index(target):] + [target]
                found.append((node, 1, "include cycle: " + " -> ".join(cycle)))
            elif target not in state:
                visit(target)
        stack.pop()
        state[node] = 2

    found = []
    for path in files:
        if path not in state:
            visit(path)
    yield from found


THREADS = re.compile(r"\bstd::(jthread|thread|async)\b|\bpthread_create\b|\.detach\(\)")
CLOCKS = re.compile(r"\bclock_gettime\b|\bclock_nanosleep\b|\bgettimeofday\b|\bsteady_clock\b|\bsystem_clock\b|\bsleep_for\b|"
                    r"\bsleep_until\b\s*\(\s*std|\busleep\b|\bnanosleep\b|\bstd::time\b|\bCLOCK_(MONOTONIC|REALTIME|BOOTTIME)\b")
RANDOM = re.compile(r"\brand\s*\(\)|\bsrand\b|\brandom_device\b")


def rule_threads(root, files, _config):
    for path in files:
        if path.startswith(("daemon/app/threads.", "hil/app/")):
            continue
        for number, line in enumerate(strip_comments(read(root, path)), 1):
            if THREADS.search(line):
                yield path, number, "threads are made only in daemon/app/threads.* (virtual lab: hil/app)"


def rule_clocks(root, files, _config):
    for path in files:
        if path.startswith("protocols/base/clock."):
            continue
        for number, line in enumerate(strip_comments(read(root, path)), 1):
            if CLOCKS.search(line):
                yield path, number, "the operating system's clock is behind base::Clock"
            if RANDOM.search(line):
                yield path, number, "randomness comes from a seed"


QUANTITY = re.compile(r"^(.*_)?(voltage|current|power|temperature|resistance|capacity|energy)_?$")
TIMELIKE = re.compile(r"^(.*_)?(duration|period|timeout|delay|interval|elapsed|age)_?$")
FIELD = re.compile(r"^\s*(?:const\s+|constexpr\s+|static\s+|inline\s+)*(double|float|int|unsigned|std::u?int\d+_t|std::size_t)\s+"
                   r"(\w+)\s*(=|;|\{)")


def rule_units(root, files, _config):
    for path in files:
        for number, line in enumerate(strip_comments(read(root, path)), 1):
            match = FIELD.match(line)
            if not match:
                continue
            real = match.group(1) in ("double", "float")
            if (real and QUANTITY.match(match.group(2))) or TIMELIKE.match(match.group(2)):
                yield path, number, f"'{match.group(2)}' is a raw number without its unit (…_V, _A, _us, _degC, …)"


def rule_sizes(root, files, _config):
    for path in files:
        count = len(read(root, path))
        limit = 300 if path.endswith(".hpp") else 600
        if count > limit:
            yield path, count, f"{count} lines; at most {limit} (split by subject)"


def rule_words(root, files, _config):
    pattern = re.compile(r"\bTODO\b(?!\()")
    for path in files:
        for number, line in enumerate(read(root, path), 1):
            if pattern.search(line):
                yield path, number, "a TODO says what it waits for: TODO(reason)"


def rule_mirror(root, files, _config):
    """Every module folder with sources has a folder of unit tests."""
    folders = {os.path.dirname(p) for p in files if p.endswith(".cpp")}
    for folder in sorted(folders):
        if folder in ("daemon", "hil/app", "daemon/app", "daemon/ctl"):
            continue  # joined and tested as whole programs in tests/integration
        parts = folder.split("/")
        candidates = [os.path.join(root, "tests/unit", *parts[:n]) for n in range(len(parts), 0, -1)]
        tests = [n for c in candidates[:2] if os.path.isdir(c) for _, _, names in os.walk(c) for n in names if n.endswith("_test.cpp")]
        if not tests:
            yield folder, 1, f"no unit tests in tests/unit/{folder}"


def rule_manual(root, files, _config):
    """hil/README.md names every finding code of the virtual lab, every key that its files may hold, every control line."""
    with open(os.path.join(root, "hil/README.md"), encoding="utf-8") as f:
        manual = f.read()
    codes = set(re.findall(r"\b[CIL]\d{3}\b", manual))
    for first, last in re.findall(r"\b([CIL]\d{3}) to ([CIL]\d{3})\b", manual):
        codes |= {f"{first[0]}{n:03d}" for n in range(int(first[1:]), int(last[1:]) + 1)}
    words = set(re.findall(r"[A-Za-z0-9_]+", manual))
    for path in files:
        if not path.startswith("hil/"):
            continue
        name = os.path.basename(path)
        reads = path.startswith(("hil/cells/read_", "hil/lab/")) or name == "electrochemical_fields.cpp"
        for number, line in enumerate(read(root, path), 1):
            for code in re.findall(r'"([CIL]\d{3})"', line):
                if code not in codes:
                    yield path, number, f"hil/README.md does not say what {code} is"
            for key in re.findall(r'"([a-z][A-Za-z0-9_]{2,})"', line) if reads else []:
                if key not in words:
                    yield path, number, f"hil/README.md does not name `{key}`"
            for verb in re.findall(r'\{"([a-z]+)", "\1\b', line) if name.startswith("control_") else []:
                if verb not in words:
                    yield path, number, f"hil/README.md does not name the control line `{verb}`"


def rule_odr(root, files, _config):
    """A type at namespace scope has one definition: two of one name in one namespace are undefined behaviour, unseen by the linker."""
    begin = re.compile(r"^namespace\b\s*([\w:]*)\s*\{")
    ends = re.compile(r"^}  // namespace")
    defined = re.compile(r"^(?:template\s*<[^;{]*>\s*)?(?:struct|class|union|enum class|enum)\s+(\w+)\b(?!::)[^;]*\{")
    seen = {}
    for path in files:
        lines = read(root, path)
        spaces = []
        for number, line in enumerate(lines, 1):
            opened = begin.match(line)
            match = defined.match(line)
            if opened:
                spaces.append(opened.group(1))
            elif ends.match(line) and spaces:
                spaces.pop()
            elif match and "" not in spaces:
                name = "::".join([*spaces, match.group(1)])
                other = seen.setdefault(name, f"{path}:{number}")
                if other != f"{path}:{number}":
                    yield path, number, f"{name} is also defined in {other}: two meanings of one name"


def main():
    root = sys.argv[1]
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "layers.toml"), "rb") as f:
        config = tomllib.load(f)
    files = sorted(sources(root))
    rules = {k[5:]: v for k, v in globals().items() if k.startswith("rule_")}
    wanted = sys.argv[2:] or list(rules)
    breaches = 0
    for name in wanted:
        for path, line, what in rules[name](root, files, config):
            print(f"{path}:{line}: {name}: {what}")
            breaches += 1
    print(f"{len(files)} files, {len(wanted)} rules, {breaches} breaches")
    return 1 if breaches or not files else 0


if __name__ == "__main__":
    sys.exit(main())
