# SPDX-License-Identifier: Apache-2.0
"""Debian's chromium without a window: what a page has become, and a picture of it."""

import subprocess
import tempfile

QUIET = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync"]
TIMEOUT_S = 120  # a second or two, where the machine does nothing else
SCHEMES = {"dark": 0, "light": 1}


def _run(url, *options, scheme="light", virtual_ms=0):
    budget = [f"--virtual-time-budget={virtual_ms}"] if virtual_ms else []
    with tempfile.TemporaryDirectory(prefix="erlclu-browser-", ignore_cleanup_errors=True) as profile:
        return subprocess.run(
            ["chromium", *QUIET, f"--user-data-dir={profile}", f"--blink-settings=preferredColorScheme={SCHEMES[scheme]}",
             *budget, *options, url],
            check=True, capture_output=True, timeout=TIMEOUT_S).stdout.decode()


def dump_dom(url, virtual_ms=0):
    """The document after its scripts ran, for so many milliseconds of virtual time."""
    return _run(url, "--dump-dom", virtual_ms=virtual_ms)


def screenshot(url, path, width, height, scheme="light"):
    """A picture of the page, scripts and all, as PNG."""
    _run(url, f"--window-size={width},{height}", "--hide-scrollbars", f"--screenshot={path}", scheme=scheme)
