"""examples/lines.md says what `explain` says.

A row is a line, two spaces or more, and what comes of it; further samples of the same line stand below, behind blanks.
WRITE_EXAMPLES=1 writes the page anew from its lines.
"""

import os
import re

from test_explain import explain

PAGE = "examples/lines.md"
BLOCK = re.compile(r"^```(lines|refused)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# What a line alone can be refused for, of ordinary length.
REASONS = set("empty_name bad_name no_value bad_value bad_type bad_rate bad_tags bad_timestamp malformed".split())


def lines_of(body):
    """The first column."""
    return [re.split(r" {2,}", row)[0] for row in body.splitlines() if not row.startswith(" ")]


def encoded(line):
    """The bytes that a line of the page stands for: `\\xNN` is a byte."""
    return re.sub(rb"\\x([0-9a-f]{2})", lambda escape: bytes([int(escape[1], 16)]), line.encode())


def render(program, body):
    lines = lines_of(body)
    rows = []
    for line, answer in zip(lines, explain(program, [encoded(line) for line in lines])):
        if "error" in answer:
            rows.append((line, answer["error"], f"at {answer['at']}", answer["message"].split("\n")[0]))
            continue
        for sample in answer["samples"]:
            rows.append((line, sample["type"], series(sample), value(sample)))
            line = ""
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    return "".join("  ".join([*map(str.ljust, row[:3], widths), row[3]]).rstrip() + "\n" for row in rows)


def series(sample):
    tags = sample.get("tags", {})
    values = {key: ",".join(tag) if isinstance(tag, list) else "true" if tag is None else tag for key, tag in tags.items()}
    labels = ",".join(f'{key}="{value}"' for key, value in sorted(values.items()))
    return sample["name"] + (f"{{{labels}}}" if labels else "")


def value(sample):
    shown = repr(sample["value"]) if sample["type"] == "event" else str(sample["value"])
    more = {"rate": sample.get("rate"), "timestamp": sample.get("timestamp"), **sample.get("fields", {})}
    relative = " relative" if sample.get("relative") else ""
    return shown + relative + "".join(f" {name}={part}" for name, part in more.items() if part is not None)


def test_the_page_of_lines_says_what_explain_says(program, root):
    written = (root / PAGE).read_text(encoding="utf-8")
    wanted = BLOCK.sub(lambda block: f"```{block[1]}\n{render(program, block[2])}```", written)
    if os.environ.get("WRITE_EXAMPLES") == "1":
        (root / PAGE).write_text(wanted, encoding="utf-8")
    else:
        assert written == wanted, f"{PAGE} says otherwise: read the difference, and write it with WRITE_EXAMPLES=1"


def test_accepted_and_refused_lines_stand_in_their_own_tables(program, root):
    for kind, body in BLOCK.findall((root / PAGE).read_text(encoding="utf-8")):
        answers = explain(program, [encoded(line) for line in lines_of(body)])
        assert all(("error" in answer) == (kind == "refused") for answer in answers)
        if kind == "refused":
            assert {answer["error"] for answer in answers} == REASONS
