# SPDX-License-Identifier: Apache-2.0
"""What a node of the cluster can do, row by row, shown on each release: where a BEAM has a "+", so
have we. The table in docs/conformance.md is what this test has seen; CONFORMANCE_WRITE=1 writes it
anew."""

import os
import signal
import time
from pathlib import Path

from lab.case import LabCase
from lab.citizen import Citizen, build
from lab.nodes import COOKIE, ERLCLU, CluNode, ErlNode, eventually
from lab.otp import RELEASES, TOP

DOCUMENT = TOP / 'docs' / 'conformance.md'
TICKTIME = 4  # seconds
ROWS = []  # (area, what, function), in order


def row(area, what):
    def add(function):
        ROWS.append((area, what, function))
        return function
    return add


class Stage:
    """Nodes of one release and of ours in pods; each row finds its node linked with the first."""

    def __init__(self, case, release):
        self.case, self.release = case, release
        self.erl = case.erl(2, release, refresh=None).start()
        self.name, self.process = self.citizen(1)
        self.link()

    def citizen(self, number, name='citizen', **options):
        pod = self.case.lab.pod(number)
        citizen = Citizen(pod, name=name if '@' in name else f'{name}@{pod.address}', **options).start()
        return citizen.name, citizen.process

    def example(self, number, name):
        pod = self.case.lab.pod(number)
        pod.start([build(Path('examples') / f'{name}.c')], f'{name}.log', env={'RELEASE_COOKIE': COOKIE})
        self.link(f'{name}@{pod.address}')
        return f'{name}@{pod.address}'

    def link(self, name=None, erl=None):
        name, erl = name or self.name, erl or self.erl
        eventually(f'{erl} links {name}', 15, lambda: erl.eval(f"net_kernel:connect_node('{name}')") == 'true')

    def says(self, text, expected, erl=None, timeout=15):
        """In the text, N is our node, Ask(Order) what its subject answers, Out(Function, Arguments)
        what came of a call of its own."""
        head = (f"N = '{self.name}', _ = N, Ask = fun(O) -> gen_server:call({{subject, N}}, O, 10000) end, _ = Ask, "
                "Out = fun(F, A) -> rpc:call(N, out, F, A, 10000) end, _ = Out, "
                "Noted = fun F(Want) -> case lists:any(Want, Ask(signals)) of true -> noted; "
                "false -> timer:sleep(20), F(Want) end end, _ = Noted, ")
        answer = (erl or self.erl).eval(head + text, timeout=timeout)
        self.case.assertEqual(expected, answer, text)


class Conformance(LabCase):
    def test_all_rows(self):
        seen = {}
        only = os.environ.get('CONFORMANCE_ONLY', '')
        for release in RELEASES:
            for area, what, function in ROWS:
                if only not in what:
                    continue
                with self.subTest(otp=release, row=what):
                    seen[what, release] = '-'
                    try:
                        function(Stage(self, release))
                        seen[what, release] = '+'
                    finally:
                        self.doCleanups()
                        self.addCleanup(self.lab.clean)
        if not only:
            self.compare(seen)

    def compare(self, seen):
        lines = [f'| {area} | {what} | ' + ' | '.join(seen[what, release] for release in RELEASES) + ' |'
                 for area, what, _ in ROWS]
        heads = ' | '.join(f'OTP {release}' for release in RELEASES)
        table = '\n'.join([f'| | what | {heads} |', '|---' * (2 + len(RELEASES)) + '|', *lines]) + '\n'
        begin, end = '<!-- table -->\n', '<!-- end -->\n'
        text = DOCUMENT.read_text()
        before, rest = text.split(begin)
        after = rest.split(end)[1]
        if os.environ.get('CONFORMANCE_WRITE'):
            DOCUMENT.write_text(before + begin + table + end + after)
        else:
            self.assertEqual(rest.split(end)[0], table, 'the table in the documents is another')


# ---- being there ----

@row('node', 'visible node, in `nodes()`')
def visible(s):
    s.says('lists:member(N, nodes())', 'true')


@row('node', 'hidden node')
def hidden(s):
    name, _ = s.citizen(3, name='ghost', vm_args='-hidden\n')
    s.link(name)
    s.says(f"{{lists:member('{name}', nodes()), lists:member('{name}', nodes(hidden))}}", '{false,true}')


@row('node', 'handshake as acceptor and as initiator')
def handshake(s):
    s.says("erlang:disconnect_node(N), net_kernel:connect_node(N)", 'true')
    other = s.case.erl(3, s.release, refresh=None).start()
    s.says(f"Ask({{send, {{nobody, '{other.name}'}}, hello}})", 'ok')
    eventually('it has dialled', 10, lambda: s.name in other.nodes())


@row('node', 'both dial at once, again and again')
def simultaneous(s):
    other = s.case.erl(3, s.release, refresh=None).start()
    for _ in range(15):
        other.eval(f"erlang:disconnect_node('{s.name}')")
        s.says(f"erpc:cast('{other.name}', net_kernel, connect_node, [N]), Ask({{send, {{nobody, '{other.name}'}}, hi}})", 'ok')
        eventually('one link, which works', 10, lambda: other.eval(f"net_adm:ping('{s.name}')") == 'pong')
        s.case.assertEqual('1', other.eval(f"length([N || N <- nodes(), N =:= '{s.name}'])"))


@row('node', 'a dynamic name is given, and asked for')
def dynamic_names(s):
    pod = s.case.lab.pod(3)
    done = pod.run(['erl_call', '-R', '-name', s.name, '-c', COOKIE, '-a', 'erlang node'])
    s.case.assertIn(s.name, done.stdout, done.stderr)
    done = pod.run([ERLCLU, 'call', s.erl.name, 'erlang', 'nodes', '[hidden]'], env={'RELEASE_COOKIE': COOKIE})
    s.case.assertEqual(0, done.returncode, done.stderr)


@row('node', 'a cookie of its own for a peer')
def cookies(s):
    other = s.case.erl(3, s.release, cookie='theirs', refresh=None).start()
    name, _ = s.citizen(4, name='two', vm_args=f'-setcookie {other.name} theirs\n')
    s.link(name, other)
    s.link(name)


@row('node', 'registers with epmd, which lists it')
def epmd_client(s):
    s.says(f"{{ok, L}} = erl_epmd:names({{10,42,0,1}}), lists:keymember(\"citizen\", 1, L)", 'true')


@row('node', 'serves epmd where none is')
def epmd_server(s):
    pod = s.case.lab.pod(1)
    done = pod.run([ERLCLU, 'names', '127.0.0.1'])
    s.case.assertIn('citizen', done.stdout)


@row('node', 'without epmd, on an agreed port')
def epmdless(s):
    name, _ = s.citizen(3, name='portly', vm_args='-start_epmd false\n-erl_epmd_port 9555\n')
    other = s.case.erl(4, s.release, refresh=None, args=['-start_epmd', 'false', '-erl_epmd_port', '9555']).start()
    s.link(name, other)


@row('node', 'IPv6')
def ipv6(s):
    pod = s.case.lab.pod(3)
    other = s.case.erl(4, s.release, refresh=None, name=f'six@{s.case.lab.pod(4).address6}', args=['-proto_dist', 'inet6_tcp']).start()
    name, _ = s.citizen(3, name=f'citizen@{pod.address6}', vm_args='-proto_dist inet6_tcp\n')
    s.link(name, other)


@row('node', 'the whole mesh from one peer')
def mesh(s):
    erls = [s.case.erl(number, s.release, refresh=None).start() for number in (3, 4)]
    for erl in erls:
        erl.eval(f"net_kernel:connect_node('{s.erl.name}')")
    node = CluNode(s.case.lab.pod(5), (), discover=[f'static:{s.erl.name}']).start()
    eventually('it has all', 15, lambda: {s.erl.name, *(erl.name for erl in erls)} <= node.nodes())


@row('node', 'found through DNS')
def discovery(s):
    s.case.dns(2, 5)
    node = CluNode(s.case.lab.pod(5)).start()
    eventually('it has found the BEAM', 15, lambda: s.erl.name in node.nodes())


# ---- ticks ----

@row('link', 'ticks, during a long wait too')
def ticks(s):
    args = ['-kernel', 'net_ticktime', str(TICKTIME)]
    name, _ = s.citizen(3, name='idle', vm_args=f'-kernel net_ticktime {TICKTIME}\n')
    other = s.case.erl(4, s.release, refresh=None, args=args).start()
    s.link(name, other)
    port = other.eval(f"proplists:get_value('{name}', erlang:system_info(dist_ctrl))")
    time.sleep(2.5 * TICKTIME)
    s.case.assertEqual(port, other.eval(f"proplists:get_value('{name}', erlang:system_info(dist_ctrl))"))


@row('link', 'a silent peer is dead after net_ticktime, each way')
def silence(s):
    args = ['-kernel', 'net_ticktime', str(TICKTIME)]
    name, process = s.citizen(3, name='mute', vm_args=f'-kernel net_ticktime {TICKTIME}\n')
    other = s.case.erl(4, s.release, refresh=None, args=args).start()
    s.link(name, other)
    process.popen.send_signal(signal.SIGSTOP)
    eventually('the BEAM has lost us', 3 * TICKTIME, lambda: name not in other.nodes())
    process.popen.send_signal(signal.SIGCONT)
    s.link(name, other)
    s.link(name)
    s.says(f"gen_server:call({{subject, '{name}'}}, {{monitor_nodes, true}})", 'ok')
    s.case.lab.pod(4).cable('down')
    text = f"lists:member({{nodedown, '{other.name}', net_tick_timeout}}, gen_server:call({{subject, '{name}'}}, signals))"
    eventually('we have lost the BEAM', 3 * TICKTIME, lambda: s.erl.eval(text) == 'true', interval=0.2)


@row('link', 'dials again when something is sent')
def reconnect(s):
    s.says(f"Ask({{monitor_nodes, true}}), erlang:disconnect_node(N), true = net_kernel:connect_node(N), "
           "Noted(fun({nodedown, _, _}) -> true; (_) -> false end)", 'noted')
    other = s.case.erl(3, s.release, refresh=None).start()

    def linked():
        """What is sent before the end of the link has reached us goes down with it: it is sent again."""
        s.says(f"Ask({{send, {{nobody, '{other.name}'}}, hi}})", 'ok')
        return s.name in other.nodes()

    for _ in range(3):
        eventually('it is linked', 10, linked, interval=0.2)
        other.eval(f"erlang:disconnect_node('{s.name}')")


# ---- signals ----

@row('signals', 'send by pid, name and alias, each way')
def sends(s):
    s.says("register(box, self()), Alias = alias(), [ok = Ask({send, To, {it, I}}) || {I, To} <- [{1, self()}, "
           "{2, {box, node()}}, {3, Alias}]], R = [receive {it, I} -> I after 5000 -> lost end || I <- [1, 2, 3]], "
           "unregister(box), R", '[1,2,3]')
    s.says("P = Ask(self), A = Ask(alias), P ! one, {subject, N} ! two, A ! three, Ask(signals)",
           '[{message,one},{message,two},{message,three}]')
    s.says("A = Ask(alias), ok = Ask({unalias, A}), A ! lost, Ask(signals)", '[]')


@row('signals', 'link and unlink, each way')
def links(s):
    s.says("process_flag(trap_exit, true), C = Ask(child), link(C), gen_server:call(C, {die, gone}), "
           "receive {'EXIT', C, R} -> R after 5000 -> none end", 'gone')
    s.says("process_flag(trap_exit, true), ok = Ask({trap_exit, true}), ok = Ask({link, self()}), Self = self(), "
           "P = spawn(fun() -> receive go -> exit(bang) end end), ok = Ask({link, P}), P ! go, "
           "Noted(fun({'EXIT', X, bang}) -> X =:= P; (_) -> false end)", 'noted')
    s.says("process_flag(trap_exit, true), C = Ask(child), link(C), unlink(C), gen_server:call(C, {die, gone}), "
           "receive {'EXIT', C, _} -> linked after 300 -> none end", 'none')
    s.says("P = spawn(fun() -> receive go -> exit(bang) end end), ok = Ask({link, P}), ok = Ask({unlink, P}), "
           "P ! go, timer:sleep(300), [X || {'EXIT', X, bang} <- Ask(signals), X =:= P]", '[]')
    s.says("P = spawn(fun() -> ok end), timer:sleep(50), ok = Ask({link, P}), "
           "Noted(fun({'EXIT', X, noproc}) -> X =:= P; (_) -> false end)", 'noted')


@row('signals', 'monitors by pid and name, `noproc`, `noconnection`, each way')
def monitors(s):
    s.says("C = Ask(child), M = monitor(process, C), gen_server:call(C, {die, gone}), "
           "receive {'DOWN', M, process, C, R} -> R after 5000 -> none end", 'gone')
    s.says("M = monitor(process, {nobody, N}), receive {'DOWN', M, process, {nobody, N}, R} -> R after 5000 -> none end", 'noproc')
    s.says("M = monitor(process, {subject, N}), demonitor(M, [flush])", 'true')
    s.says("P = spawn(fun() -> receive go -> exit(bang) end end), M = Ask({monitor, P}), P ! go, "
           "Noted(fun({'DOWN', X, _, bang}) -> X =:= M; (_) -> false end)", 'noted')
    s.says("P = spawn(fun() -> receive go -> exit(bang) end end), M = Ask({monitor, P}), ok = Ask({demonitor, M}), "
           "P ! go, timer:sleep(300), [X || {'DOWN', X, _, bang} <- Ask(signals), X =:= M]", '[]')
    s.says("M = Ask({monitor, {nobody, node()}}), "
           "Noted(fun({'DOWN', X, {nobody, _}, noproc}) -> X =:= M; (_) -> false end)", 'noted')
    s.says("P = spawn(fun() -> receive go -> ok end end), M = Ask({monitor, P}), Mine = monitor(process, {subject, N}), "
           "erlang:disconnect_node(N), receive {'DOWN', Mine, _, _, noconnection} -> ok end, "
           "true = net_kernel:connect_node(N), Noted(fun({'DOWN', X, _, noconnection}) -> X =:= M; (_) -> false end)", 'noted')


@row('signals', 'exit/2 with any reason, each way')
def exits(s):
    s.says("C = Ask(child), M = monitor(process, C), exit(C, {big, lists:seq(1, 1000)}), "
           "receive {'DOWN', M, _, _, {big, L}} -> length(L) after 5000 -> none end", '1000')
    s.says("C = Ask(child), M = monitor(process, C), exit(C, kill), receive {'DOWN', M, _, _, R} -> R after 5000 -> none end", 'killed')
    s.says("C = Ask(child), M = monitor(process, C), exit(C, normal), pong = net_adm:ping(N), "
           "receive {'DOWN', M, _, _, R} -> R after 300 -> lives end", 'lives')
    s.says("P = spawn(fun() -> receive never -> ok end end), M = monitor(process, P), ok = Ask({exit, P, {why, #{}}}), "
           "receive {'DOWN', M, _, _, R} -> R after 5000 -> none end", '{why,#{}}')


@row('signals', 'spawn requests, each way')
def spawns(s):
    calc = s.example(3, 'calc')
    s.says(f"P = spawn('{calc}', calc, add, [1, 2]), node(P) =:= '{calc}'", 'true')
    s.says(f"{{_, M}} = spawn_monitor('{calc}', calc, add, [1, 2]), receive {{'DOWN', M, _, _, R}} -> R after 5000 -> none end", 'normal')
    s.says(f"{{_, M}} = spawn_monitor('{calc}', calc, nosuch, [1]), "
           "receive {'DOWN', M, _, _, {undef, [{calc, nosuch, [1], _} | _]}} -> undef after 5000 -> none end", 'undef')
    s.says(f"process_flag(trap_exit, true), P = spawn_link('{calc}', calc, add, [1, 2]), receive {{'EXIT', P, R}} -> R after 5000 -> none end", 'normal')
    s.says(f"R = spawn_request('{calc}', calc, add, [1, 2], [{{reply, yes}}]), receive {{spawn_reply, R, ok, P}} -> node(P) =:= '{calc}' after 5000 -> none end", 'true')
    s.says("ok = Ask({trap_exit, true}), R = Ask({spawn, node(), erlang, exit, [done]}), "
           "Noted(fun({'DOWN', X, _, done}) -> X =:= R; (_) -> false end)", 'noted')


@row('signals', 'group leaders, each way')
def leaders(s):
    s.says("P = Ask(self), group_leader(self(), P), Ask(leader) =:= self()", 'true')
    s.says("P = spawn(fun() -> receive {gl, F} -> F ! group_leader(), receive never -> ok end end end), ok = Ask({lead, P}), "
           "P ! {gl, self()}, receive L when is_pid(L) -> L =:= Ask(self) after 5000 -> none end", 'true')


@row('signals', 'the atom cache, read and written')
def atoms(s):
    s.says("L = [list_to_atom(\"atom_\" ++ integer_to_list(I)) || I <- lists:seq(1, 2000)], "
           "[L, L, L] =:= [Ask({echo, L}) || _ <- [1, 2, 3]]", 'true', timeout=30)
    s.says("L = [list_to_atom([16#3b1, I rem 7 + $a]) || I <- lists:seq(1, 300)], L =:= Ask({echo, L})", 'true')


@row('signals', 'fragments, read and written')
def fragments(s):
    s.says("T = {lists:duplicate(20, some_atom), binary:copy(<<\"0123456789\">>, 500000)}, T =:= Ask({echo, T})", 'true')


@row('signals', '64 MiB in one message, each way')
def large(s):
    s.says("ok = Ask({blob, self(), 67000000}), receive B when is_binary(B) -> byte_size(B) after 20000 -> none end", '67000000', timeout=40)
    s.says("B = binary:copy(<<7>>, 33000000), gen_server:call({subject, N}, {echo, B}, 30000) =:= B", 'true', timeout=40)


# ---- calls ----

@row('calls', 'rpc and erpc as a client')
def rpc_out(s):
    s.says("Out(rpc, [node(), erlang, node, 5000, []]) =:= {answered, '', node(), []}", 'true')
    s.says("{raised, error, badarg, _} = Out(rpc, [node(), erlang, abs, 5000, [a]]), raised", 'raised')
    s.says("Out(rpc, [node(), timer, sleep, 100, [5000]])", "{timed_out,'',[],[]}")


@row('calls', 'rpc and erpc as a server')
def rpc_in(s):
    calc = s.example(3, 'calc')
    s.says(f"{{rpc:call('{calc}', calc, add, [1, 2]), erpc:call('{calc}', calc, add, [3, 4])}}", '{3,7}')
    s.says(f"rpc:call('{calc}', calc, add, [a, 2])", "{badrpc,{'EXIT',{badarg,[{calc,add,2,[]}]}}}")
    s.says(f"try erpc:call('{calc}', os, cmd, [\"ls\"]) catch error:{{exception, R, _}} -> R end", 'undef')
    s.says(f"{{A, B}} = rpc:multicall([node(), '{calc}'], erlang, node, []), {{length(A), B}}", '{2,[]}')


@row('calls', 'gen_server:call and cast, each way')
def gen_calls(s):
    counter = s.example(3, 'counter')
    s.says(f"[gen_server:call({{counter, '{counter}'}}, next) || _ <- [1, 2]]", '[1,2]')
    s.says("ok = gen_server:cast({subject, N}, hello), Ask(signals)", '[{cast,hello}]')
    s.says("register(srv, spawn(fun() -> receive {'$gen_call', F, Q} -> gen_server:reply(F, {got, Q}) end end)), "
           "Out(call, [srv, node(), 5000, hello])", "{answered,'',{got,hello},[]}")
    s.says("Out(call, [nobody, node(), 5000, hello])", "{no_process,'',noproc,[]}")
    s.says("P = spawn(fun() -> receive never -> ok end end), Out(call_pid, [P, 100, hello])", "{timed_out,'',[],[]}")


@row('calls', '`sys` and `supervisor` get an answer')
def system(s):
    counter = s.example(3, 'counter')
    s.says(f"is_map(sys:get_state({{counter, '{counter}'}}, 2000))", 'true')
    s.says(f"element(1, sys:get_status({{counter, '{counter}'}}, 2000))", 'status')
    s.says(f"try supervisor:which_children({{counter, '{counter}'}}) catch exit:{{timeout, _}} -> timeout; _:_ -> answered end =/= timeout", 'true')


@row('calls', 'net_adm:ping, net_kernel:nodes_info, system_info')
def habits(s):
    s.says("net_adm:ping(N)", 'pong')
    s.says("rpc:call(N, erlang, node, []) =:= N", 'true')
    s.says("{ok, L} = rpc:call(N, net_kernel, nodes_info, []), lists:keymember(node(), 1, L)", 'true')
    s.says("rpc:call(N, erlang, system_info, [otp_release])", '"29"')
    s.says("lists:member(node(), rpc:call(N, erlang, nodes, []))", 'true')


@row('calls', 'a registry of names')
def registry(s):
    s.says("M = monitor(process, {subject, N}), P = Ask(self), demonitor(M), {subject, N} ! x, Ask(signals)", '[{message,x}]')


# ---- groups and global names ----

@row('cluster', '`pg`: groups across the cluster')
def groups(s):
    s.says("{ok, _} = pg:start(lab), ok = Ask({pg_start, lab}), ok = Ask({pg_join, lab, {room, 1}}), "
           "F = fun F() -> case pg:get_members(lab, {room, 1}) of [P] -> P =:= Ask(self); _ -> timer:sleep(20), F() end end, F()", 'true')
    s.says("ok = pg:join(lab, {room, 2}, whereis(init)), F = fun F() -> case Ask({pg_members, lab, {room, 2}}) of [P] -> P =:= whereis(init); _ -> timer:sleep(20), F() end end, F()", 'true')
    s.says("ok = Ask({pg_leave, lab, {room, 1}}), F = fun F() -> case pg:get_members(lab, {room, 1}) of [] -> left; _ -> timer:sleep(20), F() end end, F()", 'left')
    s.case.assert_quiet([s.erl])


@row('cluster', '`global`: names across the cluster')
def global_names(s):
    name, _ = s.citizen(3, name='worldly', more=['global'])
    s.link(name)
    ask = f"gen_server:call({{subject, '{name}'}}, "
    s.says(f"global:sync(), {ask}{{register, {{the, name}}}}, 10000)", 'yes')
    s.says(f"global:whereis_name({{the, name}}) =:= {ask}self)", 'true')
    s.says(f"yes = global:register_name(other, whereis(init)), {ask}{{whereis, other}}) =:= whereis(init)", 'true')
    s.case.assert_quiet([s.erl])


# ---- many, and slow ones ----

@row('runtime', 'many peers at once, one thread')
def many(s):
    erls = [s.case.erl(number, s.release, refresh=None).start() for number in (3, 4, 5)]
    for erl in erls:
        s.link(erl=erl)
    for erl in [s.erl, *erls]:
        s.says("length([Ask({echo, I}) || I <- lists:seq(1, 500)])", '500', erl)


@row('runtime', 'back-pressure: a slow reader is waited for')
def back_pressure(s):
    other = s.case.erl(3, s.release, refresh=None).start()
    s.says(f"ok = Ask({{send, {{nobody, '{other.name}'}}, hi}})", 'ok')
    eventually('it is linked', 10, lambda: s.name in other.nodes())
    other.process.popen.send_signal(signal.SIGSTOP)
    s.says(f"F = fun F(0) -> full; F(I) -> case catch Ask({{blob, {{nobody, '{other.name}'}}, 1000000}}) of ok -> F(I - 1); _ -> busy end end, F(200)", 'busy')
    s.says("pong = net_adm:ping(N)", 'pong')
    other.process.popen.send_signal(signal.SIGCONT)
    s.says(f"Noted(fun({{writable, W}}) -> W =:= '{other.name}'; (_) -> false end)", 'noted')


@row('runtime', 'metrics: what each link has carried')
def metrics(s):
    s.says("{ok, L} = rpc:call(N, net_kernel, nodes_info, []), {_, I} = lists:keyfind(node(), 1, L), "
           "proplists:get_value(in, I) > 0 andalso proplists:get_value(out, I) > 0", 'true')


@row('terms', 'all types of terms come back as they went')
def terms(s):
    s.says("P = self(), R = make_ref(), F = fun(X) -> {P, X} end, "
           "L = [1, -1, 255, 256, -2147483649, 1 bsl 64, -(1 bsl 2100), 1.5, -0.0, 1.0e300, atom, 'an atom', [], {}, #{}, \"text\", [1000, 2000], "
           "[a | b], {a, {b, [c]}}, #{k => #{1 => [2]}}, <<>>, <<1, 2, 3>>, <<1:3>>, <<255, 5:7>>, P, R, F, fun lists:map/2, "
           "hd(erlang:ports()), list_to_tuple(lists:seq(1, 300)), lists:duplicate(70000, 7), [[], [[]]], {[{[]}]}], "
           "[X || X <- L, Ask({echo, X}) =/= X]", '[]', timeout=30)
    s.says("Ask({echo, whereis(init)}) =:= whereis(init)", 'true')
