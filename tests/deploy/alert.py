# SPDX-License-Identifier: Apache-2.0
"""The alerts as Prometheus itself reads them: their syntax, and when they fire."""

import json
import pathlib
import shutil
import tempfile

import tools

HERE = pathlib.Path(__file__).resolve().parent


def promtool_says(rules):
    """(whether the rules pass alert_test.yaml, what was said). `groups:` of a PrometheusRule is a rule file."""
    with tempfile.TemporaryDirectory(prefix="erlclu-alert-") as name:
        folder = pathlib.Path(name)
        (folder / "rules.yaml").write_text(json.dumps(rules))
        shutil.copy(HERE / "alert_test.yaml", folder)
        good, said = tools.promtool("check", "rules", folder / "rules.yaml")
        return tools.promtool("test", "rules", folder / "alert_test.yaml") if good else (good, said)


def changed(rules, which, **fields):
    copy = json.loads(json.dumps(rules))
    copy["groups"][0]["rules"][which] |= fields
    return copy


def check(results):
    documents = tools.render(tools.MANIFESTS / "overlays/monitoring")
    rules = next(d for d in documents if d["kind"] == "PrometheusRule")["spec"]
    good, said = promtool_says(rules)
    results.expect("the alerts fire after two minutes, for the pod that misses nodes, or a source without answers",
                   good, said)
    for text, fields in (
            ("an expression that is none", {"expr": "erlclu_peers_missing >"}),
            ("another metric", {"expr": "erlclu_peers_gone > 0"}),
            ("no patience", {"for": "0s"}),
            ("too much patience", {"for": "10m"})):
        for which in range(len(rules["groups"][0]["rules"])):
            good = promtool_says(changed(rules, which, **fields))[0]
            results.expect(f"an alert with {text} is found out ({which + 1})", not good)
