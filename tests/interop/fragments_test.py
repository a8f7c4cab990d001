# SPDX-License-Identifier: Apache-2.0
"""Atom caches and fragments with real nodes, both ways: thousands of atoms, messages of many sizes,
a gigabyte as a stream, and what goes on meanwhile."""

import re
from pathlib import Path

from lab.case import LabCase, per_release
from lab.citizen import Citizen

MIB = 1 << 20
GIB = 1 << 30
STREAM_CAP = 32 << 20  # bytes that a gigabyte may cost who takes it as a stream
LONG = 120  # seconds


class Fragments(LabCase):
    def linked(self, release):
        self.erlang = self.erl(1, release, name='erl@10.42.0.1', refresh=None).start()
        self.citizen = Citizen(self.lab.pod(2)).start().join(self.erlang)

    def says(self, text, timeout=LONG):
        return self.erlang.eval(f"N = '{self.citizen.name}', {text}", timeout)

    def finish(self):
        """All is well, over the same link as at the begin."""
        self.assertEqual('pong', self.says('net_adm:ping(N)'))
        self.assert_quiet([self.erlang])
        self.citizen.alive()
        self.assertEqual('', self.citizen.log())

    def peak(self):
        """The most memory that the citizen ever had."""
        text = Path(f'/proc/{self.citizen.process.pid}/status').read_text()
        return int(re.search(r'VmHWM:\s+(\d+) kB', text)[1]) * 1024

    @per_release
    def test_two_thousand_atoms(self, release):
        """More atoms than either cache holds, in messages with few and with many; all come back."""
        self.linked(release)
        self.says('[list_to_atom("atom " ++ integer_to_list(I)) || I <- lists:seq(1, 5000)], ok')
        name = 'list_to_existing_atom("atom " ++ integer_to_list(I))'
        for size in (1, 3, 200, 255, 256, 300, 2000):
            self.assertEqual('true', self.says(
                f'lists:all(fun(From) -> L = [{name} || I <- lists:seq(From, From + {size} - 1)], '
                f'erpc:call(N, calc, same, [L]) =:= L end, lists:seq(1, 2001, {max(size, 5)}))'), size)
        self.finish()

    @per_release
    def test_odd_atoms(self, release):
        """The empty one, the longest, of one byte a character and of four."""
        self.linked(release)
        for text in ('[]', 'lists:duplicate(255, $a)', 'lists:duplicate(255, 16#1f600)',
                     'lists:duplicate(128, 16#e9)', 'lists:duplicate(63, 16#1f600)'):
            self.assertEqual('true', self.says(
                f'A = list_to_atom({text}), L = [A, {{A, A}}, ok, A], '
                'lists:all(fun(_) -> erpc:call(N, calc, same, [L]) =:= L end, [1, 2, 3])'), text)
        self.finish()

    @per_release
    def test_sizes_around_a_fragment(self, release):
        """There and back, as binaries, lists and maps of atoms."""
        self.linked(release)
        self.assertEqual('[]', self.says(
            '[S || S <- [0, 1, 65000, 65400, 65536, 65537, 70000, 131072, 196608, 200000, 1000003, '
            f'{5 * MIB}], B <- [binary:copy(<<S, 7, 9>>, S div 3 + 1)], B =/= erpc:call(N, calc, same, [B])]'))
        self.assertEqual('true', self.says(
            'A = fun(I) -> list_to_atom("key " ++ integer_to_list(I rem 500)) end, '
            'L = [{I, make_ref(), self(), A(I), #{A(I + 1) => 1.5, {A(I + 2)} => "text"}} '
            '|| I <- lists:seq(1, 20000)], erpc:call(N, calc, same, [L]) =:= L'))
        self.finish()

    @per_release
    def test_many_at_a_time(self, release):
        """Forty processes there, each with messages of a size of its own: none is mixed up."""
        self.linked(release)
        self.assertEqual('[]', self.says(
            'P = self(), Do = fun(K) -> B = binary:copy(<<K>>, 20000 * K), '
            'lists:all(fun(_) -> erpc:call(N, calc, same, [{K, B}]) =:= {K, B} end, lists:seq(1, 5)) end, '
            '[spawn(fun() -> P ! {K, catch Do(K)} end) || K <- lists:seq(1, 40)], '
            '[R || K <- lists:seq(1, 40), R <- [receive {K, True} -> {K, True} after 60000 -> {K, timeout} end], '
            'R =/= {K, true}]'))
        self.finish()

    @per_release
    def test_whole_and_too_big(self, release):
        """Just below 64 MiB it arrives whole; above, its receiver ends and the link stays."""
        self.linked(release)
        self.assertEqual(str(64 * MIB - 1000), self.says(
            f'byte_size(erpc:call(N, calc, same, [binary:copy(<<7>>, {64 * MIB - 1000})]))'))
        self.assertEqual('message_too_big', self.says(
            "M = monitor(process, {plain, N}), receive after 100 -> ok end, "
            f"{{plain, N}} ! binary:copy(<<7>>, {64 * MIB}), receive {{'DOWN', M, _, _, Why}} -> Why end"))
        self.assertEqual("{badrpc,{'EXIT',system_limit}}",
                         self.says(f"rpc:call(N, calc, same, [binary:copy(<<7>>, {64 * MIB})])"))
        self.finish()

    @per_release
    def test_the_first_message_is_a_large_one(self, release):
        """A BEAM sends what it dials by in one frame, whatever its size: it is a stream all the same, or too big."""
        for to, answer in (('sink', f'receive {{sink, {100 * MIB + 5}, _, Sum}} -> ok after 60000 -> timeout end'),
                           ('plain', "receive {'DOWN', _, _, _, Why} -> Why after 60000 -> timeout end")):
            self.erlang = self.erl(1, release, name='erl@10.42.0.1', refresh=None).start()
            self.citizen = Citizen(self.lab.pod(2)).start()
            self.assertEqual('ok' if to == 'sink' else 'noproc', self.says(
                f'B = binary:copy(<<7>>, {100 * MIB}), Sum = erlang:adler32([<<109, (byte_size(B)):32>>, B]), '
                f'[] = nodes(connected), {{{to}, N}} ! B, monitor(process, {{{to}, N}}), {answer}'), to)
            self.finish()
            self.lab.clean()

    def test_a_gigabyte_as_a_stream(self):
        """Taken within a fixed cap, and right to the last byte; what comes whole is a signal."""
        self.linked(25)
        before = self.peak()
        value = self.says(
            f'B = binary:copy(<<0:8, 1, 2, 3:24, 255, 17>>, {GIB} div 8), '
            'Sum = erlang:adler32([<<109, (byte_size(B)):32>>, B]), {sink, N} ! B, '
            f'receive {{sink, Bytes, Parts, Sum}} -> {{Bytes - byte_size(B), Parts > 16000}} '
            'after 100000 -> timeout end')
        self.assertEqual('{5,true}', value)
        self.assertLess(self.peak() - before, STREAM_CAP)
        self.assertEqual('{whole,7}', self.says('{sink, N} ! <<1,2>>, receive R -> R end'))
        self.finish()

    @per_release
    def test_pings_pass_a_large_message(self, release):
        """We send half a gigabyte; meanwhile pings are answered, and its sender's next waits for it."""
        self.linked(release)
        value = self.says(
            f'P = self(), {{giver, N}} ! {{P, {GIB // 2}}}, '
            'Ping = fun(F, L) -> {T, pong} = timer:tc(fun() -> net_adm:ping(N) end), '
            'receive B when is_binary(B) -> {byte_size(B), receive behind -> true after 5000 -> false end, '
            'lists:sort([T | L])}; behind -> too_early after 0 -> F(F, [T | L]) end end, '
            '{Size, Behind, Times} = Ping(Ping, []), '
            '{Size, Behind, length(Times), lists:nth((length(Times) + 1) div 2, Times), lists:last(Times)}')
        size, behind, count, median, worst = value.strip('{}').split(',')
        print(f'    {count} pings: median {median} us, worst {worst} us')
        self.assertEqual((str(GIB // 2), 'true'), (size, behind))
        self.assertGreater(int(count), 5, 'the pings waited for the message')
        self.finish()
