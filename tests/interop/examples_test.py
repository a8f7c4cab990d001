# SPDX-License-Identifier: Apache-2.0
"""The programs under examples/, built against an installed library as a user builds them, each
beside real Erlang nodes."""

import hashlib
import os
import random
import re
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

from lab.case import LabCase, per_release
from lab.nodes import COOKIE, eventually
from lab.otp import TOP

BUILD = TOP / 'build'
SEEN, LONG = 10, 60  # seconds
STRICT = '-O2 -Wall -Wextra -Werror -pedantic'


class Examples(LabCase):
    @classmethod
    def setUpClass(cls):
        cls.root = Path(tempfile.mkdtemp(prefix='erlclu-examples.'))
        cls.addClassCleanup(shutil.rmtree, cls.root)
        run = {'check': True, 'capture_output': True, 'text': True}
        subprocess.run(['meson', 'install', '-C', BUILD, '--no-rebuild', '--quiet', '--destdir', cls.root],
                       **run)
        cls.lib = next(cls.root.rglob('liberlclu.so')).parent
        cls.bin = cls.root / 'bin'
        # What pkg-config says is no part of the key of Go's cache, which names folders of earlier runs.
        paths = {'CGO_LDFLAGS': f'-L{cls.lib}', 'PKG_CONFIG_PATH': str(cls.lib / 'pkgconfig'), 'PKG_CONFIG_SYSROOT_DIR': str(cls.root),
                 'GOFLAGS': '-mod=mod', 'GOTOOLCHAIN': 'local'}
        made = subprocess.run(['make', '-C', TOP / 'examples', f'OUT={cls.bin}', f'CFLAGS={STRICT}',
                               'all', 'uv', 'go'], env=os.environ | paths, capture_output=True, text=True)
        if made.returncode != 0:
            raise AssertionError(made.stdout + made.stderr)

    def example(self, number, *argv, name, **options):
        """An example in a pod; its name, its process."""
        pod = self.lab.pod(number)
        env = {'RELEASE_COOKIE': COOKIE, 'MY_POD_IP': pod.address, 'LD_LIBRARY_PATH': str(self.lib)}
        process = pod.start([*argv], f'{name}.example.log', env=env, **options)
        node = f'{name}@{pod.address}'
        return node, process

    def beside(self, release, *argv, name, **options):
        """An example and an Erlang node that has it linked."""
        node, process = self.example(1, *argv, name=name, **options)
        erl = self.erl(2, release, refresh=None).start()
        self.link(erl, node, process)
        return erl, node, process

    def link(self, erl, node, process):
        def linked():
            if not process.alive():
                raise AssertionError(f'{node} ended: {process.log()}')
            return erl.eval(f"net_kernel:connect_node('{node}')") == 'true'
        eventually(f'{erl} links {node}', 10, linked, interval=0.1)

    def assert_evaluates(self, erl, expected, text):
        self.assertEqual(expected, erl.eval(text), text)

    def assert_leaves(self, erl, node, process):
        """SIGTERM: a clean end, which the other side sees at once."""
        process.popen.send_signal(signal.SIGTERM)
        self.assertEqual(0, process.wait(), process.log())
        eventually(f'{erl} has lost {node}', SEEN, lambda: node not in erl.nodes('connected'))
        complaints = [line for line in process.log().splitlines() if ' warning dns:' not in line]
        self.assertEqual([], complaints)

    def calculates(self, release, *argv):
        erl, node, process = self.beside(release, *argv, name='calc')
        self.assert_evaluates(erl, '5', f"rpc:call('{node}', calc, add, [2, 3])")
        self.assert_evaluates(erl, '-1', f"erpc:call('{node}', calc, add, [-3, 2])")
        self.assert_evaluates(erl, str(2**63 - 1), f"erpc:call('{node}', calc, add, [{2**62}, {2**62 - 1}])")
        for args in (f'[{2**63 - 1}, 1]', '[a, 1]', f'[{2**64}, 1]', '[1.0, 1]'):
            self.assert_evaluates(erl, 'badarg', f"try erpc:call('{node}', calc, add, {args}) "
                                                 "catch error:{exception, R, _} -> R end")
        self.assert_evaluates(erl, 'undef', f"try erpc:call('{node}', calc, sub, [2, 3]) "
                                            "catch error:{exception, R, _} -> R end")
        self.assert_evaluates(erl, '{[3],[]}', f"rpc:multicall(['{node}'], calc, add, [1, 2])")
        self.assert_evaluates(erl, '[{ok,7},{ok,7}]',
                              f"erpc:multicall(['{node}', '{node}'], calc, add, [3, 4])")
        return erl, node, process

    @per_release
    def test_calc(self, release):
        # Discovery finds nothing here, and says so: no harm.
        self.dns()
        self.assert_leaves(*self.calculates(release, self.bin / 'calc'))

    @per_release
    def test_calc_in_cpp(self, release):
        self.assert_leaves(*self.calculates(release, self.bin / 'calc-cpp'))

    @per_release
    def test_calc_in_python(self, release):
        self.assert_leaves(*self.calculates(release, 'python3', TOP / 'examples' / 'calc.py'))

    @per_release
    def test_calc_in_go(self, release):
        self.assert_leaves(*self.calculates(release, self.bin / 'calc-go'))

    @per_release
    def test_calc_finds_its_peers(self, release):
        """By the DNS name that the program gives, as in a cluster."""
        self.dns(1, 2)
        node, process = self.example(1, self.bin / 'calc', name='calc')
        erl = self.erl(2, release, refresh=None).start()
        eventually(f'{node} dials {erl}', 15, lambda: erl.nodes() == {node}, interval=0.1)
        self.assert_evaluates(erl, '42', f"rpc:call('{node}', calc, add, [40, 2])")

    @per_release
    def test_counter(self, release):
        erl, node, process = self.beside(release, self.bin / 'counter', name='counter')
        server = f"{{counter, '{node}'}}"
        self.assert_evaluates(erl, '[1,2,3]', f'[gen_server:call({server}, next) || _ <- [1, 2, 3]]')
        self.assert_evaluates(erl, '45', f'gen_server:call({server}, {{add, 42}})')
        self.assert_evaluates(erl, '#{count => 45}', f'sys:get_state({server})')
        self.assert_evaluates(erl, '0', f'gen_server:cast({server}, reset), gen_server:call({server}, get)')
        self.assert_evaluates(erl, 'refused', f'try gen_server:call({server}, {{nonsense, 1}}, 2000) '
                                              'catch exit:{R, _} when R =/= timeout -> refused end')
        self.assert_evaluates(erl, '1', f'gen_server:call({server}, next)')
        self.assert_leaves(erl, node, process)

    @per_release
    def test_observer(self, release):
        one, two = self.erl(2, release, refresh=None).start(), self.erl(3, release, refresh=None).start()
        node, process = self.example(1, self.bin / 'observer', f'static:{one.name},{two.name}', name='observer')
        eventually('both are up', 15,
                   lambda: {f'up {one.name}', f'up {two.name}'} <= set(process.log().splitlines()))
        one.process.popen.terminate()
        eventually('one is down', 10, lambda: f'down {one.name}: ' in process.log())
        self.assertRegex(process.log(), f'down {one.name}: connection_closed\n')
        self.assert_evaluates(two, 'true', f"erlang:disconnect_node('{node}')")
        eventually('two is down', 10, lambda: f'down {two.name}: connection_closed' in process.log())

    def typing(self, number, *argv, name):
        """An example whose standard input is a pipe of ours."""
        read, write = os.pipe()
        try:
            node, process = self.example(number, *argv, name=name, stdin=read)
        finally:
            os.close(read)
        typed = os.fdopen(write, 'w', buffering=1)
        self.addCleanup(typed.close)
        return node, process, typed

    @per_release
    def test_bridge(self, release):
        erl = self.erl(2, release, refresh=None).start()
        erl.eval('register(echo, spawn(fun F() -> receive {bridge, P, L} -> '
                 'P ! {echo, string:uppercase(L), node(P)}, F() end end))')
        node, process, typed = self.typing(1, self.bin / 'bridge', 'echo', erl.name, name='bridge')
        typed.write('hello\nGrüße\n\n')
        expected = [f"{{echo,<<\"{word}\">>,'{node}'}}" for word in ('HELLO', 'GRÜSSE', '')]
        expected[1] = expected[1].replace('">>', '"/utf8>>')
        expected[2] = f"{{echo,<<>>,'{node}'}}"
        eventually('three lines come back', 10, lambda: process.log().splitlines() == expected)
        # A node that is gone loses lines and nothing else; one that is back gets the next.
        typed.close()
        self.assertEqual(0, process.wait(), process.log())
        eventually('it has left', SEEN, lambda: not erl.nodes('connected'))

    @per_release
    def test_pubsub(self, release):
        """Phoenix.PubSub's adapter as its source has it: a process in a group of its scope."""
        group = "'Elixir.MyApp.PubSub.Adapter'"
        erl, node, process = self.beside(release, self.bin / 'pubsub', 'MyApp.PubSub', 'room:1', name='pubsub')
        erl.eval("pg:start('Elixir.Phoenix.PubSub'), register(box, spawn(fun F() -> receive "
                 "{take, P} -> receive {forward_to_local, _, _, _} = M -> P ! M end, F() end end)), "
                 f"pg:join('Elixir.Phoenix.PubSub', {group}, whereis(box))")
        members = f"[node(P) || P <- pg:get_members('Elixir.Phoenix.PubSub', {group})]"
        eventually('it is a member', SEEN, lambda: f"'{node}'" in erl.eval(members))
        took = erl.eval('box ! {take, self()}, receive M -> M after 5000 -> none end')
        self.assertRegex(took, r"^\{forward_to_local,<<\"room:1\">>,\{tick,\d+\},'Elixir.Phoenix.PubSub'\}$")
        # What broadcast/4 sends: to all members elsewhere.
        for topic, message in (('room:2', 'other'), ('room:1', '#{from => elixir}')):
            erl.eval(f"[P ! {{forward_to_local, <<\"{topic}\">>, {message}, 'Elixir.Phoenix.PubSub'}} || "
                     f"P <- pg:get_members('Elixir.Phoenix.PubSub', {group}), node(P) =/= node()]")
        eventually('it prints what is for its topic', SEEN, lambda: process.log() == '#{from => elixir}\n')
        self.assert_evaluates(erl, '[]', "[P || P <- pg:get_members('Elixir.Phoenix.PubSub', nobody)]")
        process.popen.send_signal(signal.SIGTERM)
        self.assertEqual(0, process.wait())
        eventually('it has left', SEEN, lambda: erl.eval(members) == f"['{erl.name}']")
        self.assert_quiet([erl])

    @per_release
    def test_give(self, release):
        """A file is the argument of a gen_server:call; where there is none, that is said."""
        erl = self.erl(2, release, refresh=None).start()
        erl.eval("register(sink, spawn(fun F() -> receive {'$gen_call', From, Bytes} -> "
                 'gen_server:reply(From, {byte_size(Bytes), erlang:md5(Bytes)}), F() end end))')

        def give(path, to):
            node, process = self.example(1, self.bin / 'give', path, to, erl.name, name='give')
            return process.wait(LONG), process.log().splitlines()[-1]  # the log goes on from one to the next

        given = self.root / 'given'
        for data in (random.Random(release).randbytes(20 << 20), b'short'):
            given.write_bytes(data)
            md5 = ','.join(map(str, hashlib.md5(data).digest()))
            self.assertEqual((0, f'{{{len(data)},<<{md5}>>}}'), give(given, 'sink'))
        self.assertEqual((0, 'failed: noproc'), give(given, 'nobody'))
        given.write_bytes(b'')
        for path in (given, self.root / 'nothing'):
            self.assertEqual((2, 'give FILE NAME NODE: FILE cannot be read, or is empty'), give(path, 'sink'))

    @per_release
    def test_take(self, release):
        """More than a node takes whole, in a small part of that much memory."""
        erl, node, process = self.beside(release, self.bin / 'take', self.root / 'taken', name='take')
        size = 100 << 20
        took = erl.eval(f"B = crypto:strong_rand_bytes({size}), P = {{take, '{node}'}}, P ! <<1,2,3>>, P ! B, "
                        'P ! {done, self()}, receive {took, N} -> {N, binary:decode_unsigned(erlang:md5([<<1,2,3>>, B]))} '
                        'after 50000 -> none end', LONG)
        content = (self.root / 'taken').read_bytes()
        # A number: bytes that happen to be letters would be printed as a text.
        md5 = int.from_bytes(hashlib.md5(content).digest(), 'big')
        self.assertEqual(f'{{{size + 3},{md5}}}', took)
        peak = int(re.search(r'VmHWM:\s+(\d+) kB', Path(f'/proc/{process.popen.pid}/status').read_text())[1]) * 1024
        self.assertLess(peak, size // 4)
        self.assert_leaves(erl, node, process)

    @per_release
    def test_poll(self, release):
        node, process, typed = self.typing(1, self.bin / 'poll', name='poll')
        erl = self.erl(2, release, refresh=None).start()
        typed.write('first\n')
        self.link(erl, node, process)
        call = f"rpc:call('{node}', input, last, [])"
        eventually('the first line', SEEN, lambda: erl.eval(call) == '<<"first">>')
        typed.write('second\n')
        eventually('the second line', SEEN, lambda: erl.eval(call) == '<<"second">>')
        typed.close()
        self.assertEqual(0, process.wait(), process.log())

    @per_release
    def test_uv(self, release):
        erl, node, process = self.beside(release, self.bin / 'uv', name='uv')
        call = f"rpc:call('{node}', uv, ticks, [])"
        first = int(erl.eval(call))
        eventually('its timer goes on', SEEN, lambda: int(erl.eval(call)) > first + 10)
        self.assert_leaves(erl, node, process)

    def test_all_are_short(self):
        sources = [path for path in (TOP / 'examples').rglob('*') if path.suffix in ('.c', '.cpp', '.py', '.go')]
        self.assertGreater(len(sources), 9)
        for path in sources:
            self.assertLess(len(path.read_text().splitlines()), 60, path)

    def test_what_fails_is_said(self):
        """A wrong setting, and a name that is taken: one sentence, and a status."""
        node, process = self.example(1, self.bin / 'observer', 'bogus:', name='observer')
        self.assertEqual(2, process.wait())
        self.assertRegex(process.log(), '^observer: .*bogus:.*\n$')
        node, first = self.example(1, self.bin / 'counter', name='counter')
        eventually('the first is up', 10, lambda: 'counter' in self.lab.pod(1).run(
            [self.erlclu_program(), 'names', '127.0.0.1']).stdout)
        node, second = self.example(1, self.bin / 'counter', name='counter')
        self.assertEqual(12, second.wait(), second.log())
        self.assertRegex(second.log(), '^[^\n]* error [^\n]*\n$')
        self.assertTrue(first.alive())

    @staticmethod
    def erlclu_program():
        return BUILD / 'erlclu'
