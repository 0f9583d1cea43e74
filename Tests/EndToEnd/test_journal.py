"""Counts outlive the program: a state directory, its lock, restarts, kills, damage, and a disk that is full."""

import json
import os
import re
import signal
import struct
import subprocess
import threading

import pytest
import requests

from harness.agent import Agent
from harness.kills import run_kills
from harness.place import FREE, listening_at
from harness.sending import open_stream, send_datagrams
from harness.small_disk import SmallDisk
from harness.waiting import wait_for

LINES = b"visit:page1:3|c\nvisit:1|c|#page:404\ntemperature:21.5|g\ntook:320|ms\ntook:80|ms\nsize:17|h\nusers:alice|s\nusers:bob|s\nhalf:1.5|c"
# What the lines above come to on /metrics; quantiles and distinct members too, since all of it is of the last minute.
WANTED = [
    'visit_total{page="page1"} 3',
    'visit_total{page="404"} 1',
    "temperature 21.5",
    "took_seconds_count 2",
    "took_seconds_sum 0.4",
    "size_count 1",
    "size_sum 17",
    "users 2",
    "half_total 1.5",
]


@pytest.fixture
def state(tmp_path):
    return tmp_path / "state"


def journal(program, action, state, prefix=()):
    command = [*prefix, program, "journal", action, "--state-dir", state]
    return subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=60)


def segments(state):
    return sorted(state.glob("journal-*"))


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


@pytest.mark.parametrize("end", ["SIGTERM", "SIGKILL"])
def test_all_kinds_come_back_over_http_and_on_the_page(start_agent, state, end):
    agent = start_agent("--state-dir", str(state), "--journal-sync", "always")
    send_datagrams(agent.address("udp"), LINES)
    for line in WANTED:
        agent.wait_for_line(line)
    # Under `always` the answer says that all that was gathered before is safe too.
    assert requests.post(agent.url("/visits/page1"), timeout=10).json()["visits"] == 4
    history = agent.stats("/stats/visit")["total"]
    wait_for(lambda: b"users" in b"".join(path.read_bytes() for path in segments(state)), "the set is in the journal")
    if end == "SIGKILL":
        # One more answer, so that a batch behind everything above is safe.
        assert requests.post(agent.url("/visits/page1"), timeout=10).json()["visits"] == 5
        agent.kill()
    else:
        assert agent.stop() == 0
    visits = 5 if end == "SIGKILL" else 4

    agent = start_agent("--state-dir", str(state))
    page = agent.text().split("\n")
    assert not [line for line in [f'visit_total{{page="page1"}} {visits}', *WANTED[1:]] if line not in page], page
    assert 'took_seconds{quantile="0.5"}' in agent.text()
    stats = agent.stats()
    assert stats["total_visits"] == stats["recent_visits"] == visits + 1
    assert agent.stats("/stats/visit")["total"] == history + visits - 4
    assert agent.get("/visits/page1").json()["visits"] == visits
    # What comes next is added to what was kept.
    assert requests.post(agent.url("/visits/page1"), timeout=10).json()["visits"] == visits + 1
    send_datagrams(agent.address("udp"), b"temperature:+1|g")
    agent.wait_for_line("temperature 22.5")


def test_a_second_agent_on_a_folder_refuses_to_start_and_names_the_first(start_agent, program, state):
    agent = start_agent("--state-dir", str(state))
    second = subprocess.run([program, "serve", *listening_at(FREE), "--state-dir", state], capture_output=True, text=True, timeout=20)
    assert second.returncode == 71
    assert f"in use by process {agent.pid}" in second.stderr and "--state-dir" in second.stderr
    assert agent.stop() == 0
    start_agent("--state-dir", str(state))


def test_a_newer_version_s_journal_is_refused_and_not_touched(start_agent, program, state):
    agent = start_agent("--state-dir", str(state))
    send_datagrams(agent.address("udp"), b"visit:page1|c")
    wait_for(lambda: segments(state), "a segment")
    assert agent.stop() == 0
    segment = segments(state)[0]
    header = bytearray(segment.read_bytes()[:44])
    header[8:12] = struct.pack("<I", 2)
    segment.write_bytes(header + struct.pack("<I", crc32c(header)) + segment.read_bytes()[48:])
    before = {path.name: path.read_bytes() for path in state.iterdir()}
    for words in (["serve", *listening_at(FREE)], ["journal", "verify"], ["journal", "dump"]):
        ended = subprocess.run([program, *words, "--state-dir", state], capture_output=True, text=True, timeout=20)
        assert ended.returncode == 78 and "format 2" in ended.stderr and segment.name in ended.stderr, ended
    assert {path.name: path.read_bytes() for path in state.iterdir()} == before


def test_a_damaged_segment_is_told_of_and_kept_aside_and_the_rest_counts(start_agent, program, state):
    agent = start_agent("--state-dir", str(state))
    for page in range(3):
        send_datagrams(agent.address("udp"), b"visit:page%d|c" % page)
        wait_for(lambda page=page: b"page%d" % page in b"".join(path.read_bytes() for path in segments(state)), "it is written")
    agent.kill()
    segment = segments(state)[0]
    damaged = bytearray(segment.read_bytes())
    damaged[damaged.index(b"page1")] ^= 1
    segment.write_bytes(damaged)
    verified = journal(program, "verify", state)
    assert verified.returncode == 1 and "DAMAGED" in verified.stdout

    agent = start_agent("--state-dir", str(state))
    assert agent.wait_for_log(rf"error a segment of the journal is damaged.*{segment.name}")
    assert agent.wait_for_log(r"error parts of the journal are missing frames_lost=1\b")
    page = agent.text().split("\n")
    assert 'visit_total{page="page0"} 1' in page and 'visit_total{page="page2"} 1' in page
    assert "page1" not in agent.text()
    # A snapshot takes the place of what was damaged.
    kept = state / f"damaged-{segment.name}"
    wait_for(kept.exists, "it is kept aside")
    assert kept.read_bytes() == damaged
    assert agent.stop() == 0
    assert journal(program, "verify", state).returncode == 0


def test_dump_shows_an_object_a_record(start_agent, program, state):
    agent = start_agent("--state-dir", str(state))
    send_datagrams(agent.address("udp"), LINES)
    assert agent.stop() == 0
    dumped = journal(program, "dump", state)
    assert dumped.returncode == 0 and dumped.stderr == ""
    records = [json.loads(line) for line in dumped.stdout.splitlines()]
    names = {record["series"]: record["number"] for record in records if record["record"] == "define"}
    assert {"visit:page1", "temperature", "users"} <= names.keys(), names
    assert any(r["record"] == "counter" and r["number"] == names["visit:page1"] and r["total"] == 3 for r in records)
    assert any(r["record"] == "gauge" and r["number"] == names["temperature"] and r["value"] == 21.5 for r in records)
    assert all(re.fullmatch(r"[\d-]+T[\d:.]+Z", record["time"]) and record["frame"] > 0 for record in records)


@pytest.mark.parametrize(
    "environment, place",
    [
        ({"STATE_DIRECTORY": "{0}/given:{0}/other"}, "given"),
        ({"XDG_STATE_HOME": "{0}/xdg"}, "xdg/footfall"),
        ({"HOME": "{0}/home"}, "home/.local/state/footfall"),
    ],
    ids=["systemd", "XDG", "home"],
)
def test_without_a_word_the_usual_folder_is_taken(start_agent, tmp_path, environment, place):
    environment = {name: value.format(tmp_path) for name, value in environment.items()}
    agent = start_agent(environment={"FOOTFALL_STATE_DIR": "auto", **environment})
    assert (tmp_path / place / "agent-id").read_text().strip() in agent.wait_for_log("journal read")
    assert os.stat(tmp_path / place).st_mode & 0o777 == 0o700


@pytest.mark.parametrize("home", ["", "/proc/nowhere"], ids=["none", "one that cannot be written"])
def test_without_a_home_counts_are_kept_in_memory_with_one_warning(start_agent, home):
    agent = start_agent(environment={"FOOTFALL_STATE_DIR": "auto", "HOME": home})
    warnings = [line for line in agent.log if " warning counts last as long as the program" in line]
    assert len(warnings) == 1 and "--state-dir" in warnings[0]
    assert agent.get("/health").json()["status"] == "healthy"


def test_a_folder_that_was_asked_for_and_cannot_be_used_ends_the_start(program):
    ended = subprocess.run([program, "serve", *listening_at(FREE), "--state-dir", "/proc/nowhere"], capture_output=True, text=True, timeout=20)
    assert ended.returncode == 71 and "mkdir /proc/nowhere" in ended.stderr, ended


def test_kill_9_under_load_loses_no_answered_visit_and_doubles_nothing(program, tmp_path):
    print(run_kills(program, tmp_path, rounds=2))


class Steady(threading.Thread):
    """Sends lines over TCP, of ever new pages too, until it is told to stop."""

    def __init__(self, address):
        super().__init__(daemon=True)
        self.sent = 0
        self.ending = threading.Event()
        self._stream = open_stream(address)

    def run(self):
        with self._stream as stream:
            while not self.ending.wait(0.01):
                stream.sendall(b"".join(b"visit:page%d|c\n" % (self.sent + n) for n in range(50)))
                self.sent += 50

    def stop(self):
        self.ending.set()
        self.join(10)


def test_a_full_disk_makes_it_degraded_and_nothing_is_lost_or_doubled_once_there_is_room(start_agent, program, tmp_path):
    with SmallDisk(tmp_path / "disk", "4m") as disk:
        state = str(tmp_path / "disk/state")
        flags = ["--state-dir", state, "--journal-sync", "flush"]
        agent = start_agent(*flags, prefix=disk.prefix)
        load = Steady(agent.address("tcp"))
        load.start()
        wait_for(lambda: load.sent > 500, "the load is on")
        for _ in range(2):
            disk.fill()
            degraded = wait_for(lambda: agent.get("/health").json()["status"] == "degraded" and agent.get("/health"), "it is degraded")
            assert degraded.status_code == 200 and "No space left on device" in " ".join(degraded.json()["reasons"])
            assert agent.scrape().value("footfall_journal_errors_total") > 0
            # Counting and reading go on.
            now = load.sent
            wait_for(lambda now=now: agent.stats()["total_visits"] > now, "counting goes on")
            disk.free()
            wait_for(lambda: agent.get("/health").json()["status"] == "healthy", "it is healthy again")
        load.stop()
        wait_for(lambda: agent.stats()["total_visits"] == load.sent, "all is counted")
        pages = agent.stats()["metrics"]["visit"]["series"]
        assert agent.stop() == 0
        assert journal(program, "verify", state, disk.prefix).returncode == 0

        agent = start_agent(*flags, prefix=disk.prefix)
        assert not [line for line in agent.log if " error " in line], agent.log
        stats = agent.stats()
        assert (stats["total_visits"], stats["metrics"]["visit"]["series"]) == (load.sent, pages)
        assert agent.stop() == 0


def test_on_a_full_disk_no_write_is_answered_under_always_and_none_that_was_is_lost(start_agent, tmp_path):
    with SmallDisk(tmp_path / "disk", "1m") as disk:
        flags = ["--state-dir", str(tmp_path / "disk/state"), "--journal-sync", "always"]
        agent = start_agent(*flags, prefix=disk.prefix)
        disk.fill()
        answered = tried = 0
        statuses = []

        def visit():
            nonlocal answered, tried
            tried += 1
            answer = requests.post(agent.url("/visit"), timeout=30)
            statuses.append(answer.status_code)
            answered += answer.status_code == 200
            return answer

        # What is left of the last page takes some.
        wait_for(lambda: visit().status_code == 503, "a write is refused", seconds=30)
        assert "Retry-After" in visit().headers
        wait_for(lambda: agent.get("/health").json()["status"] == "degraded", "it is degraded")
        disk.free()
        wait_for(lambda: visit().status_code == 200, "a write is answered", seconds=30, every=0.1)
        agent.signal(signal.SIGKILL)
        agent.kill()
        agent = start_agent(*flags, prefix=disk.prefix)
        visits = agent.stats()["total_visits"]
        assert answered <= visits <= tried, (answered, visits, tried, statuses)
        assert agent.stop() == 0
