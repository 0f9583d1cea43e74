"""--memory-limit: one budget for all that is kept. What finds no room is counted under __other__, and nothing else fails.

Tests/Stress/many_keys.py is the full run, with ten million keys.
"""

import os
import subprocess

import pytest

from harness.many_keys import flood, own_page, total_of
from harness.sending import send_datagrams, send_stream
from harness.waiting import wait_for

KEYS = int(os.environ.get("FOOTFALL_MANY_KEYS", 300_000))
LIMIT_MIB = 48
# As Tests/Stress/many_keys.py has it.
SLACK_MIB = 32
LIMITS = ["--memory-limit", f"{LIMIT_MIB}MiB", "--max-series", "100000000"]


def test_a_flood_of_keys_stays_within_the_limit_and_every_count_is_somewhere(start_agent):
    # One worker: to another that has not seen them what was there is as new as the flood.
    agent = start_agent(*LIMITS, "--workers", "1")
    send_datagrams(agent.address("udp"), b"visit:early|c\nqueue:3|g\nrender:5|ms\nusers:a|s")
    agent.wait_for_ledger("udp", 4)
    outcome = flood(agent, KEYS, b"flood:key%d|c", "flood")
    print(outcome)
    assert outcome.other > KEYS / 10 and outcome.own > 10_000, outcome
    assert outcome.peak_kib < (LIMIT_MIB + SLACK_MIB) << 10, outcome
    memory = agent.get("/status").json()["memory"]
    assert memory["limit"] == LIMIT_MIB << 20 and memory["total"] < memory["limit"] * 1.1, memory
    assert memory["total"] == sum(bytes for part, bytes in memory.items() if part not in ("total", "limit", "resident")), memory
    wait_for(lambda: any("--memory-limit" in reason for reason in agent.get("/health").json().get("reasons", [])), "/health says so")
    assert agent.wait_for_log("degraded reason=.*memory-limit")
    # What was there goes on; so does what comes over HTTP.
    send_stream(agent.address("tcp"), b"visit:early|c\nqueue:4|g\nrender:5|ms\nusers:b|s\n")
    wait_for(lambda: total_of(agent, "visit") == 2, "the early page goes on")
    assert agent.get("/stats/queue").status_code == 200
    assert own_page(agent).value("footfall_memory_limit_bytes") == LIMIT_MIB << 20
    # A new gauge has no other to count into: it is refused, and booked.
    send_stream(agent.address("tcp"), b"new_gauge:1|g\nnew:1|c\n")
    wait_for(lambda: total_of(agent, "__other__") >= 1, "a new metric's count")
    wait_for(lambda: own_page(agent).ledger(agent.listener("tcp")).refused == {"limit": 1}, "the gauge")


def test_metrics_without_end_are_bounded_too(start_agent):
    """Each of its own name: the counts of what went to __other__ must not grow with them."""
    agent = start_agent(*LIMITS, "--workers", "1")
    outcome = flood(agent, KEYS, b"name%d:1|c", None)
    print(outcome)
    assert outcome.other > KEYS / 10, outcome
    assert outcome.peak_kib < (LIMIT_MIB + SLACK_MIB) << 10, outcome
    assert total_of(agent, "__other__") == outcome.other
    # Each of the known ones with a new label: a thousand names of limited metrics are told apart at most.
    second = flood(agent, 20_000, b"name%d:1|c|#late:1", None, over_udp=0)
    print(second)
    limited = own_page(agent).series("footfall_series_limited_total")
    assert 2 <= len(limited) <= 1_001, len(limited)
    assert second.peak_kib < (LIMIT_MIB + SLACK_MIB) << 10, second


def test_history_gives_way_before_new_series_do(start_agent):
    agent = start_agent(*LIMITS, "--history-memory", "256MiB", "--flush-interval", "50ms")

    def history():
        return agent.get("/status").json()["memory"]["history"]

    lines = b"".join(b"old:key%d|c\n" % key for key in range(8_000))
    # Each flush of another second is a point more: it grows until it has what the series leave.
    for moment in range(1_700_000_000, 1_700_000_003):
        send_stream(agent.address("tcp"), lines)
    wait_for(lambda: total_of(agent, "old") == 24_000, "the old series")
    before = history()
    outcome = flood(agent, KEYS, b"flood:key%d|c", "flood", over_udp=0)
    assert outcome.other > 0
    keys = iter(range(KEYS, 10 * KEYS))

    def is_degraded():
        """What history gives way by is room again, until more series have come."""
        send_stream(agent.address("tcp"), b"".join(b"flood:key%d|c\n" % next(keys) for _ in range(2_000)))
        return agent.get("/health").json()["status"] == "degraded"

    wait_for(is_degraded, "no room is left")
    assert history() <= max(2 << 20, before), (before, history())
    assert own_page(agent).value("footfall_history_evictions_total") > 0


@pytest.mark.parametrize("given", ["flag", "environment", "file"])
def test_a_limit_below_what_the_program_needs_is_an_error_that_says_the_least(program, tmp_path, given):
    (tmp_path / "footfall.conf").write_text("memory-limit = 16MiB\n")
    words = {"flag": ["--memory-limit", "16MiB"], "environment": [], "file": ["--config", "footfall.conf"]}[given]
    environment = {"FOOTFALL_MEMORY_LIMIT": "16MiB"} if given == "environment" else {}
    for command in ("serve", "check-config"):
        ended = subprocess.run([program, command, "--workers", "2", *words], capture_output=True, text=True, timeout=20, env=environment, cwd=tmp_path)
        assert ended.returncode == 78, ended
        assert "memory-limit" in ended.stderr and "16MiB" in ended.stderr and "the least is " in ended.stderr, ended.stderr
    least = ended.stderr.partition("the least is ")[2].partition(",")[0]
    ended = subprocess.run([program, "check-config", "--workers", "2", "--memory-limit", least], capture_output=True, text=True, timeout=20)
    assert ended.returncode == 0, ended
