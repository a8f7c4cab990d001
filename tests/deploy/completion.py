#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""completion.py zsh|fish SCRIPT PROGRAM LINE...: prints `LINE<tab>WORD` for all that the shell itself
offers behind each line. zsh runs in a terminal, where it is asked for the list as by a person."""

import contextlib
import os
import pathlib
import pty
import re
import select
import shutil
import subprocess
import sys
import tempfile
import time

ANSWERS_WITHIN = 20  # seconds
LIST_CHOICES, CLEAR_LINE = "\x04", "\x15"
ZSH_SETUP = """PS1=ready: PS2= RPS1= LISTMAX=9999; unsetopt zle_bracketed_paste prompt_cr prompt_sp; stty -echo
fpath=({folder} $fpath); autoload -Uz compinit && compinit -D -u
zstyle ':completion:*' verbose false
"""


class Zsh:
    def __init__(self, folder, environment):
        self.child, self.terminal = pty.fork()
        if self.child == 0:
            os.chdir(folder)
            os.execvpe("zsh", ["zsh", "-f", "-i"], environment | {"TERM": "dumb", "COLUMNS": "100", "LINES": "999"})
        self.asked = 0
        self.send(ZSH_SETUP.format(folder=folder))
        self.until_done()

    def send(self, keys):
        os.write(self.terminal, keys.encode())

    def until_done(self):
        """What it writes until it has carried out the command that this types, and reads keys again."""
        self.asked += 1
        self.send(f"print done-$(({self.asked}))-\n")
        text, end = "", time.monotonic() + ANSWERS_WITHIN
        while "ready:" not in text.partition(f"done-{self.asked}-")[2]:
            if not select.select([self.terminal], [], [], max(0, end - time.monotonic()))[0]:
                raise SystemExit(f"zsh does not answer: {text!r}")
            text += os.read(self.terminal, 65536).decode(errors="replace")
        return text

    def offers(self, line):
        self.send(line + LIST_CHOICES)
        self.send(CLEAR_LINE)
        echo = line.split()
        words = re.sub(r"print done.*|done-\d+-|ready:|\x07|\x1b\[[0-9;?]*[a-zA-Z]", " ", self.until_done()).split()
        return [word for word in words if word not in echo]

    def close(self):
        os.close(self.terminal)
        os.waitpid(self.child, 0)


def of_zsh(folder, environment, lines):
    with contextlib.closing(Zsh(folder, environment)) as zsh:
        return [(line, word) for line in lines for word in zsh.offers(line)]


def of_fish(folder, environment, lines):
    found = []
    for line in lines:
        script = f"source {folder}/script; complete -C '{line}'"
        done = subprocess.run(["fish", "--no-config", "-c", script], cwd=folder, env=environment, text=True,
                              capture_output=True, timeout=ANSWERS_WITHIN, check=True)
        if done.stderr:
            raise SystemExit(done.stderr)
        found += [(line, offer.split("\t")[0]) for offer in done.stdout.splitlines()]
    return found


def main():
    shell, script, program, *lines = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        # A folder of its own, in which the only file that could be offered is the script.
        shutil.copy(script, pathlib.Path(folder, "_erlclu" if shell == "zsh" else "script"))
        programs = pathlib.Path(program).resolve().parent
        environment = os.environ | {"HOME": folder, "PATH": f"{programs}:{os.environ['PATH']}", "LC_ALL": "C.UTF-8"}
        for line, word in {"zsh": of_zsh, "fish": of_fish}[shell](folder, environment, lines):
            print(f"{line}\t{word}")


main()
