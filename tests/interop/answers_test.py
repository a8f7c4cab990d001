# SPDX-License-Identifier: Apache-2.0
"""What real nodes ask of a peer, and that they get their answers at once."""

import json
import re
import time

from lab.case import LabCase, per_release
from lab.nodes import AT_ONCE, HAS_POOLED_NAMES, eventually, ping


class Answers(LabCase):
    def linked(self, release, **options):
        self.dns(1, 2)
        node, erl = self.clu(1, **options).start(), self.erl(2, release).start()
        self.assert_mesh([node, erl], 15)
        return node, erl

    def assert_at_once(self, expected, erl, text):
        value, seconds = erl.timed(text)
        self.assertEqual(expected, value, text)
        self.assertLess(seconds, AT_ONCE, text)

    def assert_global_works(self, erl, name):
        self.assert_at_once('ok', erl, 'global:sync()')
        self.assert_at_once('yes', erl, f'global:register_name({name}, self())')
        self.assert_at_once('true', erl, f'global:trans({{{name}, self()}}, fun() -> true end)')

    @per_release
    def test_global_is_not_held_up(self, release):
        self.dns(1, 2, 3)
        node, one, two = self.clu(1), self.erl(2, release), self.erl(3, release)
        nodes = [peer.start() for peer in (node, one, two)]
        self.assert_mesh(nodes, 15)
        for erl in (one, two):
            self.assert_global_works(erl, 'while_connected')
        node.process.popen.terminate()
        node.process.wait()
        self.assert_mesh([one, two], 10)
        self.assert_global_works(one, 'after_it_left')
        node.start()
        self.assert_mesh(nodes, 15)
        self.assert_global_works(two, 'when_it_is_back')
        node.kill()
        self.assert_mesh([one, two], 10)
        self.assert_global_works(two, 'after_it_was_killed')
        self.assert_quiet(nodes)

    @per_release
    def test_ping_both_ways(self, release):
        node, erl = self.linked(release)
        self.assert_at_once('pong', erl, f"net_adm:ping('{node.name}')")
        for name in (erl.name, node.name):
            status, word, text = ping(self.lab.pod(3), name)
            self.assertEqual((0, 'pong'), (status, word), text)
        self.assert_quiet([erl])

    @per_release
    def test_nobody_is_answered_at_once(self, release):
        """Callers of what we do not have must hear noproc now, not time out later."""
        node, erl = self.linked(release)
        name = node.name
        self.assert_at_once(f"{{exit,{{noproc,{{gen_server,call,[{{nobody,'{name}'}},hi,5000]}}}}}}", erl,
                            f"try gen_server:call({{nobody, '{name}'}}, hi, 5000) catch C:R -> {{C, R}} end")
        self.assert_at_once('noproc', erl, f"M = monitor(process, {{nobody, '{name}'}}), "
                                           "receive {'DOWN', M, _, _, Why} -> Why end")
        self.assert_at_once(f"{{[],['{name}']}}", erl,
                            f"gen_server:multi_call(['{name}'], nobody, hi, 10000)")
        # Two pids that nobody has: one of now, one of an incarnation before.
        old, dead = (f'P = binary_to_term(<<131,88,119,{len(name)},"{name}",1000:32,0:32,{creation}:32>>), '
                     for creation in (5, self.creation(node)))
        self.assert_at_once('noproc', erl, old + "M = monitor(process, P), "
                                                 "receive {'DOWN', M, _, _, Why} -> Why end")
        self.assert_at_once('noproc', erl, dead + "M = monitor(process, P), "
                                                  "receive {'DOWN', M, _, _, Why} -> Why end")
        self.assert_at_once('noproc', erl, dead + "process_flag(trap_exit, true), link(P), "
                                                  "receive {'EXIT', P, Why} -> Why end")
        # Unlink is answered too: an unanswered one would leak on the other side.
        self.assert_at_once('true', erl, dead + 'process_flag(trap_exit, true), link(P), unlink(P)')
        self.assert_at_once('gone', erl, f"{{nobody, '{name}'}} ! gone")
        self.assertIn(name, erl.nodes())
        self.assert_quiet([erl])

    def creation(self, node):
        """What a node announces as its creation."""
        dialler = self.scripted('asks').dial(node.pod.address, self.dist_port(node))
        dialler.send_name()
        dialler.recv_status()
        dialler.recv_challenge()
        dialler.close()
        return dialler.peer_creation

    @per_release
    def test_functions_that_are_not_there(self, release):
        node, erl = self.linked(release)
        self.assert_at_once("{badrpc,{'EXIT',{undef,[{nosuch,fun_of_it,[a],[]}]}}}", erl,
                            f"rpc:call('{node.name}', nosuch, fun_of_it, [a], 10000)")
        self.assert_at_once('true', erl, f"rpc:cast('{node.name}', nosuch, fun_of_it, [])")
        self.assert_at_once(f"'{node.name}'", erl, f"rpc:call('{node.name}', erlang, node, [])")
        self.assert_at_once('pong', erl, f"net_adm:ping('{node.name}')")
        self.assertIn(node.name, erl.nodes())

    @per_release
    def test_calls_to_all_nodes(self, release):
        """A call to nodes() is answered by this one as by the others."""
        self.dns(1, 2, 3)
        node, one, two = self.clu(1), self.erl(2, release), self.erl(3, release)
        nodes = [peer.start() for peer in (node, one, two)]
        self.assert_mesh(nodes, 15)
        both = ','.join(f"'{name}'" for name in sorted((node.name, two.name)))
        self.assert_at_once(f'{{[{both}],[]}}', one, '{Results, Bad} = rpc:multicall(nodes(), erlang, node, [], 10000), '
                                                     '{lists:sort(Results), Bad}')
        self.assert_at_once(f'[{both}]', one, 'lists:sort([N || {ok, N} <- '
                                              'erpc:multicall(nodes(), erlang, node, [], 10000)])')
        self.assert_mesh(nodes, AT_ONCE)

    @per_release
    def test_pg_scopes_live_on(self, release):
        """A stray message crashes a scope of pg; it must be the same process afterwards."""
        self.dns(1, 2)
        erl = self.erl(2, release).start()
        erl.eval('pg:start(lab_scope), ok')
        before = erl.eval('whereis(lab_scope)')
        node = self.clu(1).start()
        self.assert_mesh([node, erl], 15)
        time.sleep(1)
        self.assertEqual(before, erl.eval('whereis(lab_scope)'))

    def test_pings_leave_nothing(self):
        """Who only asks is no member of the cluster: no row stays, and no line warns."""
        node = self.clu(1, discover=()).start()
        before = node.log()
        for _ in range(3):
            status, word, text = ping(self.lab.pod(2), node.name)
            self.assertEqual((0, 'pong'), (status, word), text)
        eventually('no row is left', 5, lambda: node.cluster()['peers'] == [])
        status, body = node.get('/api/v1/peers')
        self.assertEqual((200, []), (status, json.loads(body)['peers']))
        new = node.log()[len(before):].splitlines()
        self.assertEqual([], [line for line in new if re.search('warn|error', line, re.I)])

    @per_release
    def test_pings_leave_no_atoms(self, release):
        """100 pings from anywhere: the peer pools the dynamic names of one host part, and makes another where
        it has not heard yet that the one before has gone: so that is waited for."""
        erl = self.erl(2, release, refresh=None).start()
        pods = [self.lab.pod(number) for number in (3, 4, 5, 6)]

        def ask(pod):
            status, _, text = ping(pod, erl.name)
            self.assertEqual(0, status, text)
            eventually('its name is back in the pool', 5, lambda: erl.eval(HAS_POOLED_NAMES) == 'true')

        for pod in pods[:2]:
            ask(pod)
        erl.atoms()
        before = erl.atoms()
        for i in range(100):
            ask(pods[i % len(pods)])
        self.assertEqual(before, erl.atoms())
        eventually('the last one has gone', 5, lambda: erl.nodes('hidden') == set())
        self.assert_quiet([erl])
