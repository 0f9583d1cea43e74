"""Slow clients: others are answered all the while, and what a slow one holds is bounded and ends. The full run: Tests/Stress/slow_http.py."""

import contextlib
import re
import socket

import pytest

from harness.hostile import resident_kib
from harness.sending import send_stream
from harness.slow_http import ATTACKS, hold_idle, under_attack
from harness.waiting import wait_for


@pytest.mark.parametrize("attack", ATTACKS)
def test_health_is_answered_under_slow_clients(start_agent, tmp_path, attack):
    agent = start_agent("--http-connections", "500")
    found = under_attack(agent, attack, connections=300, seconds=5, directory=tmp_path)
    assert found.questions > 20
    assert agent.scrape().value("footfall_http_held_bytes") < 16 << 20


def test_a_scraper_that_stops_reading_holds_little(start_agent):
    """Some 20 MB of page, of which each of ten scrapers takes a kilobyte: the rest is not made."""
    agent = start_agent("--max-series", "100000")
    key = "k" * 200
    lines = "\n".join(f"visit:page-{number}-{key}|c" for number in range(80_000)).encode()
    send_stream(agent.address("tcp"), lines)
    wait_for(lambda: agent.get("/stats").json()["total_visits"] == 80_000, "all visits", seconds=30)
    assert len(agent.get("/metrics").content) > 16 << 20
    before = resident_kib(agent.pid)
    with contextlib.ExitStack() as stack:
        for _ in range(10):
            stream = stack.enter_context(socket.socket())
            stream.settimeout(10)
            stream.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8_192)
            stream.connect(agent.address("http"))
            stream.sendall(b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n")
            assert len(stream.recv(1_024)) > 0
        # Others are asked meanwhile, so that the pages had every chance to be made.
        for _ in range(50):
            assert agent.get("/health").status_code == 200
            assert agent_value(agent, "footfall_http_held_bytes") < 10 * 256 * 1_024
        assert agent_value(agent, 'footfall_connections{listener="http"}') >= 11
        assert resident_kib(agent.pid) < before + 10 * 1_024


def agent_value(agent, name):
    """A value of the program's own metrics, without the page behind them."""
    return float(re.search(rf"^{re.escape(name)} (\S+)", agent.get("/metrics?metric=footfall_*").text, re.MULTILINE)[1])


def test_idle_connections_take_little_memory(start_agent):
    agent = start_agent()
    hold_idle(agent, 400, asks=True)
    # What the first ones made room for serves these too.
    assert hold_idle(agent, 400, asks=True).bytes_each < 8_192
