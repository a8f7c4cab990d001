# SPDX-License-Identifier: Apache-2.0
"""What the nodes' own logs say of each other: who was listed, linked and lost, when."""

import calendar
import re
import time
from collections import namedtuple

STAMP = r'^(?P<second>\S+)\.(?P<milli>\d{3})Z \w+ '
NAME = re.compile(r'this node is (\S+), creation')
UP = re.compile(STAMP + r'(?:linked with (?P<new>\S+) at \S+|(?P<again>\S+) came back as a new incarnation, .*)$', re.M)
LOST = re.compile(STAMP + r'lost \S+ at (?P<address>\S+?): (?P<reason>.*)$', re.M)
# erlclu@10.42.0.7 at port 9100, or erlclu@web-0.erlclu.svc at 10.42.0.7:9100, or the address alone.
LISTED = re.compile(STAMP + r'\S+ lists (?:[^@\s]+@)?(?P<host>\S+?)(?: at port \d+| at (?P<address>\S+))?$', re.M)

# at: wall clock; address: of the other node.
Loss = namedtuple('Loss', 'at address reason')


def host(text):
    """The address of a log's ADDRESS, ADDRESS:PORT or [ADDRESS]:PORT."""
    if text.startswith('['):
        return text[1:].split(']')[0]
    return text.split(':')[0] if text.count(':') == 1 else text


def clock(found):
    return calendar.timegm(time.strptime(found['second'], '%Y-%m-%dT%H:%M:%S')) + int(found['milli']) / 1000


def name(worker):
    """The node's name; None before it has one."""
    found = NAME.search(worker.log())
    return found[1] if found else None


def first_up(worker, other):
    """When this node was first linked with this incarnation of another; None: never."""
    its = name(other)
    return next((clock(found) for found in UP.finditer(worker.log())
                 if its in (found['new'], found['again']) and clock(found) >= other.started), None)


def first_listed(worker, address):
    """When this node's own discovery first listed an address; None: never."""
    return next((clock(found) for found in LISTED.finditer(worker.log())
                 if host(found['address'] or found['host']) == address), None)


def unexplained(workers):
    """Losses that no end of a pod explains: neither of the two had been asked to end."""
    ended = {address: worker.terminated for worker in workers for address in worker.addresses()}
    told = []
    for worker in workers:
        for found in LOST.finditer(worker.log()):
            loss = Loss(clock(found), host(found['address']), found['reason'])
            ends = [at for at in (worker.terminated, ended.get(loss.address)) if at is not None]
            if not any(at <= loss.at for at in ends):
                told.append(f'{worker} at {loss.at:.3f}: lost {loss.address}: {loss.reason}')
    return told
