"""Markus, over both of its backends: what it counts comes out right in /metrics."""

import markus
import pytest
from markus.backends.datadog import DatadogMetrics
from markus.backends.statsd import StatsdMetrics

from harness.waiting import wait_for

# Its statsd backend drops tags and sends histograms as timers.
BACKENDS = [
    (StatsdMetrics, {}, "app_size_seconds", 60 / 1000),
    (DatadogMetrics, {"env": "prod", "beta": "true"}, "app_size", 60),
]


@pytest.mark.parametrize("backend, labels, size, size_sum", BACKENDS, ids=["statsd", "datadog"])
def test_markus_over_udp(agent, backend, labels, size, size_sum):
    host, port = agent.address("udp")
    markus.configure([{"class": backend, "options": {"statsd_host": host, "statsd_port": port}}], raise_errors=True)
    metrics = markus.get_metrics("app")
    tags = ["env:prod", "beta"]
    metrics.incr("hits", value=5, tags=tags)
    metrics.incr("hits", value=-2, tags=tags)
    metrics.gauge("level", value=7, tags=tags)
    metrics.timing("time", value=20, tags=tags)
    metrics.timing("time", value=30, tags=tags)
    for value in (10, 20, 30):
        metrics.histogram("size", value=value, tags=tags)
    expected = {
        "app_hits_total": 3,
        "app_level": 7,
        "app_time_seconds_count": 2,
        "app_time_seconds_sum": 0.05,
        f"{size}_count": 3,
        f"{size}_sum": size_sum,
    }

    def reached():
        page = agent.scrape()
        assert {name: page.value(name, **labels) for name in expected} == pytest.approx(expected, rel=1e-9)
        return page

    page = wait_for(reached, "what markus sent", every=0.05)
    ledger = page.ledger(agent.listener("udp"))
    assert ledger.holds() and not ledger.refused
