# SPDX-License-Identifier: Apache-2.0
"""Who is not listed any more: linked it stays, unless --prune asks for its end; down it is given up, unless
--prune never."""

from lab.case import LabCase, per_release
from lab.nodes import eventually
from lab.pods import SERVICE

JOINED = 20
UNLISTED = 30  # seconds; with a TTL of 1 s the list is read each second or so
GONE = 45      # seconds; three complete answers over 15 s, or the T of after:T
FAR = '10.42.0.2'


class Prune(LabCase):
    def unlisted(self, *args, release=25):
        """Our node and an Erlang node that dials nobody, which DNS ceases to list."""
        self.names = self.dns(1, 2, ttl=1)
        node, erl = self.clu(1, args), self.erl(2, release, refresh=None)
        self.assert_mesh([node.start(), erl.start()], JOINED)
        self.names.set(SERVICE, ['10.42.0.1'])
        eventually('it is unlisted', UNLISTED, lambda: not node.peer(erl.name)['listed'])
        return node, erl

    @per_release
    def test_links_stay(self, release):
        node, erl = self.unlisted(release=release)
        self.assertEqual(({erl.name}, [erl.name], []),
                         (node.nodes(), node.cluster()['unlisted'], node.cluster()['missing']))
        self.assertRegex(node.log(), f'no longer lists {erl.name}: its link stays\n')
        self.assert_quiet([erl])

    def test_who_is_down_is_given_up(self):
        node, erl = self.unlisted()
        erl.kill()
        eventually('it is absent', GONE, lambda: node.peer(erl.name)['state'] == 'absent')
        erl.start()
        self.names.set(SERVICE, ['10.42.0.1', FAR])
        self.assert_mesh([node, erl], UNLISTED)

    def test_never(self):
        """Back at an address that no answer has, it is found all the same."""
        node, erl = self.unlisted('--prune', 'never')
        erl.kill()
        with self.assertRaises(AssertionError):
            eventually('it is absent', 25, lambda: node.peer(erl.name)['state'] == 'absent')
        self.assert_mesh([node, erl.start()], 40)

    def test_after(self):
        node, erl = self.unlisted('--prune', 'after:5s')
        self.assertIn('prevent_overlapping_partitions', node.log(), 'who asks for it is warned')
        eventually('it is cut', GONE, lambda: node.nodes() == set() and erl.nodes() == set())
        self.assertIn(f'no longer lists {erl.name}: its link stays for now (--prune)\n', node.log())
        self.assertIn(f'lost {erl.name} at 10.42.0.2', node.log())
        self.assertEqual('pang', erl.eval(f"net_adm:ping('{node.name}')"), 'it is not let in again')
        self.names.set(SERVICE, ['10.42.0.1', FAR])
        self.assert_mesh([node, erl], UNLISTED)
