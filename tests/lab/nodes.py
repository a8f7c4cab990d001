# SPDX-License-Identifier: Apache-2.0
"""Nodes in pods: a real Erlang node that evaluates what a test asks, and erlclu."""

import html
import json
import os
import re
import socket
import struct
import time
import urllib.error
import urllib.request
from pathlib import Path

from lab.otp import TOP
from lab.pods import SERVICE

ERLCLU = Path(os.environ.get('ERLCLU') or TOP / 'build' / 'erlclu').resolve()
CONTROL_PORT = 4999
# Seconds: what is answered at once does not run into a timeout of its caller, the least of which is 5 s. On a machine
# that does other work it may take a good part of that.
AT_ONCE = 5
COOKIE = 'secret-of-the-lab'
# Whether an Erlang node has a name to give to who asks for one: that of somebody who has gone. The state of its
# net_kernel has a map of host parts to [{Name, Creation}] that are free.
HAS_POOLED_NAMES = (
    'lists:any(fun(M) -> is_map(M) andalso lists:any(fun([{_, _} | _]) -> true; (_) -> false end, maps:values(M)) end, '
    'tuple_to_list(sys:get_state(net_kernel)))')


def eventually(what, timeout, read, interval=0.02):
    """Poll `read` until it is true; the failure says what was awaited and what came last."""
    end = time.monotonic() + timeout
    while True:
        try:
            last = read()
        except (OSError, EOFError, ValueError) as error:
            last, value = error, None
        else:
            value = last
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f'not within {timeout} s: {what}; last: {last!r}')
        time.sleep(interval)


def write_cookie(pod, cookie):
    path = pod.dir / '.erlang.cookie'
    path.unlink(missing_ok=True)
    path.write_text(cookie)
    path.chmod(0o400)
    return path


class ErlangError(Exception):
    """The expression raised on the node."""


class ErlNode:
    """A real Erlang node running the original's refresh/0 every `refresh` ms (None: never)."""

    def __init__(self, pod, otp, name=None, cookie=COOKIE, refresh=5000, args=(), control=CONTROL_PORT,
                 names='-name', env=None):
        self.pod, self.otp, self.cookie = pod, otp, cookie
        self.name = name or f'erlclu@{pod.address}'
        self.control = control
        self.env = env or {}
        ebin = otp.compile(TOP / 'tests' / 'lab' / 'lab.erl')
        self.erl = ['erl', '-noshell', '-noinput', names, self.name, '-setcookie', cookie, '-pa', ebin,
                    *args, '-run', 'lab', 'start', str(control), str(refresh or 'never'), SERVICE]
        self.process = None

    def __str__(self):
        return f'{self.name} ({self.otp})'

    def start(self, wait=True):
        log = f'{self.name}.log'
        # The cookie may have been changed since the last start.
        erl = [self.cookie if before == '-setcookie' else word for before, word in zip(['', *self.erl], self.erl)]
        self.process = self.pod.start(self.otp.command(*erl), log, env=self.env)
        if wait:
            self.ready()
        return self

    def ready(self):
        eventually(f'{self} evaluates', 40, lambda: self.alive() and self.eval('is_alive()') == 'true')
        return self

    def alive(self):
        if not self.process.alive():
            raise AssertionError(f'{self} ended: {self.log()}')
        return True

    def eval(self, text, timeout=15):
        with socket.create_connection((self.pod.address, self.control), timeout) as link:
            data = text.encode()
            link.sendall(struct.pack('>I', len(data)) + data)
            stream = link.makefile('rb')
            head = stream.read(4)
            if len(head) < 4:
                raise EOFError(f'{self} closed the control port')
            reply = stream.read(struct.unpack('>I', head)[0]).decode()
        if reply[:1] == '-':
            raise ErlangError(f'{text}: {reply[1:]}')
        return reply[1:]

    def timed(self, text, timeout=15):
        begin = time.monotonic()
        value = self.eval(text, timeout)
        return value, time.monotonic() - begin

    def nodes(self, kind='visible'):
        """nodes(kind) of the node, as a set of names."""
        text = self.eval(f'{{text, lists:join(" ", [atom_to_list(N) || N <- nodes({kind})])}}')
        return set(text.split())

    def atoms(self):
        return int(self.eval('erlang:system_info(atom_count)'))

    def port(self):
        """Where the node's distribution listens, as its own epmd client sees it."""
        base, host = self.name.split('@')
        return int(self.eval(f'element(2, erl_epmd:port_please("{base}", "{host}"))'))

    def complaints(self):
        """Lines of the log: a healthy node writes none."""
        return self.log().strip()

    def log(self):
        return self.process.log()

    def kill(self):
        self.process.kill()


class CluNode:
    """`erlclu run` in a pod; its HTTP interface is asked from outside, as a user would."""

    program = ERLCLU

    def __init__(self, pod, args=(), name=None, cookie=COOKIE, discover=(f'dns:{SERVICE}',), env=None,
                 http_port=8080):
        self.pod, self.cookie = pod, cookie
        self.name = name or f'erlclu@{pod.address}'
        self.http_port = http_port
        self.env = env or {}
        self.args = [str(arg) for arg in args]
        self.spec = [word for spec in discover for word in ('--discover', spec)]
        if name is not None:
            self.args += ['--name', name]
        if http_port != 8080:
            self.args += ['--http', f'{pod.address}:{http_port}']
        self.process = None

    def __str__(self):
        return f'{self.name} (erlclu)'

    def start(self, wait=True):
        cookie_file = self.pod.dir / f'cookie-{self.name}'
        if self.cookie is not None:
            cookie_file.unlink(missing_ok=True)
            cookie_file.write_text(self.cookie + '\n')
            cookie_file.chmod(0o400)
            cookie = ['--cookie-file', cookie_file]
        else:
            cookie = []
        self.process = self.pod.start([self.program, 'run', *cookie, *self.spec, *self.args],
                                      f'{self.name}.clu.log', env=self.env)
        if wait:
            self.ready()
        return self

    def ready(self):
        eventually(f'{self} answers /livez', 20, lambda: self.alive() and self.get('/livez')[0] == 200)
        return self

    def alive(self):
        if not self.process.alive():
            raise AssertionError(f'{self} ended with {self.process.popen.returncode}: {self.log()}')
        return True

    def get(self, path, timeout=5):
        """(status, body text)"""
        url = f'http://{self.pod.address}:{self.http_port}{path}'
        try:
            with urllib.request.urlopen(url, timeout=timeout) as reply:
                return reply.status, reply.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def cluster(self):
        status, body = self.get('/api/v1/cluster')
        if status != 200:
            raise ValueError(f'/api/v1/cluster: {status} {body}')
        return json.loads(body)

    def nodes(self, kind='visible'):
        """The other visible linked nodes, as `nodes()` would say."""
        return set(self.cluster()['nodes']) - {self.name}

    def page_nodes(self):
        """The names in the rows of the page's table that say `linked`."""
        rows = re.findall(r'<tr>(.*?)</tr>', self.get('/')[1], re.S)
        texts = [html.unescape(re.sub(r'<[^>]*>', ' ', row)).split() for row in rows if 'class="pill linked"' in row]
        return {text[0] for text in texts if '@' in text[0]}

    def peer(self, name):
        """The entry of `peers` for a name, or None."""
        return next((peer for peer in self.cluster()['peers'] if peer['name'] == name), None)

    def missing(self, key):
        """The entry of `missing` whose address or name is `key`, or None."""
        return next((entry for entry in self.cluster()['missing']
                     if key in (entry['name'], entry['address'])
                     or str(entry['address']).startswith(key + ':')), None)

    def rss(self):
        """Resident bytes."""
        text = Path(f'/proc/{self.process.pid}/status').read_text()
        return int(re.search(r'VmRSS:\s+(\d+) kB', text)[1]) * 1024

    def log(self):
        return self.process.log()

    def kill(self):
        self.process.kill()


def erlclu(pod, *argv, timeout=30, env=None, cookie=COOKIE):
    """A subcommand in a pod, to its end."""
    write_cookie(pod, cookie)
    return pod.run([ERLCLU, *argv], timeout=timeout, env=env)


def ping(pod, node, *options, **how):
    """`erlclu ping NODE`: (exit status, its first word, all it said)."""
    done = erlclu(pod, 'ping', *options, node, **how)
    text = done.stdout + done.stderr
    return done.returncode, (done.stdout.split() or [''])[0], text
