# SPDX-License-Identifier: Apache-2.0
"""A new cookie is rolled out: a Secret reaches one pod after the other, and nobody may be lost."""

import os
import time

from lab.case import LabCase, per_release
from lab.nodes import COOKIE, eventually

NEW = 'rolled-in-the-lab'
READ = 8  # seconds; the file is watched, a busy machine falls back to a look each 5 s
JOINED = 20  # seconds; who starts for long is dialled in longer pauses


def roll(node, cookie):
    """As a Secret's volume does: another file takes the name."""
    path = node.pod.dir / f'cookie-{node.name}'
    fresh = path.with_suffix('.fresh')
    fresh.write_text(cookie + '\n')
    fresh.chmod(0o400)
    os.replace(fresh, path)
    node.cookie = cookie


class Rotate(LabCase):
    def roll(self, node, cookie):
        roll(node, cookie)
        eventually(f'{node} has read its cookie', READ, lambda: 'the cookie was read anew' in node.log())

    @per_release
    def test_a_rollout_splits_nobody(self, release):
        self.dns(1, 2, 3)
        first, second = self.clu(1), self.clu(2)
        erl = self.erl(3, release, refresh=1000)
        nodes = [node.start() for node in (first, second, erl)]
        self.assert_mesh(nodes, JOINED)
        before = [self.links(node, erl) for node in (first, second)]
        self.roll(first, NEW)
        # Who has the new one and who has the old one dial each other, in both directions.
        second.kill()
        self.assert_mesh([first, second.start(), erl], JOINED)
        self.roll(second, NEW)
        self.assertEqual(before[0], self.links(first, erl), 'no link ends because a file changed')
        # The Erlang node comes back with the old cookie: it dials us, and we dial it.
        erl.kill()
        self.assert_mesh([first, second, erl.start()], JOINED)
        erl.kill()
        erl.cookie = NEW
        self.assert_mesh([first, second, erl.start()], JOINED)
        self.assertNotIn(NEW, first.log() + first.get('/')[1])

    def test_a_restarted_peer_of_the_old_cookie_is_dialled_with_it(self):
        """It dials nobody, so our own dial has to succeed."""
        self.dns(1, 2)
        node, erl = self.clu(1), self.erl(2, refresh=None)
        self.assert_mesh([node.start(), erl.start()], JOINED)
        self.roll(node, NEW)
        erl.kill()
        self.assert_mesh([node, erl.start()], JOINED)

    def test_the_old_one_is_good_no_longer_than_told(self):
        self.dns(1, 2)
        node, erl = self.clu(1, env={'COOKIE_OVERLAP': '2'}), self.erl(2, refresh=500)
        self.assert_mesh([node.start(), erl.start()], JOINED)
        self.roll(node, NEW)
        erl.kill()
        time.sleep(2.5)
        erl.start()
        found = eventually('it is missing at the cookie', JOINED,
                           lambda: node.missing('10.42.0.2') or {}).get('stage')
        eventually('it is missing at the cookie', JOINED,
                   lambda: (node.missing('10.42.0.2') or {}).get('stage') == 'cookie')
        self.assertEqual(set(), node.nodes(), found)

    def test_a_file_without_a_cookie_changes_nothing(self):
        self.dns(1, 2)
        node, erl = self.clu(1), self.erl(2)
        self.assert_mesh([node.start(), erl.start()], JOINED)
        path = node.pod.dir / f'cookie-{node.name}'
        path.unlink()
        path.write_text('\n')
        eventually('the log says that the cookie stays', READ,
                   lambda: 'the cookie that was read before stays' in node.log())
        erl.kill()
        self.assert_mesh([node, erl.start()], JOINED)
        self.assertNotIn(COOKIE, node.log())
