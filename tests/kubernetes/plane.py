# SPDX-License-Identifier: Apache-2.0
"""The control plane: its programs, built or unpacked once, and their processes. plane/go.mod and
tests/net/coredns/go.mod hold every version but etcd's, which is Debian's."""

import fcntl
import os
import secrets
import subprocess
import tempfile
from pathlib import Path

from kubernetes.api import Api, ApiError
from kubernetes.records import lookup
from lab.nodes import eventually
from lab.otp import CACHE, TOP
from lab.pods import DNS_ADDRESS, LAB_ADDRESS, sh

HERE = Path(__file__).resolve().parent
API_PORT = 6443
ETCD = 'http://127.0.0.1:2379'
# Both families, IPv4 first. The Service `kubernetes`: the first address of the range, by definition.
SERVICE_RANGE, SERVICE_ADDRESS, SERVICE_PORT = '10.96.0.0/16,fd96::/112', '10.96.0.1', 443
ZONE = 'cluster.local'
DNS_TTL = 5
# A loaded machine takes its time; an API server migrates its own objects when it starts.
START_SECONDS = 120

# What the lab uses of the controllers; the node's health is the lab's own affair.
CONTROLLERS = ('deployment', 'replicaset', 'statefulset', 'endpoints', 'endpointslice', 'namespace',
               'serviceaccount', 'serviceaccount-token', 'root-ca-certificate-publisher',
               'garbage-collector', 'disruption')

COREFILE = '''{zone}:53 in-addr.arpa:53 {{
    bind {address}
    errors
    kubernetes {zone} in-addr.arpa {{
        kubeconfig {kubeconfig}
        pods insecure
        ttl {ttl}
    }}
}}
'''

KUBECONFIG = '''apiVersion: v1
kind: Config
clusters:
  - name: lab
    cluster: {{server: "https://{host}:{port}", certificate-authority: {dir}/ca.crt}}
users:
  - name: {user}
    user: {{client-certificate: {dir}/{user}.crt, client-key: {dir}/{user}.key}}
contexts:
  - name: lab
    context: {{cluster: lab, user: {user}}}
current-context: lab
'''


def go_tool(folder):
    return subprocess.run([TOP / 'scripts/go-tool', folder], check=True, text=True,
                          stdout=subprocess.PIPE).stdout.strip()


def fetch():
    """Build and unpack what is missing, before the lab's namespace is entered, which has no way out
    to a mirror: {name of a program: its path}."""
    built = go_tool(HERE / 'plane')
    return {'etcd': fetch_etcd(), 'coredns': go_tool(TOP / 'tests/net/coredns'),
            **dict.fromkeys(('kube-apiserver', 'kube-controller-manager', 'kubectl'), built)}


def etcd_version():
    """The version of Debian's etcd that apt would take."""
    shown = subprocess.run(['apt-cache', 'policy', 'etcd-server'], capture_output=True, text=True).stdout
    words = next((line.split() for line in shown.splitlines() if 'Candidate:' in line), ['', '(none)'])
    return None if words[1] == '(none)' else words[1]


def fetch_etcd():
    """Debian's etcd, unpacked and not installed: installing it would start a server on this host."""
    version = etcd_version()
    if version is None and os.geteuid() == 0:
        subprocess.run(['apt-get', 'update', '-qq'], check=True)  # a fresh machine has no lists
        version = etcd_version()
    if version is None:
        raise SystemExit('kubernetes lab: apt knows no etcd-server: run apt-get update')
    home = CACHE / f'etcd-{version}'
    CACHE.mkdir(parents=True, exist_ok=True)
    with open(f'{home}.lock', 'w') as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not home.exists():
            with tempfile.TemporaryDirectory(dir=CACHE) as work:
                subprocess.run(['apt-get', 'download', '-qq', '-o', 'APT::Sandbox::User=root',
                                f'etcd-server={version}'], cwd=work, check=True)
                package = next(Path(work).glob('etcd-server_*.deb'))
                subprocess.run(['dpkg-deb', '-x', package, f'{work}/root'], check=True)
                os.rename(f'{work}/root', home)
    return home / 'usr/bin/etcd'


class Authority:
    """The cluster's CA, and what it has signed, in one folder."""

    def __init__(self, folder):
        self.dir = folder
        self._openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes',
                      '-subj', '/CN=lab', '-days', '2', '-keyout', 'ca.key', '-out', 'ca.crt')
        names = [f'IP:{LAB_ADDRESS}', f'IP:{SERVICE_ADDRESS}', 'DNS:kubernetes', 'DNS:kubernetes.default',
                 'DNS:kubernetes.default.svc', f'DNS:kubernetes.default.svc.{ZONE}']
        self.sign('apiserver', '/CN=kube-apiserver', f'subjectAltName={",".join(names)}')
        self.sign('admin', '/O=system:masters/CN=admin', 'extendedKeyUsage=clientAuth')
        self.sign('controllers', '/CN=system:kube-controller-manager', 'extendedKeyUsage=clientAuth')
        self.sign('coredns', '/CN=system:coredns', 'extendedKeyUsage=clientAuth')

    def _openssl(self, *words):
        done = subprocess.run(['openssl', *words], cwd=self.dir, capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(f'openssl {" ".join(words)}: {done.stderr}')

    def sign(self, name, subject, extension):
        (self.dir / f'{name}.ext').write_text(extension)
        self._openssl('req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj',
                      subject, '-keyout', f'{name}.key', '-out', f'{name}.csr')
        self._openssl('x509', '-req', '-in', f'{name}.csr', '-CA', 'ca.crt', '-CAkey', 'ca.key', '-days', '2',
                      '-set_serial', str(secrets.randbits(63)), '-extfile', f'{name}.ext', '-out', f'{name}.crt')

    def account_key(self, name):
        """A key that signs the tokens of service accounts."""
        self._openssl('ecparam', '-genkey', '-name', 'prime256v1', '-noout', '-out', name)
        return self.dir / name

    def kubeconfig(self, user):
        path = self.dir / f'{user}.kubeconfig'
        path.write_text(KUBECONFIG.format(host=LAB_ADDRESS, port=API_PORT, dir=self.dir, user=user))
        return path


class Plane:
    """The four servers; each can be killed and started again, and keeps its data."""

    def __init__(self, lab, programs):
        self.lab, self.dir = lab, lab.dir / 'plane'
        self.dir.mkdir()
        # The programs by their names, which tell the multi-call one what it is to be.
        self.programs = {name: self.dir / name for name in programs}
        for name, link in self.programs.items():
            link.symlink_to(programs[name])
        self.ca = Authority(self.dir)
        self.admin = self.ca.kubeconfig('admin')
        self.api = Api(LAB_ADDRESS, API_PORT, self.dir / 'ca.crt', self.dir / 'admin.crt', self.dir / 'admin.key')
        self.account_key = self.ca.account_key('account-1.key')
        self.servers = {}

    def start(self):
        data = self.dir / 'data'
        data.mkdir()
        sh(f'mount -t tmpfs -o mode=700 etcd {data}')
        self._start('etcd', ['--data-dir', data, '--listen-client-urls', ETCD, '--advertise-client-urls', ETCD,
                             '--listen-peer-urls', 'http://127.0.0.1:2380', '--logger', 'zap'])
        self.start_api()
        self.start_controllers()
        self.allow_coredns()
        self.start_coredns()

    def stop(self):
        for server in self.servers.values():
            server.kill()
        subprocess.run(['umount', self.dir / 'data'], capture_output=True)

    def _start(self, name, words):
        self.servers[name] = self.lab.start([self.programs[name], *words], f'{name}.log', cwd=self.dir)

    def kill(self, name):
        self.servers[name].kill()

    def start_api(self):
        key = self.account_key
        self._start('kube-apiserver', [
            f'--etcd-servers={ETCD}', f'--bind-address={LAB_ADDRESS}', f'--advertise-address={LAB_ADDRESS}',
            f'--secure-port={API_PORT}', '--tls-cert-file=apiserver.crt', '--tls-private-key-file=apiserver.key',
            '--client-ca-file=ca.crt', f'--service-account-key-file={key}',
            f'--service-account-signing-key-file={key}',
            f'--service-account-issuer=https://kubernetes.default.svc.{ZONE}',
            f'--service-cluster-ip-range={SERVICE_RANGE}', '--authorization-mode=RBAC', '--profiling=false'])
        self._await('kube-apiserver', self.api.ready)

    def start_controllers(self):
        config = self.ca.kubeconfig('controllers')
        names = ','.join(f'{name}-controller' for name in CONTROLLERS)
        self._start('kube-controller-manager', [
            f'--kubeconfig={config}', f'--authentication-kubeconfig={config}', f'--authorization-kubeconfig={config}',
            f'--service-account-private-key-file={self.account_key}', '--root-ca-file=ca.crt',
            '--use-service-account-credentials=true', '--leader-elect=false', f'--controllers={names}',
            '--bind-address=127.0.0.1'])
        self._await('kube-controller-manager',
                    lambda: self._exists('/api/v1/namespaces/default/serviceaccounts/default'))

    def allow_coredns(self):
        """What CoreDNS' own manifest gives it."""
        rules = [{'apiGroups': [group], 'resources': kinds, 'verbs': ['list', 'watch']}
                 for group, kinds in (('', ['endpoints', 'services', 'pods', 'namespaces']),
                                      ('discovery.k8s.io', ['endpointslices']))]
        rbac = '/apis/rbac.authorization.k8s.io/v1'
        self.api.call('POST', f'{rbac}/clusterroles', {'metadata': {'name': 'system:coredns'}, 'rules': rules})
        self.api.call('POST', f'{rbac}/clusterrolebindings', {
            'metadata': {'name': 'system:coredns'},
            'roleRef': {'apiGroup': 'rbac.authorization.k8s.io', 'kind': 'ClusterRole', 'name': 'system:coredns'},
            'subjects': [{'apiGroup': 'rbac.authorization.k8s.io', 'kind': 'User', 'name': 'system:coredns'}]})

    def start_coredns(self):
        corefile = self.dir / 'Corefile'
        corefile.write_text(COREFILE.format(zone=ZONE, address=DNS_ADDRESS, ttl=DNS_TTL,
                                            kubeconfig=self.ca.kubeconfig('coredns')))
        self._start('coredns', ['-conf', corefile])
        self._await('coredns', lambda: lookup(f'kubernetes.default.svc.{ZONE}') == {SERVICE_ADDRESS})

    def replace_account_key(self):
        """Tokens signed so far are worth nothing any more: a new key, and the old one forgotten."""
        self.account_key = self.ca.account_key(f'account-{secrets.token_hex(4)}.key')
        self.restart_api()

    def restart_api(self):
        """The API server again, and its controllers: those end when they lose their lease, and are
        started anew, in a cluster of more than one machine."""
        for name in ('kube-apiserver', 'kube-controller-manager'):
            self.kill(name)
        self.start_api()
        self.start_controllers()

    def _exists(self, path):
        try:
            return bool(self.api.get(path))
        except (ApiError, OSError):
            return False

    def _await(self, name, ready):
        def state():
            if not self.servers[name].alive():
                raise RuntimeError(f'{name} ended:\n{self.servers[name].log()[-3000:]}')
            return ready()
        eventually(f'{name} serves', START_SECONDS, state, interval=0.1)

    def kubectl(self, *words, check=True, stdin=None):
        done = subprocess.run([self.programs['kubectl'], f'--kubeconfig={self.admin}', *words], text=True,
                              capture_output=True, input=stdin, cwd=TOP,
                              env={'PATH': os.environ['PATH'], 'HOME': str(self.dir)})
        if check and done.returncode != 0:
            raise RuntimeError(f'kubectl {" ".join(map(str, words))}: {done.stderr.strip()}')
        return done
