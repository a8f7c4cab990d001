# SPDX-License-Identifier: Apache-2.0
"""What the lab takes from the page and the manifests, by nothing but Python's own library."""

import re

from lab.otp import TOP

PAGE = TOP / 'docs' / 'kubernetes.md'
OVERLAYS = TOP / 'deploy' / 'kubernetes' / 'overlays'


def snippet(title):
    """The fenced text of the page whose first line says what file it is."""
    found = re.findall(rf'^```\w+\n# {re.escape(title)}\n(.*?)^```$', PAGE.read_text(), re.M | re.S)
    if len(found) != 1:
        raise AssertionError(f'docs/kubernetes.md has {len(found)} snippets called {title!r}')
    return found[0]


def container_args(overlay, file, **variables):
    """The words behind `run` of the first container, without the cookie's file, which is the lab's own."""
    text = (OVERLAYS / overlay / file).read_text()
    lines = re.search(r'^( *)args:\n((?:\1  .*\n)+)', text, re.M)[2].splitlines()
    words = [line.strip()[2:].strip('"') for line in lines if line.strip().startswith('- ')]
    for name, value in variables.items():
        words = [word.replace(f'$({name})', value) for word in words]
    cookie = words.index('--cookie-file')
    assert words[0] == 'run' and not any('$' in word for word in words), words
    return words[1:cookie] + words[cookie + 2:]
