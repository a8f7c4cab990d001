# SPDX-License-Identifier: Apache-2.0
"""Peer exchange: one seed leads to the whole mesh, and what peers see is compared with what we see."""

from lab.case import LabCase, per_release
from lab.nodes import eventually

JOINED = 10
ASKED = 45  # seconds; peers are asked again each 30


class Exchange(LabCase):
    @per_release
    def test_one_beam_is_seed_enough(self, release):
        """Three Erlang nodes are linked; ours knows one of them."""
        erls = [self.erl(number, release, refresh=None) for number in (2, 3, 4)]
        for erl in erls:
            erl.start()
        for erl in erls[1:]:
            self.assertEqual('pong', erl.eval(f"net_adm:ping('{erls[0].name}')"))
        node = self.clu(1, discover=[f'static:{erls[0].name}']).start()
        self.assert_mesh([node, *erls], JOINED)
        rows = {erl.name: eventually('its view', JOINED, lambda erl=erl: self.seen(node, erl.name)) for erl in erls}
        self.assertEqual({'yes'}, {row['sees_us'] for row in rows.values()})
        self.assertEqual([], node.cluster()['missing'])
        self.assert_quiet(erls)

    def seen(self, node, name):
        row = node.peer(name)
        return row if row and row['sees_us'] != 'unknown' else None

    def test_one_of_ours_is_seed_enough(self):
        """Without epmd, each at a port of its own: only the peers can say where."""
        args = ['--epmd', 'none']
        nodes = [self.clu(1, [*args, '--listen-port', '9101'], discover=())]
        nodes += [self.clu(number, [*args, '--listen-port', str(9100 + number)],
                           discover=['static:erlclu@10.42.0.1:9101']) for number in (2, 3, 4)]
        for node in nodes:
            node.start()
        self.assert_mesh(nodes, ASKED)

    def test_who_is_named_and_cannot_be_reached_is_no_member(self):
        """A peer of a peer whose host no resolver knows: shown with the reason, and nothing breaks."""
        near = self.erl(2, refresh=None).start()
        far = self.erl(3, name='far@nowhere.test', refresh=None,
                       args=['-kernel', 'inet_dist_use_interface', '{10,42,0,3}']).start()
        node = self.clu(1, discover=[f'static:{near.name}']).start()
        self.assert_mesh([node, near], JOINED)
        # It dials the near one, whose address is a literal; nobody can dial it.
        self.assertEqual('pong', far.eval(f"net_adm:ping('{near.name}')"))
        row = eventually('it is named and not reached', ASKED,
                         lambda: (lambda found: found if found and found['stage'] == 'dns' else None)(node.peer(far.name)))
        self.assertFalse(row['listed'])
        self.assertEqual({near.name}, node.nodes())

    def test_hidden_observers_ask_nobody(self):
        erls = [self.erl(number, refresh=None).start() for number in (2, 3)]
        self.assertEqual('pong', erls[1].eval(f"net_adm:ping('{erls[0].name}')"))
        node = self.clu(1, ['--hidden'], discover=[f'static:{erls[0].name}']).start()
        eventually('it is linked', JOINED, lambda: node.peer(erls[0].name)['state'] == 'linked')
        self.assertIsNone(node.peer(erls[1].name))
