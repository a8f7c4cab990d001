# SPDX-License-Identifier: Apache-2.0
"""Counts what holds and what does not."""


class Results:
    def __init__(self, quiet=False):
        self.passed, self.failures, self.quiet = 0, [], quiet

    def expect(self, text, truth, saw=""):
        if truth:
            self.passed += 1
            return
        self.failures.append(text)
        if not self.quiet:
            print(f"FAILED: {text}" + (f"\n    {saw}" if saw else ""))
