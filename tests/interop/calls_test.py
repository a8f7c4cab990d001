# SPDX-License-Identifier: Apache-2.0
"""Calls of real nodes into a C program: rpc, erpc, spawn, gen_server, sys; each answer at once."""

import time

from lab.case import per_release
from lab.citizen import CitizenCase, caught

LATER = 4000  # ms; longer than it takes to see that it is awaited, on any machine


class Calls(CitizenCase):
    @per_release
    def test_rpc_call(self, release):
        self.linked(release)
        for call, value in (
            ('add, [1, 2]', '3'),
            ('add, [100000, 2]', '100002'),
            ('same, [{a,"text",[1.5|b],#{k => <<1,2>>}}]', '{a,"text",[1.5|b],#{k => <<1,2>>}}'),
            ('add, [a, 2]', "{badrpc,{'EXIT',{badarg,[{calc,add,2,[]}]}}}"),
            ('add, [1]', "{badrpc,{'EXIT',{undef,[{calc,add,[1],[]}]}}}"),
            ('nosuch, [x, "y"]', "{badrpc,{'EXIT',{undef,[{calc,nosuch,[x,\"y\"],[]}]}}}"),
            ('fail, [throw, {it}]', '{it}'),
            ('fail, [exit, {it}]', "{badrpc,{'EXIT',{it}}}"),
            ('fail, [error, {it}]', "{badrpc,{'EXIT',{{it},[{calc,fail,2,[]}]}}}"),
            ('busy, []', "{badrpc,{'EXIT',{{erlclu,ebusy},[{calc,busy,0,[]}]}}}"),
        ):
            self.says(f'rpc:call(N, calc, {call})', value)
        self.says('rpc:call(N, calc, later, [60000], 100)', '{badrpc,timeout}')
        self.says('rpc:call(N, calc, awaited, [])', 'false')
        self.says('rpc:call(N, calc, later, [200])', 'late')
        self.says('rpc:block_call(N, calc, add, [1, 2])', '3')
        self.says('rpc:block_call(N, calc, nosuch, [])', "{badrpc,{'EXIT',{undef,[{calc,nosuch,[],[]}]}}}")
        self.says('rpc:cast(N, calc, add, [1, 2])', 'true')
        self.says('rpc:yield(rpc:async_call(N, calc, add, [1, 2]))', '3')
        self.says('rpc:multicall([N, node()], erlang, node, [])',
                  f"{{['{self.citizen.name}','{self.erlang.name}'],[]}}")
        self.says("rpc:multicall([N, 'no@10.42.0.9'], calc, add, [1, 2])", "{[3],['no@10.42.0.9']}", within=10)
        self.says('rpc:sbcast([N], plain, hello)', f"{{['{self.citizen.name}'],[]}}")
        self.says('rpc:sbcast([N], nobody, hello)', f"{{[],['{self.citizen.name}']}}")
        self.says("gen_server:call({rex, N}, {call, calc, add, [1, 2], self()})", '3')
        self.says('{rex, N} ! {self(), {call, calc, add, [1, 2], user}}, receive {rex, R} -> R end', '3')
        self.finish()

    @per_release
    def test_erpc(self, release):
        self.linked(release)
        for call, value in (
            ('add, [1, 2]', '3'),
            ('add, [a, 2]', '{error,{exception,badarg,[{calc,add,2,[]}]}}'),
            ('nosuch, [x]', '{error,{exception,undef,[{calc,nosuch,[x],[]}]}}'),
            ('fail, [throw, it]', '{throw,it}'),
            ('fail, [exit, it]', '{exit,{exception,it}}'),
            ('fail, [error, it]', '{error,{exception,it,[{calc,fail,2,[]}]}}'),
            ('loop, [], 100', '{error,{erpc,timeout}}'),
            ('later, [60000], 100', '{error,{erpc,timeout}}'),
        ):
            self.says(caught(f'erpc:call(N, calc, {call})'), value)
        self.says(caught('erpc:call(N, fun() -> 1 end)').replace('{C, R}', '{C, element(2, R)}'), '{error,undef}')
        self.says('erpc:cast(N, calc, nosuch, [])', 'ok')
        self.says('R = erpc:send_request(N, calc, later, [100]), erpc:receive_response(R, 5000)', 'late')
        self.says('R = erpc:send_request(N, calc, add, [1, 2]), erpc:wait_response(R, 5000)', '{response,3}')
        self.says('erpc:multicall([N, N, node()], calc, add, [1, 2]) -- [x]',
                  '[{ok,3},{ok,3},{error,{exception,undef,[{calc,add,[1,2],[]}]}}]')
        self.says('byte_size(erpc:call(N, calc, bytes, [3000000]))', '3000000')
        # answers may be of any size; arguments over 64 MiB do not come
        self.says('byte_size(erpc:call(N, calc, bytes, [70000000]))', '70000000', within=10)
        self.says(caught('erpc:call(N, calc, same, [binary:copy(<<0>>, 70000000)])'),
                  '{error,{erpc,system_limit}}', within=10)
        self.says('self() =:= erpc:call(N, calc, leader, []) orelse group_leader() =:= erpc:call(N, calc, leader, [])',
                  'true')
        self.finish()

    @per_release
    def test_a_thousand_at_once(self, release):
        """All are answered, however much waits for the link."""
        self.linked(release)
        self.says('R = [erpc:send_request(N, calc, bytes, [30000]) || _ <- lists:seq(1, 1000)], '
                  'lists:sum([byte_size(erpc:receive_response(Q, 10000)) || Q <- R])', '30000000', within=20)
        self.assert_idle()
        self.finish()

    @per_release
    def test_spawn(self, release):
        self.linked(release)
        down = "receive {'DOWN', M, process, P, Why} -> {node(P) =:= N, Why} after 4000 -> nothing end"
        self.says(f'P = spawn(N, calc, nosuch, [a]), M = monitor(process, P), {down}, is_pid(P)', 'true')
        for call, reason in (
            ('calc, add, [1, 2]', 'normal'),
            ('calc, nosuch, [a]', '{undef,[{calc,nosuch,[a],[]}]}'),
            ('calc, add, [x, 2]', '{badarg,[{calc,add,2,[]}]}'),
            ('calc, fail, [throw, it]', '{{nocatch,it},[{calc,fail,2,[]}]}'),
            ('calc, fail, [exit, it]', 'it'),
            ('calc, fail, [error, it]', '{it,[{calc,fail,2,[]}]}'),
        ):
            self.says(f'{{P, M}} = spawn_monitor(N, {call}), {down}', f'{{true,{reason}}}')
        self.says("process_flag(trap_exit, true), P = spawn_link(N, calc, fail, [exit, it]), "
                  "receive {'EXIT', P, Why} -> Why end", 'it')
        self.says(f'{{P, M}} = spawn_opt(N, calc, loop, [], [monitor, {{priority, high}}]), '
                  f'P ! {{self(), hi}}, receive hi -> ok end, P ! stop, {down}', '{true,stopped}')
        self.says("R = spawn_request(N, calc, loop, [], [{reply, yes}]), "
                  "receive {spawn_reply, R, ok, P} -> P ! {self(), there}, receive X -> X end end", 'there')
        self.says("R = spawn_request(N, calc, add, [1, 2], [{reply, no}, monitor]), "
                  "receive {spawn_reply, _, _, _} -> told; {'DOWN', R, process, _, normal} -> ended end", 'ended')
        self.says("R = spawn_request(N, calc, add, [1, 2], [{reply, error_only}, {monitor, [{tag, fell}]}]), "
                  "receive {spawn_reply, _, _, _} -> told; {fell, R, process, _, normal} -> ended end", 'ended')
        self.says("process_flag(trap_exit, true), P = spawn_link(N, calc, loop, []), exit(P, over), "
                  "receive {'EXIT', P, Why} -> Why end", 'over')
        # an option that no node knows fails that one request, and nothing else
        for odd in ('[42]', '[{}]', '[{1, 2}]', '[link, "text"]', '[#{}]', '[monitor, []]', '[odd]', '[{odd, 1}]'):
            self.says(f'R = spawn_request(N, calc, loop, [], {odd}), '
                      'receive {spawn_reply, R, error, Why} -> Why after 1000 -> nothing end', 'badopt')
        # the parent of a linked process ends: so does it
        self.says("Me = self(), Q = spawn(fun() -> Me ! spawn_link(N, calc, loop, []), receive over -> exit(boom) end "
                  "end), receive P when is_pid(P) -> ok end, M = monitor(process, P), Q ! over, "
                  "receive {'DOWN', M, _, _, Why} -> Why end", 'boom')
        self.finish()

    @per_release
    def test_gen_server(self, release):
        name = self.linked(release)
        where = '{counter, N}'
        self.says(f'gen_server:call({where}, {{add, 5}})', '5')
        self.says(f'gen_server:cast({where}, {{add, 2}})', 'ok')
        self.says(f'gen_server:call({where}, get)', '7')
        self.says(f'{where} ! {{self(), value}}, receive V -> V end', '7')
        self.says(f'R = gen_server:send_request({where}, get), gen_server:wait_response(R, 2000)', '{reply,7}')
        self.says(caught(f'gen_server:call({where}, wait, 100)'),
                  f"{{exit,{{timeout,{{gen_server,call,[{{counter,'{name}'}},wait,100]}}}}}}")
        # what comes late never arrives
        self.says(f'catch gen_server:call({where}, wait, 100), gen_server:cast({where}, {{add, 1}}), '
                  f'8 = gen_server:call({where}, get), receive X -> X after 300 -> nothing end', 'nothing')
        self.says(f'gen_server:multi_call([N], counter, wait, 100), gen_server:cast({where}, {{add, 1}}), '
                  f'9 = gen_server:call({where}, get), receive X -> X after 300 -> nothing end', 'nothing')
        if release > 25:  # the tag of multi_call holds the monitor
            self.says('gen_server:multi_call([N], counter, odd, 5000)', f"{{[],['{name}']}}")
            self.says('gen_server:multi_call([N], mute, hello, 5000)', f"{{[],['{name}']}}")
            self.says('gen_server:multi_call([N], rex, hello, 5000)', f"{{[],['{name}']}}")
        self.says(caught(f'gen_server:call({where}, odd)'),
                  f"{{exit,{{{{badarg,[]}},{{gen_server,call,[{{counter,'{name}'}},odd]}}}}}}")
        self.says(caught(f'gen_server:call({where}, quit)'),
                  f"{{exit,{{quits,{{gen_server,call,[{{counter,'{name}'}},quit]}}}}}}")
        self.says(f'gen_server:call({where}, get)', '0')
        self.says(caught('gen_server:call({mute, N}, hello)'),
                  f"{{exit,{{notsup,{{gen_server,call,[{{mute,'{name}'}},hello]}}}}}}")
        self.says(f'gen_server:multi_call([node(), N], counter, get)', f"{{[{{'{name}',0}}],['{self.erlang.name}']}}")
        self.finish()

    @per_release
    def test_answers_on_a_full_link(self, release):
        """What a server says behind its answer comes behind it: its end, too, as of {stop, normal, Reply, State}."""
        self.linked(release)
        sink = 'Sink = spawn(fun S() -> receive _ -> S() end end), '
        ask = lambda tag, word: f"{{brimful, N}} ! {{'$gen_call', {{self(), {tag}}}, {{{word}, Sink}}}}, "
        size = 'fun({_, B}) when is_binary(B) -> byte_size(B); ({_, X}) -> X; (X) -> X end'
        two = f'[receive X -> ({size})(X) end || _ <- [1, 2]]'
        for word, answer in (('stop', 'done'), ('stop_big', '200000')):
            self.says(f'{sink}M = monitor(process, {{brimful, N}}), A = gen_server:call({{brimful, N}}, {{{word}, Sink}}), '
                      f"{{({size})({{a, A}}), receive {{'DOWN', M, _, _, Why}} -> Why end}}", f'{{{answer},normal}}')
            self.says(f"{sink}{ask('one', word)}receive X -> ({size})(X) end", answer)
        self.says(f"{sink}{ask('one', 'tell')}{two}", '[200000,behind]')
        self.says(f"{sink}{ask('one', 'wait')}{ask('two', 'both')}{two}", '[200000,second]')
        self.finish()

    @per_release
    def test_sys(self, release):
        self.linked(release)
        self.says('sys:get_state({counter, N})', '#{value => 0}')
        for process in ('counter', 'mute', 'plain', 'mailbox', 'rex', 'net_kernel'):
            where = f'{{{process}, N}}'
            if process != 'counter':
                self.says(f'sys:get_state({where})', 'undefined')
            self.says(f'{{status, P, {{module, M}}, [_, S, _, _, _]}} = sys:get_status({where}), {{node(P) =:= N, M, S}}',
                      '{true,erlclu,running}')
            self.says(f'supervisor:which_children({where})', '[]')
            self.says(f'supervisor:count_children({where})', '[{specs,0},{active,0},{supervisors,0},{workers,0}]')
            self.says(f'sys:suspend({where})', '{error,{unknown_system_msg,suspend}}')
            self.says(f'sys:trace({where}, true)', 'unknown_debug')
            self.says(caught(f'sys:replace_state({where}, fun(S) -> S end)'),
                      '{error,{callback_failed,{erlclu,system_replace_state},{error,undef}}}')
        self.says("M = monitor(process, {plain, N}), ok = sys:terminate({plain, N}, over), "
                  "receive {'DOWN', M, _, _, Why} -> Why end", 'over')
        self.says('sys:terminate({net_kernel, N}, over)', '{error,{unknown_system_msg,{terminate,over}}}')
        self.finish()

    @per_release
    def test_what_operators_ask(self, release):
        name = self.linked(release)
        erl = self.erlang.name
        for call, value in (
            ('erlang, node, []', f"'{name}'"),
            ('erlang, nodes, []', f"['{erl}']"),
            ('erlang, nodes, [hidden]', '[]'),
            ('erlang, nodes, [connected]', f"['{erl}']"),
            ('erlang, nodes, [[this, visible]]', f"['{erl}','{name}']"),
            ('erlang, nodes, [this]', f"['{name}']"),
            ('erlang, is_alive, []', 'true'),
            ('erlang, system_info, [otp_release]', '"29"'),
            ('erlang, system_info, [wordsize]', '8'),
            ('net_adm, ping, [node()]', 'pong'),
            (f"net_adm, ping, ['{name}']", 'pong'),
            ('net_adm, ping, [nonsense]', 'pang'),
        ):
            self.says(f'rpc:call(N, {call})', value)
        self.says('"erlclu " ++ _ = rpc:call(N, erlang, system_info, [system_version]), ok', 'ok')
        for odd in ('erlang, system_info, [nonsense]', 'erlang, nodes, [nonsense]', 'net_adm, ping, [1]'):
            self.says(f"{{badrpc, {{'EXIT', {{Why, _}}}}}} = rpc:call(N, {odd}), Why", 'badarg')
        for absent in ('erlang, processes, []', 'os, cmd, ["id"]', 'init, stop, []', 'erlang, halt, []',
                       'observer_backend, sys_info, []', 'code, get_path, []', 'application, which_applications, []'):
            self.says(f"{{badrpc, {{'EXIT', {{Why, _}}}}}} = rpc:call(N, {absent}), Why", 'undef')
        self.says('{ok, [{W, L}]} = rpc:call(N, net_kernel, nodes_info, []), '
                  '{W =:= node(), proplists:get_value(state, L), proplists:get_value(type, L)}', '{true,up,normal}')
        self.says('#{node := A, nodes := L, hidden := H} = rpc:call(N, erlclu, status, []), '
                  '{A =:= N, L =:= [node()], H}', '{true,true,false}')
        self.says("rpc:call(N, net_adm, ping, ['no@10.42.0.9'])", 'pang', within=10)
        self.finish()

    @per_release
    def test_the_caller_goes_away(self, release):
        """A caller that dies, and a link that breaks, leave nothing behind."""
        self.linked(release)
        until = ('Until = fun F(Is) -> case rpc:call(N, calc, awaited, []) of Is -> Is; _ -> timer:sleep(20), F(Is) end '
                 'end, ')
        self.says(f'{until}P = spawn(fun() -> erpc:call(N, calc, later, [{LATER}]) end), Until(true), exit(P, kill), '
                  'Until(false)', 'false')
        self.says(f'{until}spawn(fun() -> catch erpc:call(N, calc, later, [{LATER}]) end), Until(true), '
                  'erlang:disconnect_node(N), pong = net_adm:ping(N), Until(false)', 'false')
        time.sleep(LATER / 1000)  # its own processes live so long; those that it was called by have gone with these
        self.assert_idle()
        self.finish(expected=['lost erl@10.42.0.1'])
