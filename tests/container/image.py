# SPDX-License-Identifier: Apache-2.0
"""What the images are made from, and what every one of them must be."""

import pathlib
import shutil
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
IMAGE_BYTES_MAX = 8_000_000
# What `file` calls the program of an architecture.
MACHINES = {"amd64": "x86-64", "arm64": "ARM aarch64"}


def context(folder, programs):
    """A build context that holds what .dockerignore lets through: a program for each architecture."""
    place = folder / "context"
    for arch, program in programs.items():
        binary = place / "build/image" / arch / "erlclu"
        binary.parent.mkdir(parents=True)
        shutil.copy(program, binary)
    for name in ("Dockerfile", ".dockerignore"):
        shutil.copy(ROOT / name, place)
    return place


def check(expect, arch, program, architecture, user, layers, size):
    """expect(TEXT, TRUTH, SAW) hears of each rule."""
    expect(f"the image of {arch} has {size} bytes, fewer than {IMAGE_BYTES_MAX}", 0 < size < IMAGE_BYTES_MAX)
    expect(f"the image of {arch} has one layer: the program", len(layers) == 1, layers)
    expect(f"the image of {arch} says so", architecture == arch, architecture)
    expect(f"the image of {arch} is not root's", user == "10000:10000", user)
    kind = subprocess.run(["file", "-b", program], capture_output=True, text=True).stdout
    expect(f"its program is for {arch}", MACHINES[arch] in kind, kind)
    expect("and linked statically", "statically linked" in kind or "static-pie" in kind, kind)
