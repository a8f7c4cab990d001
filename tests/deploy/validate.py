#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Are the manifests valid, do they say what they must, and can this test fail? Runs in the virtual
environment that tests/deploy/run makes; ends in `N passed, N failed`."""

import pathlib
import sys

import kubernetes_validate
import yaml

HERE = pathlib.Path(__file__).resolve().parent
MANIFESTS = HERE.parent.parent / "deploy/kubernetes"
VERSIONS = ["1.28", "1.37"]
# Not applied: a kustomization, and a secret that is an example.
NOT_RESOURCES = {"kustomization.yaml", "secret.example.yaml"}

passed = failed = 0


def expect(text, truth):
    global passed, failed
    passed += bool(truth)
    failed += not truth
    if not truth:
        print(f"FAILED: {text}")


def is_valid(document, version):
    try:
        kubernetes_validate.validate(document, version, strict=True)
    except kubernetes_validate.ValidationError as error:
        return False, error.message
    return True, ""


def ports(rule):
    return {(port["protocol"], port["port"]) for port in rule["ports"]}


def peers(rule, direction):
    return [peer["podSelector"]["matchLabels"] for peer in rule.get(direction, [])]


def check_schemas(documents):
    for name, document in documents.items():
        for version in VERSIONS:
            valid, message = is_valid(document, version)
            expect(f"{name} is valid for Kubernetes {version}: {message}", valid)
    for document in yaml.safe_load_all((HERE / "broken.yaml").read_text()):
        valid, _ = is_valid(document, VERSIONS[-1])
        expect(f"the broken manifest {document['metadata']['name']} is refused", not valid)


def check_kustomization(documents):
    kustomization = yaml.safe_load((MANIFESTS / "kustomization.yaml").read_text())
    files = {path.name for path in MANIFESTS.glob("*.yaml")} - NOT_RESOURCES
    expect("the kustomization lists every file once", sorted(kustomization["resources"]) == sorted(files))
    expect("the namespace is erlclu", kustomization["namespace"] == "erlclu")
    expect("the namespace is made", documents["namespace.yaml"]["metadata"]["name"] == "erlclu")
    for name, document in documents.items():
        own = document["metadata"].get("namespace")
        expect(f"{name} lies in erlclu", own == "erlclu" or document["kind"] == "Namespace")


# The label of the cluster, which Erlang nodes share, and that of our own pods.
OURS = {"app": "erlclu", "app.kubernetes.io/name": "erlclu"}


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
                 for path in sorted(MANIFESTS.glob("*.yaml")) if path.name != "kustomization.yaml"}
    deployment = documents["deployment.yaml"]
    pod = deployment["spec"]["template"]["spec"]
    container = pod["containers"][0]

    check_schemas(documents)
    check_kustomization(documents)
    check_services(documents)
    expect("the Deployment's pods are the Services'",
           deployment["spec"]["template"]["metadata"]["labels"] == OURS)
    check_container(pod, container)
    check_cookie(pod, container, documents["secret.example.yaml"], (MANIFESTS / "deployment.yaml").read_text())
    check_security(pod, container)
    check_policy(documents["networkpolicy.yaml"])
    print(f"{passed} passed, {failed} failed")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
