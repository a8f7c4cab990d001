# SPDX-License-Identifier: Apache-2.0
"""A node whose program joins groups of pg (pg_member.c), and what a BEAM and it make of them."""

import os
from pathlib import Path

from lab.citizen import Citizen
from lab.nodes import COOKIE, eventually, write_cookie
from lab.otp import TOP
from lab.pods import SERVICE

# Built beside the unit tests, with their sanitizers.
PG_MEMBER = Path(os.environ.get('PG_MEMBER') or TOP / 'build' / 'asan' / 'tests' / 'lab' / 'pg-member').resolve()
SANITIZERS = {'ASAN_OPTIONS': 'detect_leaks=1:abort_on_error=1', 'UBSAN_OPTIONS': 'halt_on_error=1:print_stacktrace=1'}


class PgMember(Citizen):
    """The program in a pod; what it does it is told by messages from an Erlang node."""

    program = 'pg-member'

    def __init__(self, pod, args=(), name=None):
        if not PG_MEMBER.exists():
            raise AssertionError(f'there is no {PG_MEMBER}: scripts/unit builds it')
        super().__init__(pod, name=name or f'erlclu@{pod.address}', more=args)

    def start(self):
        cookie = write_cookie(self.pod, COOKIE)
        self.process = self.pod.start([PG_MEMBER, '--cookie-file', cookie, '--name', self.name, '--discover',
                                       f'dns:{SERVICE}', *self.more], f'{self.name}.member.log', env=SANITIZERS)
        return self

    def quit(self, erl):
        """Ends it as a program ends that is done; the sanitizers have no complaint."""
        erl.eval(ask(self, '{quit}'))
        status = self.process.wait()
        if status != 0:
            raise AssertionError(f'{self} ended with {status}: {self.log()}')


def ask(member, command):
    """The Erlang expression that has it carry out a command: its answer."""
    return (f"(fun() -> R__ = make_ref(), {{member, '{member.name}'}} ! {{self(), R__, {command}}}, "
            "receive {R__, A__} -> A__ after 5000 -> no_answer end end)()")


def linked(member, *erls):
    """Until these Erlang nodes list it and it answers."""
    for erl in erls:
        eventually(f'{erl} is linked to {member}', 15, lambda erl=erl: member.alive() and member.name in erl.nodes())
        eventually(f'{member} answers {erl}', 30, lambda erl=erl: erl.eval(ask(member, '{info, none}')) == 'not_there')
