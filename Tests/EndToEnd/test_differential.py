"""The same random lines into the agent and into a naive model of the grammar: both hold the same.

The lines go as packed datagrams from one socket, whose datagrams one worker reads in order: gauges depend on it.
"""

import math
from urllib.parse import quote

import pytest

from harness.dialects import Dialects, pack
from harness.model import TIMED, Model, exposed_labels, exposed_name
from harness.sending import send_datagrams

LINES = 10_000
SEEDS = [1, 2, 3]
# Thrice the standard error of a HyperLogLog of 14 bits is 2.4 %.
SET_TOLERANCE = 0.03


@pytest.mark.parametrize("seed", SEEDS)
def test_random_lines_of_every_dialect_come_to_what_the_model_says(agent, seed):
    dialects, model = Dialects(seed), Model()
    lines = [dialects.line() for _ in range(LINES)]
    for line in lines:
        model.read(line)
    send_datagrams(agent.address("udp"), *pack(lines))
    ledger = agent.wait_for_ledger("udp", LINES)
    assert (ledger.read, ledger.accepted, ledger.refused, ledger.dropped) == (LINES, LINES, {}, 0), refused_of(agent, lines)
    assert_stats_equal(agent, model)
    assert_page_equals(agent.scrape(), model)


def refused_of(agent, lines):
    """The first lines that `explain` refuses, for the message of a failure."""
    answers = ((line, agent.get("/explain", params={"line": line}).json()) for line in lines)
    return [(line, answer) for line, answer in answers if "error" in answer][:5]


def assert_stats_equal(agent, model):
    wrong = []
    for name in {name for name, _ in model.series}:
        answer = agent.stats(f"/stats/{quote(name, safe='')}", top=1000, timeframe_hours=2)
        found = {part["type"]: part for part in answer.get("types", [answer])}
        wanted = {kind: family for (other, kind), family in model.series.items() if other == name}
        if found.keys() != wanted.keys():
            wrong.append((name, found.keys(), wanted.keys()))
            continue
        for kind, family in wanted.items():
            series = {tuple(sorted(row["labels"].items())): row for row in found[kind]["top"]}
            if series.keys() != family.keys() or found[kind]["series"] != len(family):
                wrong.append((name, kind, list(series.keys() ^ family.keys())[:3]))
                continue
            wrong += [(name, kind, labels, series[labels], value) for labels, value in family.items() if not agrees(kind, value, series[labels])]
            if kind in TIMED:
                extremes = min(part.low for part in family.values()), max(part.high for part in family.values())
                # Where nothing is in history there are no extremes.
                extremes = tuple(None if math.isinf(extreme) else extreme for extreme in extremes)
                if (found[kind]["min"], found[kind]["max"]) != extremes:
                    wrong.append((name, kind, (found[kind]["min"], found[kind]["max"]), extremes))
    assert not wrong, f"{len(wrong)} differ, among them {wrong[:5]}"


def agrees(kind, wanted, row):
    if kind in TIMED:
        return wanted.count.equals(row["count"]) and wanted.sum.equals(row["sum"])
    if kind == "counter":
        return wanted.equals(row["value"])
    if kind == "set":
        return is_near(len(wanted), row["value"])
    return row["value"] == wanted


def is_near(members, found):
    return found is not None and abs(found - members) <= SET_TOLERANCE * members


def assert_page_equals(page, model):
    """Values of /metrics are read as floating point, which rounds a count beyond 2^53."""
    wrong, known = [], set()

    def expect(name, labels, holds, wanted):
        known.add((name, frozenset(labels.items())))
        found = page.value(name, **labels)
        if not holds(found):
            wrong.append((name, labels, found, wanted))

    for (name, kind), family in model.series.items():
        exposed = exposed_name(name, kind)
        for labels, value in family.items():
            labels = exposed_labels(labels, kind)
            if kind in TIMED:
                scale = 1000 if kind == "timer" else 1
                expect(f"{exposed}_count", labels, value.count.equals, value)
                expect(f"{exposed}_sum", labels, lambda found, sum=value.sum: sum.equals(found * scale), value)
            elif kind == "counter":
                expect(exposed, labels, lambda found, value=value: found == float(value.exact) or value.equals(found), value)
            elif kind == "set":
                expect(exposed, labels, lambda found, value=value: is_near(len(value), found), len(value))
            else:
                expect(exposed, labels, lambda found, value=value: found == value, value)
    assert not wrong, f"{len(wrong)} differ, among them {wrong[:5]}"
    own = ("footfall_", "process_")
    strangers = {key for key in page.samples if not key[0].startswith(own) and "quantile" not in dict(key[1])} - known
    assert not strangers, f"series that nobody sent: {list(strangers)[:5]}"
