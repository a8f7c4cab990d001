#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""run.py [PATTERN]: the tests of this folder against build/erlclu (or $ERLCLU), on loopback; ends in
`N passed, N failed`."""

import pathlib
import signal
import sys
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent


class Result(unittest.TextTestResult):
    """Says how long each test took."""

    def startTest(self, test):
        self.began = time.monotonic()
        super().startTest(test)

    def stopTest(self, test):
        super().stopTest(test)
        self.stream.writeln(f"    {time.monotonic() - self.began:.1f} s {test.id()}")


def main():
    # Whoever runs us under nohup ignores it, and so would the nodes that we start.
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    loader = unittest.TestLoader()
    if len(sys.argv) > 1:
        loader.testNamePatterns = [f"*{sys.argv[1]}*"]
    result = unittest.TextTestRunner(verbosity=2, resultclass=Result).run(loader.discover(str(HERE), "*_test.py"))
    failed = len(result.failures) + len(result.errors) + len(result.skipped) + len(result.unexpectedSuccesses)
    print(f"{result.testsRun - failed} passed, {failed} failed")
    return failed > 0 or result.testsRun == 0


if __name__ == "__main__":
    sys.exit(main())
