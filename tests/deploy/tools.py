# SPDX-License-Identifier: Apache-2.0
"""The programs that read manifests: kustomize's library, Prometheus' promtool, and erlclu itself."""

import os
import pathlib
import re
import subprocess

import kubernetes_validate
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
MANIFESTS = ROOT / "deploy/kubernetes"
# The oldest that still serves what we use, and the newest that the schemas know.
VERSIONS = ["1.28", "1.37"]
ERLCLU = os.environ.get("ERLCLU") or ROOT / "build/erlclu"


class RenderError(Exception):
    pass


def run(*words):
    return subprocess.run([str(word) for word in words], capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60)


def render(folder):
    """What `kubectl kustomize FOLDER` prints, as documents."""
    done = run(os.environ["KUSTOMIZE"], folder)
    if done.returncode != 0:
        raise RenderError(done.stderr.strip())
    return documents(done.stdout)


def documents(text):
    return list(yaml.safe_load_all(text))


def promtool(*words):
    """(whether it found nothing to say, what it said)"""
    done = run(os.environ["PROMTOOL"], *words)
    return done.returncode == 0, (done.stdout + done.stderr).strip()


def options_of_run():
    """Every option that `erlclu run` knows."""
    return set(re.findall(r"^  (--[a-z-]+)", run(ERLCLU, "run", "--help").stdout, re.MULTILINE))


def schema_error(document, version):
    """None, or what the API server of this version would refuse."""
    try:
        kubernetes_validate.validate(document, version, strict=True)
    except kubernetes_validate.ValidationError as error:
        return error.message
    return None
