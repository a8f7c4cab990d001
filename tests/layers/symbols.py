#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""symbols.py ROOT BUILD: what the archives of the pure layers (the rows above src/net/ in the table
of ROOT/ARCHITECTURE.md) want from outside must stand in allowed-symbols, and no object of theirs may
hold variables. BUILD is a build without sanitizers. Prints one line a violation, then
`N passed, N failed` (N counts symbols)."""

import fnmatch
import pathlib
import re
import subprocess
import sys

import layers

FIRST_IMPURE = "src/net"
VARIABLE_SECTION = re.compile(r"\.(bss|data|tbss|tdata)(\.(?!rel\.ro)|$)|\*COM\*")


def read_allowed(path):
    """The patterns of the list; a line without a reason is an error."""
    allowed = []
    for number, line in enumerate(path.read_text().splitlines(), 1):
        symbol, _, reason = line.partition("#")
        if not symbol.strip():
            continue
        if not reason.strip():
            sys.exit(f"{path}:{number}: {symbol.strip()} has no reason")
        allowed.append(symbol.strip())
    return allowed


def is_allowed(symbol, allowed):
    return any(fnmatch.fnmatchcase(symbol, pattern) for pattern in allowed)


def nm(archive):
    """Yields (object, symbol, class, section) of an archive; also of a thin one."""
    out = subprocess.run(["nm", "--format=sysv", str(archive)], check=True, capture_output=True, text=True).stdout
    member = archive.name
    for line in out.splitlines():
        head = re.search(r"([^\s\[/]+\.o)\]?:$", line)
        if head:
            member = head[1]
        fields = [field.strip() for field in line.split("|")]
        if len(fields) == 7 and fields[0] != "Name":
            yield member, fields[0], fields[2], fields[6]


def pure_archives(root, build):
    """The archives of the pure layers that have sources; it is an error when one is not built."""
    for folder in layers.read_table(root / "ARCHITECTURE.md"):
        if folder == FIRST_IMPURE:
            return
        if not folder.startswith("src/") or not list((root / folder).glob("**/*.c")):
            continue
        found = sorted((build / folder).glob("*.a"))
        if not found:
            sys.exit(f"{build / folder}: no archive; is {build} built?")
        yield from found


def main():
    root, build = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    allowed = read_allowed(pathlib.Path(__file__).parent / "allowed-symbols")
    rows = [row for archive in pure_archives(root, build) for row in nm(archive)]
    defined = {symbol for _, symbol, kind, _ in rows if kind not in "Uw"}
    checked = bad = 0
    for member, symbol, kind, section in sorted(set(rows)):
        text = ""
        if kind in "Uw" and symbol not in defined and not is_allowed(symbol, allowed):
            text = "is not on the list of allowed symbols"
        elif kind not in "Uw" and VARIABLE_SECTION.match(section):
            text = f"is a variable ({section}); pure layers keep no state"
        checked += 1
        bad += bool(text)
        if text:
            print(f"{member}: {symbol} {text}")
    print(f"{checked - bad} passed, {bad} failed")
    return bad > 0 or checked == 0


if __name__ == "__main__":
    sys.exit(main())
