# SPDX-License-Identifier: Apache-2.0
"""gossip: beside an Elixir node that speaks libcluster's packets: each finds the other, by multicast and
by broadcast, with a secret and without; and what is said when they cannot."""

import json
import shutil
from pathlib import Path

from lab.case import LabCase
from lab.nodes import COOKIE, erlclu, eventually

PROGRAM = Path(__file__).with_name('gossip.exs')
GROUP, BROADCAST, PORT = '233.252.1.32', '10.42.0.255', '45892'
# A packet comes within 5 s, an Elixir node takes some to start; more of both where the machine does other work.
FOUND_SECONDS = 60


class ElixirNode:
    def __init__(self, pod, role='both', to=GROUP, secret=None):
        self.pod, self.name = pod, f'app@{pod.address}'
        secret_file = '-'
        if secret is not None:
            secret_file = pod.dir / 'secret.elixir'
            secret_file.write_text(secret + '\n')
        self.argv = ['elixir', '--name', self.name, '--cookie', COOKIE, PROGRAM, role, pod.address, to, PORT,
                     secret_file]

    def start(self):
        # Elixir says what it prints in the encoding of the locale.
        self.process = self.pod.start([str(arg) for arg in self.argv], f'{self.name}.log', env={'LC_ALL': 'C.UTF-8'})
        eventually('Elixir runs', FOUND_SECONDS, lambda: self.alive() and self.said())
        return self

    def alive(self):
        if not self.process.alive():
            raise AssertionError(f'{self.name} ended: {self.process.log()}')
        return True

    def said(self):
        return [line for line in self.process.log().splitlines() if line.startswith('nodes:')]

    def nodes(self):
        return set(self.said()[-1].split()[1:])


class Gossip(LabCase):
    def setUp(self):
        super().setUp()
        if shutil.which('elixir') is None:
            self.fail('the test needs elixir: scripts/setup test')

    def elixir(self, number, *args, **options):
        return ElixirNode(self.lab.pod(number), *args, **options).start()

    def gossip(self, number, options='', to='', secret=None):
        """A node of ours that discovers by gossip alone."""
        if secret is not None:
            path = self.lab.pod(number).dir / 'secret'
            path.write_text(secret + '\n')
            options += f'&secret-file={path}'
        spec = f'gossip:{to}?{options.lstrip("&")}'.rstrip('?')
        return self.clu(number, discover=[spec]).start()

    def assert_linked(self, node, *others):
        names = {other.name for other in others}
        eventually(f'{node} has links to {names}', FOUND_SECONDS, lambda: node.nodes() == names)
        for other in others:
            eventually(f'{other.name} has a link to {node}', FOUND_SECONDS, lambda: node.name in other.nodes())

    def source(self, node):
        return json.loads(node.get('/api/v1/discovery')[1])['sources'][0]

    def assert_says(self, node, words):
        """In the status as long as it lasts, in the log once."""
        eventually(f'{node} says "{words}"', FOUND_SECONDS, lambda: words in (self.source(node)['reason'] or ''))
        eventually('so does its log', FOUND_SECONDS, lambda: words in node.log())
        self.assertEqual(1, node.log().count(words), node.log())

    def test_multicast(self):
        self.assert_linked(self.gossip(1), self.elixir(2))

    def test_secret(self):
        self.assert_linked(self.gossip(1, secret='shared'), self.elixir(2, secret='shared'))

    def test_broadcast(self):
        self.assert_linked(self.gossip(1, 'broadcast=1', to=BROADCAST), self.elixir(2, to=BROADCAST))

    def test_we_hear(self):
        """It connects to nobody: the link is ours."""
        self.assert_linked(self.gossip(1), self.elixir(2, 'speaks'))

    def test_we_are_heard(self):
        """It says nothing: the link is its own, made of our packets, with a secret and without."""
        for secret in (None, 'shared'):
            with self.subTest(secret=secret):
                node = self.gossip(1, secret=secret)
                self.assert_linked(node, self.elixir(2, 'hears', secret=secret))
                self.doCleanups()
                self.addCleanup(self.lab.clean)

    def test_another_secret(self):
        node, elixir = self.gossip(1, secret='ours'), self.elixir(2, secret='theirs')
        self.assert_says(node, 'another secret?')
        self.assertEqual((set(), set()), (node.nodes(), elixir.nodes()))

    def test_a_secret_that_is_rolled(self):
        node, elixir = self.gossip(1, secret='old'), self.elixir(2, 'speaks', secret='new')
        self.assert_says(node, 'another secret?')
        (node.pod.dir / 'secret').write_text('new\n')
        self.assert_linked(node, elixir)

    def test_one_has_a_secret(self):
        for ours, words in (('ours', 'not sealed'), (None, 'those nodes have a secret')):
            with self.subTest(words):
                node = self.gossip(1, secret=ours)
                elixir = self.elixir(2, secret=None if ours else 'theirs')
                self.assert_says(node, words)
                self.assertEqual((set(), set()), (node.nodes(), elixir.nodes()))
                self.doCleanups()
                self.addCleanup(self.lab.clean)

    def test_nobody(self):
        self.assert_says(self.gossip(1), '0 packets in 10 s')

    def test_no_secret_file(self):
        node = self.clu(1, discover=['gossip:?secret-file=/no/such/file']).start()
        self.assert_says(node, 'cannot read the secret in /no/such/file: No such file or directory')

    def test_the_secret_is_not_told(self):
        node = self.gossip(1, secret='sesame-of-the-lab')
        self.assert_linked(node, self.elixir(2, secret='sesame-of-the-lab'))
        told = [node.log(), *(node.get(path)[1] for path in ('/', '/api/v1/discovery', '/api/v1/cluster', '/metrics'))]
        self.assertFalse([text for text in told if 'sesame' in text])

    def test_discover_lists_who_speaks(self):
        """A command says nothing of itself: nobody dials it."""
        node, elixir = self.gossip(1), self.elixir(2)
        self.assert_linked(node, elixir)
        names = {node.name, elixir.name}
        for _ in range(3):  # it listens a second longer than they are silent: a machine that does other work may take it
            done = erlclu(self.lab.pod(3), 'discover', 'gossip:?interface=10.42.0.3')
            if names <= set(done.stdout.split()):
                break
        self.assertEqual(0, done.returncode, done.stdout + done.stderr)
        for name in names:
            self.assertIn(name, done.stdout)
        self.assertNotIn('10.42.0.3', node.log() + elixir.process.log())
