# SPDX-License-Identifier: Apache-2.0
"""Peers that stall, lie about lengths or carry impossible names: one link suffers, no other."""

import socket
import struct
import threading
import time

from lab.case import LabCase
from lab.nodes import eventually
from lab.peer import OP_EXIT, OP_REG_SEND, Answerer, Dialler
from lab.wire import Atom, pid

HANDSHAKE_DEADLINE = 20  # seconds in which a stalled peer must be gone
RSS_BOUND = 16 << 20  # 1,700 silent connections at once come to 8 MiB


class Hostile(LabCase):
    def setUp(self):
        super().setUp()
        self.dns(1, 2)
        self.node, self.erl_node = self.clu(1).start(), self.erl(2, refresh=None).start()
        self.assert_mesh([self.node, self.erl_node], 15)
        self.port = self.dist_port(self.node)
        self.rss = self.node.rss()
        self.good_link = self.links(self.node, self.erl_node)

    def tearDown(self):
        # Whoever has closed at the end of a test is gone a little later.
        eventually('the good link alone is there', 5, lambda: self.node.nodes() == {self.erl_node.name})
        self.assertEqual(self.good_link, self.links(self.node, self.erl_node), 'it was cut and dialled anew')
        self.assertEqual('pong', self.erl_node.eval(f"net_adm:ping('{self.node.name}')"))
        self.assertLess(self.node.rss() - self.rss, RSS_BOUND)
        self.assert_quiet([self.erl_node])

    def closed(self, data, within=5):
        """Send these bytes on a new connection; true when erlclu closes it in time."""
        sock = socket.create_connection(('10.42.0.1', self.port), 10)
        peer = Answerer(sock, 'x@y', '')
        sock.sendall(data)
        return peer.closed(within)

    def test_stalls_in_each_state_as_acceptor(self):
        """We dial erlclu and stop after each of our steps; all of them at once."""
        us = self.scripted()
        peers = {}

        def upto(name, *steps):
            dialler = self.scripted('stall').dial('10.42.0.1', self.port)
            for step in steps:
                getattr(dialler, step)()
            peers[name] = dialler

        upto('connected')
        upto('before the reply', 'send_name', 'recv_status', 'recv_challenge')
        for name, data in (('half a length', b'\0'), ('half a name', b'\0\x40N' + bytes(20))):
            upto(name)
            peers[name].sock.sendall(data)
        link = us.dial('10.42.0.1', self.port).handshake().link()
        again = us.dial('10.42.0.1', self.port)
        again.send_name()
        self.assertEqual('alive', again.recv_status())
        peers['alive not answered'] = again
        end = time.monotonic() + HANDSHAKE_DEADLINE
        for name, peer in peers.items():
            self.assertTrue(peer.closed(max(0.1, end - time.monotonic())), name)
        self.assertEqual({self.erl_node.name, us.name}, self.node.nodes())
        link.close()
        eventually('the scripted node is gone', 15, lambda: self.node.nodes() == {self.erl_node.name})

    def test_silent_crowds_keep_nobody_out(self):
        """More silent connections than are allowed, to both ports: a node still gets in."""
        crowd = []
        try:
            for port, number in ((self.port, 1100), (4369, 600)):
                for _ in range(number):
                    crowd.append(socket.create_connection(('10.42.0.1', port), 10))
            late = self.scripted('late')
            link = late.dial('10.42.0.1', self.port).handshake().link()
            eventually('the late node is linked', 5, lambda: late.name in self.node.nodes())
            link.close()
        finally:
            for sock in crowd:
                sock.close()
        told = [line for line in self.node.log().splitlines() if 'at once' in line]
        self.assertLess(len(told), 5, 'told once, not at each connection')
        eventually('the late node is gone', 15, lambda: self.node.nodes() == {self.erl_node.name})

    def test_refusals_do_not_flood_the_log(self):
        """A thousand wrong names from one address are one line."""
        begin = len(self.node.log().splitlines())
        for number in range(1000):
            sock = socket.create_connection(('10.42.0.1', self.port), 10)
            name = f'stranger{number}'.encode()
            sock.sendall(struct.pack('>H', 15 + len(name)) + b'N' + struct.pack('>QIH', 0, 7, len(name)) + name)
            sock.close()
        time.sleep(1)
        self.assertLess(len(self.node.log().splitlines()) - begin, 10)

    def test_a_drip_of_bytes_does_not_extend_the_deadline(self):
        sock = socket.create_connection(('10.42.0.1', self.port), 10)
        peer = Answerer(sock, 'x@y', '')
        begin = time.monotonic()
        sock.sendall(b'\0\xffN')
        try:
            while time.monotonic() - begin < 2 * HANDSHAKE_DEADLINE:
                sock.sendall(b'\0')
                if peer.closed(0.5):
                    break
        except OSError:
            pass
        self.assertLess(time.monotonic() - begin, HANDSHAKE_DEADLINE)

    def test_stalls_in_each_state_as_initiator(self):
        """erlclu dials us and we stop before each of our steps."""
        steps = ('recv_name', 'send_status', 'send_challenge', 'recv_reply')
        closed = {}
        nodes = []
        for upto in range(len(steps) + 1):
            node = self.scripted(f'stall{upto}')

            def answer(sock, node=node, upto=upto):
                answerer = node.answerer(sock)
                for step in steps[:upto]:
                    getattr(answerer, step)()
                closed.setdefault(node.name, answerer.closed(HANDSHAKE_DEADLINE))

            node.answer = answer
            nodes.append(node)
        node = self.clu(3, discover=[f'static:{",".join(node.name for node in nodes)}']).start()
        for other in nodes:
            eventually(f'{other.name} is dialled and given up', HANDSHAKE_DEADLINE + 10,
                       lambda other=other: other.name in closed)
        self.assertEqual({other.name: True for other in nodes}, closed)
        self.assertEqual(200, node.get('/livez')[0])

    def test_too_long_before_authentication(self):
        for length in (0xffff, 0x8000, 0x0900):
            self.assertTrue(self.closed(struct.pack('>H', length) + bytes(16)), length)
        # What is still allowed is waited for: it is the length that is refused above.
        self.assertFalse(self.closed(struct.pack('>H', 0x0700) + bytes(16), 2))
        self.assertTrue(self.closed(b'\xff' * 16))
        self.assertTrue(self.closed(b'\0\0', HANDSHAKE_DEADLINE), 'an empty opening')
        self.assertTrue(self.closed(b'GET / HTTP/1.1\r\nHost: x\r\n\r\n'))

    def test_four_gigabytes_announced(self):
        """It may be a message that is over the limit; what is none is refused when its head is there."""
        us = self.scripted()
        for begin in (b'', b'p\x83', b'\x83D\x00'):
            link = us.dial('10.42.0.1', self.port).handshake().link()
            try:
                link.send_raw(b'\xff\xff\xff\xff' + begin + bytes(600 << 10))
            except OSError:
                pass  # it was closed before all had gone
            self.assertTrue(link.await_closed(5), begin)
            eventually('the refused one is gone', 5, lambda: us.name not in self.node.nodes())
        link = us.dial('10.42.0.1', self.port).handshake().link()
        link.send_raw(b'\xff\xff\xff\xff')  # alone it costs no memory: see tearDown
        eventually('it waits for the rest', 5, lambda: us.name in self.node.nodes())
        self.assertFalse(link.await_closed(1))
        link.close()
        eventually('it is gone', 5, lambda: us.name not in self.node.nodes())
        self.assertIn(us.name, self.node.log())

    def test_impossible_names(self):
        for name in (b'a\0b@10.42.0.9', b'x' * 290 + b'@10.42.0.9', b'no_at', b'@10.42.0.9', b'a@', b'a@b@c', b'',
                     b'\xff\xfe@10.42.0.9', b'a\nb@10.42.0.9', b'<b>@10.42.0.9'):
            with self.subTest(name=name):
                dialler = self.scripted().dial('10.42.0.1', self.port)
                head = struct.pack('>QIH', dialler.flags, 5, len(name))
                dialler.send_packet('name', b'N' + head + name)
                try:
                    refused = dialler.recv_status() in ('not_allowed', 'nok')
                except (EOFError, OSError):
                    refused = True
                if b'<' in name or b'\n' in name:
                    # Such a name may be taken or not; on the page it must be text, not markup.
                    self.assertNotIn('<b>@', self.node.get('/')[1])
                else:
                    self.assertTrue(refused)
                dialler.close()
        # A name length that says more than there is.
        self.assertTrue(self.closed(struct.pack('>HcQIH', 20, b'N', 0, 1, 60000) + b'a@b..', 5))

    def test_signals_with_foreign_senders(self):
        """A link may speak for its own node only; what it says for others closes it, or nothing."""
        us = self.scripted()
        foreign = pid('other@10.42.0.77', 1, 1)
        link = us.dial('10.42.0.1', self.port).handshake().link()
        link.send((OP_EXIT, foreign, pid(self.node.name, 1, 1), Atom('boo')))
        link.send((OP_REG_SEND, foreign, Atom(''), Atom('nobody')), Atom('hi'))
        link.close()

    def test_many_connections_that_say_nothing(self):
        socks = [socket.create_connection(('10.42.0.1', self.port), 10) for _ in range(300)]
        self.assertEqual('pong', self.erl_node.eval(f"net_adm:ping('{self.node.name}')"))
        us = self.scripted()
        us.dial('10.42.0.1', self.port).handshake()
        for sock in socks:
            sock.close()

    def test_connections_cut_in_the_middle(self):
        stop = time.monotonic() + 3
        us = self.scripted()

        def cut():
            while time.monotonic() < stop:
                for steps in range(5):
                    dialler = us.dial('10.42.0.1', self.port)
                    try:
                        for step in Dialler.STEPS[:steps]:
                            getattr(dialler, step)()
                    except (OSError, EOFError):
                        pass
                    dialler.close()

        threads = [threading.Thread(target=cut) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        eventually('nothing is left of them', 10, lambda: self.node.nodes() == {self.erl_node.name})
