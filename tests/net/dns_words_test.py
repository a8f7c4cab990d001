# SPDX-License-Identifier: Apache-2.0
"""What bad input gets: a sentence in the log once, and in the status as long as it lasts."""

from dns_servers import NAME, DnsCase, loopback
from program import wait_for

OWN = "127.0.0.1"


def assert_said(case, finder, *words):
    """Its source says so now, and the log has said it once; the sentence."""
    def said():
        reason = finder.source()["reason"] or ""
        return reason if all(word in reason for word in words) else None

    reason = wait_for(said, 40)
    finder.rounds(2)
    case.assertEqual(finder.source()["reason"], reason)
    case.assertEqual(len(finder.lines(reason)), 1, finder.log())
    return reason


class Words(DnsCase):
    def test_tcp_port_53_is_closed(self):
        """UDP alone brings what fits into a datagram: that much is used, and added to."""
        dns = self.scripted({NAME: [OWN, *loopback(199)]}, ttl=0, tcp=False)
        finder = self.finder(dns)
        reason = assert_said(self, finder, "TCP port 53", "NetworkPolicy")
        source = finder.source()
        self.assertEqual((source["result"], source["answer"]), ("partial", "truncated"))
        self.assertTrue(60 < source["addresses"] < 80, source)
        self.assertStatus(self.discover(dns), 0, "partial", "TCP port 53")
        self.assertEqual(finder.lines("no longer lists"), [])
        dns.records[NAME] = [OWN, *loopback(49)]
        finder.until(70, result="complete", reason=None, addresses=50)
        self.assertEqual(len(finder.lines(reason)), 1)

    def test_tcp_port_53_says_nothing(self):
        """As most policies do it: what is not allowed gets no answer at all."""
        dns = self.scripted({NAME: loopback(200)}, tcp_mode="silent")
        self.assertStatus(self.discover(dns), 0, "partial", "TCP port 53")

    def test_a_scheme_that_is_none(self):
        for command in (["discover"], ["run", "--cookie-file", self.cookie, "--discover"]):
            done = self.call(*command, "zookeeper:x")
            self.assertStatus(done, 2, "zookeeper", "dns:", "static:")
            self.assertEqual(len(done.stderr.splitlines()), 1)


class AfterTenSeconds(DnsCase):
    """By then our own endpoint should have reached DNS: what an answer lacks means something."""

    def test_what_the_addresses_tell(self):
        several = self.finder(self.scripted({NAME: loopback(3)}, ttl=0))
        alone = self.finder(self.scripted({NAME: [OWN]}, ttl=0))
        service = self.finder(self.scripted({NAME: ["127.96.0.10"]}, ttl=0))
        # Another node is there, though only one.
        pair = self.finder(self.scripted({NAME: [OWN]}, ttl=0), f"dns:{NAME}?base=erlclu", "other@127.0.0.3",
                           "--listen-port", alone.dist)
        for finder, words in ((several, ("publishNotReadyAddresses", "selector")),
                              (service, ("ClusterIP", "127.96.0.10", "clusterIP: None"))):
            with self.subTest(words):
                assert_said(self, finder, *words)
                self.assertFalse(finder.source()["sees_us"])
        for finder in (alone, several, pair):
            self.assertNotIn("ClusterIP", finder.log())
        pair.links([f"erlclu@{OWN}"])
        wait_for(lambda: "publishNotReadyAddresses" in (pair.source()["reason"] or ""))  # it began later
