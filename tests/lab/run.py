#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the interop tests in a network of their own.

    tests/lab/run.py                            all of tests/interop
    tests/lab/run.py tests/interop/mesh_test.py one file
    tests/lab/run.py -k wrong_cookie            tests whose name holds a word
    tests/lab/run.py --jobs 2                   two files at a time, each in a network of its own
    LAB_LOGS=1 tests/lab/run.py ...             and every log after each test
"""

import argparse
import concurrent.futures
import re
import subprocess
import sys
import time
import unittest
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS)]

from lab import case, otp, pods  # noqa: E402


class Result(unittest.TestResult):
    """One line a test; a test is failed when any of its subtests is."""

    def __init__(self):
        super().__init__()
        self.passed, self.failed = 0, []
        self._bad = False

    def startTest(self, test):
        super().startTest(test)
        self._bad, self._begin = False, time.monotonic()
        print(f'{test.id()} ... ', end='', flush=True)

    def _report(self, test, text):
        if not self._bad:
            print('FAILED')
        self._bad = True
        print(f'--- {test}\n{text.rstrip()}', flush=True)

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self._report(test, self.failures[-1][1])

    def addError(self, test, err):
        super().addError(test, err)
        if isinstance(test, unittest.TestCase):
            self._report(test, self.errors[-1][1])
        else:  # setUpClass and the import of a file are no tests, but they fail all the same
            self.failed.append(str(test))
            print(f'{test}: FAILED\n{self.errors[-1][1]}', flush=True)

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err is not None:
            failed = issubclass(err[0], test.failureException)
            self._report(subtest, (self.failures if failed else self.errors)[-1][1])

    def addSkip(self, test, reason):
        self._report(test, f'skipped, which counts as failed: {reason}')

    def stopTest(self, test):
        super().stopTest(test)
        if self._bad:
            self.failed.append(test.id())
        else:
            self.passed += 1
            print(f'ok ({time.monotonic() - self._begin:.1f} s)', flush=True)


def all_files():
    """The largest first: they take longest, and should not begin when the others are done."""
    return sorted((TESTS / 'interop').glob('*_test.py'), key=lambda file: -file.stat().st_size)


def load(files, words):
    loader = unittest.TestLoader()
    loader.testNamePatterns = [f'*{word}*' for word in words] or None
    paths = [Path(name) for name in files] or all_files()
    sys.path[:0] = [str(TESTS / 'interop'), *(str(path.parent.resolve()) for path in paths)]
    return unittest.TestSuite(loader.loadTestsFromName(path.stem) for path in paths)


def run_alone(file, words):
    """(passed, failed) of one file in a process of its own; its output comes at its end."""
    argv = [sys.executable, __file__, str(file), *(word for each in words for word in ('-k', each))]
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    print(done.stdout, end='', flush=True)
    sums = re.findall(r'^(\d+) passed, (\d+) failed$', done.stdout, re.MULTILINE)
    passed, failed = map(int, sums[-1]) if sums else (0, 0)
    # With -k a file may have nothing to run; without, that is a failure like any other.
    nothing = words and sums and passed + failed == 0
    return passed, failed if nothing or failed or done.returncode == 0 else 1


def run_side_by_side(files, words, jobs):
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        counts = list(pool.map(lambda file: run_alone(file, words), files))
    passed, failed = (sum(column) for column in zip(*counts))
    print(f'{passed} passed, {failed} failed')
    return 0 if passed and not failed else 1


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('files', nargs='*')
    parser.add_argument('-k', dest='words', action='append', default=[], metavar='WORD')
    parser.add_argument('--jobs', type=int, default=1, metavar='N')
    options = parser.parse_args()
    otp.fetch()
    if options.jobs > 1:
        return run_side_by_side(options.files or all_files(), options.words, options.jobs)
    pods.enter()
    suite = load(options.files, options.words)
    result = Result()
    try:
        suite.run(result)
    finally:
        case.close_lab()
    print(f'{result.passed} passed, {len(result.failed)} failed')
    # Nothing run is no success: a mistyped name must not look green.
    return 0 if result.passed and not result.failed else 1


if __name__ == '__main__':
    sys.exit(main())
