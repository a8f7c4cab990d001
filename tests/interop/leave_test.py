# SPDX-License-Identifier: Apache-2.0
"""Leaving: first nobody is sent to us any more, then the links close; whoever is in a hurry may say so."""

import signal
import time

from lab.case import LabCase, per_release
from lab.nodes import eventually

JOINED = 10
DELAY = 3  # seconds of drain


class Leave(LabCase):
    def mesh(self, release=25, env=None):
        self.dns(1, 2)
        node, erl = self.clu(1, env=env), self.erl(2, release, refresh=None)
        self.assert_mesh([node.start(), erl.start()], JOINED)
        return node, erl

    @per_release
    def test_draining(self, release):
        """Readiness goes, links stay, who comes anew is refused; then all is closed."""
        node, erl = self.mesh(release, env={'SHUTDOWN_DELAY_MS': str(DELAY * 1000)})
        link = self.links(node, erl)
        late, port = self.erl(3, release, refresh=None).start(), self.dist_port(node)
        begin = time.monotonic()
        node.process.popen.send_signal(signal.SIGTERM)
        eventually('it is not ready', 1, lambda: node.get('/readyz')[0] == 503)
        self.assertEqual(200, node.get('/livez')[0])
        dialler = self.scripted('late').dial(node.pod.address, port)
        dialler.send_name()
        self.assertEqual('not_allowed', dialler.recv_status())
        self.assertEqual('pang', late.eval(f"net_adm:ping('{node.name}')"))
        self.assertEqual('pong', erl.eval(f"net_adm:ping('{node.name}')"))
        self.assertEqual(link, self.links(node, erl), 'the link of those who are there stays')
        node.process.wait(DELAY + 5)
        self.assertGreater(time.monotonic() - begin, DELAY - 0.5)
        eventually('it is gone', 2, lambda: erl.nodes() == set())
        self.assertEqual(0, node.process.popen.returncode)

    def test_no_dial_while_draining(self):
        node, erl = self.mesh(env={'SHUTDOWN_DELAY_MS': str(DELAY * 1000)})
        node.process.popen.send_signal(signal.SIGTERM)
        eventually('it drains', 1, lambda: node.get('/readyz')[0] == 503)
        erl.kill()
        erl.start()
        time.sleep(1)
        self.assertEqual((set(), set()), (node.nodes(), erl.nodes()), 'a pod that goes does not come back')

    def test_those_in_a_hurry(self):
        for first, second in ((signal.SIGINT, None), (signal.SIGTERM, signal.SIGTERM), (signal.SIGTERM, signal.SIGINT)):
            with self.subTest(first=first, second=second):
                node, _ = self.mesh(env={'SHUTDOWN_DELAY_MS': '20000'})
                begin = time.monotonic()
                node.process.popen.send_signal(first)
                if second is not None:
                    eventually('it drains', 1, lambda: node.get('/readyz')[0] == 503)
                    node.process.popen.send_signal(second)
                node.process.wait(5)
                self.assertLess(time.monotonic() - begin, 3)
                self.doCleanups()
                self.addCleanup(self.lab.clean)
