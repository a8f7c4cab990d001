# SPDX-License-Identifier: Apache-2.0
"""The YAML of docs/kubernetes.md: valid, rendered where it is a kustomization, and true to the manifests.
Its other snippets start nodes in tests/deploy/release_test.py."""

import pathlib
import re
import shutil
import tempfile

import tools
import variants

PAGE = tools.ROOT / "docs/kubernetes.md"
MINE = "deploy/kubernetes/overlays/mine/kustomization.yaml"
APP = {"app": "erlclu"}


def snippets():
    """Fenced YAML by its first line, which says what file it is."""
    return dict(re.findall(r"^```yaml\n# ([^\n]+)\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL))


def check_schemas(results, documents):
    for document in documents:
        for version in tools.VERSIONS:
            error = tools.schema_error(document, version)
            results.expect(f"the page's {document['kind']} {document['metadata']['name']} is valid for {version}",
                           error is None, error)


def check_release(results, deployment, policy, headless):
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    ports = {port["containerPort"] for c in deployment["spec"]["template"]["spec"]["containers"] for port in c["ports"]}
    rule = policy["spec"]["ingress"][0]
    results.expect("the page's release stands behind erlclu-headless", APP.items() <= labels.items())
    results.expect("its own policy and Service select it, and erlclu's pods not", all(
        selector.items() <= labels.items() and not selector.items() <= variants.OURS.items()
        for selector in (policy["spec"]["podSelector"]["matchLabels"], headless["spec"]["selector"])))
    results.expect("nodes of the cluster reach its ports", {port["port"] for port in rule["ports"]} == ports == {4369, 9100}
                   and rule["from"] == [{"podSelector": {"matchLabels": APP}}])


def check_mine(results, text):
    with tempfile.TemporaryDirectory(prefix="erlclu-page-") as name:
        shutil.copytree(tools.MANIFESTS, pathlib.Path(name) / "deploy/kubernetes")
        file = pathlib.Path(name) / MINE
        file.parent.mkdir()
        file.write_text(text)
        variant = variants.load(results, "mine", file.parent)
    if variant is not None:
        variants.check_every(results, variant)
        variants.check_disruption_budget(results, variant)
        variants.check_monitoring(results, variant)
        results.expect("mine: names are learnt", variant.values("--discover")[0].endswith("?base=*"))


def check_rule(results, groups):
    """The rules to paste are those of the manifests, but for their long texts."""
    documents = tools.render(tools.MANIFESTS / "overlays/monitoring")
    rules = variants.Variant("monitoring", documents).find("PrometheusRule")["spec"]["groups"][0]["rules"]
    for rule in rules:
        del rule["annotations"]["description"]
    results.expect("the page's alerts are those of the manifests", groups["groups"][0]["rules"] == rules, groups)


def check_annotations(results, name, text):
    overlay = variants.Variant(name, tools.render(tools.MANIFESTS / "overlays" / name.lower()))
    wanted = tools.documents(text)[0]["metadata"]["annotations"]
    results.expect(f"the page's annotations for {name} are the overlay's", wanted.items() <= overlay.annotations().items())


def check_overlays_are_told(results):
    told = set(re.findall(r"^\| (`[^|]+`) \|", PAGE.read_text().split("## The variants")[1].split("###")[0], re.MULTILINE))
    names = {name for cell in told for name in re.findall(r"`([a-z0-9-]+)`", cell)}
    results.expect("the page tells what each overlay is for", names == set(variants.OVERLAYS), names ^ set(variants.OVERLAYS))
    for name in {path.name for path in tools.MANIFESTS.glob("components/*")}:
        results.expect(f"the page names the component {name}", f"`{name}`" in PAGE.read_text())


def check(results):
    found = snippets()
    deployment, policy = tools.documents(found["myapp.yaml"])
    headless = tools.documents(found["myapp-headless.yaml"])[0]
    check_schemas(results, [deployment, policy, headless])
    check_release(results, deployment, policy, headless)
    check_mine(results, found[MINE])
    check_rule(results, tools.documents(found["erlclu.rules.yaml"])[0])
    for mesh in ("Istio", "Linkerd"):
        check_annotations(results, mesh, found[f"in the pods' template: {mesh}"])
    check_overlays_are_told(results)
