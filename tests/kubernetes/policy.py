# SPDX-License-Identifier: Apache-2.0
"""NetworkPolicies as packet filters in the pods' namespaces: an emulation, written for this lab from
the API's own words. Ports count after the address of a Service was translated, as most networks
do it; what comes from the node itself is allowed, as a kubelet's probes must be."""

from kubernetes.files import Unknown
from lab.pods import LAB_ADDRESS

OPERATORS = {
    'In': lambda value, values: value in values,
    'NotIn': lambda value, values: value not in values,
    'Exists': lambda value, values: value is not None,
    'DoesNotExist': lambda value, values: value is None,
}
TABLE = 'networkpolicies'
# A policy's direction: chain and hook in the pod, which address is the other side's, what counts
# as a peer list.
DIRECTIONS = {'Ingress': ('input', 'saddr', 'from'), 'Egress': ('output', 'daddr', 'to')}


def selects(selector, labels):
    """Whether a LabelSelector selects these labels."""
    labels = labels or {}
    return (all(labels.get(key) == value for key, value in (selector.get('matchLabels') or {}).items()) and
            all(OPERATORS[rule['operator']](labels.get(rule['key']), rule.get('values') or ())
                for rule in selector.get('matchExpressions') or ()))


class Place:
    """What policies are evaluated against: the pods that have addresses, and the namespaces."""

    def __init__(self, pods, namespaces):
        self.pods, self.namespaces = pods, namespaces  # [(pod, its addresses)], {name: labels}

    def addresses(self, peer, own):
        """The addresses that a peer of a rule stands for, in nft's words."""
        if 'ipBlock' in peer:
            if peer['ipBlock'].get('except'):
                raise Unknown('ipBlock.except in a NetworkPolicy')
            return [peer['ipBlock']['cidr']]
        chosen = peer.get('namespaceSelector')
        spaces = [own] if chosen is None else [name for name, labels in self.namespaces.items()
                                               if selects(chosen, labels)]
        return [address for pod, addresses in self.pods for address in addresses
                if pod['metadata']['namespace'] in spaces and
                selects(peer.get('podSelector') or {}, pod['metadata'].get('labels'))]


def port_number(port, pod):
    """A port of a rule; a named one is the selected pod's own."""
    if isinstance(port, int):
        return port
    for container in pod['spec']['containers']:
        for entry in container.get('ports', ()):
            if entry.get('name') == port:
                return entry['containerPort']
    raise Unknown(f'the port {port} of a NetworkPolicy, which the pod does not name')


def port_words(rule, pod):
    """nft's words for the ports of a rule, one a line; '' for all ports."""
    if not rule.get('ports'):
        return ['']
    words = []
    for entry in rule['ports']:
        protocol = entry.get('protocol', 'TCP').lower()
        if 'port' not in entry:
            words.append(f'meta l4proto {protocol} ')
            continue
        first = port_number(entry['port'], pod)
        words.append(f'{protocol} dport {first}-{entry.get("endPort", first)} ')
    return words


def chain(policies, direction, pod, place):
    """The lines of one chain of a pod."""
    hook, side, key = DIRECTIONS[direction]
    bound = [policy for policy in policies if direction in policy['spec'].get('policyTypes', ())]
    lines = [f'chain {hook} {{ type filter hook {hook} priority 0; policy {"drop" if bound else "accept"};',
             'ct state established,related accept', 'meta oif lo accept' if hook == 'output' else 'meta iif lo accept',
             'icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept']
    if hook == 'input':
        lines.append(f'ip saddr {LAB_ADDRESS} accept')
    for policy in bound:
        for rule in policy['spec'].get(direction.lower()) or ():
            peers = rule.get(key)
            sides = ['']
            if peers:
                own = policy['metadata']['namespace']
                found = {address for peer in peers for address in place.addresses(peer, own)}
                sides = [f'ip{"6" * (":" in address)} {side} {address} ' for address in sorted(found)]
            lines += [f'{words}{ports}accept' for words in sides for ports in port_words(rule, pod)]
    return [*lines, '}']


def ruleset(policies, pod, place):
    """The whole table of one pod, replaced as one."""
    meta = pod['metadata']
    own = [policy for policy in policies if policy['metadata']['namespace'] == meta['namespace'] and
           selects(policy['spec']['podSelector'], meta.get('labels'))]
    lines = [f'table inet {TABLE} {{}}', f'delete table inet {TABLE}', f'table inet {TABLE} {{']
    for direction in DIRECTIONS:
        lines += chain(own, direction, pod, place)
    return '\n'.join([*lines, '}']) + '\n'
