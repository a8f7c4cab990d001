# SPDX-License-Identifier: Apache-2.0
"""docs/kubernetes.md: its snippets start real Erlang nodes, which join erlclu as the page says."""

import re
import subprocess

from lab.case import LabCase, per_release
from lab.nodes import COOKIE, erlclu, eventually
from lab.pods import SERVICE, Dnsmasq
from texts import PAGE, container_args, snippet

FORM = 60
PORT = 9100
USAGE = 2  # exit status of a setting that is wrong
SCHEMES = 'dns srv k8s gossip epmd hosts file static'.split()
# An epmd started by erl outlives it by design; a node is registered a moment after it runs.
REGISTER = 60


class Release(LabCase):
    def env_sh(self, pod, title, pod_ip):
        """What the release's start script exports, given the address of the pod."""
        text = snippet(title) + '\necho "$RELEASE_DISTRIBUTION $RELEASE_NODE"\n'
        done = subprocess.run(['sh', '-euc', text], env={'PATH': '/usr/bin:/bin', 'MY_POD_IP': pod_ip},
                              capture_output=True, text=True, check=True)
        distribution, node = done.stdout.split()
        return {'name': '-name', 'sname': '-sname'}[distribution], node

    def vm_args(self, pod, title, **variables):
        """The snippet as the start script leaves it, as a file that the node can read."""
        text = snippet(title)
        for name, value in variables.items():
            text = text.replace(f'${{{name}}}', value)
        self.assertNotIn('$', text)
        path = pod.dir / 'vm.args'
        path.write_text(text)
        return path

    def release(self, number, otp, vm_args='rel/vm.args.eex', env_sh='rel/env.sh.eex', pod_ip=None):
        """A node started as `bin/myapp start` does it: name and cookie, and the file of arguments."""
        pod = self.lab.pod(number)
        names, node = self.env_sh(pod, env_sh, pod_ip or pod.address)
        return self.erl(number, otp, name=node, names=names, refresh=None,
                        args=['-args_file', self.vm_args(pod, vm_args)])

    def node(self, number, spec, *args, **options):
        return self.clu(number, ['--listen-port', PORT, *args], discover=spec, **options)

    def mine(self):
        """The SPEC that the page's own variant is given."""
        return [re.search(r'value: (dns:\S+)', snippet('deploy/kubernetes/overlays/mine/kustomization.yaml'))[1]]

    def assert_listens(self, node):
        listening = node.eval('[P || I <- erlang:ports(), {name, "tcp_inet"} == erlang:port_info(I, name), '
                              '{ok, {_, P}} <- [inet:sockname(I)], {error, _} <- [inet:peername(I)]]')
        self.assertIn(str(PORT), re.findall(r'\d+', listening), f'{node} listens on {listening}')

    @per_release
    def test_a_release_joins(self, release):
        """env.sh, vm.args and ?base=*: two of each kind behind one Service."""
        self.dns(1, 2, 3, 4)
        ours = [self.node(n, self.mine()) for n in (1, 2)]
        theirs = [self.release(n, release) for n in (3, 4)]
        for node in [*theirs, *ours]:
            node.start()
        for node in ours:
            eventually(f'{node} lists all', FORM, lambda node=node: len(node.nodes()) == 3)
        self.assertNotIn(theirs[1].name, theirs[0].nodes(), 'erlclu introduced two nodes of the release')
        self.introduce(theirs)
        self.assert_mesh([*ours, *theirs], FORM)
        for node in theirs:
            self.assertEqual(f'myapp@{node.pod.address}', node.name)
            self.assertEqual(PORT, node.port())
        self.assert_quiet(theirs)

    def test_a_release_of_rebar3_joins(self):
        """The one file with name and cookie in it: the node is given nothing else."""
        self.dns(1, 2)
        ours, pod = self.node(1, self.mine()), self.lab.pod(2)
        theirs = self.erl(2, name=f'myapp@{pod.address}')
        path = self.vm_args(pod, 'config/vm.args.src', MY_POD_IP=pod.address, RELEASE_COOKIE=COOKIE)
        at = theirs.erl.index('-name')
        theirs.erl[at:at + 4] = ['-args_file', path]
        for node in (theirs, ours):
            node.start()
        self.assert_mesh([ours, theirs], FORM)
        self.assertEqual(PORT, theirs.port())

    @per_release
    def test_without_epmd(self, release):
        self.dns(1, 2)
        ours = self.node(1, [f'dns:{SERVICE}?base=myapp'], '--epmd', 'none')
        theirs = self.release(2, release, 'rel/vm.args.eex, without epmd')
        for node in (theirs, ours):
            node.start()
        self.assert_mesh([ours, theirs], FORM)
        self.assert_listens(theirs)
        self.remote_console(theirs, release)
        # The other way round: the BEAM dials, nobody told it a port.
        ours.process.kill()
        ours = self.node(1, [], '--epmd', 'none').start()
        self.assertEqual('pong', theirs.eval(f"net_adm:ping('{ours.name}')"))

    def remote_console(self, node, release):
        """A second node in the same pod, as `bin/myapp remote` starts it."""
        path = self.vm_args(node.pod, 'rel/remote.vm.args.eex, without epmd')
        call = f"io:put_chars(atom_to_list(rpc:call('{node.name}', erlang, node, []))), halt()."
        console = ['erl', '-noshell', '-noinput', '-name', f'rem@{node.pod.address}', '-setcookie', COOKIE, '-hidden',
                   '-args_file', path, '-eval', call]
        done = node.pod.run(self.lab.otp(release).command(*console))
        self.assertEqual(node.name, done.stdout.strip(), done)

    @per_release
    def test_over_ipv6(self, release):
        """Pods of both families; each side takes its part of status.podIPs."""
        pods = [self.lab.pod(n) for n in (1, 2)]
        Dnsmasq(self.lab, {SERVICE: [ip for pod in pods for ip in (pod.address, pod.address6)]})
        lists = [f'{pod.address},{pod.address6}' for pod in pods]
        ours = self.node(1, [f'dns:{SERVICE}?base=myapp'], name=f'erlclu@{pods[0].address6}',
                         env={'MY_POD_IP': lists[0], 'MY_POD_FAMILY': '6'})
        # the name is to come from the environment
        del ours.args[ours.args.index('--name'):][:2]
        theirs = self.release(2, release, 'rel/vm.args.eex, over IPv6', 'rel/env.sh.eex, over IPv6', lists[1])
        self.assertEqual(f'myapp@{pods[1].address6}', theirs.name)
        for node in (theirs, ours):
            node.start()
        self.assert_mesh([ours, theirs], FORM)
        self.assert_listens(theirs)

    @per_release
    def test_sidecar(self, release):
        """overlays/sidecar: two pods with two nodes each, one epmd a pod, which is the BEAM's."""
        self.dns(1, 2)
        words = container_args('sidecar', 'deployment.yaml')
        theirs = [self.release(n, release) for n in (1, 2)]
        ours = [self.clu(n, words, discover=()) for n in (1, 2)]
        for beam, node in zip(theirs, ours):
            beam.start()
            node.start()
        self.introduce(theirs)
        self.assert_mesh([*ours, *theirs], FORM)
        for beam in theirs:
            eventually(f'epmd of {beam.pod.address} lists both', REGISTER, lambda beam=beam: re.search(
                'myapp.*9100', self.names(beam)) and re.search('erlclu.*9101', self.names(beam)))

    def introduce(self, beams):
        """What the release's own clustering library does."""
        self.assertEqual('pong', beams[0].eval(f"net_adm:ping('{beams[1].name}')"))

    def names(self, beam):
        return beam.eval('{text, lists:concat([N ++ " " ++ integer_to_list(P) ++ " " '
                         '|| {N, P} <- element(2, erl_epmd:names())])}')


class Tables(LabCase):
    """The SPECs in the page's tables are what erlclu reads, placeholders and all."""

    def specs(self):
        cells = re.findall(r'`([^`]+)`', ' '.join(re.findall(r'^\|.*\|$', PAGE.read_text(), re.M)))
        return sorted({cell for cell in cells if re.match(rf'({"|".join(SCHEMES)}):', cell)})

    def test_every_spec_is_read(self):
        specs, pod = self.specs(), self.lab.pod(1)
        with pod.resolv_conf.open('a') as resolv_conf:
            resolv_conf.write('search erlclu.svc.cluster.local svc.cluster.local cluster.local\n')
        self.scripted_dns({})
        self.assertEqual(set(SCHEMES), {spec.split(':')[0] for spec in specs})
        for spec in specs:
            with self.subTest(spec=spec):
                self.assertNotEqual(USAGE, self.discover(pod, spec).returncode, self.discover(pod, spec).stderr)
        self.assertEqual(USAGE, self.discover(pod, 'dns:NAME?bass=B').returncode, 'a wrong SPEC looks right')

    def discover(self, pod, spec):
        return erlclu(pod, 'discover', '--timeout', '300ms', spec,
                      env={'KUBERNETES_SERVICE_HOST': '127.0.0.1', 'KUBERNETES_SERVICE_PORT': '443'})
