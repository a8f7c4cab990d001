# SPDX-License-Identifier: Apache-2.0
"""A whole node of the test's making: an address on the bridge, its epmd, its distribution port."""

import queue

from lab.epmd import EpmdServer
from lab.nodes import COOKIE
from lab.peer import Answerer, Dialler, Listener


class ScriptedNode:
    """Every connection that comes goes through `answer(socket)`; by default that is a whole
    handshake, and the link lands in `links`."""

    def __init__(self, lab, base='erlclu', cookie=COOKIE, answer=None, port=0, host=None, **options):
        self.address = lab.address()
        self.name = f'{base}@{host or self.address}'
        self.cookie, self.options = cookie, options
        self.link_options = {}
        self.answer = answer or self.complete
        self.links = queue.Queue()
        self.connections = 0
        self.listener = Listener(self.address, port, self._answer)
        self.epmd = EpmdServer(self.address, {base: self.listener.port})

    def _answer(self, sock):
        self.connections += 1
        self.answer(sock)

    def answerer(self, sock):
        return Answerer(sock, self.name, self.cookie, **self.options)

    def complete(self, sock):
        self.links.put(self.answerer(sock).handshake().link(**self.link_options))

    def link(self, timeout=10):
        """The next link that somebody opened to us."""
        try:
            return self.links.get(timeout=timeout)
        except queue.Empty:
            raise AssertionError(f'nobody linked to {self.name} within {timeout} s '
                                 f'({self.connections} connections)') from None

    def dial(self, address, port, **options):
        """A Dialler from our address, before its first step."""
        return Dialler((address, port), self.name, self.cookie, source=self.address,
                       **{**self.options, **options})

    def close(self):
        self.listener.close()
        self.epmd.close()
        while not self.links.empty():
            self.links.get().close()


