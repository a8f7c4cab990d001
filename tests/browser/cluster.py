# SPDX-License-Identifier: Apache-2.0
"""A small real cluster on the loopback: a DNS server, nodes of ours, a node of Erlang's, one whose
cookie is wrong and one that is not there. All dial one port, without epmd."""

import itertools
import json
import os
import socket
import subprocess
import time
import urllib.request
from pathlib import Path

SERVICE = "erlclu-headless.erlclu.svc.cluster.local"
PATIENCE_S = 90
FIRST_PORT, PORTS = 10000, 2000
_ports = itertools.count(os.getpid() * 7)
# What a developer's environment says of a node is not said of these.
FOREIGN = {"MY_POD_IP", "ERLCLU_NODE", "ERLCLU_DISCOVER", "RELEASE_COOKIE", "RELEASE_NODE", "HTTP_ADDR", "HTTP_PORT",
           "METRICS_PORT", "ERL_FLAGS", "ERL_AFLAGS", "ERL_ZFLAGS"}

os.environ["PATH"] += ":/usr/sbin:/sbin"  # dnsmasq, for ordinary users


def is_free(address, port, kind):
    with socket.socket(socket.AF_INET, kind) as s:
        try:
            s.bind((address, port))
        except OSError:
            return False
    return True


def free_port(addresses):
    """A port that is free at all the addresses, for UDP and TCP, and below those that the system gives to
    connections: nobody takes it before the program that is meant."""
    for _ in range(PORTS):
        port = FIRST_PORT + next(_ports) % PORTS
        if all(is_free(address, port, kind) for address in addresses for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM)):
            return port
    raise OSError("no port is free at all of " + ", ".join(addresses))


def get(url):
    with urllib.request.urlopen(url, timeout=5) as reply:
        return reply.read()


class Cluster:
    """`with Cluster(...)`: everything is started on entry and ended, by process, on exit."""

    def __init__(self, erlclu, directory, cookie, template=None):
        self.erlclu, self.directory, self.cookie = erlclu, Path(directory), cookie
        self.template, self.children = template, []
        self.ips = [f"127.0.0.{n}" for n in range(1, 7)]
        self.port, self.http, self.dns = (free_port(self.ips) for _ in range(3))
        self.url = f"http://127.0.0.1:{self.http}"

    def _start(self, name, *command, home=None):
        environment = {k: v for k, v in os.environ.items() if k not in FOREIGN} | {"HOME": str(home or self.directory)}
        with open(self.directory / f"{name}.log", "wb") as log:
            self.children.append(subprocess.Popen([str(word) for word in command], env=environment, stdout=log,
                                                  stderr=log, stdin=subprocess.DEVNULL))

    def _secret(self, name, text):
        path = self.directory / name
        path.write_text(text)
        path.chmod(0o400)
        return path

    def _start_own(self, ip, cookie, *options):
        self._start(ip, self.erlclu, "run", "--name", f"erlclu@{ip}", "--epmd", "none", "--listen-port", self.port,
                    "--dns", f"127.0.0.1:{self.dns}", "--cookie-file", cookie, "--http", f"{ip}:{self.http}",
                    *options)

    def _start_erl(self, ip):
        home = self.directory / "home"
        home.mkdir()
        cookie = home / ".erlang.cookie"
        cookie.write_text(self.cookie)
        cookie.chmod(0o400)
        self._start(ip, "erl", "-noinput", "-name", f"erlclu@{ip}", "-start_epmd", "false", "-erl_epmd_port",
                    self.port, "-kernel", "inet_dist_use_interface", "{" + ip.replace(".", ",") + "}", home=home)

    def __enter__(self):
        records = [f"--host-record={SERVICE},{ip}" for ip in self.ips]
        user = ["--user=root"] if os.geteuid() == 0 else []
        self._start("dnsmasq", "dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--pid-file=",
                    "--no-resolv", "--no-hosts", "--local-ttl=5", "--listen-address=127.0.0.1", "--bind-interfaces",
                    f"--port={self.dns}", "--local=/cluster.local/", *records, *user)
        right = self._secret("cookie", self.cookie)
        wrong = self._secret("wrong", "someothercookie")
        discover = ("--discover", f"dns:{SERVICE}")
        shown = () if self.template is None else ("--show-cookie", "--template", self.template)
        self._start_erl(self.ips[3])
        for ip in self.ips[1:3]:
            self._start_own(ip, right, *discover)
        self._start_own(self.ips[4], wrong)
        self._start_own(self.ips[0], right, *discover, *shown)
        return self

    def __exit__(self, *_):
        for child in reversed(self.children):
            child.terminate()
        for child in self.children:
            try:
                child.wait(PATIENCE_S)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()

    def cluster(self):
        return json.loads(get(self.url + "/api/v1/cluster"))

    def wait_whole(self):
        """/api/v1/cluster once four nodes are linked and the two others failed for their reasons."""
        end = time.monotonic() + PATIENCE_S
        cluster = None
        while time.monotonic() < end:
            try:
                cluster = self.cluster()
                stages = sorted(m["stage"] or "" for m in cluster["missing"])
                if len(cluster["nodes"]) == 4 and stages == ["cookie", "tcp-refused"]:
                    return cluster
            except OSError:
                pass
            time.sleep(0.1)
        logs = "".join(f"--- {p.name}\n{p.read_text(errors='replace')}" for p in self.directory.glob("*.log"))
        raise TimeoutError(f"no whole cluster within {PATIENCE_S} s: {cluster}\n{logs}")
