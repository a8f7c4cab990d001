# SPDX-License-Identifier: Apache-2.0
"""A BEAM and erlclu in one pod share one address and one epmd, whoever of them started it."""

import time
from pathlib import Path

from lab.case import LabCase
from lab.epmd import names
from lab.nodes import eventually

TESTS = Path(__file__).resolve().parents[1]
BACK = 15  # seconds from the restart of erlclu until the BEAM beside it is found again: 3, and what the machine does beside
FOUND = 15  # seconds; the BEAM registers anew 2 s after it has lost its epmd


class OnePod(LabCase):
    """Pod 1 holds both, pod 2 holds an Erlang node that must see and reach both."""

    def setUp(self):
        super().setUp()
        self.dns(1, 2)
        # The BEAM of the pod has another base name: one epmd cannot hold erlclu@IP twice.
        self.beam = self.erl(1, name='app@10.42.0.1', refresh=1000)
        self.node = self.clu(1)
        self.far = self.erl(2, refresh=1000)

    def assert_all_found(self):
        eventually('epmd lists both', FOUND, lambda: set(names(self.beam.pod.address)[1]) == {'app', 'erlclu'})
        self.assertEqual(4369, names(self.beam.pod.address)[0])
        eventually('far sees erlclu', FOUND, lambda: self.node.name in self.far.nodes())
        eventually('the BEAM sees erlclu', FOUND, lambda: self.node.name in self.beam.nodes())
        eventually('erlclu sees both', FOUND, lambda: self.node.nodes() == {self.beam.name, self.far.name})
        # A new connection must find the BEAM, not only the links that have been there.
        self.far.eval(f"erlang:disconnect_node('{self.beam.name}')")
        eventually('far reaches the BEAM', FOUND,
                   lambda: self.far.eval(f"net_adm:ping('{self.beam.name}')") == 'pong')

    def test_beam_first(self):
        for node in (self.far, self.beam, self.node):
            node.start()
        self.assert_all_found()
        self.assert_quiet([self.beam, self.far])

    def test_erlclu_first(self):
        for node in (self.far, self.node, self.beam):
            node.start()
        self.assert_all_found()
        self.assert_quiet([self.beam, self.far])

    def test_beam_restarts(self):
        for node in (self.far, self.node, self.beam):
            node.start()
        self.assert_all_found()
        self.beam.kill()
        self.beam.start()
        self.assert_all_found()

    def test_erlclu_restarts_beside_the_beams_epmd(self):
        for node in (self.far, self.beam, self.node):
            node.start()
        self.assert_all_found()
        self.node.kill()
        self.node.start()
        self.assert_all_found()

    def test_erlclu_that_serves_epmd_restarts(self):
        """The registrations die with it; the BEAM comes back by itself and is found again."""
        # Without -start_epmd false the BEAM's emulator would leave an epmd of its own behind.
        self.beam = self.erl(1, name='app@10.42.0.1', refresh=1000, args=['-start_epmd', 'false'])
        for node in (self.far, self.node, self.beam):
            node.start()
        self.assert_all_found()
        self.node.kill()
        end = time.monotonic() + BACK
        self.node.start()

        def within(what, read):
            eventually(what, end - time.monotonic(), read)

        within('the BEAM is registered again', lambda: 'app' in names('10.42.0.1')[1])
        self.far.eval(f"erlang:disconnect_node('{self.beam.name}')")
        within('a node reaches it anew', lambda: self.far.eval(f"net_adm:ping('{self.beam.name}')") == 'pong')
        within('erlclu is linked to it', lambda: self.beam.name in self.node.nodes())
        within('it lists erlclu', lambda: self.node.name in self.beam.nodes())
        self.assert_all_found()

    def test_epmd_serves_all_addresses(self):
        """The embedded epmd answers on the pod's address and, for those in the pod, on loopback."""
        self.node.start()
        self.assertEqual({'erlclu'}, set(names('10.42.0.1')[1]))
        for host in ('127.0.0.1', '::1'):
            script = (f"import sys; sys.path[:0] = [{str(TESTS)!r}]\n"
                      f"from lab.epmd import names; print(names('{host}'))")
            done = self.node.pod.run(['python3', '-c', script])
            self.assertIn("(4369, {'erlclu': ", done.stdout, done.stderr)


class Sidecar(LabCase):
    """A far erlclu looks for `app` in a pod where its sidecar starts first."""

    def test_listed_node_comes_after_its_sidecar(self):
        self.dns(1, 2)
        sidecar = self.clu(1, name='side@10.42.0.1')
        app = self.erl(1, name='app@10.42.0.1', refresh=None)
        far = self.clu(2, discover=['dns:erlclu-headless.erlclu.svc.cluster.local?base=app'])
        sidecar.start(), far.start()
        eventually('far takes the only node there', FOUND, lambda: sidecar.name in far.nodes())
        app.start()
        eventually('far finds the listed one too', 20, lambda: {sidecar.name, app.name} <= far.nodes())

    def test_listening_everywhere_serves_epmd_everywhere(self):
        node = self.clu(1, args=['--listen-address', '0.0.0.0']).start()
        eventually('epmd answers at the address of the pod', FOUND,
                   lambda: 'erlclu' in names(node.pod.address)[1])
