# SPDX-License-Identifier: Apache-2.0
"""10,000 packets and frames of real sessions, one field changed at a time, before and after a valid
handshake: the node stays up, its other links stay up, and its memory does not grow."""

import itertools
import socket
import struct
import threading

from lab import mutate, sessions
from lab.case import LabCase
from lab.nodes import COOKIE, erlclu
from lab.peer import DIST_HDR_ATOM_CACHE, FRAGMENTS, OP_MONITOR_P, Answerer, Dialler
from lab.wire import Atom, encode, pid, ref

COUNT = 10000
SEED = 1
WARM_UP = 1500  # the allocator's first pages, tables at their first size
GROWTH = 4 << 20  # bytes; a leak of 500 bytes a mutant would show
PINGS_EVERY = 500


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
    DIALLED = 40  # addresses that erlclu dials while it is under fire

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
        replay.close()

    def test_ten_thousand(self):
        as_initiator = mutate.of_packets(self.recorded, 'initiator', SEED)
        as_acceptor = mutate.of_packets(self.recorded, 'acceptor', SEED)
        frames = mutate.of_frames(self.sessions('plain'), SEED, COUNT - len(as_initiator))
        frames += mutate.of_frames(self.sessions('full'), SEED, COUNT // 5)
        frames.sort(key=lambda row: self.recorded.index(row[0]))  # a link serves as long as it lives
        dialled = self.answer_with(as_acceptor)
        specs = [f'static:{",".join(dialled[i:i + 10])}' for i in range(0, self.DIALLED, 10)]
        node = self.clu(1, discover=specs).start()
        erl = self.erl(2, refresh=500).start()
        self.assert_linked(node, erl)
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
                self.assert_linked(node, erl)
        replay.close()
        self.assert_linked(node, erl)
        self.assertLess(node.rss() - base, GROWTH)
        # Neither all cut nor none: else the mutants, or the probe, would prove nothing.
        self.assertGreater(survived, COUNT // 50)
        self.assertLess(survived, COUNT)
        self.assertGreater(self.answered, self.DIALLED, 'erlclu hardly dialled')
        self.assert_quiet([erl])

    def assert_linked(self, node, erl):
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
            dialler.sock.sendall(data)
            dialler.sock.shutdown(socket.SHUT_WR)
            while dialler.sock.recv(65536):
                pass
        except (OSError, EOFError):
            pass
        dialler.close()
        return False

    def answer_with(self, rows):
        """Nodes that answer each dial with the next mutated status, challenge or ack; their names."""
        self.answered = 0
        supply = itertools.cycle(rows)
        lock = threading.Lock()

        def answer(sock, name):
            with lock:
                step, _, data = next(supply)
                self.answered += 1
            answerer = Answerer(sock, name, COOKIE)
            answerer.mutate = lambda at, good: data if at == ('status', 'challenge', 'ack')[step] else good
            answerer.handshake()
            answerer.closed(1)
            answerer.close()

        names = []
        for _ in range(self.DIALLED):
            node = self.scripted()
            node.answer = lambda sock, name=node.name: answer(sock, name)
            names.append(node.name)
        return names

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
