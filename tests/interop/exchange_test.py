# SPDX-License-Identifier: Apache-2.0
"""Peer exchange: one seed leads to the whole mesh, and what peers see is compared with what we see."""

from lab.case import LabCase, per_release
from lab.nodes import COOKIE, eventually
from lab.peer import OP_REG_SEND, OP_SEND
from lab.wire import Atom

JOINED = 20  # seconds
ASKED = 45  # seconds; peers are asked again each 30
SURE = 30  # seconds; what lasts for 15 is told


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

    def test_one_way(self):
        """A peer that is linked with us, and whose own list lacks us."""
        node = self.clu(1, discover=()).start()
        us = self.scripted('alone')
        link = us.dial(node.pod.address, self.dist_port(node)).handshake().link()
        _, (_, caller, _) = link.await_frame(lambda control, _: control[0] == OP_REG_SEND and control[3] == 'rex')
        link.send((OP_SEND, Atom(''), caller[0]), (caller[1], []))
        eventually('it is told', JOINED, lambda: node.cluster()['one_way'] == [us.name])
        self.assertEqual('no', node.peer(us.name)['sees_us'])
        self.assertIn('erlclu_peers_one_way 1\n', node.get('/metrics')[1])

    def test_islands(self):
        """A node that lives and that we cannot link with is an island, until we can."""
        self.dns(1, 2)
        node, erl = self.clu(1), self.erl(2, cookie='another', refresh=None)
        for each in (node, erl):
            each.start()
        self.assert_islands(node, [[node.name], [erl.name]])
        eventually('its log says so', SURE, lambda: '2 groups of living nodes without a known link' in node.log())
        erl.kill()
        erl.cookie = COOKIE
        self.assert_mesh([node, erl.start()], ASKED)
        self.assert_islands(node, [[node.name, erl.name]])
        eventually('its log says so', SURE, lambda: 'all living nodes that we know of are one group again' in node.log())
        self.assertEqual(1, node.log().count('groups of living nodes'))

    def assert_islands(self, node, islands):
        eventually(f'it knows of {islands}', JOINED, lambda: node.cluster()['islands'] == islands)
        eventually('so do its metrics', JOINED, lambda: f'erlclu_islands {len(islands)}\n' in node.get('/metrics')[1])

    def test_hidden_observers_ask_nobody(self):
        erls = [self.erl(number, refresh=None).start() for number in (2, 3)]
        self.assertEqual('pong', erls[1].eval(f"net_adm:ping('{erls[0].name}')"))
        node = self.clu(1, ['--hidden'], discover=[f'static:{erls[0].name}']).start()
        eventually('it is linked', JOINED, lambda: node.peer(erls[0].name)['state'] == 'linked')
        self.assertIsNone(node.peer(erls[1].name))
