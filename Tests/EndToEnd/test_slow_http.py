"""Slow clients: others are answered all the while, and what a slow one holds is bounded and ends. The full run: Tests/Stress/slow_http.py."""

import contextlib
import re

import pytest

from harness.sending import open_stream, send_stream
from harness.slow_http import ATTACKS, hold_idle, under_attack
from harness.waiting import wait_for


@pytest.mark.parametrize("attack", ATTACKS)
def test_health_is_answered_under_slow_clients(start_agent, tmp_path, attack):
    agent = start_agent("--http-connections", "500")
    found = under_attack(agent, attack, connections=300, seconds=5, directory=tmp_path)
    assert found.questions > 20
    assert agent.scrape().value("footfall_http_held_bytes") < 16 << 20


def test_a_scraper_that_stops_reading_holds_little(start_agent):
    """Some 20 MB of page, of which each of 50 scrapers takes a kilobyte: the rest is not made."""
    agent = start_agent("--max-series", "100000")
    key = "k" * 200
    lines = "\n".join(f"visit:page-{number}-{key}|c" for number in range(80_000)).encode()
    send_stream(agent.address("tcp"), lines)
    wait_for(lambda: agent.get("/stats").json()["total_visits"] == 80_000, "all visits", seconds=30)
    with contextlib.ExitStack() as stack:
        streams = [stack.enter_context(open_stream(agent.address("http"))) for _ in range(50)]
        for stream in streams:
            stream.sendall(b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n")
            assert len(stream.recv(1_024)) > 0
        assert agent.get("/health").status_code == 200
        assert 0 < float(re.search(r"^footfall_http_held_bytes (\S+)", agent.get("/metrics?metric=footfall_*").text, re.M)[1]) < 50 * 256 * 1_024


def test_idle_connections_take_little_memory(start_agent):
    agent = start_agent()
    hold_idle(agent, 400, asks=True)
    # What the first ones made room for serves these too.
    assert hold_idle(agent, 400, asks=True).bytes_each < 8_192
