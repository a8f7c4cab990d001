#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs our manifests on a real Kubernetes control plane, in a network of their own.

    tests/kubernetes/run.py         every row of the table
    tests/kubernetes/run.py dns     one of them
    LAB_LOGS=1 tests/kubernetes/run.py ...   and every log at the end

$ERLCLU names the static program of the image, build/static/erlclu if it is not set."""

import os
import signal
import subprocess
import sys
import time
import traceback
from collections import namedtuple
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS)]

from kubernetes import crds, plane  # noqa: E402
from kubernetes.container import Image  # noqa: E402
from kubernetes.kubelet import Kubelet  # noqa: E402
from kubernetes.story import Story  # noqa: E402
from lab import pods  # noqa: E402
from lab.otp import TOP  # noqa: E402

CLONE_NEWPID = 0x20000000  # linux/sched.h
PROGRAM = Path(os.environ.get('ERLCLU') or TOP / 'build/static/erlclu').resolve()

# record: where a join begins; bound: the seconds until all others see it (a node beside a BEAM waits
# for the BEAM's epmd); listed: until they have found it themselves, not by its own coming (DNS is asked
# each 5 s, the TTL, and some of it more); token: whether the pods mount one; family: of the addresses
# that name the nodes; beside: the base name of a BEAM in each pod.
Row = namedtuple('Row', 'name manifests workload record bound listed token family beside', defaults=(False, 4, None))
# What `bin/myapp start` of a release makes of the environment that the overlay gives it; erl itself reads
# ERL_AFLAGS.
RELEASE = 'cd "$RELEASE_TMP" && HOME=$PWD exec erl -noinput -name "$RELEASE_NODE" -setcookie "$RELEASE_COOKIE"'
MANIFESTS = Path('deploy/kubernetes')
OVERLAYS = MANIFESTS / 'overlays'
ROWS = (
    Row('dns', MANIFESTS, 'deployment/erlclu', 'DNS', 1.0, 7.0),
    Row('srv', OVERLAYS / 'srv', 'deployment/erlclu', 'DNS', 1.0, 7.0),
    Row('statefulset', OVERLAYS / 'statefulset', 'statefulset/erlclu', 'DNS', 1.0, 7.0),
    Row('ipv6', OVERLAYS / 'ipv6', 'deployment/erlclu', 'DNS', 1.0, 7.0, family=6),
    Row('sidecar', OVERLAYS / 'sidecar', 'deployment/erlclu', 'DNS', 3.0, 9.0, beside='myapp'),
    Row('k8s', OVERLAYS / 'k8s', 'deployment/erlclu', 'watch', 0.3, 0.3, token=True),
)


class Results:
    """Counts what holds and what does not, a line each."""

    def __init__(self):
        self.passed = self.failed = 0
        self.begin = time.monotonic()

    def expect(self, text, truth, saw=''):
        self.passed += bool(truth)
        self.failed += not truth
        print(f'{time.monotonic() - self.begin:7.1f} {"ok" if truth else "FAILED"}: {text}', flush=True)
        if not truth and saw:
            print(f'    {saw}', flush=True)


def enter():
    """Into a network and mounts of our own, and then as the first process of our own process ids: what
    the lab started ends with the lab, however that ends."""
    if os.getpid() == 1:
        return
    pods.enter()
    if pods.LIBC.unshare(CLONE_NEWPID) != 0:
        sys.exit('kubernetes lab: this system forbids process ids of our own')
    child = subprocess.Popen(['sh', '-c', 'mount -t proc proc /proc && exec "$@"', 'sh', sys.executable, *sys.argv],
                             preexec_fn=pods.die_with_runner)
    # Ctrl-C reaches both; the child cleans up and ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: child.send_signal(signal.SIGINT))
    sys.exit(child.wait())


def take_all(cluster, results):
    """The API server takes every variant of the manifests, and warns of nothing in them."""
    crds.apply(cluster)
    # Its namespace must be there for the rest to be judged.
    cluster.kubectl('apply', '-f', MANIFESTS / 'base/namespace.yaml')
    for folder in [MANIFESTS, *sorted(path.relative_to(TOP) for path in (TOP / OVERLAYS).iterdir())]:
        done = cluster.kubectl('apply', '-k', folder, '--dry-run=server', check=False)
        results.expect(f'the API server takes {folder}', done.returncode == 0 and not done.stderr, done.stderr)


def run(rows, results):
    lab = pods.Lab()
    cluster = plane.Plane(lab, plane.fetch())
    try:
        cluster.start()
        take_all(cluster, results)
        kubelet = Kubelet(lab, cluster.api, {'erlclu': Image(PROGRAM, ['/erlclu']),
                                             'myapp': Image(None, ['/bin/sh', '-c', RELEASE])})
        for row in rows:
            story = Story(row, cluster, kubelet, results.expect)
            try:
                story.tell()
            except Exception:
                results.expect(f'{row.name}: the story came to its end', False, traceback.format_exc())
                story.clear()
        results.expect('the lab could do all that the manifests ask', not kubelet.faults(), '\n'.join(kubelet.faults()))
    finally:
        cluster.stop()
        lab.close()


def main():
    rows = [row for row in ROWS if not sys.argv[1:] or row.name in sys.argv[1:]]
    if not rows:
        sys.exit(f'kubernetes lab: no row of these names; there are {", ".join(row.name for row in ROWS)}')
    plane.fetch()
    enter()
    if not PROGRAM.exists():
        sys.exit(f'kubernetes lab: there is no {PROGRAM}: run make static, or name it in $ERLCLU')
    results = Results()
    try:
        run(rows, results)
    except Exception:
        results.expect('the control plane serves', False, traceback.format_exc())
    print(f'{results.passed} passed, {results.failed} failed')
    return 1 if results.failed or not results.passed else 0


if __name__ == '__main__':
    sys.exit(main())
