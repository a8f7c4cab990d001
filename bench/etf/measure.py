# SPDX-License-Identifier: Apache-2.0
"""The codec beside erl_interface and the BEAM: the same six terms written and read by each in turn."""

import statistics
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

HERE = Path(__file__).resolve().parent
TOP = HERE.parents[1]
LIBRARY = TOP / 'build' / 'liberlclu.a'
NEEDS = ['-lssl', '-lcrypto', '-ljansson', '-levent_core', '-levent_extra', '-levent_openssl', '-lcares']
# Pinned, and for the BEAM one scheduler that does not spin: CPU time is what is measured.
PIN = ['taskset', '-c', '1']
ERL = ['erl', '+S', '1:1', '+SDcpu', '1:1', '+SDio', '1', '+sbwt', 'none', '+sbwtdcpu', 'none', '+sbwtdio', 'none',
       '-noshell']
WHAT = {'enc': 'encode', 'dec': 'decode'}


def run(argv, directory):
    done = subprocess.run([str(word) for word in argv], cwd=directory, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f'bench: {" ".join(map(str, argv))}: {done.stdout}{done.stderr}')
    return done.stdout


def build(directory):
    """The same flags for both C programs; the terms, written by the BEAM; and what they write, read by it."""
    flags = ['-O2', '-Wall', '-Wextra', '-Werror']
    run(['gcc', *flags, '-I', TOP / 'include', HERE / 'etf_clu.c', LIBRARY, *NEEDS, '-o', 'etf_clu'],
        directory)
    run(['gcc', *flags, '-pthread', HERE / 'etf_ei.c', '-lei', '-o', 'etf_ei'], directory)
    run(['erlc', HERE / 'etf_beam.erl'], directory)
    run([*ERL, '-run', 'etf_beam', 'gen', '.'], directory)


def rates(directory, argv):
    """{(enc or dec, shape): terms a second}"""
    rows = [line.split() for line in run([*PIN, *argv], directory).splitlines()]
    return {(what, shape): float(rate) for what, shape, _, rate in rows}


def measure(directory, runs):
    """Rows of a table: medians of so many rounds, in each of which all three have had their turn."""
    directory = Path(directory)
    build(directory)
    programs = {'erlclu': ['./etf_clu', '.'], 'ei': ['./etf_ei', '.'],
                'BEAM': [*ERL, '-run', 'etf_beam', 'bench', 'x']}
    seen = defaultdict(list)
    for _ in range(runs):
        for name, argv in programs.items():
            for key, rate in rates(directory, argv).items():
                seen[name, *key].append(rate)
    run([*ERL, '-run', 'etf_beam', 'check', '.'], directory)
    for what in WHAT:
        for shape in [shape for name, w, shape in seen if name == 'erlclu' and w == what]:
            yield row(seen, what, shape)


def row(seen, what, shape):
    """The ratio is of the rounds, not of the medians: each has its own clock of the machine."""
    ours = seen['erlclu', what, shape]
    rivals = [seen.get((name, what, shape)) or seen[name, what, shape.split('-')[0]] for name in ('ei', 'BEAM')]
    best = [max(pair) for pair in zip(*rivals)]
    quotients = [mine / other for mine, other in zip(ours, best)]
    cells = [f'{statistics.median(values) / 1e3:,.1f}' for values in (ours, *rivals)]
    return (WHAT[what], shape, *cells, f'{statistics.median(quotients):.2f} ({min(quotients):.2f}-{max(quotients):.2f})')


HEADS = ('', 'term', 'erlclu, 1000/s', 'ei', 'BEAM', 'to the better one (min-max)')
