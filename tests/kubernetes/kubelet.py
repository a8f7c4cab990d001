# SPDX-License-Identifier: Apache-2.0
"""Scheduler and kubelet of the lab's one node. Real: what the API server sees and says. Not real: no
container runtime, no cgroups, no kube-proxy (pod.NETWORK), one node."""

import collections
import http.client
import threading
import time

from kubernetes.api import ApiError, Informer
from kubernetes.files import Unknown
from kubernetes.pod import NODE, PodWorker, connect, in_pod, is_root
from kubernetes import policy
from lab.pods import FIRST_LAB_ADDRESS, LAB_ADDRESS

# 10.42.0.N: addresses are used in turn, so that a pod that follows another never has its address.
FIRST_POD = 10
BIND_SECONDS = 0.2


class Kubelet:
    """`pods` holds every worker of this run, ended ones too; `faults` what the lab could not do."""

    def __init__(self, lab, api, images):
        self.lab, self.api, self.images = lab, api, images
        self.root = is_root()
        self.pods, self.lock = {}, threading.Lock()
        self._numbers = collections.deque(range(FIRST_POD, FIRST_LAB_ADDRESS))
        self._filters = threading.RLock()  # one writer of packet filters at a time
        self._policies, self._namespaces = {}, {}
        self._register()
        for path, changed in (('/api/v1/namespaces', self._namespace_changed),
                              ('/apis/networking.k8s.io/v1/networkpolicies', self._policy_changed),
                              ('/api/v1/pods', self._pod_changed)):
            # In this order: nothing runs before its filters are known.
            Informer(api, path, changed).listed.wait()

    def _register(self):
        self.api.call('POST', '/api/v1/nodes', {'metadata': {'name': NODE, 'labels': {'kubernetes.io/hostname': NODE}}})
        size = {'cpu': '64', 'memory': '64Gi', 'pods': '250'}
        self.api.patch(f'/api/v1/nodes/{NODE}/status', {'status': {
            'capacity': size, 'allocatable': size, 'addresses': [{'type': 'InternalIP', 'address': LAB_ADDRESS}],
            'conditions': [{'type': 'Ready', 'status': 'True', 'reason': 'KubeletReady'}]}})

    def _pod_changed(self, item, gone):
        worker = self.pods.get(item['metadata']['uid'])
        if gone:
            if worker is not None:
                worker.asked_to_end.set()
        elif 'nodeName' not in item['spec']:
            self._bind(item)
        elif worker is None:
            with self.lock:
                self.pods[item['metadata']['uid']] = PodWorker(self, item)
        else:
            worker.update(item)

    def _bind(self, item):
        """All of the scheduler that one node needs."""
        meta = item['metadata']
        try:
            self.api.call('POST', f'/api/v1/namespaces/{meta["namespace"]}/pods/{meta["name"]}/binding', {
                'metadata': {'name': meta['name'], 'uid': meta['uid']},
                'target': {'apiVersion': 'v1', 'kind': 'Node', 'name': NODE}})
        except (ApiError, OSError, http.client.HTTPException):
            time.sleep(BIND_SECONDS)  # gone, or the API is: the next list brings it again

    # What the workers ask.

    def image(self, container):
        name = container['image'].rsplit('/', 1)[-1].split(':')[0].split('@')[0]
        if name not in self.images:
            raise Unknown(f'the image {container["image"]}: the lab has {", ".join(self.images)}')
        return self.images[name]

    def sandbox(self, worker):
        """A network namespace with a fresh address, known to everybody's filters before anything
        runs in it."""
        with self._filters:
            number = self._numbers.popleft()
            box = self.lab.pod(number)
            connect(box)
            worker.box = box
            self._filter()
        return box

    def release(self, worker):
        with self._filters:
            worker.box.close()
            self.lab.pods.pop(worker.box.number, None)
            self._numbers.append(worker.box.number)
            self._filter()

    # Packet filters.

    def _namespace_changed(self, item, gone):
        self._namespaces[item['metadata']['name']] = item['metadata'].get('labels')

    def _policy_changed(self, item, gone):
        with self._filters:
            if gone:
                self._policies.pop(item['metadata']['uid'], None)
            else:
                self._policies[item['metadata']['uid']] = item
            self._filter()

    def _filter(self):
        """Write every pod's filters: an address that comes or goes concerns all of them."""
        here = [worker for worker in list(self.pods.values())
                if worker.box is not None and self.lab.pods.get(worker.box.number) is worker.box]
        place = policy.Place([(worker.item, worker.addresses()) for worker in here], dict(self._namespaces))
        for worker in here:
            in_pod(worker.box, 'nft -f -', policy.ruleset(self._policies.values(), worker.item, place))

    # What the runner asks.

    def living(self, namespace):
        return [worker for worker in self.ever(namespace) if worker.living()]

    def ever(self, namespace):
        return [worker for worker in list(self.pods.values())
                if worker.name_space == namespace and worker.box is not None]

    def faults(self):
        return [worker.fault for worker in list(self.pods.values()) if worker.fault]
