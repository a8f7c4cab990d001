# SPDX-License-Identifier: Apache-2.0
"""Which socket joins which two pods. The kernel is the witness: a link that was closed and opened
again has another socket, however quick it was, and a pair that lives receives its ticks."""

import ipaddress
import re
import subprocess
from collections import namedtuple

# What the manifests set by --listen-port; the second where a BEAM has the first.
DIST_PORTS = (9100, 9101)
PORTS = f'( {" or ".join(f"sport = :{port} or dport = :{port}" for port in DIST_PORTS)} )'


class NoLink(Exception):
    """Two pods are not joined, or more than once."""


# id: the same only for the very same socket; received: its bytes so far.
Link = namedtuple('Link', 'id received')


def address(text):
    """The address of ss's ADDRESS:PORT, an IPv4 one as such."""
    found = ipaddress.ip_address(text.rsplit(':', 1)[0].strip('[]').split('%')[0])
    return str(getattr(found, 'ipv4_mapped', None) or found)


def ss(worker, options, *words):
    """What ss says in the pod's network of the established sockets of distribution."""
    return subprocess.run(['nsenter', '-t', str(worker.box.holder.pid), '-n', 'ss', options, 'state',
                           'established', *words, PORTS], capture_output=True, text=True, check=True).stdout


def links_of(worker):
    """{address of the other pod: [Link, ...]} of one pod."""
    found = {}
    for line in ss(worker, '-HOtnei').splitlines():
        words = line.split()
        received = re.search(r'bytes_received:(\d+)', line)
        link = Link(re.search(r'ino:\d+ sk:\S+', line)[0] if 'ino:' in line else line,
                    int(received[1]) if received else 0)
        found.setdefault(address(words[3]), []).append(link)
    return found


def cut(worker, other):
    """End the socket between a pod and an address, as no one of them asked for."""
    ss(worker, '-HKtn', 'dst', f'[{other}]' if ':' in other else other)


def links(workers, family=4, count=1):
    """{(a pod's address, another's): its Link}, of so many sockets together; or a NoLink that names the pair."""
    found = {}
    addresses = {worker.address(family) for worker in workers}
    for worker in workers:
        own, mine = worker.address(family), links_of(worker)
        for other in addresses - {own}:
            several = mine.get(other, [])
            if len(several) != count:
                raise NoLink(f'{own} and {other} have {len(several)} sockets: {several}')
            found[own, other] = Link(tuple(sorted(link.id for link in several)), min(link.received for link in several))
    return found
