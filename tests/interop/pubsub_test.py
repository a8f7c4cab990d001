# SPDX-License-Identifier: Apache-2.0
"""A program of ours among Phoenix.PubSub's nodes: it joins the scope, gets broadcasts and makes one."""

import shutil
from pathlib import Path

from elixir_test import ElixirNode
from lab.case import LabCase
from lab.member import PgMember, ask, linked
from lab.nodes import eventually
from lab.otp import HOST_RELEASE

SEEN = 20  # seconds
SCOPE = "'Elixir.Phoenix.PubSub'"
GROUP = "'Elixir.Lab.PubSub.Adapter'"
PEER = Path(__file__).with_name('pubsub.exs')


class PubSub(LabCase):
    def setUp(self):
        super().setUp()
        if shutil.which('elixir') is None:
            self.fail('the test needs elixir: scripts/setup test')

    def elixir(self, number):
        node = ElixirNode(self.lab.pod(number), self.lab.otp(HOST_RELEASE)).start()
        source = node.pod.dir / PEER.name
        source.write_text(PEER.read_text())
        node.ex(f'Code.require_file("{source}"); Lab.PubSub.start_for_good(2)')
        node.ex('Process.register(Lab.PubSub.subscribe("room:1"), :reader); '
                ':persistent_term.put(:scope, Process.whereis(Phoenix.PubSub))')
        return node

    def seen(self, node, expected):
        eventually(f'{node} has read {expected}', SEEN, lambda: node.ex('Lab.PubSub.seen(:reader)') == expected)

    def taken(self, node, member, expected):
        """What our process has got since."""
        def enough():
            text = node.eval(f"Ours = persistent_term:get(ours), {ask(member, '{take, Ours}')}")
            return text != '[]' and text
        self.assertEqual(expected, eventually('our process has got a message', SEEN, enough))

    def test_a_broadcast_each_way(self):
        self.dns(1, 2, 3)
        one, two = self.elixir(2), self.elixir(3)
        member = PgMember(self.lab.pod(1)).start()
        linked(member, one, two)
        self.assertEqual('true', one.ex(f'Node.connect(:"{two.name}")'))
        self.assertEqual('ok', one.eval(ask(member, f'{{start, {SCOPE}}}')))
        one.eval(f'persistent_term:put(ours, {ask(member, f"{{spawn, {GROUP}}}")})')
        one.eval(f'Ours = persistent_term:get(ours), ok = {ask(member, f"{{join, Ours, {SCOPE}, {GROUP}}}")}')
        for node in (one, two):
            eventually(f'{node} has three workers', SEEN, lambda node=node: node.ex(
                'length(:pg.get_members(Phoenix.PubSub, Lab.PubSub.Adapter))') == '3')
        one.ex('Lab.PubSub.broadcast("room:1", {:said, "hello", %{by: 1}})')
        self.taken(one, member, "[{forward_to_local,<<\"room:1\">>,{said,<<\"hello\">>,#{by => 1}},"
                                "'Elixir.Phoenix.PubSub'}]")
        two.ex(f'Lab.PubSub.direct_broadcast(:"{member.name}", "room:1", "only you")')
        self.taken(one, member, "[{forward_to_local,<<\"room:1\">>,<<\"only you\">>,'Elixir.Phoenix.PubSub'}]")
        message = f"{{forward_to_local, <<\"room:1\">>, #{{from => c}}, {SCOPE}}}"
        self.assertEqual('ok', one.eval(
            f"Ours = persistent_term:get(ours), {ask(member, f'{{send, Ours, {SCOPE}, {GROUP}, remote, {message}}}')}"))
        self.seen(one, '[{:said, "hello", %{by: 1}}, %{from: :c}]')
        self.seen(two, '[{:said, "hello", %{by: 1}}, %{from: :c}]')
        for node in (one, two):
            self.assertEqual('true', node.ex('Process.whereis(Phoenix.PubSub) == :persistent_term.get(:scope)'))
        member.quit(one)
        eventually('two workers are left', SEEN, lambda: one.ex(
            'length(:pg.get_members(Phoenix.PubSub, Lab.PubSub.Adapter))') == '2')
        self.assert_quiet([one, two])
