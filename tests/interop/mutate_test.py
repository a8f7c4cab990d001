# SPDX-License-Identifier: Apache-2.0
"""10,000 packets and frames of real sessions, one field changed at a time, before and after a valid
handshake: the node stays up, its other links stay up, and its memory does not grow."""

import contextlib
import itertools
import socket
import struct

from lab import mutate, sessions
from lab.case import LabCase
from lab.epmd import EpmdServer
from lab.nodes import COOKIE, erlclu, eventually
from lab.peer import DIST_HDR_ATOM_CACHE, FRAGMENTS, OP_MONITOR_P, Answerer, Dialler, Listener, digest
from lab.pods import LAB_ADDRESS, sh
from lab.wire import Atom, encode, pid, ref

COUNT = 10000
SEED = 1
WARM_UP = 1500  # the allocator's first pages, tables at their first size
GROWTH = 4 << 20  # bytes; a leak of 500 bytes a mutant would show
PINGS_EVERY = 500
MUTANTS = 'mutants.lab'
RECORDED_HOST = b'10.42.0.4'
ANY_ADDRESS = '10.64.0.0/10'  # all of it is the lab's: no two mutants share one
ALL_DIALLED = 60  # seconds


class Replay:
    """One connection after another to the target, under the name of the recorded speaker."""

    def __init__(self, port, source):
        self.address, self.source = (sessions.TARGET_ADDRESS, port), source
        self.dialler = None
        self.probes = itertools.count(1)

    def open(self, session):
        self.dialler = Dialler(self.address, session['speaker'], COOKIE, source=self.source,
                               flags=sessions.FLAGS[session['flags']],
                               creation=session['creation']).handshake()
        self.session = session
        if self._headers():  # what the frames refer to by number was named in those before them
            for text in session['frames']:
                data = bytes.fromhex(text)
                self.dialler.sock.sendall(struct.pack('>I', len(data)) + data)

    def frame(self, session, data):
        """Send one mutant; true when the link survived it, which a probe tells."""
        try:
            if self.dialler is None or self.session is not session:
                self.close()
                self.open(session)
            self.dialler.sock.sendall(data)
            if struct.unpack_from('>I', data)[0] != len(data) - 4:
                return self.close()  # the rest of such a frame never comes
            return self._probe() or self.close()
        except (OSError, EOFError):
            return self.close()

    def whole(self, session):
        """All frames of a session with headers, in their order; true when the link survived them."""
        self.close()
        self.open(session)
        return bool(self._headers()) and self._probe()

    def _probe(self):
        """A monitor of nobody is answered after all that came before it was read."""
        words = (next(self.probes), 0xfeed, 0xbeef)
        creation, name = self.session['creation'], self.session['speaker']
        control = (OP_MONITOR_P, pid(name, 1, creation), Atom('nobody'), ref(name, creation, *words))
        # Which form the link carries was settled by the flags; a frame of the other form cuts it.
        head = b'\x83\x44\0' if self._headers() else b'p\x83'
        body = head + encode(control)
        self.dialler.sock.sendall(struct.pack('>I', len(body)) + body)
        wanted, seen = struct.pack('>III', *words), b''
        while wanted not in seen[-4096:]:
            piece = self.dialler.sock.recv(65536)
            if not piece:
                return False
            seen = seen[-64:] + piece
        return True

    def _headers(self):
        return self.dialler.flags & self.dialler.peer_flags & (DIST_HDR_ATOM_CACHE | FRAGMENTS)

    def close(self):
        if self.dialler is not None:
            self.dialler.close()
        self.dialler = None
        return False


class Mutants(LabCase):
    def setUp(self):
        super().setUp()
        self.recorded = sessions.load()
        self.assertEqual({25, 27, 29}, {session['otp'] for session in self.recorded})

    def sessions(self, flags):
        return [session for session in self.recorded if session['flags'] == flags]

    def test_what_is_not_mutated_is_understood(self):
        """The control: no frame that a real node sent cuts a link."""
        replay = Replay(self.dist_port(self.clu(1, discover=()).start()), self.lab.address())
        for session in self.sessions('plain'):
            for i, text in enumerate(session['frames']):
                data = bytes.fromhex(text)
                self.assertTrue(replay.frame(session, struct.pack('>I', len(data)) + data),
                                f'otp{session["otp"]} frame {i}: {data[:200]}')
        for session in self.sessions('full'):
            self.assertTrue(replay.whole(session), f'otp{session["otp"]}')
        replay.close()

    def test_ten_thousand(self):
        as_initiator = mutate.of_packets(self.recorded, 'initiator', SEED)
        as_acceptor = mutate.of_packets(self.recorded, 'acceptor', SEED)
        frames = mutate.of_frames(self.sessions('plain'), SEED, COUNT - len(as_initiator))
        frames += mutate.of_frames(self.sessions('full'), SEED, COUNT // 5)
        frames.sort(key=lambda row: self.recorded.index(row[0]))  # a link serves as long as it lives
        self.scripted_dns({MUTANTS: self.answer_with(as_acceptor)})
        node = self.clu(1, discover=[f'dns:{MUTANTS}']).start()
        # It dials once: a link that is cut stays away.
        erl = self.erl(2, refresh=None).start()
        self.assertEqual('true', erl.eval(f"net_kernel:connect_node('{node.name}')"))
        link = self.links(node, erl)
        replay = Replay(self.dist_port(node), self.lab.address())
        survived, base = 0, None
        todo = [lambda row=row: self.packet(replay, *row) for row in as_initiator]
        todo += [lambda row=row: replay.frame(row[0], row[2]) for row in frames]
        for i, send in enumerate(todo):
            survived += bool(send())
            if i == WARM_UP:
                base = node.rss()
            if i % PINGS_EVERY == 0:
                self.assertTrue(node.process.alive(), f'it died near mutant {i}: {node.log()[-2000:]}')
                self.assert_linked(node, erl, link)
        replay.close()
        eventually(f'all {len(as_acceptor)} answers were heard', ALL_DIALLED,
                   lambda: len(self.answered) == len(as_acceptor))
        self.assert_linked(node, erl, link)
        self.assertLess(node.rss() - base, GROWTH)
        # Neither all cut nor none: else the mutants, or the probe, would prove nothing.
        self.assertGreater(survived, COUNT // 50)
        self.assertLess(survived, COUNT)
        self.assert_quiet([erl])

    def assert_linked(self, node, erl, link):
        self.assertEqual(link, self.links(node, erl), 'the other link was cut')
        self.assertEqual('pong', erl.eval(f"net_adm:ping('{node.name}')"))
        self.assertIn(erl.name, node.nodes())

    def packet(self, replay, step, _what, data):
        """A mutated packet in its place of an otherwise good handshake."""
        replay.close()
        session = self.recorded[0]
        dialler = Dialler(replay.address, session['speaker'], COOKIE, source=replay.source,
                          flags=session['speaker_flags'], creation=session['creation'])
        try:
            if step == 1:
                dialler.send_name()
                if dialler.recv_status() == 'alive':
                    dialler.send_status('true')
                dialler.recv_challenge()
                data = self.proved(data, digest(COOKIE, dialler.peer_challenge))
            dialler.sock.sendall(data)
            dialler.sock.shutdown(socket.SHUT_WR)
            while dialler.sock.recv(65536):
                pass
        except (OSError, EOFError):
            pass
        dialler.close()
        return False

    def proved(self, data, right):
        """The packet with the digest of now: else a wrong one would hide what else is wrong."""
        for session in self.recorded:
            for packet in (session['initiator'][1], session['acceptor'][2]):
                data = data.replace(bytes.fromhex(packet)[-16:], right)
        return data

    def answer_with(self, rows):
        """One address for each mutated status, challenge or ack, which answers every dial with it.

        The addresses are as long as the recorded one, so that it can be replaced in the packet."""
        addresses = [f'10.{64 + i // 100}.{i // 10 % 10}.{i % 10}' for i in range(len(rows))]
        row_of = dict(zip(addresses, rows))
        self.answered = set()

        def answer(sock):
            address = sock.getsockname()[0]
            step, _, data = row_of[address]
            data = data.replace(RECORDED_HOST, address.encode())
            answerer = Answerer(sock, f'erlclu@{address}', COOKIE)

            def mutate(at, good):
                return self.proved(data, good[3:]) if at == ('status', 'challenge', 'ack')[step] else good

            answerer.mutate = mutate
            try:
                answerer.recv_name()
                self.answered.add(address)
                answerer.send_status()
                answerer.send_challenge()
                with contextlib.suppress(ValueError):  # it answers a recorded challenge, not ours
                    answerer.recv_reply()
                answerer.send_ack()
                answerer.closed(1)
            finally:
                answerer.close()

        sh(f'ip route add local {ANY_ADDRESS} dev lo')
        self.addCleanup(sh, f'ip route del local {ANY_ADDRESS} dev lo')
        self.lab.pod(1).run(['ip', 'route', 'add', ANY_ADDRESS, 'via', LAB_ADDRESS], check=True)
        listener = Listener('0.0.0.0', 0, answer)
        self.addCleanup(listener.close)
        server = EpmdServer('0.0.0.0', {'erlclu': listener.port})
        self.addCleanup(server.close)
        return addresses

    def test_a_command_survives_too(self):
        """`erlclu ping` against peers that answer with mutants: pang or pong, never a signal."""
        rows = mutate.of_packets(self.recorded, 'acceptor', SEED)[:200]
        node = self.scripted()
        pod = self.lab.pod(1)
        for step, what, data in rows:
            def answer(sock, step=step, data=data):
                answerer = node.answerer(sock)
                answerer.mutate = lambda at, good: data if at == ('status', 'challenge', 'ack')[step] else good
                try:
                    answerer.handshake()
                finally:
                    answerer.close()

            node.answer = answer
            done = erlclu(pod, 'ping', '--timeout', '2', node.name)
            self.assertGreaterEqual(done.returncode, 0, f'{what}: {done.stderr}')
