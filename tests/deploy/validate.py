#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Are the manifests valid, do they say what they must, and can this test fail? Runs in the virtual
environment that tests/deploy/run makes; ends in `N passed, N failed`."""

import pathlib
import sys

import yaml

import alert
import page
import tools
import variants
from results import Results
from variants import OURS

HERE = pathlib.Path(__file__).resolve().parent
BASE = tools.MANIFESTS / "base"

results = Results()
expect = results.expect


def ports(rule):
    return {(port["protocol"], port["port"]) for port in rule["ports"]}


def peers(rule, direction):
    return [peer["podSelector"]["matchLabels"] for peer in rule.get(direction, [])]


def check_schemas(secret):
    for version in tools.VERSIONS:
        error = tools.schema_error(secret, version)
        expect(f"the example of a secret is valid for Kubernetes {version}", error is None, error)
    for document in tools.documents((HERE / "broken/schemas.yaml").read_text()):
        expect(f"the broken manifest {document['metadata']['name']} is refused",
               tools.schema_error(document, tools.VERSIONS[-1]))


def check_broken_overlays():
    try:
        tools.render(HERE / "broken/overlay")
        expect("an overlay that patches nothing does not render", False)
    except tools.RenderError as error:
        expect("an overlay that patches nothing says so", "containers/7" in str(error) or "index" in str(error), error)
    found = Results(quiet=True)
    variants.check_every(found, variants.Variant("broken", tools.render(HERE / "broken/rule")))
    for rule in ("the grace period is longer than that", "--listen-port is the port dist", "`erlclu run` knows each option",
                 "erlclu has no way up", "Service erlclu-http selects our pods"):
        expect(f"a variant that breaks it is found out: {rule}", f"broken: {rule}" in found.failures, found.failures)


def check_kustomization(documents):
    kustomization = yaml.safe_load((BASE / "kustomization.yaml").read_text())
    expect("the base lists every file once", sorted(kustomization["resources"]) == sorted(documents))
    expect("the namespace is erlclu", kustomization["namespace"] == "erlclu")
    expect("the namespace is made", documents["namespace.yaml"]["metadata"]["name"] == "erlclu")


def check_services(documents):
    headless = documents["service-headless.yaml"]
    expect("erlclu-headless is the original's Service, plus publishNotReadyAddresses", headless == {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "erlclu-headless", "namespace": "erlclu"},
        "spec": {"selector": {"app": "erlclu"}, "type": "ClusterIP", "clusterIP": "None",
                 "publishNotReadyAddresses": True},
    })
    http = documents["service-http.yaml"]
    expect("erlclu-http selects our pods, not Erlang nodes that joined", http["spec"]["selector"] == OURS)
    expect("erlclu-http serves page and metrics", {port["port"] for port in http["spec"]["ports"]} == {8080, 9153})


def check_container(pod, container):
    args, environment = container["args"], {entry["name"]: entry for entry in container["env"]}
    expect("the pod knows its address from the downward API",
           environment["MY_POD_IP"]["valueFrom"]["fieldRef"]["fieldPath"] == "status.podIP")
    expect("distribution listens on 9100", args[args.index("--listen-port") + 1] == "9100")
    expect("peers are found through erlclu-headless",
           args[args.index("--discover") + 1] == "dns:erlclu-headless.erlclu.svc.cluster.local")
    delay = int(environment["SHUTDOWN_DELAY_MS"]["value"]) / 1000
    expect("the grace period is longer than the shutdown delay", pod["terminationGracePeriodSeconds"] > delay)
    expect("each port of the container is known", {port["containerPort"] for port in container["ports"]}
           == {8080, 9153, 4369, 9100})
    expect("liveness asks /livez", container["livenessProbe"]["httpGet"]["path"] == "/livez")
    expect("readiness asks /readyz", container["readinessProbe"]["httpGet"]["path"] == "/readyz")


def check_cookie(pod, container, secret, text):
    args = container["args"]
    file = pathlib.PurePath(args[args.index("--cookie-file") + 1])
    mounts = {mount["mountPath"]: mount["name"] for mount in container["volumeMounts"]}
    volumes = {volume["name"]: volume for volume in pod["volumes"]}
    volume = volumes[mounts[str(file.parent)]]["secret"]
    expect("the cookie's file is mounted from the Secret", volume["secretName"] == secret["metadata"]["name"])
    expect("the Secret's key is the file's name", file.name in secret["stringData"])
    expect("the cookie's file is not for everybody", volume["defaultMode"] & 0o7 == 0)
    expect("the cookie is no argument and no literal in the environment",
           "RELEASE_COOKIE" not in {entry["name"] for entry in container["env"]})
    expect("RELEASE_COOKIE is shown as the variant", "# - name: RELEASE_COOKIE" in text)


def check_security(pod, container):
    own, shared = container["securityContext"], pod["securityContext"]
    expect("not root", shared["runAsNonRoot"] is True and shared["runAsUser"] > 0)
    expect("the root is read-only", own["readOnlyRootFilesystem"] is True)
    expect("no capabilities", own["capabilities"] == {"drop": ["ALL"]})
    expect("no way up", own["allowPrivilegeEscalation"] is False)
    expect("RuntimeDefault seccomp", shared["seccompProfile"] == {"type": "RuntimeDefault"})
    expect("no token of the service account", pod["automountServiceAccountToken"] is False)


def check_policy(policy):
    app, nodes = {"app": "erlclu"}, {("TCP", 9100), ("TCP", 4369)}
    spec = policy["spec"]
    expect("the policy binds our pods, not Erlang nodes that joined", spec["podSelector"] == {"matchLabels": OURS})
    expect("both directions are ruled", sorted(spec["policyTypes"]) == ["Egress", "Ingress"])
    expect("in: nodes among themselves, page and metrics from anywhere",
           [(peers(rule, "from"), ports(rule)) for rule in spec["ingress"]]
           == [([app], nodes), ([], {("TCP", 8080), ("TCP", 9153)})])
    expect("out: nodes among themselves, DNS over both",
           [(peers(rule, "to"), ports(rule)) for rule in spec["egress"]]
           == [([app], nodes), ([], {("UDP", 53), ("TCP", 53)})])


def main():
    documents = {path.name: yaml.safe_load(path.read_text())
                 for path in sorted(BASE.glob("*.yaml")) if path.name != "kustomization.yaml"}
    secret = yaml.safe_load((tools.MANIFESTS / "secret.example.yaml").read_text())
    deployment = documents["deployment.yaml"]
    pod = deployment["spec"]["template"]["spec"]
    container = pod["containers"][0]

    check_schemas(secret)
    check_kustomization(documents)
    check_services(documents)
    expect("the Deployment's pods are the Services'",
           deployment["spec"]["template"]["metadata"]["labels"] == OURS)
    check_container(pod, container)
    check_cookie(pod, container, secret, (BASE / "deployment.yaml").read_text())
    check_security(pod, container)
    check_policy(documents["networkpolicy.yaml"])
    variants.check(results)
    check_broken_overlays()
    alert.check(results)
    page.check(results)
    print(f"{results.passed} passed, {len(results.failures)} failed")
    return bool(results.failures)


if __name__ == "__main__":
    sys.exit(main())
