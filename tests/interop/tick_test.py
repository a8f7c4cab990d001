# SPDX-License-Identifier: Apache-2.0
"""net_ticktime: who falls silent is dropped in time, who idles is not, and our ticks are our own."""

import threading
import time

from lab.case import LabCase
from lab.nodes import eventually
from lab.wire import Atom

TICK_TIME = 8
IDLE = 22  # nearly three times the tick time


class Ticks(LabCase):
    def start_node(self):
        args = self.lab.pod(1).dir / 'vm.args'
        args.write_text(f'## ticks faster than the default\n-kernel net_ticktime {TICK_TIME}\n')
        return self.clu(1, ['--args-file', args]).start()

    def test_ticks(self):
        """One wait for all: silent, ticking, chatting and real peers beside each other."""
        self.dns(1, 2)
        node = self.start_node()
        erl = self.erl(2, refresh=None, args=['-kernel', 'net_ticktime', str(TICK_TIME)]).start()
        self.assert_mesh([node, erl], 15)
        port = self.dist_port(node)
        begin = time.monotonic()
        silent, ticking, chatting, hidden = (
            self.scripted(base).dial('10.42.0.1', port).handshake().link(ticks=ticks)
            for base, ticks in (('silent', False), ('ticking', True), ('chatting', False), ('quiet', True)))
        dropped = []
        threading.Thread(target=lambda: dropped.append(silent.await_closed(IDLE) and time.monotonic() - begin),
                         daemon=True).start()
        since = node.peer(erl.name)['since']
        while time.monotonic() - begin < IDLE:
            # Data both ways would spare a BEAM its ticks; erlclu must tick all the same.
            chatting.reg_send('nobody', Atom('hello'))
            time.sleep(0.5)
        self.assertTrue(dropped and dropped[0], 'the silent peer was never dropped')
        self.assertGreater(dropped[0], TICK_TIME * 0.7)
        self.assertLess(dropped[0], TICK_TIME * 1.6)
        for link in (ticking, chatting, hidden):
            self.assertTrue(link.open, f'{link.peer.name} was dropped')
            times = [begin, *link.tick_times, time.monotonic()]
            gap = max(later - earlier for earlier, later in zip(times, times[1:]))
            self.assertLess(gap, TICK_TIME / 4 + 1.5, f'a gap in the ticks to {link.peer.name}')
        self.assertEqual(since, node.peer(erl.name)['since'], 'the link to the BEAM is the first one')
        self.assertIn('silent@', node.log())
        self.assert_quiet([erl])

    def test_a_pulled_cable(self):
        """No packet says that the peer has gone; it comes back under the same name."""
        self.dns(1, 2)
        node = self.start_node()
        erl = self.erl(2, refresh=1000, args=['-kernel', 'net_ticktime', str(TICK_TIME)]).start()
        self.assert_mesh([node, erl], 15)
        erl.pod.cable('down')
        eventually('erlclu drops the silent peer', TICK_TIME * 2, lambda: node.nodes() == set(), interval=0.2)
        erl.pod.cable('up')
        self.assert_mesh([node, erl], 45)
