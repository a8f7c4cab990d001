# SPDX-License-Identifier: Apache-2.0
"""`erlclu shell`, driven through a pty, and as a script has it: on OTP 25, 27 and 29, and Elixir."""

import os
import shutil
import signal
import time

from interop.elixir_test import ElixirNode
from lab.case import LabCase, per_release
from lab.console import Console
from lab.nodes import COOKIE, ERLCLU, HAS_POOLED_NAMES, TOP, eventually, write_cookie
from lab.otp import HOST_RELEASE

INTERRUPT, MENU, EOF, LEFT, UP = '\x03', '\x07', '\x04', '\x1b[D', '\x1b[A'


class ShellCase(LabCase):
    def console(self, node, *options, pod=3, **how):
        console = Console(self.lab.pod(pod), 'shell', *options, node.name, **how)
        self.addCleanup(console.close)
        return console

    def tell_time(self, what, shell):
        """How long the first prompt took; of the first session, the peer's loading of modules is part."""
        print(f'[{what}: prompt after {(time.monotonic() - shell.began) * 1000:.0f} ms] ', end='', flush=True)

    def processes(self, node):
        return int(node.eval('erlang:system_info(process_count)'))

    def assert_nothing_is_left(self, node, before):
        """No process more than before, and no link."""
        eventually('the console has gone', 5, lambda: node.nodes('hidden') == set())
        try:
            eventually('its processes have gone', 5, lambda: self.processes(node) <= before)
        except AssertionError as error:
            raise AssertionError(node.eval(
                '[{P, process_info(P, [current_function, initial_call, group_leader])} || '
                'P <- processes(), node(element(2, process_info(P, group_leader))) =/= node()]')) from error

    def script(self, node, text, *options):
        """(exit status, standard output, standard error) of a shell that reads a text."""
        pod = self.lab.pod(3)
        write_cookie(pod, COOKIE)
        path = pod.dir / 'script'
        path.write_text(text)
        done = pod.run(['sh', '-ec', f'exec "$0" "$@" <{path}', ERLCLU, 'shell', *options, node.name])
        return done.returncode, done.stdout, done.stderr


class NoErlang(ShellCase):
    def test_a_node_of_our_own(self):
        """It says what is missing there, and what there is instead."""
        self.dns(2)
        node = self.clu(2).start()
        status, out, text = self.script(node, '1 + 1.\n')
        self.assertEqual((1, ''), (status, out), text)
        self.assertIn(f"{node.name}: it has neither IEx nor Erlang's shell", text)


class Erlang(ShellCase):
    def prompt(self, node, number):
        return f'({node.name}){number}> '

    @per_release
    def test_a_session(self, release):
        erl = self.erl(2, release, refresh=None).start()
        before = self.processes(erl)
        shell = self.console(erl)
        shell.expect('Ctrl-D leaves; q(). or halt(). would stop the node\n', self.prompt(erl, 1))
        self.tell_time(erl.otp, shell)
        self.assertFalse(shell.is_cooked())
        # an expression over three lines
        shell.say('lists:sum([1,\r', 'lists:sum([1,')
        shell.say('2,\r', '2,')
        shell.say('3]).\r', '3]).', '\n6\n', self.prompt(erl, 2))
        # edited, and recalled
        shell.say('lists:reverse([1,3])' + LEFT * 3 + '2,' + '\r.\r', '[3,2,1]\n', self.prompt(erl, 3))
        shell.say(UP, 'lists:reverse([1,2,3])')
        shell.say('\r', '[3,2,1]\n', self.prompt(erl, 4))
        # completion by the peer's own expander: what is unique is added, else there is a choice
        shell.say('lists:rev\t', 'lists:reverse(')
        shell.say('"ab").\r', '"ba"\n', self.prompt(erl, 5))
        shell.say('lists:ke\t', 'lists:key')
        shell.say('\t', 'keydelete', 'keysort', self.prompt(erl, 5), 'lists:key')
        shell.say(INTERRUPT, self.prompt(erl, 5))
        # crashes
        shell.say('1/0.\r', '** exception error', self.prompt(erl, 6))
        shell.say('exit(self(), kill).\r', '** exception exit: killed', self.prompt(erl, 7))
        shell.say(').\r', 'syntax error before', self.prompt(erl, 7))
        # (what is no token; OTP 25 then reads the rest of the line without echo)
        shell.say('99#2. foo.\r', "illegal base '99'", self.prompt(erl, 7))
        shell.say("'unfinished\r", "'unfinished")
        shell.say(INTERRUPT, self.prompt(erl, 7))
        # bindings live through them
        shell.say('X = 41.\r', '41\n', self.prompt(erl, 8))
        shell.say('hd([]).\r', '** exception error', self.prompt(erl, 9))
        shell.say('X + 1.\r', '42\n', self.prompt(erl, 10))
        shell.say('Variable = 43.\r', '43\n', self.prompt(erl, 11))
        if release > 25:  # where the expander knows variables
            shell.say('Vari\t', 'Variable')
        else:
            shell.say('Variable', 'Variable')
        shell.say(' + 1.\r', '44\n', self.prompt(erl, 12))
        # a loop, and Ctrl-C
        shell.say('F = fun F() -> F() end, io:put_chars("it runs\\n"), F().\r', 'F().\n', 'it runs\n')
        shell.say(INTERRUPT, '** exception exit: killed', '> ')
        shell.say('X.\r', '41\n', '> ')
        # Ctrl-G
        shell.say(MENU, '--> ')
        shell.say('h\r', 'back to the shell', 'quit', '--> ')
        shell.say('c\r', '> ')
        shell.say('X.\r', '41\n', '> ')
        shell.say('timer:sleep(infinity).\r', 'infinity).\n')
        shell.say(MENU, '--> ')
        shell.say('i\r', '--> ')
        shell.say('c\r', '> ')
        shell.say('X.\r', '41\n', '> ')
        # another one, without the bindings
        shell.say(MENU, '--> ')
        shell.say('k\r', '--> ')
        eventually('it is killed', 5, lambda: 'no shell' in shell.say('j\r', '--> '))
        shell.say('s\r', 'Eshell', self.prompt(erl, 1))
        shell.say('X.\r', "variable 'X' is unbound", '> ')
        # end of file
        shell.type(EOF)
        self.assertEqual(0, shell.end())
        again = self.console(erl)
        again.expect(self.prompt(erl, 1))
        self.tell_time('again', again)
        again.type(EOF)
        self.assertEqual(0, again.end())
        self.assert_nothing_is_left(erl, before)
        self.assert_quiet([erl])

    @per_release
    def test_the_io_protocol(self, release):
        erl = self.erl(2, release, refresh=None).start()
        before = self.processes(erl)
        shell = self.console(erl, columns=77, rows=33)
        shell.expect(self.prompt(erl, 1))
        for typed, *shown in (
                ('io:put_chars([228, 8364, 10]).\r', 'ä€\n', 'ok\n'),
                ('group_leader() ! {io_request, self(), z, {put_chars, latin1, <<228, 10>>}}, '
                 'receive {io_reply, z, R0} -> R0 end.\r', 'ä\n', 'ok\n'),
                ('io:format("~ts ~p~n", ["ü", {a}]).\r', 'ü {a}\n', 'ok\n'),
                ('io:columns().\r', '{ok,77}\n'),
                ('io:rows().\r', '{ok,33}\n'),
                ('proplists:get_value(encoding, io:getopts()).\r', 'unicode\n'),
                ('io:setopts([{nosuch, 1}]).\r', '{error,enotsup}\n'),
                ('group_leader() ! {io_request, self(), x, {nosuch}}, '
                 'receive {io_reply, x, R1} -> R1 end.\r', '{error,request}\n'),
                ('group_leader() ! {io_request, self(), y, {requests, [{put_chars, unicode, "one "}, '
                 '{put_chars, unicode, "two\\n"}]}}, receive {io_reply, y, R2} -> R2 end.\r',
                 'one two\n', 'ok\n'),
        ):
            shell.say(typed, *shown, '> ')
        for asks, typed, *shown in (
                ('io:get_line("name? ").\r', 'Zoë\r', '"Zoë\\n"'),
                ('io:get_line(standard_io, \'atom? \').\r', 'x\r', '"x\\n"'),
                ('io:fread("number? ", "~d").\r', '42\r', '{ok,"*"}'),
                ('io:read("term? ").\r', '{a,\r[1,2]}.\r', '{ok,{a,[1,2]}}'),
                ('io:scan_erl_exprs("scan? ").\r', 'a, b.\r', '{ok,[{atom,'),
        ):
            shell.say(asks, '? ')
            shell.say(typed, *shown, '> ')
        # three of four characters: the shell gets the rest
        shell.say('io:get_chars("chars? ", 3).\r', '? ')
        shell.say('abc\r', '"abc"', '> ')
        shell.say('.\r', '> ')
        # echo off
        shell.say('io:setopts([{echo, false}]), L = io:get_line("pass? "), io:setopts([{echo, true}]), length(L).\r',
                  'pass? ')
        self.assertNotIn('secret', shell.say('secret\r', '7\n', '> '))
        # who reads and dies gets nothing of what is typed then
        shell.say('register(dying, spawn(fun() -> receive go -> io:get_line("dying? ") end end)).\r', 'true\n', '> ')
        erl.eval('dying ! go')
        shell.expect('dying? ')
        shell.say('lost', 'lost')
        erl.eval('exit(whereis(dying), kill)')
        shell.expect('> ')
        shell.say('{whereis(dying)}.\r', '{undefined}\n', '> ')
        # output of others comes above what is being typed, which stays
        shell.type('unfini')
        shell.say(' bus', 'unfini bus')
        shell.type('\x15')
        shell.say('register(late, spawn(fun() -> receive go -> io:format("late~n") end end)).\r', 'true\n', '> ')
        shell.say('typed', 'typed')
        erl.eval('late ! go')
        shell.expect('late\n', 'typed')
        shell.say('.\r', 'typed\n', '> ')
        shell.type(EOF)
        self.assertEqual(0, shell.end())
        self.assert_nothing_is_left(erl, before)

    @per_release
    def test_nothing_stays(self, release):
        """Sessions that end in every way leave no process and no atom."""
        erl = self.erl(2, release, refresh=None).start()
        before = 1000

        def ended(by):
            shell = self.console(erl)
            shell.expect(self.prompt(erl, 1))
            by(shell)
            shell.end()
            self.assert_nothing_is_left(erl, before)
            # Until then the next one gets another name, and the node another atom.
            eventually('its name is back in the pool', 5, lambda: erl.eval(HAS_POOLED_NAMES) == 'true')

        ends = (lambda shell: shell.type(EOF),
                lambda shell: shell.type('timer:sleep(infinity).\r') or time.sleep(0.2) or shell.type(MENU + 'q\r'),
                lambda shell: shell.kill(signal.SIGTERM),
                lambda shell: shell.kill(signal.SIGKILL),
                lambda shell: shell.type('timer:sleep(infinity).\r') or time.sleep(0.2) or shell.kill(),
                lambda shell: shell.type('exit(oops).\r') or shell.type(EOF))
        for end in ends:  # the first time, the peer starts helpers of its own (inet_gethost_native)
            ended(end)
        erl.atoms()
        atoms, before = erl.atoms(), self.processes(erl)
        for end in ends:
            ended(end)
        self.assertEqual(atoms, erl.atoms())
        self.assert_quiet([erl])

    @per_release
    def test_a_script(self, release):
        erl = self.erl(2, release, refresh=None).start()
        before = self.processes(erl)
        status, out, _ = self.script(erl, 'X = 1 +\n1.\nio:get_line("").\nhello\n[X || true].\n1/0.\nnode().')
        self.assertEqual(0, status)
        lines = out.splitlines()
        self.assertEqual(['2', '"hello\\n"', '[2]'], lines[:3])
        self.assertIn('** exception error: an error occurred when evaluating an arithmetic expression', lines)
        self.assertEqual(f"'{erl.name}'", lines[-1])
        self.assertNotIn('Ctrl-D', out)
        self.assertEqual((0, ''), self.script(erl, '')[:2])
        self.assertEqual((0, '1\n'), self.script(erl, '1.\n % the end\n')[:2])
        for text in ('1.\nx = 2', '1. lists:max(', '1.\n"unfinished.\n'):
            with self.subTest(text):
                status, out, err = self.script(erl, text)
                self.assertEqual((1, '1\n'), (status, out))
                self.assertIn('erlclu: the input ended within an expression: is its final dot missing?\n', err)
        self.assert_nothing_is_left(erl, before)
        self.assert_quiet([erl])

    def test_a_peer_that_goes(self):
        erl = self.erl(2, refresh=None).start()
        shell = self.console(erl)
        shell.expect(self.prompt(erl, 1))
        erl.kill()
        shell.expect(f'the connection to {erl.name} is lost')
        self.assertEqual(7, shell.end())
        self.assertTrue(shell.is_cooked())

    def test_no_node_to_talk_to(self):
        erl = self.erl(2, refresh=None).start()
        shell = Console(self.lab.pod(3), 'shell', f'nosuch@{erl.pod.address}')
        self.addCleanup(shell.close)
        shell.expect('no link with nosuch@', 'epmd-unknown')
        self.assertEqual(6, shell.end())

    def test_a_window_that_changes(self):
        erl = self.erl(2, refresh=None).start()
        shell = self.console(erl)
        shell.expect(self.prompt(erl, 1))
        shell.resize(50, 20)
        time.sleep(0.2)
        shell.say('{io:columns(), io:rows()}.\r', '{{ok,50},{ok,20}}')

    def test_a_window_that_changes_before_the_link(self):
        """What the peer asks is how it is then, not how it was when the program started."""
        erl = self.erl(2, refresh=None).start()
        port = self.dist_port(erl)
        erl.process.popen.send_signal(signal.SIGSTOP)
        shell = self.console(erl)
        dialling = ['ss', '-Htn', 'state', 'established', f'dport = {port}']
        eventually('it dials', 5, lambda: self.lab.pod(3).run(dialling).stdout)
        shell.resize(77, 33)
        erl.process.popen.send_signal(signal.SIGCONT)
        shell.expect(self.prompt(erl, 1))
        shell.say('{io:columns(), io:rows()}.\r', '{{ok,77},{ok,33}}')

    def job(self, node, script):
        """A shell as a job of bash's, which then does what the script says: "$@" is the shell."""
        console = self.console(node, prefix=['bash', '-mc', script, 'bash'])
        console.expect(self.prompt(node, 1))
        return console

    def stop(self, console):
        """As Ctrl-Z would, which is a key there: SIGSTOP to what bash has started."""
        words = ['pgrep', '-P', str(console.pid), '-x', 'erlclu']
        pid = int(self.lab.pod(3).run(words).stdout)
        os.kill(pid, signal.SIGSTOP)

    def test_who_was_stopped_has_its_terminal_again(self):
        """However that was left meanwhile."""
        erl = self.erl(2, refresh=None).start()
        shell = self.job(erl, '"$@"; stty sane; fg; echo "ended: $?"')
        self.assertFalse(shell.is_cooked())
        self.stop(shell)
        eventually('it has the keys again', 5, lambda: not shell.is_cooked())
        shell.say('40 + 2.\r', '\n42\n', self.prompt(erl, 2))
        shell.type(EOF)
        shell.expect('ended: 0')
        self.assertEqual(0, shell.end())

    def test_a_job_in_the_background_can_be_ended(self):
        """The terminal is another's: it is not touched, which would stop us again."""
        erl = self.erl(2, refresh=None).start()
        shell = self.job(erl, '"$@"; kill %1; sleep 3; jobs; echo over')
        self.stop(shell)
        self.assertIn('Exit 1 ', shell.expect('over'))

    def test_it_ends_though_nobody_reads(self):
        """As a pager that was not left: a signal is heard all the same."""
        erl = self.erl(2, refresh=None).start()
        pod = self.lab.pod(3)
        write_cookie(pod, COOKIE)
        (pod.dir / 'script').write_text('[io:format("~p~n", [lists:seq(1, 2000)]) || _ <- lists:seq(1, 500)].\n')
        begin = time.monotonic()
        done = pod.run(['bash', '-c', f'cd {pod.dir}; mkfifo out; sleep 30 <out & reader=$!; "$@" <script >out & '
                        'sleep 2; kill $!; wait $!; echo "ended: $?"; kill $reader', 'bash', ERLCLU, 'shell', erl.name])
        self.assertIn('ended: 1\n', done.stdout, done.stderr)
        self.assertLess(time.monotonic() - begin, 15)

    def test_a_child_of_before(self):
        """One that it did not start ends: nobody has asked it to end, too."""
        erl = self.erl(2, refresh=None).start()
        shell = self.console(erl, prefix=['sh', '-c', 'sleep 2 & exec "$@"', 'sh'])
        shell.expect(self.prompt(erl, 1))
        shell.say('timer:sleep(2500).\r', '\nok\n', self.prompt(erl, 2))

    def test_a_closed_input(self):
        """It is at its end."""
        erl = self.erl(2, refresh=None).start()
        pod = self.lab.pod(3)
        write_cookie(pod, COOKIE)
        done = pod.run(['timeout', '10', 'sh', '-c', 'exec "$@" <&-', 'sh', ERLCLU, 'shell', erl.name])
        self.assertEqual((0, ''), (done.returncode, done.stdout), done.stderr)
        self.assertNotIn('Epoll', done.stderr)

    def test_a_script_without_a_standard_error(self):
        """Nobody needs to read its banner."""
        erl = self.erl(2, refresh=None).start()
        pod = self.lab.pod(3)
        write_cookie(pod, COOKIE)
        for error in ('2>&-', '2>/dev/full'):
            with self.subTest(error):
                done = pod.run(['timeout', '10', 'sh', '-c', f'echo "40 + 2." | "$@" {error}', 'sh', ERLCLU, 'shell', erl.name])
                self.assertEqual((0, '42\n'), (done.returncode, done.stdout))

    def test_in_an_empty_root(self):
        """As in the image, which holds the program and nothing else: no terminfo, no library."""
        program = TOP / 'build' / 'static' / 'erlclu'
        self.assertTrue(program.exists(), f'there is no {program}: make static')
        erl = self.erl(2, refresh=None).start()
        pod = self.lab.pod(3)
        root = pod.dir / 'root'
        root.mkdir(exist_ok=True)
        shutil.copy(program, root / 'erlclu')
        (root / 'cookie').write_text(COOKIE)
        (root / 'cookie').chmod(0o400)
        shell = Console(pod, 'shell', '--cookie-file', '/cookie', erl.name, program='/erlclu',
                        prefix=('chroot', root))
        self.addCleanup(shell.close)
        shell.expect(self.prompt(erl, 1))
        shell.say('lists:rev\t', 'lists:reverse(')
        shell.say('[1,2]).\r', '[2,1]\n')
        shell.type(EOF)
        self.assertEqual(0, shell.end())


class Elixir(ShellCase):
    def setUp(self):
        super().setUp()
        if shutil.which('elixir') is None:
            self.fail('the test needs elixir: scripts/setup test')

    def elixir(self):
        return ElixirNode(self.lab.pod(2), self.lab.otp(HOST_RELEASE)).start()

    def prompt(self, node, number):
        return f'iex({node.name}){number}> '

    def test_a_session(self):
        node = self.elixir()
        first = self.console(node)  # starts the application iex, which stays
        first.expect(self.prompt(node, 1))
        first.type(EOF)
        self.assertEqual(0, first.end())
        eventually('the console has gone', 5, lambda: node.nodes('hidden') == set())
        before = self.processes(node)
        shell = self.console(node)
        shell.expect('Ctrl-D leaves; System.halt() or System.stop() would stop the node\n', self.prompt(node, 1))
        self.tell_time('Elixir', shell)
        # an expression over three lines
        shell.say('Enum.map([1,\r', '...')
        shell.say('2],\r', '...')
        shell.say('& &1 * 2)\r', '[2, 4]\n', self.prompt(node, 2))
        # completion, of variables too
        shell.say('Enum.rev\t', 'Enum.reverse')
        shell.say('([1, 2])\r', '[2, 1]\n', self.prompt(node, 3))
        shell.say('Enum.m\t', 'map_every', 'min_max', self.prompt(node, 3), 'Enum.m')
        shell.say(INTERRUPT, self.prompt(node, 3))
        shell.say('answer = %{deep: 42}\r', '%{deep: 42}\n', self.prompt(node, 4))
        shell.say('ans\t', 'answer')
        shell.say('.d\t', 'answer.deep')
        shell.say('\r', '42\n', self.prompt(node, 5))
        # a crash
        shell.say('raise "oops"\r', '** (RuntimeError) oops', self.prompt(node, 5))
        shell.say('Process.exit(self(), :kill)\r', 'shell process exited with reason: killed', self.prompt(node, 1))
        # unfinished
        shell.say('foo(\r', '...')
        shell.say(INTERRUPT, 'interrupted', self.prompt(node, 1))
        # a loop
        shell.say('IO.puts("it runs"); Stream.cycle([1]) |> Stream.run()\r', 'run()\n', 'it runs\n')
        shell.say(INTERRUPT, 'interrupted', self.prompt(node, 1))
        # I/O
        shell.say('IO.gets("name? ")\r', '? ')
        shell.say('Zoë\r', '"Zoë\\n"\n', self.prompt(node, 2))
        shell.say('IO.puts("äöü€")\r', 'äöü€\n', ':ok', self.prompt(node, 3))
        shell.say('h Enum.sum/1\r', 'Returns the sum', self.prompt(node, 4))
        # Ctrl-G
        shell.say(MENU, '--> ')
        shell.say('h\r', 'quit', '--> ')
        shell.say('c\r', self.prompt(node, 4))
        # end of file
        shell.type(EOF)
        self.assertEqual(0, shell.end())
        self.assert_nothing_is_left(node, before)
        self.assert_quiet([node])

    def test_the_erlang_shell(self):
        node = self.elixir()
        before = self.processes(node)
        shell = self.console(node, '--erl')
        shell.expect('Eshell', f'({node.name})1> ')
        shell.say('1 + 1.\r', '2\n', f'({node.name})2> ')
        shell.type(EOF)
        self.assertEqual(0, shell.end())
        self.assert_nothing_is_left(node, before)

    def test_a_script(self):
        node = self.elixir()
        text = 'x = 1 +\n1\nIO.gets("")\nhello\nraise "oops"\nx * 21\n'
        status, out, _ = self.script(node, text)
        self.assertEqual(0, status)
        self.assertEqual(['2', '"hello\\n"'], out.splitlines()[:2])
        self.assertIn('** (RuntimeError) oops', out)
        self.assertEqual('42', out.splitlines()[-1])
        before = self.processes(node)
        self.assertEqual((0, '3\n'), self.script(node, '1 + 2')[:2])
        status, out, err = self.script(node, '1\nEnum.map([1,\n')
        self.assertEqual((1, '1\n'), (status, out))
        self.assertIn('erlclu: the input ended within an expression\n', err)
        self.assert_nothing_is_left(node, before)

    def test_what_iex_leaves(self):
        node = self.elixir()
        self.script(node, '1')
        eventually('the console has gone', 5, lambda: node.nodes('hidden') == set())
        before = self.processes(node)
        for end in (lambda shell: shell.type(EOF),
                    lambda shell: shell.type(MENU + 'k\rq\r'),
                    lambda shell: shell.type('Process.sleep(:infinity)\r') or time.sleep(0.2) or shell.type(MENU + 'q\r'),
                    lambda shell: shell.kill(signal.SIGTERM),
                    lambda shell: shell.kill(signal.SIGKILL)):
            shell = self.console(node)
            shell.expect(self.prompt(node, 1))
            end(shell)
            shell.end()
            self.assert_nothing_is_left(node, before)
