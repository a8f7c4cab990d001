# SPDX-License-Identifier: Apache-2.0
"""What files and epmds list: `file:`, `hosts:` and `epmd:`, as discover shows them and as run follows them."""

import os
import socket
import struct
import threading
import time

from program import Case, free_port, get_json, listens, wait_for


# Seconds: files are watched, and looked at each 5 s where they cannot be.
WATCHED = 4


def names_of(done_json):
    return sorted(node["name"] for node in done_json["nodes"])


class Sources(Case):
    def setUp(self):
        super().setUp()
        self.file = self.dir / "peers"

    def discover(self, spec, *more):
        return self.json_of(self.call("discover", spec, "--json", *more))

    def source(self, http):
        return get_json(http, "/api/v1/discovery")["sources"][0]

    def linked(self, http):
        return get_json(http, "/api/v1/cluster")["nodes"][1:]

    def assertLinked(self, http, *names):
        wait_for(lambda: sorted(self.linked(http)) == sorted(names))

    def listed(self, http):
        return sorted(get_json(http, "/api/v1/cluster")["listed"])

    def assertFollowed(self, http, *steps):
        """Each step is what is done to the file, and the names that are listed then. Where files were only looked at,
        each would take as long as from one look to the next, from the second on; watched, one may, on a machine that
        does other work."""
        took = []
        for act, *names in steps:
            began = time.monotonic()
            act()
            wait_for(lambda names=names: self.listed(http) == sorted(names), 30)
            took.append(time.monotonic() - began)
        self.assertGreater(len(took), 2)
        self.assertLess(min(took[1:]), WATCHED, took)


class File(Sources):
    def test_discover(self):
        self.file.write_text("# who is there\na@10.9.8.7\nb@127.0.0.1:9100\n")
        done = self.call("discover", f"file:{self.file}")
        self.assertStatus(done, 0, "complete", "a@10.9.8.7", "b@127.0.0.1")
        self.assertEqual(names_of(self.discover(f"file:{self.file}")), ["a@10.9.8.7", "b@127.0.0.1"])

    def test_discover_tells_what_is_wrong(self):
        for text, words in (("a@h\nb\n", 'complete: line 2 is left out: "b": a node name is NAME@HOST'),
                            ("", "  complete\n")):
            with self.subTest(text):
                self.file.write_text(text)
                self.assertStatus(self.call("discover", f"file:{self.file}"), 0 if text else 1, words)
        self.file.unlink()
        done = self.call("discover", f"file:{self.file}")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn(f"failed: cannot read {self.file}: No such file or directory", done.stdout)
        os.mkfifo(self.file)
        self.assertIn("it is no regular file", self.call("discover", f"file:{self.file}").stdout)

    def test_run_follows_it(self):
        _, dist, _ = self.node("b@127.0.0.1")
        _, other, _ = self.node("c@127.0.0.1")
        child, _, http = self.node("a@127.0.0.1", "--discover", f"file:{self.file}")
        wait_for(lambda: self.source(http)["result"] == "failed")
        both = f"b@127.0.0.1:{dist}\nc@127.0.0.1:{other} # the second\nx\n"
        self.assertFollowed(http, (lambda: self.file.write_text(f"b@127.0.0.1:{dist}\n"), "b@127.0.0.1"),
                            (lambda: self.file.write_text(f"c@127.0.0.1:{other}\n"), "c@127.0.0.1"),
                            (lambda: self.file.write_text(both), "b@127.0.0.1", "c@127.0.0.1"))
        self.assertLinked(http, "b@127.0.0.1", "c@127.0.0.1")
        wait_for(lambda: "line 3 is left out" in self.source(http)["reason"])
        self.file.unlink()
        wait_for(lambda: self.source(http)["result"] == "failed")
        self.file.write_text("")
        wait_for(lambda: self.source(http)["result"] == "complete")
        self.assertEqual(get_json(http, "/api/v1/cluster")["listed"], [])
        self.assertLinked(http, "b@127.0.0.1", "c@127.0.0.1") # nobody is cut off for that
        self.assertEqual(self.log_of(child).count("line 3 is left out"), 1)

    def test_run_follows_a_config_map(self):
        """As the kubelet mounts one: a link into a folder that is swapped as a whole."""
        _, dist, _ = self.node("b@127.0.0.1")
        texts = ["", f"b@127.0.0.1:{dist}\n", f"b@127.0.0.1:{dist}\nc@127.0.0.1:1\n", f"b@127.0.0.1:{dist}\n"]
        for version, text in enumerate(texts, 1):
            (self.dir / f"..{version}").mkdir()
            (self.dir / f"..{version}" / "peers").write_text(text)
        (self.dir / "..data").symlink_to("..1")
        self.file.symlink_to("..data/peers")
        _, _, http = self.node("a@127.0.0.1", "--discover", f"file:{self.file}")
        wait_for(lambda: self.source(http)["result"] == "complete")

        def swap(version):
            (self.dir / "..new").symlink_to(f"..{version}")
            (self.dir / "..new").rename(self.dir / "..data")

        self.assertFollowed(http, (lambda: swap(2), "b@127.0.0.1"), (lambda: swap(3), "b@127.0.0.1", "c@127.0.0.1"),
                            (lambda: swap(4), "b@127.0.0.1"))
        self.assertLinked(http, "b@127.0.0.1")


class Epmd(Sources):
    def setUp(self):
        super().setUp()
        self.port = free_port()
        self.start("epmd", "--epmd-port", self.port, "--listen-address", "127.0.0.1")
        wait_for(lambda: listens(self.port))

    def registered(self, name, *more):
        """A node that an epmd lists; its HTTP port."""
        http = free_port()
        self.start("run", "--name", name, "--epmd", "external", "--epmd-port", self.port, "--cookie-file", self.cookie,
                   "--http", f"127.0.0.1:{http}", *more)
        wait_for(lambda: listens(http))
        base = name.split("@")[0]
        wait_for(lambda: f"name {base} at" in self.call("names", "--epmd-port", self.port).stdout)
        return http

    def seen(self, spec):
        return names_of(self.discover(spec, "--epmd-port", self.port))

    def test_discover(self):
        self.registered("a@127.0.0.1")
        self.registered("b@127.0.0.1", "--hidden")
        self.assertEqual(self.seen("epmd:127.0.0.1"), ["a@127.0.0.1"])
        self.assertEqual(self.seen("epmd:127.0.0.1?hidden=1"), ["a@127.0.0.1", "b@127.0.0.1"])
        self.assertEqual(self.seen("epmd:localhost"), ["a@localhost"])
        self.file.write_text("% ours\n'127.0.0.1'.\n'localhost'.\n")
        self.assertEqual(self.seen(f"hosts:{self.file}"), ["a@127.0.0.1", "a@localhost"])
        self.file.write_text("'127.0.0.1'.\n[].\n")
        done = self.call("discover", f"hosts:{self.file}", "--epmd-port", self.port)
        self.assertStatus(done, 0, "a@127.0.0.1", "complete: line 2 is left out: a host is an atom")

    def test_nobody_there(self):
        done = self.call("discover", "epmd:127.0.0.1", "--epmd-port", free_port())
        self.assertEqual(done.returncode, 1)
        self.assertIn("failed: 127.0.0.1:", done.stdout)
        self.assertIn("refused the connection: epmd is not running there", done.stdout)
        done = self.call("discover", "epmd:no-such-host.invalid", "--epmd-port", self.port)
        self.assertEqual(done.returncode, 3)
        self.assertIn("failed: no address for no-such-host.invalid: ", done.stdout)

    def test_an_epmd_that_hangs(self):
        """It says its names and then nothing: of what type they are is not known, so they are listed."""
        server = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(server.close)
        port = server.getsockname()[1]

        def serve():
            names = server.accept()[0]
            names.recv(3)
            names.sendall(struct.pack(">I", port) + b"name a at port 4001\n")
            names.close()
            with server.accept()[0] as hung:
                hung.recv(4096)
                hung.recv(4096)

        threading.Thread(target=serve, daemon=True).start()
        self.assertEqual(names_of(self.discover("epmd:127.0.0.1", "--epmd-port", port)), ["a@127.0.0.1"])

    def test_run_finds_later_nodes(self):
        """`epmd:` alone is this host, and its nodes have our host part; a hidden one is no peer."""
        http = self.registered("a@127.0.0.1", "--discover", "epmd:")
        wait_for(lambda: self.source(http)["result"] == "complete")
        self.assertEqual(get_json(http, "/api/v1/cluster")["listed"], [])
        self.registered("h@127.0.0.1", "--hidden")
        self.registered("b@127.0.0.1")
        self.assertLinked(http, "b@127.0.0.1")

    def test_run_follows_a_hosts_file(self):
        self.file.write_text("")
        http = self.registered("a@127.0.0.1", "--discover", f"hosts:{self.file}")
        self.registered("b@127.0.0.1")
        wait_for(lambda: self.source(http)["result"] == "complete")
        self.assertFollowed(http, (lambda: self.file.write_text("'127.0.0.1'.\n"), "b@127.0.0.1"),
                            (lambda: self.file.write_text("'127.0.0.1'.\n'localhost'.\n"), "b@127.0.0.1", "b@localhost"),
                            (lambda: self.file.write_text("'127.0.0.1'.\n"), "b@127.0.0.1"))
        self.assertLinked(http, "b@127.0.0.1")
