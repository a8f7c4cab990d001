# SPDX-License-Identifier: Apache-2.0
"""DNS may fail in every way that it can: a link is never cut for it, and all of a long answer
arrives."""

import json

from lab.case import LabCase
from lab.nodes import erlclu, eventually, ping
from lab.pods import DNS_ADDRESS, SERVICE

ADDRESSES = [f'10.43.{i // 250}.{i % 250 + 1}' for i in range(1000)]


class DnsFailures(LabCase):
    MODES = ('servfail', 'nxdomain', 'refused', 'empty', 'silent', 'garbage', 'truncate')

    def test_no_answer_cuts_a_link(self):
        dns = self.scripted_dns({SERVICE: ['10.42.0.1', '10.42.0.2']}, ttl=1)
        node, erl = self.clu(1).start(), self.erl(2, refresh=None).start()
        self.assert_mesh([node, erl], 15)
        since = node.peer(erl.name)['since']
        for mode in self.MODES:
            with self.subTest(mode=mode):
                dns.mode, dns.tcp_mode = mode, 'silent' if mode == 'truncate' else None
                seen = dns.asked(SERVICE)
                # Two more questions: the answer to the first has been digested by then.
                eventually('it asks again', 40, lambda: dns.asked(SERVICE) >= seen + 3, interval=0.1)
                self.assertEqual({erl.name}, node.nodes())
                self.assertEqual(since, node.peer(erl.name)['since'])
                dns.mode = dns.tcp_mode = 'answer'
                seen = dns.asked(SERVICE)
                eventually('it asks again', 40, lambda: dns.asked(SERVICE) >= seen + 2, interval=0.1)
        self.assert_quiet([erl])

    def test_a_peer_that_is_no_longer_listed_stays(self):
        dns = self.scripted_dns({SERVICE: ['10.42.0.1', '10.42.0.2']}, ttl=1)
        node, erl = self.clu(1).start(), self.erl(2, refresh=None).start()
        self.assert_mesh([node, erl], 15)
        dns.records[SERVICE] = ['10.42.0.1']
        eventually('it is not listed any more', 20,
                   lambda: not any('10.42.0.2' in str(entry) for entry in node.cluster()['listed']))
        self.assertEqual({erl.name}, node.nodes())

    def test_a_dead_server_at_start(self):
        """Nothing answers at first; the peers are found once it does."""
        dns = self.scripted_dns({SERVICE: ['10.42.0.1', '10.42.0.2']}, mode='silent', ttl=1)
        node, erl = self.clu(1).start(), self.erl(2, refresh=None).start()
        eventually('it asks', 5, lambda: dns.asked(SERVICE) > 0)
        self.assertEqual(set(), node.nodes())
        dns.mode = 'answer'
        self.assert_mesh([node, erl], 40)

    def test_names_are_asked_absolutely(self):
        """ndots:5 and a search list would cost six useless questions each time."""
        dns = self.scripted_dns({SERVICE: ['10.42.0.1']})
        pod = self.lab.pod(1)
        pod.resolv_conf.write_text(f'nameserver {DNS_ADDRESS}\nsearch erlclu.svc.cluster.local svc.cluster.local '
                                   'cluster.local\noptions ndots:5\n')
        self.clu(1).start()
        eventually('it asks twice', 20, lambda: dns.asked() > 3)
        self.assertEqual({SERVICE}, {name for name, _, _ in dns.questions})


class DnsAnswers(LabCase):
    def test_a_thousand_addresses(self):
        dns = self.scripted_dns({SERVICE: ADDRESSES})
        node = self.clu(1).start()
        eventually('all are listed', 20, lambda: len(node.cluster()['listed']) == len(ADDRESSES))
        self.assertTrue(any(over_tcp for _, _, over_tcp in dns.questions), 'TCP was not needed: a lab error')
        self.assertEqual(200, node.get('/')[0])

    def test_discover_short_prints_them_all(self):
        self.scripted_dns({SERVICE: ADDRESSES})
        done = erlclu(self.lab.pod(1), 'discover', '--short', f'dns:{SERVICE}')
        self.assertEqual(0, done.returncode, done.stderr)
        self.assertEqual(sorted(ADDRESSES), sorted(done.stdout.split()))

    def test_discover_tells_rcodes_apart(self):
        dns = self.scripted_dns({SERVICE: ['10.42.0.1']})
        pod = self.lab.pod(1)
        done = erlclu(pod, 'discover', '--json', f'dns:{SERVICE}')
        self.assertEqual(0, done.returncode, done.stderr)
        self.assertIn('10.42.0.1', json.dumps(json.loads(done.stdout)))
        for mode in ('servfail', 'nxdomain', 'refused'):
            dns.mode = mode
            done = erlclu(pod, 'discover', f'dns:{SERVICE}')
            self.assertNotEqual(0, done.returncode, mode)
            self.assertIn(mode, (done.stdout + done.stderr).lower())


class HostParts(LabCase):
    """The host of a node name is looked up as the BEAM looks it up."""

    def assert_pong(self, name, *options):
        status, word, text = ping(self.lab.pod(3), name, *options)
        self.assertEqual((0, 'pong'), (status, word), text)

    def test_search_domain(self):
        self.scripted_dns({'pod-0.svc.ns.svc.cluster.local': ['10.42.0.2']})
        resolv = f'nameserver {DNS_ADDRESS}\nsearch erlclu.svc.cluster.local svc.cluster.local\noptions ndots:5\n'
        for number in (2, 3):
            self.lab.pod(number).resolv_conf.write_text(resolv)
        self.erl(2, name='rabbit@pod-0.svc.ns', refresh=None).start()
        self.assert_pong('rabbit@pod-0.svc.ns')

    def test_absolute_after_the_search_list(self):
        self.scripted_dns({'pod-0.svc.ns': ['10.42.0.2']})
        self.lab.pod(3).resolv_conf.write_text(
            f'nameserver {DNS_ADDRESS}\nsearch cluster.local\noptions ndots:5\n')
        self.lab.pod(2).hosts.write_text('127.0.0.1 localhost\n10.42.0.2 pod-0.svc.ns\n')
        self.erl(2, name='rabbit@pod-0.svc.ns', refresh=None).start()
        self.assert_pong('rabbit@pod-0.svc.ns')

    def test_hosts_file(self):
        """No DNS server at all: the hosts file comes first."""
        for number in (2, 3):
            self.lab.pod(number).hosts.write_text('127.0.0.1 localhost\n10.42.0.2  long.name short # a comment\n')
        self.erl(2, name='t@short', names='-sname', refresh=None).start()
        self.assert_pong('t@short')

    def test_unknown_host(self):
        self.scripted_dns({})
        status, _, text = ping(self.lab.pod(3), 'a@nosuch.lab')
        self.assertGreater(status, 0)
        self.assertIn('nosuch.lab', text)

    def test_another_address(self):
        """--address dials a node by its name at another address, as through a port-forward."""
        erl = self.erl(2, name='rabbit@pod-0.svc.ns', refresh=None)
        erl.pod.hosts.write_text('127.0.0.1 localhost\n10.42.0.2 pod-0.svc.ns\n')
        erl.start()
        self.assert_pong('rabbit@pod-0.svc.ns', '--address', f'10.42.0.2:{self.dist_port(erl)}')
