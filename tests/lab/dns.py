# SPDX-License-Identifier: Apache-2.0
"""A DNS server, UDP and TCP, that says what the test tells it to: right, wrong, late or never."""

import socket
import struct
import threading

from lab.peer import read_exactly
from lab.pods import DNS_ADDRESS

A, CNAME, SOA, AAAA, OPT = 1, 5, 6, 28, 41
NOERROR, FORMERR, SERVFAIL, NXDOMAIN, NOTIMP, REFUSED = range(6)


def pack_name(name):
    return b''.join(bytes([len(label)]) + label.encode() for label in name.rstrip('.').split('.')) + b'\0'


def pack_address(address):
    if ':' in address:
        return AAAA, socket.inet_pton(socket.AF_INET6, address)
    return A, socket.inet_pton(socket.AF_INET, address)


class Question:
    """What was asked: id, name, type, and how many bytes fit into a UDP reply."""

    def __init__(self, data, over_tcp):
        self.id, self.flags, questions, _, _, additional = struct.unpack_from('>6H', data)
        labels, at = [], 12
        while data[at]:
            labels.append(data[at + 1:at + 1 + data[at]].decode('latin1'))
            at += 1 + data[at]
        self.name = '.'.join(labels).lower()
        self.type = struct.unpack_from('>H', data, at + 1)[0]
        self.section = data[12:at + 5]
        self.over_tcp = over_tcp
        # An OPT record begins with the root name; its class field is the size.
        has_opt = additional and data[at + 5:at + 8] == b'\0' + struct.pack('>H', OPT)
        self.size = struct.unpack_from('>H', data, at + 8)[0] if has_opt else 512


class DnsServer:
    """records: {name: [address, ...]}; a name that is missing does not exist.

    `mode` sets what happens to every question (a table, `tcp_mode` overrides it for TCP):
    answer servfail refused nxdomain empty silent garbage truncate."""

    def __init__(self, records=None, address=DNS_ADDRESS, ttl=1, mode='answer', tcp_mode=None):
        self.records = {name.lower(): list(found) for name, found in (records or {}).items()}
        self.ttl, self.mode, self.tcp_mode = ttl, mode, tcp_mode
        self.questions = []  # (name, type, over_tcp), as they came
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind((address, 53))
        self.tcp = socket.create_server((address, 53))
        for loop in (self._udp_loop, self._tcp_loop):
            threading.Thread(target=loop, daemon=True).start()

    def asked(self, name=None):
        """How many questions have come (for a name)."""
        return sum(1 for asked, _, _ in self.questions if name in (None, asked))

    def close(self):
        for sock in (self.udp, self.tcp):
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            sock.close()

    def _udp_loop(self):
        while True:
            try:
                data, peer = self.udp.recvfrom(65536)
                if not data:
                    return
                reply = self._reply(Question(data, False))
                if reply is not None:
                    self.udp.sendto(reply, peer)
            except (OSError, ValueError):
                return
            except (IndexError, struct.error):
                continue  # not a question

    def _tcp_loop(self):
        while True:
            try:
                sock, _ = self.tcp.accept()
            except OSError:
                return
            threading.Thread(target=self._tcp_one, args=(sock,), daemon=True).start()

    def _tcp_one(self, sock):
        with sock:
            sock.settimeout(10)
            try:
                while True:
                    data = read_exactly(sock, struct.unpack('>H', read_exactly(sock, 2))[0])
                    reply = self._reply(Question(data, True))
                    if reply is not None:
                        sock.sendall(struct.pack('>H', len(reply)) + reply)
            except (OSError, EOFError, IndexError, struct.error):
                return

    def _reply(self, question):
        self.questions.append((question.name, question.type, question.over_tcp))
        mode = self.tcp_mode if question.over_tcp and self.tcp_mode else self.mode
        return getattr(self, '_' + mode)(question)

    def _message(self, question, rcode=NOERROR, answers=(), truncated=False, negative=False):
        flags = 0x8580 | (0x0200 if truncated else 0) | rcode
        records = b''.join(b'\xc0\x0c' + struct.pack('>HHIH', kind, 1, self.ttl, len(data)) + data
                           for kind, data in answers)
        authority = self._soa() if negative else b''
        head = struct.pack('>6H', question.id, flags, 1, len(answers), 1 if negative else 0, 0)
        return head + question.section + records + authority

    def _soa(self):
        data = pack_name('ns.cluster.local') + pack_name('root.cluster.local') + struct.pack(
            '>5I', 1, 3600, 600, 86400, self.ttl)
        return pack_name('cluster.local') + struct.pack('>HHIH', SOA, 1, self.ttl, len(data)) + data

    def _answer(self, question):
        if question.name not in self.records:
            return self._nxdomain(question)
        found = [record for record in map(pack_address, self.records[question.name])
                 if record[0] == question.type]
        whole = self._message(question, answers=found, negative=not found)
        if question.over_tcp or len(whole) <= question.size:
            return whole
        fit = (question.size - 12 - len(question.section)) // 28
        return self._message(question, answers=found[:fit], truncated=True)

    def _servfail(self, question):
        return self._message(question, SERVFAIL)

    def _refused(self, question):
        return self._message(question, REFUSED)

    def _nxdomain(self, question):
        return self._message(question, NXDOMAIN, negative=True)

    def _empty(self, question):
        return self._message(question, negative=True)

    def _silent(self, question):
        return None

    def _garbage(self, question):
        """The right id, then names that point at themselves and counts that lie."""
        return struct.pack('>6H', question.id, 0x8580, 1, 0xffff, 0xffff, 0xffff) + b'\xc0\x0c' * 40

    def _truncate(self, question):
        return self._message(question, truncated=True)
