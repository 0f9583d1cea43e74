"""Client libraries of the field, as they come from PyPI: whatever they send comes out right in /metrics.

Each client says the same things in its own words, and each value of `EXPECTED` must be reached. Sampled calls are made certain (the
clients' random numbers are 0), so that a rate shows as its weight.
"""

import asyncio

import aiodogstatsd
import pytest
import statsd
from datadog.dogstatsd.base import DogStatsd

from harness.waiting import wait_for

# By name and labels. Timers come as milliseconds and are exposed in seconds, as Prometheus wants base units.
COUNTS = {
    ("app_hits_total", ()): 5,
    ("app_sampled_total", ()): 6,
    ("app_errors_total", ()): -2,
    ("app_level", ()): 7.5,
    ("app_time_seconds_count", ()): 2,
    ("app_time_seconds_sum", ()): 0.05,
    ("app_users", ()): 3,
}
TAGGED = {
    ("app_tagged_total", (("env", "prod"), ("team", "a"))): 4,
    ("app_tagged_total", (("env", "prod"), ("team", "b"))): 1,
    ("app_size_count", (("env", "prod"),)): 3,
    ("app_size_sum", (("env", "prod"),)): 60,
    ("app_spread_count", (("env", "prod"),)): 2,
    ("app_spread_sum", (("env", "prod"),)): 11,
}


@pytest.fixture(autouse=True)
def every_sampled_call_is_sent(monkeypatch):
    for place in ("random.random", "datadog.dogstatsd.base.random", "aiodogstatsd.client.random"):
        monkeypatch.setattr(place, lambda: 0.0)


def assert_values(agent, expected):
    def reached():
        page = agent.scrape()
        found = {(name, labels): page.value(name, **dict(labels)) for name, labels in expected}
        assert found == pytest.approx(expected, rel=1e-9)
        return page

    page = wait_for(reached, "the values that were sent", every=0.05)
    median = page.value("app_time_seconds", quantile="0.5")
    assert 0.02 * 0.99 <= median <= 0.03 * 1.01
    ledgers = [page.ledger(labels["listener"]) for labels, _ in page.series("footfall_lines_read_total")]
    assert all(ledger.holds() and not ledger.refused for ledger in ledgers)
    agent.scrape(openmetrics=True)


def speak_statsd(client):
    client.incr("hits", 4)
    client.incr("hits")
    client.incr("sampled", 3, rate=0.5)
    client.incr("errors")
    client.decr("errors", 3)
    client.gauge("level", 10)
    client.gauge("level", 1.5, delta=True)
    client.gauge("level", -4, delta=True)
    client.timing("time", 20)
    client.timing("time", 30)
    for user in ("ann", "bob", "ann", "cid"):
        client.set("users", user)


def test_statsd_over_udp(agent):
    host, port = agent.address("udp")
    client = statsd.StatsClient(host, port, prefix="app")
    speak_statsd(client)
    assert_values(agent, COUNTS)


def test_statsd_over_udp_in_one_datagram(agent):
    host, port = agent.address("udp")
    with statsd.StatsClient(host, port, prefix="app").pipeline() as pipe:
        speak_statsd(pipe)
    assert_values(agent, COUNTS)
    assert agent.scrape().ledger(agent.listener("udp")).datagrams == 1


def test_statsd_over_tcp(agent):
    host, port = agent.address("tcp")
    client = statsd.TCPStatsClient(host, port, prefix="app")
    speak_statsd(client)
    assert_values(agent, COUNTS)
    client.close()


def test_statsd_over_a_unix_stream(start_agent, tmp_path):
    agent = start_agent("--unix-stream", str(tmp_path / "s.sock"))
    client = statsd.UnixSocketStatsClient(agent.path("unix-stream"), prefix="app")
    speak_statsd(client)
    assert_values(agent, COUNTS)
    client.close()


def test_a_negative_gauge_of_statsd_is_absolute(agent):
    """The library sends `g:0|g` and `g:-3|g`, because a sign alone means a delta to the servers that it knows."""
    host, port = agent.address("udp")
    client = statsd.StatsClient(host, port)
    client.gauge("balance", 12)
    client.gauge("balance", -3)
    agent.wait_for_value(-3, "balance")


def test_a_visit_counted_by_a_library_is_the_visit_of_the_page(agent):
    """`incr("visit:page1", 5)` goes out as `visit:page1:5|c`."""
    host, port = agent.address("udp")
    statsd.StatsClient(host, port).incr("visit:page1", 5)
    DogStatsd(host=host, port=port, disable_telemetry=True).increment("visit", tags=["page:page1"])
    agent.wait_for_line('visit_total{page="page1"} 6')


def speak_dogstatsd(client):
    client.increment("hits", 5)
    client.increment("sampled", 3, sample_rate=0.5)
    client.decrement("errors", 2)
    client.gauge("level", 7.5)
    client.timing("time", 20)
    client.timing("time", 30)
    for user in ("ann", "bob", "ann", "cid"):
        client.set("users", user)
    client.increment("tagged", 4, tags=["team:a", "env:prod"])
    client.increment("tagged", tags=["env:prod", "team:b"])
    for value in (10, 20, 30):
        client.histogram("size", value, tags=["env:prod"])
    client.distribution("spread", 4, tags=["env:prod"])
    client.distribution("spread", 7, tags=["env:prod"])


def dogstatsd(**where):
    return DogStatsd(namespace="app", disable_telemetry=True, **where)


def test_datadog_over_udp(agent):
    host, port = agent.address("udp")
    client = dogstatsd(host=host, port=port)
    speak_dogstatsd(client)
    assert_values(agent, COUNTS | TAGGED)
    client.close_socket()


def test_datadog_over_udp_packed_into_few_datagrams(agent):
    host, port = agent.address("udp")
    client = dogstatsd(host=host, port=port, disable_buffering=False, flush_interval=3600)
    speak_dogstatsd(client)
    client.flush()
    assert_values(agent, COUNTS | TAGGED)
    assert agent.scrape().ledger(agent.listener("udp")).datagrams == 1
    client.close_socket()


def test_datadog_over_a_unix_datagram_socket(start_agent, tmp_path):
    agent = start_agent("--unix-datagram", str(tmp_path / "d.sock"))
    # The kernel queues ten datagrams here (net.unix.max_dgram_qlen); without a time-out the library drops the eleventh.
    client = dogstatsd(socket_path=f"unixgram://{agent.path('unix-datagram')}", socket_timeout=5)
    speak_dogstatsd(client)
    assert_values(agent, COUNTS | TAGGED)
    client.close_socket()


def test_datadog_over_a_unix_stream_with_its_length_prefix(start_agent, tmp_path):
    agent = start_agent("--unix-stream", str(tmp_path / "s.sock"))
    client = dogstatsd(socket_path=f"unixstream://{agent.path('unix-stream')}")
    speak_dogstatsd(client)
    assert_values(agent, COUNTS | TAGGED)
    client.close_socket()


def test_a_bare_tag_of_datadog_is_a_label_with_the_value_true(agent):
    host, port = agent.address("udp")
    dogstatsd(host=host, port=port).increment("flagged", tags=["beta", "env:prod"])
    agent.wait_for_value(1, "app_flagged_total", beta="true", env="prod")


def test_a_signed_gauge_of_datadog_is_what_gauge_sign_says(start_agent):
    """This library has no deltas: its negative gauges are absolute, and so is the option for its users."""
    for sign, wanted in (("delta", 7), ("absolute", -3)):
        agent = start_agent("--gauge-sign", sign)
        host, port = agent.address("udp")
        client = dogstatsd(host=host, port=port)
        client.gauge("balance", 10)
        client.gauge("balance", -3)
        agent.wait_for_value(wanted, "app_balance")


def test_aiodogstatsd_over_udp(agent):
    host, port = agent.address("udp")

    async def speak():
        async with aiodogstatsd.Client(host=host, port=port, namespace="app", read_timeout=0.05) as client:
            client.increment("hits", value=5)
            client.increment("sampled", value=3, sample_rate=0.5)
            client.decrement("errors", value=2)
            client.gauge("level", value=7.5)
            client.timing("time", value=20)
            client.timing("time", value=30)
            client.increment("tagged", value=4, tags={"team": "a", "env": "prod"})
            client.increment("tagged", tags={"env": "prod", "team": "b"})
            for value in (10, 20, 30):
                client.histogram("size", value=value, tags={"env": "prod"})
            client.distribution("spread", value=4, tags={"env": "prod"})
            client.distribution("spread", value=7, tags={"env": "prod"})

    asyncio.run(speak())
    without_sets = {key: value for key, value in COUNTS.items() if key[0] != "app_users"}
    assert_values(agent, without_sets | TAGGED)
