# SPDX-License-Identifier: Apache-2.0
"""The demo: four nodes, one of them Erlang's, and nothing left behind."""

import glob
import os
import re
import signal
import subprocess
import time

from program import Case, get, wait_for

EXPECTED = [f"erlclu@127.0.0.{i}" for i in (1, 2, 3, 4)]


def descendants(pid):
    """The processes below one."""
    below, parents = {}, {}
    for stat in glob.glob("/proc/[0-9]*/stat"):
        try:
            fields = open(stat).read().rpartition(")")[2].split()
        except OSError:
            continue
        parents[int(stat.split("/")[2])] = int(fields[1])
    for child in parents:
        at = child
        while at in parents:
            at = parents[at]
            if at == pid:
                below[child] = True
    return set(below)


def alive(pids):
    living = set()
    for pid in pids:
        try:
            if open(f"/proc/{pid}/stat").read().rpartition(")")[2].split()[0] != "Z":
                living.add(pid)
        except OSError:
            pass
    return living


class Demo(Case):
    def start_demo(self, **env):
        before = set(glob.glob("/tmp/erlclu-demo-*"))
        child = self.start("demo", env=env)
        text = ""
        while "linked" not in text:
            line = child.stdout.readline().decode()
            self.assertTrue(line, self.log_of(child))
            text += line
        self.port = int(re.search(r"http://127\.0\.0\.1:(\d+)/", text)[1])
        self.children = descendants(child.pid)
        self.place = (set(glob.glob("/tmp/erlclu-demo-*")) - before).pop()
        self.assertGreaterEqual(len(self.children), 5)
        return child

    def assertGone(self):
        wait_for(lambda: not alive(self.children))

    def test_all_see_all_and_ctrl_c_ends_it(self):
        child = self.start_demo()
        for i in (1, 2, 3):
            with self.subTest(i):
                url = f"http://127.0.0.{i}:{self.port}/api/v1/cluster"
                nodes = __import__("json").load(__import__("urllib.request").request.urlopen(url))["nodes"]
                self.assertEqual(nodes, EXPECTED)
        self.assertIn(b"erlclu@127.0.0.4", get(self.port)[2])
        child.send_signal(signal.SIGINT)
        self.assertEqual(child.wait(15), 0)
        self.assertGone()
        self.assertFalse(os.path.exists(self.place))
        self.assertEqual(self.log_of(child), "")

    def test_it_ends_by_itself(self):
        began = time.monotonic()
        child = self.start_demo(DEMO_SECONDS="4")
        self.assertEqual(child.wait(20), 0)
        self.assertTrue(4 <= time.monotonic() - began < 12)
        self.assertGone()

    def test_children_die_with_it(self):
        child = self.start_demo()
        child.kill()
        child.wait()
        self.assertGone()
        subprocess.run(["rm", "-rf", self.place], check=True)

    def test_what_it_needs(self):
        done = self.call("demo", env={"PATH": "/nowhere"})
        self.assertStatus(done, 12, "erl", "dnsmasq", "erlang-base")
        self.assertEqual(len(done.stderr.splitlines()), 1)
