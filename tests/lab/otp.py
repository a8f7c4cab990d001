# SPDX-License-Identifier: Apache-2.0
"""Erlang/OTP by release: 25 is Debian 12's own, 27 and 29 live in folders of scripts/otp."""

import os
import shlex
import subprocess
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
CACHE = Path(os.environ.get('XDG_CACHE_HOME') or Path.home() / '.cache') / 'erlclu'
HOST_RELEASE = 25
RELEASES = (25, 27, 29)

# What a program in the folder must see of the machine. /etc files are those of the pod it
# starts in; logs, HOME and compiled modules of the lab lie under the lab's own folder.
SHARED_FILES = ('/etc/resolv.conf', '/etc/hosts', '/etc/passwd')
SHARED_TREES = ('/dev', '/proc', '/tmp')


def fetch():
    """Fetch the releases that Debian 12 does not hold; before the lab's namespace is entered,
    which has no way out to a mirror."""
    for release in RELEASES:
        if release != HOST_RELEASE:
            subprocess.run([TOP / 'scripts' / 'otp', str(release)], check=True)


class Otp:
    """One release: `command('erl', ...)` is the argv that runs it, here or in a pod."""

    def __init__(self, release, lab_dir=None):
        self.release = release
        self._lab_dir = lab_dir
        self._root = None
        self._modules = {}
        if release != HOST_RELEASE:
            self._root = CACHE / f'otp-{release}'

    def __repr__(self):
        return f'OTP {self.release}'

    def command(self, *argv):
        argv = [str(arg) for arg in argv]
        if self._root is None:
            return argv
        # Root needs no user namespace; and within the lab everybody is root.
        unshare = ['unshare', '-m'] if os.geteuid() == 0 else ['unshare', '-rm']
        return [*unshare, 'sh', '-ec', self._enter(), 'enter', *argv]

    def _enter(self):
        """Shell text: bind what is shared, then become the program (same pid, so kill works)."""
        root = shlex.quote(str(self._root))
        trees = list(SHARED_TREES)
        if self._lab_dir is not None and not str(self._lab_dir).startswith('/tmp/'):
            trees.append(str(self._lab_dir))
        lines = [f'mkdir -p {root}{path}; mount --rbind {path} {root}{path}'
                 for path in map(shlex.quote, trees)]
        lines += [f'[ -e {root}{path} ] || : >{root}{path}; mount --bind {path} {root}{path}'
                  for path in SHARED_FILES]
        return '; '.join([*lines, f'exec chroot {root} "$@"'])

    def compile(self, source):
        """The folder that holds `source` compiled by this release (once a run)."""
        out = Path(self._lab_dir) / f'ebin-{self.release}'
        if source not in self._modules:
            out.mkdir(exist_ok=True)
            copy = out / Path(source).name  # the release sees the lab's folder, not the checkout
            copy.write_text(Path(source).read_text())
            subprocess.run(self.command('erlc', '-o', out, copy), check=True)
            self._modules[source] = out
        return self._modules[source]
