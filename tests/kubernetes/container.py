# SPDX-License-Identifier: Apache-2.0
"""One container of a pod: its root and environment, its process, again and again, and its probes."""

import re
import signal
import time
from collections import namedtuple

from kubernetes import files
from kubernetes.plane import SERVICE_ADDRESS, SERVICE_PORT
from kubernetes.probes import Probe
from lab.pods import Process

# A kubelet starts at 10 s and doubles; the lab wants to see a crash loop, not to wait for it.
RESTART_SECONDS = 5
RUNTIME_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'


def iso(seconds):
    return time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(seconds))


# What an image is to this lab. program: of ours, put into an empty root; None: the root is this machine's,
# and `command` runs in it, for programs that are more than one file.
Image = namedtuple('Image', 'program command')


class Container:
    """A container of a pod: its process, again and again; its probes."""

    def __init__(self, pod, spec, image):
        self.pod, self.spec, self.image = pod, spec, image
        self.name = spec['name']
        self.restarts, self.process, self.probes = 0, None, {}
        self.again = 0  # when a container that has ended starts anew
        self.log = pod.box.dir / f'{self.name}.log'
        self.root = pod.box.dir / f'root-{self.name}'
        self.root.mkdir(exist_ok=True)

    def _environment(self):
        found = {'PATH': RUNTIME_PATH, 'HOSTNAME': self.pod.hostname, 'KUBERNETES_SERVICE_HOST': SERVICE_ADDRESS,
                 'KUBERNETES_SERVICE_PORT': str(SERVICE_PORT), 'KUBERNETES_SERVICE_PORT_HTTPS': str(SERVICE_PORT),
                 'KUBERNETES_PORT': f'tcp://{SERVICE_ADDRESS}:{SERVICE_PORT}'}
        if 'envFrom' in self.spec:
            raise files.Unknown('envFrom')
        for entry in self.spec.get('env', ()):
            if 'valueFrom' not in entry:
                found[entry['name']] = self._expand(entry.get('value', ''), found)
                continue
            (kind, source), = entry['valueFrom'].items()
            found[entry['name']] = self._value(kind, source)
        return found

    def _value(self, kind, source):
        sources = self.pod.sources
        if kind == 'fieldRef':
            return files.field(self.pod.item, source['fieldPath'])
        if kind == 'secretKeyRef':
            return sources.secret(source['name'])[source['key']].decode()
        if kind == 'configMapKeyRef':
            return sources.config_map(source['name'])[source['key']].decode()
        raise files.Unknown(f'valueFrom {kind}')

    @staticmethod
    def _expand(text, known):
        return re.sub(r'\$\(([A-Za-z_]\w*)\)', lambda found: known.get(found[1], found[0]), text)

    def _mounts(self):
        """Shell lines that make the container's root, in a mount namespace of its own."""
        root, program = self.root, self.image.program
        binds = {'/proc': '/proc', '/dev': '/dev'}
        copies = {'/etc/resolv.conf': self.pod.box.resolv_conf, '/etc/hosts': self.pod.box.hosts}
        for mount in self.spec.get('volumeMounts', ()):
            if 'subPath' in mount or 'subPathExpr' in mount:
                raise files.Unknown('subPath of a volume')
            binds[mount['mountPath']] = self.pod.volumes[mount['name']]
        if program is not None:
            copies[f'/{program.name}'] = program
            self._make_room(binds, copies)
        lines = [f'mount --rbind {root if program else "/"} {root}']
        if self.spec.get('securityContext', {}).get('readOnlyRootFilesystem'):
            lines.append(f'mount -o remount,bind,ro {root}')
        return lines + [f'mount --rbind {source} {root}{path}' for path, source in {**binds, **copies}.items()]

    def _make_room(self, folders, copies):
        """Something to mount on."""
        for path in folders:
            (self.root / path.lstrip('/')).mkdir(parents=True, exist_ok=True)
        for path in copies:
            (self.root / path.lstrip('/')).parent.mkdir(parents=True, exist_ok=True)
            (self.root / path.lstrip('/')).touch()

    def _user(self):
        """Words for chroot(1); without root on this machine nobody else can be become."""
        context = {**self.pod.item['spec'].get('securityContext', {}), **self.spec.get('securityContext', {})}
        if 'runAsUser' not in context or not self.pod.kubelet.root:
            return []
        words = [f'--userspec={context["runAsUser"]}:{context.get("runAsGroup", 0)}']
        return [*words, f'--groups={context["fsGroup"]}'] if 'fsGroup' in context else words

    def start(self):
        environment = self._environment()
        words = [*(self.spec.get('command') or self.image.command), *self.spec.get('args', ())]
        words = [self._expand(word, environment) for word in words]
        script = '; '.join([*self._mounts(), 'exec "$@"'])
        argv = self.pod.box.argv(['unshare', '-m', 'sh', '-ec', script, 'container', '/usr/bin/env', '-i',
                                  *(f'{key}={value}' for key, value in environment.items()),
                                  '/usr/sbin/chroot', *self._user(), self.root, *words])
        self.process = Process(argv, self.log, cwd='/')
        self.started = time.time()
        now = time.monotonic()
        self.probes = {kind: Probe(self.spec[f'{kind}Probe'], self.spec, self.pod.box.address, now)
                       for kind in ('startup', 'readiness', 'liveness') if f'{kind}Probe' in self.spec}

    def turn(self, now):
        """A look at process and probes; True when something has changed."""
        if not self.running():
            return self._ended(now)
        startup = self.probes.get('startup')
        if startup is not None and not startup.passed:
            changed = startup.ask(now)
            if startup.passed is False:
                self.stop(signal.SIGKILL)
            return changed
        changed = False
        for kind in ('readiness', 'liveness'):
            if kind in self.probes:
                changed |= self.probes[kind].ask(now)
        if 'liveness' in self.probes and self.probes['liveness'].passed is False:
            self.stop(signal.SIGKILL)
        return changed

    def _ended(self, now):
        if self.again == 0:
            self.again = now + RESTART_SECONDS
            return True
        if now < self.again:
            return False
        self.again = 0
        self.restarts += 1
        self.start()
        return True

    def running(self):
        return self.process is not None and self.process.alive()

    def is_started(self):
        startup = self.probes.get('startup')
        return self.running() and (startup is None or bool(startup.passed))

    def ready(self):
        readiness = self.probes.get('readiness')
        return self.is_started() and (readiness is None or bool(readiness.passed))

    def stop(self, sig):
        if self.running():
            self.process.popen.send_signal(sig)

    def status(self):
        code = None if self.process is None else self.process.popen.poll()
        state = ({'running': {'startedAt': iso(self.started)}} if self.running() else
                 {'terminated': {'exitCode': code if code is not None else 0, 'finishedAt': iso(time.time())}}
                 if self.process is not None else {'waiting': {'reason': 'ContainerCreating'}})
        return {'name': self.name, 'image': self.spec['image'], 'imageID': '', 'restartCount': self.restarts,
                'ready': self.ready(), 'started': self.is_started(), 'state': state}
