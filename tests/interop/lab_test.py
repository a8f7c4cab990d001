# SPDX-License-Identifier: Apache-2.0
"""The lab itself: real Erlang nodes alone, so that a failure elsewhere is erlclu's."""

from lab.case import LabCase, per_release
from lab.nodes import eventually
from lab.pods import SERVICE


class LabItself(LabCase):
    @per_release
    def test_three_erlang_nodes_find_each_other(self, release):
        self.dns(1, 2, 3)
        nodes = [self.erl(number, release).start(wait=False) for number in (1, 2, 3)]
        for node in nodes:
            self.assertEqual(f'"{release}"', node.ready().eval('erlang:system_info(otp_release)'))
        self.assert_mesh(nodes, timeout=20)
        self.assert_quiet(nodes)

    def test_a_killed_erlang_node_is_found_again(self):
        self.dns(1, 2)
        one, two = self.erl(1).start(), self.erl(2).start()
        self.assert_mesh([one, two], timeout=20)
        two.kill()
        two.start()
        self.assert_mesh([one, two], timeout=20)

    def test_a_link_dialled_anew_is_told_apart(self):
        """What other tests rest on when they say that a link has stayed."""
        node, erl = self.clu(1, discover=()).start(), self.erl(2, refresh=None).start()
        seen = set()
        for _ in range(3):
            self.assertEqual('true', erl.eval(f"net_kernel:connect_node('{node.name}')"))
            seen |= {self.links(node, erl), self.links(node, erl)}
            erl.eval(f"erlang:disconnect_node('{node.name}')")
            eventually('it has gone', 5, lambda: erl.name not in node.nodes())
        self.assertEqual(3, len(seen), seen)

    def test_records_change_while_the_server_runs(self):
        dns = self.dns(1)
        node = self.erl(1, refresh=None).start()
        lookup = f'length(inet_res:lookup("{SERVICE}", in, a))'
        self.assertEqual('1', node.eval(lookup))
        dns.set(SERVICE, [f'10.43.0.{n}' for n in range(1, 101)])
        self.assertEqual('100', node.eval(lookup))
