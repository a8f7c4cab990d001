# SPDX-License-Identifier: Apache-2.0
"""The probes of a container, asked from the node as a kubelet asks them."""

import http.client
import socket

from kubernetes.files import Unknown

# What the API server writes for a probe that says nothing of these.
DEFAULTS = {'periodSeconds': 10, 'timeoutSeconds': 1, 'successThreshold': 1, 'failureThreshold': 3,
            'initialDelaySeconds': 0}


def http_get(address, port, how, timeout):
    link = http.client.HTTPConnection(address, port, timeout=timeout)
    try:
        link.request('GET', how.get('path', '/'))
        return 200 <= link.getresponse().status < 400
    finally:
        link.close()


def tcp_socket(address, port, how, timeout):
    socket.create_connection((address, port), timeout).close()
    return True


KINDS = {'httpGet': http_get, 'tcpSocket': tcp_socket}


class Probe:
    """One probe's run of successes or failures; `passed` is None until one of them is long enough."""

    def __init__(self, spec, container, address, now):
        self.spec = DEFAULTS | spec
        self.kind = next((kind for kind in KINDS if kind in spec), None)
        if self.kind is None:
            raise Unknown(f'a probe of the kinds {sorted(spec)}')
        self.address, self.port = address, self._port(container)
        self.next = now + self.spec['initialDelaySeconds']
        self.row, self.last, self.passed = 0, None, None

    def _port(self, container):
        port = self.spec[self.kind]['port']
        named = {entry.get('name'): entry['containerPort'] for entry in container.get('ports', ())}
        return named[port] if isinstance(port, str) else port

    def ask(self, now):
        """Ask when it is time to; True when `passed` has changed."""
        if now < self.next:
            return False
        self.next = now + self.spec['periodSeconds']
        try:
            good = KINDS[self.kind](self.address, self.port, self.spec[self.kind], self.spec['timeoutSeconds'])
        except (OSError, http.client.HTTPException):
            good = False
        self.row = self.row + 1 if good == self.last else 1
        self.last = good
        if self.row < self.spec['successThreshold' if good else 'failureThreshold'] or good == self.passed:
            return False
        self.passed = good
        return True
