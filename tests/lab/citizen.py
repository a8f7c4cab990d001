# SPDX-License-Identifier: Apache-2.0
"""A C program on the library, in a pod: built from its sources as a user would build it."""

import os
import subprocess
from pathlib import Path

from lab.case import LabCase
from lab.nodes import AT_ONCE, COOKIE, ERLCLU, eventually
from lab.otp import TOP

LIBRARY = ERLCLU.parent / 'liberlclu.so'
WARNINGS = ['-std=c11', '-Wall', '-Wextra', '-Wpedantic', '-Werror']
PROCESSES = "maps:get(processes, rpc:call('%s', erlclu, status, []))"


def caught(text):
    """The class and the reason of the exception that an expression raises."""
    return f'try {text} catch C:R -> {{C, R}} end'


def build(path):
    """The program of a folder or of a file of C; it is made anew when something that it is made of is younger."""
    program, path = ERLCLU.parent / path.stem, TOP / path
    made_of = [path] if path.is_file() else sorted(path.glob('*.[ch]'))
    needs = [*made_of, *(TOP / 'include' / 'erlclu').glob('*.h'), LIBRARY]
    if program.exists() and all(part.stat().st_mtime < program.stat().st_mtime for part in needs):
        return program
    sources = [source for source in made_of if source.suffix == '.c']
    unfinished = program.with_name(f'{program.name}.{os.getpid()}')  # tests that run beside this one do not see it
    subprocess.run(['cc', *WARNINGS, '-O2', '-g', '-I', TOP / 'include', *sources, '-o', unfinished,
                    LIBRARY, f'-Wl,-rpath,{ERLCLU.parent}'], check=True)
    return unfinished.rename(program)


class Citizen:
    """tests/citizen in a pod."""

    program = 'citizen'

    def __init__(self, pod, discover='', name=None, env=None, vm_args='', more=()):
        self.pod, self.discover, self.env, self.vm_args, self.more = pod, discover, env or {}, vm_args, more
        self.name = name or f'{self.program}@{pod.address}'
        self.process = None

    def __str__(self):
        return f'{self.name} ({self.program})'

    def start(self):
        cookie = self.pod.dir / f'cookie-{self.name}'
        cookie.unlink(missing_ok=True)
        cookie.write_text(COOKIE + '\n')
        cookie.chmod(0o400)
        args = self.pod.dir / f'{self.name}.args'
        args.write_text(self.vm_args)
        self.process = self.pod.start([build(Path('tests') / self.program), self.name, cookie, self.discover, args, *self.more],
                                      f'{self.name}.log', env=self.env)
        return self

    def join(self, erl):
        """Links it with an Erlang node, which dials."""
        eventually(f'{self} answers {erl}', 20,
                   lambda: self.alive() and erl.eval(f"net_adm:ping('{self.name}')") == 'pong')
        return self

    def alive(self):
        if not self.process.alive():
            raise AssertionError(f'{self} ended with {self.process.popen.returncode}: {self.log()}')
        return True

    def log(self):
        return self.process.log()

    def kill(self):
        self.process.kill()


class CitizenCase(LabCase):
    """An Erlang node and the citizen, linked."""

    def linked(self, release):
        self.erlang = self.erl(1, release, name='erl@10.42.0.1', refresh=None).start()
        self.citizen = Citizen(self.lab.pod(2)).start().join(self.erlang)
        self.idle = self.processes()
        return self.citizen.name

    def processes(self):
        return int(self.erlang.eval(PROCESSES % self.citizen.name))

    def assert_idle(self):
        """What came to its end has no process: there are no more than in the beginning."""
        eventually(f'{self.citizen} has {self.idle} processes', AT_ONCE, lambda: self.processes() <= self.idle)

    def says(self, text, expected, within=AT_ONCE):
        """What Erlang makes of an expression, in which N is the citizen; in time."""
        value, seconds = self.erlang.timed(f"N = '{self.citizen.name}', {text}")
        self.assertEqual(expected, value, text)
        self.assertLess(seconds, within, text)

    def finish(self, expected=('no@10.42.0.9',)):
        """All is well; the citizen has warned of nothing but these."""
        self.says("net_adm:ping(N)", 'pong')
        self.assert_quiet([self.erlang])
        self.citizen.alive()
        odd = [line for line in self.citizen.log().splitlines() if not any(words in line for words in expected)]
        self.assertEqual([], odd)
