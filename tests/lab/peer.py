# SPDX-License-Identifier: Apache-2.0
"""A distribution peer in which every step of the handshake is a call of its own: a test stalls by
not calling, cuts by close(), mutates through `mutate`. `Dialler` opens, `Answerer` accepts; after
the handshake both are a Link."""

import hashlib
import socket
import struct
import threading
import time

from lab.wire import VERSION, Atom, decode, encode, pid

PUBLISHED, DIST_MONITOR, DIST_MONITOR_NAME = 0x1, 0x8, 0x20
DIST_HDR_ATOM_CACHE, FRAGMENTS, SEND_SENDER = 0x2000, 0x800000, 0x80000
HANDSHAKE_23, UNLINK_ID, MANDATORY_25_DIGEST = 0x1000000, 0x2000000, 0x4000000
SPAWN, NAME_ME, V4_NC, ALIAS = 1 << 32, 1 << 33, 1 << 34, 1 << 35
# By name, as a peer of OTP 26 and later demands them.
MANDATORY = {
    'EXTENDED_REFERENCES': 0x4, 'FUN_TAGS': 0x10, 'NEW_FUN_TAGS': 0x80, 'EXTENDED_PIDS_PORTS': 0x100,
    'EXPORT_PTR_TAG': 0x200, 'BIT_BINARIES': 0x400, 'NEW_FLOATS': 0x800, 'UTF8_ATOMS': 0x10000,
    'MAP_TAG': 0x20000, 'BIG_CREATION': 0x40000, 'HANDSHAKE_23': HANDSHAKE_23,
    'UNLINK_ID': UNLINK_ID, 'V4_NC': V4_NC,
}
HIDDEN = sum(MANDATORY.values()) | DIST_MONITOR | DIST_MONITOR_NAME
VISIBLE = HIDDEN | PUBLISHED
# What a real node of OTP 25 offers: headers, fragments, spawn, aliases and all.
AS_OTP_25 = 0xd07df7fbd

OP_LINK, OP_SEND, OP_EXIT, OP_REG_SEND, OP_MONITOR_P, OP_MONITOR_P_EXIT = 1, 2, 3, 6, 19, 21

# The names that a peer's kernel has: a monitor of these waits, as it does on a real node.
RUNNING = ('net_kernel', 'rex')

TIMEOUT = 10


def digest(cookie, challenge):
    return hashlib.md5(cookie.encode() + str(challenge).encode()).digest()


def read_exactly(sock, count):
    """MSG_WAITALL does not wait on a socket with a timeout; this does."""
    data = b''
    while len(data) < count:
        piece = sock.recv(count - len(data))
        if not piece:
            raise EOFError(f'the other side closed after {data!r}')
        data += piece
    return data


class Peer:
    """What both roles share: framing, the facts learned from the other side, and the link."""

    def __init__(self, sock, name, cookie, flags=VISIBLE, creation=77, challenge=0x1234567):
        self.sock = sock
        self.sock.settimeout(TIMEOUT)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.name, self.cookie, self.flags, self.creation = name, cookie, flags, creation
        self.challenge = challenge
        # Takes (step, packet with its length) and returns the bytes to send instead.
        self.mutate = lambda step, data: data
        self.received = []  # every handshake packet, as it came
        self.peer = self.peer_flags = self.peer_creation = self.peer_challenge = None

    def read(self, count):
        return read_exactly(self.sock, count)

    def recv_packet(self):
        data = self.read(struct.unpack('>H', self.read(2))[0])
        self.received.append(data)
        return data

    def send_packet(self, step, data):
        self.sock.sendall(self.mutate(step, struct.pack('>H', len(data)) + data))

    def closed(self, within):
        """True when the other side ends this connection in time; other bytes are passed over."""
        end = time.monotonic() + within
        try:
            while (left := end - time.monotonic()) > 0:
                self.sock.settimeout(left)
                if not self.sock.recv(65536):
                    return True
        except TimeoutError:
            pass
        except OSError:
            return True
        return False

    def close(self):
        try:
            self.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.sock.close()

    def link(self, **options):
        return Link(self, **options)

    def _recv_challenge(self, data):
        if data[:1] != b'N':
            raise ValueError(f'a challenge, not {data!r}')
        self.peer_flags, self.peer_challenge, self.peer_creation, length = struct.unpack_from('>QIIH', data, 1)
        self.peer = data[19:19 + length].decode()


class Dialler(Peer):
    """Opens a connection to a node's distribution port."""

    STEPS = ('send_name', 'recv_status', 'recv_challenge', 'send_reply', 'recv_ack')

    def __init__(self, address, name, cookie, source=None, **options):
        source = (source, 0) if source else None
        super().__init__(socket.create_connection(address, TIMEOUT, source), name, cookie, **options)
        self.status = None

    def send_name(self):
        name = self.name.encode()
        self.send_packet('name', b'N' + struct.pack('>QIH', self.flags, self.creation, len(name)) + name)

    def send_old_name(self):
        """The opening of version 5 nodes, which newer ones still use when epmd cannot say more."""
        head = struct.pack('>HI', 5, self.flags & 0xffffffff)
        self.send_packet('name', b'n' + head + self.name.encode())

    def send_complement(self):
        self.send_packet('complement', b'c' + struct.pack('>II', self.flags >> 32, self.creation))

    def recv_status(self):
        self.status = self.recv_packet()[1:].decode('latin1')
        return self.status

    def send_status(self, status):
        self.send_packet('status', b's' + status.encode())

    def recv_challenge(self):
        self._recv_challenge(self.recv_packet())

    def send_reply(self):
        self.send_packet('reply', b'r' + struct.pack('>I', self.challenge) + digest(self.cookie, self.peer_challenge))

    def recv_ack(self):
        data = self.recv_packet()
        if data != b'a' + digest(self.cookie, self.challenge):
            raise ValueError(f'not the digest of our cookie: {data!r}')

    def handshake(self):
        self.send_name()
        status = self.recv_status()
        if status == 'alive':
            self.send_status('true')
        elif not status.startswith(('ok', 'named:')):
            raise ConnectionRefusedError(f'status {status}')
        self.recv_challenge()
        self.send_reply()
        self.recv_ack()
        return self


class Answerer(Peer):
    """Answers a connection that a node has opened."""

    STEPS = ('recv_name', 'send_status', 'send_challenge', 'recv_reply', 'send_ack')

    def recv_name(self):
        data = self.recv_packet()
        if data[:1] != b'N':
            raise ValueError(f'an opening, not {data!r}')
        self.peer_flags, self.peer_creation, length = struct.unpack_from('>QIH', data, 1)
        self.peer = data[15:15 + length].decode()

    def send_status(self, status='ok'):
        self.send_packet('status', b's' + status.encode())

    def send_named(self, name, creation=5):
        text = name.encode()
        self.send_packet('status', b'snamed:' + struct.pack('>H', len(text)) + text + struct.pack('>I', creation))

    def send_challenge(self):
        name = self.name.encode()
        head = struct.pack('>QIIH', self.flags, self.challenge, self.creation, len(name))
        self.send_packet('challenge', b'N' + head + name)

    def recv_reply(self):
        data = self.recv_packet()
        self.peer_challenge = struct.unpack_from('>I', data, 1)[0]
        if data[5:21] != digest(self.cookie, self.challenge):
            raise ValueError('not the digest of our cookie')

    def send_ack(self):
        self.send_packet('ack', b'a' + digest(self.cookie, self.peer_challenge))

    def handshake(self):
        self.recv_name()
        if self.peer_flags & NAME_ME:
            self.send_named(f'dynamic@{self.peer}')
        else:
            self.send_status()
        self.send_challenge()
        self.recv_reply()
        self.send_ack()
        return self


class Listener:
    """A listening socket; `on_connection(socket)` runs in a thread of its own for each peer."""

    def __init__(self, address, port=0, on_connection=None):
        self.sock = socket.create_server((address, port))
        self.address, self.port = address, self.sock.getsockname()[1]
        self.on_connection = on_connection
        if on_connection is not None:
            threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                sock, _ = self.sock.accept()
            except OSError:
                return
            threading.Thread(target=self._one, args=(sock,), daemon=True).start()

    def _one(self, sock):
        try:
            self.on_connection(sock)
        except (OSError, EOFError, ValueError):
            pass  # the node went away; the test looks at what it left

    def accept(self, timeout=TIMEOUT):
        self.sock.settimeout(timeout)
        return self.sock.accept()[0]

    def close(self):
        # shutdown wakes a thread that sits in accept; close alone does not.
        try:
            self.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.sock.close()


class Link:
    """A link after its handshake. A thread reads, ticks back and answers what any node must
    answer (net_adm:ping, monitors of nobody); `ticks=False` makes it fall silent."""

    def __init__(self, peer, ticks=True, answers=True):
        self.peer, self.ticks, self.answers = peer, ticks, answers
        self.frames, self.raw, self.tick_times = [], [], []
        self.arrived = threading.Condition()
        self.open = True
        self.pid = pid(peer.name, 1, peer.creation)
        self._send_lock = threading.Lock()
        peer.sock.settimeout(None)
        threading.Thread(target=self._read_loop, daemon=True).start()

    def send_raw(self, data):
        with self._send_lock:
            self.peer.sock.sendall(data)

    def send(self, control, *message):
        body = b'p' + bytes([VERSION]) + encode(control)
        for term in message:
            body += bytes([VERSION]) + encode(term)
        self.send_raw(struct.pack('>I', len(body)) + body)

    def reg_send(self, name, message):
        self.send((OP_REG_SEND, self.pid, Atom(''), Atom(name)), message)

    def tick(self):
        self.send_raw(bytes(4))

    def await_frame(self, wanted, timeout=TIMEOUT):
        """The first frame (control, message) for which `wanted` holds."""
        end = time.monotonic() + timeout
        seen = 0
        with self.arrived:
            while True:
                for frame in self.frames[seen:]:
                    seen += 1
                    if wanted(*frame):
                        return frame
                left = end - time.monotonic()
                if left <= 0 or not self.open:
                    raise AssertionError(f'no such frame within {timeout} s; seen: {self.frames[-5:]}')
                self.arrived.wait(left)

    def await_closed(self, timeout):
        """True when the other side closes in time."""
        with self.arrived:
            return self.arrived.wait_for(lambda: not self.open, timeout)

    def close(self):
        self.peer.close()

    def _read_loop(self):
        try:
            while True:
                length = struct.unpack('>I', self.peer.read(4))[0]
                if length == 0:
                    self._got_tick()
                else:
                    self._got_frame(self.peer.read(length))
        except (OSError, EOFError):
            with self.arrived:
                self.open = False
                self.arrived.notify_all()

    def _got_tick(self):
        with self.arrived:
            self.tick_times.append(time.monotonic())
            self.arrived.notify_all()
        if self.ticks:
            self.tick()

    def _got_frame(self, data):
        control, message = split_frame(data)
        with self.arrived:
            self.frames.append((control, message))
            self.raw.append(data)
            self.arrived.notify_all()
        if self.answers and control is not None:
            self._answer(control, message)

    def _answer(self, control, message):
        if control[0] == OP_MONITOR_P and control[2] not in RUNNING:
            self.send((OP_MONITOR_P_EXIT, control[2], control[1], control[3], Atom('noproc')))
        elif control[0] == OP_REG_SEND and control[3] == 'net_kernel' and is_auth(message):
            caller, tag = message[1]
            self.send((OP_SEND, Atom(''), caller), (tag, Atom('yes')))


def split_frame(data):
    """(control, message) of a pass-through frame; (None, bytes) of one that is none."""
    try:
        if data[:2] != b'p\x83':
            return None, data
        control, at = decode(data, 2)
        return control, decode(data, at + 1)[0] if at < len(data) else None
    except ValueError:
        return None, data


def is_auth(message):
    return (isinstance(message, tuple) and message[0] == '$gen_call' and
            isinstance(message[2], tuple) and message[2][0] == 'is_auth')
