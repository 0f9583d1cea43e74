"""Random well-formed lines of every dialect, the same for the same seed.

A name belongs to one kind, so that no two families of /metrics meet; what differs from line to line is how tags, numbers, packing and
sections are written. Gauges have quarters for fractions: adding them is exact in floating point, whoever adds.
"""

import random
import time

KEYS = ["env", "host", "région", "a.b", "__meta", "le", "quantile", "7th"]
VALUES = ["prod", "web-1", "eu.west/2", "münchen", "v1.5", "x y", '"quoted"', "back\\slash", "100%"]
PAGES = ["page1", "https://shop.example/a?b=c", "2024-11-21", "1.5.2", "3d-printer", "über uns", "a=b;c", "12 monkeys", "x:y:z"]
NAMES = {
    "c": ["c.hits", "c/requests in", "c-größe", "9c", "c", "c.big", "c_n.o_t"],
    "g": ["g.level", "g queue", "g-2", "_g"],
    "ms": ["t.render", "t/db", "t time"],
    "h": ["h.size", "h weight"],
    "d": ["d.spread", "8d"],
    "s": ["s.users", "s/members"],
}
KEYED = ["visit", "buy", "k.other"]


class Dialects:
    def __init__(self, seed):
        self._random = random.Random(seed)
        self._now = int(time.time())

    def line(self):
        draw = self._random.random()
        if draw < 0.2:
            return self._keyed()
        if draw < 0.25:
            return self._old_packing()
        type_ = self._random.choice(["c", "c", "g", "ms", "h", "d", "s"])
        name = self._random.choice(NAMES[type_])
        return self._with_tags(name, self._values(type_, name), type_)

    def _keyed(self):
        name, page = self._random.choice(KEYED), self._random.choice(PAGES)
        count = self._random.choice(["", "", ":5", ":-2", ":1e1", ":+3", ":2.0"])
        return self._with_tags(name, page + count, "c")

    def _old_packing(self):
        """Several types of one name: a counter, a timer and a gauge have families of their own names."""
        if self._random.random() < 0.5:
            return "mixed:" + ":".join(
                f"{self._random.randrange(1, 9)}|{self._random.choice(['c', 'ms', 'g'])}" for _ in range(self._random.randrange(2, 5))
            )
        return "c.packed:" + ":".join(f"{self._random.randrange(1, 9)}|c" for _ in range(self._random.randrange(2, 5)))

    def _with_tags(self, name, values, type_):
        style = self._random.choice(["", "", ",", "#", "[", ";", "dog", "dog"])
        tags = self._tags(style)
        if style == "[":
            cut = self._random.randrange(1, len(name) + 1)
            name = f"{name[:cut]}[{','.join(tags)}]{name[cut:]}"
        elif style in (",", "#", ";") and tags:
            name += style + (";" if style == ";" else ",").join(tags)
        sections = self._sections(type_)
        if style == "dog" and tags:
            sections.insert(self._random.randrange(len(sections) + 1), "#" + ",".join(tags))
        return "|".join([f"{name}:{values}", type_, *sections])

    def _tags(self, style):
        between = ":" if style == "dog" else "="
        keys = self._random.choices(KEYS, k=self._random.randrange(0, 4))
        tags = [f"{key}{between}{self._random.choice(VALUES)}" for key in keys]
        if style == "dog" and self._random.random() < 0.3:
            tags.append(self._random.choice(["beta", "url:http://a:80/", "env"]))
        if style == "[" and self._random.random() < 0.3:
            tags.append("dropped")
        self._random.shuffle(tags)
        return tags

    def _sections(self, type_):
        sections = []
        if self._random.random() < 0.3:
            sections.append(self._random.choice(["@0.5", "@0.1", "@1", "@0.3", "@2", "@1e-3", "@0.000001", "@.25"]))
        if self._random.random() < 0.2:
            sections.append(self._random.choice(["c:ci-83c0a99c0a54c0c187f461c7980e9b57f3f6a8b0c918c8d93df19a9de6f3fe1d", "e:it-false,cn-web", "card:low"]))
        if type_ in ("c", "ms") and self._random.random() < 0.1:
            sections.append(f"T{self._now - self._random.choice([0, 60, 3600, 900_000])}")
        if self._random.random() < 0.1:
            sections.append(self._random.choice(["", "x:unknown", "@0.125"]))
        return sections

    def _values(self, type_, name):
        if type_ == "s":
            return self._random.choice(["", "user:", "a:b:", "1"]) + str(self._random.randrange(400))
        if type_ == "g":
            packed = self._random.random() < 0.2
            items = [self._random.choice(["", "", "+", "-"]) + str(self._random.randrange(4000) / 4) for _ in range(3 if packed else 1)]
            return ":".join(items)
        make = self._count if type_ == "c" else self._time
        items = [make(name) for _ in range(self._random.choice([1, 1, 1, 2, 5]))]
        if len(items) > 1 and self._random.random() < 0.2:
            items.insert(1, "")
        return ":".join(items)

    def _count(self, name):
        if name == "c.big":
            return str(2**53 + self._random.randrange(100))
        return self._random.choice(
            [str(self._random.randrange(1000)), "1", "-3", "+2", "007", "5.", "1e2", "2E+1", "12.0"] + ["0.5", "-.25", "1e-1"] * (name == "c")
        )

    def _time(self, name):
        whole = self._random.randrange(1, 100_000)
        return self._random.choice([str(whole), f"{whole / 1000:.6f}", f"{whole}e-2", f".{whole}", f"-{whole}" if name == "h.size" else "12.5"])


def pack(lines, most=1400):
    """Datagrams of at most so many bytes (or one longer line), in order, of lines of text or bytes."""
    packed = b""
    for line in lines:
        encoded = line if isinstance(line, bytes) else line.encode()
        if packed and len(packed) + 1 + len(encoded) > most:
            yield packed
            packed = b""
        packed += (b"\n" if packed else b"") + encoded
    if packed:
        yield packed
