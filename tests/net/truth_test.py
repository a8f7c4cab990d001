# SPDX-License-Identifier: Apache-2.0
"""What a node and its commands say of a cluster that is not in order: nothing that is not so."""

import subprocess

from dns_servers import NAME, DnsCase
from program import CLEAN, PROGRAM, UNSHARE, free_port, get, get_json, listens, wait_for


class Truth(DnsCase):
    def test_two_nodes_of_one_name(self):
        """They drive each other out at a third node, which must not call that restarts."""
        third, port, _ = self.node("a@127.0.0.1")
        seed = ("--discover", f"static:a@127.0.0.1:{port}")
        self.node("b@127.0.0.2", *seed)
        self.node("b@127.0.0.2", "--listen-address", "127.0.0.3", *seed)
        wait_for(lambda: "two nodes are called b@127.0.0.2 and take each other's place" in self.log_of(third), 15)

    def test_a_command_is_no_first_peer(self):
        _, port, http = self.node("a@127.0.0.1")
        metric = b"erlclu_time_to_first_peer_seconds "
        self.assertStatus(self.call("ping", "a@127.0.0.1", "--port", port, "--cookie-file", self.cookie), 0)
        wait_for(lambda: b"erlclu_links_up_total 1\n" in get(http, "/metrics")[2])
        self.assertNotIn(b"\n" + metric, get(http, "/metrics")[2])
        self.node("b@127.0.0.2", "--discover", f"static:a@127.0.0.1:{port}")
        wait_for(lambda: b"\n" + metric in get(http, "/metrics")[2])

    def test_what_greets_everybody_is_no_epmd(self):
        """An empty list of names would say that an epmd is there."""
        port = self.speak(b"SSH-2.0-OpenSSH_9.2p1\r\n")
        self.assertStatus(self.call("names", "127.0.0.1", "--epmd-port", port), 6, "the answer is not an epmd's")
        done = self.call("discover", "epmd:127.0.0.1", "--epmd-port", port)
        self.assertStatus(done, 1, "failed", "the answer is not an epmd's")

    def test_dns_failures_name_the_server(self):
        """Of run, discover and a command that dials; it is the wrong one, often."""
        for mode, words in (("nxdomain", "no such name"), ("servfail", "cannot tell now"), ("silent", "in time")):
            with self.subTest(mode):
                dns = self.scripted({}, mode=mode)
                self.assertIn(f"(asked: {dns.at})", self.discover(dns).stdout)
                finder = self.finder(dns)
                wait_for(lambda: words in (finder.source()["reason"] or ""))
                self.assertIn(f"(asked: {dns.at})", finder.source()["reason"])
                self.assertEqual(len(finder.lines(f"(asked: {dns.at})")), 1)
        done = self.call("ping", "a@pod.x", "--dns", dns.at, "--cookie-file", self.cookie, "--timeout", "500ms")
        self.assertStatus(done, 3, "not answered in time", f"(asked: {dns.at})")

    def test_who_listens_everywhere_misses_no_address(self):
        """Its name is no address: which of this host's DNS should have is not known, and what it dials may be itself."""
        dns = self.scripted({NAME: ["127.0.0.5", "127.0.0.6"]}, ttl=0)
        finder = self.finder(dns, f"dns:{NAME}", "erlclu@pod-0.x.test", "--listen-address", "0.0.0.0")
        observer = self.finder(dns, f"dns:{NAME}", "erlclu@127.0.0.1", "--hidden")
        member = self.finder(dns, f"dns:{NAME}", "erlclu@127.0.0.2")
        wait_for(lambda: "our own address 127.0.0.2" in (member.source()["reason"] or ""), 20)
        self.assertIn(f"all addresses, port {finder.dist}<", get(finder.http)[2].decode())
        self.assertIn(f"at 0.0.0.0:{finder.dist}\n", finder.log())
        finder.rounds(2), observer.rounds(2)
        self.assertEqual((finder.source()["reason"], observer.source()["reason"]), (None, None))
        self.assertEqual(finder.cluster()["missing"], [])
        self.assertNotIn("not_allowed", finder.log())

    def test_who_finds_itself_loses_nobody(self):
        """Connections to different places may have one port here; in this network, which has two, they do."""
        script = f"""
            ip link set lo up
            echo 40000 40001 > /proc/sys/net/ipv4/ip_local_port_range
            run() {{ {PROGRAM} run --epmd none --cookie-file {self.cookie} "$@" & }}
            run --name b@127.0.0.2 --listen-port 9200 --http none 2>{self.dir}/b
            until grep -q ready {self.dir}/b; do sleep 0.05; done
            run --name a@pod-0.x.test --listen-address 0.0.0.0 --listen-port 9100 --http 127.0.0.1:8080 \
                --discover static:b@127.0.0.2:9200,c@127.0.0.5:9100
            {PROGRAM} wait --peers 1 --http 127.0.0.1:8080 --timeout 15s
            echo "waited: $?"
            kill %1 %2
            wait"""
        done = subprocess.run([*UNSHARE, "--net", "bash", "-mc", script], capture_output=True, text=True, timeout=60, env=CLEAN)
        self.assertIn("waited: 0", done.stdout, done.stderr)

    def test_hidden_links_are_no_peers(self):
        """Nor is "nobody is listed" all that is to be said to who waits for peers."""
        _, port, _ = self.node("a@127.0.0.1")
        seed = ("--discover", f"static:a@127.0.0.1:{port}")
        for other, more, words in (("b@127.0.0.2", ("--hidden",), b"; 1 more linked, but this node is hidden; nobody"),
                                   ("c@127.0.0.3", ("--discover", "static:b@127.0.0.2:%d"), b"; 1 more linked, but hidden")):
            more = tuple(word.replace("%d", str(hidden)) if "%d" in word else word for word in more)
            _, hidden, http = self.node(other, *seed, *more)
            wait_for(lambda: words in get(http, "/readyz?min_peers=2")[2])

    def test_a_node_that_drains_is_no_island(self):
        """It lets nobody in any more, and is listed until its pod has gone."""
        dist, http = free_port(), free_port()
        going = self.start("run", "--name", "a@127.0.0.1", "--epmd", "none", "--listen-port", dist, "--http",
                           f"127.0.0.1:{http}", "--cookie-file", self.cookie, env={"SHUTDOWN_DELAY_MS": "60000"})
        wait_for(lambda: listens(http))
        going.terminate()
        wait_for(lambda: get(http, "/readyz")[0] == 503)
        _, _, other = self.node("b@127.0.0.2", "--discover", f"static:a@127.0.0.1:{dist}")
        missing = wait_for(lambda: [m for m in get_json(other, "/api/v1/cluster")["missing"] if m["stage"]])
        self.assertEqual(missing[0]["stage"], "flags")
        self.assertIn("about to stop", missing[0]["advice"])
        self.assertEqual(get_json(other, "/api/v1/cluster")["islands"], [["b@127.0.0.2"]])
        going.terminate()  # at once

    def test_our_own_epmd_lists_us(self):
        """Whoever looks for another node of this pod is not told that its epmd is empty."""
        port, http = free_port(), free_port()
        self.start("run", "--name", "a@127.0.0.1", "--epmd-port", port, "--http", f"127.0.0.1:{http}", "--cookie-file",
                   self.cookie, "--discover", "static:b@127.0.0.1")
        wait_for(lambda: listens(http))
        missing = wait_for(lambda: [m for m in get_json(http, "/api/v1/cluster")["missing"] if m["stage"]])
        self.assertIn('no node "b"; it lists: none but this node', missing[0]["reason"])

    def test_a_name_of_its_own_that_does_not_resolve(self):
        """The trap of a StatefulSet: its names are there once its pods are ready."""
        dns = self.scripted({})
        done = self.call("run", "--name", "erlclu@erlclu-0.erlclu.svc.test", "--dns", dns.at, "--cookie-file", self.cookie,
                         "--http", "none", "--epmd", "none", "--listen-port", free_port())
        self.assertStatus(done, 12, f"erlclu-0.erlclu.svc.test: NXDOMAIN ({dns.at})", "publishNotReadyAddresses: true")
