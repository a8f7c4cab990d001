# SPDX-License-Identifier: Apache-2.0
"""global: names, locks and partitions of a cluster of three real nodes and one of ours."""

import random
import re
import signal
import time

from lab.case import LabCase
from lab.namer import Namer
from lab.nodes import eventually

SYNCED = 20
DRAIN = 25  # seconds, in which another Erlang node starts and meets all
LATE = 60  # seconds: what may wait for a lock, with pauses of up to 8 s


class GlobalCase(LabCase):
    """Three Erlang nodes of three releases; ours; and a hidden node, which is no part of it all, to ask."""

    def start(self, name=None, linked=True, args=()):
        self.erls = [self.erlang(number, release, args=args) for number, release in enumerate((25, 27, 29), 1)]
        if linked:
            for erl in self.erls[1:]:
                self.assertEqual('pong', self.erls[0].eval(f"net_adm:ping('{erl.name}')"))
        self.asker = self.erl(8, 27, name='asker@10.42.0.8', refresh=None,
                              args=['-hidden', *args]).start()
        self.namer = self.another(9, name)

    def erlang(self, number, release=25, base='e', args=()):
        return self.erl(number, release, name=f'{base}{number}@10.42.0.{number}', refresh=None, args=args).start()

    def another(self, number, name=None):
        return Namer(self.lab.pod(number), name=name).start().join(self.asker)

    def join(self, *nodes):
        self.namer.join(self.erls[0])
        self.synced(*(nodes or (*self.erls, self.namer)))

    def program(self, *args, **options):
        """`erlclu run --global` beside the others, in sync."""
        clu = self.clu(6, ['--global', *args], name='clu@10.42.0.6', discover=(), **options).start()
        self.assertEqual('pong', self.erls[1].eval(f"net_adm:ping('{clu.name}')"))
        for node in (*self.erls, clu):
            eventually(f'{node} knows all', SYNCED,
                       lambda node=node: self.known(node) == {n.name for n in (*self.erls, clu)} - {node.name})
        return clu

    def synced(self, *nodes):
        """All are linked with all, and know each other."""
        names = {node.name for node in nodes}
        for node in nodes:
            eventually(f'{node} knows all', SYNCED, lambda node=node: self.known(node) == names - {node.name})
        for node in nodes:
            if node not in self.erls:
                self.assertEqual('ok', self.ask('sync, []', node))
            else:
                eventually(f'{node} is linked with all', SYNCED,
                           lambda node=node: node.nodes() == names - {node.name})
                self.assertEqual('ok', node.eval('global:sync()'))

    def ask(self, call, node=None, timeout=LATE):
        return (node or self.namer).ask(self.asker, call, timeout)

    def known(self, node):
        """The nodes that a node's global knows."""
        text = self.asker.eval(f'{{text, lists:join(" ", [atom_to_list(case N of {{M, _}} -> M; N -> N end) || '
                               f"N <- gen_server:call({{global_name_server, '{node.name}'}}, get_known)])}}")
        return set(text.split())

    def owner(self, name, node):
        """Where the process is that has a name, as a node's global says."""
        return self.asker.eval(f"case rpc:call('{node.name}', global, whereis_name, [{name}]) of "
                               f'P when is_pid(P) -> node(P); X -> X end').strip("'")

    def assert_owner(self, name, expected, *nodes):
        for node in nodes or (*self.erls, self.namer):
            eventually(f'{node}: {name} is at {expected}', 10,
                       lambda node=node: self.owner(name, node) == expected)

    def register(self, erl, name, method='fun global:random_exit_name/3', timeout=LATE):
        """A new process, which keeps what it hears, gets a name."""
        return erl.eval(
            f'F = fun(G, L) -> receive {{get, P}} -> P ! L, G(G, L); stop -> ok; M -> G(G, [M | L]) end end, '
            f'P = spawn(fun() -> F(F, []) end), persistent_term:put(holder, P), '
            f'global:register_name({name}, P, {method})', timeout)

    def heard(self, erl):
        """What the process of the latest `register` has heard; dead when it has ended."""
        return erl.eval('P = persistent_term:get(holder), case is_process_alive(P) of true -> P ! {get, self()}, '
                        'receive L -> L after 5000 -> timeout end; false -> dead end')

    def keeper(self, erl, text, timeout=LATE):
        """What a process that stays makes of an expression: locks go with whoever holds them."""
        return erl.eval('F = fun(G) -> receive {run, P, R} -> P ! {ran, R()}, G(G) end end, '
                        'case whereis(keeper) of undefined -> register(keeper, spawn(fun() -> F(F) end)); _ -> ok end, '
                        f'keeper ! {{run, self(), fun() -> {text} end}}, receive {{ran, X}} -> X end', timeout)

    def assert_whole(self, gone=None):
        """No link between Erlang nodes has gone, and none of them says a word; but where one learns the end of
        a `gone` node of ours from another before it sees it itself, it says so, as it does of any node."""
        names = {erl.name for erl in self.erls}
        for erl in self.erls:
            self.assertEqual(names - {erl.name}, erl.nodes() & names, f'{erl}: {erl.log()}')
            words = erl.complaints()
            if gone is not None:  # and those before it, in the same pods
                words = re.sub(rf"=WARNING REPORT.*\n'global' at node '{erl.name}' requested disconnect from node "
                               r"'[a-z0-9]*@10.42.0.[69]' in order to prevent overlapping partitions\s*", '', words).strip()
            self.assertEqual('', words, f'{erl} complains')

    def assert_registers(self, *nodes):
        """Every Erlang node can still register names: no lock was left behind."""
        for erl in nodes or self.erls:
            name = f'name{random.getrandbits(40)}'
            self.assertEqual('yes', self.register(erl, name))


class Names(GlobalCase):
    def test_seen_everywhere(self):
        self.start()
        self.join()
        self.assertEqual('yes', self.ask('register, [{a,"name",1}, exit]'))
        self.assert_owner('{a,"name",1}', self.namer.name)
        self.assertEqual('no', self.register(self.erls[1], '{a,"name",1}'))
        for number, erl in enumerate(self.erls):
            self.assertEqual('yes', self.register(erl, f'there{number}'))
            self.assert_owner(f'there{number}', erl.name)
            self.assertEqual('no', self.ask(f'register, [there{number}, exit]'))
            self.assertEqual('true', self.ask(f'send, [there{number}, stop]'))
            self.assert_owner(f'there{number}', 'undefined')
        self.erls[2].eval('global:send({a,"name",1}, {hello, <<"x">>})')
        eventually('it was heard', 5, lambda: self.ask('heard, []') == '{hello,<<"x">>}')
        self.assertEqual('true', self.ask('kill, [{a,"name",1}]'))
        self.assert_owner('{a,"name",1}', 'undefined')
        self.assert_whole()

    def test_taken_and_given(self):
        self.start()
        self.join()
        self.assertEqual('yes', self.ask('register, [b, exit]'))
        self.assertEqual('yes', self.keeper(self.erls[1], 'global:re_register_name(b, self())'))
        self.assert_owner('b', self.erls[1].name)
        self.assertEqual('yes', self.ask('re_register, [b, exit]'))
        self.assert_owner('b', self.namer.name)
        self.assertEqual('ok', self.erls[2].eval('global:unregister_name(b)'))
        self.assert_owner('b', 'undefined')
        self.assertEqual('yes', self.register(self.erls[0], 'c'))
        self.assertEqual('ok', self.ask('unregister, [c]'))
        self.assert_owner('c', 'undefined')
        self.assertEqual('ok', self.ask('unregister, [nobodys]'))
        self.assert_whole()

    def test_from_before(self):
        """Each side has names when they meet."""
        self.start()
        self.assertEqual('yes', self.ask('register, [ours, exit]'))
        for erl in self.erls:
            self.assertEqual('yes', self.register(erl, f"'{erl.name}'"))
        self.join()
        self.assert_owner('ours', self.namer.name)
        for erl in self.erls:
            self.assert_owner(f"'{erl.name}'", erl.name)
        self.assertEqual('4', self.ask('names, []'))
        self.assert_whole()

    def test_pulled_in(self):
        """Nobody tells either of two of ours where the Erlang nodes are, but one of these."""
        self.start(linked=False)
        second = self.another(7)
        for erl in self.erls[1:]:
            self.assertEqual('pong', self.erls[0].eval(f"net_adm:ping('{erl.name}')"))
        self.assertEqual('pong', self.erls[2].eval(f"net_adm:ping('{second.name}')"))
        self.join(*self.erls, self.namer, second)
        self.assertEqual('yes', self.ask('register, [second, exit]', second))
        self.assert_owner('second', second.name, *self.erls, self.namer, second)
        self.assertEqual('no', self.ask('register, [second, exit]'))
        self.assert_whole()


class Conflicts(GlobalCase):
    """One name at both sides. The lesser node of two that meet decides; the lesser node's process stays."""

    NAMES = ('zeta@10.42.0.9', 'alpha@10.42.0.9')

    def conflict(self, name, ours, theirs, erls=1):
        self.start(name, linked=False)
        self.erls = self.erls[:erls]
        self.assertEqual('yes', self.ask(f'register, [x, {ours}]'))
        self.assertEqual('yes', self.register(self.erls[0], 'x', theirs))
        self.join()

    def each(self, ours, theirs, check):
        for name in self.NAMES:
            with self.subTest(name=name):
                try:
                    self.conflict(name, ours, theirs)
                    check(name.startswith('alpha'))
                    self.assert_whole()
                finally:
                    self.doCleanups()
                    self.addCleanup(self.lab.clean)

    def test_exit(self):
        def check(ours_stays):
            self.assert_owner('x', self.namer.name if ours_stays else self.erls[0].name)
            self.assertEqual('dead' if ours_stays else '[]', self.heard(self.erls[0]))
        self.each('exit', 'fun global:random_exit_name/3', check)

    def test_notify(self):
        def check(ours_stays):
            self.assert_owner('x', self.namer.name if ours_stays else self.erls[0].name)
            told = '{global_name_conflict,x}'
            self.assertEqual(f'[{told}]' if ours_stays else '[]', self.heard(self.erls[0]))
            self.assertEqual('nothing' if ours_stays else told, self.ask('heard, []'))
        self.each('notify', 'fun global:random_notify_name/3', check)

    def test_none(self):
        def check(_ours_stays):
            self.assert_owner('x', 'undefined')
            self.assertIn('{global_name_conflict,x,<', self.heard(self.erls[0]))
            self.assertIn('{global_name_conflict,x,<', self.ask('heard, []'))
        self.each('none', 'fun global:notify_all_name/3', check)

    def test_their_own_function(self):
        """The name of a process there was given with a fun of its own, which we only pass on: we meet
        the second owner, and ask the node of the first."""
        self.start('alpha@10.42.0.9', linked=False)
        first, second = self.erls[:2]
        self.assertEqual('yes', self.register(first, 'x', 'fun(_, P, Q) -> if node(P) > node(Q) -> P; true -> Q end end'))
        self.erls = [first]
        self.join()
        self.erls = [first, second]
        self.assertEqual('yes', self.register(second, 'x'))
        self.assertEqual('pong', second.eval(f"net_adm:ping('{self.namer.name}')"))
        self.synced(first, second, self.namer)
        self.assert_owner('x', second.name)
        self.assertEqual(['[]', '[]'], [self.heard(erl) for erl in self.erls])
        self.assert_whole()

    def test_asked_by_others(self):
        """Our process has the name, and another node of our side meets the second owner: it asks us."""
        self.start('zeta@10.42.0.9', linked=False)
        first, second = self.erls[:2]
        self.assertEqual('yes', self.ask('register, [x, notify]'))
        self.erls = [first]
        self.join()
        self.erls = [first, second]
        self.assertEqual('yes', self.register(second, 'x'))
        self.assertEqual('pong', second.eval(f"net_adm:ping('{first.name}')"))
        self.synced(first, second, self.namer)
        self.assert_owner('x', second.name)
        self.assertEqual('{global_name_conflict,x}', self.ask('heard, []'))
        self.assert_whole()


class Locks(GlobalCase):
    def test_exclusion(self):
        self.start()
        self.join()
        nodes = '[node() | nodes()]'
        self.assertEqual('true', self.ask('lock, [res, me, 0]'))
        self.assertEqual('true', self.ask('lock, [res, me, 0]'), 'it has it already')
        for erl in self.erls:
            self.assertEqual('false', erl.eval(f'global:set_lock({{res, self()}}, {nodes}, 1)'))
        self.assertEqual('true', self.ask('unlock, [res, me]'))
        self.assertEqual('true', self.keeper(self.erls[1], f'global:set_lock({{res, him}}, {nodes}, 0)'))
        self.assertEqual('false', self.ask('lock, [res, me, 1]'))
        self.assertEqual('true', self.keeper(self.erls[1], f'global:del_lock({{res, him}}, {nodes})'))
        self.assertEqual('true', self.ask('lock, [res, me, 0]'))
        self.assertEqual('ok', self.ask('drop, []'), 'the lock goes with its process')
        self.assertEqual('true', self.erls[2].eval(f'global:set_lock({{res, her}}, {nodes}, 3)'))
        self.assert_whole()

    def test_contention(self):
        """Three nodes run transactions in parallel with us: never are two in one at once."""
        self.start()
        self.join()
        self.erls[0].eval('F = fun(G, In, N) -> receive {in, P} -> P ! {In, ok}, G(G, In + 1, N); '
                          'out -> G(G, In - 1, N + 1); {ask, P} -> P ! {total, N}, G(G, In, N) end end, '
                          'register(judge, spawn(fun() -> F(F, 0, 0) end))')
        for erl in self.erls:
            erl.eval(f"J = {{judge, '{self.erls[0].name}'}}, persistent_term:put(worker, spawn(fun() -> "
                     '[ok = global:trans({res, self()}, fun() -> J ! {in, self()}, receive {0, ok} -> ok end, '
                     'timer:sleep(5), J ! out, ok end) || _ <- lists:seq(1, 20)], receive stop -> ok end end))')
        for _ in range(8):
            self.assertEqual('true', self.ask('lock, [res, me, -1]', timeout=120))
            self.assertEqual('0', self.erls[0].eval('judge ! {in, self()}, receive {N, ok} -> N end'))
            self.erls[0].eval('judge ! out')
            self.assertEqual('true', self.ask('unlock, [res, me]'))
        eventually('all have had their turns', 120, lambda: self.erls[0].eval(
            'judge ! {ask, self()}, receive {total, N} -> N end') == '68', interval=0.5)
        for erl in self.erls:
            self.assertEqual('true', erl.eval('is_process_alive(persistent_term:get(worker))'))
        self.assert_whole()


class Leaving(GlobalCase):
    """However our links end, those between the Erlang nodes stay, and nobody complains."""

    def leave(self, number, rounds=3):
        self.start()
        for turn in range(rounds):
            self.join()
            self.assertEqual('yes', self.ask('register, [ours, exit]'))
            self.namer.process.popen.send_signal(number)
            self.gone(self.namer)
            self.assert_owner('ours', 'undefined', *self.erls)
            time.sleep(1)
            self.assert_whole(gone=self.namer)
            self.assert_registers()
            # A name of its own for each: what global says to one that has just gone may reach the next.
            self.namer = self.another(9, name=f'turn{turn}@10.42.0.9')

    def gone(self, node, within=10):
        eventually(f'{node} is gone', within, lambda: all(node.name not in erl.nodes() for erl in self.erls))

    def test_sigterm(self):
        self.leave(signal.SIGTERM)

    def test_sigint(self):
        self.leave(signal.SIGINT)

    def test_sigkill(self):
        self.leave(signal.SIGKILL)

    def test_drain(self):
        """Who joins while it drains is linked with it too: it is a member to the end."""
        self.start()
        clu = self.program(env={'SHUTDOWN_DELAY_MS': str(DRAIN * 1000)})
        clu.process.popen.send_signal(signal.SIGTERM)
        eventually('it drains', 5, lambda: clu.get('/readyz')[0] == 503)
        self.erls.append(self.erlang(4, 27))
        self.assertEqual('pong', self.erls[3].eval(f"net_adm:ping('{self.erls[0].name}')"))
        for node in (*self.erls, clu):
            eventually(f'{node} knows all', SYNCED,
                       lambda node=node: self.known(node) == {n.name for n in (*self.erls, clu)} - {node.name})
        names = {erl.name for erl in self.erls}
        for erl in self.erls:  # whom a node knows it may still be dialling
            eventually(f'{erl} is linked with all', SYNCED, lambda erl=erl: names - {erl.name} <= erl.nodes())
        self.assert_whole()
        self.assert_registers()
        clu.process.wait(DRAIN + 10)
        self.gone(clu)
        time.sleep(1)
        self.assert_whole(gone=clu)

    def test_hostile(self):
        """A peer that breaks the protocol loses its link with us."""
        self.start()
        clu = self.program()
        links = [self.links(clu, erl) for erl in self.erls]
        for _ in range(3):
            peer = self.scripted('hostile')
            link = peer.dial(clu.pod.address, self.dist_port(clu)).handshake().link()
            eventually('it is there', 5, lambda peer=peer: peer.name in clu.nodes())
            link.peer.sock.sendall(b'\0\0\0\x08nonsense')
            eventually('it is gone', 5, lambda peer=peer: peer.name not in clu.nodes())
            peer.close()
        time.sleep(1)
        self.assertEqual(links, [self.links(clu, erl) for erl in self.erls])
        self.assert_whole()
        self.assert_registers()

    def test_silent_and_frozen(self):
        """A silent peer is given up by us alone; a frozen Erlang node by everybody."""
        ticks = ['-kernel', 'net_ticktime', '4']
        self.start(args=ticks)
        args = self.lab.pod(6).dir / 'vm.args'
        args.write_text(' '.join(ticks) + '\n')
        clu = self.program('--args-file', args)
        silent = self.scripted('silent').dial(clu.pod.address, self.dist_port(clu)).handshake().link(ticks=False)
        self.assertTrue(silent.await_closed(10), 'the silent peer was never dropped')
        self.assert_whole()
        frozen = self.erls.pop()
        frozen.process.popen.send_signal(signal.SIGSTOP)
        try:
            eventually('all have given it up', 15, lambda: all(
                node.nodes() == {n.name for n in (*self.erls, clu)} - {node.name} for node in (*self.erls, clu)))
            time.sleep(2)
            self.assert_registers()
            for node in (*self.erls, clu):
                self.assertEqual({n.name for n in (*self.erls, clu)} - {node.name}, node.nodes())
        finally:
            frozen.process.popen.send_signal(signal.SIGCONT)

    def test_disconnected_by_one(self):
        """One of them cuts its link to us, and has the others cut theirs to us; theirs to each other stay."""
        self.start()
        self.join()
        self.assertEqual('true', self.erls[1].eval(f"erlang:disconnect_node('{self.namer.name}')"))
        self.gone(self.namer)
        time.sleep(1)
        names = {erl.name for erl in self.erls}
        for erl in self.erls:
            self.assertEqual(names - {erl.name}, erl.nodes() & names)
        self.assert_registers()
        self.join()
        self.assertEqual('yes', self.ask('register, [back, exit]'))


class Killed(GlobalCase):
    """Nodes die in the middle of the lock protocol, whatever step it is in."""

    ROUNDS = 8

    def test_ours(self):
        self.start()
        for turn in range(self.ROUNDS):
            self.namer.join(self.erls[turn % 3])
            self.asker.eval(f"erpc:cast('{self.namer.name}', namer, register, [n{turn}, exit])")
            time.sleep(random.uniform(0, 1.6))
            self.namer.kill()
            self.assert_registers()
            self.assert_whole(gone=self.namer)
            self.namer = self.another(9, name=f'turn{turn}@10.42.0.9')
        self.join()

    def test_theirs(self):
        """Further Erlang nodes join, and are killed."""
        self.start()
        self.join()
        for turn in range(self.ROUNDS):
            victim = self.erlang(4, (25, 27, 29)[turn % 3], base=f'victim{turn}x')
            self.assertEqual('pong', victim.eval(f"net_adm:ping('{random.choice([*self.erls, self.namer]).name}')"))
            victim.eval('spawn(fun() -> global:register_name(victim, self()), receive x -> ok end end)')
            time.sleep(random.uniform(0, 1.6))
            victim.kill()
            self.assertEqual('yes', self.ask(f'register, [m{turn}, exit]'))
            self.assert_registers(self.erls[turn % 3])
        names = {node.name for node in (*self.erls, self.namer)}
        for erl in self.erls:
            self.assertEqual(names - {erl.name}, erl.nodes())


class Halves(GlobalCase):
    """What a partition cuts in half: a name changes hands, or goes, and who asked for it dies before all have
    heard of it. Those who have not keep the old owner, for good, though they are linked with the others; so it
    is among Erlang nodes alone, and no otherwise with one of ours among them."""

    def half(self, change, owner):
        self.start()
        asker = self.erlang(4, 27)
        self.erls.append(asker)
        self.assertEqual('pong', asker.eval(f"net_adm:ping('{self.erls[0].name}')"))
        self.join()
        first, second, third, _ = self.erls
        self.assertEqual('yes', self.register(first, 'x'))
        self.assert_owner('x', first.name)
        second.eval('register(heir, spawn(fun() -> receive stop -> ok end end))')
        # The lock is granted by all but the first, which cannot answer; what follows reaches neither the
        # third nor us.
        first.eval('sys:suspend(global_name_server)')
        asker.eval(f'spawn(fun() -> {change} end)')
        self.assertGreater(self.namer.name, asker.name)  # ours is the boss, and so was asked before
        eventually(f'{third} has granted the lock', 10, lambda: third.eval('ets:member(global_locks, global)') == 'true')
        for node in (third, self.namer):
            asker.pod.run(['ip', 'route', 'add', 'blackhole', node.pod.address])
        first.eval('sys:resume(global_name_server)')
        self.assert_owner('x', owner, first, second)
        asker.kill()
        eventually('it is known to be gone', 10, lambda: all(
            asker.name not in self.known(node) for node in (first, second, third, self.namer)))
        third.eval(f"erlang:disconnect_node('{asker.name}')")
        time.sleep(3)
        members = {node.name for node in (first, second, third, self.namer)}
        for node in (first, second, third, self.namer):
            self.assertEqual(members - {node.name}, self.known(node))
        self.assert_owner('x', owner, first, second)
        self.assert_owner('x', first.name, third, self.namer)

    def test_re_register(self):
        self.half("global:re_register_name(x, rpc:call('e2@10.42.0.2', erlang, whereis, [heir]))", 'e2@10.42.0.2')

    def test_unregister(self):
        self.half('global:unregister_name(x)', 'undefined')
