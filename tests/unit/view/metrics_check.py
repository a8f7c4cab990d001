#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""metrics_check.py VIEW_RENDER: reads /metrics of every sample as strictly as Prometheus' text format
0.0.4 is written down, and checks what the numbers must agree on. Proves first that it can refuse."""

import json
import re
import subprocess
import sys

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"'
SAMPLE = re.compile(rf"({NAME})(?:\{{((?:{LABEL})(?:,{LABEL})*)\}})? (-?[0-9]+(?:\.[0-9]+)?)")
ESCAPES = {r"\\": "\\", r"\"": '"', r"\n": "\n"}
SAMPLES = ["none", "empty", "linked", "missing", "split", "draining", "hostile"]


def unescape(text):
    return re.sub(r"\\.", lambda m: ESCAPES[m[0]], text)


def parse(data):
    """{(name, labels): value}; ValueError tells the line that is wrong."""
    text = data.decode()
    if not text.endswith("\n"):
        raise ValueError("no newline at the end")
    values, types, helped = {}, {}, set()
    family = None
    for number, line in enumerate(text[:-1].split("\n"), 1):
        try:
            words = line.split(" ", 3)
            if line.startswith("# HELP "):
                if words[2] in helped or not re.fullmatch(NAME, words[2]) or not words[3]:
                    raise ValueError("help")
                helped.add(words[2])
            elif line.startswith("# TYPE "):
                family = words[2]
                if family in types or family not in helped or words[3] not in ("gauge", "counter", "summary"):
                    raise ValueError("type")
                types[family] = words[3]
            else:
                sample = SAMPLE.fullmatch(line)
                if sample is None:
                    raise ValueError("not a sample")
                series = (family + "_sum", family + "_count") if types.get(family) == "summary" else (family,)
                if sample[1] not in series:
                    raise ValueError("outside its family")
                labels = tuple((k, unescape(v)) for k, v in re.findall(LABEL, sample[2] or ""))
                key = (sample[1], labels)
                if key in values or len(dict(labels)) != len(labels):
                    raise ValueError("twice")
                if types[family] == "counter" and (float(sample[7]) < 0 or not family.endswith("_total")):
                    raise ValueError("not a counter")
                values[key] = float(sample[7])
        except (ValueError, IndexError) as error:
            raise ValueError(f"line {number}: {error}: {line}") from None
    return values


HEAD = "# HELP a b\n# TYPE a gauge\n"
REFUSED = [
    b"", b"a 1", (HEAD + "a 1").encode(), (HEAD + "a 1\na 2\n").encode(), (HEAD + "b 1\n").encode(),
    (HEAD + 'a{l="\\x"} 1\n').encode(), (HEAD + 'a{l="x"y"} 1\n').encode(), (HEAD + 'a{l="x",} 1\n').encode(),
    (HEAD + 'a{l="x",l="y"} 1\n').encode(), (HEAD + "a{} 1\n").encode(), (HEAD + "a  1\n").encode(),
    (HEAD + "a x\n").encode(), (HEAD + HEAD).encode(), b"# TYPE a gauge\na 1\n", (HEAD + "\n").encode(),
    b"# HELP a b\n# TYPE a counter\na 1\n", b"# HELP a b\n# TYPE a summary\na 1\n", (HEAD + "a_sum 1\n").encode(),
    b"# HELP a b\n# TYPE a histogram\na 1\n", HEAD.encode() + b'a{l="\xff"} 1\n',
]


def check_sources(values, sources):
    """Every source once, whatever its SPEC is made of, and as often as it was asked."""
    specs = {s["spec"]: s for s in reversed(sources)}
    for spec, source in specs.items():
        label = (("source", spec),)
        rounds = {r: values["erlclu_discovery_lookups_total", (("source", spec), ("result", r))]
                  for r in ("complete", "partial", "negative", "failed")}
        assert rounds == source["rounds"], source
        assert values["erlclu_discovery_seconds_count", label] == sum(rounds.values()), source
        assert values["erlclu_discovery_seconds_sum", label] == source["took_total"], source
        assert values["erlclu_discovery_set_size", label] == source["addresses"], source
        assert values["erlclu_discovery_sees_us", label] == source["sees_us"], source
    labelled = {dict(labels)["source"] for name, labels in values if name.startswith("erlclu_discovery_")}
    assert labelled == set(specs), labelled


def main():
    for data in REFUSED:
        try:
            parse(data)
        except ValueError:
            continue
        sys.exit(f"accepted {data!r}")

    def shown(sample, path):
        return subprocess.run([sys.argv[1], sample, path], check=True, stdout=subprocess.PIPE).stdout

    for sample in SAMPLES:
        values = parse(shown(sample, "/metrics"))
        cluster = json.loads(shown(sample, "/api/v1/cluster"))
        states = {dict(k[1])["state"]: v for k, v in values.items() if k[0] == "erlclu_peers"}
        assert values["connected_node_count", (("node", cluster["node"]),)] == len(cluster["nodes"]), sample
        assert sum(states.values()) == len(cluster["peers"]), sample
        for name in ("missing", "unlisted", "one_way", "not_reading"):
            assert values[f"erlclu_peers_{name}", ()] == len(cluster[name]), (sample, name)
        assert values["erlclu_peers_listed", ()] == sum(p["listed"] for p in cluster["peers"]), sample
        assert values["erlclu_islands", ()] == len(cluster["islands"]), sample
        check_sources(values, json.loads(shown(sample, "/api/v1/discovery"))["sources"])
        assert values["erlclu_ready", ()] == (cluster["state"] == "ready"), sample
        received = {dict(k[1])["peer"] for k in values if k[0] == "erlclu_link_received_bytes_total"}
        assert received == {p["name"] for p in cluster["peers"] if p["state"] == "linked"}, sample
    print(f"{len(SAMPLES)} samples, {len(REFUSED)} refusals")


if __name__ == "__main__":
    main()
