# SPDX-License-Identifier: Apache-2.0
"""Calls of a C program into real nodes: gen_server, gen_event, rpc, erpc, rex, multicall, spawn.

The program is asked by rpc to call, and answers with {Outcome, Exception, Term, Stack}."""

from lab.case import per_release
from lab.citizen import CitizenCase
from lab.nodes import AT_ONCE, eventually

LOST = '{no_process,\'\',noconnection,[]}'
# A server that echoes, adds, sleeps, crashes; by gen_server's own messages, for a module cannot be
# compiled here.
SERVER = """Loop = fun(F) -> receive
    {'$gen_call', From, {echo, X}} -> gen_server:reply(From, X), F(F);
    {'$gen_call', From, {sleep, Ms}} -> timer:sleep(Ms), gen_server:reply(From, slept), F(F);
    {'$gen_call', {Pid, Tag}, tag} -> gen_server:reply({Pid, Tag}, [is_pid(Pid), hd(Tag), is_reference(tl(Tag))]), F(F);
    {'$gen_call', _, crash} -> exit(crashed);
    {'$gen_cast', {to, Pid, X}} -> Pid ! {cast, X}, F(F);
    {notify, {to, Pid, X}} -> Pid ! {notified, X}, F(F);
    stop -> ok end end,
case whereis(served) of undefined -> ok; Old -> unregister(served), exit(Old, kill) end,
register(served, P = spawn(fun() -> Loop(Loop) end))"""


class Outward(CitizenCase):
    def out(self, call, expected, within=AT_ONCE, pre=''):
        self.says(f'{pre}rpc:call(N, out, {call})', expected, within)

    def serve(self):
        self.erlang.eval(SERVER.replace('\n', ' ') + ', ok')

    @per_release
    def test_gen_server(self, release):
        self.linked(release)
        self.serve()
        erl = self.erlang.name
        self.out('call, [served, node(), 5000, {echo, {a, "b"}}]', "{answered,'',{a,\"b\"},[]}")
        self.out('call, [served, node(), infinity, tag]', "{answered,'',[true,alias,true],[]}")
        self.out('call_pid, [whereis(served), 5000, {echo, 1}]', "{answered,'',1,[]}")
        self.out('call, [nobody, node(), 5000, hi]', "{no_process,'',noproc,[]}")
        self.out('call_pid, [P, 5000, hi]', "{no_process,'',noproc,[]}", pre='P = spawn(fun() -> ok end), timer:sleep(50), ')
        self.out('call, [served, node(), 100, {sleep, 300}]', "{timed_out,'',[],[]}")
        # the late answer is dropped; the next call gets its own
        self.out('call, [served, node(), 5000, {echo, 2}]', "{answered,'',2,[]}")
        self.out('call, [served, node(), 5000, crash]', "{no_process,'',crashed,[]}")
        self.out("call, [served, 'no@10.42.0.9', 8000, hi]", LOST, within=10)
        self.serve()
        self.says('ok = rpc:call(N, out, cast, [served, node(), {to, self(), 7}]), receive {cast, X} -> X end', '7')
        self.says('ok = rpc:call(N, out, notify, [served, node(), {to, self(), 8}]), receive {notified, X} -> X end', '8')
        # of its own servers
        self.out('call, [counter, N, 5000, {add, 3}]', "{answered,'',3,[]}")
        self.out('call, [counter, N, 5000, odd]', "{no_process,'',{badarg,[]},[]}")
        self.out('call, [nobody, N, 5000, odd]', "{no_process,'',noproc,[]}")
        self.assert_idle()
        self.assertEqual(erl, self.erlang.name)
        self.finish()

    @per_release
    def test_gen_event(self, release):
        self.linked(release)
        # error_logger's manager stands in every node; its handler answers a call it does not know
        self.out('sync_notify, [erl_signal_server, node(), 5000, nothing]', "{answered,'',ok,[]}")
        self.out('event_call, [erl_signal_server, node(), nosuch, 5000, q]', "{answered,'',{error,bad_module},[]}")
        self.out('event_call, [nobody, node(), nosuch, 5000, q]', "{no_process,'',noproc,[]}")
        self.finish()

    @per_release
    def test_rpc(self, release):
        self.linked(release)
        for call, value in (
            ('erlang, node, 5000, []', f"{{answered,'','{self.erlang.name}',[]}}"),
            ('lists, reverse, 5000, [[1, 2]]', "{answered,'',[2,1],[]}"),
            ('lists, sum, infinity, [[1, 2]]', "{answered,'',3,[]}"),
            ('erlang, throw, 5000, [it]', '{raised,throw,it,[]}'),
            ('erlang, exit, 5000, [it]', '{raised,exit,it,[]}'),
            ('timer, sleep, 100, [400]', "{timed_out,'',[],[]}"),
        ):
            self.out(f'rpc, [node(), {call}]', value)
        for call, value in (
            ('erlang, error, 5000, [it]', '{raised,error,it,{erlang,error,1}}'),
            ('nosuch, it, 5000, [a]', '{raised,error,undef,{nosuch,it,1}}'),
            ('erlang, atom_to_list, 5000, [1]', '{raised,error,badarg,{erlang,atom_to_list,1}}'),
        ):
            self.says(f'{{R, E, T, [{{M, F, A, _}} | _]}} = rpc:call(N, out, rpc, [node(), {call}]), '
                      '{R, E, T, {M, F, case A of [_] -> 1; _ -> A end}}', value)
        self.out('rpc, [node(), erlang, apply, 5000, [fun() -> exit(self(), kill) end, []]]',
                 "{no_process,'',killed,[]}")
        # what is printed over there goes to who asked in the first place
        self.says("{answered, '', L, []} = rpc:call(N, out, rpc, [node(), erlang, group_leader, 5000, []]), "
                  'L =:= group_leader()', 'true')
        self.out("rpc, ['no@10.42.0.9', erlang, node, 8000, []]", LOST, within=10)
        self.out('rpc, [N, calc, add, 5000, [1, 2]]', "{answered,'',3,[]}")
        self.out('rpc, [N, calc, nosuch, 5000, [1]]', '{raised,error,undef,[{calc,nosuch,[1],[]}]}')
        self.out('rpc, [N, calc, later, 100, [600]]', "{timed_out,'',[],[]}")
        self.says('register(me, self()), ok = rpc:call(N, out, rpc_cast, [node(), erlang, send, [me, hello]]), '
                  'receive hello -> unregister(me), cast end', 'cast')
        self.assert_idle()
        self.finish()

    @per_release
    def test_rex(self, release):
        self.linked(release)
        for call, value in (
            ('node(), erlang, node, 5000, []', f"{{answered,'','{self.erlang.name}',[]}}"),
            ('node(), lists, reverse, infinity, [[1, 2]]', "{answered,'',[2,1],[]}"),
            ('node(), erlang, throw, 5000, [it]', "{answered,'',it,[]}"),
            ('node(), erlang, exit, 5000, [it]', "{raised,error,{badrpc,{'EXIT',it}},[]}"),
            ('node(), timer, sleep, 100, [400]', "{timed_out,'',[],[]}"),
            ('node(), erlang, apply, 5000, [fun() -> exit(self(), kill) end, []]',
             "{raised,error,{badrpc,{'EXIT',killed}},[]}"),
            ('N, calc, add, 5000, [1, 2]', "{answered,'',3,[]}"),
        ):
            self.out(f'rex, [{call}]', value)
        self.says("{raised, error, {badrpc, {'EXIT', {undef, [{M, F, [a], _} | _]}}}, []} = "
                  'rpc:call(N, out, rex, [node(), nosuch, it, 5000, [a]]), {M, F}', '{nosuch,it}')
        self.out("rex, ['no@10.42.0.9', erlang, node, 8000, []]", LOST, within=10)
        # many at once, each its own answer
        self.says('lists:sort([rpc:yield(K) || K <- [rpc:async_call(N, out, rex, [node(), lists, sum, 5000, [[I, I]]]) '
                  "|| I <- lists:seq(1, 50)]]) =:= lists:sort([{answered, '', 2 * I, []} || I <- lists:seq(1, 50)])", 'true')
        self.assert_idle()
        self.finish()

    @per_release
    def test_multicall(self, release):
        self.linked(release)
        value = self.erlang.eval(f"N = '{self.citizen.name}', lists:sort(rpc:call(N, out, multicall, "
                                 "[[node(), N, 'no@10.42.0.9', node()], calc, add, 8000, [1, 2]]))")
        stack = '[{calc,add,[1,2],[]}]'
        self.assertEqual(f"[{{0,{{raised,error,undef,{stack}}}}},{{1,{{answered,'',3,[]}}}},{{2,{LOST}}},"
                         f"{{3,{{raised,error,undef,{stack}}}}}]", value)
        self.says("lists:sort(rpc:call(N, out, multicall, [[node(), N], timer, sleep, 100, [500]]))",
                  "[{0,{timed_out,'',[],[]}},{1,{raised,error,undef,[{timer,sleep,[500],[]}]}}]")
        self.finish()

    @per_release
    def test_the_link_breaks(self, release):
        """Every call that is out ends with it, at once."""
        self.linked(release)
        for call in ('rpc, [node(), timer, sleep, infinity, [infinity]]',
                     'rex, [node(), timer, sleep, infinity, [infinity]]', 'call, [served, node(), infinity, {sleep, 9000}]'):
            self.serve()
            self.says(f'is_pid(spawn(fun() -> catch rpc:call(N, out, {call}) end))', 'true')
            eventually('it has called', AT_ONCE, lambda: self.processes() > self.idle)
            self.says('erlang:disconnect_node(N), net_adm:ping(N)', 'pong')
            self.assert_idle()
        self.finish(expected=['lost erl@10.42.0.1'])

    @per_release
    def test_spawn(self, release):
        self.linked(release)
        pids = '{P, Why} = rpc:call(N, out, spawn, '
        self.says(pids + '[node(), erlang, exit, [it]]), {node(P) =:= node(), Why}', '{true,it}')
        self.says(pids + '[node(), lists, sum, [[1]]]), {node(P) =:= node(), Why}', '{true,normal}')
        # a process of the program's own has no leader: what is printed for it is shown to nobody
        self.says(pids + '[node(), io, format, ["lost~n"]]), {node(P) =:= node(), Why}', '{true,normal}')
        self.says(pids + "['no@10.42.0.9', lists, sum, [[1]]]), {P, Why}", '{error,noconnection}', within=10)
        self.says(pids + '[N, calc, fail, [exit, it]]), {node(P) =:= N, Why}', '{true,it}')
        self.finish()
