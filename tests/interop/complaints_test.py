# SPDX-License-Identifier: Apache-2.0
"""What users of erl_interface complain about, as tests; ticks during a long wait, 2,000 atoms and
64 MiB in one message are rows of conformance_test.py, restarted peers stand in restart_test.py."""

import re
import statistics
from pathlib import Path

import conformance_test as conformance
from lab.case import LabCase, per_release
from lab.nodes import eventually

GIGABYTE = 1 << 30
CAP = 32 << 20  # bytes by which a node may grow that takes a gigabyte as a stream
# Microseconds that pings beside a gigabyte take at most, as their median: far less than it takes itself, on a machine
# that does other work, too. How fast they are is measured by `bench/run messages --table gigabyte`.
PING = 100_000

# Pings while a process of this node sends our node a message; their times in microseconds.
UNDER_LOAD = """
Self = self(), ok = Ask({{stream, true}}), Data = binary:copy(<<"0123456789abcdef">>, {size} div 16),
spawn(fun() -> {{subject, N}} ! Data, Self ! sent end),
Ping = fun F(Times) ->
    Begin = erlang:monotonic_time(microsecond),
    Signals = Ask(signals),
    Now = [erlang:monotonic_time(microsecond) - Begin | Times],
    case [S || {{stream, S}} <- Signals] of
        [S] -> {{S, Now}};
        [] -> timer:sleep(2), F(Now)
    end
end,
{{Size, Times}} = Ping([]),
{{text, io_lib:format("~w ~w", [Size, Times])}}
"""


class Complaints(LabCase):
    def peak(self, stage):
        """The most memory that our node ever held, in bytes."""
        return int(re.search(r'VmHWM:\s+(\d+)', Path(f'/proc/{stage.process.pid}/status').read_text())[1]) << 10

    @per_release
    def test_tags_are_opaque(self, release):
        stage = conformance.Stage(self, release)
        for tag in ('make_ref()', '[alias | alias([reply])]', '{any, [thing, #{}]}', '"text"'):
            stage.says(f"Tag = {tag}, {{subject, N}} ! {{'$gen_call', {{self(), Tag}}, {{echo, hi}}}}, "
                       "receive {Tag, hi} -> answered after 5000 -> none end", 'answered')
        stage.says("R = gen_server:send_request({subject, N}, {echo, hi}), gen_server:receive_response(R, 5000)", '{reply,hi}')

    @per_release
    def test_a_gigabyte_in_a_fixed_memory(self, release):
        """And pings of the same node all the while."""
        stage = conformance.Stage(self, release)
        stage.says('Ask(signals)', '[]')
        before = self.peak(stage)
        head = f"N = '{stage.name}', Ask = fun(O) -> gen_server:call({{subject, N}}, O, 30000) end, "
        size, times = stage.erl.eval(head + UNDER_LOAD.format(size=GIGABYTE), timeout=120).split(' ', 1)
        times = sorted(int(word) for word in times.strip('[]').split(','))
        print(f'OTP {release}: {len(times)} pings under a gigabyte: median {statistics.median(times)} us, '
              f'p99 {times[len(times) * 99 // 100]} us, longest {times[-1]} us; memory grew by '
              f'{self.peak(stage) - before >> 10} KiB', flush=True)
        self.assertGreaterEqual(int(size), GIGABYTE)
        self.assertGreater(len(times), 20)
        self.assertLess(self.peak(stage) - before, CAP)
        self.assertLess(statistics.median(times), PING)

    @per_release
    def test_too_much_ends_the_receiver_and_says_so(self, release):
        stage = conformance.Stage(self, release)
        stage.says("C = Ask(child), M = monitor(process, C), C ! binary:copy(<<1>>, 100000000), "
                   "receive {'DOWN', M, _, _, R} -> R after 20000 -> none end", 'message_too_big', timeout=40)
        stage.says('net_adm:ping(N)', 'pong')

    @per_release
    def test_terms_of_any_depth(self, release):
        """Wherever a term may stand; there and back, over one link."""
        stage = conformance.Stage(self, release)
        deep = 'F = fun(W, D) -> lists:foldl(fun(_, T) -> W(T) end, an_atom, lists:seq(1, D)) end, '
        for way, depths in (('fun(T) -> {T} end', (1023, 1024, 1025, 5000, 100000)),
                            ('fun(T) -> [T] end', (1025, 100000)),
                            ('fun(T) -> [1 | [T | 2]] end', (1025, 100000)),
                            ('fun(T) -> #{key => T} end', (1025, 20000)),
                            ('fun(T) -> #{T => 1} end', (1025, 20000)),
                            ('fun(T) -> {1, fun(X) -> {X, T} end} end', (15, 16, 17, 100, 5000))):
            for depth in depths:
                make = f'{deep}T = F({way}, {depth}), '
                stage.says(f'{make}Ask({{echo, T}}) =:= T andalso erpc:call(N, calc, same, [T]) =:= T', 'true')
        make = f'{deep}T = F(fun(T) -> {{[T], here}} end, 50000), '
        stage.says(f"{make}C = Ask(child), M = monitor(process, C), exit(C, T), "
                   "receive {'DOWN', M, _, _, T} -> same after 9000 -> none end", 'same')
        stage.says(f"{make}Self = self(), spawn(fun() -> process_flag(trap_exit, true), C = Ask(child), link(C), "
                   "exit(C, T), receive {'EXIT', C, T} -> Self ! same end end), "
                   "receive same -> same after 9000 -> none end", 'same')
        stage.says(f"{make}{{_, M}} = spawn_monitor(N, calc, same, [T]), "
                   "receive {'DOWN', M, _, _, R} -> R after 9000 -> none end", 'normal')
        stage.says(f"{make}P = spawn(fun() -> receive go -> exit(T) end end), M = Ask({{monitor, P}}), P ! go, "
                   "Noted(fun(S) -> is_tuple(S) andalso lists:member(T, tuple_to_list(S)) end)", 'noted')
        stage.says('net_adm:ping(N)', 'pong')

    @per_release
    def test_a_gigabyte_out(self, release):
        """Ours sends one; its other messages are not held up by it."""
        stage = conformance.Stage(self, release)
        stage.says(f"Self = self(), C = Ask(child), spawn(fun() -> ok = gen_server:call(C, {{blob, Self, {GIGABYTE}}}, 60000) end), "
                   "timer:sleep(50), Times = [element(1, timer:tc(fun() -> pong = net_adm:ping(N) end)) || _ <- lists:seq(1, 50)], "
                   f"receive B when byte_size(B) =:= {GIGABYTE} -> lists:nth(25, lists:sort(Times)) < {PING} after 60000 -> lost end",
                   'true', timeout=120)
        eventually('it lives', 5, lambda: stage.erl.eval(f"net_adm:ping('{stage.name}')") == 'pong')
