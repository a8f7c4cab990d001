# SPDX-License-Identifier: Apache-2.0
"""The handshake as OTP's own white-box suite tests it. The same tests run against real nodes of
three releases and against erlclu: what both pass is the protocol, not our reading of it."""

from lab.case import LabCase
from lab.nodes import COOKIE, eventually
from lab.peer import HIDDEN, MANDATORY, NAME_ME, PUBLISHED, VISIBLE, Dialler

# OTP 25 does without these two; 26 and later, and erlclu, may demand them.
DEMANDED_LATER = {'UNLINK_ID', 'V4_NC'}


class Handshake:
    """What every node must do; the classes below say how one is started and made to dial."""

    def target(self, number=1):
        raise NotImplementedError

    def make_dial(self, target, scripted):
        """Make the target open a connection to the scripted node."""
        raise NotImplementedError

    def open_port(self, target):
        return target.pod.address, self.dist_port(target)

    def test_ok_and_listed(self):
        target, us = self.target(), self.scripted()
        dialler = us.dial(*self.open_port(target)).handshake()
        self.assertEqual('ok', dialler.status)
        self.assertEqual(target.name, dialler.peer)
        dialler.link()
        eventually('the target lists us', 5, lambda: target.nodes() == {us.name})

    def test_hidden_is_not_listed(self):
        target, us = self.target(), self.scripted()
        us.dial(*self.open_port(target), flags=HIDDEN).handshake().link()
        self.await_hidden(target, us.name)
        self.assertEqual(set(), target.nodes())

    def test_bytes_after_the_name_are_ignored(self):
        target, us = self.target(), self.scripted()
        dialler = us.dial(*self.open_port(target))
        name = us.name.encode()
        head = dialler.flags.to_bytes(8, 'big') + (77).to_bytes(4, 'big') + len(name).to_bytes(2, 'big')
        dialler.send_packet('name', b'N' + head + name + b'of a later version')
        self.assertEqual('ok', dialler.recv_status())

    def test_dynamic_name(self):
        target = self.target()
        host = self.lab.address()
        dialler = Dialler(self.open_port(target), host, COOKIE, flags=VISIBLE | NAME_ME, creation=0)
        dialler.send_name()
        status = dialler.recv_packet()
        self.assertTrue(status.startswith(b'snamed:'), status)
        length = int.from_bytes(status[7:9], 'big')
        name = status[9:9 + length].decode()
        self.assertTrue(name.endswith('@' + host), name)
        self.assertEqual(4, len(status[9 + length:]), 'a creation follows the name')
        dialler.recv_challenge()
        dialler.send_reply()
        dialler.recv_ack()
        dialler.name = name
        dialler.link()
        self.await_hidden(target, name)
        self.assertEqual(set(), target.nodes(), 'a node that asks for its name is hidden')

    def test_missing_mandatory_flags(self):
        target, us = self.target(), self.scripted()
        port = self.open_port(target)
        for flag, bit in MANDATORY.items():
            if flag in DEMANDED_LATER:
                continue
            with self.subTest(flag=flag):
                dialler = us.dial(*port, flags=VISIBLE & ~bit)
                dialler.send_name()
                self.assertEqual('not_allowed', dialler.recv_status())
                dialler.close()

    def linked(self, target, us, port):
        """A link that the target has taken up: until then a second one is a matter of names, not of who is alive."""
        link = us.dial(*port).handshake().link()
        eventually('the target lists us', 5, lambda: target.nodes() == {us.name})
        return link

    def test_second_connect_takes_over(self):
        target, us = self.target(), self.scripted()
        port = self.open_port(target)
        first = self.linked(target, us, port)
        second = us.dial(*port, creation=78).handshake()
        self.assertEqual('alive', second.status)
        link = second.link()
        self.assertTrue(first.await_closed(5), 'the old link is closed')
        eventually('the target lists us', 5, lambda: target.nodes() == {us.name})
        self.assertTrue(link.open)

    def test_second_connect_taken_back(self):
        target, us = self.target(), self.scripted()
        port = self.open_port(target)
        first = self.linked(target, us, port)
        second = us.dial(*port)
        second.send_name()
        self.assertEqual('alive', second.recv_status())
        second.send_status('false')
        self.assertTrue(second.closed(5))
        self.assertTrue(first.open)
        eventually('the target lists us', 5, lambda: target.nodes() == {us.name})

    def test_second_connect_with_wrong_cookie(self):
        target, us = self.target(), self.scripted()
        port = self.open_port(target)
        first = self.linked(target, us, port)
        second = us.dial(*port)
        second.cookie = 'guessed'
        second.send_name()
        self.assertEqual('alive', second.recv_status())
        second.send_status('true')
        second.recv_challenge()
        second.send_reply()
        self.assertTrue(second.closed(5))
        self.assertTrue(first.open, 'an intruder may not take a link over')

    def _held_dial(self, base):
        """The target has dialled us and waits for our status; we dial it meanwhile."""
        us = self.scripted(base)
        held = []
        us.answer = lambda sock: held.append(us.answerer(sock)) or held[-1].recv_name()
        target = self.target()
        port = self.open_port(target)
        self.make_dial(target, us)
        eventually('the target dials', 10, lambda: held and held[0].peer)
        dialler = us.dial(*port)
        dialler.send_name()
        return target, us, held[0], dialler

    def test_simultaneous_connect_smaller_name(self):
        target, us, held, dialler = self._held_dial('aaa')
        self.assertLess(us.name, target.name)
        self.assertEqual('nok', dialler.recv_status())
        held.send_status()  # theirs goes on
        held.send_challenge()
        held.recv_reply()
        held.send_ack()
        held.link()
        eventually('the target lists us', 5, lambda: target.nodes() == {us.name})

    def test_simultaneous_connect_greater_name(self):
        target, us, held, dialler = self._held_dial('zzz')
        self.assertGreater(us.name, target.name)
        self.assertEqual('ok_simultaneous', dialler.recv_status())
        dialler.recv_challenge()
        dialler.send_reply()
        dialler.recv_ack()
        dialler.link()
        eventually('the target lists us', 5, lambda: target.nodes() == {us.name})
        self.assertTrue(held.closed(5), 'their own attempt is given up')

    def test_nok_as_initiator_waits_for_our_connection(self):
        us = self.scripted('zzz')
        held = []
        us.answer = lambda sock: held.append(us.answerer(sock)) or held[-1].recv_name()
        target = self.target()
        port = self.open_port(target)
        self.make_dial(target, us)
        eventually('the target dials', 10, lambda: held and held[0].peer)
        held[0].send_status('nok')
        dialler = us.dial(*port).handshake()
        self.assertIn(dialler.status, ('ok', 'ok_simultaneous'))
        dialler.link()
        eventually('the target lists us', 5, lambda: target.nodes() == {us.name})

    def test_alive_as_initiator_says_true(self):
        us = self.scripted('zzz')
        said = []

        def answer(sock):
            answerer = us.answerer(sock)
            answerer.recv_name()
            answerer.send_status('alive')
            said.append(answerer.recv_packet())
            answerer.send_challenge()
            answerer.recv_reply()
            answerer.send_ack()
            us.links.put(answerer.link())

        us.answer = answer
        target = self.target()
        self.make_dial(target, us)
        us.link()
        self.assertEqual([b'strue'], said)
        eventually('the target lists us', 5, lambda: target.nodes() == {us.name})


class RealNode(Handshake):
    release = None

    def target(self, number=1):
        return self.erl(number, self.release, refresh=None).start()

    def make_dial(self, target, scripted):
        target.eval(f"spawn(fun() -> net_kernel:connect_node('{scripted.name}') end)")

    def await_hidden(self, target, name):
        eventually(f'{name} is hidden', 5, lambda: target.nodes('hidden') == {name})


class Otp25(RealNode, LabCase):
    release = 25


class Otp27(RealNode, LabCase):
    release = 27


class Otp29(RealNode, LabCase):
    release = 29


class Erlclu(Handshake, LabCase):
    BASES = ('aaa', 'erlclu', 'zzz')

    def target(self, number=1):
        specs = [f'dns:{base}.lab?base={base}' for base in self.BASES]
        self.server = self.scripted_dns({f'{base}.lab': [] for base in self.BASES})
        return self.clu(number, discover=specs).start()

    def make_dial(self, target, scripted):
        base = scripted.name.split('@')[0]
        self.server.records[f'{base}.lab'] = [scripted.address]

    def await_hidden(self, target, name):
        peer = eventually(f'{name} is a peer', 5, lambda: target.peer(name))
        self.assertFalse(peer['visible'])

    def test_old_opening(self):
        """Nodes since 25.3 accept version 5's opening from those who cannot know better."""
        target, us = self.target(), self.scripted()
        dialler = us.dial(*self.open_port(target))
        dialler.send_old_name()
        self.assertEqual('ok', dialler.recv_status())
        dialler.recv_challenge()
        dialler.send_complement()
        dialler.send_reply()
        dialler.recv_ack()
        dialler.link()
        eventually('the target lists us', 5, lambda: target.nodes() == {us.name})
        self.assertEqual(us.options.get('creation', 77), target.peer(us.name)['creation'])

    def test_flags_that_only_the_digest_stands_for(self):
        """MANDATORY_25_DIGEST stands for the set that OTP 25 demands."""
        target, us = self.target(), self.scripted()
        digest_only = 0x4000000 | PUBLISHED | MANDATORY['HANDSHAKE_23'] | MANDATORY['UNLINK_ID'] | MANDATORY['V4_NC']
        dialler = us.dial(*self.open_port(target), flags=digest_only).handshake()
        self.assertEqual('ok', dialler.status)
