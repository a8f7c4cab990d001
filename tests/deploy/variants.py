# SPDX-License-Identifier: Apache-2.0
"""What every variant must keep to, and what each is there for. A variant is the documents that a
kustomization renders."""

import tools

# The label of the cluster, which Erlang nodes share, and that of our own pods.
OURS = {"app": "erlclu", "app.kubernetes.io/name": "erlclu"}
EPMD = 4369
DELAY_MS = 20000
SCALED = {"Deployment", "StatefulSet"}
# Kinds of an operator: no schema of Kubernetes' own knows them. tests/deploy/alert.py reads them.
FOREIGN = {"PodMonitor", "PrometheusRule"}
ZONE = "erlclu.svc.cluster.local"


class Variant:
    def __init__(self, name, documents):
        self.name, self.documents = name, documents
        self.workload = next(d for d in documents if d["kind"] in SCALED)
        self.template = self.workload["spec"]["template"]
        self.pod = self.template["spec"]
        self.container = next(c for c in self.pod["containers"] if c["name"] == "erlclu")
        self.args = self.container["args"]

    def find(self, kind, name="erlclu"):
        return next((d for d in self.documents if (d["kind"], d["metadata"]["name"]) == (kind, name)), None)

    def all(self, kind):
        return [d for d in self.documents if d["kind"] == kind]

    def values(self, option):
        """What stands behind each time the option is given."""
        return [self.args[i + 1] for i, word in enumerate(self.args[:-1]) if word == option]

    def env(self, name, container=None):
        entries = (container or self.container).get("env", [])
        return next((e.get("value") or e["valueFrom"] for e in entries if e["name"] == name), None)

    def cookie_files(self):
        """Where the container has the key `cookie` of a Secret."""
        items = {volume["name"]: volume.get("secret", {}).get("items", []) for volume in self.pod["volumes"]}
        return {f"{mount['mountPath']}/{item['path']}" for mount in self.container["volumeMounts"]
                for item in items[mount["name"]] if item["key"] == "cookie"}

    def annotations(self):
        return self.template["metadata"].get("annotations", {})

    def opened(self, direction, peer):
        """Ports that some policy opens to nodes of the cluster ('node'), or to anybody ('all')."""
        side = {"ingress": "from", "egress": "to"}[direction]
        rules = [rule for policy in self.all("NetworkPolicy") for rule in policy["spec"].get(direction, [])]
        node = [{"podSelector": {"matchLabels": {"app": "erlclu"}}}]
        return {(port["protocol"], port["port"]) for rule in rules if rule.get(side) == (node if peer == "node" else None)
                for port in rule.get("ports", [])}


def selectors(variant):
    """(document, the labels that it selects pods by)"""
    for document in variant.documents:
        found = document.get("spec", {}).get("podSelector" if document["kind"] == "NetworkPolicy" else "selector")
        if found is not None:
            yield document, found.get("matchLabels", found)


def check_documents(results, v):
    for document in v.documents:
        what = f"{v.name}: {document['kind']} {document['metadata']['name']}"
        results.expect(f"{what} lies in erlclu", document["metadata"].get("namespace") == "erlclu"
                       or document["kind"] == "Namespace")
        for version in tools.VERSIONS if document["kind"] not in FOREIGN else []:
            error = tools.schema_error(document, version)
            results.expect(f"{what} is valid for Kubernetes {version}", error is None, error)
    for document, labels in selectors(v):
        results.expect(f"{v.name}: {document['kind']} {document['metadata']['name']} selects our pods",
                       labels.items() <= v.template["metadata"]["labels"].items(), labels)


def check_pod(results, v):
    shared = v.pod["securityContext"]
    results.expect(f"{v.name}: not root", shared["runAsNonRoot"] is True and shared["runAsUser"] > 0)
    results.expect(f"{v.name}: RuntimeDefault seccomp", shared["seccompProfile"] == {"type": "RuntimeDefault"})
    for container in v.pod["containers"]:
        results.expect(f"{v.name}: {container['name']} has no way up", container["securityContext"] == {
            "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}})
        names = [port["name"] for port in container["ports"]]
        results.expect(f"{v.name}: {container['name']} names each port once", len(names) == len(set(names)), names)
    results.expect(f"{v.name}: it drains for {DELAY_MS} ms", v.env("SHUTDOWN_DELAY_MS") == str(DELAY_MS))
    results.expect(f"{v.name}: the grace period is longer than that",
                   v.pod["terminationGracePeriodSeconds"] * 1000 > DELAY_MS + 5000)
    for probe, path in (("livenessProbe", "/livez"), ("readinessProbe", "/readyz")):
        results.expect(f"{v.name}: {probe} asks {path}", v.container[probe]["httpGet"]["path"] == path)


def check_ports(results, v):
    """The port that the node listens on is the container's, the policy's, and the Service's if it has any."""
    ports = {port["name"]: port["containerPort"] for port in v.container["ports"]}
    results.expect(f"{v.name}: --listen-port is the port dist", v.values("--listen-port") == [str(ports["dist"])], ports)
    beside = {port["containerPort"] for c in v.pod["containers"] for port in c["ports"]} - {8080, 9153}
    wanted = {("TCP", port) for port in beside}
    results.expect(f"{v.name}: nodes reach exactly these ports", v.opened("ingress", "node") == wanted, wanted)
    if "Egress" in v.find("NetworkPolicy")["spec"]["policyTypes"]:
        results.expect(f"{v.name}: and may dial just these", v.opened("egress", "node") == wanted, wanted)
        results.expect(f"{v.name}: DNS over UDP and TCP", {("UDP", 53), ("TCP", 53)} <= v.opened("egress", "all"))
    results.expect(f"{v.name}: page and metrics for all", {("TCP", 8080), ("TCP", 9153)} <= v.opened("ingress", "all"))
    no_epmd = v.values("--epmd") == ["none"]
    results.expect(f"{v.name}: epmd's port is open if there is one", (EPMD in beside) is not no_epmd)


def check_arguments(results, v):
    given = {word for word in v.args if word.startswith("--")}
    results.expect(f"{v.name}: `erlclu run` knows each option", given <= tools.options_of_run(),
                   given - tools.options_of_run())
    results.expect(f"{v.name}: peers are looked for", v.args[0] == "run" and v.values("--discover"))
    files = v.cookie_files()
    results.expect(f"{v.name}: the cookie is a file", v.values("--cookie-file") == ["/etc/erlclu/cookie"])
    results.expect(f"{v.name}: run finds it, and so does each command of kubectl exec",
                   files == {"/etc/erlclu/cookie", f"{v.env('HOME')}/.erlang.cookie"}, files)


def check_every(results, v):
    for check in (check_documents, check_pod, check_ports, check_arguments):
        check(results, v)


# What each is there for.

def pod_field(path):
    return {"fieldRef": {"fieldPath": path}}


def headless(v):
    return v.find("Service", "erlclu-headless")["spec"]


def has_named_port(results, v):
    results.expect(f"{v.name}: one named port, so that SRV records exist",
                   headless(v)["ports"] == [{"name": "dist", "port": 9100, "targetPort": "dist"}])
    results.expect(f"{v.name}: nodes that are not ready are found", headless(v)["publishNotReadyAddresses"] is True)


def check_base(results, v):
    results.expect("base: no token of a service account", v.pod["automountServiceAccountToken"] is False)
    results.expect("base: dns:", v.values("--discover") == [f"dns:erlclu-headless.{ZONE}"])


def check_srv(results, v):
    has_named_port(results, v)
    results.expect("srv: no epmd", v.values("--epmd") == ["none"])
    results.expect("srv: SRV of the named port, names of addresses",
                   v.values("--discover") == [f"srv:_dist._tcp.erlclu-headless.{ZONE}?name={{base}}@{{ip}}"])


def check_statefulset(results, v):
    has_named_port(results, v)
    results.expect("statefulset: it is one", v.workload["kind"] == "StatefulSet" and len(v.all("Deployment")) == 0)
    results.expect("statefulset: its Service is the headless one", v.workload["spec"]["serviceName"] == "erlclu-headless")
    results.expect("statefulset: SRV", v.values("--discover") == [f"srv:_dist._tcp.erlclu-headless.{ZONE}"])
    results.expect("statefulset: the node is named as its SRV record",
                   v.values("--name") == [f"erlclu@$(MY_POD_NAME).erlclu-headless.{ZONE}"]
                   and v.env("MY_POD_NAME") == pod_field("metadata.name"))
    results.expect("statefulset: it listens without asking DNS", v.values("--listen-address") == ["$(MY_POD_IP)"])


def check_k8s(results, v):
    role, binding = v.find("Role"), v.find("RoleBinding")
    results.expect("k8s: two verbs on one kind", role["rules"] == [
        {"apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"], "verbs": ["list", "watch"]}])
    results.expect("k8s: no right beyond the namespace", not v.all("ClusterRole") and not v.all("ClusterRoleBinding"))
    account = {"kind": "ServiceAccount", "name": "erlclu", "namespace": "erlclu"}
    results.expect("k8s: bound to its account", binding["subjects"] == [account] and binding["roleRef"]["kind"] == "Role"
                   and binding["roleRef"]["name"] == "erlclu" and v.find("ServiceAccount") is not None)
    results.expect("k8s: the pod is given the token", v.pod["automountServiceAccountToken"] is True
                   and v.pod["serviceAccountName"] == "erlclu")
    results.expect("k8s: the watch", v.values("--discover") == ["k8s:erlclu/erlclu-headless"])
    results.expect("k8s: the API server is reached", {("TCP", 443), ("TCP", 6443)} <= v.opened("egress", "all"))


def check_dual_stack(results, v):
    for service in v.all("Service"):
        results.expect("dual-stack: both families", service["spec"]["ipFamilyPolicy"] == "PreferDualStack")
    results.expect("dual-stack: the pod knows all its addresses", v.env("MY_POD_IP") == pod_field("status.podIPs"))
    results.expect("dual-stack: the page on both", v.env("HTTP_ADDR") == "::")


def check_ipv6(results, v):
    for service in v.all("Service"):
        results.expect("ipv6: one family", service["spec"]["ipFamilies"] == ["IPv6"]
                       and service["spec"]["ipFamilyPolicy"] == "SingleStack")
    results.expect("ipv6: the address of that family", v.env("MY_POD_IP") == pod_field("status.podIPs")
                   and v.env("MY_POD_FAMILY") == "6")


def check_istio(results, v):
    past = {f"traffic.sidecar.istio.io/exclude{side}boundPorts": "4369,9100" for side in ("In", "Out")}
    results.expect("istio: distribution and epmd go past the proxy", past.items() <= v.annotations().items())
    results.expect("istio: there is a proxy", v.template["metadata"]["labels"]["sidecar.istio.io/inject"] == "true")


def check_linkerd(results, v):
    past = {f"config.linkerd.io/skip-{side}bound-ports": "4369,9100" for side in ("in", "out")}
    results.expect("linkerd: distribution and epmd go past the proxy", past.items() <= v.annotations().items())
    results.expect("linkerd: there is a proxy", v.annotations()["linkerd.io/inject"] == "enabled")


def check_sidecar(results, v):
    beam = next(c for c in v.pod["containers"] if c["name"] == "myapp")
    results.expect("sidecar: epmd is the BEAM's", v.values("--epmd") == ["external"])
    results.expect("sidecar: both nodes of each pod are looked for", sorted(v.values("--discover")) == [
        f"dns:erlclu-headless.{ZONE}?base={base}" for base in ("erlclu", "myapp")])
    results.expect("sidecar: the BEAM is named after the same address", v.env("RELEASE_NODE", beam) == "myapp@$(MY_POD_IP)"
                   and v.env("RELEASE_DISTRIBUTION", beam) == "name")
    results.expect("sidecar: one cookie", v.env("RELEASE_COOKIE", beam)["secretKeyRef"]["name"] == "erlang-cookie")
    results.expect("sidecar: each has a port of its own", v.env("ERL_AFLAGS", beam)
                   == "-kernel inet_dist_listen_min 9100 inet_dist_listen_max 9100")


def check_disruption_budget(results, v):
    budget = v.find("PodDisruptionBudget")
    results.expect("disruption-budget: one pod at a time", budget["spec"]["maxUnavailable"] == 1)


def check_monitoring(results, v):
    monitor = v.find("PodMonitor")
    results.expect("monitoring: the port metrics of each pod", monitor["apiVersion"] == "monitoring.coreos.com/v1"
                   and [e["port"] for e in monitor["spec"]["podMetricsEndpoints"]] == ["metrics"]
                   and "metrics" in [port["name"] for port in v.container["ports"]])
    rules = [rule for group in v.find("PrometheusRule")["spec"]["groups"] for rule in group["rules"]]
    results.expect("monitoring: two alerts",
                   [rule["alert"] for rule in rules] == ["ErlangClusterIncomplete", "ErlangDiscoveryFails"])


# One row an overlay; its folder is found by the name, and a folder without a row is a failure.
OVERLAYS = {
    "disruption-budget": check_disruption_budget,
    "dual-stack": check_dual_stack,
    "ipv6": check_ipv6,
    "istio": check_istio,
    "k8s": check_k8s,
    "linkerd": check_linkerd,
    "monitoring": check_monitoring,
    "sidecar": check_sidecar,
    "srv": check_srv,
    "statefulset": check_statefulset,
}


def load(results, name, folder):
    try:
        return Variant(name, tools.render(folder))
    except tools.RenderError as error:
        results.expect(f"{name} renders", False, error)
        return None


def check(results):
    folders = {path.parent.name: path.parent for path in tools.MANIFESTS.glob("overlays/*/kustomization.yaml")}
    results.expect("each overlay has its rules", sorted(folders) == sorted(OVERLAYS), sorted(set(folders) ^ set(OVERLAYS)))
    rows = [("base", tools.MANIFESTS, check_base)] + [(n, folders[n], OVERLAYS[n]) for n in sorted(folders) if n in OVERLAYS]
    for name, folder, check_own in rows:
        variant = load(results, name, folder)
        if variant is not None:
            check_every(results, variant)
            check_own(results, variant)
