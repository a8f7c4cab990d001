#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""layers.py [ROOT]: checks every #include of ROOT's src/ and include/ against the table of layers
in ROOT/ARCHITECTURE.md. Prints one line a violation, then `N passed, N failed` (N counts includes).

A row of the table is "| `src/a/` `src/b/` | what it may include | ... |"; what it may include is
"-", a list of layers, or "all of the above" (the rows before it). A layer may always include itself
and the public declarations in include/. src/main.c is above the table and may include everything."""

import pathlib
import re
import sys

ROW = re.compile(r"^\|\s*((?:`(?:src|include)/\w+/`\s*)+)\|([^|]*)\|")
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(?:"([^"\n]+)"|<([^>\n]+)>|(.*))', re.MULTILINE)
SOURCES = {".c", ".h"}
PUBLIC = "include/erlclu"
ABOVE_ALL = "src/main.c"


def read_table(architecture):
    """The table as {folder: set of folders}, in its order."""
    table = {}
    for line in architecture.read_text().splitlines():
        row = ROW.match(line)
        if row is None:
            continue
        folders = [f.rstrip("/") for f in re.findall(r"`([^`]+)`", row[1])]
        words = row[2].strip()
        if words == "all of the above":
            allowed = set(table)
        elif words == "-":
            allowed = set()
        else:
            allowed = {f"src/{word}" for word in words.split()}
        unknown = allowed - set(table)
        if unknown:
            sys.exit(f"{architecture}: {folders[0]} includes {', '.join(sorted(unknown))}, which no row above it names")
        table.update({folder: allowed | {folder, PUBLIC} for folder in folders})
    if PUBLIC not in table:
        sys.exit(f"{architecture}: no table of layers found")
    return table


def folder_of(path):
    """The layer that a path below the root lies in: its first two parts."""
    return "/".join(path.parts[:2])


def resolve(root, source, quoted, angled):
    """The file that an include names, relative to the root; None for one of the system's."""
    places = [root / "src", root / "include"]
    if quoted:
        places.insert(0, source.parent)
    for place in places:
        file = (place / (quoted or angled)).resolve()
        if file.is_file():
            return file.relative_to(root)
    return None


def violations(root, table, source):
    """Yields one text an include of the source: empty when it is allowed."""
    own = folder_of(source.relative_to(root))
    for match in INCLUDE.finditer(source.read_text()):
        quoted, angled, other = match.groups()
        name = quoted or angled or other
        target = None if other is not None else resolve(root, source, quoted, angled)
        if other is not None:
            yield f"{name}: an include that this check cannot read"
        elif target is None:
            yield f"{name}: no such file of the project" if quoted else ""
        elif folder_of(target) not in table[own]:
            yield f"{name}: {own} may not include {folder_of(target)}"
        else:
            yield ""


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()
    table = read_table(root / "ARCHITECTURE.md")
    passed = failed = 0
    for source in sorted(p for top in ("src", "include") for p in (root / top).rglob("*") if p.suffix in SOURCES):
        name = source.relative_to(root)
        if str(name) == ABOVE_ALL:
            continue
        texts = violations(root, table, source) if folder_of(name) in table else ["lies in no layer of the table"]
        for text in texts:
            passed += not text
            failed += bool(text)
            if text:
                print(f"{name}: {text}")
    print(f"{passed} passed, {failed} failed")
    return failed > 0 or passed == 0


if __name__ == "__main__":
    sys.exit(main())
