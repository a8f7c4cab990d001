# SPDX-License-Identifier: Apache-2.0
"""Discovery at a DNS server that says what the test tells it to. Rules that take a minute or more
are told in virtual time: tests/sim, tests/unit/find."""

import random
import signal
import threading
import time

from dns_servers import NAME, DnsCase, loopback
from lab.dns import A, AAAA, POISON
from program import wait_for

OWN = "127.0.0.1"
PODS = [OWN, "127.70.0.1", "127.70.0.2"]


def only(kind, mode, other="answer"):
    """This mode for questions of one type."""
    return lambda question: mode if question.type == kind else other


class AtStart(DnsCase):
    """The first answers are no good; the node starts, says so, and finds its peers once they are."""

    def late(self, mode, count, **fields):
        """A server that is good for nothing for as many rounds at least; what the node says before and after, and
        how many answers were bad."""
        dns = self.scripted({NAME: PODS}, ttl=5)
        bad, is_good = [], threading.Event()

        def mode_of(question):
            if is_good.is_set():
                return "answer"
            if not dns.is_repeated(question):
                bad.append(question.type)
            return mode

        dns.mode = mode_of
        finder = self.finder(dns)
        before = finder.until(**fields)
        wait_for(lambda: min(bad.count(A), bad.count(AAAA)) >= count, 40)
        is_good.set()
        after = finder.until(60, result="complete", addresses=3, sees_us=True, reason=None)
        self.assertIsNone(finder.child.poll())
        return before, after, finder, len(bad)

    def test_no_such_name(self):
        before, after, finder, _ = self.late("nxdomain", 4, result="negative", answer="NXDOMAIN", addresses=0)
        self.assertIn("publishNotReadyAddresses", before["reason"])
        self.assertEqual((len(finder.lines(before["reason"])), after["failures"]), (1, 0))

    def test_servfail(self):
        before, after, finder, bad = self.late("servfail", 4, result="failed", answer="SERVFAIL", addresses=0)
        self.assertIn("not yet in step with the Kubernetes API", before["reason"])
        self.assertEqual((len(finder.lines(before["reason"])), after["failures"]), (1, bad))

    def test_refused(self):
        before, *_ = self.late("refused", 3, result="failed", answer="REFUSED")
        self.assertIn("refuses to answer us", before["reason"])

    def test_one_lost_datagram(self):
        """The first of each type: asked again after a second."""
        dns = self.scripted({NAME: PODS})
        dns.mode = lambda question: "answer" if dns.asked(NAME, question.type) > 1 else "silent"
        began = time.monotonic()
        self.assertEqual(set(self.discover(dns, "--short").stdout.split()), set(PODS))
        self.assertLess(time.monotonic() - began, 5)  # the second question is not lost, too

    def test_silence(self):
        dns = self.scripted({NAME: PODS}, mode="silent")
        began = time.monotonic()
        self.assertStatus(self.discover(dns), 3, "no DNS server answered in time")
        self.assertLess(time.monotonic() - began, 15)


class Living(DnsCase):
    """A node with a list: what comes then, and what stays."""

    def living(self, records=PODS, **options):
        dns = self.scripted({NAME: records}, ttl=0, **options)
        finder = self.finder(dns)
        finder.until(result="complete", addresses=len(set(records)))
        return dns, finder

    def test_bad_answers_change_nothing(self):
        dns, finder = self.living()
        for mode, result, answer in (("nxdomain", "negative", "NXDOMAIN"), ("servfail", "failed", "SERVFAIL"),
                                     ("empty", "negative", "NODATA"), ("refused", "failed", "REFUSED"),
                                     ("loop", "failed", "malformed")):
            with self.subTest(mode):
                dns.mode = mode
                source = finder.until(result=result, answer=answer)
                finder.rounds(1)
                self.assertEqual((source["addresses"], len(finder.cluster()["listed"])), (3, 3))
                self.assertEqual(len(finder.lines(source["reason"])), 1)
                dns.mode = "answer"
                finder.until(result="complete", reason=None, addresses=3)
        self.assertEqual(finder.lines("no longer lists"), [])

    def test_ipv4_times_out_and_ipv6_is_empty(self):
        """Merged, that would read as "nobody is there"."""
        dns, finder = self.living()
        dns.mode = only(A, "silent", "empty")
        source = finder.until(30, result="failed", answer="timeout")
        self.assertEqual((source["addresses"], len(finder.cluster()["listed"])), (3, 3))
        self.assertIn("no DNS server answered in time", source["reason"])
        self.assertStatus(self.discover(dns), 3, "no DNS server answered in time")

    def test_ipv6_times_out(self):
        """Our own family is enough."""
        dns, finder = self.living()
        dns.mode = only(AAAA, "silent")
        seen = dns.asked(NAME, AAAA)
        wait_for(lambda: dns.asked(NAME, AAAA) >= seen + 3, 60)
        self.assertEqual(finder.source()["addresses"], 3)
        self.assertEqual(finder.lines("failed"), [])

    def test_the_set_counts_not_its_order(self):
        addresses = [OWN, *loopback(499)]
        dns, finder = self.living(addresses, shuffle=True)
        before = finder.source()
        after = finder.rounds(4)
        self.assertEqual((before["changed"], after["changed"]), (after["changed"], before["changed"]))
        self.assertEqual(finder.lines("no longer lists"), [])
        self.assertEqual(set(self.discover(dns, "--short").stdout.split()), set(addresses))

    def test_one_record_many_times(self):
        dns, finder = self.living(PODS * 30)
        self.assertEqual(len(self.discover(dns, "--short").stdout.split()), 3)


class Triggers(DnsCase):
    def test_sighup_asks_at_once(self):
        """And a hail of them no more than what is reasonable."""
        asked = []

        def note(question):
            if question.type == A and not dns.is_repeated(question):
                asked.append(time.monotonic())
            return "answer"

        dns = self.scripted({NAME: PODS}, ttl=30, mode=note)
        finder = self.finder(dns)
        wait_for(lambda: len(asked) >= 3)  # two rounds without news end the burst of the start
        dns.records[NAME].append("127.70.0.3")
        finder.child.send_signal(signal.SIGHUP)
        finder.until(4, addresses=4)  # it would have asked by itself 5 s after
        before, began, sent = len(asked), time.monotonic(), 0
        while sent < 40 or len(asked) < before + 3:  # several that come at once are one to who was held up
            self.assertLess(time.monotonic() - began, 20)
            finder.child.send_signal(signal.SIGHUP)
            sent += 1
            time.sleep(0.025)
        # Five at once, then one each half second; and by itself each 5 s.
        seconds = time.monotonic() - began
        self.assertLessEqual(len(asked) - before, 5 + 1 + 2 * seconds + 1 + seconds / 4.5)
        self.assertIsNone(finder.child.poll())


class Lifetimes(DnsCase):
    def test_each(self):
        for ttl in (0, 5, 30, 0x7fffffff, 0x80000000):
            with self.subTest(ttl=ttl):
                dns = self.scripted({NAME: PODS}, ttl=ttl)
                # RFC 2181 8: one with the top bit set counts as zero.
                told = ttl if ttl < 1 << 31 else 0
                self.assertEqual({r["ttl"] for r in self.found(dns)["replies"] if r["addresses"]}, {told})


class Forms(DnsCase):
    """Answers that are right in an unusual way, and such that are wrong."""

    def test_names_in_capitals(self):
        dns = self.scripted({NAME: ["alias.test.", ], "alias.test": PODS}, mode="capitals")
        found = self.discover(dns, "--short")
        self.assertEqual(found.stdout.split(), ["alias.test.", *PODS], found.stderr)

    def test_what_was_typed_in_capitals(self):
        dns = self.scripted({NAME: PODS})
        self.assertEqual(self.discover(dns, "--short", spec=f"dns:{NAME.upper()}.").stdout.split(), PODS)

    def test_aliases(self):
        for count, status in ((1, 0), (8, 0), (16, 0), (17, 3), (40, 3)):
            with self.subTest(count):
                names = [NAME, *(f"a{i}.test" for i in range(1, count)), "end.test"]
                records = {name: [f"{names[i + 1]}."] for i, name in enumerate(names[:-1])}
                dns = self.scripted(records | {"end.test": PODS})
                done = self.discover(dns, "--short")
                self.assertStatus(done, status)
                self.assertEqual(done.stdout.split(), [f"{n}." for n in names[1:]] + PODS if status == 0 else [])

    def test_an_alias_of_nothing(self):
        dns = self.scripted({NAME: ["absent.test."]})
        self.assertStatus(self.discover(dns), 1, "NXDOMAIN", "an alias of absent.test.\n")
        self.assertEqual(self.found(dns)["replies"][0]["aliases"], ["absent.test"])
        # What --short prints is for scripts, and for people there is the reason beside it.
        short = self.discover(self.scripted({}), "--short")
        self.assertEqual((short.stdout, short.returncode), ("", 1))
        self.assertIn("negative: no such name", short.stderr)

    def test_forgers_who_are_quicker(self):
        """Another id, another question, another type: none of them is the answer, and the next one is."""
        dns = self.scripted({NAME: PODS}, mode="forgers")
        done = self.discover(dns, "--short")
        self.assertEqual((done.stdout.split(), done.returncode), (PODS, 0))
        finder = self.finder(dns)
        finder.until(result="complete", addresses=3)
        self.assertNotIn(POISON, finder.log())

    def test_nothing_but_forgers(self):
        for mode in ("wrong_id", "wrong_question", "wrong_type"):
            with self.subTest(mode):
                done = self.discover(self.scripted({NAME: PODS}, mode=mode), "--timeout", "1500ms")
                self.assertStatus(done, 3)
                self.assertNotIn(POISON, done.stdout)

    def test_loops_and_lies(self):
        for mode in ("loop", "loop_forward", "alias_loop"):
            with self.subTest(mode):
                self.assertStatus(self.discover(self.scripted({NAME: PODS}, mode=mode)), 3, "no well-formed answer")
        # Nobody can tell what question these answer.
        for mode in ("garbage", "loop_of_two"):
            with self.subTest(mode):
                self.assertStatus(self.discover(self.scripted({NAME: PODS}, mode=mode), "--timeout", "1500ms"), 3)

    def test_random_bytes(self):
        """A reply with the right id and question, and then anything at all."""
        dns = self.scripted({NAME: PODS})
        noise = random.Random(7)
        dns._answer = lambda question: dns._message(question)[:6] + noise.randbytes(6) + question.section + \
            noise.randbytes(noise.randrange(400))
        for spec in (f"dns:{NAME}", f"srv:{NAME}"):
            for _ in range(30):
                self.assertIn(self.discover(dns, "--timeout", "1s", spec=spec).returncode, (0, 1, 3))


class Samples(DnsCase):
    def test_five_of_fifteen(self):
        """A resolver that returns some of the records, others each time: all of them are listed in the
        end, and a link is never lost for it."""
        _, port, _ = self.node("erlclu@127.0.0.2")
        dns = self.scripted({NAME: [OWN, "127.0.0.2", *loopback(13)]}, ttl=0, sample=5)
        finder = self.finder(dns, f"dns:{NAME}", "erlclu@127.0.0.1", "--listen-port", port)
        finder.until(80, addresses=15)
        finder.rounds(5)
        # What answers since then did not have may be missing for a while, never most.
        self.assertGreaterEqual(finder.source()["addresses"], 11)
        self.assertEqual(finder.cluster()["nodes"], ["erlclu@127.0.0.1", "erlclu@127.0.0.2"])
        self.assertEqual(finder.lines("lost erlclu@127.0.0.2"), [])
