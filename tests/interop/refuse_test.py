# SPDX-License-Identifier: Apache-2.0
"""What goes wrong in the field, and that erlclu says what: stage and reason in the document, one
clear line in the log, and a link as soon as the cause has gone."""

import os
import signal
import time
from pathlib import Path

from lab.case import LabCase, per_release
from lab.epmd import PORT as EPMD_PORT, names
from lab.nodes import COOKIE, ERLCLU, eventually, ping
from lab.peer import Dialler
from lab.pods import SERVICE

TESTS = Path(__file__).resolve().parents[1]
KNOWN = 10  # seconds until the document must show a failure


class Refused(LabCase):
    def assert_missing(self, node, key, stage, *words):
        """`missing` names the stage, and its reason holds the words; so does one line of the log."""
        def entry():
            found = node.missing(key)
            return found if found and found['stage'] == stage else None
        found = eventually(f'{key} is missing at {stage} in {node.cluster()["missing"]}', KNOWN, entry)
        for word in words:
            self.assertIn(word.lower(), found['reason'].lower())
        lines = [line for line in node.log().splitlines() if key in line]
        self.assertTrue(lines, f'no line of the log names {key}: {node.log()}')
        return found

    def assert_no_link(self, node, erl):
        self.assertEqual((set(), set()), (node.nodes(), erl.nodes()))
        self.assertNotIn(COOKIE, node.log() + node.get('/')[1])

    @per_release
    def test_wrong_cookie_of_one_we_dial(self, release):
        self.dns(1, 2)
        node, erl = self.clu(1), self.erl(2, release, cookie='another', refresh=None)
        node.start(), erl.start()
        self.assert_missing(node, '10.42.0.2', 'cookie', 'our cookie came from ')
        self.assert_no_link(node, erl)

    @per_release
    def test_wrong_cookie_of_one_that_dials_us(self, release):
        self.dns(1, 2)
        node, erl = self.clu(1, discover=()), self.erl(2, release, cookie='another', refresh=1000)
        node.start(), erl.start()
        eventually('the log says whom it refused, and why', KNOWN,
                   lambda: any('refused' in line and 'cookie' in line and erl.name in line
                               for line in node.log().splitlines()))
        self.assertIsNone(node.missing('10.42.0.2'), 'it dials nobody')
        self.assert_no_link(node, erl)

    def test_wrong_cookie_is_mended(self):
        self.dns(1, 2)
        node, erl = self.clu(1, cookie='another').start(), self.erl(2).start()
        self.assert_missing(node, '10.42.0.2', 'cookie')
        node.kill()
        node.cookie = COOKIE
        self.assert_mesh([node.start(), erl], 15)

    def with_peer_cookie(self, spec=(f'dns:{SERVICE}',)):
        """erlclu with a cookie of its own for the node in pod 2."""
        args = self.lab.scratch / 'vm.args'
        args.write_text('-setcookie erlclu@10.42.0.2 other\n')
        return self.clu(1, ['--args-file', args], discover=spec)

    @per_release
    def test_cookie_of_one_peer(self, release):
        """Dialling it, accepting it, and when its name is learnt; a third peer has the usual one."""
        here = {'we dial': ((f'dns:{SERVICE}',), None), 'it dials': ((), 500),
                'its name is learnt': ((f'dns:{SERVICE}?base=*',), None)}
        for who, (spec, refresh) in here.items():
            with self.subTest(who=who):
                self.dns(1, 2, 3)
                node = self.with_peer_cookie(spec)
                other = self.erl(2, release, cookie='other', refresh=refresh)
                usual = self.erl(3, release, refresh=refresh)
                for each in (node, other, usual):
                    each.start(wait=False)
                for each in (node, other, usual):
                    each.ready()
                eventually('erlclu is linked to both', 15, lambda: node.nodes() == {other.name, usual.name})
                for erl in (other, usual):
                    self.assertEqual('pong', erl.eval(f"net_adm:ping('{node.name}')"))
                    self.assertEqual({node.name}, erl.nodes())
                self.doCleanups()
            self.addCleanup(self.lab.clean)

    def test_cookie_with_a_newline(self):
        """The commonest mistake of all: a Secret made from a file that ends in one."""
        self.dns(1, 2)
        node = self.clu(1).start()
        self.erl(2, cookie=COOKIE + '\n', refresh=500).start()
        self.assert_missing(node, '10.42.0.2', 'cookie', 'cookie')
        eventually('the log names the newline', KNOWN, lambda: 'newline' in node.log())

    def test_node_name_mismatch(self):
        """Dialled by its address, but its name has another host: OTP closes silently, we say it."""
        self.dns(1, 2)
        pod = self.lab.pod(2)
        pod.hosts.write_text('127.0.0.1 localhost\n10.42.0.2 pod-2.lab\n')
        node = self.clu(1).start()
        self.erl(2, name='erlclu@pod-2.lab', refresh=None).start()
        self.assert_missing(node, '10.42.0.2', 'name-mismatch', 'erlclu@pod-2.lab')

    def test_nothing_listens(self):
        self.dns(1, 2)
        self.lab.pod(2)
        node = self.clu(1).start()
        self.assert_missing(node, '10.42.0.2', 'tcp-refused', '4369')

    def test_a_node_that_listens_at_loopback_only(self):
        """Its epmd tells a port, at which nothing listens for others."""
        self.dns(1, 2)
        node = self.clu(1).start()
        self.erl(2, args=['-kernel', 'inet_dist_use_interface', '{127,0,0,1}'], refresh=None).start()
        found = eventually('its port refuses', KNOWN, lambda: (
            lambda entry: entry if entry and ':4369' not in (entry['reason'] or ':4369') else None)(node.missing('10.42.0.2')))
        self.assertEqual('tcp-refused', found['stage'])
        self.assertIn('does not listen at this address', found['reason'])
        self.assertIn('inet_dist_use_interface', found['advice'])

    def test_packets_vanish(self):
        self.dns(1, 2)
        pod = self.lab.pod(1)
        # A neighbour that nobody is: SYNs leave and nothing comes back, as with a NetworkPolicy.
        pod.run(['ip', 'neigh', 'add', '10.42.0.2', 'lladdr', '02:00:00:00:00:77', 'dev', 'eth0'])
        node = self.clu(1).start()
        self.assert_missing(node, '10.42.0.2', 'tcp-timeout', '4369')

    def test_epmd_goes_down_and_comes_back(self):
        self.dns(1, 2)
        node, erl = self.clu(1).start(), self.erl(2, refresh=None).start()
        self.assert_mesh([node, erl], 15)
        epmd, = (pid for pid in erl.pod.pids() if Path(f'/proc/{pid}/comm').read_text() == 'epmd\n')
        os.kill(epmd, signal.SIGKILL)
        time.sleep(1)
        self.assertEqual({erl.name}, node.nodes(), 'a link outlives the epmd')
        erl.eval(f"erlang:disconnect_node('{node.name}')")
        self.assert_missing(node, '10.42.0.2', 'tcp-refused', '4369')
        erl.pod.start(['epmd'], 'epmd.log')
        self.assert_mesh([node, erl], 40)

    def test_distribution_port_closed(self):
        other = self.scripted()
        other.listener.close()
        self.scripted_dns({SERVICE: [other.address]})
        node = self.clu(1).start()
        self.assert_missing(node, other.address, 'tcp-refused', str(other.listener.port))

    def test_epmd_does_not_know_the_name(self):
        """Several names are listed there: all are named, none is guessed."""
        other = self.scripted()
        other.epmd.names = {'one': other.listener.port, 'two': other.listener.port}
        self.scripted_dns({SERVICE: [other.address]})
        node = self.clu(1).start()
        self.assert_missing(node, other.address, 'epmd-unknown', 'one', 'two', '?base=')
        self.assertEqual(0, other.connections)

    def test_a_base_that_was_named_is_meant(self):
        """Who names it wants no other node that happens to be alone there."""
        self.dns(1, 2)
        self.erl(2, name='other@10.42.0.2', refresh=None).start()
        node = self.clu(1, discover=[f'dns:{SERVICE}?base=myapp']).start()
        self.assert_missing(node, 'myapp@10.42.0.2', 'epmd-unknown', 'no node "myapp"', 'other')
        self.assertEqual(set(), node.nodes())

    def test_the_only_name_of_an_epmd_is_dialled(self):
        self.dns(1, 2)
        node, erl = self.clu(1).start(), self.erl(2, name='app@10.42.0.2', refresh=None).start()
        self.assert_mesh([node, erl], 15)

    def test_base_of_the_spec(self):
        self.dns(1, 2)
        erl = self.erl(2, name='app@10.42.0.2', refresh=None)
        node = self.clu(1, discover=[f'dns:{SERVICE}?base=app'])
        self.assert_mesh([node.start(), erl.start()], 15)

    def test_base_learned_from_the_handshake(self):
        self.dns(1, 2)
        erl = self.erl(2, name='what_ever@10.42.0.2', refresh=None)
        node = self.clu(1, discover=[f'dns:{SERVICE}?base=*'])
        self.assert_mesh([node.start(), erl.start()], 15)

    def test_another_node_at_an_address_that_is_dialled(self):
        """Whom we dial by what its epmd lists is no reason to refuse another one at its address."""
        held = []
        slow = self.scripted('other', answer=lambda sock: held.append(slow.answerer(sock)) or held[-1].recv_name())
        self.scripted_dns({SERVICE: [slow.address]})
        node = self.clu(1).start()
        eventually(f'{node} dials it', 10, lambda: held and held[0].peer)
        for name, status in (('aaa', 'ok'), ('zzz', 'ok'), ('other', 'ok_simultaneous')):
            dialler = Dialler((node.pod.address, self.dist_port(node)), f'{name}@{slow.address}', COOKIE,
                              source=slow.address)
            dialler.send_name()
            self.assertEqual(status, dialler.recv_status(), name)
        self.assertTrue(held[0].closed(5), 'only for itself the attempt is given up')

    def test_closed_before_status(self):
        other = self.scripted(answer=lambda sock: sock.close())
        self.scripted_dns({SERVICE: [other.address]})
        node = self.clu(1).start()
        self.assert_missing(node, other.address, 'closed-before-status')
        self.assertGreater(other.connections, 0)

    @per_release
    def test_a_node_that_is_stopped(self, release):
        """Its port takes connections, and nobody speaks: nothing was closed, and TLS is one guess of several."""
        self.dns(1, 2)
        node, erl = self.clu(1, discover=()).start(), self.erl(2, release, refresh=None).start()
        beam = next(pid for pid in erl.pod.pids() if Path(f'/proc/{pid}/comm').read_text() == 'beam.smp\n')
        os.kill(beam, signal.SIGSTOP)
        try:
            status, _, text = ping(node.pod, erl.name, '--timeout', '3')
        finally:
            os.kill(beam, signal.SIGCONT)
        self.assertEqual(7, status, text)
        self.assertIn('the node hangs, is overloaded or stopped', text)

    def test_not_allowed(self):
        other = self.scripted()

        def refuse(sock):
            answerer = other.answerer(sock)
            answerer.recv_name()
            answerer.send_status('not_allowed')

        other.answer = refuse
        self.scripted_dns({SERVICE: [other.address]})
        node = self.clu(1).start()
        self.assert_missing(node, other.address, 'flags', 'not_allowed')

    def test_a_way_that_is_open_to_one_side_only(self):
        """A BEAM that cannot reach us and tries goes first for ever, as its name is the greater one."""
        other = self.scripted('zzz')

        def insist(sock):
            answerer = other.answerer(sock)
            answerer.recv_name()
            answerer.send_status('nok')

        other.answer = insist
        self.scripted_dns({SERVICE: [other.address]})
        node = self.clu(1, discover=[f'dns:{SERVICE}?base=zzz']).start()
        found = eventually('it is told that nobody arrives', 20, lambda: (
            lambda entry: entry if entry and entry['stage'] == 'tcp-timeout' else None)(node.missing(other.address)))
        self.assertIn(f'is the way from there to {node.pod.address}:', found['reason'])
        eventually('the log says so once', 2, lambda: node.log().count('says that it is dialling us') == 1)
        other.answer = other.complete
        eventually('linked as soon as it is let', 5, lambda: node.nodes() == {other.name})

    def test_name_that_does_not_exist(self):
        self.scripted_dns({})
        node = self.clu(1).start()
        self.assertEqual([], node.cluster()['listed'])
        self.assertEqual(200, node.get('/livez')[0])
        eventually('the page says NXDOMAIN', KNOWN, lambda: 'nxdomain' in node.get('/')[1].lower())


class DuplicateName(LabCase):
    def assert_exits(self, node):
        node.start(wait=False)
        status = node.process.wait(10)
        self.assertGreater(status, 0)
        self.assertIn(node.name, node.log())
        self.assertLess(len(node.log().splitlines()), 10, node.log())

    def test_a_second_erlclu(self):
        self.clu(1).start()
        self.assert_exits(self.clu(1, http_port=8081))

    def test_beside_a_beam_of_the_name(self):
        self.erl(1, refresh=None).start()
        self.assert_exits(self.clu(1))

    def test_without_epmd(self):
        """No epmd tells, but the port at our own address is taken by a node of our name."""
        port = ['--epmd', 'none', '--listen-port', '9100']
        self.clu(1, port).start()
        self.assert_exits(self.clu(1, port, http_port=8081))

    def test_later(self):
        """Somebody takes our name while epmd restarts: not ready, and ready when it is ours again."""
        pod = self.lab.pod(1)
        epmd = pod.start(['epmd'], 'epmd.log')
        eventually('epmd answers', 5, lambda: names(pod.address)[0] == EPMD_PORT)
        node = self.clu(1, ['--epmd', 'external'], discover=()).start()
        eventually('ready', 5, lambda: node.get('/readyz')[0] == 200)
        node.process.popen.send_signal(signal.SIGSTOP)  # who is quicker is no question then
        epmd.kill()
        pod.start(['epmd'], 'epmd.log')
        script = (f"import sys, time; sys.path[:0] = [{str(TESTS)!r}]\n"
                  "from lab.epmd import Registration\n"
                  "while True:\n"
                  "    try:\n"
                  "        taken = Registration('127.0.0.1', 'erlclu', 4711)\n"
                  "        if taken.result == 0: break\n"
                  "    except (OSError, EOFError): pass\n"
                  "    time.sleep(0.02)\n"
                  "print('taken', flush=True); time.sleep(600)\n")
        thief = pod.start(['python3', '-c', script], 'thief.log')
        eventually('the name is taken', 10, lambda: 'taken' in thief.log())
        node.process.popen.send_signal(signal.SIGCONT)
        eventually('not ready', 15, lambda: node.get('/readyz')[0] == 503)
        self.assertEqual(200, node.get('/livez')[0])
        thief.kill()
        eventually('ready again', 40, lambda: node.get('/readyz')[0] == 200)


class CommandFailures(LabCase):
    """`erlclu ping` says why it is pang, and its status is not 0."""

    def assert_pang(self, pod, name, *words, cookie=COOKIE):
        status, word, text = ping(pod, name, '--timeout', '5', cookie=cookie)
        self.assertGreater(status, 0, text)
        self.assertEqual('pang', word, text)
        for word in words:
            self.assertIn(word.lower(), text.lower())

    def test_ping_says_why(self):
        pod = self.lab.pod(3)
        erl = self.erl(2, refresh=None).start()
        self.assert_pang(pod, erl.name, 'cookie', cookie='another')
        self.assert_pang(pod, 'nobody@10.42.0.2', 'nobody')
        self.lab.pod(4)
        self.assert_pang(pod, 'a@10.42.0.4', '4369')

    def test_usage(self):
        pod = self.lab.pod(3)
        for argv in (['ping'], ['nosuch'], ['run', '--nosuch']):
            self.assertEqual(2, pod.run([ERLCLU, *argv]).returncode, argv)
