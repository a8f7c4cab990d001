# SPDX-License-Identifier: Apache-2.0
"""What happens to a workload of ours in a cluster, and what must hold meanwhile: no link between two
living pods ends, and who joins is seen by all."""

import base64
import json
import math
import os
import statistics
import time
import urllib.request

from kubernetes import journal
from kubernetes.api import Api, ApiError
from kubernetes.links import NoLink, cut, links
from kubernetes.plane import API_PORT, ZONE
from kubernetes.records import DnsRecords, SliceRecords
from lab.nodes import eventually
from lab.pods import LAB_ADDRESS

NAMESPACE, SERVICE = 'erlclu', 'erlclu-headless'
HTTP_PORT = 8080
# A pod of ours starts in a fraction of a second; but after an outage clients of the API server, CoreDNS
# among them, ask again after up to a minute only.
MESH_SECONDS = 120
# SHUTDOWN_DELAY_MS of the manifests, the grace period, and time for the controllers.
DRAIN_SECONDS = 60
OUTAGE_SECONDS = int(os.environ.get('OUTAGE_SECONDS', '60'))
# The longest that a calm node lets pass between two look-ups.
LISTED_SECONDS = 40
# What a pod's token is asked for with; how long it is really good is the test's choice.
TOKEN_SECONDS = 3600


def milli(seconds):
    return f'{1000 * seconds:.0f} ms'


def get(worker, path):
    with urllib.request.urlopen(f'http://{worker.address()}:{HTTP_PORT}{path}', timeout=5) as reply:
        return reply.read()


def cluster(worker):
    return json.loads(get(worker, '/api/v1/cluster'))


class Broken(Exception):
    """The story cannot go on."""


class Story:
    """One row of the table: a workload found by one kind of SPEC."""

    def __init__(self, row, plane, kubelet, expect):
        self.row, self.plane, self.kubelet = row, plane, kubelet
        self._expect = expect
        self.records = {}
        self.earlier = kubelet.ever(NAMESPACE)
        self.joined = []  # seconds of every join so far, from a container's start

    def expect(self, text, truth, saw=''):
        self._expect(f'{self.row.name}: {text}', truth, saw)

    def tell(self):
        """The whole story, in order."""
        self.deploy(5)
        self.records = {'DNS': DnsRecords(f'{SERVICE}.{NAMESPACE}.svc.{ZONE}'),
                        'watch': SliceRecords(self.plane.api, NAMESPACE, SERVICE)}
        self.scale(10, listed=True)
        self.scale(3)
        self.scale(5)
        self.roll()
        self.outage('kube-apiserver', self.plane.restart_api)
        self.scale(6)
        self.outage('coredns', self.plane.start_coredns)
        self.scale(7)
        if not self.row.beside:  # a BEAM has its cookie for life
            self.new_cookie()
        if self.row.token:
            self.rotate()
        self.cut()
        self.remove()

    # The steps.

    def deploy(self, replicas):
        self.kubectl('apply', '-k', self.row.manifests)
        self.kubectl('create', 'secret', 'generic', 'erlang-cookie', '--from-literal=cookie=secret-of-the-lab')
        self.resize(replicas)
        self.mesh(replicas, 'find each other')

    def scale(self, replicas, listed=False):
        """listed: measure listings too; only where no server was dead just now, so that no source waits before
        it asks again, and where no name was known before."""
        before = self.workers()
        sockets = self.links(before)
        self.resize(replicas)
        if replicas < len(before):
            eventually(f'{len(before) - replicas} pods are gone', DRAIN_SECONDS,
                       lambda: sum(worker.gone is not None for worker in before) == len(before) - replicas)
        self.mesh(replicas, f'after {len(before)}, find each other')
        self.no_harm(f'scaled from {len(before)} to {replicas}', sockets)
        new = [worker for worker in self.workers() if worker not in before]
        self.joins(new)
        if listed:
            self.listings(new, before)

    def roll(self):
        before = self.workers()
        self.kubectl('rollout', 'restart', self.row.workload)
        self.kubectl('rollout', 'status', self.row.workload, f'--timeout={MESH_SECONDS + DRAIN_SECONDS * len(before)}s')
        eventually('the old pods are gone', DRAIN_SECONDS, lambda: all(worker.gone is not None for worker in before))
        self.mesh(len(before), 'new pods at new addresses find each other')
        old, new = ({self.address(worker) for worker in group} for group in (before, self.workers()))
        self.expect('a rolling restart gave every pod a new address', not old & new, old & new)
        self.no_harm('rolling restart', {})
        self.joins(self.workers())

    def outage(self, server, start):
        before, since = self.workers(), time.monotonic()
        sockets = self.links(before)
        self.plane.kill(server)
        while time.monotonic() < since + OUTAGE_SECONDS:
            time.sleep(1)
        answers = [get(worker, '/readyz') for worker in before]
        self.expect(f'{server} is dead for {OUTAGE_SECONDS} s, and every node says it is ready', all(answers), answers)
        self.no_harm(f'{server} dead for {OUTAGE_SECONDS} s', sockets, ticked=True)
        start()
        self.mesh(len(before), f'with {server} back, still see each other')
        self.no_harm(f'{server} back', sockets, ticked=True)

    def new_cookie(self):
        """Another cookie in the Secret, which reaches the pods' files by and by: links stay, and who comes
        with the new one is let in."""
        before = self.workers()
        sockets = self.links(before)
        cookie = base64.b64encode(b'another-secret-of-the-lab').decode()
        self.plane.api.patch(f'/api/v1/namespaces/{NAMESPACE}/secrets/erlang-cookie', {'data': {'cookie': cookie}})
        for worker in before:
            worker.refresh(('secret',))
        self.mesh(len(before), 'with another cookie, still see each other')
        self.no_harm('cookie replaced', sockets)
        self.scale(len(before) + 1)

    def rotate(self):
        """The tokens that are mounted are worth nothing from one moment to the next; the kubelet swaps in
        new ones, and watches go on."""
        before = self.workers()
        sockets, old = self.links(before), before[0].sources.token(TOKEN_SECONDS).decode()
        self.expect('a token of the pod is good', self.may_list(old) == 200, self.may_list(old))
        self.plane.replace_account_key()
        for worker in before:
            worker.refresh(('projected',))
        self.expect('with a new key of the accounts it is not', self.may_list(old) == 401, self.may_list(old))
        self.mesh(len(before), 'with new tokens, still see each other')
        self.no_harm('tokens replaced', sockets)
        self.scale(len(before) + 1)

    def may_list(self, token):
        try:
            Api(LAB_ADDRESS, API_PORT, self.plane.dir / 'ca.crt').get(
                f'/apis/discovery.k8s.io/v1/namespaces/{NAMESPACE}/endpointslices', token=token)
        except ApiError as error:
            return error.status
        return 200

    def cut(self):
        """The witnesses can speak: a link that somebody cuts has another socket afterwards, and two logs
        tell of it."""
        workers = self.workers()
        before, (one, other) = self.links(workers), workers[:2]
        pair = self.address(one), self.address(other)
        cut(one, pair[1])

        def joined_anew():
            try:
                return self.links(workers)[pair].id != before[pair].id
            except NoLink:
                return False
        eventually(f'{pair} are joined again', MESH_SECONDS, joined_anew)
        lost = journal.unexplained(self.ever())
        # Of two BEAMs beside them each is linked with the other pod's node.
        self.expect('a link cut by hand is another socket, and told by both ends',
                    len(lost) == (4 if self.row.beside else 2), lost)

    def clear(self):
        """Leave nothing to the next story."""
        for records in self.records.values():
            records.stop()
        self.kubectl('delete', 'namespace', NAMESPACE, '--wait=false', '--ignore-not-found')
        eventually('all is deleted', DRAIN_SECONDS * 2,
                   lambda: self.kubectl('get', 'namespace', NAMESPACE, check=False).returncode)

    def remove(self):
        self.clear()
        workers = self.ever()
        self.expect(f'no container of {len(workers)} pods was ever restarted',
                    not any(container.restarts for worker in workers for container in worker.containers),
                    [worker.log()[-500:] for worker in workers if any(c.restarts for c in worker.containers)])
        print(f'    {self.row.name}: from the start of a container to the link, {len(self.joined)} links: '
              f'median {milli(statistics.median(self.joined))}, slowest {milli(max(self.joined))}', flush=True)

    # What must hold.

    def mesh(self, count, text):
        """Exactly so many pods, ready, and each lists all of them."""
        def whole():
            workers = self.workers()
            ours = {cluster(worker)['node'] for worker in workers}
            names = ours | {f'{self.row.beside}@{worker.address()}' for worker in workers if self.row.beside}
            return (len(workers) == count and all(worker.ready() for worker in workers) and
                    len(ours) == count and all(set(cluster(worker)['nodes']) == names for worker in workers))
        begin = time.monotonic()
        try:
            eventually(f'{count} nodes', MESH_SECONDS, whole, interval=0.1)
            saw = ''
        except AssertionError as error:
            logs = [f'--- {worker}\n{worker.log()[-1500:]}' for worker in self.workers()]
            saw = '\n'.join([str(error), *logs])
        self.expect(f'{count} pods {text} ({time.monotonic() - begin:.1f} s)', not saw, saw)
        if saw:
            raise Broken(f'{count} pods are no cluster: nothing that follows would say anything')

    def no_harm(self, text, before, ticked=False):
        """No pair of living pods has lost its socket, and no node says it lost one that lived."""
        workers = self.workers()
        try:
            now = self.links(workers)
        except NoLink as error:
            return self.expect(f'{text}: every pair has one socket', False, str(error))
        pairs = [pair for pair in before if pair in now]
        if before:  # a rolling restart leaves no pair
            other = [pair for pair in pairs if before[pair].id != now[pair].id]
            self.expect(f'{text}: {len(pairs)} ends of links between living pods are the same sockets',
                        pairs and not other, other)
        if ticked:
            silent = [pair for pair in pairs if now[pair].received <= before[pair].received]
            self.expect(f'{text}: every one of them has received its ticks', pairs and not silent, silent)
        lost = journal.unexplained(self.ever())
        self.expect(f'{text}: no node lost one that lived', not lost, '\n'.join(lost))

    def listings(self, new, old):
        """How long after its record those who were there found a new pod by themselves."""
        first = self.records[self.row.record].first
        pairs = [(self.address(worker), other) for worker in new for other in old]
        try:
            eventually('the new ones are listed', LISTED_SECONDS,
                       lambda: all(journal.first_listed(other, address) for address, other in pairs))
        except AssertionError as error:
            return self.expect('those who were there list the new ones', False, str(error))
        slowest = max(journal.first_listed(other, address) - first[address] for address, other in pairs)
        self.expect(f'{len(old)} nodes list {len(new)} new ones within {milli(max(0, slowest))} of the record in '
                    f'{self.row.record} (asked for: {milli(self.row.listed)})', slowest <= self.row.listed)

    def joins(self, new):
        """How long after its record each of the others saw a new pod."""
        if not new:
            return
        first = self.records[self.row.record].first
        # A newcomer that finds the others need not wait until they can find it.
        eventually(f'{self.row.record} has a record of each', MESH_SECONDS,
                   lambda: all(self.address(worker) in first for worker in new))
        delays, starts = {}, []
        for worker in new:
            for other in self.workers():
                if other is worker:
                    continue
                mine, its = self.address(worker), self.address(other)
                seen = journal.first_up(other, worker) or math.inf
                # Who was there before the records were watched has none.
                delays[mine, its] = max(0, seen - max(first[mine], first.get(its, 0)))
                starts.append(seen - max(worker.started, other.started))
        late = {pair: round(delay, 3) for pair, delay in delays.items() if delay > self.row.bound}
        self.joined += starts
        self.expect(f'{len(new)} joins seen by all within {milli(max(delays.values()))} of the record in '
                    f'{self.row.record} (asked for: {milli(self.row.bound)}), {milli(max(starts))} of the start',
                    not late, late)

    # Tools.

    def address(self, worker):
        return worker.address(self.row.family)

    def links(self, workers):
        return links(workers, self.row.family, 1 + 2 * bool(self.row.beside))

    def workers(self):
        return self.kubelet.living(NAMESPACE)

    def ever(self):
        """All pods of this story."""
        return [worker for worker in self.kubelet.ever(NAMESPACE) if worker not in self.earlier]

    def kubectl(self, *words, **options):
        return self.plane.kubectl('-n', NAMESPACE, *words, **options)

    def resize(self, replicas):
        self.kubectl('scale', self.row.workload, f'--replicas={replicas}')
