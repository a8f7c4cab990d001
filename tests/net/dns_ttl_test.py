# SPDX-License-Identifier: Apache-2.0
"""When a node asks again: what the TTLs of the answers say of caches in between."""

import time

from dns_servers import NAME, CoreDns, DnsCase
from lab.dns import A
from program import wait_for

OWN = "127.0.0.1"  # seen in the answer, it ends the burst of the start
PODS = [OWN, "127.70.0.1"]
# Of a busy machine: beyond what the design says. With it, 5 s are less still than the 9 s after which who heeds a TTL
# of 10 s asks.
SLACK = 2.5
# Rounds of the start: two without news end it.
BURST = 3


class Asked:
    """A scripted server, perhaps with a cache in front, and when it was asked for A records."""

    def __init__(self, case, ttl, is_cached):
        self.whole, self.is_cached = ttl, is_cached
        self.expires = 0
        self.at, self.told = [], []
        self.dns = case.scripted({NAME: PODS}, mode=self.note)
        self.finder = case.finder(self.dns)

    def note(self, question):
        now = time.monotonic()
        if now >= self.expires:
            self.expires = now + self.whole
        # As CoreDNS counts: whole seconds that have passed are taken away.
        self.dns.ttl = self.whole - int(self.whole - (self.expires - now)) if self.is_cached else self.whole
        if question.type == A and not self.dns.is_repeated(question):
            self.at.append(now)
            self.told.append(self.dns.ttl)
        return "answer"

    def pauses(self):
        """Behind the burst: (seconds between two questions, the TTL that the first one got)."""
        return list(zip((b - a for a, b in zip(self.at, self.at[1:])), self.told))[BURST - 1:]


class Slope(DnsCase):
    def test_pauses(self):
        """A falling TTL: as soon as the cache's entry is gone, and never in vain before. A constant
        one: the server knows, and 5 s are enough, whatever it says."""
        live = [Asked(self, ttl, False) for ttl in (10, 30)]
        cached = Asked(self, 7, True)
        wait_for(lambda: len(cached.pauses()) >= 3 and all(server.pauses() for server in live), 80)
        for server in live:
            with self.subTest(server.whole):
                for seconds, _ in server.pauses():
                    self.assertTrue(4.5 <= seconds <= 6 + SLACK, server.pauses())
            self.assertEqual(server.finder.source()["cache"], "live")
        self.assertEqual(cached.finder.source()["cache"], "cached")
        # The first pause is that of a node that does not know yet.
        for seconds, ttl in cached.pauses()[1:]:
            self.assertTrue(ttl + 0.02 <= seconds <= ttl + 0.2 + SLACK, cached.pauses())
        self.assertEqual([ttl for _, ttl in cached.pauses()[2:]], [7] * (len(cached.pauses()) - 2))

    def test_a_change_behind_a_cache(self):
        """CoreDNS keeps what it was told for 6 s; a change arrives as soon as it can."""
        server = CoreDns(self, {"pods": PODS}, "cache 6", ttl=30)
        finder = self.finder(server)
        wait_for(lambda: finder.source()["addresses"] == 2)
        # By then the TTL has been seen to fall.
        wait_for(lambda: finder.source()["queries"] >= 10, 60)
        server.change({"pods": [*PODS, "127.70.0.2"]})
        began = time.monotonic()
        asked = finder.source()["queries"]
        wait_for(lambda: finder.source()["addresses"] == 3, 40)
        seconds = time.monotonic() - began
        print(f"CoreDNS with a cache of 6 s: a change is listed after {seconds:.1f} s", flush=True)
        # The zone file is read anew every second, and a told TTL has whole seconds.
        self.assertLess(seconds, 6 + 1 + 1 + 0.2 + SLACK)
        self.assertLessEqual(finder.source()["queries"] - asked, 4)
