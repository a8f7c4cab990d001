# SPDX-License-Identifier: Apache-2.0
"""tests/namer in a pod: a C program that takes part in global, and what it is asked by rpc."""

from lab.citizen import Citizen


class Namer(Citizen):
    """A node with global; `ask` has another node call one of its functions."""

    program = 'namer'

    def ask(self, erl, call, timeout=30):
        """`call`, such as 'whereis, [x]', by rpc from an Erlang node, which may be hidden."""
        return erl.eval(f"rpc:call('{self.name}', namer, {call}, {timeout * 1000})", timeout + 5)
