# SPDX-License-Identifier: Apache-2.0
"""tests/namer in a pod: a C program that takes part in global, and what it is asked by rpc."""

import subprocess

from lab.citizen import WARNINGS
from lab.nodes import COOKIE, ERLCLU, eventually
from lab.otp import TOP

SOURCE = TOP / 'tests' / 'namer' / 'namer.c'
LIBRARY = ERLCLU.parent / 'liberlclu.so'


def build():
    """The program; it is made anew when something that it is made of is younger."""
    program = ERLCLU.parent / 'namer'
    made_of = [SOURCE, *(TOP / 'include' / 'erlclu').glob('*.h'), LIBRARY]
    if not program.exists() or any(part.stat().st_mtime >= program.stat().st_mtime for part in made_of):
        subprocess.run(['cc', *WARNINGS, '-O1', '-g', '-I', TOP / 'include', SOURCE, '-o', program, LIBRARY,
                        f'-Wl,-rpath,{ERLCLU.parent}'], check=True)
    return program


class Namer:
    """A node with global; `ask` has another node call one of its functions."""

    def __init__(self, pod, discover='', name=None, env=None):
        self.pod, self.discover, self.env = pod, discover, env or {}
        self.name = name or f'namer@{pod.address}'
        self.process = None

    def __str__(self):
        return f'{self.name} (namer)'

    def start(self):
        cookie = self.pod.dir / f'cookie-{self.name}'
        cookie.unlink(missing_ok=True)
        cookie.write_text(COOKIE + '\n')
        cookie.chmod(0o400)
        self.process = self.pod.start([build(), self.name, cookie, self.discover], f'{self.name}.log', env=self.env)
        return self

    def join(self, erl):
        eventually(f'{self} answers {erl}', 10,
                   lambda: self.alive() and erl.eval(f"net_adm:ping('{self.name}')") == 'pong')
        return self

    def ask(self, erl, call, timeout=30):
        """`call`, such as 'whereis, [x]', by rpc from an Erlang node, which may be hidden."""
        return erl.eval(f"rpc:call('{self.name}', namer, {call}, {timeout * 1000})", timeout + 5)

    def alive(self):
        if not self.process.alive():
            raise AssertionError(f'{self} ended with {self.process.popen.returncode}: {self.log()}')
        return True

    def log(self):
        return self.process.log()

    def kill(self):
        self.process.kill()
