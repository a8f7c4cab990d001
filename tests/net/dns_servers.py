# SPDX-License-Identifier: Apache-2.0
"""Real DNS servers on loopback: CoreDNS, Knot and dnsmasq; and the scripted one of the lab."""

import contextlib
import os
import pathlib
import subprocess
import sys

from program import CLEAN, ROOT, Case, free_port, get_json, listens, wait_for

sys.path.insert(0, str(ROOT / "tests"))
from lab.dns import DnsServer  # noqa: E402

LOCALHOST = "127.0.0.1"
ZONE = "tests.svc.cluster.local"
NAME = f"pods.{ZONE}"
# Debian keeps the servers where an ordinary user's PATH does not look.
SERVER_ENV = CLEAN | {"PATH": os.environ["PATH"] + ":/usr/sbin:/sbin"}


def loopback(count, net=70):
    """So many addresses that a node may dial without leaving this machine: all are refused."""
    return [f"127.{net + i // 62500}.{i // 250 % 250}.{i % 250 + 1}" for i in range(count)]


def hears(port):
    """Whether a datagram to this port of ours would be heard; nothing is bound there to find out."""
    own = f" 0100007F:{port:04X} "  # as Linux shows 127.0.0.1, on machines whose least byte comes first
    return own in pathlib.Path("/proc/net/udp").read_text()


def script(*words):
    """What a script of the project prints: it builds or fetches a server when that is missing."""
    done = subprocess.run([ROOT / "scripts" / words[0], *words[1:]], capture_output=True, text=True)
    if done.returncode != 0:
        raise AssertionError(done.stderr)
    return done.stdout.strip()


class Server:
    """A server process that ends with the test; `at` is what --dns takes."""

    def __init__(self, case, argv, port):
        self.argv, self.port, self.at = list(map(str, argv)), port, f"{LOCALHOST}:{port}"
        self.log = case.dir / f"dns-{port}.log"
        self.start()
        case.addCleanup(self.stop)

    def start(self):
        with open(self.log, "a") as log:
            self.child = subprocess.Popen(self.argv, stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=SERVER_ENV)
        # Over UDP it may listen a moment later than over TCP.
        wait_for(lambda: self.child.poll() is not None or listens(self.port) and hears(self.port))
        if self.child.poll() is not None:
            raise AssertionError(self.log.read_text())

    def stop(self):
        self.child.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.child.wait(5)
        self.child.kill()
        self.child.wait()


def zone_file(path, records, ttl=5, serial=1):
    """records: {name relative to ZONE: [address, 'alias.', (priority, weight, port, target), ...]}"""
    lines = [f"$ORIGIN {ZONE}.", f"$TTL {ttl}", f"@ SOA ns hostmaster {serial} 3600 600 86400 5", "@ NS ns",
             "ns A 127.0.0.1"]
    for name, values in records.items():
        for value in values:
            if isinstance(value, tuple):
                lines.append(f"{name} SRV {' '.join(map(str, value))}")
            else:
                kind = "CNAME" if value.endswith(".") else "AAAA" if ":" in value else "A"
                lines.append(f"{name} {kind} {value}")
    path.write_text("\n".join(lines) + "\n")
    return path


class CoreDns(Server):
    """CoreDNS with these plugins for all names, `file` with the records among them. As in a cluster
    its answers are shuffled."""

    def __init__(self, case, records=None, plugins="", ttl=5):
        port = free_port()
        self.zone, self.ttl, self.serial = case.dir / f"zone-{port}", ttl, 0
        self.change(records or {})
        corefile = case.dir / f"Corefile-{port}"
        corefile.write_text(f".:{port} {{\n bind {LOCALHOST}\n errors\n loadbalance\n {plugins}\n" +
                            (f" file {self.zone} {ZONE} {{\n  reload 1s\n }}\n" if records else "") + "}\n")
        super().__init__(case, [script("go-tool", ROOT / "tests/net/coredns"), "-conf", corefile], port)

    def change(self, records):
        """The records from now on, or rather within a second."""
        self.serial += 1
        zone_file(self.zone, records, self.ttl, self.serial)


class Knot(Server):
    """Keeps the records in the order of its own, and follows aliases only so far."""

    def __init__(self, case, records, ttl=5):
        script("knot", "--version")
        port = free_port()
        place = case.dir / f"knot-{port}"
        place.mkdir()
        zone = zone_file(place / "zone", records, ttl)
        conf = place / "knot.conf"
        conf.write_text(f"""
server:
    rundir: "{place}"
    listen: "{LOCALHOST}@{port}"
    udp-workers: 1
    tcp-workers: 1
    background-workers: 1
database:
    storage: "{place}"
zone:
  - domain: "{ZONE}"
    file: "{zone}"
    zonefile-sync: -1
    journal-content: none
    semantic-checks: off
log:
  - target: stderr
    any: warning
""")
        super().__init__(case, [ROOT / "scripts/knot", "-c", conf], port)


class Dnsmasq(Server):
    """Answers NAME, and an alias of it, from a hosts file that may change while it runs."""

    ALIAS = f"alias.{ZONE}"

    def __init__(self, case, addresses, ttl=5):
        port = free_port()
        self.hosts = case.dir / f"hosts-{port}"
        self.write(addresses)
        case.dir.chmod(0o755)
        command = ["dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--pid-file=", "--no-resolv",
                   "--no-hosts", f"--addn-hosts={self.hosts}", f"--port={port}", f"--listen-address={LOCALHOST}",
                   "--bind-interfaces", "--local=/local/", f"--local-ttl={ttl}", "--no-round-robin",
                   f"--cname={self.ALIAS},{NAME}"]
        if os.geteuid() == 0:
            command.append("--user=root")
        super().__init__(case, command, port)

    def write(self, addresses):
        self.hosts.write_text("".join(f"{a} {NAME}\n" for a in addresses))

    def change(self, addresses):
        """The records from now on: SIGHUP has it read its file."""
        self.write(addresses)
        self.child.send_signal(1)


class Finder:
    """`erlclu run` with one SPEC at a DNS server: what it says of its discovery."""

    def __init__(self, case, at, spec=f"dns:{NAME}", name="erlclu@127.0.0.1", *more):
        self.child, self.dist, self.http = case.node(name, "--dns", at, "--discover", spec, *more)

    def source(self):
        return get_json(self.http, "/api/v1/discovery")["sources"][0]

    def cluster(self):
        return get_json(self.http, "/api/v1/cluster")

    def log(self):
        return pathlib.Path(self.child.log).read_text()

    def lines(self, words):
        """The lines of its log with these words."""
        return [line for line in self.log().splitlines() if words in line]

    def until(self, seconds=20, **fields):
        """Its source, once it says this."""
        def seen():
            source = self.source()
            return source if all(source[k] == v for k, v in fields.items()) else None

        try:
            return wait_for(seen, seconds)
        except AssertionError:
            raise AssertionError(f"not within {seconds} s: {fields} in {self.source()}") from None

    def links(self, nodes, seconds=20):
        """Waits until it is linked with these at least."""
        try:
            wait_for(lambda: set(nodes) <= set(self.cluster()["nodes"]), seconds)
        except AssertionError:
            raise AssertionError(f"not within {seconds} s: {nodes} in {self.cluster()}") from None

    def rounds(self, count, seconds=60):
        """Waits for so many more rounds, whatever they bring."""
        began = self.source()["queries"]
        # Two families a round.
        wait_for(lambda: self.source()["queries"] >= began + 2 * count + 1, seconds)
        return self.source()


class DnsCase(Case):
    def scripted(self, records=None, **options):
        server = DnsServer(records, address=LOCALHOST, port=free_port(), **options)
        server.at = f"{LOCALHOST}:{server.port}"
        self.addCleanup(server.close)
        return server

    def finder(self, server, *args, **options):
        return Finder(self, server.at, *args, **options)

    def discover(self, server, *words, spec=f"dns:{NAME}", **options):
        return self.call("discover", spec, "--dns", server.at, *words, **options)

    def found(self, server, **options):
        """What discover says, as JSON."""
        return self.json_of(self.discover(server, "--json", **options))
