# SPDX-License-Identifier: Apache-2.0
"""The page's server: what it answers, and what clients cannot make it do."""

import itertools
import os
import pathlib
import resource
import socket
import time

from program import Case, free_port, get, listens, wait_for

GET = b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"
# A node with its page takes 1 to 2 MB; what clients send must not stay with it.
MEMORY_KB = 8 << 10


def memory_kb(pid):
    with open(f"/proc/{pid}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("RssAnon"))


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat") as stat:
        fields = stat.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def is_sanitized(child):
    """Sanitizers keep what was freed: there the memory says nothing."""
    with open(f"/proc/{child.pid}/maps") as maps:
        return "asan" in maps.read()


class Http(Case):
    def setUp(self):
        super().setUp()
        self.child, _, self.port = self.node("a@127.0.0.1", "--log-level", "warning")

    def connect(self):
        s = socket.create_connection(("127.0.0.1", self.port), timeout=20)
        self.addCleanup(s.close)
        return s

    def assertHealthy(self):
        self.assertEqual(get(self.port, "/livez")[2], b"alive\n")
        if not is_sanitized(self.child):
            self.assertLess(memory_kb(self.child.pid), MEMORY_KB)

    def test_routes(self):
        for path, status in {"/": 200, "/api/v1/cluster": 200, "/metrics": 200, "/livez": 200, "/readyz": 200,
                             "/no": 404, "/?query=1": 200}.items():
            with self.subTest(path):
                self.assertEqual(get(self.port, path)[0], status)

    def test_two_slashes_are_no_host(self):
        """Neither another page's path, nor a Host that the client did not give."""
        for path in ("//", "//livez", "//livez?query=1", "//127.0.0.1", "//127.0.0.1/", "//127.0.0.1/livez"):
            with self.subTest(path):
                s = self.connect()
                s.sendall(f"GET {path} HTTP/1.1\r\nHost: rebound.test\r\n\r\n".encode())
                self.assertIn(b" 404 ", s.recv(1000).splitlines()[0])
        s = self.connect()
        s.sendall(b"GET http://127.0.0.1/livez HTTP/1.1\r\nHost: x\r\n\r\n")
        self.assertIn(b" 200 ", s.recv(1000).splitlines()[0])

    def test_head_has_the_length_and_no_body(self):
        _, headers, body = get(self.port, "/api/v1/cluster", "HEAD")
        self.assertEqual(body, b"")
        self.assertEqual(int(headers["Content-Length"]), len(get(self.port, "/api/v1/cluster")[2]))

    def test_other_methods_are_refused(self):
        for method in ("POST", "PUT", "DELETE", "PATCH", "OPTIONS"):
            with self.subTest(method):
                status, headers, _ = get(self.port, "/", method)
                self.assertEqual((status, headers["Allow"]), (405, "GET, HEAD"))

    def test_pipelined_requests_are_answered_in_turn(self):
        s = self.connect()
        s.sendall(GET * 200)
        data = b""
        while data.count(b"alive\n") < 200:
            data += s.recv(65536)
        self.assertHealthy()

    def test_a_slow_head_is_cut_off_after_ten_seconds(self):
        began, s = time.monotonic(), self.connect()
        s.settimeout(0.5)
        cut = False
        while not cut and time.monotonic() < began + 30:
            try:
                s.send(b"G")
                cut = s.recv(1) == b""
            except TimeoutError:
                continue
            except OSError:
                cut = True
        self.assertTrue(cut)
        self.assertGreater(time.monotonic() - began, 9)
        self.assertHealthy()

    def test_a_slow_reader_is_cut_off(self):
        s, began = self.connect(), time.monotonic()
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        with self.assertRaises(OSError):
            while time.monotonic() < began + 20:
                s.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 100)
        self.assertLess(time.monotonic() - began, 19)  # and not by our own patience
        self.assertHealthy()

    def flood(self, begin, chunk):
        s = self.connect()
        sent = 0
        with self.assertRaises(OSError):
            s.sendall(begin)
            while sent < 200 << 20:
                sent += s.send(chunk)
        self.assertHealthy()

    def test_floods_are_cut_off(self):
        for name, begin, chunk in (("a line without end", b"", b"G" * 65536),
                                   ("headers without end", b"GET / HTTP/1.1\r\n", b"X: " + b"a" * 60000 + b"\r\n"),
                                   ("a header without end", b"GET / HTTP/1.1\r\nX: ", b"a" * 65536),
                                   ("chunks without end", b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
                                    b"10000\r\n" + b"a" * 65536 + b"\r\n")):
            with self.subTest(name):
                self.flood(begin, chunk)

    def test_a_large_body_is_refused_before_it_comes(self):
        s = self.connect()
        s.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 70000\r\n\r\n")
        self.assertIn(b" 413 ", s.recv(100))

    def test_early_goodbyes(self):
        for i in range(500):
            s = socket.create_connection(("127.0.0.1", self.port))
            s.send(GET[: i % len(GET) + 1])
            s.close()
        self.assertHealthy()

    def ask_at_once(self):
        began = time.monotonic()
        self.assertEqual(get(self.port, "/livez")[2], b"alive\n")
        self.assertLess(time.monotonic() - began, 8)  # those who idle are cut off after 10

    def test_idle_visitors_keep_no_probe_out(self):
        idle = []
        for begin in (b"", b"GET ", GET):
            with self.subTest(begin):
                for _ in range(300):
                    idle.append(self.connect())
                    idle[-1].sendall(begin)
                self.ask_at_once()
        log = [line for line in self.log_of(self.child).splitlines() if "page connections" in line]
        self.assertEqual(len(log), 1, log)

    def count_sockets(self):
        try:
            return sum("socket:" in os.readlink(fd) for fd in pathlib.Path(f"/proc/{self.child.pid}/fd").iterdir())
        except FileNotFoundError:  # closed while we look
            return None

    def test_out_of_files_is_told_once(self):
        """Who comes waits, and is answered as soon as there is a file again."""
        _, hard = resource.prlimit(self.child.pid, resource.RLIMIT_NOFILE)
        wait_for(lambda: self.count_sockets() == 2)  # it listens for nodes, and here: who asked before has gone
        held = self.connect()
        held.sendall(GET)
        held.recv(1000)
        used = {int(fd) for fd in os.listdir(f"/proc/{self.child.pid}/fd")}
        first_free = next(fd for fd in itertools.count() if fd not in used)
        resource.prlimit(self.child.pid, resource.RLIMIT_NOFILE, (first_free, hard))
        waiting = self.connect()
        waiting.sendall(GET)
        wait_for(lambda: "one more" in self.log_of(self.child))
        before = cpu_seconds(self.child.pid)
        waiting.settimeout(2.5)
        with self.assertRaises(TimeoutError):
            waiting.recv(1)
        self.assertLess(cpu_seconds(self.child.pid) - before, 0.3)
        held.close()
        waiting.settimeout(15)
        self.assertIn(b"alive", waiting.recv(1000))
        waiting.close()
        self.assertHealthy()
        log = [line for line in self.log_of(self.child).splitlines() if "raise the limit of open files" in line]
        self.assertEqual(len(log), 1, log)

    def test_draining_is_told_at_once(self):
        dist, port = free_port(), free_port()
        child = self.start("run", "--name", "b@127.0.0.1", "--epmd", "none", "--listen-port", dist, "--http",
                           f"127.0.0.1:{port}", "--cookie-file", self.cookie, env={"SHUTDOWN_DELAY_MS": "30000"})
        wait_for(lambda: listens(port))
        self.assertEqual(get(port, "/readyz")[2], b"ready\n")
        child.terminate()
        wait_for(lambda: get(port, "/readyz")[2] != b"ready\n")
        self.assertEqual(get(port, "/readyz")[::2], (503, b"draining: links stay until the end\n"))
        child.terminate()


class LargePage(Case):
    """A page of 1 MB, as thousands of peers make it."""

    def test_slow_readers_take_no_more_than_their_share(self):
        template = self.dir / "template"
        template.write_text("{{as_of}}" + "a" * 1000000)
        child, _, port = self.node("a@127.0.0.1", "--template", template, "--log-level", "warning")
        for _ in range(60):
            s = socket.socket()
            self.addCleanup(s.close)
            s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            s.connect(("127.0.0.1", port))
            # The first few go into the system's buffers.
            s.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 8)
            # Each gets a page of its own.
            time.sleep(0.11)
        self.assertEqual(get(port)[0], 200)
        self.assertEqual(self.log_of(child).count("page connections"), 1)
        if not is_sanitized(child):
            self.assertLess(memory_kb(child.pid), MEMORY_KB + (20 << 10))


class Metrics(Case):
    def test_the_metrics_port_shows_nothing_else(self):
        port, dist, http = free_port(), free_port(), free_port()
        self.start("run", "--name", "a@127.0.0.1", "--epmd", "none", "--listen-port", dist, "--http",
                   f"127.0.0.1:{http}", "--cookie-file", self.cookie, env={"METRICS_PORT": str(port)})
        wait_for(lambda: listens(port))
        self.assertIn(b"erlclu_", get(port, "/metrics")[2])
        self.assertEqual(get(port, "/")[0], 404)
        self.assertEqual(get(port, "/api/v1/cluster")[0], 404)
