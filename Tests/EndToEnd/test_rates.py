"""A rate is a weight, not so many events: a tiny one neither costs more nor builds anything."""

import time

from harness.sending import send_datagrams


def test_a_rate_of_a_millionth_weighs_a_million_in_count_sum_and_quantiles(agent):
    send_datagrams(agent.address("udp"), b"a:2|ms|@0.000001", *[b"a:100:100:100|ms"] * 100, b"b:1|c|@0.000001", b"b:1|c|@0.00001")
    page = agent.wait_for_value(1_000_300, "a_seconds_count")
    assert page.value("a_seconds_sum") == (2_000_000 + 30_000) / 1000
    assert page.value("b_total") == 1_100_000
    found = agent.stats("/stats/a")
    assert (found["min"], found["max"]) == (2, 100)
    assert all(abs(value - 2) <= 0.02 for value in found["quantiles"].values()), found


def test_the_tiniest_rates_are_counted_at_once_and_stay_finite(agent):
    began = time.monotonic()
    send_datagrams(agent.address("udp"), *(f"a:1|ms|@{rate}".encode() for rate in ("1e-9", "1e-100", "5e-324")), b"last:1|c")
    agent.wait_for_value(1, "last_total")
    assert time.monotonic() - began < 5
    found = agent.stats("/stats/a")
    assert 1e100 < found["count"] < float("inf") and found["quantiles"]["0.5"] == 1, found
