# SPDX-License-Identifier: Apache-2.0
"""Messages and calls: erlclu, erl_interface and the BEAM as clients of one BEAM, erlclu as a client
of erlclu, and what the machine can do, all in one run and in turn."""

import os
import statistics
import subprocess
import time
from collections import defaultdict
from pathlib import Path

HERE = Path(__file__).resolve().parent
TOP = HERE.parent
COOKIE = 'bench'
FLAGS = ['-O2', '-Wall']  # the same for erl_interface and for us
ERL = ['erl', '+S', '1:1', '+sbwt', 'none', '-noshell', '-noinput', '-setcookie', COOKIE,
       '-kernel', 'inet_dist_use_interface', '{127,0,0,1}']
BEAM, OURS = 'beam@127.0.0.1', 'ours@127.0.0.1'
# What each client measures of each server, and what the machine can do.
MEASURES = (('raw', None, ('pingpong', 'blocking', 'stream', 'wide')),
            ('erlclu', BEAM, ('pingpong', 'rpc', 'rex', 'oneway', 'lent', 'push', 'gigabyte')),
            ('ei', BEAM, ('pingpong', 'rpc', 'oneway', 'push', 'batch')),
            ('BEAM', BEAM, ('pingpong', 'rpc', 'erpc', 'oneway', 'push', 'gigabyte')),
            ('erlclu', OURS, ('pingpong', 'oneway', 'lent', 'gigabyte')),
            ('BEAM', OURS, ('gigabyte',)))
# What each table needs of that: one may be asked for alone.
TABLES = {'trips': ('pingpong', 'blocking', 'rpc', 'rex', 'erpc'), 'into': ('oneway', 'lent', 'batch'), 'out': ('push',),
          'pair': ('oneway', 'lent', 'stream', 'wide'), 'gigabyte': ('gigabyte',)}
SIZES = ((16, '16 B'), (1024, '1 KiB'), (65536, '64 KiB'), (1 << 20, '1 MiB'))


def build(folder):
    """The programs, in a folder of the run's own."""
    library = TOP / 'build'
    for name, libraries in (('ei', ['-lei']), ('raw', []), ('clu', [f'-L{library}', '-lerlclu', f'-Wl,-rpath,{library}'])):
        subprocess.run(['cc', *FLAGS, '-pthread', f'-I{TOP}/include', '-o', folder / name, HERE / 'msg' / f'{name}.c',
                        *libraries], check=True)
    subprocess.run(['erlc', '-o', folder, HERE / 'msg' / 'msg.erl'], check=True)


class Messages:
    def __init__(self, lab, rounds, tables):
        self.lab, self.rounds, self.tables = lab, rounds, tables
        self.dir = lab.dir
        build(self.dir)
        self.env = {**os.environ, 'HOME': str(self.dir), 'ERL_CRASH_DUMP': '/dev/null'}
        # (client, server, core) -> {(what, size): [value of each round]}
        self.figures = defaultdict(lambda: defaultdict(list))

    def run(self, key, core, argv):
        done = subprocess.run(['taskset', '-c', str(core), *map(str, argv)], capture_output=True, text=True, env=self.env,
                              timeout=300)
        if done.returncode != 0:
            raise SystemExit(f'bench: {argv}: {done.stdout}{done.stderr}')
        for line in done.stdout.splitlines():
            what, size, value, *_ = line.split()
            self.figures[key][what, int(size)].append(float(value))

    def servers(self):
        """One BEAM and one of ours, on core 0."""
        pin = ['taskset', '-c', '0']
        epmd = self.lab.start(['epmd'], 'epmd.log')
        time.sleep(0.3)
        beam = self.lab.start([*pin, *ERL, '-name', BEAM, '-pa', self.dir, '-run', 'msg', 'server', 'x'], 'beam.log',
                              env=self.env)
        ours = self.lab.start([*pin, self.dir / 'clu', 'server', OURS, COOKIE], 'ours.log', env=self.env)
        time.sleep(2)
        return epmd, beam, ours

    def measure(self):
        started = self.servers()
        for _ in range(self.rounds):
            for core in (0, 1):
                where = ('one core', 'two cores')[core]
                for client, server, measures in MEASURES:
                    words = [word for word in measures if any(word in TABLES[table] for table in self.tables)]
                    if words:
                        self.run((client, server, where), core, [*self.client(client, server, core), *words])
        for process in started:
            process.kill()

    def client(self, kind, server, core):
        name = f'{kind.lower()}{len(self.figures)}@127.0.0.1'
        if kind == 'raw':
            return [self.dir / 'raw', core, 0]
        if kind == 'ei':
            return [self.dir / 'ei', name, COOKIE, server]
        if kind == 'BEAM':
            return [*ERL, '-name', name, '-pa', self.dir, '-run', 'msg', 'client', server]
        return [self.dir / 'clu', 'client', name, COOKIE, server]

    def figure(self, client, server, where, what, size):
        values = self.figures[client, server, where][what, size]
        return statistics.median(values) if values else None


def show(value, bar):
    """A figure and its ratio to what it is held against."""
    return '' if value is None or not bar else f'{value / bar:.2f}'


def number(value):
    if value is None:
        return ''
    return f'{value:.1f}' if value < 1000 else f'{value:,.0f}'


def rate_rows(m, where, what):
    for size, label in SIZES:
        ours, ei, beam = (m.figure(client, BEAM, where, what, size) for client in ('erlclu', 'ei', 'BEAM'))
        ceiling = m.figure('ei', BEAM, where, 'batch', size) if what == 'oneway' else None
        lent = m.figure('erlclu', BEAM, where, 'lent', size) if what == 'oneway' else None
        for name, value in ((label, ours), (f'{label}, lent', lent)):
            if value is not None:
                yield (name, number(value), number(ei), show(value, ei), number(beam), show(value, beam), number(ceiling),
                       show(value, ceiling))


def trip_rows(m, where):
    raw = m.figure('raw', None, where, 'pingpong', 16)
    blocking = m.figure('raw', None, where, 'blocking', 16)
    yield 'raw TCP', number(raw), '1.00', ''
    yield 'raw TCP, waiting in read', number(blocking), show(blocking, raw), ''
    rows = (('erlclu and erlclu', 'erlclu', OURS, 'pingpong'), ('erlclu and a BEAM', 'erlclu', BEAM, 'pingpong'),
            ('ei and a BEAM', 'ei', BEAM, 'pingpong'), ('BEAM and BEAM', 'BEAM', BEAM, 'pingpong'))
    ei = {'pingpong': m.figure('ei', BEAM, where, 'pingpong', 16), 'rpc': m.figure('ei', BEAM, where, 'rpc', 16)}
    for label, client, server, what in rows:
        value = m.figure(client, server, where, what, 16)
        yield label, number(value), show(value, raw), show(value, ei['pingpong'])
    for label, client, what in (('clu_rpc_begin', 'erlclu', 'rpc'), ('clu_rex_begin', 'erlclu', 'rex'), ('ei_rpc', 'ei', 'rpc'),
                                ('rpc:call', 'BEAM', 'rpc'), ('erpc:call', 'BEAM', 'erpc')):
        value = m.figure(client, BEAM, where, what, 16)
        yield label, number(value), show(value, raw), show(value, ei['rpc'])


def pair_rows(m, where):
    for size, label in SIZES:
        stream, wide = (m.figure('raw', None, where, what, size) for what in ('stream', 'wide'))
        for name, what in ((label, 'oneway'), (f'{label}, lent', 'lent')):
            value = m.figure('erlclu', OURS, where, what, size)
            if value:
                yield name, number(value), number(stream), show(value, stream), number(wide), show(value, wide)


def gigabyte_rows(m, where):
    for client, server in (('erlclu', OURS), ('erlclu', BEAM), ('BEAM', OURS), ('BEAM', BEAM)):
        figures = [m.figure(client, server, where, f'gigabyte_{what}', 16) for what in ('p50', 'p99')]
        figures.append(max(m.figures[client, server, where]['gigabyte_longest', 16]))
        yield f'{client} to {"erlclu" if server == OURS else "BEAM"}', *(f'{value / 1000:.2f}' for value in figures)


def messages(lab, rounds, tables, table):
    m = Messages(lab, rounds, tables or TABLES)
    m.measure()
    note = f'median of {rounds} runs in turn'
    for where in ('one core', 'two cores'):
        if 'trips' in m.tables:
            table(f'Round trips of 16 B, {where}, us p50 ({note})', ('', 'us', 'to raw TCP', 'to ei'), list(trip_rows(m, where)))
        for name, what, title in (('into', 'oneway', 'One way into a BEAM'), ('out', 'push', 'One way out of a BEAM')):
            if name in m.tables:
                table(f'{title}, {where}, messages/s ({note})',
                      ('', 'erlclu', 'ei', 'to ei', 'BEAM', 'to BEAM', 'batched frames', 'to those'),
                      list(rate_rows(m, where, what)))
        if 'pair' in m.tables:
            table(f'One way between two erlclu, {where}, messages/s ({note})', ('', 'erlclu', 'raw, 64 KiB a write', 'to it', 'raw, 256 KiB', 'to that'),
                  list(pair_rows(m, where)))
        if 'gigabyte' in m.tables:
            table(f'Pings beside a message of a gigabyte, {where}, ms ({note})', ('', 'p50', 'p99', 'longest'),
                  list(gigabyte_rows(m, where)))
