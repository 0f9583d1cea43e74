"""What other servers' own suites say that datagrams add up to (Tests/Corpus/aggregates.jsonl, each with its source), sent to an agent.

Every figure of a vector is either held against the agent's or stands in `BY_DESIGN` with the reason why we have none, or another.
"""

import json
import math
from pathlib import Path

import pytest

from harness.model import TIMED, Model
from harness.sending import send_datagrams

VECTORS = [
    json.loads(line)
    for line in (Path(__file__).parents[1] / "Corpus/aggregates.jsonl").read_text(encoding="utf-8").splitlines()
]
# Figures of a timer that are quantiles, whatever their names.
QUANTILES = {"median": 0.5, "p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99, "upper_80": 0.8, "upper_90": 0.9}
# Of a sketch whose buckets are 1 % of their value around it.
SKETCH_ERROR = 0.01
BY_DESIGN = {
    "rate": "a count by the length of one flush; readers of a running total take rate() of their own window",
    "count_ps": "as rate",
    "std": "population or sample, as the systems have it; a scrape carries count, sum and quantiles, and no moments",
    "sum_squares": "as std",
    **dict.fromkeys(
        [f"{figure}_{part}" for figure in ("count", "mean", "sum", "sum_squares") for part in ("80", "90")],
        "totals of the lowest part of one flush's values, which cannot be added up over flushes and agents; upper_90 is our quantile 0.9",
    ),
    **dict.fromkeys(
        [f"{figure}_top20" for figure in ("count", "mean", "lower", "sum", "sum_squares")],
        "as count_90, of the highest part",
    ),
}
# Of timers with a rate: we weigh each value by 1 / rate everywhere, these systems in the count alone.
UNWEIGHED = {"sum", "mean", "median", "p50", "p90", "p95", "p99", "upper_80", "upper_90"}
# Buckets by a pattern of names, which one option for all timers does not have.
WITHOUT_COUNTERPART = {"histogram"}
DESCRIPTION = {"id", "source", "system", "lines", "flush_interval_s", "std", "percentiles", "percentile_def", "note"}
COMPARED = {"counters", "gauges", "timers", "sets", "bad_lines"}


def test_no_figure_of_the_vectors_is_passed_over():
    assert len(VECTORS) == 39
    known = {"count", "sum", "mean", "lower", "upper", "values"} | QUANTILES.keys() | BY_DESIGN.keys()
    for vector in VECTORS:
        assert vector.keys() <= DESCRIPTION | COMPARED | WITHOUT_COUNTERPART
        for figures in [*vector["timers"].values(), *vector["counters"].values()]:
            assert figures.keys() <= known, (vector["id"], figures.keys() - known)


@pytest.mark.parametrize("vector", VECTORS, ids=[vector["id"] for vector in VECTORS])
def test_datagrams_add_up_to_what_other_systems_say(start_agent, vector):
    agent = start_agent("--quantiles", "0.5,0.8,0.9,0.95,0.99")
    send_datagrams(agent.address("udp"), *(datagram.encode() for datagram in vector["lines"]))
    lines = [line for datagram in vector["lines"] for line in datagram.split("\n") if line]
    ledger = agent.wait_for_ledger("udp", len(lines))
    assert (ledger.read, sum(ledger.refused.values())) == (len(lines), vector.get("bad_lines", 0)), ledger

    def row(spelled, *kinds):
        """The one series of these kinds: `name`, or `name|#tag,tag:value`."""
        name, _, tags = spelled.partition("|#")
        labels = {key: value or "true" for key, _, value in (tag.partition(":") for tag in tags.split(",") if tag)}
        answer = agent.stats(f"/stats/{name}", top=100)
        (part,) = (part for part in answer.get("types", [answer]) if part["type"] in kinds)
        (found,) = (found for found in part["top"] if found["labels"] == labels)
        return part | found

    for name, figures in vector["counters"].items():
        assert row(name, "counter")["value"] == figures["count"]
    for name, value in vector["gauges"].items():
        assert row(name, "gauge")["value"] == value
    for name, members in vector["sets"].items():
        assert row(name, "set")["value"] == members
    for name, figures in vector["timers"].items():
        assert_timer_equals(row(name, *TIMED), figures, lines, name)


def assert_timer_equals(found, figures, lines, name):
    values = sorted(weighed_values(lines, name))
    if any("|@" in line for line in lines):
        figures = {key: value for key, value in figures.items() if key not in UNWEIGHED}
    figures = figures | {"sum": sum(values), "mean": sum(values) / len(values)}
    if "values" in figures:
        figures |= {"count": len(figures["values"]), "lower": min(figures["values"]), "upper": max(figures["values"])}
        assert sum(figures["values"]) == figures["sum"]
    for figure, ours in {"count": found["count"], "lower": found["min"], "upper": found["max"]}.items():
        assert ours == figures.get(figure, ours), (figure, found)
    assert math.isclose(found["sum"], figures["sum"], rel_tol=1e-9), found
    assert math.isclose(found["sum"] / found["count"], figures["mean"], rel_tol=1e-9), found
    for quantile, ours in found["quantiles"].items():
        low, high = neighbours(values, float(quantile))
        assert low * (1 - SKETCH_ERROR) <= ours <= high * (1 + SKETCH_ERROR), (quantile, ours, low, high)
    for figure in figures.keys() & QUANTILES.keys():
        low, high = neighbours(values, QUANTILES[figure])
        assert low <= figures[figure] <= high, f"{figure} is no value at that rank by any definition"


def weighed_values(lines, name):
    """A timer's values, each as often as its line stands for."""
    for line in lines:
        model = Model()
        model.read(line)
        for (other, kind), family in model.series.items():
            if other != name or kind not in TIMED:
                continue
            weight = round(1 / float(line.partition("|@")[2] or 1))
            for item in line.partition("|")[0].split(":")[1:] if not is_packed_of_several_types(line) else [family[()].low]:
                yield from [float(item)] * weight


def is_packed_of_several_types(line):
    return ":" in line.partition("|")[2]


def neighbours(values, quantile):
    """Between which values a quantile lies, by the nearest rank or by interpolation of any kind."""
    last = len(values) - 1
    return values[math.floor(quantile * last)], values[min(last, math.ceil(quantile * len(values)))]
