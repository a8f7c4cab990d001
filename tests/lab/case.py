# SPDX-License-Identifier: Apache-2.0
"""What the tests have in common: one lab a process, empty again after every test."""

import unittest

from lab.dns import DnsServer
from lab.epmd import port_please
from lab.nodes import ERLCLU, CluNode, ErlNode, eventually
from lab.otp import RELEASES
from lab.pods import SERVICE, Dnsmasq, Lab
from lab.scripted import ScriptedNode

_lab = None


def the_lab():
    global _lab
    if _lab is None:
        _lab = Lab()
    return _lab


def close_lab():
    if _lab is not None:
        _lab.close()


def per_release(test):
    """Run a test once for each OTP release, as a subtest with a clean lab each."""
    def all_releases(self):
        for release in RELEASES:
            with self.subTest(otp=release):
                try:
                    test(self, release)
                finally:
                    self.doCleanups()
                    self.addCleanup(self.lab.clean)
    all_releases.__name__ = test.__name__
    all_releases.__doc__ = test.__doc__
    return all_releases


class LabCase(unittest.TestCase):
    """A test with pods; everything it starts ends with it."""

    def setUp(self):
        self.lab = the_lab()
        self.addCleanup(self.lab.clean)

    def erl(self, number, release=25, **options):
        return ErlNode(self.lab.pod(number), self.lab.otp(release), **options)

    def clu(self, number, args=(), **options):
        if not ERLCLU.exists():
            self.fail(f'there is no {ERLCLU}: build it first, or name it in $ERLCLU')
        return CluNode(self.lab.pod(number), args, **options)

    def dns(self, *numbers, ttl=5):
        """A real DNS server with the addresses of these pods behind the headless Service."""
        return Dnsmasq(self.lab, {SERVICE: [f'10.42.0.{number}' for number in numbers]}, ttl)

    def scripted_dns(self, records, **options):
        """A DNS server that can also fail, as `mode` says."""
        server = DnsServer(records, **options)
        self.addCleanup(server.close)
        return server

    def scripted(self, base='erlclu', **options):
        """A node of our own making beside the pods."""
        node = ScriptedNode(self.lab, base, **options)
        self.addCleanup(node.close)
        return node

    def dist_port(self, node):
        """Where a node's distribution listens, as epmd in its pod says."""
        base = node.name.split('@')[0]
        return eventually(f'epmd knows {node}', 10, lambda: port_please(node.pod.address, base))

    def links(self, node, erl):
        """Which link joins erlclu and an Erlang node: the same value only for the very same link.
        Both sides are asked; asking the BEAM through its control port dials nobody."""
        peer = node.peer(erl.name)
        self.assertIsNotNone(peer, f'{node} has no row for {erl.name}')
        port = erl.eval(f"proplists:get_value('{node.name}', erlang:system_info(dist_ctrl))")
        self.assertNotEqual('undefined', port, f'{erl} has no link to {node}')
        return peer['state'], peer['since'], peer['creation'], port

    def assert_mesh(self, nodes, timeout):
        """Every node lists all the others: nodes() there, API and page here."""
        names = {node.name for node in nodes}
        for node in nodes:
            eventually(f'{node} lists {sorted(names - {node.name})}', timeout,
                       lambda node=node: node.alive() and node.nodes() == names - {node.name})
        for node in nodes:
            if isinstance(node, CluNode):
                eventually(f"{node}'s page lists the others", timeout,
                           lambda node=node: node.page_nodes() == names - {node.name})

    def assert_quiet(self, nodes):
        """No Erlang node of these has written a line."""
        for node in nodes:
            if isinstance(node, ErlNode):
                self.assertEqual('', node.complaints(), f'{node} complains')
