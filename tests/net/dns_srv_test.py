# SPDX-License-Identifier: Apache-2.0
"""srv: the port of each node, and the host name that a StatefulSet gives its pod."""

import time

from dns_servers import NAME, ZONE, CoreDns, DnsCase, Knot, loopback
from dns_words_test import assert_said
from program import free_port

SERVICE = f"_dist._tcp.{NAME}"
SPEC = f"srv:{SERVICE}"


def pod(i):
    return f"pod-{i}.{NAME}"


def services(count, port=9100):
    """The SRV records of so many pods."""
    return [(0, 50, port + i % 3, f"{pod(i)}.") for i in range(count)]


def zone(addresses):
    """The records of a StatefulSet's Service, relative to the zone as a zone file has them."""
    pods = {f"pod-{i}.pods": [address] for i, address in enumerate(addresses)}
    return {"_dist._tcp.pods": services(len(addresses))} | pods


def names(addresses):
    """The same, for the scripted server."""
    return {SERVICE: services(len(addresses))} | {pod(i): [address] for i, address in enumerate(addresses)}


class Srv(DnsCase):
    def nodes(self, server):
        return {(n["name"], n["address"]) for n in self.found(server, spec=SPEC)["nodes"]}

    def test_targets_are_the_names(self):
        addresses = loopback(5)
        wanted = {(f"erlclu@{pod(i)}", address) for i, address in enumerate(addresses)}
        scripted = self.scripted(names(addresses), glue=True)
        for server in (CoreDns(self, zone(addresses)), Knot(self, zone(addresses)), scripted):
            with self.subTest(type(server).__name__):
                self.assertEqual(self.nodes(server), wanted)

    def test_without_glue(self):
        server = self.scripted(names(loopback(5)))
        self.assertEqual(self.nodes(server), {(f"erlclu@{pod(i)}", None) for i in range(5)})

    def test_five_hundred_need_tcp(self):
        addresses = loopback(500)
        for server in (CoreDns(self, zone(addresses)), Knot(self, zone(addresses)), self.scripted(names(addresses))):
            with self.subTest(type(server).__name__):
                began = time.monotonic()
                found = self.nodes(server)
                print(f"{type(server).__name__}: 500 SRV records in {(time.monotonic() - began) * 1000:.0f} ms, the "
                      "start of the program included", flush=True)
                self.assertEqual({name for name, _ in found}, {f"erlclu@{pod(i)}" for i in range(500)})

    def test_tcp_port_53_is_closed(self):
        finder = self.finder(self.scripted(names(loopback(200)), ttl=0, tcp=False), SPEC)
        assert_said(self, finder, "TCP port 53")
        source = finder.source()
        self.assertEqual((source["result"], source["answer"]), ("partial", "truncated"))
        self.assertTrue(5 < source["addresses"] < 40, source)

    def test_nodes_meet_at_the_ports_that_it_tells(self):
        """Each has its own port and no epmd; without glue the targets are looked up."""
        ports, places = [free_port() for _ in range(3)], [f"127.0.0.{i + 2}" for i in range(3)]
        records = {SERVICE: [(0, 50, port, f"{pod(i)}.") for i, port in enumerate(ports)]}
        records |= {pod(i): [place] for i, place in enumerate(places)}
        for glue in (True, False):
            with self.subTest(glue=glue):
                dns = self.scripted(records, glue=glue)
                finders = [self.finder(dns, SPEC, f"erlclu@{pod(i)}", "--listen-address", place, "--listen-port", port)
                           for i, (place, port) in enumerate(zip(places, ports))]
                mesh = [f"erlclu@{pod(i)}" for i in range(3)]
                for finder in finders:
                    finder.links(mesh)
                    finder.until(sees_us=True)  # others may have linked it before
                for finder in finders:
                    self.stop(finder.child)

    def test_what_kubernetes_has_no_srv_for(self):
        """An unnamed port; a name of something else; a Service that is not headless."""
        for records, words in (({NAME: loopback(1)}, ("no such name", "named port", "_dist._tcp.")),
                               ({SERVICE: loopback(1)}, ("without SRV records", "name the port")),
                               ({SERVICE: [(0, 100, 9100, f"{NAME}.")], NAME: ["127.96.0.10"]},
                                ("ClusterIP", "clusterIP: None"))):
            with self.subTest(words[0]):
                assert_said(self, self.finder(self.scripted(records, ttl=0, glue=True), SPEC), *words)

    def test_several_ports_of_one_pod(self):
        records = {NAME: [(0, 50, port, f"{pod(0)}.") for port in (80, 9100)], pod(0): loopback(1)}
        reason = assert_said(self, self.finder(self.scripted(records, ttl=0, glue=True), f"srv:{NAME}"), "several ports")
        self.assertIn(pod(0), reason)

    def test_a_service_that_is_not_there(self):
        """RFC 2782: a target of a single dot."""
        self.assertStatus(self.discover(self.scripted({SERVICE: [(0, 0, 0, ".")]}), spec=SPEC), 1)
