# SPDX-License-Identifier: Apache-2.0
"""The subcommands: what they print and how they end."""

import contextlib
import json
import os
import pathlib
import pty
import signal
import socket
import subprocess
import threading
import time

from dns_servers import NAME, ZONE, DnsCase, Dnsmasq
from program import CLEAN, COOKIE, PROGRAM, Case, free_port, get, listens, wait_for

COMMANDS = ("run", "demo", "discover", "names", "epmd", "ping", "call", "send", "shell", "nodes", "status", "wait", "install", "version")


class Words(Case):
    def test_help_fits_a_screen(self):
        for words in (["help"], ["--help"], *([c, "--help"] for c in COMMANDS)):
            with self.subTest(words):
                done = self.call(*words)
                self.assertStatus(done, 0, "erlclu")
                lines = done.stdout.splitlines()
                self.assertLessEqual(len(lines), 40)
                self.assertLessEqual(max(map(len, lines)), 100)

    def test_usage(self):
        for words in ([], ["no-such"], ["help", "no-such"], ["ping", "--no-such"], ["run", "--http", "nowhere"],
                      ["discover"], ["install"]):
            with self.subTest(words):
                done = self.call(*words)
                self.assertStatus(done, 2)
                self.assertEqual(len(done.stderr.splitlines()), 1)

    def test_help_of_a_command(self):
        for command in COMMANDS:
            for words in (["help", command], ["--help", command], [command, "-h"]):
                self.assertEqual(self.call(*words).stdout, self.call(command, "--help").stdout)
        for words in (["help", "help"], ["-h"], ["--help", "-h"]):
            self.assertEqual(self.call(*words).stdout, self.call("help").stdout)
        self.assertIn("RELEASE_NODE", self.call("help", "ping").stdout)
        self.assertIn("Either --peers or --reachable is needed.", self.call("help", "wait").stdout)
        for command in ("nodes", "status", "wait"):
            self.assertNotIn("none", self.call("help", command).stdout)

    def test_what_was_meant(self):
        """Each is one sentence, and says what to write instead."""
        for words, said in {
                "nosuch": "there is no command nosuch: erlclu help lists them",
                "help nosuch": "there is no command nosuch: erlclu help lists them",
                "pong": "there is no command pong: did you mean ping?",
                "ping --timout 1": "unknown option --timout: did you mean --timeout? erlclu ping --help lists all",
                "ping --timeout 0 a@b.c": "--timeout: `0` leaves no time: 1ms is the least",
                "ping --cookie s3cret": "--cookie: a cookie is never given on the command line, where others see it: "
                                        "RELEASE_COOKIE or --cookie-file",
                "ping 127.0.0.1": "NODE: `127.0.0.1` is a host, not a node: NAME@HOST",
                "ping a@127.0.0.1:4000": "NODE: `a@127.0.0.1:4000` has a port behind the host: give it as --port 4000",
                "ping --name a a@127.0.0.1": "--name: a@127.0.0.1 is the name of the node asked: leave it out or choose "
                                             "another",
                "status a@127.0.0.1": "erlclu status has no use for `a@127.0.0.1`: it asks a node's page: --http "
                                      "ADDR:PORT",
                "ping a@[fd00::1]": "NODE: `a@[fd00::1]` has its IPv6 address in brackets: leave them out",
                "ping --time 1 a@b.c": "unknown option --time: did you mean --timeout? erlclu ping --help lists all",
                "names a@127.0.0.1": "HOST: `a@127.0.0.1` is a node: what is wanted stands behind the @",
                "names 127.0.0.1:4369": "HOST: `127.0.0.1:4369` has a port behind it: give it as --epmd-port 4369",
                "names [::1]": "HOST: `[::1]` is in brackets: leave them out",
                "call a@b.c app:status": "MOD and FUN are two words, with a blank between: not `app:status`",
                "send a@b.c x %{a:1}": "TERM, at its end: syntax error: % begins a comment: a map is #{key => value}",
                "status --http 18081": "--http: `18081` is a port alone: ADDR:PORT is wanted, as 127.0.0.1:18081",
                "wait --peers 1 --reachable 1": "erlclu wait takes --peers or --reachable: one of the two, not both",
                "call a@b.c app:status []": "MOD and FUN are two words, with a blank between: app status",
                "call a@b.c m f [é,X]": "ARGS, at character 4: syntax error before `X]`: expected a term: no variables, "
                                        "calls or Elixir syntax",
                "call a@b.c m f [X,23456789012345678é]": "ARGS, at character 2: syntax error before `X,23456789012345678`",
                "send a@b.c x :ok": "TERM, at character 1: syntax error before `:ok`",
        }.items():
            with self.subTest(words):
                done = self.call(*words.split(" "), env={"RELEASE_COOKIE": COOKIE})
                self.assertEqual((2, "", 1), (done.returncode, done.stdout, len(done.stderr.splitlines())), done.stderr)
                self.assertIn(f"erlclu: {said}", done.stderr)
                self.assertNotIn("s3cret", done.stderr)
        for words, said in (("ping", "NODE is empty"), ("call", "NODE is empty")):
            rest = ["m", "f"] if words == "call" else []
            self.assertStatus(self.call(words, "", *rest, env={"RELEASE_COOKIE": COOKIE}), 2, said)
        for rest, said in ((["", "f"], "MOD is empty"), (["m", ""], "FUN is empty")):
            self.assertStatus(self.call("call", "a@b.c", *rest, env={"RELEASE_COOKIE": COOKIE}), 2, said)

    def test_version(self):
        self.assertRegex(self.call("version").stdout, r"^erlclu \d+\.\d+\.\d+\n$")
        self.assertRegex(self.call("--version").stdout, r"^erlclu ")

    def test_json_of_version(self):
        self.assertEqual(self.call("version").stdout.split()[1], self.json_of(self.call("version", "--json"))["erlclu"])

    def test_full_disk_and_closed_pipe(self):
        with open("/dev/full", "w") as full:
            self.assertEqual(subprocess.run([PROGRAM, "help"], stdout=full, stderr=subprocess.DEVNULL).returncode, 12)
        self.assertEqual(subprocess.run(f"{PROGRAM} help | true", shell=True).returncode, 0)


class Ping(Case):
    def setUp(self):
        super().setUp()
        _, self.dist, _ = self.node()

    def ping(self, node, *more, cookie=None):
        return self.call("ping", node, "--cookie-file", cookie or self.cookie, *more)

    def test_pong(self):
        self.assertStatus(self.ping("a@127.0.0.1", "--port", self.dist), 0, "pong\n", "a@127.0.0.1")
        self.assertStatus(self.ping("a@10.9.8.7", "--address", f"127.0.0.1:{self.dist}"), 8, "pang")

    def test_cookie_of_a_pipe(self):
        fifo = self.dir / "fifo"
        os.mkfifo(fifo, 0o600)
        self.assertStatus(self.ping("a@127.0.0.1", "--port", self.dist, cookie=fifo), 2, "no regular file")
        script = f'{PROGRAM} ping a@127.0.0.1 --port {self.dist} --cookie-file <(sleep 0.1; cat {self.cookie})'
        subprocess.run(["bash", "-c", script], check=True, stdout=subprocess.DEVNULL, timeout=30)

    def test_wrong_cookies_tell_their_source(self):
        child, dist, _ = self.node("b@127.0.0.1")
        for env, source in (({"RELEASE_COOKIE": "hunter2"}, "RELEASE_COOKIE"), ({}, f"{self.dir}/.erlang.cookie")):
            if not env:
                (self.dir / ".erlang.cookie").write_text("hunter2")
            with self.subTest(source):
                done = self.call("ping", "b@127.0.0.1", "--port", dist, env=env)
                self.assertStatus(done, 10, f"; our cookie came from {source}\n")
                self.assertNotIn("hunter2", done.stdout + done.stderr)
        self.assertRegex(self.log_of(child), "refused .*; our cookie came from --cookie-file ")

    def test_json(self):
        answer = self.json_of(self.ping("a@127.0.0.1", "--port", self.dist, "--json"))
        self.assertEqual((answer["node"], answer["result"]), ("a@127.0.0.1", "pong"))
        self.assertEqual(answer["address"], f"127.0.0.1:{self.dist}")
        self.assertGreater(answer["creation"], 0)

    def test_release_node_is_the_default(self):
        done = self.call("ping", "--cookie-file", self.cookie, "--port", self.dist, env={"RELEASE_NODE": "a@127.0.0.1"})
        self.assertStatus(done, 0, "pong")

    def test_each_layer_has_its_status(self):
        wrong = self.dir / "wrong"
        wrong.write_text("another")
        wrong.chmod(0o600)
        epmd = free_port()
        self.start("epmd", "--epmd-port", epmd, "--listen-address", "127.0.0.1")
        wait_for(lambda: listens(epmd))
        for stage, status, more, cookie in (("tcp-refused", 4, ["--port", free_port()], None),
                                            ("epmd-unknown", 6, ["--epmd-port", epmd], None),
                                            ("cookie", 10, ["--port", self.dist], wrong)):
            with self.subTest(stage):
                done = self.ping("a@127.0.0.1", *more, "--json", cookie=cookie)
                self.assertStatus(done, status)
                self.assertEqual(self.json_of(done)["stage"], stage)
                self.assertTrue(self.json_of(done)["reason"])
                self.assertIn(self.json_of(done)["advice"], self.ping("a@127.0.0.1", *more, cookie=cookie).stdout)
        self.assertStatus(self.ping("b@127.0.0.1", "--port", self.dist), 8, "pang", "name-mismatch")
        self.assertStatus(self.ping("a@no.such.invalid", "--dns", f"127.0.0.1:{free_port()}"), 3, "pang", "dns")

    def test_silence_ends_at_the_timeout(self):
        with socket.create_server(("127.0.0.1", 0)) as mute:
            port = mute.getsockname()[1]
            for node, more in (("a@127.0.0.1", ["--port", port]), ("a@127.0.0.1", ["--epmd-port", port])):
                with self.subTest(more):
                    done = self.ping(node, *more, "--timeout", "2s", "--json")
                    self.assertStatus(done, 7, "did not answer")
                    self.assertEqual(self.json_of(done)["stage"], "closed-before-status")
                    self.assertEqual(self.json_of(done)["address"], f"127.0.0.1:{port}")
            done = self.ping("a@127.0.0.1", "--port", port, "--timeout", "2s")
            self.assertStatus(done, 7, "the node hangs, is overloaded or stopped")
            self.assertStatus(self.call("names", "--epmd-port", port, "--timeout", "2s"), 7, "did not answer")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as mute:
            mute.bind(("127.0.0.1", 0))
            done = self.ping("a@a.test.invalid", "--dns", f"127.0.0.1:{mute.getsockname()[1]}", "--timeout", "500ms")
        self.assertStatus(done, 3, "dns")

    def test_what_answers_is_no_epmd(self):
        with socket.create_server(("127.0.0.1", 0)) as server:
            def answer():
                with server.accept()[0] as c:
                    c.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            thread = threading.Thread(target=answer)
            thread.start()
            done = self.ping("a@127.0.0.1", "--epmd-port", server.getsockname()[1])
            thread.join()
        self.assertStatus(done, 6, "epmd-unknown", "the answer is not an epmd's", "or go without epmd by --port")
        self.assertNotIn("knows no such node", done.stdout)

    def test_a_full_backlog_is_no_connection(self):
        with socket.socket() as full, contextlib.ExitStack() as held:
            full.bind(("127.0.0.1", 0))
            full.listen(0)
            for _ in range(3):
                waiting = held.enter_context(socket.socket())
                waiting.setblocking(False)
                waiting.connect_ex(full.getsockname())
            done = self.ping("a@127.0.0.1", "--port", full.getsockname()[1], "--timeout", "500ms", "--json")
        self.assertStatus(done, 5)
        self.assertEqual(self.json_of(done)["stage"], "tcp-timeout")


class Call(Case):
    def call_node(self, dist, *words):
        return self.call("call", "--port", dist, "--cookie-file", self.cookie, "a@127.0.0.1", *words)

    def test_no_such_function(self):
        _, dist, _ = self.node()
        self.assertEqual(self.call_node(dist, "app", "nofun", "[1]").stderr.splitlines()[1:],
                         ["erlclu: app:nofun/1 does not exist there"])

    def test_json_without_a_link(self):
        done = self.call_node(free_port(), "--json", "erlang", "node")
        self.assertStatus(done, 4)
        self.assertEqual((len(done.stdout.splitlines()), done.stderr), (1, ""))
        answer = self.json_of(done)
        self.assertEqual((answer["node"], answer["stage"]), ("a@127.0.0.1", "tcp-refused"))
        self.assertIn("nothing listens", answer["advice"])
        self.assertTrue(answer["reason"])


class Files(Case):
    """A process that may hold few files: the fault is told as one of this machine, in our words."""

    def limited(self, files, *words):
        done = subprocess.run(["sh", "-c", f'ulimit -n {files} && exec "$@"', "sh", PROGRAM, *words],
                              capture_output=True, text=True, timeout=30, stdin=subprocess.DEVNULL,
                              env=CLEAN | {"HOME": str(self.dir)})
        self.assertNotRegex(done.stderr, "NetworkPolicy|out of memory|\\[(warn|err)\\]")
        return done

    def test_too_few_to_start(self):
        port = str(free_port())
        run = ("run", "--name", "a@127.0.0.1", "--epmd", "none", "--listen-port", port, "--http", f"127.0.0.1:{port}",
               "--cookie-file", str(self.cookie))
        for words in (("ping", "a@127.0.0.1", "--cookie-file", str(self.cookie)), run, ("epmd",), ("status",),
                      ("discover", "static:a@127.0.0.1"), ("wait", "--reachable", "1", "static:a@127.0.0.1")):
            for files in (4, 5):
                with self.subTest(words, files=files):
                    done = self.limited(files, *words)
                    self.assertStatus(done, 12, "Too many open files")
                    self.assertRegex(done.stderr, r"\Aerlclu: .*\n\Z")

    def test_too_few_to_dial(self):
        done = self.limited(7, "ping", "a@127.0.0.1", "--port", str(free_port()), "--cookie-file", str(self.cookie))
        self.assertStatus(done, 12, "tcp-timeout", "Too many open files", "The fault is on this side")


class Epmd(Case):
    def test_names(self):
        port = free_port()
        epmd = self.start("epmd", "--epmd-port", port, "--listen-address", "127.0.0.1")
        wait_for(lambda: listens(port))
        self.assertStatus(self.call("names", "--epmd-port", port), 0, "lists no node")
        http = free_port()
        node = self.start("run", "--name", "n@127.0.0.1", "--epmd", "external", "--epmd-port", port, "--cookie-file",
                          self.cookie, "--http", f"127.0.0.1:{http}")
        wait_for(lambda: "name n at port" in self.call("names", "--epmd-port", port).stdout)
        names = self.json_of(self.call("names", "127.0.0.1", "--epmd-port", port, "--json"))["names"]
        self.assertEqual([n["name"] for n in names], ["n"])
        self.assertTrue(listens(names[0]["port"]))
        self.assertStatus(self.call("ping", "n@127.0.0.1", "--epmd-port", port, "--cookie-file", self.cookie), 0)
        self.assertStatus(self.call("ping", "m@127.0.0.1", "--epmd-port", port, "--cookie-file", self.cookie), 6,
                          f'epmd at 127.0.0.1:{port} knows no node "m"; it lists: n')
        self.assertEqual(self.stop(node), 0)
        wait_for(lambda: self.call("names", "--epmd-port", port).stdout == "")
        self.assertEqual(self.stop(epmd), 0)
        self.assertStatus(self.call("names", "--epmd-port", port), 4, "127.0.0.1")

    def test_what_closes_is_no_epmd(self):
        port = self.speak(b"")
        self.assertStatus(self.call("names", "--epmd-port", port), 7, "closed-before-status")

    def test_port_taken(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            done = self.call("epmd", "--epmd-port", taken.getsockname()[1], "--listen-address", "127.0.0.1")
        self.assertStatus(done, 12, "choose another one with --epmd-port")
        self.assertNotIn("--epmd external", done.stderr)

    def test_address_of_another(self):
        done = self.call("epmd", "--epmd-port", free_port(), "--listen-address", "192.0.2.1")
        self.assertStatus(done, 12, "see --listen-address and --epmd-port")

    def test_each_page_names_its_setting(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            for http, env, setting in ((f"127.0.0.1:{port}", {}, "--http"),
                                       ("none", {"METRICS_PORT": str(port)}, "METRICS_PORT")):
                done = self.call("run", "--http", http, "--cookie-file", self.cookie, env=env)
                self.assertStatus(done, 12, f"at 127.0.0.1:{port}: Address already in use: see {setting}\n")


class Discover(DnsCase):
    def test_short_is_what_dig_prints(self):
        """In its order, for a name, an alias of it, IPv6, and a name that is not there."""
        dns = Dnsmasq(self, ["10.1.1.2", "10.1.1.1", "fd00::1"])
        for name, family, type_ in ((NAME, "", "A"), (dns.ALIAS, "", "A"), (NAME, "?family=6", "AAAA"),
                                    (dns.ALIAS, "?family=6", "AAAA"), ("absent." + NAME, "", "A")):
            with self.subTest(name=name, type=type_):
                dig = subprocess.run(["dig", "+short", "@127.0.0.1", "-p", str(dns.port), name, type_],
                                     capture_output=True, text=True)
                done = self.discover(dns, "--short", spec=f"dns:{name}{family}")
                self.assertEqual(done.stdout, dig.stdout)

    def test_report_and_json(self):
        dns = Dnsmasq(self, ["10.1.1.1", "fd00::1"], ttl=7)
        self.assertStatus(self.discover(dns), 0, "NOERROR", "TTL 7 s", "erlclu@10.1.1.1")
        document = self.found(dns)
        self.assertEqual([(r["type"], r["rcode"], r["addresses"]) for r in document["replies"]],
                         [("A", "NOERROR", ["10.1.1.1"]), ("AAAA", "NOERROR", ["fd00::1"])])
        self.assertIn(("10.1.1.1", "erlclu@10.1.1.1"), [(n["address"], n["name"]) for n in document["nodes"]])

    def test_two_specs_of_one_name(self):
        """Every entry once, by its own name; addresses in the order of the SPECs."""
        dns = Dnsmasq(self, ["10.1.1.1", "10.1.1.2"])
        words = ("discover", "static:x@10.1.1.9", f"dns:{NAME}?base=a", f"dns:{NAME}?base=b", "--dns", dns.at)
        nodes = self.json_of(self.call(*words, "--json"))["nodes"]
        self.assertEqual(sorted(n["name"] for n in nodes),
                         ["a@10.1.1.1", "a@10.1.1.2", "b@10.1.1.1", "b@10.1.1.2", "x@10.1.1.9"])
        self.assertTrue(all(n["name"].endswith("@" + n["address"]) for n in nodes), nodes)
        self.assertEqual(sorted(self.call(*words, "--short").stdout.split()), ["10.1.1.1", "10.1.1.2", "10.1.1.9"])

    def test_targets_and_ports(self):
        name, target = f"_dist._tcp.{NAME}", f"pod-0.{NAME}"
        dns = self.scripted({name: [(0, 50, 9100, f"{target}.")], target: ["10.1.1.1"]}, glue=True)
        done = self.discover(dns, spec=f"srv:{name}")
        self.assertStatus(done, 0)
        self.assertEqual([line.strip() for line in done.stdout.splitlines()],
                         [f"srv:{name}  complete", f"{name} SRV: NOERROR, 1 target, TTL 1 s", f"{target} port 9100",
                          f"10.1.1.1:9100    erlclu@{target}"])
        self.assertEqual(self.discover(dns, "--short", spec=f"srv:{name}").stdout, "10.1.1.1\n")
        document = self.found(dns, spec=f"srv:{name}?name=x@{{ip}}")
        self.assertEqual([(n["address"], n["port"], n["name"]) for n in document["nodes"]],
                         [("10.1.1.1", 9100, "x@10.1.1.1")])
        self.assertEqual(document["replies"][0]["services"], [{"target": target, "port": 9100}])

    def test_who_speaks_is_heard(self):
        """libcluster's packet; it is listened for to the end of the time that was given."""
        port, began = free_port(), time.monotonic()
        child = subprocess.Popen([PROGRAM, "discover", f"gossip:127.255.255.255:{port}?broadcast=1", "--timeout", "3s"],
                                 stdout=subprocess.PIPE, text=True)
        self.addCleanup(self.stop, child)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as speaker:
            while child.poll() is None:
                speaker.sendto(b"heartbeat::\x83t\0\0\0\1w\4nodew\x0capp@10.0.0.1", ("127.0.0.1", port))
                time.sleep(0.05)
        self.assertIn("app@10.0.0.1\n", child.communicate()[0])
        self.assertEqual(child.returncode, 0)
        self.assertGreater(time.monotonic() - began, 2.9)

    def test_nobody_speaks(self):
        done = self.call("discover", f"gossip:127.255.255.255:{free_port()}?broadcast=1", "--timeout", "500ms")
        self.assertStatus(done, 1, "waiting: nobody was heard in 0.5 s")

    def test_no_such_scheme(self):
        for spec in ("redis:a", "a.b.svc"):
            self.assertStatus(self.call("discover", spec), 2, f'"{spec}" is no SPEC',
                              "dns: srv: k8s: gossip: epmd: hosts: file: static:")

    def test_the_answer_is_no(self):
        dns = Dnsmasq(self, ["10.1.1.1"])
        self.assertStatus(self.discover(dns, spec=f"dns:absent.{ZONE}"), 1, "NXDOMAIN")

    def test_dns_failed(self):
        self.assertStatus(self.call("discover", f"dns:{NAME}", "--dns", f"127.0.0.1:{free_port()}"), 3)


class Nodes(Case):
    def test_nodes(self):
        _, _, http = self.node()
        for place in (f"127.0.0.1:{http}", f"http://127.0.0.1:{http}/", f"http://127.0.0.1:{http}"):
            self.assertStatus(self.call("nodes", "--http", place), 0, "a@127.0.0.1")
        self.assertStatus(self.call("nodes", env={"HTTP_ADDR": "0.0.0.0", "HTTP_PORT": str(http)}), 0, "a@127.0.0.1")
        self.assertEqual(self.json_of(self.call("nodes", "--http", f"127.0.0.1:{http}", "--json"))["nodes"],
                         ["a@127.0.0.1"])

    def test_nobody_there(self):
        self.assertStatus(self.call("nodes", "--http", f"127.0.0.1:{free_port()}"), 4)

    def test_what_is_no_page(self):
        """A banner of something else, nothing at all, and documents that are no cluster."""
        head = b"HTTP/1.0 200 OK\r\n\r\n"
        for words in (b"SSH-2.0-OpenSSH_9.2\r\n", b"", head + b"{}", head + b'{"node": 1, "nodes": []}', head + b"[",
                      b"HTTP/1.0 404 Not Found\r\n\r\n{}"):
            with self.subTest(words):
                done = self.call("nodes", "--http", f"localhost:{self.speak(words)}")
                self.assertStatus(done, 7, "see --http")
                self.assertEqual(done.stdout, "")

    def test_a_mute_server(self):
        with socket.create_server(("127.0.0.1", 0)) as mute:
            self.assertStatus(self.call("nodes", "--http", f"127.0.0.1:{mute.getsockname()[1]}", "--timeout", "300ms"), 5)


class Status(Case):
    def status(self, http, *more):
        return self.call("status", "--http", f"127.0.0.1:{http}", *more)

    def test_whole(self):
        _, _, http = self.node()
        self.assertStatus(self.status(http), 0, "node     a@127.0.0.1\n", "state    ready\n", "missing  0\n")

    def test_a_listed_node_is_missing(self):
        _, _, http = self.node("a@127.0.0.1", "--discover", "static:a@127.0.0.1,b@127.0.0.2")
        wait_for(lambda: "tcp-refused" in self.status(http).stdout)
        self.assertStatus(self.status(http), 1, "b@127.0.0.2 is missing since", "tcp-refused: ", "nothing listens",
                          "source   static:a@127.0.0.1,b@127.0.0.2  complete, 2 listed")
        done = self.status(http, "--json")
        self.assertStatus(done, 1)
        self.assertEqual([(m["name"], m["stage"], m["sources"]) for m in self.json_of(done)["missing"]],
                         [("b@127.0.0.2", "tcp-refused", ["static:a@127.0.0.1,b@127.0.0.2"])])

    def test_no_source_has_an_answer(self):
        """Nothing listed is missing, but only because nothing is listed."""
        _, _, http = self.node("a@127.0.0.1", "--discover", "dns:peers.test", "--dns", f"127.0.0.1:{free_port()}")
        wait_for(lambda: "  failed, 0 listed: " in self.status(http).stdout)
        self.assertStatus(self.status(http), 1, "missing  0\n", "source   dns:peers.test  failed, 0 listed: ")

    def test_nobody_there(self):
        done = self.status(free_port())
        self.assertStatus(done, 4, "is the node running?")
        self.assertEqual(done.stdout, "")


class WaitPeers(Case):
    def wait(self, http, n, timeout):
        return self.call("wait", "--peers", n, "--http", f"127.0.0.1:{http}", "--timeout", timeout)

    def test_linked(self):
        port, other = free_port(), free_port()
        for ip, http in (("127.0.0.1", free_port()), ("127.0.0.2", other)):
            self.start("run", "--name", f"a@{ip}", "--epmd", "none", "--listen-port", port, "--cookie-file",
                       self.cookie, "--http", f"127.0.0.1:{http}", "--discover", "static:a@127.0.0.1,a@127.0.0.2")
        done = self.wait(other, 1, "20s")
        self.assertStatus(done, 0)
        self.assertEqual(done.stdout + done.stderr, "")
        self.assertStatus(self.wait(other, 2, "2s"), 1, "1 of 2 wanted peers is linked; nobody else is listed")

    def test_the_node_starts_later(self):
        http = free_port()
        waiting = subprocess.Popen([PROGRAM, "wait", "--peers", "1", "--http", f"127.0.0.1:{http}", "--timeout", "20s"])
        self.addCleanup(self.stop, waiting)
        port = free_port()
        for ip, at in (("127.0.0.1", http), ("127.0.0.2", free_port())):
            self.start("run", "--name", f"a@{ip}", "--epmd", "none", "--listen-port", port, "--cookie-file",
                       self.cookie, "--http", f"127.0.0.1:{at}", "--discover", "static:a@127.0.0.1,a@127.0.0.2")
        self.assertEqual(waiting.wait(20), 0)

    def test_missing(self):
        _, _, http = self.node("a@127.0.0.1", "--discover", "static:b@127.0.0.2")
        self.assertStatus(self.wait(http, 1, "3s"), 1, "after 3.000 s http://127.0.0.1",
                          "0 of 1 wanted peers are linked; b@127.0.0.2 is missing: tcp-refused: ")

    def test_no_node(self):
        self.assertStatus(self.wait(free_port(), 1, "300ms"), 4, "is the node running?")
        self.assertStatus(self.wait(self.speak(b"HTTP/1.0 404 Not Found\r\n\r\n"), 1, "5s"), 7, "see --http")

    def test_words(self):
        self.assertStatus(self.call("wait"), 2, "--peers N", "--reachable N SPEC...")
        self.assertStatus(self.call("wait", "--reachable", "1", "no-spec"), 2, "no-spec")


class WaitReachable(Case):
    """Nodes are dialled up to their challenge: no cookie is needed, and they see nobody come."""

    def wait(self, n, *more, env=None):
        return self.call("wait", "--reachable", n, *more, env=env)

    def pair(self):
        port = free_port()
        for ip in ("127.0.0.1", "127.0.0.2"):
            http = free_port()
            self.start("run", "--name", f"erlclu@{ip}", "--epmd", "none", "--listen-port", port, "--cookie-file",
                       self.cookie, "--http", f"127.0.0.1:{http}")
            wait_for(lambda http=http: listens(http))
        return port

    def test_enough_answer(self):
        port = self.pair()
        specs = "static:erlclu@127.0.0.1,erlclu@127.0.0.2,erlclu@127.0.0.3"
        done = self.wait(2, specs, "--port", port)
        self.assertStatus(done, 0)
        self.assertEqual(done.stdout, "erlclu@127.0.0.1, erlclu@127.0.0.2\n")
        self.assertStatus(self.wait(3, specs, "--port", port, "--timeout", "3s"), 1, "after 3.000 s: 2 of 3 wanted nodes are reachable",
                          "erlclu@127.0.0.3: tcp-refused: ")

    def test_one_comes_later(self):
        port = free_port()
        waiting = subprocess.Popen([PROGRAM, "wait", "--reachable", "1", "static:a@127.0.0.1", "--port", str(port),
                                    "--timeout", "20s"], stdout=subprocess.PIPE, text=True)
        self.addCleanup(self.stop, waiting)
        self.start("run", "--name", "a@127.0.0.1", "--epmd", "none", "--listen-port", port, "--cookie-file",
                   self.cookie, "--http", "none")
        self.assertEqual(waiting.communicate(timeout=20)[0], "a@127.0.0.1\n")
        self.assertEqual(waiting.returncode, 0)

    def test_or_first(self):
        spec, port = "static:erlclu@127.0.0.5,erlclu@127.0.0.7", free_port()
        env = {"MY_POD_IP": "127.0.0.5"}
        done = self.wait(1, spec, "--port", port, "--or-first", env=env)
        self.assertStatus(done, 0)
        self.assertEqual(done.stdout, "127.0.0.5 is the lowest address listed\n")
        self.assertStatus(self.wait(1, spec, "--port", port, "--timeout", "500ms", env=env), 1, "127.0.0.7")
        self.assertStatus(self.wait(1, spec, "--port", port, "--or-first", "--timeout", "3s",
                                    env={"MY_POD_IP": "127.0.0.7"}), 1, "0 of 1", "erlclu@127.0.0.5: tcp-refused")

    def test_waiting_for_oneself(self):
        spec = "static:erlclu@127.0.0.5"
        self.assertStatus(self.wait(1, spec, "--timeout", "500ms", env={"MY_POD_IP": "127.0.0.5"}), 1,
                          f"{spec} lists only this pod (127.0.0.5): nothing else can be reached; use --or-first")


class Install(Case):
    def test_the_copy_runs(self):
        target = self.dir / "bin"
        target.mkdir()
        for _ in range(2):
            self.assertStatus(self.call("install", target), 0, str(target / "erlclu"))
        self.assertEqual(os.listdir(target), ["erlclu"])
        self.assertEqual((target / "erlclu").stat().st_mode & 0o777, 0o755)
        self.assertEqual((target / "erlclu").read_bytes(), pathlib.Path(PROGRAM).read_bytes())
        subprocess.run([target / "erlclu", "version"], check=True, stdout=subprocess.DEVNULL)

    def test_no_link_is_followed(self):
        """Not even at the name of the file that is renamed in the end."""
        target, victim = self.dir / "bin", self.dir / "victim"
        target.mkdir()
        victim.write_text("kept")
        script = f'ln -s {victim} {target}/.erlclu.$$ && exec {PROGRAM} install {target}'
        subprocess.run(["sh", "-c", script], check=True, stdout=subprocess.DEVNULL)
        self.assertEqual((victim.read_text(), os.listdir(target)), ("kept", ["erlclu"]))

    def test_no_such_directory(self):
        self.assertStatus(self.call("install", ""), 2, "empty")
        self.assertStatus(self.call("install", self.dir / "absent"), 12, "absent")


class Run(Case):
    def test_signals_end_it_well(self):
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT):
            with self.subTest(number):
                child, dist, _ = self.node()
                child.send_signal(number)
                self.assertEqual(child.wait(10), 0)
                self.assertIn(number.name, self.log_of(child))
                self.assertFalse(listens(dist))

    def test_a_signal_at_any_moment_ends_it_well(self):
        """As soon as a port shows that it is there; and again and again until it is gone."""
        for i in range(20):
            http = free_port()
            child = self.start("run", "--name", "a@127.0.0.1", "--epmd", "none", "--listen-port", free_port(), "--http",
                               f"127.0.0.1:{http}", "--cookie-file", self.cookie)
            while not listens(http):
                self.assertIsNone(child.poll())
            child.send_signal(signal.SIGTERM)
            while i % 2 and child.poll() is None:
                child.send_signal(signal.SIGTERM)
            self.assertEqual(child.wait(10), 0)

    def test_a_lost_terminal_ends_it_well(self):
        """SIGHUP of the system; sent by people it asks to look again, as dns_scripted_test shows."""
        dist, http = free_port(), free_port()
        pid, terminal = pty.fork()
        if pid == 0:
            os.execve(PROGRAM, [PROGRAM, "run", "--name", "a@127.0.0.1", "--epmd", "none", "--listen-port", str(dist),
                                "--http", f"127.0.0.1:{http}", "--cookie-file", str(self.cookie)], CLEAN)
        wait_for(lambda: listens(http))
        os.close(terminal)
        ended = wait_for(lambda: (done := os.waitpid(pid, os.WNOHANG))[0] and done)
        self.assertEqual(ended, (pid, 0))
        self.assertFalse(listens(http))

    def test_the_log_tells_page_and_name(self):
        child, dist, http = self.node("a@127.0.0.1", "--log-format", "json")
        lines = [json.loads(line) for line in self.log_of(child).splitlines()]
        self.assertEqual([line["event"] for line in lines].count("http"), 1)
        self.assertIn(f"http://127.0.0.1:{http}/", next(line["text"] for line in lines if line["event"] == "http"))

    def test_the_log_tells_who_is_looked_for(self):
        alone, _, _ = self.node()
        wait_for(lambda: "no --discover: this node looks for nobody, and waits to be dialled" in self.log_of(alone))
        child, _, _ = self.node("c@127.0.0.1", "--discover", "static:a@127.0.0.1:9001,b@127.0.0.1:9002")
        for node, port in (("a", 9001), ("b", 9002)):
            wait_for(lambda: f" lists {node}@127.0.0.1 at port {port}\n" in self.log_of(child))
        self.assertNotIn("no --discover", self.log_of(child))

    def test_two_nodes_of_one_name(self):
        """Without epmd nobody refuses the second. Whom both are linked with lets one go for the other."""
        _, dist, _ = self.node()
        twins = [self.node("twin@127.0.0.1", "--discover", f"static:a@127.0.0.1:{dist}")[0] for _ in range(2)]
        said = "and runs on: is there another node called twin@127.0.0.1?"
        wait_for(lambda: all(said in self.log_of(twin) for twin in twins), 30)

    def test_an_epmd_that_is_not_there(self):
        child = self.start("run", "--name", "a@127.0.0.1", "--epmd", "external", "--epmd-port", free_port(), "--http",
                           "none", "--cookie-file", self.cookie)
        wait_for(lambda: "does not listen at this address; trying again" in self.log_of(child))

    def test_an_epmd_that_says_nothing(self):
        with socket.create_server(("127.0.0.1", 0)) as mute:
            port = mute.getsockname()[1]
            child = self.start("run", "--name", "a@127.0.0.1", "--epmd", "external", "--epmd-port", port, "--http",
                               "none", "--cookie-file", self.cookie)
            wait_for(lambda: f"the epmd of this host (port {port}) does not answer" in self.log_of(child), 20)

    def test_a_cookie_that_others_may_read(self):
        """erl refuses it."""
        home = self.dir / ".erlang.cookie"
        home.write_text(COOKIE)
        for mode, warned in ((0o640, True), (0o604, True), (0o600, False), (0o700, False)):
            home.chmod(mode)
            with self.subTest(oct(mode)):
                child = self.start("run", "--epmd", "none", "--listen-port", free_port(), "--http", "none")
                wait_for(lambda: "this node is " in self.log_of(child))
                warning = f"{home}: others than its owner have access to it (mode {mode:o})"
                self.assertEqual(warning in self.log_of(child), warned, self.log_of(child))
                self.stop(child)

    def test_taken_ports(self):
        _, dist, http = self.node()
        for more, word in ((["--listen-port", dist, "--http", f"127.0.0.1:{free_port()}"], str(dist)),
                           (["--listen-port", free_port(), "--http", f"127.0.0.1:{http}"], str(http))):
            with self.subTest(more):
                done = self.call("run", "--name", "a@127.0.0.1", "--epmd", "none", "--cookie-file", self.cookie, *more)
                self.assertStatus(done, 12, word)

    def test_template(self):
        page = self.dir / "page.html"
        page.write_text("<h1>{{ node }}</h1>{{#nodes}}<li>{{.}}</li>{{/nodes}}<pre>{{cookie}}</pre>")
        _, _, http = self.node("a@127.0.0.1", "--template", page)
        self.assertEqual(get(http)[2].decode(),
                         "<h1>a@127.0.0.1</h1><li>a@127.0.0.1</li><pre>hidden (--show-cookie shows it)</pre>")
        page.write_text("{{#open}}")
        empty = self.dir / "empty"
        empty.touch()
        for template, word in ((page, "line 1"), (self.dir / "absent", "absent: No such file"), (empty, "is empty"),
                               (self.dir, "directory")):
            done = self.call("run", "--name", "b@127.0.0.1", "--epmd", "none", "--listen-port", free_port(), "--http",
                             f"127.0.0.1:{free_port()}", "--cookie-file", self.cookie, "--template", template)
            self.assertStatus(done, 2, word)

    def test_two_nodes_find_each_other(self):
        port = free_port()
        https = []
        for i in (1, 2):
            https.append(free_port())
            self.start("run", "--name", f"erlclu@127.0.0.{i}", "--epmd", "none", "--listen-port", port, "--http",
                       f"127.0.0.1:{https[-1]}", "--cookie-file", self.cookie, "--discover",
                       "static:erlclu@127.0.0.1,erlclu@127.0.0.2")
        for http in https:
            wait_for(lambda: listens(http))
            wait_for(lambda: b'"erlclu@127.0.0.1",\n    "erlclu@127.0.0.2"' in get(http, "/api/v1/cluster")[2])
