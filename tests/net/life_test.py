# SPDX-License-Identifier: Apache-2.0
"""How the program's processes begin and end, and what systems do to them: streams that are closed or
do not wait, being process 1 of a container, children that nobody started, being stopped for a while."""

import contextlib
import http.server
import os
import resource
import signal
import subprocess
import threading
import time

from program import CLEAN, COOKIE, PROGRAM, UNSHARE, Case, free_port, get, get_json, listens, wait_for

# A process in a pid namespace of its own is its process 1.
FIRST = [*UNSHARE, "--pid", "--fork", "--kill-child"]
NETLESS = [*UNSHARE, "--net"]


def child_of(pid):
    """The only one."""
    with open(f"/proc/{pid}/task/{pid}/children") as children:
        found = children.read().split()
    return int(found[0]) if found else 0


def full_pipe(piece):
    """(its end to read, the other one, which does not wait, how many bytes are in it), put in by pieces."""
    out, into = os.pipe()
    os.set_blocking(into, False)
    filled = 0
    with contextlib.suppress(BlockingIOError):
        while True:
            filled += os.write(into, bytes(piece))
    return out, into, filled


class Streams(Case):
    def test_what_is_closed_is_nobody_elses(self):
        """Another file, as a connection, must not get its number."""
        _, dist, http = self.node()
        for closed in ("<&-", "<&- >&-", "<&- >&- 2>&-"):
            for command in (f"ping --port {dist} a@127.0.0.1", f"nodes --http 127.0.0.1:{http}"):
                with self.subTest(command=command, closed=closed):
                    done = subprocess.run(["bash", "-c", f"exec {PROGRAM} {command} {closed}"], capture_output=True,
                                          text=True, timeout=30, env=CLEAN | {"HOME": str(self.dir), "RELEASE_COOKIE": COOKIE})
                    self.assertEqual(done.returncode, 0 if closed == "<&-" else 12, done.stderr)
                    if closed == "<&- >&-":
                        self.assertEqual(done.stderr, "erlclu: cannot write to standard output: Bad file descriptor\n")

    def test_of_a_node_that_stays(self):
        http = free_port()
        child = subprocess.Popen(["bash", "-c", f"exec {PROGRAM} run --name a@127.0.0.1 --epmd none --listen-port "
                                                f"{free_port()} --http 127.0.0.1:{http} --cookie-file {self.cookie} "
                                                "<&- >&- 2>&-"], env=CLEAN)
        self.addCleanup(self.stop, child)
        wait_for(lambda: listens(http))
        for fd in range(3):
            self.assertEqual(os.readlink(f"/proc/{child.pid}/fd/{fd}"), "/")

    def test_a_file_that_may_not_grow(self):
        """It is an error, and not the end of a node that logs there."""
        for command, status in (("help", 12), ("version >/dev/null", 0)):
            script = f"ulimit -f 0; exec {PROGRAM} {command}"
            with open(self.dir / "out", "w") as out:
                done = subprocess.run(["bash", "-c", script], stdout=out, stderr=subprocess.PIPE, text=True, timeout=30)
            self.assertEqual(done.returncode, status, done.stderr)
            self.assertEqual(done.stderr, "erlclu: cannot write to standard output: File too large\n" if status else "")

    def test_a_pipe_that_does_not_wait(self):
        """Nothing is lost, and no error told: whoever shares it may have made it so."""
        out, into, filled = full_pipe(1024)
        child = subprocess.Popen([PROGRAM, "help", "run"], stdout=into, stderr=subprocess.PIPE, text=True)
        os.close(into)
        time.sleep(0.3)
        with os.fdopen(out, "rb") as pipe:
            self.assertEqual(pipe.read()[filled:].decode(), self.call("help", "run").stdout)
        self.assertEqual((child.wait(10), child.stderr.read()), (0, ""))
        child.stderr.close()


class Unread(Case):
    def test_nobody_reads_the_log(self):
        """The node lives, and ends; what was lost is told to who reads again."""
        out, into, filled = full_pipe(4096)
        os.set_blocking(into, True)
        http = free_port()
        child = subprocess.Popen([PROGRAM, "run", "--name", "a@127.0.0.1", "--epmd", "none", "--listen-port",
                                  str(free_port()), "--http", f"127.0.0.1:{http}", "--cookie-file", self.cookie],
                                 stderr=into, env=CLEAN)
        self.addCleanup(self.stop, child)
        self.addCleanup(os.close, out)
        os.close(into)
        wait_for(lambda: listens(http))
        self.assertEqual(get(http, "/livez")[0], 200)
        while filled > 0:
            filled -= len(os.read(out, filled))
        child.terminate()
        self.assertEqual(child.wait(10), 0)
        self.assertRegex(os.read(out, 65536).decode(), r"\A\S+ warning log: \d+ lines are lost, .*\n\S+ info a@127.0.0.1 stops: SIGTERM\n\Z")


class Stops(Case):
    def test_who_was_stopped_has_lost_nobody(self):
        """For longer than net_ticktime, in which the other has told that it lives."""
        port, https = free_port(), (free_port(), free_port())
        nodes = []
        for name, at, setting in (("a@127.0.0.1", https[0], "ticktime 2"), ("b@127.0.0.2", https[1], "tickintensity 80")):
            args = self.dir / name
            args.write_text(f"-kernel net_{setting}\n")
            nodes.append(self.start("run", "--name", name, "--epmd", "none", "--listen-port", port, "--http",
                                    f"127.0.0.1:{at}", "--cookie-file", self.cookie, "--args-file", args,
                                    "--discover", "static:a@127.0.0.1,b@127.0.0.2"))
        wait_for(lambda: all(map(listens, https)))
        wait_for(lambda: len(get_json(https[0], "/api/v1/cluster")["nodes"]) == 2)
        for pause in (0.3, 0.4, 0.5):
            time.sleep(pause)
            nodes[0].send_signal(signal.SIGSTOP)
            time.sleep(2.6)
            nodes[0].send_signal(signal.SIGCONT)
        time.sleep(0.2)
        self.assertNotIn("lost", self.log_of(nodes[0]))


class Shortage(Case):
    def test_a_cookie_that_changes_meanwhile(self):
        """It is read as soon as there are files again."""
        child, _, _ = self.node()
        time.sleep(1.5)  # the file is watched
        held = 1 + max(int(fd) for fd in os.listdir(f"/proc/{child.pid}/fd"))
        before = resource.prlimit(child.pid, resource.RLIMIT_NOFILE, (held, resource.prlimit(child.pid, resource.RLIMIT_NOFILE)[1]))
        self.cookie.chmod(0o600)
        self.cookie.write_text("another-one")
        wait_for(lambda: "Too many open files: the cookie that was read before stays" in self.log_of(child))
        resource.prlimit(child.pid, resource.RLIMIT_NOFILE, before)
        wait_for(lambda: "the cookie was read anew" in self.log_of(child), 15)


class Children(Case):
    def test_an_epmd_stays_when_one_ends(self):
        """One that it did not start: as process 1 of a container it inherits the orphans."""
        port = free_port()
        child = subprocess.Popen(["sh", "-c", f"sleep 0.3 & exec {PROGRAM} epmd --epmd-port {port}"],
                                 stderr=subprocess.DEVNULL)
        self.addCleanup(self.stop, child)
        wait_for(lambda: listens(port))
        wait_for(lambda: child.poll() is not None or not child_of(child.pid))
        time.sleep(0.1)
        self.assertIsNone(child.poll())
        self.assertTrue(listens(port))
        child.terminate()
        self.assertEqual(child.wait(10), 0)


class First(Case):
    """As process 1, whom the system spares the signals that it has no function for."""

    def begin(self, *args):
        child = subprocess.Popen([*FIRST, PROGRAM, *map(str, args)], stderr=subprocess.PIPE, text=True,
                                 env=CLEAN | {"HOME": str(self.dir)})
        self.addCleanup(child.stderr.close)
        self.addCleanup(child.wait)
        self.addCleanup(child.kill)
        return child, wait_for(lambda: child_of(child.pid))

    def test_a_wait_can_be_ended(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            with self.subTest(number):
                child, first = self.begin("wait", "--reachable", 1, "static:a@127.0.0.1", "--port", free_port(),
                                          "--timeout", "20s")
                time.sleep(0.3)
                os.kill(first, number)
                self.assertEqual(child.wait(10), 128 + number)

    def test_a_node_ends_well(self):
        http = free_port()
        child, first = self.begin("run", "--name", "a@127.0.0.1", "--epmd", "none", "--listen-port", free_port(),
                                  "--http", f"127.0.0.1:{http}", "--cookie-file", self.cookie)
        wait_for(lambda: listens(http))
        os.kill(first, signal.SIGTERM)
        self.assertEqual(child.wait(10), 0)

    def test_many_install_at_once(self):
        """Pods that share a volume are all process 1 there."""
        target = self.dir / "bin"
        target.mkdir()
        for _ in range(3):
            several = [subprocess.Popen([*FIRST, PROGRAM, "install", target], stdout=subprocess.DEVNULL) for _ in range(4)]
            self.assertEqual([child.wait(30) for child in several], [0] * 4)
        self.assertEqual(os.listdir(target), ["erlclu"])


class Unready(http.server.BaseHTTPRequestHandler):
    """A node that takes its time to say that it is not ready."""

    def do_GET(self):
        time.sleep(1)
        body = b"not ready: for the test\n"
        with contextlib.suppress(OSError):
            self.send_response(503)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    def log_message(self, *args):
        pass


class Waits(Case):
    def test_no_network_at_all(self):
        """Not even loopback: that is known at once."""
        began = time.monotonic()
        done = subprocess.run([*NETLESS, PROGRAM, "nodes", "--http", "127.0.0.1:8080"], capture_output=True, text=True,
                              timeout=30, env=CLEAN)
        self.assertStatus(done, 4, "nobody answers there")
        self.assertLess(time.monotonic() - began, 5)

    def test_what_was_said_counts(self):
        """Not that there was no time for it to be said once more."""
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Unready)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        done = self.call("wait", "--peers", 1, "--http", f"127.0.0.1:{server.server_address[1]}", "--timeout", "2s")
        self.assertStatus(done, 1, "after 2.000 s", "not ready: for the test")
