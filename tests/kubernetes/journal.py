# SPDX-License-Identifier: Apache-2.0
"""What the nodes' own logs say of links: who was linked and lost, when."""

import calendar
import re
import time
from collections import namedtuple

LINE = re.compile(r'^(\S+)\.(\d{3})Z \w+ (?:(linked with|lost) \S+ at (\S+?)(?:: (.*))?)$', re.M)
# at: wall clock; address: of the other node.
Entry = namedtuple('Entry', 'at up address reason')


def host(text):
    """The address of a log's ADDRESS, ADDRESS:PORT or [ADDRESS]:PORT."""
    if text.startswith('['):
        return text[1:].split(']')[0]
    return text.split(':')[0] if text.count(':') == 1 else text



def entries(worker):
    found = []
    for second, milli, word, address, reason in LINE.findall(worker.log()):
        at = calendar.timegm(time.strptime(second, '%Y-%m-%dT%H:%M:%S')) + int(milli) / 1000
        found.append(Entry(at, word == 'linked with', host(address), reason))
    return found


def first_up(worker, address):
    """When this node was first linked with the one at an address; None: never."""
    return next((entry.at for entry in entries(worker) if entry.up and entry.address == address), None)


def unexplained(workers):
    """Losses that no end of a pod explains: neither of the two had been asked to end."""
    ended = {address: worker.terminated for worker in workers for address in worker.addresses()}
    found = []
    for worker in workers:
        for entry in entries(worker):
            ends = [at for at in (worker.terminated, ended.get(entry.address)) if at is not None]
            if not entry.up and not any(at <= entry.at for at in ends):
                found.append(f'{worker} at {entry.at:.3f}: lost {entry.address}: {entry.reason}')
    return found
