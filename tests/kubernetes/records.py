# SPDX-License-Identifier: Apache-2.0
"""When a pod's address appears in DNS and in the EndpointSlices of a Service: what the joins are
measured from."""

import secrets
import socket
import struct
import threading
import time

from kubernetes.api import Informer
from lab.dns import A, AAAA, pack_name
from lab.pods import DNS_ADDRESS

DNS_PORT = 53
DNS_SECONDS = 0.5
# Finer than what is measured, and a fraction of a CPU.
POLL_SECONDS = 0.02
# The largest UDP reply that DNS has without EDNS: some 25 addresses of our names.
REPLY_SIZE = 512
FAMILIES = {A: socket.AF_INET, AAAA: socket.AF_INET6}


def skip_name(data, at):
    while data[at]:
        if data[at] & 0xC0:
            return at + 2
        at += 1 + data[at]
    return at + 1


def answers(data, kind):
    """The addresses of a reply."""
    if len(data) < 12:
        raise OSError(f'a reply of {len(data)} bytes')
    _, flags, questions, records, _, _ = struct.unpack_from('>6H', data)
    if flags & 0x0200:
        raise OSError('truncated: the lab has more pods than one datagram takes')
    at, found = 12, set()
    for _ in range(questions):
        at = skip_name(data, at) + 4
    for _ in range(records):
        at = skip_name(data, at)
        this, _, _, size = struct.unpack_from('>HHIH', data, at)
        if this == kind:
            found.add(socket.inet_ntop(FAMILIES[kind], data[at + 10:at + 10 + size]))
        at += 10 + size
    return found


def lookup(name, kind=A, server=DNS_ADDRESS):
    """The addresses of a name; the empty set for every other answer."""
    ask = struct.pack('>6H', secrets.randbits(16), 0x0100, 1, 0, 0, 0) + pack_name(name) + struct.pack('>2H', kind, 1)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
        link.settimeout(DNS_SECONDS)
        link.connect((server, DNS_PORT))
        link.send(ask)
        reply = link.recv(REPLY_SIZE)
    return answers(reply, kind) if reply[:2] == ask[:2] else set()


class DnsRecords(threading.Thread):
    """`first[address]`: the wall clock when DNS first gave this address for the name."""

    def __init__(self, name):
        super().__init__(daemon=True, name=f'records of {name}')
        self.name_asked, self.first, self.stopped = name, {}, threading.Event()
        self.start()

    def run(self):
        while not self.stopped.wait(POLL_SECONDS):
            try:
                found = lookup(self.name_asked, A) | lookup(self.name_asked, AAAA)
            except OSError:
                continue
            now = time.time()
            for address in found:
                self.first.setdefault(address, now)

    def stop(self):
        self.stopped.set()


class SliceRecords:
    """The same from a watch of the EndpointSlices of all Services with this name."""

    def __init__(self, api, namespace, service):
        self.first = {}
        Informer(api, f'/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices',
                 lambda item, gone: self._take(item, gone, service))

    def _take(self, item, gone, service):
        if gone or item['metadata'].get('labels', {}).get('kubernetes.io/service-name') != service:
            return
        now = time.time()
        for endpoint in item.get('endpoints') or ():
            for address in endpoint['addresses']:
                self.first.setdefault(address, now)

    def stop(self):
        """Its watch ends with the lab."""
