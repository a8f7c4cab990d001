# SPDX-License-Identifier: Apache-2.0
"""What takes more than a minute: answers that lost most of what was listed are believed in time.
tests/unit/find and tests/sim have the same in virtual time, in all its forms."""

import time

from dns_servers import NAME, DnsCase, loopback
from program import wait_for

PEER = "127.0.0.2"
OTHERS = loopback(13)
# The design's 60 s, and the pauses between questions.
DOUBT_S, SURE_S = 55, 100


class Life:
    """A server with 15 addresses, one of them a real peer's; a node that has linked with it."""

    def __init__(self, case, own, port, **options):
        self.own = own
        self.dns = case.scripted({NAME: [own, PEER, *OTHERS]}, ttl=0, **options)
        self.finder = case.finder(self.dns, f"dns:{NAME}", f"erlclu@{own}", "--listen-port", port)
        self.finder.until(60, addresses=15)

    def addresses(self):
        return self.finder.source()["addresses"]


class Doubts(DnsCase):
    def test_all_at_once(self):
        """A scale-down, a name that is gone, a server that fails, one that gives samples."""
        _, port, _ = self.node(f"erlclu@{PEER}")
        fewer, gone, broken = (Life(self, f"127.0.0.{i}", port) for i in (3, 4, 5))
        sampled = Life(self, "127.0.0.6", port, sample=5)
        lives = (fewer, gone, broken, sampled)
        for life in lives:
            life.finder.links([f"erlclu@{PEER}"])
        began = time.monotonic()
        fewer.dns.records[NAME] = [fewer.own, PEER, OTHERS[0]]
        gone.dns.mode, broken.dns.mode = "nxdomain", "servfail"

        for life, result in ((fewer, "partial"), (gone, "negative"), (broken, "failed")):
            life.finder.until(result=result)
        least = 15
        while time.monotonic() < began + DOUBT_S:
            self.assertEqual([life.addresses() for life in (fewer, gone, broken)], [15, 15, 15])
            least = min(least, sampled.addresses())
            time.sleep(0.5)
        self.assertGreaterEqual(least, 11)
        self.assertIn("kept until", fewer.finder.source()["reason"])

        fewer.finder.until(SURE_S - DOUBT_S, result="complete", addresses=3, reason=None)
        wait_for(lambda: gone.addresses() == 0, SURE_S - DOUBT_S)
        self.assertIn("no such name", gone.finder.source()["reason"])
        self.assertEqual((broken.finder.source()["result"], broken.addresses()), ("failed", 15))
        for life in lives:
            self.assertEqual(life.finder.lines("lost erlclu@"), [])
            life.finder.links([f"erlclu@{PEER}"], 1)
