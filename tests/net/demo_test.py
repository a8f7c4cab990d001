# SPDX-License-Identifier: Apache-2.0
"""The demo when things go wrong; tests/demo has the rest."""

import glob
import os
import signal
import subprocess

from program import CLEAN, PROGRAM, Case, wait_for


def parent_of(pid):
    try:
        with open(f"/proc/{pid}/stat") as stat:
            state, parent = stat.read().rpartition(")")[2].split()[:2]
    except OSError:
        return 0
    return 0 if state == "Z" else int(parent)


def below(pid):
    """The processes below one."""
    pids = [int(path.split("/")[2]) for path in glob.glob("/proc/[0-9]*")]
    found = set()
    for at in pids:
        line = [at]
        while line[-1] > 1 and line[-1] != pid:
            line.append(parent_of(line[-1]))
        if line[-1] == pid:
            found.update(line[:-1])
    return found


def named(pids, name):
    """The one among these processes that is called so."""
    def is_it(pid):
        try:
            with open(f"/proc/{pid}/comm") as comm:
                return comm.read().strip() == name
        except OSError:
            return False

    return next(filter(is_it, pids))


class Demo(Case):
    def start(self, *args, env=None):
        """With its files in a folder of this test alone."""
        return super().start(*args, env={"TMPDIR": str(self.dir)} | (env or {}))

    def places(self):
        return list(self.dir.glob("erlclu-demo-*"))

    def test_children_die_with_it(self):
        child = self.start("demo")
        while b"linked" not in (line := child.stdout.readline()):
            self.assertTrue(line, self.log_of(child))
        children = below(child.pid)
        self.assertGreaterEqual(len(children), 5)
        child.kill()
        child.wait()
        wait_for(lambda: not [pid for pid in children if parent_of(pid)])
        self.assertTrue(self.places())  # nobody was left to remove it

    def test_a_signal_at_any_moment_ends_it_well(self):
        """As soon as it shows that it is there."""
        for _ in range(40):
            child = self.start("demo")
            while not self.places():
                self.assertIsNone(child.poll(), self.log_of(child))
            child.send_signal(signal.SIGHUP)
            self.assertEqual(child.wait(30), 0, self.log_of(child))
            self.assertFalse(self.places())

    def test_it_waits_for_who_is_left(self):
        """The Erlang node has a helper that outlives it for a moment, or longer where much else is to be done."""
        child = self.start("demo")
        while b"linked" not in (line := child.stdout.readline()):
            self.assertTrue(line, self.log_of(child))
        children = below(child.pid)
        helper, node = named(children, "erl_child_setup"), named(children, "beam.smp")
        os.kill(helper, signal.SIGSTOP)
        try:
            child.terminate()
            wait_for(lambda: not parent_of(node))
            with self.assertRaises(subprocess.TimeoutExpired):
                child.wait(0.5)
        finally:
            os.kill(helper, signal.SIGCONT)
        self.assertEqual(child.wait(15), 0)
        self.assertFalse([pid for pid in children if parent_of(pid)])

    def test_a_closed_terminal_ends_it_well(self):
        for number in (signal.SIGHUP, signal.SIGQUIT):
            with self.subTest(number):
                child = self.start("demo", env={"SHUTDOWN_DELAY_MS": "x", "ERL_EPMD_PORT": "x"})
                while b"linked" not in (line := child.stdout.readline()):
                    self.assertTrue(line, self.log_of(child))
                children = below(child.pid)
                self.assertTrue(self.places())
                child.send_signal(number)
                self.assertEqual(child.wait(15), 0)
                self.assertFalse([pid for pid in children if parent_of(pid)])
                self.assertFalse(self.places())

    def test_two_at_once(self):
        """They do not take each other's ports."""
        for child in [self.start("demo", "--seconds", "20") for _ in range(2)]:
            while b"linked" not in (line := child.stdout.readline()):
                self.assertTrue(line, self.log_of(child))

    def test_who_ignores_the_end_of_children(self):
        """As we were started: they are waited for all the same, and no number of theirs is signalled for ever."""
        child = subprocess.Popen([PROGRAM, "demo", "--seconds", "1"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                 env=CLEAN, preexec_fn=lambda: signal.signal(signal.SIGCHLD, signal.SIG_IGN))
        self.addCleanup(self.stop, child)
        self.assertEqual(child.wait(15), 0)

    def test_a_full_disk(self):
        with open("/dev/full", "w") as full:
            done = subprocess.run([PROGRAM, "demo"], stdout=full, stderr=subprocess.PIPE, text=True, timeout=30, env=CLEAN)
        self.assertEqual(done.returncode, 12, done.stderr)

    def test_what_it_needs(self):
        done = self.call("demo", env={"PATH": "/nowhere"})
        self.assertStatus(done, 12, "erl", "dnsmasq", "erlang-base")
        self.assertEqual(len(done.stderr.splitlines()), 1)
