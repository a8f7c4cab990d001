# SPDX-License-Identifier: Apache-2.0
"""One pod's life on the lab's node: a network namespace, volumes, containers, the end in grace. A thread
a pod; what it knows it writes to the API server."""

import http.client
import os
import signal
import subprocess
import threading
import time
import traceback

from kubernetes import files
from kubernetes.api import ApiError
from kubernetes.container import Container, iso
from kubernetes.plane import API_PORT, SERVICE_ADDRESS, SERVICE_PORT, ZONE
from lab.pods import DNS_ADDRESS, LAB_ADDRESS

NODE = 'lab'
TURN_SECONDS = 0.05
STATUS_RETRY_SECONDS = 1
# The Service `kubernetes` leads to the API server; no other cluster IP is routed in this lab.
NETWORK = f'''table ip services {{
    chain output {{
        type nat hook output priority -100;
        ip daddr {SERVICE_ADDRESS} tcp dport {SERVICE_PORT} dnat to {LAB_ADDRESS}:{API_PORT}
    }}
}}
'''


def truth(value):
    return 'True' if value else 'False'


class PodWorker(threading.Thread):
    """`item` is the pod as the API last showed it; None of its fields is trusted after the end."""

    def __init__(self, kubelet, item):
        self.kubelet, self.item = kubelet, item
        self.name_space, self.pod_name, self.uid = (item['metadata'][key] for key in ('namespace', 'name', 'uid'))
        super().__init__(daemon=True, name=f'pod {self.pod_name}')
        self.path = f'/api/v1/namespaces/{self.name_space}/pods/{self.pod_name}'
        self.hostname = item['spec'].get('hostname') or self.pod_name
        self.sources = files.Sources(kubelet.api, item)
        self.volumes, self.tokens, self.containers, self.sidecars = {}, {}, [], []
        self.box = None
        self.started = self.terminated = self.gone = None  # wall clock
        self.initialized = False
        self.asked_to_end = threading.Event()
        self.fault = None
        self.start()

    def __str__(self):
        return f'{self.pod_name} ({self.box.address if self.box else "no address yet"})'

    # What others ask.

    def address(self, family=4):
        if self.box is None:
            return None
        return self.box.address if family == 4 else self.box.address6

    def addresses(self):
        return [self.box.address, self.box.address6]

    def living(self):
        """Runs, and nobody has asked it to end."""
        return self.started is not None and self.terminated is None and not self.asked_to_end.is_set()

    def ready(self):
        return bool(self.containers) and all(container.ready() for container in [*self.containers, *self.sidecars])

    def log(self, name=None):
        return next((c.log.read_text(errors='replace') for c in self.containers if name in (None, c.name)), '')

    def update(self, item):
        self.item = self.sources.pod = item
        if 'deletionTimestamp' in item['metadata']:
            self.asked_to_end.set()

    def refresh(self, kinds=('projected', 'secret', 'configMap')):
        """Write the volumes of these kinds anew, as a kubelet does from time to time."""
        for volume in self.item['spec'].get('volumes', ()):
            if any(kind in volume for kind in kinds):
                self._write(volume)

    # The life.

    def run(self):
        for part in (self._live, self._release, self._delete):
            try:
                part()
            except Exception:  # the lab's own fault: a check at the end tells it
                self.fault = self.fault or f'{self}: {traceback.format_exc()}'
                self.asked_to_end.wait()
        self.gone = time.time()

    def _live(self):
        self._set_up()
        if self._run_init():
            self._run()
        self._end()

    def _release(self):
        if self.box is not None:
            self.kubelet.release(self)

    def _set_up(self):
        self.box = self.kubelet.sandbox(self)
        for container in self.item['spec']['containers']:
            self.containers.append(Container(self, container, self.kubelet.image(container)))
        for volume in self.item['spec'].get('volumes', ()):
            folder = self.box.dir / 'volumes' / volume['name']
            folder.mkdir(parents=True)
            folder.chmod(0o777)
            self.volumes[volume['name']] = folder
            self._insist(lambda: self._write(volume))
        self._write_etc()
        self.item['status'] = {**self.item.get('status', {}), **self._status()}

    def _write(self, volume):
        group = self.item['spec'].get('securityContext', {}).get('fsGroup') if self.kubelet.root else None
        files.write(self.volumes[volume['name']], self.sources.files(volume), group)

    def _insist(self, step):
        """What a pod refers to may come after it, as the cookie does in our README."""
        while True:
            try:
                return step()
            except (ApiError, OSError, http.client.HTTPException):
                if self.asked_to_end.wait(STATUS_RETRY_SECONDS):
                    raise

    def _write_etc(self):
        domain = f'{self.name_space}.svc.{ZONE}'
        self.box.resolv_conf.write_text(f'search {domain} svc.{ZONE} {ZONE}\nnameserver {DNS_ADDRESS}\n'
                                        'options ndots:5\n')
        subdomain = self.item['spec'].get('subdomain')
        full = f'{self.hostname}.{subdomain}.{domain} ' if subdomain else ''
        self.box.hosts.write_text(f'127.0.0.1 localhost\n::1 localhost\n' +
                                  ''.join(f'{address} {full}{self.hostname}\n' for address in self.addresses()))

    def _run_init(self):
        """Init containers one after the other; those that always restart stay (sidecars)."""
        for spec in self.item['spec'].get('initContainers', ()):
            container = Container(self, spec, self.kubelet.image(spec))
            stays = spec.get('restartPolicy') == 'Always'
            container.start()
            if stays:
                self.sidecars.append(container)
            while not (container.is_started() if stays else not container.running()):
                if self.asked_to_end.wait(TURN_SECONDS):
                    container.stop(signal.SIGKILL)
                    return False
                container.turn(time.monotonic()) if stays else None
            if not stays and container.process.popen.returncode != 0:
                raise RuntimeError(f'init container {container.name}: {container.log.read_text()[-500:]}')
        self.initialized = True
        return True

    def _run(self):
        self.started = time.time()
        for container in self.containers:
            self._insist(container.start)
        dirty, last = True, 0
        while not self.asked_to_end.wait(TURN_SECONDS):
            now = time.monotonic()
            for container in [*self.sidecars, *self.containers]:
                dirty |= container.turn(now)
            if dirty and now >= last + STATUS_RETRY_SECONDS * bool(last):
                dirty = not self._tell()
                last = now if dirty else 0

    def _end(self):
        """SIGTERM, the grace that the API gives, SIGKILL; sidecars after the others."""
        self.terminated = time.time()
        end = time.monotonic() + self.item['metadata'].get('deletionGracePeriodSeconds', 0)
        for group in (self.containers, self.sidecars):
            for container in group:
                self._pre_stop(container, end)
                container.stop(signal.SIGTERM)
            while any(container.running() for container in group) and time.monotonic() < end:
                time.sleep(TURN_SECONDS)
            for container in group:
                container.stop(signal.SIGKILL)

    @staticmethod
    def _pre_stop(container, end):
        hook = container.spec.get('lifecycle', {}).get('preStop')
        if hook is None:
            return
        if 'sleep' not in hook:
            raise files.Unknown(f'a preStop hook of the kinds {sorted(hook)}')
        time.sleep(min(hook['sleep']['seconds'], max(0, end - time.monotonic())))

    def _status(self):
        ready = self.ready()
        conditions = {'PodScheduled': True, 'PodReadyToStartContainers': True, 'Initialized': self.initialized,
                      'ContainersReady': ready, 'Ready': ready}
        before = {entry['type']: entry for entry in self.item.get('status', {}).get('conditions', ())}
        return {
            'phase': 'Running' if self.started else 'Pending', 'hostIP': LAB_ADDRESS, 'hostIPs': [{'ip': LAB_ADDRESS}],
            'podIP': self.box.address, 'podIPs': [{'ip': address} for address in self.addresses()],
            'conditions': [self._condition(before.get(kind), kind, value) for kind, value in conditions.items()],
            'containerStatuses': [container.status() for container in self.containers],
            'initContainerStatuses': [container.status() for container in self.sidecars],
        }

    def _condition(self, before, kind, value):
        if before is not None and before['status'] == truth(value):
            return before
        return {'type': kind, 'status': truth(value), 'lastTransitionTime': iso(time.time())}

    def _tell(self):
        """Write the status; False when the API server does not take it now."""
        status = self._status()
        self.item['status'] = {**self.item.get('status', {}), **status}
        try:
            self.kubelet.api.patch(f'{self.path}/status', {'metadata': {'uid': self.uid}, 'status': status})
        except ApiError as error:
            return error.status in (404, 409)  # it is gone: the watch will say so
        except (OSError, http.client.HTTPException):
            return False
        return True

    def _delete(self):
        """The pod is over; only now may its name be used again."""
        body = {'gracePeriodSeconds': 0, 'preconditions': {'uid': self.uid}}
        while self.asked_to_end.is_set():
            try:
                self.kubelet.api.call('DELETE', self.path, body)
                return
            except ApiError:
                return
            except (OSError, http.client.HTTPException):
                time.sleep(STATUS_RETRY_SECONDS)


def in_pod(box, script, text):
    """A shell line in the pod's network, with text as its input."""
    done = subprocess.run(['nsenter', '-t', str(box.holder.pid), '-n', 'sh', '-ec', script], input=text, text=True,
                          capture_output=True)
    if done.returncode != 0:
        raise RuntimeError(f'{script} in {box.address}: {done.stderr.strip()}\n{text}')


def connect(box):
    """Give the pod its way to the Services."""
    in_pod(box, f'ip route add default via {LAB_ADDRESS}; nft -f -', NETWORK)


def is_root():
    """Whether this machine's users can be become: not in a user namespace with one id only."""
    with open('/proc/self/uid_map', encoding='ascii') as table:
        return os.geteuid() == 0 and sum(int(line.split()[2]) for line in table) > 1
