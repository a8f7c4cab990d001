# SPDX-License-Identifier: Apache-2.0
"""What a page tells its reader, taken from its HTML, and the same as /api/v1/cluster tells it."""

import re
from html.parser import HTMLParser

VOID = {"meta", "link", "br", "img", "input", "hr", "wbr"}


class Element:
    def __init__(self, tag, attributes, parent):
        self.tag, self.attributes, self.parent, self.children = tag, dict(attributes), parent, []

    def walk(self):
        yield self
        for child in self.children:
            if isinstance(child, Element):
                yield from child.walk()

    def all(self, tag, css_class=None):
        return [e for e in self.walk() if e.tag == tag
                and (css_class is None or css_class in e.attributes.get("class", "").split())]

    def text(self):
        parts = (c.text() if isinstance(c, Element) else c for c in self.children)
        return re.sub(r"\s+", " ", "".join(parts)).strip()


class Document(HTMLParser):
    """A tree of elements. Whoever closes what is not open made a mistake in the template."""

    def __init__(self, html):
        super().__init__()
        self.root = self.at = Element("", [], None)
        self.feed(html)
        if self.at is not self.root:
            raise ValueError(f"<{self.at.tag}> is never closed")

    def handle_starttag(self, tag, attributes):
        element = Element(tag, attributes, self.at)
        self.at.children.append(element)
        if tag not in VOID:
            self.at = element

    def handle_endtag(self, tag):
        if self.at.tag != tag:
            raise ValueError(f"</{tag}> closes <{self.at.tag}>")
        self.at = self.at.parent

    def handle_data(self, data):
        self.at.children.append(data)

    def by_id(self, name):
        return next(e for e in self.root.walk() if e.attributes.get("id") == name)


def of_page(html):
    """The facts that a page shows."""
    page = Document(html)
    rows = [[cell.text() for cell in row.children if isinstance(cell, Element)]
            for row in page.by_id("peers").all("tbody")[0].all("tr")]
    why = [[p.text() for p in row.all("p")] for row in page.by_id("peers").all("tbody")[0].all("tr")]
    missing = [(item.all("strong")[0].text(), [p.text() for p in item.all("span", "stage")])
               for item in page.by_id("missing").all("li")]
    figures = [dd.text() for dd in page.by_id("summary").all("dd")]
    links = page.by_id("links")
    sources = [(row.all("span", "mono")[0].text(), row.all("td")[1].text())
               for body in page.by_id("sources").all("tbody") for row in body.all("tr")]
    return {
        "title": page.root.all("title")[0].text(),
        "node": page.root.all("h1")[0].text(),
        "state": page.by_id("head").all("span", "pill")[0].text(),
        "nodes": [(row[0].removesuffix("".join(reason)), *row[1:5]) for row, reason in zip(rows, why)],
        "why": why,
        "trouble": [(e.all("strong")[0].text(), e.all("p")[0].text()) for e in page.by_id("trouble").all("li")],
        "missing": missing,
        "islands": [[e.text() for e in item.all("span")] for ol in links.all("ol") for item in ol.all("li")],
        "names": {e.attributes["id"]: [item.text() for item in e.all("li")] for e in links.all("ul")},
        "sources": sources,
        "figures": [int(n) for n in figures],
        "cookie": page.by_id("node").all("dd")[-1].text(),
    }


def of_cluster(cluster, cookie="hidden (--show-cookie shows it)"):
    """The facts that a page must show for this document of /api/v1/cluster."""
    def blanks(text):
        return re.sub(r"\s+", " ", text).strip()

    def visible(peer):
        return "–" if peer["state"] != "linked" else "yes" if peer["visible"] else "no"

    def why(peer):
        stage = f"{peer['stage']}: " if peer["stage"] else ""
        return [blanks(stage + peer["reason"])] if peer["reason"] and not peer["listed"] else []

    def shown_listed(peer):
        return "going" if peer["listed"] and peer["terminating"] else "yes" if peer["listed"] else \
            "by a peer" if peer["hinted"] else "no"

    def source(row):
        return blanks(row["spec"]), f"{row['addresses']}{', this node among them' if row['sees_us'] else ''}"

    peers, missing = cluster["peers"], cluster["missing"]
    linked = [p for p in peers if p["state"] == "linked"]
    listed = [p for p in peers if p["listed"]]
    own = (cluster["node"], cluster["address"], "this node", "no" if cluster["hidden"] else "yes", "–")
    return {
        "title": f"{cluster['node']} · erlclu",
        "node": cluster["node"],
        "state": cluster["state"],
        "nodes": [own] + [(blanks(p["name"] or "not known yet"), p["address"] or "–", p["state"], visible(p),
                           shown_listed(p)) for p in peers],
        "why": [[], *map(why, peers)],
        "trouble": [(blanks(s["spec"]), blanks(s["reason"])) for s in cluster["sources"] if s["reason"]],
        "missing": [(blanks(m["name"] or m["address"]), [m["stage"]] if m["stage"] else []) for m in missing],
        "islands": cluster["islands"] if len(cluster["islands"]) > 1 else [],
        "names": {key: [blanks(n) for n in cluster[key.replace("-", "_")]] for key in ("one-way", "not-reading", "unlisted")
                  if cluster[key.replace("-", "_")]},
        "sources": [source(s) for s in cluster["sources"]],
        "figures": [len(cluster["nodes"]), len(listed), len(linked), len(missing)],
        "cookie": blanks(cookie),
    }


def contrast(first, second):
    """WCAG's contrast of two colours "#rrggbb" or "#rgb"."""
    def luminance(colour):
        digits = colour[1:] if len(colour) == 7 else "".join(2 * d for d in colour[1:])
        parts = [int(digits[i:i + 2], 16) / 255 for i in (0, 2, 4)]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    dark, light = sorted((luminance(first), luminance(second)))
    return (light + 0.05) / (dark + 0.05)


def palettes(html):
    """The colours of the light and of the dark scheme, by name."""
    blocks = re.findall(r":root \{(.*?)\}", html, re.DOTALL)
    light, dark = (dict(re.findall(r"--([\w-]+): (#\w+);", block)) for block in blocks)
    return {"light": light, "dark": light | dark}
