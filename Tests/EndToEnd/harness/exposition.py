"""Reads a page of /metrics and holds it against what a scraper may rely on.

The parsers of the field let much pass (promtool and prometheus_client's text parser take a duplicate series, a split family and a
histogram without +Inf), so the page is read by three: prometheus_client's parser for its format, and the reader here, which refuses
those. Both must see the same samples.
"""

import re
from dataclasses import dataclass, field

from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics
from prometheus_client.parser import text_string_to_metric_families as read_text

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
SAMPLE = re.compile(rf'({NAME})(?:\{{(.*)\}})? (\S+)')
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"(,|$)')
META = re.compile(rf"# (HELP|TYPE|UNIT) ({NAME}) ?(.*)")
ESCAPES = {r"\\": "\\", r"\"": '"', r"\n": "\n"}
OWN = ("footfall_", "process_")

# What may follow a family's name in the names of its samples, by type; `total` is part of the family's name in text 0.0.4.
SUFFIXES = {
    "summary": ("", "_sum", "_count"),
    "histogram": ("_bucket", "_sum", "_count"),
    "openmetrics counter": ("_total",),
    "openmetrics info": ("_info",),
}


class PageFault(AssertionError):
    """The page breaks a rule of its format, or of ours."""


@dataclass
class Ledger:
    """One listener's books."""

    datagrams: int
    dropped: int
    read: int
    accepted: int
    refused: dict = field(default_factory=dict)

    def holds(self):
        return self.read == self.accepted + sum(self.refused.values())


class Page:
    """A checked page: `types` and `helps` by family, `samples` by name and labels."""

    def __init__(self, text, openmetrics=False):
        self.text = text
        self.openmetrics = openmetrics
        self.types = {}
        self.helps = {}
        self.samples = {}
        self._read()
        self._check_histograms()
        self._check_against_the_client_library()

    def value(self, name, **labels):
        """The sample's value, or None if the page has no such series."""
        return self.samples.get((name, frozenset(labels.items())))

    def series(self, name):
        """All samples of one name: labels (a dictionary) and value."""
        return [(dict(labels), value) for (other, labels), value in self.samples.items() if other == name]

    def total(self, name, **labels):
        """The sum over the series of this name that bear these labels."""
        wanted = labels.items()
        return sum(value for found, value in self.series(name) if wanted <= found.items())

    def ledger(self, listener):
        def one(name, **labels):
            return int(self.total(name, listener=listener, **labels))

        refused = {
            labels["reason"]: int(value)
            for labels, value in self.series("footfall_lines_refused_total")
            if labels["listener"] == listener and value
        }
        return Ledger(
            datagrams=one("footfall_datagrams_received_total"),
            dropped=one("footfall_datagrams_dropped_total"),
            read=one("footfall_lines_read_total"),
            accepted=one("footfall_lines_accepted_total"),
            refused=refused,
        )

    def own_families(self):
        """The page cut down to the families that come from the program itself."""
        kept = [line for line in self.text.splitlines() if line.removeprefix("# HELP ").removeprefix("# TYPE ").startswith(OWN)]
        return "\n".join(kept) + "\n"

    def _read(self):
        if not self.text.endswith("\n"):
            raise PageFault("the page does not end with LF")
        if "\r" in self.text:
            raise PageFault("the page has a CR")
        lines = self.text.split("\n")[:-1]
        if self.openmetrics:
            if lines[-1] != "# EOF":
                raise PageFault(f"the page ends with {lines[-1]!r}, not with # EOF")
            lines.pop()
        family, seen = None, set()
        for line in lines:
            if line.startswith("#"):
                named = self._read_meta(line, family)
            else:
                named = self._read_sample(line, family)
            if named != family:
                if named in seen:
                    raise PageFault(f"family {named} is split: {line!r}")
                seen.add(named)
                family = named

    def _read_meta(self, line, family):
        match = META.fullmatch(line)
        if not match:
            raise PageFault(f"no HELP, TYPE or UNIT: {line!r}")
        kind, name, rest = match.groups()
        if kind == "UNIT":
            return name
        known = self.types if kind == "TYPE" else self.helps
        if name in known:
            raise PageFault(f"a second {kind} of {name}")
        if family == name and any(self._belongs(sample, name) for sample, _ in self.samples):
            raise PageFault(f"{kind} of {name} stands after its samples")
        known[name] = rest
        return name

    def _read_sample(self, line, family):
        match = SAMPLE.fullmatch(line)
        if not match:
            raise PageFault(f"no sample: {line!r}")
        name, inside, number = match.groups()
        if family is None or not self._belongs(name, family):
            raise PageFault(f"{line!r} stands under the family {family}, to which it does not belong")
        if family not in self.types or family not in self.helps:
            raise PageFault(f"{family} has no TYPE or no HELP")
        labels = read_labels(inside or "", line)
        key = (name, frozenset(labels.items()))
        if key in self.samples:
            raise PageFault(f"a duplicate series: {line!r}")
        self.samples[key] = float(number)
        return family

    def _belongs(self, sample, family):
        kind = self.types.get(family, "unknown")
        suffixes = SUFFIXES.get(f"openmetrics {kind}" if self.openmetrics else kind) or SUFFIXES.get(kind, ("",))
        return any(sample == family + suffix for suffix in suffixes)

    def _check_histograms(self):
        for family, kind in self.types.items():
            if kind != "histogram":
                continue
            ends = {}
            for labels, value in self.series(f"{family}_bucket"):
                bound = labels.pop("le")
                ends.setdefault(frozenset(labels.items()), {})[float(bound)] = value
            for labels, buckets in ends.items():
                if float("inf") not in buckets:
                    raise PageFault(f"histogram {family} {dict(labels)} has no +Inf")
                if buckets[float("inf")] != self.samples.get((f"{family}_count", labels)):
                    raise PageFault(f"histogram {family} {dict(labels)}: +Inf and _count differ")
                counts = [count for _, count in sorted(buckets.items())]
                if counts != sorted(counts):
                    raise PageFault(f"histogram {family} {dict(labels)}: a bucket is below the one before it")

    def _check_against_the_client_library(self):
        parse = read_openmetrics if self.openmetrics else read_text
        theirs = {}
        for metric in parse(self.text):
            for sample in metric.samples:
                theirs[(sample.name, frozenset(sample.labels.items()))] = float(sample.value)
        differing = {
            key for key in theirs.keys() | self.samples.keys() if repr(theirs.get(key)) != repr(self.samples.get(key))
        }
        if differing:
            raise PageFault(f"read differently by prometheus_client: {sorted(map(str, differing))[:5]}")


def read_labels(inside, line):
    """Labels of a sample, unescaped. Every byte must be part of one."""
    labels, at = {}, 0
    while at < len(inside):
        match = LABEL.match(inside, at)
        if not match:
            raise PageFault(f"a label that cannot be read at {at}: {line!r}")
        name, value, _ = match.groups()
        if name in labels:
            raise PageFault(f"label {name} twice: {line!r}")
        labels[name] = re.sub(r"\\.", lambda escape: ESCAPES[escape[0]], value)
        at = match.end()
    return labels
