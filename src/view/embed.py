#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""embed.py NAME INPUT OUTPUT: a file as a C array NAME with its length NAME_len."""

import pathlib
import sys

name, source, target = sys.argv[1:]
data = pathlib.Path(source).read_bytes()
rows = (", ".join(map(str, data[i : i + 20])) for i in range(0, len(data), 20))
pathlib.Path(target).write_text(
    "#include <stddef.h>\n\n"
    f"extern const unsigned char {name}[];\n"
    f"extern const size_t {name}_len;\n\n"
    f"const size_t {name}_len = {len(data)};\n"
    f"const unsigned char {name}[] = {{\n" + ",\n".join(rows) + "};\n"
)
