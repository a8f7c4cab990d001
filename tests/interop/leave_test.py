# SPDX-License-Identifier: Apache-2.0
"""Leaving: first nobody is sent to us any more, then what was sent goes out and the links close; whoever is in a
hurry may say so."""

import signal
import time

from lab.case import LabCase, per_release
from lab.citizen import Citizen
from lab.nodes import eventually

JOINED = 10
DELAY = 6  # seconds of drain; what is asked meanwhile takes a part of it on a busy machine
FOR_EVER = 60  # seconds of drain that no test waits for
LIMIT = 1  # seconds that a peer that does not read may keep us (CLU_STOP_MS)
NO_LONGER = 10  # seconds; a peer that does not read is given up by others after a minute
TRIES = 5
MIB = 1 << 20

# What comes of the leaver of a node N, up to its end; meanwhile we talk to it, if wanted.
LEFT = """
N = '{name}', Self = self(), monitor(process, {{leaver, N}}), monitor_node(N, true), {{leaver, N}} ! {{Self, {size}}},
Talk = fun F(0) -> ok; F(K) -> erlang:send({{plain, N}}, {{K, <<0:8000>>}}, [noconnect]), F(K - 1) end, Talk({talk}),
Left = fun F(Seen) -> receive
    B when is_binary(B) -> F([byte_size(B) | Seen]);
    {{'DOWN', _, _, _, Why}} -> F([Why | Seen]);
    {{nodedown, N}} -> lists:reverse([nodedown | Seen]);
    Word -> F([Word | Seen])
after 20000 -> lists:reverse([timeout | Seen]) end end,
Left([])
"""


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
        eventually('it is not ready', DELAY / 2, lambda: node.get('/readyz')[0] == 503)
        self.assertEqual(200, node.get('/livez')[0])
        dialler = self.scripted('late').dial(node.pod.address, port)
        dialler.send_name()
        self.assertEqual('not_allowed', dialler.recv_status())
        self.assertEqual('pang', late.eval(f"net_adm:ping('{node.name}')"))
        self.assertEqual('pong', erl.eval(f"net_adm:ping('{node.name}')"))
        self.assertEqual(link, self.links(node, erl), 'the link of those who are there stays')
        node.process.wait(DELAY + 10)
        self.assertGreater(time.monotonic() - begin, DELAY - 0.5)
        eventually('it is gone', JOINED, lambda: erl.nodes() == set())
        self.assertEqual(0, node.process.popen.returncode)

    def test_no_dial_while_draining(self):
        node, erl = self.mesh(env={'SHUTDOWN_DELAY_MS': str(FOR_EVER * 1000)})
        node.process.popen.send_signal(signal.SIGTERM)
        eventually('it drains', JOINED, lambda: node.get('/readyz')[0] == 503)
        erl.kill()
        erl.start()
        eventually('the first one is lost', JOINED, lambda: node.nodes() == set())
        time.sleep(1)
        self.assertEqual((set(), set()), (node.nodes(), erl.nodes()), 'a pod that goes does not come back')

    def test_those_in_a_hurry(self):
        for first, second in ((signal.SIGINT, None), (signal.SIGTERM, signal.SIGTERM), (signal.SIGTERM, signal.SIGINT)):
            with self.subTest(first=first, second=second):
                node, _ = self.mesh(env={'SHUTDOWN_DELAY_MS': str(FOR_EVER * 1000)})
                node.process.popen.send_signal(first)
                if second is not None:
                    eventually('it drains', JOINED, lambda: node.get('/readyz')[0] == 503)
                    node.process.popen.send_signal(second)
                node.process.wait(NO_LONGER)
                self.doCleanups()
                self.addCleanup(self.lab.clean)

    @per_release
    def test_what_was_sent_arrives(self, release):
        """All of it and in its order, then the end of the process, then that of the node; also to one who talks."""
        erl = self.erl(1, release, name='erl@10.42.0.1', refresh=None).start()
        for size, talk in ((1, 0), (5 * MIB, 0), (10 * MIB, 0), (5 * MIB, 5000)):
            citizen = Citizen(self.lab.pod(2)).start().join(erl)
            self.assertEqual(f'[first,{size},bye,leaving,nodedown]', erl.eval(
                LEFT.format(name=citizen.name, size=size, talk=talk), 40))
            citizen.process.wait(NO_LONGER)
            self.assertEqual((0, ''), (citizen.process.popen.returncode, citizen.log()))
        self.assert_quiet([erl])

    @per_release
    def test_a_peer_that_does_not_read(self, release):
        """It keeps us for the limit and no longer; a signal more, and we are gone at once."""
        erl, other = (self.erl(i, release, name=f'erl@10.42.0.{i}', refresh=None).start() for i in (1, 3))
        self.assertEqual('ok', other.eval(f"persistent_term:put(frozen, rpc:call('{erl.name}', erlang, whereis, [user]))"))
        self.assertGreater(self.kept(erl, other), LIMIT)
        # A machine that does other work may keep us, too: one that is gone before the limit shows what the signal does.
        self.assertTrue(any(self.kept(erl, other, hurry=True) < LIMIT for _ in range(TRIES)), 'the signal was not heeded')

    def kept(self, erl, other, hurry=False):
        """For how many seconds one that does not read has kept us from going."""
        citizen = Citizen(self.lab.pod(2)).start().join(erl).join(other)
        erl.process.popen.send_signal(signal.SIGSTOP)
        begin = time.monotonic()
        leaver = f"{{leaver, '{citizen.name}'}}"
        left = other.eval(f"M = monitor(process, {leaver}), {leaver} ! {{persistent_term:get(frozen), {60 * MIB}}}, "
                          "receive {'DOWN', M, _, _, Why} -> Why after 5000 -> none end")
        self.assertEqual('leaving', left)
        if hurry:
            citizen.process.popen.send_signal(signal.SIGTERM)
        citizen.process.wait(NO_LONGER)
        took = time.monotonic() - begin
        erl.process.popen.send_signal(signal.SIGCONT)
        print(f'{erl.otp}: gone after {took:.2f} s', flush=True)
        self.assertEqual(0, citizen.process.popen.returncode)
        eventually('it is gone', JOINED, lambda: citizen.name not in erl.nodes() | other.nodes())
        return took

    def test_a_frozen_node(self):
        """It does not read that we go."""
        node, erl = self.mesh()
        erl.process.popen.send_signal(signal.SIGSTOP)
        node.process.popen.send_signal(signal.SIGTERM)
        node.process.wait(NO_LONGER)
        erl.process.popen.send_signal(signal.SIGCONT)
        eventually('it is gone', 10, lambda: erl.nodes() == set())
