"""What an agent must hold after a stream of lines: a naive reading of the grammar, kept in dictionaries.

It knows the lines that `harness.dialects` writes, all of them well formed, and is made from the description of the lines alone: numbers
are fractions, so that a whole count is exact and a fraction is rounded once, at the end.

    line = name [inline tags] ":" values "|" type *( "|" section )
"""

import re
import time
from collections import defaultdict
from dataclasses import dataclass, field
from fractions import Fraction

NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?")
KINDS = {"c": "counter", "g": "gauge", "ms": "timer", "h": "histogram", "d": "distribution", "s": "set"}
TIMED = ("timer", "histogram", "distribution")
HISTORY_SECONDS = 168 * 3600
KEY_LABELS = {"visit": "page", "buy": "promotion"}


@dataclass
class Amount:
    """A sum, with the sum of its parts' magnitudes: rounding is measured against that, for parts of both signs may cancel.

    It is whole, and then exact, until a fraction comes or 2^63 is reached.
    """

    exact: Fraction = Fraction(0)
    magnitude: Fraction = Fraction(0)
    whole: bool = True

    def add(self, amount):
        self.exact += amount
        self.magnitude += abs(amount)
        self.whole = self.whole and amount.denominator == 1 and self.magnitude < 2**63

    def equals(self, found, tolerance=Fraction(1, 10**9)):
        """Whole sums exactly, others to 1e-9 of what was added."""
        if found is None:
            return False
        return abs(Fraction(found) - self.exact) <= (0 if self.whole else self.magnitude * tolerance)


@dataclass
class Timings:
    count: Amount = field(default_factory=Amount)
    sum: Amount = field(default_factory=Amount)
    low: float = float("inf")
    high: float = float("-inf")

    def add(self, value, weight, in_history=True):
        """What is too old for history counts into the totals only, which have no extremes."""
        self.count.add(weight)
        self.sum.add(value * weight)
        self.sum.whole = False
        if not in_history:
            return
        self.low, self.high = min(self.low, float(value)), max(self.high, float(value))


MAKERS = {"counter": Amount, "gauge": float, "set": set, **dict.fromkeys(TIMED, Timings)}


class Model:
    """`series[name, kind][labels]`: an Amount, a number, a Timings or a set of members; `labels` are sorted pairs."""

    def __init__(self):
        self.lines = 0
        self.series = defaultdict(dict)

    def read(self, line):
        self.lines += 1
        head, _, rest = line.partition(":")
        name, tags = read_name(head)
        values, *fields = rest.split("|")
        if any(":" in field and field.partition(":")[0] in KINDS for field in fields[:1]):
            self._read_old_packing(name, rest)
            return
        kind, weight, in_history = KINDS[fields[0]], None, True
        for section in fields[1:]:
            if section.startswith("@"):
                weight = weight or 1 / Fraction(section[1:])
            elif section.startswith("T"):
                in_history = time.time() - int(section[1:]) < HISTORY_SECONDS
            elif section.startswith("#"):
                tags += [(key, value if colon else None) for key, colon, value in (tag.partition(":") for tag in section[1:].split(","))]
        if kind == "set":
            items = [values]
        elif kind == "counter" and not all(NUMBER.fullmatch(item) for item in values.split(":") if item):
            key, colon, count = values.rpartition(":")
            if not colon or not NUMBER.fullmatch(count):
                key, count = values, "1"
            tags.append((KEY_LABELS.get(name, "key"), key))
            items = [count]
        else:
            items = [item for item in values.split(":") if item]
        for item in items:
            self._add(name, kind, tags, item, weight or Fraction(1), is_packed=len(items) > 1, in_history=in_history)

    def _read_old_packing(self, name, rest):
        """`1|c:2|ms`: values of several types in one line, without tags and sections."""
        for part in re.findall(r"([^|]*)\|(\w+):?", rest):
            self._add(name, KINDS[part[1]], [], part[0], Fraction(1), is_packed=True)

    def _add(self, name, kind, tags, item, weight, is_packed, in_history=True):
        family = self.series[name, kind]
        labels = join_tags(tags)
        if labels not in family:
            family[labels] = MAKERS[kind]()
        if kind == "counter":
            family[labels].add(Fraction(item) * weight)
        elif kind in TIMED:
            family[labels].add(Fraction(item), weight, in_history)
        elif kind == "set":
            family[labels].add(item)
        elif item[0] in "+-" and not is_packed:
            family[labels] += float(item)
        else:
            family[labels] = float(item)


def read_name(head):
    """The name and its inline tags: the first of `[ # , ;` decides whose style it is."""
    mark = re.search(r"[\[#,;]", head)
    if not mark:
        return head, []
    if mark[0] == "[":
        before, _, rest = head.partition("[")
        inside, _, after = rest.partition("]")
        return before + after, [tuple(tag.split("=", 1)) for tag in inside.split(",") if "=" in tag]
    name, _, inside = head.partition(mark[0])
    return name, [tuple(tag.split("=", 1)) for tag in inside.split(";" if mark[0] == ";" else ",")]


def join_tags(tags):
    """Labels: a bare tag is `true`, a key that comes several times joins its values."""
    joined = {}
    for key, value in tags:
        joined.setdefault(key, []).append("true" if value is None else value)
    return tuple(sorted((key, ",".join(values)) for key, values in joined.items()))


def exposed_name(name, kind):
    """The family's name in text 0.0.4."""
    plain = re.sub(r"[^a-zA-Z0-9_:]", "_", name)
    plain = f"_{plain}" if plain[0].isdigit() else plain
    return plain + {"counter": "_total", "timer": "_seconds"}.get(kind, "")


def exposed_labels(labels, kind):
    joined = {}
    for key, value in labels:
        plain = re.sub(r"[^a-zA-Z0-9_]", "_", key)
        plain = f"_{plain}" if plain[0].isdigit() else plain
        if plain.startswith("__") or kind in TIMED and plain in ("le", "quantile"):
            plain = f"exported_{plain}"
        joined.setdefault(plain, []).append(value)
    return {key: ",".join(values) for key, values in joined.items()}
