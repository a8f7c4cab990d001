# SPDX-License-Identifier: Apache-2.0
"""`erlclu call` and `erlclu send` against real nodes."""

import base64
import json

from lab.case import LabCase, per_release
from lab.nodes import HAS_POOLED_NAMES, erlclu, eventually


class Call(LabCase):
    def call(self, node, *words, options=()):
        """(exit status, standard output, standard error)"""
        done = erlclu(self.lab.pod(3), 'call', *options, node.name, *words)
        return done.returncode, done.stdout, done.stderr

    def json(self, node, *words, tagged=False):
        status, out, _ = self.call(node, *words, options=['--json=tagged' if tagged else '--json'])
        return status, json.loads(out)

    @per_release
    def test_what_is_returned(self, release):
        erl = self.erl(2, release, refresh=None).start()
        for words, answer in {
                ('erlang', 'node'): f"'{erl.name}'",
                ('erlang', 'system_info', '[otp_release]'): f'"{release}"',
                ('lists', 'reverse', '[[a, {b, "c"}, #{d => <<"e">>}]]'): '[#{d => <<"e">>},{b,"c"},a]',
                ('erlang', 'max', '[1.5, -2]'): '1.5',
                ('binary', 'copy', '[<<"äö"/utf8>>, 2]'): '<<"äöäö"/utf8>>',
                ('math', 'pow', '[2, 3]'): '8.0',
        }.items():
            with self.subTest(words):
                self.assertEqual((0, answer + '\n', ''), self.call(erl, *words))
        self.assert_quiet([erl])

    @per_release
    def test_what_is_raised(self, release):
        erl = self.erl(2, release, refresh=None).start()
        for words, shown in {
                ('erlang', 'error', '[boom]'): 'exception error: boom',
                ('erlang', 'throw', '[{a, 1}]'): 'exception throw: {a,1}',
                ('erlang', 'exit', '[normal]'): 'exception exit: normal',
                ('erlang', 'hd', '[[]]'): 'exception error: badarg',
        }.items():
            with self.subTest(words):
                status, out, err = self.call(erl, *words)
                self.assertEqual((1, ''), (status, out))
                self.assertIn(shown, err)
                self.assertEqual(1, len(err.splitlines()))
        for words, shown in {
                ('nosuch', 'f'): 'nosuch:f/0 does not exist there',
                ('lists', 'nosuch', '[1, 2]'): 'lists:nosuch/2 does not exist there',
                ('lists', 'nosuch', '[a, [2]]'): 'lists:nosuch/2 does not exist there',
                ('erlang', 'apply', '[nosuch, f, [a]]'): 'nosuch:f/1 does not exist there',
                ('Enum', 'sum', '[[1]]'): "'Enum':sum/1 does not exist there: Elixir modules are called Elixir.Enum",
        }.items():
            with self.subTest(words):
                status, out, err = self.call(erl, *words)
                self.assertEqual((1, ''), (status, out))
                self.assertIn('exception error: undef in [{', err)
                self.assertEqual([f'erlclu: {shown}'], err.splitlines()[1:])
        self.assertEqual(1, len(self.call(erl, 'erlang', 'error', '[undef]')[2].splitlines()))
        status, answer = self.json(erl, 'erlang', 'throw', '[x]')
        self.assertEqual((1, {'node': erl.name, 'exception': 'throw', 'reason': 'x'}), (status, answer))
        # its process is killed, which no function can tell
        status, _, err = self.call(erl, 'erlang', 'apply', '[erlang, exit, [kill]]')
        self.assertEqual(1, status, err)

    @per_release
    def test_json(self, release):
        erl = self.erl(2, release, refresh=None).start()
        term = '{1, 2.5, abc, true, undefined, <<"bin">>, <<255>>, "text", [], #{k => [1|2]}, 36893488147419103232}'
        words = ('erlang', 'hd', f'[[{term}]]')
        self.assertEqual((0, {'node': erl.name, 'result': [1, 2.5, 'abc', True, None, 'bin', [255], 'text', [],
                                                           {'k': [1, 2]}, 1 << 65]}), self.json(erl, *words))
        self.assertEqual((0, {'node': erl.name, 'result': {'tuple': [
            1, {'float': '2.5'}, {'atom': 'abc'}, {'atom': 'true'}, {'atom': 'undefined'}, {'binary': 'bin'},
            {'base64': '/w=='}, [116, 101, 120, 116], [], {'map': [[{'atom': 'k'}, {'list': [1], 'tail': 2}]]},
            {'integer': str(1 << 65)}]}}), self.json(erl, *words, tagged=True))
        # a pid goes through JSON and back, to the byte
        status, answer = self.json(erl, 'erlang', 'whereis', '[init]', tagged=True)
        etf = base64.b64decode(answer['result']['etf'])
        self.assertEqual((0, 'true'), (status, erl.eval(f'binary_to_term(<<{",".join(map(str, etf))}>>) =:= whereis(init)')))

    def test_mistakes(self):
        erl = self.erl(2, refresh=None).start()
        for words in (('erlang', 'node', '['), ('erlang', 'node', '{}'), ('erlang', 'node', '[] x'),
                      ('erlang',), ('x' * 256, 'f'), ('erlang', 'node', '[]', 'more'), ('', 'node'), ('erlang', ''),
                      ('erlang:node', '[]')):
            with self.subTest(words):
                status, out, err = self.call(erl, *words)
                self.assertEqual((2, '', 1), (status, out, len(err.splitlines())), err)
        # The link has to come about within it, too.
        status, _, err = self.call(erl, 'timer', 'sleep', '[60000]', options=['--timeout', '4s'])
        self.assertEqual((5, f'erlclu: {erl.name} did not answer timer:sleep/1 within 4 s: see --timeout; '
                             'the function may still run\n'), (status, err))
        status, out, err = self.call(erl, 'timer', 'sleep', '[60000]', options=['--timeout', '4s', '--json'])
        self.assertEqual((5, {'node': erl.name, 'exception': 'none', 'reason': 'timeout'}, ''),
                         (status, json.loads(out), err))
        status, out, err = self.call(erl, 'erlang', 'halt', options=['--json'])
        self.assertEqual((7, {'node': erl.name, 'exception': 'none', 'reason': 'noconnection'}, ''),
                         (status, json.loads(out), err))

    def test_nothing_stays(self):
        erl = self.erl(2, refresh=None).start()

        def calls():
            for words in (('node',), ('error', '[x]')) * 5:
                self.call(erl, 'erlang', *words)
                # Until then the next one gets another name, and the node another atom.
                eventually('its name is back in the pool', 5, lambda: erl.eval(HAS_POOLED_NAMES) == 'true')
            eventually('it is alone', 5, lambda: erl.nodes('hidden') == set())

        def processes():
            return int(erl.eval('erlang:system_info(process_count)'))

        calls()
        erl.atoms()
        atoms, before = erl.atoms(), processes()
        calls()
        self.assertEqual(atoms, erl.atoms())
        eventually('no process is left', 5, lambda: processes() <= before)


class Send(LabCase):
    def send(self, node, *words):
        done = erlclu(self.lab.pod(3), 'send', node.name, *words)
        return done.returncode, done.stdout + done.stderr

    @per_release
    def test_a_message_arrives(self, release):
        erl = self.erl(2, release, refresh=None).start()
        erl.eval('register(heard, spawn(fun() -> timer:sleep(infinity) end))')
        for term in ('hello', '{a, [1, "two"], #{b => <<"c">>}}', '"äö"'):
            self.assertEqual((0, ''), self.send(erl, 'heard', term))
        # it has arrived when the command ends
        self.assertEqual('{messages,[hello,{a,[1,"two"],#{b => <<"c">>}},"äö"]}',
                         erl.eval('process_info(whereis(heard), messages)'))
        self.assert_quiet([erl])

    def test_nobody_hears_it(self):
        erl = self.erl(2, refresh=None).start()
        status, text = self.send(erl, 'nobody', 'hello')
        self.assertEqual(1, status)
        self.assertIn('no process is registered as nobody', text)
        for words in (('heard', '{'), ('', 'hello'), ('heard',)):
            self.assertEqual(2, self.send(erl, *words)[0], words)
