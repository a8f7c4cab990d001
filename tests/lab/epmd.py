# SPDX-License-Identifier: Apache-2.0
"""epmd from both sides: requests that can be slow, partial or hostile, and a server likewise."""

import socket
import struct
import time

from lab.peer import Listener, read_exactly

PORT = 4369
ALIVE2, PORT_PLEASE2, NAMES, KILL, DUMP, STOP = 120, 122, 110, 107, 100, 115
VISIBLE_NODE, HIDDEN_NODE = 77, 72


def alive2(name, port, kind=VISIBLE_NODE, high=6, low=5):
    name = name if isinstance(name, bytes) else name.encode()
    return (struct.pack('>BHBBHHH', ALIVE2, port, kind, 0, high, low, len(name)) + name +
            struct.pack('>H', 0))


def framed(request):
    return struct.pack('>H', len(request)) + request


def exchange(address, data, port=PORT, timeout=5, pause=0, source=None):
    """Send raw bytes (byte by byte when `pause` is set) and return all that comes until the end."""
    with socket.create_connection((address, port), timeout, (source, 0) if source else None) as sock:
        for piece in (data,) if not pause else (data[i:i + 1] for i in range(len(data))):
            sock.sendall(piece)
            time.sleep(pause)
        reply = b''
        while piece := sock.recv(65536):
            reply += piece
        return reply


def port_please(address, name, **how):
    """The port of a registered name, or None."""
    name = name if isinstance(name, bytes) else name.encode()
    reply = exchange(address, framed(bytes([PORT_PLEASE2]) + name), **how)
    if len(reply) < 2 or reply[0] != 119:
        raise ValueError(f'not an answer to PORT_PLEASE2: {reply!r}')
    return None if reply[1] else struct.unpack_from('>H', reply, 2)[0]


def names(address, **how):
    """(the port that epmd says it serves, {name: port})"""
    reply = exchange(address, framed(bytes([NAMES])), **how)
    found = {}
    for line in reply[4:].decode().splitlines():
        _, name, _, _, port = line.split(' ')
        found[name] = int(port)
    return struct.unpack_from('>I', reply)[0], found


class Registration:
    """A name registered for as long as this stays open."""

    def __init__(self, address, name, port, source=None, **fields):
        self.sock = socket.create_connection((address, PORT), 5, (source, 0) if source else None)
        self.sock.sendall(framed(alive2(name, port, **fields)))
        head = read_exactly(self.sock, 2)
        if head[0] not in (118, 121):
            raise ValueError(f'not an answer to ALIVE2: {head!r}')
        self.result = head[1]
        self.creation = int.from_bytes(read_exactly(self.sock, 4 if head[0] == 118 else 2), 'big')

    def close(self):
        self.sock.close()


class EpmdServer:
    """An epmd of the test's making. `behave` is one of the names below; it may change any time."""

    def __init__(self, address, names=None, behave='answer'):
        self.address = address
        self.names = dict(names or {})
        self.behave = behave
        self.requests = []
        self.listener = Listener(address, PORT, self._serve)

    def _serve(self, sock):
        sock.settimeout(30)
        with sock:
            request = read_exactly(sock, struct.unpack('>H', read_exactly(sock, 2))[0])
            self.requests.append(request)
            getattr(self, '_' + self.behave)(sock, self._reply(request))

    def _reply(self, request):
        if request[:1] == bytes([NAMES]):
            lines = ''.join(f'name {name} at port {port}\n' for name, port in self.names.items())
            return struct.pack('>I', PORT) + lines.encode()
        name = request[1:].decode(errors='replace')
        if request[:1] != bytes([PORT_PLEASE2]) or name not in self.names:
            return bytes([119, 1])
        head = struct.pack('>BBHBBHHH', 119, 0, self.names[name], VISIBLE_NODE, 0, 6, 5, len(name))
        return head + name.encode() + struct.pack('>H', 0)

    def _answer(self, sock, reply):
        sock.sendall(reply)

    def _slow(self, sock, reply):
        for i in range(len(reply)):
            sock.sendall(reply[i:i + 1])
            time.sleep(0.05)

    def _partial(self, sock, reply):
        sock.sendall(reply[:len(reply) // 2])

    def _silent(self, sock, reply):
        while sock.recv(1024):
            pass

    def _garbage(self, sock, reply):
        sock.sendall(bytes(range(256)) * 4)

    def _endless(self, sock, reply):
        """A list of names that never ends: the client must."""
        sock.sendall(struct.pack('>I', PORT))
        while True:
            sock.sendall(b'name x at port 1\n' * 1000)

    def close(self):
        self.listener.close()
