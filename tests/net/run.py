#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""run.py [--slow] [PATTERN]: the tests of this folder against build/erlclu (or $ERLCLU), on loopback,
or those whose names hold PATTERN; --slow runs those that take minutes. Ends in `N passed, N failed`.
Files run beside each other: they wait more than they work."""

import concurrent.futures
import pathlib
import re
import signal
import subprocess
import sys
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
AT_ONCE = 4
COUNTS = re.compile(r"^(\d+) passed, (\d+) failed$", re.M)


class Result(unittest.TextTestResult):
    """Says how long each test took."""

    def startTest(self, test):
        self.began = time.monotonic()
        super().startTest(test)

    def stopTest(self, test):
        super().stopTest(test)
        self.stream.writeln(f"    {time.monotonic() - self.began:.1f} s {test.id()}")


def run_here(file, pattern):
    """(passed, failed) of one file, in this process."""
    # Whoever runs us under nohup or in a shell's background ignores these, and so would the nodes that we start.
    for number in (signal.SIGHUP, signal.SIGQUIT):
        signal.signal(number, signal.SIG_DFL)
    loader = unittest.TestLoader()
    loader.testNamePatterns = [f"*{pattern}*"]
    result = unittest.TextTestRunner(verbosity=2, resultclass=Result).run(loader.discover(str(HERE), file))
    bad = [test for test, _ in result.failures + result.errors + result.skipped] + result.unexpectedSuccesses
    # Several rows of one test may fail: that is one.
    failed = len({getattr(test, "test_case", test).id() for test in bad})
    return max(result.testsRun - failed, 0), failed


def run_beside(file, pattern):
    """The same in a process of its own; one that says no numbers counts as a failure."""
    done = subprocess.run([sys.executable, __file__, "--file", file, pattern], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors="replace")
    found = COUNTS.findall(done.stdout)
    passed, failed = map(int, found[-1]) if found else (0, 1)
    if passed + failed > 0:
        print(f"---- {file}\n{COUNTS.sub('', done.stdout)}", flush=True)
    if not found:
        print(f"{file} ended with status {done.returncode}", flush=True)
    return passed, failed


def main(args):
    if args[:1] == ["--file"]:
        passed, failed = run_here(*args[1:])
    else:
        slow = args[:1] == ["--slow"]
        files = sorted(path.name for path in HERE.glob("*_slow.py" if slow else "*_test.py"))
        pattern = "".join(args[slow:][:1])
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            counts = list(pool.map(lambda file: run_beside(file, pattern), files))
        passed, failed = (sum(column) for column in zip(*counts))
    print(f"{passed} passed, {failed} failed")
    return failed > 0 or passed == 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
