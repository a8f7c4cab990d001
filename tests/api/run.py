#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""run.py [PATTERN]: k8s: against a scripted API server on loopback, by build/erlclu (or $ERLCLU); ends in `N passed, N failed`."""

import pathlib
import sys
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "net"))  # program.py: the program under test


def main():
    loader = unittest.TestLoader()
    if len(sys.argv) > 1:
        loader.testNamePatterns = [f"*{sys.argv[1]}*"]
    result = unittest.TextTestRunner(verbosity=2).run(loader.discover(str(HERE), "*_test.py"))
    failed = len(result.failures) + len(result.errors) + len(result.skipped) + len(result.unexpectedSuccesses)
    print(f"{result.testsRun - failed} passed, {failed} failed")
    return failed > 0 or result.testsRun == 0


if __name__ == "__main__":
    sys.exit(main())
