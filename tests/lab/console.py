# SPDX-License-Identifier: Apache-2.0
"""`erlclu shell` as a person has it: on a terminal of its own (a pty), typed at and read."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
import time

from lab.nodes import COOKIE, ERLCLU, write_cookie

ESCAPES = re.compile(r'\x1b\[[0-9;?]*[@-~]|\x1b[()][A-Z0-9]|\a')


class Console:
    """A command on a pty in a pod; what it shows is kept, without its escape sequences."""

    def __init__(self, pod, *argv, program=ERLCLU, columns=100, rows=40, env=None, prefix=()):
        write_cookie(pod, COOKIE)
        self.shown = ''
        self.began = time.monotonic()
        words = [str(word) for word in pod.argv([*prefix, program, *argv])]
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            self._set_size(0, columns, rows)  # before the program can ask for it
            os.environ.update({'HOME': str(pod.dir), 'TERM': 'xterm', **(env or {})})
            os.execvp(words[0], words)
        self.status = None

    @staticmethod
    def _set_size(fd, columns, rows):
        fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack('HHHH', rows, columns, 0, 0))

    def resize(self, columns, rows):
        self._set_size(self.fd, columns, rows)

    def _read(self, timeout):
        """What comes within so many seconds; False at the end."""
        if not select.select([self.fd], [], [], timeout)[0]:
            return True
        try:
            data = os.read(self.fd, 65536)
        except OSError:  # EIO: the other end is closed
            return False
        self.shown += data.decode(errors='replace')
        return bool(data)

    def text(self):
        return ESCAPES.sub('', self.shown).replace('\r', '')

    def expect(self, *wanted, timeout=10):
        """Wait for these texts, one behind the other; what stood before the end of the last."""
        end = time.monotonic() + timeout
        while True:
            text, at = self.text(), 0
            for word in wanted:
                at = text.find(word, at)
                if at < 0:
                    break
                at += len(word)
            else:
                self.shown = text[at:]
                return text[:at]
            if time.monotonic() > end or not self._read(0.05):
                raise AssertionError(f'{wanted!r} did not come; there is {self.text()!r}')

    def type(self, keys):
        os.write(self.fd, keys.encode())

    def say(self, keys, *wanted, timeout=10):
        """Type, and wait for what must be shown then."""
        self.type(keys)
        return self.expect(*wanted, timeout=timeout)

    def end(self, timeout=10):
        """Its exit status, once it has ended by itself."""
        end = time.monotonic() + timeout
        while self.status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.status = os.waitstatus_to_exitcode(status)
            elif time.monotonic() > end:
                raise AssertionError(f'it has not ended: {self.text()!r}')
            else:
                self._read(0.02)
        while self._read(0):
            if not select.select([self.fd], [], [], 0)[0]:
                break
        return self.status

    def is_cooked(self):
        """Whether the terminal echoes and edits lines again, as it did before."""
        flags = termios.tcgetattr(self.fd)[3]
        return bool(flags & termios.ECHO) and bool(flags & termios.ICANON)

    def kill(self, number=signal.SIGKILL):
        if self.status is None:
            os.kill(self.pid, number)

    def close(self):
        self.kill()
        if self.status is None:
            os.waitpid(self.pid, 0)
        os.close(self.fd)
