# SPDX-License-Identifier: Apache-2.0
"""Peers that are restarted over and over leave nothing behind: no table of ours grows."""

from lab.case import LabCase
from lab.nodes import eventually
from lab.peer import OP_MONITOR_P, OP_REG_SEND
from lab.wire import Atom, pid, ref

RESTARTS = 10_000
WARM_UP = 1_000  # until then pools and tables find their size
RESTARTS_OF_ERL = 50
# 9,000 restarts that left 60 bytes each behind would not fit.
GROWTH = 512 << 10


class Restart(LabCase):
    def setUp(self):
        super().setUp()
        self.node = self.clu(1, discover=()).start()
        self.port = self.dist_port(self.node)

    def once(self, us, creation):
        """One life of a peer: a monitor, a message, and it is gone without a word."""
        dialler = us.dial(self.node.pod.address, self.port, creation=creation)
        link = dialler.handshake().link(ticks=False, answers=False)
        caller = pid(us.name, creation, creation)
        link.send((OP_MONITOR_P, caller, Atom('erlclu_mesh'), ref(us.name, creation, creation, 2, 3)))
        link.send((OP_REG_SEND, caller, Atom(''), Atom('nobody')), (Atom('lost'), creation))
        link.close()

    def test_a_scripted_peer_10000_times(self):
        us = self.scripted('phoenix')
        for creation in range(1, RESTARTS + 1):
            self.once(us, creation)
            if creation == WARM_UP:
                before = self.node.rss()
        eventually('the last one is down', 10, lambda: self.node.nodes() == set())
        grown = self.node.rss() - before
        self.assertLess(grown, GROWTH, f'{grown} bytes after {RESTARTS - WARM_UP} restarts')

    def test_a_real_node_50_times(self):
        erl = self.erl(2, refresh=None)
        for life in range(RESTARTS_OF_ERL):
            erl.start()
            self.assertEqual('pong', erl.eval(f"net_adm:ping('{self.node.name}')"))
            eventually('it is linked', 10, lambda: erl.name in self.node.nodes())
            if life == 4:
                before = self.node.rss()
            erl.kill()
            eventually('it is gone', 10, lambda: self.node.nodes() == set())
        self.assertLess(self.node.rss() - before, GROWTH)
