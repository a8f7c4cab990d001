# SPDX-License-Identifier: Apache-2.0
"""`erlclu epmd` and the embedded one as servers; erlclu as the client of a bad one. What any epmd
must do is tried on Erlang's own first."""

import resource
import socket
import struct
import time
from pathlib import Path

from lab import epmd
from lab.case import LabCase
from lab.nodes import ERLCLU, erlclu, eventually
from lab.pods import SERVICE

LOOPBACK = '127.0.0.1'
TESTS = Path(__file__).resolve().parents[1]


class AnyEpmd:
    """Runs in the lab's own namespace: ALIVE2 is for local peers only."""

    program = None
    longest = 254

    def setUp(self):
        super().setUp()
        self.process = self.lab.start(self.program, 'epmd.log')
        eventually('it answers', 10, lambda: epmd.names(LOOPBACK)[0] == epmd.PORT)

    def test_register_look_up_unregister(self):
        node = epmd.Registration(LOOPBACK, 'one', 4711)
        self.assertEqual(0, node.result)
        self.assertNotEqual(0, node.creation)
        self.assertEqual(4711, epmd.port_please(LOOPBACK, 'one'))
        self.assertEqual((epmd.PORT, {'one': 4711}), epmd.names(LOOPBACK))
        self.assertIsNone(epmd.port_please(LOOPBACK, 'on'))
        node.close()
        eventually('the name is free', 5, lambda: epmd.port_please(LOOPBACK, 'one') is None)

    def test_duplicate(self):
        first = epmd.Registration(LOOPBACK, 'one', 4711)
        second = epmd.Registration(LOOPBACK, 'one', 4712)
        self.assertEqual((0, 1), (first.result, second.result))
        self.assertEqual(4711, epmd.port_please(LOOPBACK, 'one'))
        first.close()

    def test_creations_differ(self):
        creations = set()
        for _ in range(5):
            node = epmd.Registration(LOOPBACK, 'one', 4711)
            creations.add(node.creation)
            node.close()
            eventually('the name is free', 5, lambda: epmd.port_please(LOOPBACK, 'one') is None)
        self.assertEqual(5, len(creations))

    def test_answer_to_an_old_node(self):
        """High version 5 gets a 16-bit creation."""
        with socket.create_connection((LOOPBACK, epmd.PORT), 5) as sock:
            sock.sendall(epmd.framed(epmd.alive2('old', 4711, high=5)))
            reply = sock.recv(64)
        self.assertEqual((4, 121, 0), (len(reply), *reply[:2]))

    def test_long_names(self):
        """Up to 255 bytes; Erlang's own registers such a name but does not find it again."""
        name = 'n' * self.longest
        node = epmd.Registration(LOOPBACK, name, 4711)
        self.assertEqual(4711, epmd.port_please(LOOPBACK, name))
        umlaut = epmd.Registration(LOOPBACK, 'n\u00f6de', 4712)
        self.assertEqual(4712, epmd.port_please(LOOPBACK, 'n\u00f6de'.encode()))
        node.close()
        umlaut.close()

    def test_bad_names_are_refused(self):
        for name in (b'a\0b', b'x' * 300):
            data = epmd.framed(epmd.alive2(name, 4711))
            try:
                reply = epmd.exchange(LOOPBACK, data, timeout=3)
            except (TimeoutError, ConnectionError):
                reply = b''
            self.assertFalse(reply and reply[1] == 0, name)
        self.assertEqual({}, epmd.names(LOOPBACK)[1])

    def test_slow_client(self):
        node = epmd.Registration(LOOPBACK, 'one', 4711)
        request = epmd.framed(bytes([epmd.PORT_PLEASE2]) + b'one')
        self.assertEqual(119, epmd.exchange(LOOPBACK, request, pause=0.02)[0])
        node.close()

    def test_partial_and_wrong_requests(self):
        node = epmd.Registration(LOOPBACK, 'one', 4711)
        for data in (b'', b'\0', b'\0\x05z', b'\0\0', b'\0\1\xee', b'\xff\xff' + bytes(100), b'\0\1z',
                     epmd.framed(bytes([epmd.ALIVE2, 1])), epmd.framed(epmd.alive2('two', 1)[:-3]),
                     struct.pack('>HBHBBHHH', 13, 120, 1, 77, 0, 6, 5, 65535) + b'ab'):
            with socket.create_connection((LOOPBACK, epmd.PORT), 5) as sock:
                sock.sendall(data)
                sock.shutdown(socket.SHUT_WR)
                time.sleep(0.01)
        self.assertEqual({'one': 4711}, epmd.names(LOOPBACK)[1])
        node.close()

    def test_kill_is_refused_while_nodes_live(self):
        node = epmd.Registration(LOOPBACK, 'one', 4711)
        try:
            self.assertNotEqual(b'OK', epmd.exchange(LOOPBACK, epmd.framed(bytes([epmd.KILL]))))
        except ConnectionError:
            pass
        self.assertEqual(4711, epmd.port_please(LOOPBACK, 'one'))
        node.close()

    def test_registration_from_elsewhere_is_refused(self):
        """A node may only be registered from the machine that it runs on."""
        address = self.lab.address()
        script = (f"import sys; sys.path[:0] = [{str(TESTS)!r}]\nfrom lab.epmd import *\n"
                  f"try: print(Registration('{address}', 'far', 4711).result)\n"
                  "except (OSError, EOFError): print('closed')\n")
        done = self.lab.pod(1).run(['python3', '-c', script])
        self.assertIn(done.stdout.strip(), ('1', 'closed'), done.stderr)
        self.assertEqual({}, epmd.names(LOOPBACK)[1])


class ErlangsEpmd(AnyEpmd, LabCase):
    program = ['epmd']


class ErlclusEpmd(AnyEpmd, LabCase):
    program = [ERLCLU, 'epmd']
    longest = 255

    def test_thousands_of_names(self):
        """Erlang's own stops at 1,019: select() cannot count further."""
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        count = 3000
        nodes = [epmd.Registration(LOOPBACK, f'n{i}', 10000 + i) for i in range(count)]
        self.assertEqual(count, len(epmd.names(LOOPBACK)[1]))
        self.assertEqual(12999, epmd.port_please(LOOPBACK, 'n2999'))
        for node in nodes:
            node.close()
        eventually('all are gone', 10, lambda: epmd.names(LOOPBACK)[1] == {})

    def test_kill_is_always_refused(self):
        for request in (epmd.KILL, epmd.DUMP, epmd.STOP):
            try:
                self.assertNotEqual(b'OK', epmd.exchange(LOOPBACK, epmd.framed(bytes([request]))))
            except ConnectionError:
                pass
        self.assertTrue(self.process.alive())


class BadEpmd(LabCase):
    """The epmd of a peer that answers badly: that peer is missing, the others are not."""

    def test_run_survives(self):
        bad, good = self.scripted(), self.scripted()
        self.scripted_dns({SERVICE: [bad.address, good.address]})
        bad.epmd.behave = 'garbage'
        node = self.clu(1).start()
        link = good.link()
        for behave in ('garbage', 'partial', 'silent', 'endless', 'slow'):
            bad.epmd.behave = behave
            seen = len(bad.epmd.requests)
            eventually(f'it asks the {behave} epmd', 40, lambda: len(bad.epmd.requests) > seen, interval=0.1)
            self.assertTrue(link.open)
        bad.link(timeout=60)  # slowly, but it did answer

    def test_names(self):
        other = self.scripted()
        other.epmd.names = {'one': 4711, 'two': 4712}
        pod = self.lab.pod(1)
        done = erlclu(pod, 'names', other.address)
        self.assertEqual(0, done.returncode, done.stderr)
        for word in ('one', '4711', 'two', '4712'):
            self.assertIn(word, done.stdout)
        for behave in ('partial', 'silent', 'endless', 'garbage'):
            other.epmd.behave = behave
            done = erlclu(pod, 'names', '--timeout', '3', other.address)
            self.assertGreater(done.returncode, 0, f'{behave}: {done.stdout}{done.stderr}')
            self.assertTrue(done.stderr, behave)
