# SPDX-License-Identifier: Apache-2.0
"""An Elixir node, and what Elixir programs do with their peers: Node, GenServer, Task.Supervisor,
:erpc, and the scope of :pg under Phoenix.PubSub."""

import shutil
import time

from lab.case import LabCase
from lab.nodes import AT_ONCE, CONTROL_PORT, COOKIE, TOP, ErlNode, eventually, ping
from lab.otp import HOST_RELEASE
from lab.pods import SERVICE

JOINED = 15


class ElixirNode(ErlNode):
    """The lab's program, started by `elixir`; `ex` evaluates in Elixir's syntax."""

    def __init__(self, pod, otp):
        super().__init__(pod, otp, f'app@{pod.address}', env={'LC_ALL': 'C.UTF-8'})
        ebin = otp.compile(TOP / 'tests' / 'lab' / 'lab.erl')
        start = f":lab.start(['{CONTROL_PORT}', 'never', '{SERVICE}'])"
        self.erl = ['elixir', '--name', self.name, '--cookie', COOKIE, '-pa', ebin, '-e', start]

    def ex(self, text):
        quoted = text.replace('\\', '\\\\').replace('"', '\\"')
        return self.eval(f"{{text, 'Elixir.Kernel':inspect(element(1, 'Elixir.Code':eval_string(<<\"{quoted}\">>)))}}")


class Elixir(LabCase):
    def setUp(self):
        super().setUp()
        if shutil.which('elixir') is None:
            self.fail('the test needs elixir: scripts/setup test')

    def elixir(self, number):
        return ElixirNode(self.lab.pod(number), self.lab.otp(HOST_RELEASE))

    def linked(self):
        """Found through DNS; the only name of its epmd is dialled."""
        self.dns(1, 2)
        node, elixir = self.clu(1).start(), self.elixir(2).start()
        self.assert_mesh([node, elixir], JOINED)
        return node, elixir

    def assert_at_once(self, expected, elixir, text):
        begin = time.monotonic()
        value = elixir.ex(text)
        seconds = time.monotonic() - begin
        self.assertEqual(expected, value, text)
        self.assertLess(seconds, AT_ONCE, text)

    def test_both_list_a_visible_link(self):
        node, elixir = self.linked()
        atom = f':"{node.name}"'
        self.assertEqual(f'[{atom}]', elixir.ex('Node.list()'))
        self.assertEqual('[]', elixir.ex('Node.list(:hidden)'))
        row = node.peer(elixir.name)
        self.assertEqual(('linked', True), (row['state'], row['visible']))
        self.assert_at_once(':pong', elixir, f'Node.ping({atom})')
        self.assert_at_once('true', elixir, f'Node.connect({atom})')
        status, word, text = ping(self.lab.pod(3), elixir.name)
        self.assertEqual((0, 'pong'), (status, word), text)
        self.assert_quiet([elixir])

    def test_it_dials_us_and_hears_when_we_leave(self):
        node, elixir = self.clu(1, discover=()).start(), self.elixir(2).start()
        told = elixir.ex('pid = spawn(fn -> :net_kernel.monitor_nodes(true); Process.sleep(:infinity) end); '
                         'Process.register(pid, :hears); Process.alive?(pid)')
        self.assertEqual('true', told)
        self.assertEqual('true', elixir.ex(f'Node.connect(:"{node.name}")'))
        self.assert_mesh([node, elixir], JOINED)
        node.process.popen.terminate()
        eventually('it is told of both', JOINED, lambda: elixir.ex(
            'Process.info(Process.whereis(:hears), :messages)') ==
            f'{{:messages, [nodeup: :"{node.name}", nodedown: :"{node.name}"]}}')
        self.assertEqual(set(), elixir.nodes())

    def test_what_is_not_here_is_refused_at_once(self):
        node, elixir = self.linked()
        there = f':"{node.name}"'
        for text, expected in {
                f'try do :erpc.call({there}, :erlang, :processes, []) catch c, r -> {{c, r}} end':
                    '{:error, {:exception, :undef, [{:erlang, :processes, [], []}]}}',
                f'case :rpc.call({there}, :erlang, :processes, []) do {{:badrpc, _}} -> :badrpc end': ':badrpc',
                f':rpc.call({there}, :erlang, :node, [])': there,
                f'try do GenServer.call({{:nobody, {there}}}, :hi) catch :exit, {{why, _}} -> why end': ':noproc',
                f'GenServer.cast({{:nobody, {there}}}, :hi)': ':ok',
                f'ref = Process.monitor({{:nobody, {there}}}); '
                'receive do {:DOWN, ^ref, _, _, why} -> why end': ':noproc',
                f'try do Task.Supervisor.async({{:nobody, {there}}}, fn -> 1 end) catch :exit, {{why, _}} -> why end':
                    ':noproc',
                f'GenServer.multi_call([{there}], :nobody, :hi)': f'{{[], [{there}]}}',
        }.items():
            with self.subTest(text):
                self.assert_at_once(expected, elixir, text)
        self.assert_at_once(':pong', elixir, f'Node.ping({there})')
        self.assertEqual({node.name}, elixir.nodes())

    def test_a_scope_of_pubsub_lives_on(self):
        self.dns(1, 2, 3)
        pubs = [self.elixir(number).start() for number in (2, 3)]
        for elixir in pubs:
            elixir.ex('{:ok, pid} = :pg.start(Phoenix.PubSub); '
                      'member = spawn(fn -> Process.sleep(:infinity) end); :pg.join(Phoenix.PubSub, :topic, member)')
        before = [elixir.ex('inspect(Process.whereis(Phoenix.PubSub))') for elixir in pubs]
        node = self.clu(1).start()
        eventually('it is linked to both', JOINED, lambda: len(node.nodes()) == 2)
        self.assertEqual('true', pubs[0].ex(f'Node.connect(:"{pubs[1].name}")'))
        for elixir in pubs:
            eventually('both members are known', JOINED,
                       lambda elixir=elixir: elixir.ex('length(:pg.get_members(Phoenix.PubSub, :topic))') == '2')
        self.assert_at_once(':ok', pubs[0], ':global.sync()')
        self.assertEqual(before, [elixir.ex('inspect(Process.whereis(Phoenix.PubSub))') for elixir in pubs])
        self.assert_mesh([node, *pubs], JOINED)
