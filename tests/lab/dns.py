# SPDX-License-Identifier: Apache-2.0
"""A DNS server, UDP and TCP, that says what the test tells it to: right, wrong, late or never."""

import random
import socket
import struct
import threading

from lab.peer import read_exactly
from lab.pods import DNS_ADDRESS

A, CNAME, SOA, AAAA, SRV, OPT = 1, 5, 6, 28, 33, 41
NOERROR, FORMERR, SERVFAIL, NXDOMAIN, NOTIMP, REFUSED = range(6)
ALIASES_MAX = 64
# What a forger would have us dial: a loopback address, should anybody believe it.
POISON = '127.66.6.6'


def pack_name(name):
    name = name.rstrip('.')
    return b''.join(bytes([len(label)]) + label.encode() for label in name.split('.')) + b'\0' if name else b'\0'


def pack_record(value):
    """An address; 'target.' for an alias; (priority, weight, port, target) for SRV."""
    if isinstance(value, tuple):
        return SRV, struct.pack('>3H', *value[:3]) + pack_name(value[3])
    if value.endswith('.'):
        return CNAME, pack_name(value)
    if ':' in value:
        return AAAA, socket.inet_pton(socket.AF_INET6, value)
    return A, socket.inet_pton(socket.AF_INET, value)


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
    """records: {name: [address, 'alias.', (priority, weight, port, target), ...]}; a name that is
    missing does not exist.

    `mode` sets what happens to a question: the name of a method below without its underscore, or a
    function of the Question that returns one; `tcp_mode` overrides it for TCP. `ttl` may be a
    function too. `sample` and `shuffle` answer with so many of the records, in any order; `glue`
    adds the addresses of SRV targets. Without `tcp` nobody listens there."""

    def __init__(self, records=None, address=DNS_ADDRESS, ttl=1, mode='answer', tcp_mode=None, port=53, tcp=True,
                 sample=None, shuffle=False, glue=False):
        self.records = {name.lower(): list(found) for name, found in (records or {}).items()}
        self.ttl, self.mode, self.tcp_mode = ttl, mode, tcp_mode
        self.sample, self.shuffle, self.glue = sample, shuffle, glue
        self.random = random.Random(1)  # the same order in every run
        self.questions = []  # (name, type, over_tcp), as they came
        self._repeats = {}  # name, type: the id that was asked last
        self.port = port
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind((address, self.port))
        self.sockets = [self.udp]
        threading.Thread(target=self._udp_loop, daemon=True).start()
        if tcp:
            self.tcp = socket.create_server((address, self.port))
            self.sockets.append(self.tcp)
            threading.Thread(target=self._tcp_loop, daemon=True).start()

    def asked(self, name=None, kind=None):
        """How many questions have come (for a name, of a type)."""
        return sum(1 for asked, asked_kind, _ in self.questions
                   if name in (None, asked) and kind in (None, asked_kind))

    def is_repeated(self, question):
        """Whether it is the one before once more: who has waited for a second asks again. To be called once for each."""
        key = question.name, question.type
        before, self._repeats[key] = self._repeats.get(key), question.id
        return before == question.id

    def close(self):
        for sock in self.sockets:
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
                for reply in self._replies(Question(data, False)):
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
                    for reply in self._replies(Question(data, True)):
                        sock.sendall(struct.pack('>H', len(reply)) + reply)
            except (OSError, EOFError, IndexError, struct.error):
                return

    def _replies(self, question):
        self.questions.append((question.name, question.type, question.over_tcp))
        mode = self.tcp_mode if question.over_tcp and self.tcp_mode else self.mode
        replies = getattr(self, '_' + (mode(question) if callable(mode) else mode))(question)
        return replies if isinstance(replies, list) else [replies]

    def _record(self, owner, kind, data):
        ttl = self.ttl() if callable(self.ttl) else self.ttl
        return owner + struct.pack('>HHIH', kind, 1, ttl, len(data)) + data

    def _message(self, question, rcode=NOERROR, answers=(), truncated=False, negative=False, additional=()):
        """answers: (owner as on the wire, type, data)."""
        flags = 0x8580 | (0x0200 if truncated else 0) | rcode
        sections = [list(answers), [self._soa()] if negative else [], list(additional)]
        head = struct.pack('>6H', question.id, flags, 1, *map(len, sections))
        return head + question.section + b''.join(self._record(*record) for section in sections for record in section)

    def _soa(self):
        ttl = self.ttl() if callable(self.ttl) else self.ttl
        return pack_name('cluster.local'), SOA, (pack_name('ns.cluster.local') + pack_name('root.cluster.local') +
                                                 struct.pack('>5I', 1, 3600, 600, 86400, ttl))

    def _found(self, question):
        """The aliases that lead from the question's name to where it ends, and the records there."""
        name, owner, chain = question.name, b'\xc0\x0c', []
        while len(chain) < ALIASES_MAX:
            values = self.records.get(name, [])
            alias = next((v for v in values if isinstance(v, str) and v.endswith('.')), None)
            if alias is None or question.type == CNAME:
                break
            chain.append((owner, *pack_record(alias)))
            name, owner = alias.rstrip('.').lower(), pack_name(alias)
        found = [(owner, *record) for record in map(pack_record, self.records.get(name, []))
                 if record[0] == question.type]
        if self.shuffle or self.sample:
            found = self.random.sample(found, min(len(found), self.sample or len(found)))
        return name in self.records, chain + found, found

    def _glue(self, found):
        targets = [record[2][6:] for record in found if record[1] == SRV] if self.glue else []
        names = {pack_name(name): values for name, values in self.records.items()}
        return [(target, *pack_record(value)) for target in targets for value in names.get(target, [])]

    def _answer(self, question):
        exists, answers, found = self._found(question)
        if not exists:
            return self._message(question, NXDOMAIN, answers, negative=True)
        negative, glue = not found, self._glue(found)
        whole = self._message(question, answers=answers, negative=negative, additional=glue)
        if question.over_tcp or len(whole) <= question.size:
            return whole
        room, fit = question.size - 12 - len(question.section), []
        for record in answers:
            room -= len(self._record(*record))
            if room < 0:
                break
            fit.append(record)
        return self._message(question, answers=fit, truncated=True)

    def _servfail(self, question):
        return self._message(question, SERVFAIL)

    def _refused(self, question):
        return self._message(question, REFUSED)

    def _nxdomain(self, question):
        return self._message(question, NXDOMAIN, negative=True)

    def _empty(self, question):
        return self._message(question, negative=True)

    def _silent(self, question):
        return []

    def _truncate(self, question):
        return self._message(question, truncated=True)

    def _capitals(self, question):
        """RFC 4343: names are the same in any case; this server spells them its own way."""
        _, answers, _ = self._found(question)
        question.section = question.section.upper()
        return self._message(question, answers=[(owner.upper(), *record) for owner, *record in answers])

    def _poison(self, question):
        return self._message(question, answers=[(b'\xc0\x0c', A, socket.inet_aton(POISON))])

    def _wrong_id(self, question):
        forged = bytearray(self._poison(question))
        forged[1] ^= 1
        return bytes(forged)

    def _wrong_question(self, question):
        name = question.section[:-4].replace(question.section[1:3], b'zz', 1)
        return self._poison(question).replace(question.section[:-4], name, 1)

    def _wrong_type(self, question):
        forged = self._poison(question)
        at = 12 + len(question.section) - 4
        return forged[:at] + struct.pack('>H', AAAA if question.type == A else A) + forged[at + 2:]

    def _forgers(self, question):
        """Several who are quicker than the server."""
        return [self._wrong_id(question), self._wrong_question(question), self._wrong_type(question),
                self._answer(question)]

    def _garbage(self, question):
        """The right id, then names that point at themselves and counts that lie."""
        return struct.pack('>6H', question.id, 0x8580, 1, 0xffff, 0xffff, 0xffff) + b'\xc0\x0c' * 40

    def _loop(self, question):
        """An owner that points at itself."""
        at = 12 + len(question.section)
        return self._message(question, answers=[(struct.pack('>H', 0xc000 | at), A, b'\x7f\x42\x06\x06')])

    def _loop_of_two(self, question):
        """The question's name has no end: a label, then a pointer to it; the answer points into that."""
        question.section = b'\1a\xc0\x0c' + question.section[-4:]
        return self._message(question, answers=[(b'\xc0\x0c', A, b'\x7f\x42\x06\x06')])

    def _loop_forward(self, question):
        """An owner that points behind itself, at a name that points back."""
        at = 12 + len(question.section)
        data = struct.pack('>H', 0xc000 | at)
        return self._message(question, answers=[(struct.pack('>H', 0xc000 | (at + 12)), CNAME, data)])

    def _alias_loop(self, question):
        """The name is an alias of another, which is an alias of the name."""
        other = pack_name('other.test')
        return self._message(question, answers=[(b'\xc0\x0c', CNAME, other), (other, CNAME, b'\xc0\x0c')])
