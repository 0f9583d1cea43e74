"""The wall clock jumps by a day while the agent runs: nothing is lost, no window is wrong, no rate is negative.

libfaketime stands between the program and its C library; what it adds is read anew from a file at each question.
"""

from pathlib import Path

import pytest

from harness.sending import send_datagrams
from harness.waiting import wait_for

DAY = 86_400


@pytest.fixture
def jump(tmp_path):
    """Sets the agent's wall clock off by so many seconds."""
    path = tmp_path / "offset"

    def set_offset(seconds):
        new = tmp_path / "offset.new"
        new.write_text(f"{seconds:+d}\n")
        new.rename(path)

    set_offset(0)
    return set_offset


@pytest.fixture
def agent(start_agent, jump, tmp_path):
    library = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)
    assert library, "libfaketime is missing: apt-get install faketime"
    return start_agent(
        environment={
            "LD_PRELOAD": str(library),
            "FAKETIME_TIMESTAMP_FILE": str(tmp_path / "offset"),
            "FAKETIME_NO_CACHE": "1",
            "DONT_FAKE_MONOTONIC": "1",
            # Under this library the Swift runtime finds no arguments, so what the flags say stands here again.
            **{f"FOOTFALL_{kind}": "127.0.0.1:0" for kind in ("UDP", "TCP", "HTTP")},
            "FOOTFALL_FLUSH_INTERVAL": "100ms",
            "FOOTFALL_STATE_DIR": "none",
        }
    )


def count(agent, visits, total):
    send_datagrams(agent.address("udp"), *[b"visit:page1|c\ntook:20|ms\nusers:u1|s\nqueue:3|g"] * visits)
    agent.wait_for_line(f'visit_total{{page="page1"}} {total}')


def recent(agent, hours):
    stats = agent.stats("/stats/visit", timeframe_hours=hours)
    assert stats["rate"] >= 0, stats
    assert all(value >= 0 for _, value in stats["history"]["points"]), stats
    assert agent.stats(timeframe_hours=hours)["recent_visits"] == stats["recent"]
    return stats["recent"]


def hour_of(agent):
    return agent.get("/health").json()["timestamp"]


@pytest.mark.parametrize("days", [1, -1], ids=["forward", "back"])
def test_a_jump_of_a_day_and_back_again_leaves_counts_and_windows_right(agent, jump, days):
    before = hour_of(agent)
    count(agent, 10, total=10)
    assert recent(agent, 1) == 10

    jump(days * DAY)
    wait_for(lambda: hour_of(agent)[:10] != before[:10], "the clock has jumped")
    count(agent, 5, total=15)
    assert agent.stats()["total_visits"] == 15
    # What came before lies a day back and is out of the window; or a day ahead, and what lies ahead of the clock was counted lately.
    assert recent(agent, 1) == (5 if days > 0 else 15)
    assert recent(agent, 48) == 15

    jump(0)
    wait_for(lambda: hour_of(agent)[:10] == before[:10], "the clock is right again")
    count(agent, 3, total=18)
    assert agent.stats()["total_visits"] == 18
    assert recent(agent, 1) == (18 if days > 0 else 13)
    assert recent(agent, 48) == 18
    page = agent.scrape()
    assert page.value("took_seconds_count") == 18 and page.value("users") == 1 and page.value("queue") == 3
    assert page.total("footfall_lines_refused_total") == 0
    assert agent.get("/health").json()["uptime_seconds"] < 60
