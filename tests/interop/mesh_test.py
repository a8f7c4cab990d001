# SPDX-License-Identifier: Apache-2.0
"""Three erlclu and three Erlang nodes, each in its pod: everybody sees everybody, whoever dies."""

import re
from pathlib import Path

from lab.case import LabCase, per_release
from lab.nodes import COOKIE, eventually
from lab.pods import DNS_ADDRESS, SERVICE

DATA = Path(__file__).resolve().parents[1] / 'data'
FORM, REJOIN = 15, 15  # seconds; `make bench` records what it really takes


class Mesh(LabCase):
    def start_all(self, release):
        self.dns(1, 2, 3, 4, 5, 6)
        nodes = [self.clu(n) for n in (1, 2, 3)] + [self.erl(n, release) for n in (4, 5, 6)]
        for node in nodes:
            node.start(wait=False)
        for node in nodes:
            node.ready()
        return nodes

    @per_release
    def test_everybody_lists_the_others(self, release):
        nodes = self.start_all(release)
        self.assert_mesh(nodes, FORM)
        self.assert_quiet(nodes)

    @per_release
    def test_anyone_may_be_killed_and_come_back(self, release):
        nodes = self.start_all(release)
        self.assert_mesh(nodes, FORM)
        ours, theirs = nodes[:3], nodes[3:]
        for victim in ours:
            self.kill_and_restart(victim, nodes)
        self.assert_quiet(nodes)
        # When an Erlang node dies and returns at once, `global` of the others may warn about it
        # (it does so among Erlang nodes alone); about erlclu there is nothing to say.
        for victim in theirs:
            self.kill_and_restart(victim, nodes)
        for node in theirs:
            for line in node.complaints().splitlines():
                self.assertFalse(any(f"'{our.name}'" in line for our in ours), line)

    def kill_and_restart(self, victim, nodes):
        victim.kill()
        self.assert_mesh([node for node in nodes if node is not victim], REJOIN)
        victim.start()
        self.assert_mesh(nodes, REJOIN)

    def test_cluster_document(self):
        """/api/v1/cluster holds what the design promises, for a mesh of one erlclu and one OTP."""
        self.dns(1, 2, 3)
        node, erl = self.clu(1), self.erl(2)
        self.assert_mesh([node.start(), erl.start()], FORM)
        cluster = node.cluster()
        self.assertEqual(node.name, cluster['node'])
        self.assertEqual(sorted([node.name, erl.name]), cluster['nodes'])
        self.assertEqual(3, len(cluster['listed']))
        eventually('the absent third is missing', 10, lambda: node.missing('10.42.0.3'))
        missing = node.missing('10.42.0.3')
        self.assertLessEqual({'address', 'name', 'stage', 'reason', 'since'}, set(missing))
        peer = node.peer(erl.name)
        self.assertLessEqual({'name', 'address', 'state', 'visible', 'creation', 'since', 'otp_release'},
                             set(peer))
        self.assertIs(True, peer['visible'])
        self.assertEqual(int(erl.eval('erlang:system_info(creation)')), peer['creation'])
        self.assertRegex(peer['since'], r'^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$')
        self.assertNotIn(COOKIE, node.get('/')[1] + node.get('/api/v1/cluster')[1] + node.log())

    def test_metrics_count_the_nodes(self):
        self.dns(1, 2)
        nodes = [self.clu(1).start(), self.erl(2).start()]
        self.assert_mesh(nodes, FORM)
        status, text = nodes[0].get('/metrics')
        self.assertEqual(200, status)
        self.assertTrue(re.search(r'^connected_node_count\{node="erlclu@10\.42\.0\.1"\} 2(\.0)?$', text, re.M), text)

    def test_without_epmd_on_one_port(self):
        """As the demo runs: no epmd anywhere, one port for everybody."""
        self.dns(1, 2, 3)
        port = ['--epmd', 'none', '--listen-port', '9100']
        erl = self.erl(3, args=['-start_epmd', 'false', '-erl_epmd_port', '9100'])
        nodes = [self.clu(1, port).start(), self.clu(2, port).start(), erl.start()]
        self.assert_mesh(nodes, FORM)
        self.assert_quiet(nodes)
        # What flags tell: ours are those of 28, and we call ourselves 29.
        self.assertEqual(['28-29', '25-27'], [nodes[0].peer(n.name)['otp_release'] for n in nodes[1:]])

    @per_release
    def test_the_originals_arguments(self, release):
        """The original's vm.args.src as it is: `${}` is filled in, the `%` line is passed over."""
        self.dns(1, 2)
        node = self.clu(1, ['--args-file', DATA / 'vm.args.src'], cookie=None,
                        env={'RELEASE_COOKIE': COOKIE + '\n'})
        self.assert_mesh([node.start(), self.erl(2, release).start()], FORM)
        self.assertTrue(any('%' in line for line in node.log().splitlines()), node.log())

    def test_a_pod_needs_no_spec(self):
        """The namespace and the zone stand in the search list that Kubernetes writes."""
        self.dns(1, 2)
        pod = self.lab.pod(1)
        pod.resolv_conf.write_text(f'nameserver {DNS_ADDRESS}\nsearch erlclu.svc.cluster.local '
                                   'svc.cluster.local cluster.local\noptions ndots:5\n')
        self.assert_mesh([self.clu(1, discover=()).start(), self.erl(2).start()], FORM)

    def test_sigterm(self):
        """It leaves in good order: status 0, its peers see it go, its name is free at once."""
        self.dns(1, 2)
        node, erl = self.clu(1).start(), self.erl(2).start()
        self.assert_mesh([node, erl], FORM)
        node.process.popen.terminate()
        self.assertEqual(0, node.process.wait(10), node.log())
        eventually('the peer has seen it go', 5, lambda: erl.nodes() == set())
        self.assert_mesh([node.start(), erl], REJOIN)
        self.assert_quiet([erl])

    def test_hidden_erlclu(self):
        self.dns(1, 2)
        node, erl = self.clu(1, ['--hidden']).start(), self.erl(2).start()
        eventually('the link is hidden', FORM, lambda: erl.nodes('hidden') == {node.name})
        self.assertEqual(set(), erl.nodes())

    def test_a_new_incarnation(self):
        """A peer that comes back is another one: its creation changes, its link is new."""
        self.dns(1, 2)
        node, erl = self.clu(1).start(), self.erl(2).start()
        self.assert_mesh([node, erl], FORM)
        before = node.peer(erl.name)['creation']
        erl.kill()
        erl.start()
        self.assert_mesh([node, erl], REJOIN)
        eventually('the creation is the new one', 5,
                   lambda: node.peer(erl.name)['creation'] == int(erl.eval('erlang:system_info(creation)')))
        self.assertNotEqual(before, node.peer(erl.name)['creation'])

    def test_a_pod_that_is_listed_later(self):
        dns = self.dns(1, ttl=1)
        node = self.clu(1).start()
        late = self.erl(2, refresh=None).start()
        dns.set(SERVICE, ['10.42.0.1', '10.42.0.2'])
        self.assert_mesh([node, late], FORM)

    @per_release
    def test_ipv6(self, release):
        pods = [self.lab.pod(1), self.lab.pod(2)]
        self.scripted_dns({SERVICE: [pod.address6 for pod in pods]})
        # A name's host is spelled as inet_ntop spells it, on both sides.
        erl = self.erl(2, release, name=f'erlclu@{pods[1].address6}', refresh=None,
                       args=['-proto_dist', 'inet6_tcp']).start()
        node = self.clu(1, name=f'erlclu@{pods[0].address6}', args=['--http', '0.0.0.0:8080']).start()
        self.assert_mesh([node, erl], FORM)
        self.assert_quiet([erl])
