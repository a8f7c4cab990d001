# SPDX-License-Identifier: Apache-2.0
"""Pods without Kubernetes: a network namespace each on a bridge, with resolv.conf and hosts of
its own, all inside one namespace that the runner enters before anything else."""

import ctypes
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from lab.otp import Otp

SERVICE = 'erlclu-headless.erlclu.svc.cluster.local'
DNS_ADDRESS = '10.42.0.253'
LAB_ADDRESS = '10.42.0.254'
FIRST_LAB_ADDRESS = 200  # 10.42.0.200 and up: scripted peers, which live beside the runner
ENTERED = 'ERLCLU_LAB_NAMESPACE'

# Debian keeps dnsmasq and ip where an ordinary user's PATH does not look.
os.environ['PATH'] += ':/usr/sbin:/sbin'

# Opened here: a child of a runner with threads may not, between fork and exec.
LIBC = ctypes.CDLL(None)
FORBIDDEN = ('the lab needs network namespaces, and this system forbids them ({reason}): '
             'allow unprivileged user namespaces (sysctl kernel.unprivileged_userns_clone=1, '
             'user.max_user_namespaces above 0), or run it as root')


def enter():
    """Run this program again inside a namespace of its own; returns there, never here."""
    if os.environ.get(ENTERED) == str(os.getppid()):
        return
    # Root in a container may lack the right to the first, and still have the second.
    for flags in ('-nm', '-Urnm') if os.geteuid() == 0 else ('-Urnm',):
        probe = subprocess.run(['unshare', flags, 'true'], capture_output=True, text=True)
        if probe.returncode == 0:
            # unshare without --fork becomes the program: the parent stays who it was.
            os.environ[ENTERED] = str(os.getppid())
            os.execvp('unshare', ['unshare', flags, sys.executable, *sys.argv])
    sys.exit('lab: ' + FORBIDDEN.format(reason=probe.stderr.strip()))


def sh(text):
    done = subprocess.run(['sh', '-ec', text], capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f'{text!r} failed: {done.stderr.strip()}')


def die_with_runner():
    """In a child, before exec: SIGKILL when the runner's thread that started it ends."""
    LIBC.prctl(1, signal.SIGKILL)


class Process:
    """A program of the lab: its log in a file, ended by its own id."""

    def __init__(self, argv, log, env=None, cwd=None, stdin=subprocess.DEVNULL):
        self.argv = [str(arg) for arg in argv]
        self.log_path = Path(log)
        with self.log_path.open('ab') as out:
            self.popen = subprocess.Popen(self.argv, stdin=stdin, stdout=out,
                                          stderr=subprocess.STDOUT, cwd=cwd,
                                          env={**os.environ, **(env or {})},
                                          preexec_fn=die_with_runner)
        self.pid = self.popen.pid

    def alive(self):
        return self.popen.poll() is None

    def log(self):
        return self.log_path.read_text(errors='replace')

    def kill(self, sig=signal.SIGKILL):
        if self.alive():
            self.popen.send_signal(sig)
        return self.wait()

    def wait(self, timeout=10):
        return self.popen.wait(timeout)


class Lab:
    """The bridge, the DNS server and the pods on it; `close()` ends whatever still runs."""

    def __init__(self):
        self.dir = Path(tempfile.mkdtemp(prefix='erlclu-lab-'))
        self.pods = {}
        self.processes = []
        self._otp = {}
        self._lab_addresses = 0
        self._tests = 0
        self._new_scratch()
        # Without a DNS server of its own a test's resolvers must hear "port unreachable" each time.
        sh('echo 0 >/proc/sys/net/ipv4/icmp_ratelimit; '
           'ip link set lo up; ip link add br0 address 02:00:00:00:00:fe type bridge; '
           f'ip addr add {LAB_ADDRESS}/24 dev br0; ip addr add {DNS_ADDRESS}/24 dev br0; '
           'ip addr add fd42::fe/64 dev br0 nodad; ip link set br0 up')

    def _new_scratch(self):
        """Logs and files of one test: the next one starts with empty logs."""
        self._tests += 1
        self.scratch = self.dir / f'test-{self._tests}'
        self.scratch.mkdir()

    def otp(self, release):
        if release not in self._otp:
            self._otp[release] = Otp(release, self.dir)
        return self._otp[release]

    def pod(self, number):
        if number not in self.pods:
            self.pods[number] = Pod(self, number)
        return self.pods[number]

    def address(self):
        """A fresh address on the bridge for a scripted peer of the runner."""
        address = f'10.42.0.{FIRST_LAB_ADDRESS + self._lab_addresses}'
        self._lab_addresses += 1
        sh(f'ip addr add {address}/32 dev br0')
        return address

    def start(self, argv, log, **options):
        process = Process(argv, self.scratch / log, **options)
        self.processes.append(process)
        return process

    def clean(self):
        """End every process and pod, keep bridge and releases: between two tests."""
        if os.environ.get('LAB_LOGS'):
            for log in sorted(self.scratch.rglob('*.log')):
                print(f'--- {log.relative_to(self.scratch)}\n{log.read_text(errors="replace")}', end='')
        for pod in self.pods.values():
            pod.close()
        for process in self.processes:
            process.kill()
        while self._lab_addresses > 0:
            self._lab_addresses -= 1
            sh(f'ip addr del 10.42.0.{FIRST_LAB_ADDRESS + self._lab_addresses}/32 dev br0')
        self.pods, self.processes = {}, []
        self._new_scratch()

    def close(self):
        self.clean()
        shutil.rmtree(self.dir, ignore_errors=True)


class Pod:
    """A network namespace at 10.42.0.N and fd42::N, held by one sleeping process."""

    def __init__(self, lab, number):
        self.lab, self.number = lab, number
        self.address, self.address6 = f'10.42.0.{number}', f'fd42::{number:x}'
        self.dir = lab.scratch / f'pod-{number}'
        self.dir.mkdir(exist_ok=True)
        self.resolv_conf = self.dir / 'resolv.conf'
        self.resolv_conf.write_text(f'nameserver {DNS_ADDRESS}\noptions ndots:5\n')
        self.hosts = self.dir / 'hosts'
        self.hosts.write_text(f'127.0.0.1 localhost\n{self.address} pod-{number}\n')
        self._hold()
        link = f'v{number}'
        # A constant MAC: the next pod at this address is not held up by somebody's ARP cache.
        mac = f'02:00:00:00:00:{number:02x}'
        sh(f'ip link add {link} type veth peer name eth0 address {mac} netns {self.holder.pid}; '
           f'ip link set {link} master br0 up; '
           f'nsenter -t {self.holder.pid} -n sh -ec "ip link set lo up; '
           f'ip addr add {self.address}/24 dev eth0; ip addr add {self.address6}/64 dev eth0 nodad; '
           f'ip link set eth0 up"')

    def _hold(self):
        ready = self.dir / 'ready'
        ready.unlink(missing_ok=True)
        text = (f'mount --bind {self.resolv_conf} /etc/resolv.conf; '
                f'mount --bind {self.hosts} /etc/hosts; : >{ready}; exec sleep infinity')
        self.holder = Process(['unshare', '-nm', 'sh', '-ec', text], self.dir / 'holder.log')
        while not ready.exists():
            if not self.holder.alive():
                raise RuntimeError('pod: ' + self.holder.log())
            time.sleep(0.002)

    def argv(self, argv):
        return ['nsenter', '-t', self.holder.pid, '-n', '-m', *argv]

    def start(self, argv, log, env=None, **options):
        """A program in the pod; HOME is the pod's folder, MY_POD_IP its address."""
        pod_env = {'HOME': str(self.dir), 'MY_POD_IP': self.address, 'ERL_CRASH_DUMP': '/dev/null',
                   **(env or {})}
        return self.lab.start(self.argv(argv), f'pod-{self.number}/{log}', env=pod_env, **options)

    def run(self, argv, timeout=30, env=None, **options):
        """A program in the pod, to its end: subprocess.CompletedProcess with text."""
        pod_env = {**os.environ, 'HOME': str(self.dir), 'MY_POD_IP': self.address, **(env or {})}
        return subprocess.run([str(arg) for arg in self.argv(argv)], capture_output=True, text=True,
                              timeout=timeout, env=pod_env, stdin=subprocess.DEVNULL, **options)

    def cable(self, state):
        """Pull ('down') or plug ('up') the cable: peers fall silent, no packet says so."""
        sh(f'ip link set v{self.number} {state}')

    def pids(self):
        """Every process of this pod, whoever started it (erl leaves an epmd behind)."""
        mine = os.readlink(f'/proc/{self.holder.pid}/ns/net')
        found = []
        for entry in Path('/proc').iterdir():
            try:
                if entry.name.isdigit() and os.readlink(entry / 'ns/net') == mine:
                    found.append(int(entry.name))
            except OSError:
                continue  # ended meanwhile, or not ours to look at
        return found

    def close(self):
        for pid in self.pids():
            if pid != self.holder.pid:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
        self.holder.kill()
        # The kernel removes a namespace's links a little later; the name must be free now.
        subprocess.run(['ip', 'link', 'del', f'v{self.number}'], capture_output=True)


class Dnsmasq:
    """A real DNS server for the lab; `set(name, addresses)` changes records while it runs."""

    def __init__(self, lab, records, ttl=5):
        self.records = {name: list(addresses) for name, addresses in records.items()}
        self.hosts = lab.scratch / 'dnsmasq.hosts'
        self._write()
        if not shutil.which('dnsmasq'):
            raise RuntimeError('the lab needs dnsmasq: apt-get install dnsmasq-base')
        self.process = lab.start(
            ['dnsmasq', '--no-daemon', '-C', '/dev/null', '-h', '-H', self.hosts, '-a', DNS_ADDRESS, '-z',
             '-R', '-T', str(ttl)], 'dnsmasq.log')
        self._await(' read ')  # behind it a change cannot be taken for what is read at the start

    def set(self, name, addresses):
        self.records[name] = list(addresses)
        self._write()
        seen = self.process.log().count(' read ')
        # Before it has printed its first line a SIGHUP would end it.
        self.process.popen.send_signal(signal.SIGHUP)
        self._await(' read ', seen + 1)

    def _write(self):
        self.hosts.write_text(''.join(f'{address} {name}\n'
                                      for name, addresses in self.records.items()
                                      for address in addresses))

    def _await(self, word, times=1):
        while self.process.log().count(word) < times:
            if not self.process.alive():
                raise RuntimeError('dnsmasq: ' + self.process.log())
            time.sleep(0.005)
