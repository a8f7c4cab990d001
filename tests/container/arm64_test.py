# SPDX-License-Identifier: Apache-2.0
"""The arm64 program, run by qemu, beside this machine's own and beside Erlang. tests/container/arm64
starts the lab with ERLCLU set to it."""

import os
import re
from pathlib import Path

from lab.case import LabCase, per_release
from lab.nodes import COOKIE, ERLCLU, CluNode, erlclu, eventually, ping
from lab.otp import TOP
from lab.pods import SERVICE

NATIVE = Path(os.environ.get('ERLCLU_NATIVE') or TOP / 'build' / 'static' / 'erlclu')
# Translated code is an order of magnitude slower; the mesh is there long before.
FORM = 30
# Translation happens once a process and makes no command slow enough to need more.
TIMEOUT = 60


class NativeNode(CluNode):
    program = NATIVE


class Arm64(LabCase):
    def native(self, number, **options):
        return NativeNode(self.lab.pod(number), **options)

    def native_run(self, pod, *argv):
        return pod.run([NATIVE, *argv], env={'RELEASE_COOKIE': COOKIE})

    def test_it_is_what_runs(self):
        self.assertEqual('erlclu-arm64', ERLCLU.name)
        node = self.clu(2, discover=()).start()
        self.assertIn('qemu-aarch64', os.readlink(f'/proc/{node.process.pid}/exe'))
        done = erlclu(self.lab.pod(1), 'version')
        self.assertEqual(0, done.returncode, done)
        self.assertEqual(self.native_run(self.lab.pod(1), 'version').stdout, done.stdout)

    def test_help_is_the_same_on_both(self):
        pod = self.lab.pod(1)
        overview = self.native_run(pod, '--help').stdout
        commands = re.findall(r'^  ([a-z]+) ', overview, re.M)
        self.assertIn('run', commands)
        for words in [['--help'], *([command, '--help'] for command in commands)]:
            with self.subTest(words=words):
                self.assertEqual(self.native_run(pod, *words).stdout, erlclu(pod, *words).stdout)

    def test_epmd_and_names(self):
        pod = self.lab.pod(1)
        pod.start([ERLCLU, 'epmd'], 'epmd.log')
        eventually('epmd answers', TIMEOUT, lambda: erlclu(pod, 'names').returncode == 0)
        node = self.native(1, discover=(), args=['--epmd', 'external']).start()
        eventually(f'epmd lists {node}', TIMEOUT, lambda: 'erlclu at port' in erlclu(pod, 'names').stdout)
        self.assertIn('erlclu at port', self.native_run(pod, 'names').stdout)

    def test_ping_each_way(self):
        native, ours = self.native(1, discover=()).start(), self.clu(2, discover=()).start()
        status, word, text = ping(self.lab.pod(3), native.name, timeout=TIMEOUT)
        self.assertEqual((0, 'pong'), (status, word), text)
        done = self.native_run(self.lab.pod(3), 'ping', ours.name)
        self.assertEqual((0, 'pong'), (done.returncode, done.stdout.split()[0]), done)
        self.assertEqual(10, ping(self.lab.pod(3), native.name, cookie='another')[0], 'the status of a cookie')

    @per_release
    def test_mesh(self, release):
        """One of each; then the arm64 node dies and comes back, and leaves well at the end."""
        self.dns(1, 2, 3)
        ours = self.clu(1)
        nodes = [ours, self.native(2), self.erl(3, release)]
        for node in nodes:
            node.start()
        self.assert_mesh(nodes, FORM)
        for path in ('/livez', '/readyz', '/metrics', '/'):
            self.assertEqual(200, ours.get(path)[0], path)
        self.assertIn(f'connected_node_count{{node="{ours.name}"}} 3', ours.get('/metrics')[1].splitlines())
        ours.kill()
        self.assert_mesh(nodes[1:], FORM)
        ours.start()
        self.assert_mesh(nodes, FORM)
        self.assertEqual(0, ours.process.kill(15))
        self.assert_mesh(nodes[1:], FORM)
        self.assert_quiet(nodes)

    def test_discover(self):
        self.dns(1, 2)
        done = erlclu(self.lab.pod(3), 'discover', '--short', f'dns:{SERVICE}')
        self.assertEqual(['10.42.0.1', '10.42.0.2'], sorted(done.stdout.split()), done)

    def test_install_copies_the_program(self):
        pod = self.lab.pod(1)
        out = pod.dir / 'out'
        out.mkdir()
        done = erlclu(pod, 'install', out)
        program = Path(os.environ.get('ERLCLU_ARM64') or TOP / 'build' / 'static-arm64' / 'erlclu')
        self.assertEqual(program.read_bytes(), (out / 'erlclu').read_bytes(), done)
