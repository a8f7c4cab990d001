# SPDX-License-Identifier: Apache-2.0
"""The program under test, on loopback: helpers of the tests in this folder."""

import contextlib
import itertools
import json
import os
import pathlib
import signal
import socket
import subprocess
import tempfile
import threading
import time
import unittest
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PROGRAM = os.environ.get("ERLCLU", str(ROOT / "build/erlclu"))
# What the environment of the tester says of a node is not meant for these.
CLEAN = {k: v for k, v in os.environ.items() if not k.startswith(("ERL", "RELEASE_", "HTTP_", "METRICS_", "MY_POD"))}
COOKIE = "tests-of-the-program"
CRASHES = (signal.SIGABRT, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGSEGV)
# Begins a command in namespaces of its own; who is not root needs to be there.
UNSHARE = ["unshare", *([] if os.geteuid() == 0 else ["--user", "--map-root-user"])]
FIRST_PORT, PORTS = 12000, 20000
_ports = itertools.count(os.getpid() * 499)


def is_free(port, kind):
    with socket.socket(socket.AF_INET, kind) as s:
        with contextlib.suppress(OSError):
            s.bind(("127.0.0.1", port))
            return True
    return False


def free_port():
    """One that is free for UDP and TCP. It is below those that the system gives to connections, and
    runners beside this one are elsewhere: nobody takes it before the program that is meant."""
    while True:
        port = FIRST_PORT + next(_ports) % PORTS
        if is_free(port, socket.SOCK_STREAM) and is_free(port, socket.SOCK_DGRAM):
            return port


def wait_for(what, seconds=20):
    """Calls what() until it is true; once more behind that time, which this process may have missed."""
    end = time.monotonic() + seconds
    while True:
        is_last = time.monotonic() > end
        value = what()
        if value:
            return value
        if is_last:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.02)


def get(port, path="/", method="GET"):
    """(status, headers, body) of one request."""
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", method=method)
    try:
        with urllib.request.urlopen(request, timeout=15) as reply:
            return reply.status, reply.headers, reply.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read()


def get_json(port, path):
    return json.loads(get(port, path)[2])


def listens(port):
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) == 0


class Case(unittest.TestCase):
    """A directory with a cookie file, and programs that end with the test."""

    def setUp(self):
        self.dir = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.cookie = self.dir / "cookie"
        self.cookie.write_text(COOKIE)
        self.cookie.chmod(0o600)

    def call(self, *args, env=None, timeout=30):
        """Runs a command to its end."""
        return subprocess.run([PROGRAM, *map(str, args)], capture_output=True, text=True, timeout=timeout,
                              env=CLEAN | {"HOME": str(self.dir)} | (env or {}), stdin=subprocess.DEVNULL)

    def start(self, *args, env=None):
        """Starts a command that stays."""
        log = open(self.dir / f"log-{len(list(self.dir.iterdir()))}", "w+")
        child = subprocess.Popen([PROGRAM, *map(str, args)], stderr=log, stdout=subprocess.PIPE,
                                 stdin=subprocess.DEVNULL, env=CLEAN | {"HOME": str(self.dir)} | (env or {}))
        child.log = log.name
        self.addCleanup(log.close)
        self.addCleanup(child.stdout.close)
        self.addCleanup(self.end, child)
        return child

    def end(self, child):
        """Whatever the test was about: no crash, and no complaint of a sanitizer."""
        status, log = self.stop(child), self.log_of(child)
        self.assertNotIn(-status, CRASHES, log)
        self.assertNotRegex(log, "Sanitizer|runtime error")

    def stop(self, child):
        child.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(10)
        child.kill()
        return child.wait()

    def node(self, name="a@127.0.0.1", *more):
        """A node without epmd; (process, distribution port, HTTP port)."""
        dist, http = free_port(), free_port()
        child = self.start("run", "--name", name, "--epmd", "none", "--listen-port", dist, "--http",
                           f"127.0.0.1:{http}", "--cookie-file", self.cookie, *more)
        wait_for(lambda: child.poll() is not None or listens(http))
        self.assertIsNone(child.poll(), pathlib.Path(child.log).read_text())
        get(http, "/livez")  # who answers listens for nodes too
        return child, dist, http

    def speak(self, words):
        """The port of a server that says this to everybody, and closes."""
        server = socket.create_server(("127.0.0.1", 0))

        def serve():
            while True:
                try:
                    s = server.accept()[0]
                except OSError:
                    return
                with s, contextlib.suppress(OSError):  # a client that goes early is no end of the server
                    s.sendall(words)
                    s.shutdown(socket.SHUT_WR)
                    while s.recv(4096):
                        pass

        threading.Thread(target=serve, daemon=True).start()
        self.addCleanup(server.close)
        self.addCleanup(server.shutdown, socket.SHUT_RDWR)
        return server.getsockname()[1]

    def log_of(self, child):
        return pathlib.Path(child.log).read_text()

    def assertStatus(self, done, status, *words):
        """The exit status, and words of what it printed."""
        text = done.stdout + done.stderr
        self.assertEqual(done.returncode, status, text)
        for word in words:
            self.assertIn(word, text)

    def json_of(self, done):
        return json.loads(done.stdout)
