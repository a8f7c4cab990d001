# SPDX-License-Identifier: Apache-2.0
"""The overlays that find each other through SRV records: their containers' own arguments, in pods of the
lab, beside a BEAM that does as docs/kubernetes.md says."""

from lab.case import LabCase
from lab.nodes import eventually
from lab.pods import SERVICE
from texts import container_args, snippet

FORM = 60
PORT = 9100
SRV = f'_dist._tcp.{SERVICE}'


class Overlays(LabCase):
    def publish(self, hostnames):
        """The records of a headless Service with the port `dist`, as CoreDNS has them: {pod's number: hostname}."""
        targets = {f'{hostname}.{SERVICE}': f'10.42.0.{number}' for number, hostname in hostnames.items()}
        self.server = self.scripted_dns({
            SERVICE: list(targets.values()),
            SRV: [(0, 33, PORT, target) for target in targets],
            **{target: [address] for target, address in targets.items()},
        }, glue=True, shuffle=True)

    def vm_args(self, pod, *titles):
        path = pod.dir / 'vm.args'
        path.write_text(''.join(snippet(title) for title in titles))
        return ['-args_file', path]

    def test_srv(self):
        """No epmd anywhere; the pods of a Deployment have no names, so SRV's targets are made of addresses."""
        self.publish({n: f'10-42-0-{n}' for n in (1, 2, 3)})
        words = container_args('srv', 'deployment.yaml')
        beam = self.erl(3, refresh=None, args=self.vm_args(self.lab.pod(3), 'rel/vm.args.eex, without epmd'))
        nodes = [*(self.clu(n, words, discover=()) for n in (1, 2)), beam]
        for node in nodes:
            node.start()
        self.assert_mesh(nodes, FORM)
        done = self.lab.pod(1).run(['ss', '-Hltn', 'sport = 4369'])
        self.assertEqual((0, ''), (done.returncode, done.stdout), 'somebody serves epmd')

    def test_statefulset(self):
        """Nodes named as their SRV records; one comes back at another address and keeps its name."""
        self.publish({1: 'erlclu-0', 2: 'erlclu-1'})
        nodes = [self.stateful(1, 'erlclu-0').start(), self.stateful(2, 'erlclu-1').start()]
        self.assert_mesh(nodes, FORM)
        nodes[1].process.kill()
        eventually('it is gone', FORM, lambda: not nodes[0].nodes())
        self.server.records[f'erlclu-1.{SERVICE}'] = ['10.42.0.3']
        self.assert_mesh([nodes[0], self.stateful(3, 'erlclu-1').start()], FORM)

    def stateful(self, number, hostname):
        pod = self.lab.pod(number)
        words = container_args('statefulset', 'statefulset.yaml', MY_POD_NAME=hostname, MY_POD_IP=pod.address)
        node = self.clu(number, words, discover=())
        node.name = f'erlclu@{hostname}.{SERVICE}'
        return node
