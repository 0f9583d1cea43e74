"""Windows: what `/stats` and `/stats/{metric}` say of the last minutes, hours, days."""

import time

import pytest

from harness.sending import send_datagrams
from harness.waiting import wait_for

HOUR = 3600


def send(agent, *lines):
    before = agent.scrape().ledger(agent.listener("udp")).read
    send_datagrams(agent.address("udp"), "\n".join(lines).encode())
    agent.wait_for_ledger("udp", before + len(lines))


@pytest.mark.parametrize("path", ["/stats", "/stats/visit"])
@pytest.mark.parametrize(
    "given, kind, message",
    [
        ("abc", "float_parsing", "Input should be a valid number, unable to parse string as a number"),
        ("", "float_parsing", "Input should be a valid number, unable to parse string as a number"),
        ("0", "greater_than_equal", "Input should be greater than or equal to 0.1"),
        ("-5", "greater_than_equal", "Input should be greater than or equal to 0.1"),
        ("168.01", "less_than_equal", "Input should be less than or equal to 168"),
        ("1e300", "less_than_equal", "Input should be less than or equal to 168"),
    ],
)
def test_a_timeframe_out_of_range_is_422_in_fastapis_shape(agent, path, given, kind, message):
    answer = agent.get(path, params={"timeframe_hours": given})
    assert answer.status_code == 422
    (fault,) = answer.json()["detail"]
    assert fault == {"type": kind, "loc": ["query", "timeframe_hours"], "msg": message, "input": given}


def test_every_fault_of_a_request_is_in_one_answer(agent):
    answer = agent.get("/stats/visit", params={"timeframe_hours": "x", "by": "luck", "top": "-1", "match": "page"})
    assert answer.status_code == 422
    assert {fault["loc"][1] for fault in answer.json()["detail"]} == {"timeframe_hours", "by", "top", "match"}


def test_stats_has_the_services_fields_for_any_timeframe(agent):
    send(agent, "visit:a:3|c", "visit:b|c", "buy:p:2|c", "visit_users:ann|s|#page:a", "visit_users:bob|s|#page:b", "visit_users:ann|s|#page:b")
    for hours in (0.1, 0.5, 1, 1.5, 24, 100, 168):
        stats = agent.stats(timeframe_hours=hours)
        assert (stats["total_visits"], stats["recent_visits"]) == (4, 4)
        assert (stats["total_buys"], stats["n_recent_buys"]) == (2, 2)
        assert stats["unique_visitors"] == 2 and stats["server_status"] == "healthy"
        assert stats["timeframe_hours"] == hours
        # A window begins with a minute up to 24 hours, with an hour beyond.
        assert 0 <= stats["window_seconds"] - hours * HOUR < (60 if hours <= 24 else HOUR) + 1
        assert 0 <= stats["unique_visitors_window_seconds"] - hours * HOUR < (60 if hours <= 1 else HOUR) + 1
        assert stats["metrics"]["visit"]["recent"] == 4


def test_samples_of_their_own_time_are_found_in_their_hour(agent):
    now = int(time.time())
    send(
        agent,
        *(f"visit:p{hours}:{10**place}|c|T{now - hours * HOUR}" for place, hours in enumerate([0, 2, 30, 150])),
        f"visit:old:7|c|T{now - 169 * HOUR}",
        f"took:40|ms|T{now - 2 * HOUR}",
        "took:80|ms",
        f"visit_users:ann|s|T{now - 2 * HOUR}",
        "visit_users:bob|s",
    )
    for hours, recent, users in [(1, 1, 1), (3, 11, 2), (40, 111, 2), (168, 1111, 2)]:
        stats = agent.stats(timeframe_hours=hours)
        assert (stats["total_visits"], stats["recent_visits"], stats["unique_visitors"]) == (1118, recent, users), hours
    assert agent.scrape().value("footfall_out_of_window_total") == 1
    assert agent.scrape().value("footfall_late_samples_misplaced_total") == 0
    assert [agent.stats("/stats/took", timeframe_hours=hours)["recent_sum"] for hours in (1, 3)] == [80, 120]
    assert [agent.stats("/stats/took", timeframe_hours=hours)["max"] for hours in (1, 3)] == [80, 80]
    assert [agent.stats("/stats/took", timeframe_hours=hours)["min"] for hours in (1, 3)] == [80, 40]


def test_one_metric_has_its_history_and_its_busiest_series(agent):
    now = int(time.time())
    send(agent, f"visit:old:50|c|T{now - 5 * HOUR}", "visit:new:3|c", "visit:/shop/a:2|c", "visit:/shop/b|c", "took:10:30|ms|#r:a", "took:20|ms|#r:b")
    visit = agent.stats("/stats/visit", top=1)
    assert (visit["total"], visit["recent"]) == (56, 6)
    assert visit["rate"] == pytest.approx(6 / visit["window_seconds"])
    assert visit["top"] == [{"labels": {"page": "old"}, "value": 50, "recent": 0}]
    assert visit["history"]["step"] == 60 and sum(count for _, count in visit["history"]["points"]) == 6
    by_recent = agent.stats("/stats/visit", top=1, by="recent")
    assert by_recent["top"] == [{"labels": {"page": "new"}, "value": 3, "recent": 3}]
    shop = agent.stats("/stats/visit", match="page:/shop/*")
    assert (shop["series"], shop["series_with_history"], shop["total"], shop["recent"]) == (2, 2, 3, 3)
    seconds = agent.stats("/stats/visit", timeframe_hours=0.1)["history"]
    assert seconds["step"] == 1 and sum(count for _, count in seconds["points"]) == 6
    took = agent.stats("/stats/took", timeframe_hours=168)
    assert (took["recent"], took["recent_sum"], took["unit"], took["min"], took["max"]) == (3, 60, "ms", 10, 30)
    assert took["quantiles"]["0.5"] == pytest.approx(20, rel=0.01)
    assert sum(count for _, count, _ in took["history"]["points"]) == 3
    assert [q for q in took["quantile_history"]["quantiles"]["0.5"] if q is not None] == [pytest.approx(20, rel=0.01)]


def test_the_budget_of_history_is_kept_and_told(start_agent):
    agent = start_agent("--history-memory", "1MiB", "--max-series", "100000")
    parts = (range(first, first + 4000) for first in range(0, 40_000, 4000))
    send_datagrams(agent.address("udp"), *("\n".join(f"n:p{number}|c" for number in part).encode() for part in parts))
    wait_for(lambda: agent.stats("/stats/n", top=0)["total"] == 40_000, "all are counted")
    status = agent.stats("/status")
    assert 0 < status["history"]["series"] < 40_000
    assert status["memory"]["history"] <= 1 << 20
    own = agent.get("/metrics", params={"metric": "footfall_memory_bytes"}).text
    assert f'footfall_memory_bytes{{part="history"}} {status["memory"]["history"]}' in own
    assert agent.stats("/stats/n", top=0)["recent"] == 40_000, "a metric has its history, whatever its series have"
