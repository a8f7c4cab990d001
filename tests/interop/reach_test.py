# SPDX-License-Identifier: Apache-2.0
"""`wait --reachable`: nodes are counted that answer a handshake; they hear of nothing else."""

from lab.case import LabCase, per_release
from lab.nodes import erlclu, eventually
from lab.pods import SERVICE


class Reach(LabCase):
    def wait(self, *options, pod=9, env=None):
        return erlclu(self.lab.pod(pod), 'wait', *options, cookie='of-somebody-else', env=env)

    @per_release
    def test_beams_and_ours_are_counted_and_left_alone(self, release):
        """No cookie is needed, no link comes about, and the second probe adds no atom."""
        self.dns(1, 2, 3)
        node, erl = self.clu(1).start(), self.erl(2, release, refresh=None).start()
        self.assert_mesh([node, erl], 10)
        done = self.wait('--reachable', '2', '--timeout', '10', f'dns:{SERVICE}')
        self.assertEqual((0, ''), (done.returncode, done.stderr))
        atoms = erl.atoms()
        for _ in range(5):
            self.assertEqual(0, self.wait('--reachable', '2', f'dns:{SERVICE}').returncode)
        self.assertEqual(atoms, erl.atoms())
        self.assertEqual(({node.name}, {erl.name}), (erl.nodes('connected'), node.nodes()))
        self.assert_quiet([erl])
        self.assertNotIn('warning refused', node.log())
        done = self.wait('--reachable', '3', '--timeout', '5', f'dns:{SERVICE}')
        self.assertEqual(1, done.returncode)
        self.assertIn('2 of 3', done.stderr)

    def test_a_node_of_another_name_is_there_all_the_same(self):
        self.dns(2)
        self.erl(2, name='other@10.42.0.2', refresh=None).start()
        self.assertEqual(0, self.wait('--reachable', '1', '--timeout', '10', f'dns:{SERVICE}').returncode)

    def test_for_oneself(self):
        """The first pod of all would wait for ever: it is told, and there is a way out."""
        self.dns(9)
        here = {'MY_POD_IP': '10.42.0.9'}
        done = self.wait('--reachable', '1', '--timeout', '12', f'dns:{SERVICE}', env=here)
        self.assertEqual(1, done.returncode)
        waiting, end = done.stderr.splitlines()
        self.assertIn('waiting: ', waiting, 'told while it waits, and once')
        for line in (waiting, end):
            self.assertIn('only this pod', line)
            self.assertIn('--or-first', line)
        done = self.wait('--reachable', '1', '--or-first', '--timeout', '8', f'dns:{SERVICE}', env=here)
        self.assertEqual((0, ''), (done.returncode, done.stderr))

    def test_only_the_first_goes_ahead(self):
        self.dns(8, 9)
        for pod, status in ((8, 0), (9, 1)):
            with self.subTest(pod=pod):
                done = self.wait('--reachable', '1', '--or-first', '--timeout', '8', f'dns:{SERVICE}', pod=pod,
                                 env={'MY_POD_IP': f'10.42.0.{pod}'})
                self.assertEqual(status, done.returncode, done.stderr)

    def test_it_waits_until_they_come(self):
        self.dns(1, 2)
        self.clu(1).start()
        pod = self.lab.pod(9)
        process = pod.start([str(self.clu(9).program), 'wait', '--reachable', '2', '--timeout', '40', f'dns:{SERVICE}'],
                            'wait.log')
        with self.assertRaises(Exception):
            process.wait(2)
        self.clu(2).start()
        eventually('it goes on', 10, lambda: process.popen.poll() is not None)
        self.assertEqual(0, process.popen.returncode)
