# SPDX-License-Identifier: Apache-2.0
"""k8s: with the real program and an API server that does what API servers do on bad days."""

import datetime
import json
import pathlib
import queue
import ssl
import tempfile
import threading
import time

from program import Case, free_port, get_json, listens, wait_for
from server import PODS, SLICES, Account, Authority, Server, pod, slice_of


# Seconds: less than the pause before what has failed is asked for again. On a machine that does other work what comes
# at once may come later, but not each of so many times.
RETRY = 0.7
TIMES = 3


class Api(Case):
    @classmethod
    def setUpClass(cls):
        cls.certs = pathlib.Path(cls.enterClassContext(tempfile.TemporaryDirectory()))
        cls.ca = Authority(cls.certs, "ca")
        cls.cert = cls.ca.sign("IP:127.0.0.1")

    def serve(self, script, cert=None, address="127.0.0.1", port=0):
        """A server with this script, and an account that trusts its authority."""
        self.server = Server(*(cert or self.cert), script, address, port)
        self.addCleanup(self.server.close)
        self.account = Account(self.dir / "account", self.ca.cert)
        self.env = {"KUBERNETES_SERVICE_HOST": address, "KUBERNETES_SERVICE_PORT": str(self.server.port),
                    "ERLCLU_KUBERNETES_ACCOUNT": str(self.account.folder)}
        return self.server

    def discover(self, *words, spec="k8s:prod/app"):
        """(the source's row, the addresses) of `erlclu discover`."""
        done = self.call("discover", spec, "--json", *words, env=self.env)
        self.assertTrue(done.stdout, done.stderr)
        found = json.loads(done.stdout)
        return found["sources"][0], [n["address"] for n in found["nodes"]]

    def run_node(self, spec="k8s:prod/app"):
        """A node that goes on looking; it is told where by `self.http`."""
        self.http = free_port()
        self.child = self.start("run", "--name", "a@127.0.0.1", "--epmd", "none", "--listen-port", free_port(), "--http",
                                f"127.0.0.1:{self.http}", "--cookie-file", self.cookie, "--discover", spec, env=self.env)
        wait_for(lambda: self.child.poll() is not None or listens(self.http))
        self.assertIsNone(self.child.poll(), self.log_of(self.child))

    def row(self):
        return get_json(self.http, "/api/v1/discovery")["sources"][0]

    def listed(self):
        return sorted(p["address"].partition(":")[0] for p in get_json(self.http, "/api/v1/peers")["peers"] if p["listed"])

    def wait_listed(self, *addresses, seconds=20):
        wait_for(lambda: self.listed() == sorted(addresses), seconds)


class Lists(Api):
    def test_a_list_is_asked_for_as_it_should_be(self):
        self.serve(lambda r: r.hold() if r.watches else r.list(7, slice_of("app-a", 7, "127.0.0.2", "127.0.0.3")))
        row, addresses = self.discover()
        self.assertEqual(("complete", ["127.0.0.2", "127.0.0.3"]), (row["result"], addresses))
        first = self.server.requests[0]
        self.assertEqual(SLICES, first.path)
        self.assertEqual({"labelSelector": "kubernetes.io/service-name=app", "limit": "500"}, first.query)
        self.assertEqual(("good", "close"), (first.token, first.headers["connection"]))

    def test_pages(self):
        def script(r):
            page = r.query.get("continue")
            if page is None:
                r.list(7, slice_of("app-a", 5, "127.0.0.2"), more="p/2=")
            else:
                self.assertEqual("p/2=", page)
                r.list(7, slice_of("app-b", 6, "127.0.0.3"))
        self.serve(script)
        self.assertEqual(["127.0.0.2", "127.0.0.3"], self.discover()[1])

    def test_pods_by_selector(self):
        pods = [pod("a", 1, "127.0.0.2"), pod("b", 2, "127.0.0.3", phase="Pending"), pod("c", 3, "127.0.0.4", going=True),
                pod("d", 4, "127.0.0.5", phase="Succeeded")]
        self.serve(lambda r: r.list(7, *pods))
        row, addresses = self.discover(spec="k8s:prod/pods?selector=app=x,tier+in+(a,b)")
        self.assertEqual(["127.0.0.2", "127.0.0.4"], addresses)
        first = self.server.requests[0]
        self.assertEqual((PODS, "app=x,tier in (a,b)"), (first.path, first.query["labelSelector"]))

    def test_the_namespace_is_the_account_s(self):
        self.serve(lambda r: r.list(7, slice_of("app-a", 7, "127.0.0.2")))
        self.discover(spec="k8s:app")
        self.assertEqual(SLICES, self.server.requests[0].path)

    def test_names_by_template(self):
        here = {"addresses": ["127.0.0.2"], "hostname": "app-0"}
        self.serve(lambda r: r.list(7, slice_of("app-a", 7, here)))
        done = self.call("discover", "--json", "k8s:prod/app?base=x&name={base}@{hostname}.{service}.{ns}.svc.here", env=self.env)
        self.assertEqual("x@app-0.app.prod.svc.here", json.loads(done.stdout)["nodes"][0]["name"])

    def test_large_list(self):
        """8,192 endpoints, 4 MB: whole, and soon."""
        slices = [slice_of(f"app-{i}", i, *({"addresses": [f"127.{i // 256 + 1}.{i % 256}.{k}"], "nodeName": "n" * 400}
                                            for k in range(1, 101))) for i in range(81)]
        self.serve(lambda r: r.list(7, *slices))
        self.assertEqual(8100, len(self.discover()[1]))

    def test_no_slice(self):
        self.serve(lambda r: r.list(7))
        row, _ = self.discover()
        self.assertEqual("negative", row["result"])
        self.assertIn("namespace prod has no EndpointSlice of a Service app", row["reason"])

    def test_ipv6(self):
        self.serve(lambda r: r.list(7, slice_of("app-a", 7, "fd00::2", family="IPv6")), self.ca.sign("IP:::1", "six"), "::1")
        self.assertEqual(["fd00::2"], self.discover("--name", "a@::1")[1])
        self.assertEqual(f"[::1]:{self.server.port}", self.server.requests[0].headers["host"])


class Trust(Api):
    def refused(self, cert):
        self.serve(lambda r: r.list(7, slice_of("app-a", 7, "127.0.0.2")), cert)
        row, addresses = self.discover()
        self.assertEqual(("failed", [], []), (row["result"], addresses, self.server.requests))
        return row["reason"]

    def test_certificate_for_another_address(self):
        self.assertIn("its certificate is refused: IP address mismatch", self.refused(self.ca.sign("IP:127.0.0.2", "other")))

    def test_certificate_for_a_name_alone(self):
        self.assertIn("its certificate is refused: IP address mismatch",
                      self.refused(self.ca.sign("DNS:127.0.0.1,DNS:kubernetes", "name")))

    def test_certificate_of_another_authority(self):
        self.assertIn("its certificate is refused: unable to get local issuer certificate",
                      self.refused(Authority(self.certs, "stranger").sign("IP:127.0.0.1")))

    def test_certificate_that_is_over(self):
        self.assertIn("its certificate is refused: certificate has expired", self.refused(self.ca.sign("IP:127.0.0.1", "old", -1)))

    def test_no_authority(self):
        self.serve(lambda r: r.list(7))
        self.account.write("ca.crt", "nothing\n")
        self.assertIn("ca.crt holds no certificate", self.discover()[0]["reason"])

    def test_no_token(self):
        self.serve(lambda r: r.list(7))
        (self.account.folder / "token").unlink()
        reason = self.discover()[0]["reason"]
        self.assertIn("/account/token cannot be read", reason)
        self.assertIn("automountServiceAccountToken", reason)

    def test_token_with_a_line_break(self):
        self.serve(lambda r: r.list(7))
        self.account.write("token", "a\r\nX-Evil: 1")
        self.assertIn("token does not hold what it should", self.discover()[0]["reason"])
        self.assertEqual([], self.server.requests)

    def test_no_server(self):
        self.serve(lambda r: None, port=free_port())
        self.server.close()
        self.assertIn("Connection refused", self.discover()[0]["reason"])

    def test_no_tls(self):
        self.serve(lambda r: None)
        self.env["KUBERNETES_SERVICE_PORT"] = str(self.speak(b"HTTP/1.1 400 Bad Request\r\n\r\n"))
        self.assertIn("TLS failed", self.discover()[0]["reason"])

    def test_authority_that_is_replaced(self):
        """ca.crt is read again for each request."""
        new = Authority(self.certs, "new")
        self.serve(lambda r: r.hold() if r.watches else r.list(7, slice_of("app-a", 7, "127.0.0.2")), new.sign("IP:127.0.0.1"))
        self.run_node()
        wait_for(lambda: self.row()["result"] == "failed")
        self.account.write("ca.crt", new.cert.read_text())
        self.wait_listed("127.0.0.2")


class Refusals(Api):
    def test_forbidden(self):
        message = 'endpointslices.discovery.k8s.io is forbidden: User "system:serviceaccount:prod:default" cannot list'
        self.serve(lambda r: r.refuse(403, message))
        row, _ = self.discover()
        self.assertEqual("failed", row["result"])
        self.assertEqual('HTTP 403: prod:default may not list and watch endpointslices in namespace prod: give it a Role there with '
                         'apiGroups: ["discovery.k8s.io"], resources: ["endpointslices"], verbs: ["list", "watch"]', row["reason"])

    def test_unauthorized_once(self):
        """The token is read again, and the request made again at once."""
        def script(r):
            if r.token == "good":
                self.account.write("token", "better")
                r.refuse(401, "Unauthorized")
            else:
                r.list(7, slice_of("app-a", 7, "127.0.0.2"))
        self.serve(script)
        row, addresses = self.discover()
        self.assertEqual((["127.0.0.2"], 0), (addresses, row["failures"]))
        self.assertEqual(["good", "better"], [r.token for r in self.server.requests if not r.watches])

    def test_unauthorized_for_good(self):
        self.serve(lambda r: r.refuse(401, "Unauthorized"))
        self.run_node()
        wait_for(lambda: self.row()["result"] == "failed")
        self.assertIn("it does not take the token in", self.row()["reason"])
        requests = list(self.server.requests)
        self.assertLessEqual(2, len(requests))
        time.sleep(2.5)
        self.assertLess(len(self.server.requests) - len(requests), 6)  # it backs off
        self.assertEqual(1, self.log_of(self.child).count("does not take the token"))

    def test_told_once_and_as_long_as_it_lasts(self):
        """No Role, a token that is over: the sentence stands in the status until it is mended, in the log once;
        what was listed stays."""
        for status, words in ((403, "may not list and watch endpointslices"), (401, "it does not take the token in")):
            with self.subTest(status):
                self.refuses, self.over = False, threading.Event()

                def script(r, status=status):
                    if self.refuses:
                        r.refuse(status, "no")
                    elif r.watches:
                        r.begin()
                        self.over.wait(60)
                        r.finish()
                    else:
                        r.list(7, slice_of("app-a", 7, "127.0.0.1", "127.0.0.2"))
                self.serve(script)
                self.run_node()
                self.wait_listed("127.0.0.2")
                asked, self.refuses = len(self.server.requests), True
                self.over.set()
                wait_for(lambda asked=asked: len(self.server.requests) >= asked + 4, 40)
                row = self.row()
                self.assertEqual("failed", row["result"])
                self.assertIn(words, row["reason"])
                self.assertEqual(["127.0.0.2"], self.listed())
                self.refuses = False
                self.over.clear()
                wait_for(lambda: self.row()["reason"] is None, 40)
                self.assertEqual(1, self.log_of(self.child).count(words), self.log_of(self.child))
                self.over.set()
                self.stop(self.child)

    def test_not_found(self):
        self.serve(lambda r: r.refuse(404, "the server could not find the requested resource"))
        row, _ = self.discover()
        self.assertEqual("negative", row["result"])
        self.assertIn("could not find the requested resource", row["reason"])

    def test_too_many(self):
        def script(r):
            if len(self.server.requests) == 1:
                r.refuse(429, "slow down", "Retry-After: 2")
            else:
                r.list(7, slice_of("app-a", 7, "127.0.0.2"))
        self.serve(script)
        self.run_node()
        self.wait_listed("127.0.0.2")
        first, second = self.server.requests[:2]
        self.assertGreaterEqual(second.at - first.at, 1.9)

    def test_server_errors(self):
        """500s: the set is kept, the pauses grow, and it ends well."""
        times = 4
        def script(r):
            if r.watches and len(self.server.requests) == 2:
                r.begin()
                r.handler.request.close()
            elif 0 < len(self.server.requests) - 2 <= times:
                r.refuse(500, "etcd is away")
            elif r.watches:
                r.begin()
                r.event("MODIFIED", slice_of("app-a", 9, "127.0.0.2", "127.0.0.3"))
                r.hold()
            else:
                r.list(7, slice_of("app-a", 7, "127.0.0.2"))
        self.serve(script)
        self.run_node()
        wait_for(lambda: "etcd is away" in (self.row()["reason"] or ""))
        self.assertEqual(["127.0.0.2"], self.listed())
        self.wait_listed("127.0.0.2", "127.0.0.3", seconds=30)
        self.assertEqual("complete", self.row()["result"])
        self.assertEqual([True] * 5, [r.watches and r.version == "7" for r in self.server.requests[1:6]])
        self.assertGreater(self.server.requests[5].at - self.server.requests[1].at, 2)

    def test_no_json(self):
        self.serve(lambda r: r.raw(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>"))
        self.assertIn("its list is no JSON", self.discover()[0]["reason"])

    def test_silence(self):
        """A list that never comes: 15 s."""
        self.serve(lambda r: r.hold())
        begin = time.monotonic()
        row, _ = self.discover("--timeout", "20")
        self.assertIn("it was silent for too long", row["reason"])
        self.assertTrue(14 < time.monotonic() - begin < 19)  # and not at its own end

    def test_headers_without_end(self):
        self.serve(lambda r: r.raw(b"HTTP/1.1 200 OK\r\n" + b"A: " + b"x" * 100000))
        self.assertEqual("failed", self.discover()[0]["result"])


class Watches(Api):
    def watch(self, script, port=0):
        """A list of version 10 with 127.0.0.2, then what script(request, its number from 1) does."""
        self.watches = []
        self.lists = []

        def serve(r):
            if not r.watches:
                self.lists.append(r)
                r.list(10, slice_of("app-a", 10, "127.0.0.2"), slice_of("app-b", 9))
                return
            self.watches.append(r)
            script(r, len(self.watches))
        self.serve(serve, port=port)
        self.run_node()

    def test_what_a_watch_asks_for(self):
        self.watch(lambda r, n: (r.begin(), r.hold()))
        wait_for(lambda: self.watches)
        query = self.watches[0].query
        self.assertTrue(300 <= int(query.pop("timeoutSeconds")) <= 600)
        self.assertEqual({"labelSelector": "kubernetes.io/service-name=app", "watch": "1", "allowWatchBookmarks": "true",
                          "resourceVersion": "10"}, query)

    def test_a_change_is_listed_at_once(self):
        news = queue.Queue()

        def script(r, n):
            r.begin()
            while last := news.get():
                self.went = time.time()
                r.event("MODIFIED", slice_of("app-a", last, "127.0.0.2", *(f"127.0.0.{i}" for i in range(11, last + 1))))
            r.hold()
        self.watch(script)
        self.addCleanup(news.put, None)
        self.wait_listed("127.0.0.2")
        took = []
        for last in range(11, 11 + TIMES):
            time.sleep(0.2)
            news.put(last)
            self.wait_listed("127.0.0.2", *(f"127.0.0.{i}" for i in range(11, last + 1)))
            took.append(self.row_changed() - self.went)
        self.assertLess(min(took), RETRY, self.log_of(self.child))
        self.assertEqual((1, 1), (len(self.lists), len(self.watches)))

    def row_changed(self):
        """When the list changed, in seconds since 1970."""
        return datetime.datetime.fromisoformat(self.row()["changed"].replace("Z", "+00:00")).timestamp()

    def test_lines_split_over_chunks(self):
        def script(r, n):
            r.begin()
            line = json.dumps({"type": "MODIFIED", "object": slice_of("app-a", 11, "127.0.0.2", "127.0.0.3")}).encode() + b"\n"
            other = json.dumps({"type": "ADDED", "object": slice_of("app-c", 12, "127.0.0.4")}).encode() + b"\n"
            for at in range(0, len(line), 17):
                r.chunk(line[at:at + 17])
                time.sleep(0.005)
            r.chunk(other + line[:40])
            r.chunk(line[40:])
            r.hold()
        self.watch(script)
        self.wait_listed("127.0.0.2", "127.0.0.3", "127.0.0.4")

    def test_gone_at_the_start(self):
        def script(r, n):
            if n == 1:
                r.refuse(410, "too old resource version")
            else:
                r.begin()
                r.hold()
        self.watch(script)
        wait_for(lambda: len(self.watches) == 2)
        self.assertEqual(2, len(self.lists))
        self.assertEqual("complete", self.row()["result"])

    def test_gone_in_the_middle(self):
        def script(r, n):
            r.begin()
            if n <= TIMES:
                time.sleep(1.2)
                went.append(time.monotonic())
                r.event("ERROR", {"kind": "Status", "code": 410, "reason": "Expired"})
            r.hold()
        went = []
        self.watch(script)
        wait_for(lambda: len(self.watches) == TIMES + 1, 30)
        self.assertEqual(TIMES + 1, len(self.lists))
        self.assertLess(min(r.at - at for r, at in zip(self.lists[1:], went)), RETRY)

    def test_end_and_bookmark(self):
        """The next watch goes on from the bookmark; there is no second list."""
        def script(r, n):
            r.begin()
            if n <= TIMES:
                time.sleep(1.1)
                went.append(time.monotonic())
                r.bookmark(4710 + n)
                r.finish()
            else:
                r.event("ADDED", slice_of("app-c", 4799, "127.0.0.9"))
                r.hold()
        went = []
        self.watch(script)
        self.wait_listed("127.0.0.2", "127.0.0.9", seconds=30)
        self.assertEqual(["10", *(str(4711 + i) for i in range(TIMES))], [r.version for r in self.watches])
        self.assertEqual(1, len(self.lists))
        self.assertLess(min(r.at - at for r, at in zip(self.watches[1:], went)), RETRY)

    def test_connection_that_breaks(self):
        def script(r, n):
            r.begin()
            if n == 1:
                r.event("MODIFIED", slice_of("app-a", 20, "127.0.0.2", "127.0.0.3"))
                time.sleep(0.2)
                r.handler.request.unwrap = None
                ssl.SSLSocket.shutdown(r.handler.request, 2)
            else:
                r.hold()
        self.watch(script)
        wait_for(lambda: len(self.watches) == 2)
        self.assertEqual(["10", "20"], [r.version for r in self.watches])
        self.assertEqual(["127.0.0.2", "127.0.0.3"], self.listed())
        wait_for(lambda: self.row()["result"] == "complete")

    def test_between_two_slices(self):
        """An endpoint that moves is listed all the time; one that vanishes is held for a second."""
        steps = threading.Event()

        def script(r, n):
            r.begin()
            self.went = time.monotonic()
            r.event("MODIFIED", slice_of("app-a", 11))
            time.sleep(0.3)
            r.event("MODIFIED", slice_of("app-b", 12, "127.0.0.2"))
            self.took = time.monotonic() - self.went
            steps.wait(60)
            r.event("DELETED", slice_of("app-b", 13))
            r.hold()
        for _ in range(TIMES):
            self.took, seen = None, set()
            self.watch(script)
            wait_for(lambda: self.watches)
            wait_for(lambda: seen.add(tuple(self.listed())) or (self.took and time.monotonic() - self.went > 2))
            if self.took < RETRY:  # else this machine did other work between the two events
                break
            self.stop(self.child)
        self.assertEqual({("127.0.0.2",)}, seen)
        begin = time.monotonic()
        steps.set()
        self.wait_listed()
        self.assertTrue(0.9 < time.monotonic() - begin < 10)

    def test_terminating(self):
        def script(r, n):
            r.begin()
            going = {"addresses": ["127.0.0.2"], "conditions": {"ready": False, "serving": True, "terminating": True}}
            r.event("MODIFIED", slice_of("app-a", 11, going, {"addresses": ["127.0.0.3"], "conditions": {"ready": False}}))
            r.hold()
        self.watch(script)
        self.wait_listed("127.0.0.2", "127.0.0.3")
        peers = get_json(self.http, "/api/v1/peers")["peers"]
        self.assertEqual([True, False], [p["terminating"] for p in sorted(peers, key=lambda p: p["address"]) if p["listed"]])

    def test_no_json(self):
        def script(r, n):
            r.begin()
            if n == 1:
                r.chunk(b'{"type":"ADDED","object"\n')
            r.hold()
        self.watch(script)
        wait_for(lambda: len(self.watches) == 2)
        self.assertEqual(2, len(self.lists))
        self.assertIn("an event of its watch is no JSON", self.log_of(self.child))
        self.assertEqual(["127.0.0.2"], self.listed())

    def test_line_without_end(self):
        def script(r, n):
            r.begin()
            if n == 1:
                for _ in range(9):
                    r.chunk(b"x" * (1 << 20))
            r.hold()
        self.watch(script)
        wait_for(lambda: len(self.watches) == 2)
        self.assertIn("an event of its watch is longer than 8 MiB", self.log_of(self.child))

    def test_server_that_is_away_for_a_while(self):
        self.watch(lambda r, n: (r.begin(), r.hold()), free_port())
        wait_for(lambda: self.watches)
        self.wait_listed("127.0.0.2")
        script, port = self.server.script, self.server.port
        wait_for(lambda: self.watches)
        self.server.close()
        for r in self.watches:
            ssl.SSLSocket.shutdown(r.handler.request, 2)
        wait_for(lambda: self.row()["result"] == "failed")
        self.assertEqual(["127.0.0.2"], self.listed())
        again = Server(*self.cert, script, port=port)
        self.addCleanup(again.close)
        wait_for(lambda: self.row()["result"] == "complete")
        self.assertEqual(1, len(self.lists))

    def test_a_node_ends_with_a_watch_open(self):
        """SIGTERM does not wait for a server."""
        self.watch(lambda r, n: (r.begin(), r.hold()))
        wait_for(lambda: self.watches)
        begin = time.monotonic()
        self.assertEqual(0, self.stop(self.child))
        self.assertLess(time.monotonic() - begin, 8)  # then it would be killed
