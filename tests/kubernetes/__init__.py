# SPDX-License-Identifier: Apache-2.0
"""A real Kubernetes control plane on a network of its own, and our manifests on it.

kubernetes.plane    etcd, kube-apiserver, kube-controller-manager, CoreDNS: built, started, killed
kubernetes.api      a client of the API: requests, and a list that is kept current by a watch
kubernetes.kubelet  scheduler and kubelet of the lab's one node
kubernetes.pod      one pod's life: network, volumes, containers, the end in grace
kubernetes.container  one container: root, environment, process, probes
kubernetes.files    what a pod's volumes hold, swapped as a kubelet swaps it
kubernetes.probes   the probes of a container
kubernetes.policy   NetworkPolicies as packet filters of the pods
kubernetes.records  when a pod's address appears in DNS and in the EndpointSlices
kubernetes.links    which socket joins which two pods, from the kernel
kubernetes.journal  what the nodes' own logs say of each other
kubernetes.crds     kinds of other people's that our manifests use
kubernetes.story    what happens to a workload, and what must hold meanwhile
kubernetes.run      the runner: `tests/kubernetes/run.py [ROW...]`
"""
