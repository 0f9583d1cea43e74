"""SIGHUP: what a running program can change it changes, the rest is named, and a broken file changes nothing."""

import json
import re
import signal
import socket

import pytest
import requests

from harness.sending import is_closed, open_stream, send_datagrams, send_stream
from harness.waiting import wait_for


@pytest.fixture
def reload_with(start_agent, tmp_path):
    """An agent with a file, and a function that writes the file anew and waits until it has been read."""
    file = tmp_path / "footfall.conf"
    state = {"reloads": 0}

    def start(text, *flags):
        file.write_text(text)
        agent = start_agent("--config", str(file), *flags)

        def write(text):
            file.write_text(text)
            seen = len(agent.log)
            agent.signal(signal.SIGHUP)
            state["reloads"] += 1
            return wait_for(lambda: [line for line in agent.log[seen:] if "reload" in line], "the reload is told of")

        return agent, write

    return start


def test_a_broken_file_changes_nothing_and_is_told_and_counted(reload_with):
    agent, write = reload_with("allow = 127.0.0.1\n")
    told = write("allow = 10.0.0.0/8\nworkers = many\n")
    assert "workers" in told[0] and "the old configuration stays" in told[0], told
    agent.wait_for_value(1, "footfall_config_reloads_total", outcome="failure")
    send_datagrams(agent.address("udp"), b"visit:page1|c")
    agent.wait_for_line('visit_total{page="page1"} 1')


def test_what_waits_for_a_start_is_named_and_the_rest_takes_effect(reload_with):
    agent, write = reload_with("")
    write("allow = 10.0.0.0/8\nworkers = 7\nudp = 127.0.0.1:9\nkey-label = visit=other\n")
    waiting = agent.wait_for_log("at the next start")
    # The address is given by a flag, which wins over the file.
    assert re.search(r'options="?workers,key-label', waiting), waiting
    assert any(re.search(r"reload: changed .*allow", line) for line in agent.log), agent.log
    send_datagrams(agent.address("udp"), b"visit:page1|c")
    wait_for(lambda: agent.scrape().ledger(agent.listener("udp")).refused == {"refused_source": 1}, "nobody is heard")


def test_who_is_heard_changes_for_streams_that_are_open_too(reload_with):
    agent, write = reload_with("")
    with open_stream(agent.address("tcp")) as stream:
        stream.sendall(b"a:1|c\n")
        agent.wait_for_line("a_total 1")
        write("allow = 10.0.0.0/8\n")
        assert is_closed(stream)
    write("allow = all\n")
    send_stream(agent.address("tcp"), b"a:1|c\n")
    agent.wait_for_line("a_total 2")


def test_limits_and_times_of_streams_change(reload_with):
    agent, write = reload_with("stream-connections = 100\n", "--workers", "1")
    with open_stream(agent.address("tcp")) as first:
        first.sendall(b"a:1|c\n")
        agent.wait_for_line("a_total 1")
        write("stream-connections = 1\n")
        with open_stream(agent.address("tcp")) as second:
            assert is_closed(second)
        write("stream-connections = 100\nstream-idle = 100ms\n")
        assert is_closed(first)
    write("stream-line-time = 100ms\n")
    with open_stream(agent.address("tcp")) as third:
        third.sendall(b"unended")
        assert is_closed(third)
    agent.wait_for_value(1, "footfall_connections_rejected_total", listener=agent.listener("tcp"), reason="slow_line")


def test_limits_of_series_change(reload_with):
    agent, write = reload_with("max-series = 1\n", "--workers", "1")
    send_datagrams(agent.address("udp"), b"visit:a|c\nvisit:b|c")
    agent.wait_for_line('visit_total{page="__other__"} 1')
    write("max-series = 3\n")
    send_datagrams(agent.address("udp"), b"visit:b|c\nvisit:c|c\nvisit:d|c")
    agent.wait_for_line('visit_total{page="__other__"} 2')
    agent.wait_for_line('visit_total{page="c"} 1')
    write("max-series = 5\nmax-series-per-metric = 3\n")
    send_datagrams(agent.address("udp"), b"visit:d|c")
    send_datagrams(agent.address("udp"), b"other:1|c")
    agent.wait_for_line('visit_total{page="__other__"} 3')
    agent.wait_for_line("other_total 1")


def test_idle_series_leave_by_the_new_time(reload_with):
    agent, write = reload_with("series-ttl = never\ncounter-ttl = never\n")
    send_datagrams(agent.address("udp"), b"queue:1|g\nvisit:page1|c")
    agent.wait_for_line("queue 1")
    write("series-ttl = 1s\ncounter-ttl = never\n")
    wait_for(lambda: "queue 1" not in agent.text().split("\n"), "the gauge has left", seconds=20, every=0.1)
    assert 'visit_total{page="page1"} 1' in agent.text()


def test_quantiles_flush_and_http_limits_change(reload_with):
    agent, write = reload_with("quantiles = 0.5\nhttp-connections = 100\n")
    send_datagrams(agent.address("udp"), b"render:320|ms")
    agent.wait_for_line("render_seconds_count 1")
    assert 'quantile="0.75"' not in agent.text()
    write("quantiles = 0.75\nhttp-connections = 1\n")
    wait_for(lambda: 'render_seconds{quantile="0.75"}' in agent.text(), "the new quantile")
    with socket.create_connection(agent.address("http"), timeout=10) as second:
        second.sendall(b"GET /stats HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert second.recv(100).startswith(b"HTTP/1.1 503")


def test_rates_tokens_and_sites_change(reload_with, tmp_path):
    tokens = tmp_path / "tokens"
    tokens.write_text("first-token-of-the-file\n")
    agent, write = reload_with("")

    def status(**headers):
        return requests.post(agent.url("/visit"), headers=headers, timeout=10).status_code

    assert status() == 200
    write(f"token-file = {tokens}\n")
    assert status() == 401 and status(Authorization="Bearer first-token-of-the-file") == 200
    tokens.write_text("second-token-of-the-file\n")
    write(f"token-file = {tokens}\n")
    assert status(Authorization="Bearer first-token-of-the-file") == 401
    assert "the old configuration stays" in write("token-file = /nowhere/tokens\n")[0]
    assert status(Authorization="Bearer second-token-of-the-file") == 200
    write("cors-origin = https://shop.example\nhttp-rate = 1000\n")
    assert status(Origin="https://shop.example") == 200 and status(Origin="https://other.example") == 403
    write("http-rate = 1\n")
    wait_for(lambda: status() == 429, "the rate is reached")


def test_the_log_changes_its_level_and_form(reload_with, tmp_path):
    agent, write = reload_with("")
    write("log-format = json\n")
    last = json.loads(wait_for(lambda: next((line for line in agent.log if line.startswith("{")), None), "a line of JSON"))
    assert last["message"].startswith("reload") and last["options"] == "log-format"
    seen = len(agent.log)
    agent.signal(signal.SIGHUP)
    wait_for(lambda: len(agent.log) > seen, "an info line")
    # It says nothing of itself any more.
    (tmp_path / "footfall.conf").write_text("log-level = error\n")
    agent.signal(signal.SIGHUP)
    agent.wait_for_value(3, "footfall_config_reloads_total", outcome="success")
    assert agent.stop() == 0
    assert not any("stopped" in line for line in agent.log)


def test_a_memory_limit_that_is_too_small_is_a_fault_and_a_good_one_takes_effect(reload_with):
    agent, write = reload_with("", "--workers", "2")
    assert "the old configuration stays" in write("memory-limit = 16MiB\n")[0]
    write("memory-limit = 64MiB\nhistory-memory = 8MiB\n")
    agent.wait_for_value(64 << 20, "footfall_memory_limit_bytes")
