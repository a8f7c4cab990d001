# SPDX-License-Identifier: Apache-2.0
"""A container engine for one test run: the one that runs already, else a dockerd of our own, with all
that it keeps in a folder, and its bridges and packet filters in a network namespace, that go away
with it."""

import os
import pathlib
import shutil
import subprocess
import tempfile
import time

START_SECONDS = 60
# overlay2 needs a file system that can be stacked; vfs copies, and works everywhere.
STORAGE_DRIVERS = ["overlay2", "vfs"]


class NoEngine(Exception):
    pass


class Engine:
    def __enter__(self):
        self.environment = os.environ | {"DOCKER_BUILDKIT": "0"}
        self.folder = self.daemon = None
        if self._answers():
            return self
        if os.geteuid() != 0:
            raise NoEngine("no container engine answers, and starting one needs root")
        if shutil.which("dockerd", path=os.environ["PATH"] + ":/usr/sbin") is None:
            raise NoEngine("there is no dockerd: scripts/setup container installs it")
        for driver in STORAGE_DRIVERS:
            if self._start(driver):
                return self
        raise NoEngine(f"dockerd did not start; the end of its log:\n{self.log_tail}")

    def __exit__(self, *_):
        self._stop()

    def _answers(self):
        """Also a client that finds no server may say 0: only a server has an id."""
        try:
            done = subprocess.run(["docker", "info", "--format", "{{.ID}}"], env=self.environment,
                                  capture_output=True, text=True)
        except FileNotFoundError:
            return False
        return done.returncode == 0 and done.stdout.strip() != ""

    def _start(self, driver):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="erlclu-engine-"))
        log = self.folder / "log"
        # However the test ends, killed even, the daemon hears of it.
        command = ["setpriv", "--pdeathsig", "TERM", "unshare", "--net", "--mount",
                   "sh", "-c", 'ip link set lo up && exec "$@"', "sh", "dockerd", "--host", f"unix://{self.folder}/socket", "--data-root", f"{self.folder}/data",
                   "--exec-root", f"{self.folder}/exec", "--pidfile", f"{self.folder}/pid",
                   "--storage-driver", driver]
        self.environment |= {"DOCKER_HOST": f"unix://{self.folder}/socket",
                             "PATH": os.environ["PATH"] + ":/usr/sbin:/sbin"}
        with log.open("wb") as out:
            # A session of its own: Ctrl-C ends the test, and the test ends the daemon.
            self.daemon = subprocess.Popen(command, stdout=out, stderr=out, stdin=subprocess.DEVNULL,
                                           env=self.environment, start_new_session=True)
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end and self.daemon.poll() is None:
            if self._answers():
                return True
            time.sleep(0.2)
        self.log_tail = "\n".join(log.read_text(errors="replace").splitlines()[-15:])
        self._stop()
        return False

    def _stop(self):
        if self.daemon is not None:
            self.daemon.terminate()
            try:
                self.daemon.wait(START_SECONDS)
            except subprocess.TimeoutExpired:
                self.daemon.kill()
                self.daemon.wait()
            self.daemon = None
        if self.folder is not None:
            shutil.rmtree(self.folder, ignore_errors=True)
            self.folder = None
        self.environment.pop("DOCKER_HOST", None)

    def run(self, *words, timeout=120):
        """docker WORDS: its CompletedProcess, with text."""
        return subprocess.run(["docker", *(str(word) for word in words)], env=self.environment, text=True,
                              capture_output=True, stdin=subprocess.DEVNULL, timeout=timeout)

    def must(self, *words, timeout=120):
        """docker WORDS: its output; anything but success ends the test."""
        done = self.run(*words, timeout=timeout)
        if done.returncode != 0:
            raise RuntimeError(f"docker {' '.join(str(w) for w in words)}: {done.stderr.strip() or done.stdout.strip()}")
        return done.stdout.strip()
