"""`kill -9` under load, again and again on one state directory, and what every start finds of what was sent before.

Shared by the test of the suite and the long run in Tests/Stress. The agent runs with `--journal-sync always`: a visit whose POST was answered
must be there; of lines, what was sent in the last flush interval and what the agent had not read may lack; nothing may be there twice.
"""

import http.client
import random
import statistics
import subprocess
import threading
import time
from dataclasses import dataclass, field

from .exposition import Page
from .place import Place
from .sending import open_stream, udp_to

FLUSH_SECONDS = 0.1
# Beyond the flush: what the agent had not read, its write and sync, and a machine that others use too.
ALLOWANCE_SECONDS = 2.0
BATCH = 250


class Load(threading.Thread):
    """Sends batches of one line at an even rate until the other side is gone, and knows when it had sent how many."""

    def __init__(self, line, connect, lines_a_second):
        super().__init__(daemon=True)
        self.offered = 0
        self.sent = [(time.monotonic(), 0)]
        self._batch = (line + b"\n") * BATCH
        self._connect = connect
        self._pause = BATCH / lines_a_second
        self._datagrams = [self._batch[at : at + len(line) * 100 + 100] for at in range(0, len(self._batch), len(line) * 100 + 100)]

    def run(self):
        try:
            with self._connect() as way:
                is_stream = hasattr(way, "type") and way.type == 1
                due = time.monotonic()
                while True:
                    self.offered += BATCH
                    if is_stream:
                        way.sendall(self._batch)
                    else:
                        for datagram in self._datagrams:
                            way.send(datagram)
                    self.sent.append((time.monotonic(), self.offered))
                    due += self._pause
                    time.sleep(max(0, due - time.monotonic()))
        except OSError:
            return

    def lacking(self, counted):
        """Lines sent and not counted, and how long before the end the first of them was sent."""
        missing = self.sent[-1][1] - counted
        if missing <= 0:
            return 0, 0.0
        first = next(when for when, lines in self.sent if lines > counted)
        return missing, self.sent[-1][0] - first


class Visitor(threading.Thread):
    """Posts visits one after the other, and knows how many it tried and how many were answered."""

    def __init__(self, address):
        super().__init__(daemon=True)
        self.tried = self.answered = 0
        self._address = address

    def run(self):
        connection = http.client.HTTPConnection(*self._address, timeout=30)
        try:
            while True:
                self.tried += 1
                connection.request("POST", "/visit")
                answer = connection.getresponse()
                answer.read()
                self.answered += answer.status == 200
        except (OSError, http.client.HTTPException):
            return


@dataclass
class Kills:
    """What all rounds came to."""

    rounds: int = 0
    sent: int = 0
    answered: int = 0
    lost_visits: int = 0
    excess: int = 0
    lacking: list = field(default_factory=list)
    ages: list = field(default_factory=list)

    def __str__(self):
        return (
            f"{self.rounds} kills under {self.sent} lines and {self.answered} answered POSTs: lost answered POSTs {self.lost_visits}, "
            f"excess {self.excess}; lines lacking after a kill: median {statistics.median(self.lacking):.0f}, max {max(self.lacking)}; "
            f"the oldest of them sent before it: median {statistics.median(self.ages) * 1000:.0f} ms, "
            f"max {max(self.ages) * 1000:.0f} ms (bound: flush {FLUSH_SECONDS * 1000:.0f} ms + {ALLOWANCE_SECONDS * 1000:.0f} ms)"
        )


def counts(agent):
    page = Page(agent.text(), False)
    return {name: int(page.value(f"{name}_total") or 0) for name in ("over_tcp", "over_udp", "visit")}


def run_kills(program, directory, rounds, lines_a_second=100_000, seed=1):
    """Starts, loads, kills and starts again, `rounds` times; every start is held against what was sent."""
    generator = random.Random(seed)
    found = Kills()
    place = Place(program, directory, "--flush-interval", f"{FLUSH_SECONDS * 1000:.0f}ms", "--journal-sync", "always")
    agent = place.start()
    try:
        before = counts(agent)
        for _ in range(rounds):
            tcp, udp = agent.address("tcp"), agent.address("udp")
            loads = {
                "over_tcp": Load(b"over_tcp:1|c", lambda: open_stream(tcp), lines_a_second / 2),
                "over_udp": Load(b"over_udp:1|c", lambda: udp_to(udp), lines_a_second / 2),
            }
            visitors = [Visitor(agent.address("http")) for _ in range(3)]
            threads = [*loads.values(), *visitors]
            for thread in threads:
                thread.start()
            time.sleep(generator.uniform(0.2, 1.5))
            agent.kill()
            for thread in threads:
                thread.join(10)
                assert not thread.is_alive(), "a sender does not notice that nobody listens"
            verified = subprocess.run([program, "journal", "verify", "--state-dir", place.state], capture_output=True, text=True, timeout=60)
            assert verified.returncode == 0, verified.stdout + verified.stderr

            agent = place.start()
            after = counts(agent)
            lost = [line for line in agent.log if " error " in line]
            assert not lost, lost
            for name, load in loads.items():
                counted = after[name] - before[name]
                missing, age = load.lacking(counted)
                found.sent += load.sent[-1][1]
                found.excess += max(0, counted - load.offered)
                found.lacking.append(missing)
                found.ages.append(age)
            visits = after["visit"] - before["visit"]
            answered = sum(visitor.answered for visitor in visitors)
            found.answered += answered
            found.lost_visits += max(0, answered - visits)
            found.excess += max(0, visits - sum(visitor.tried for visitor in visitors))
            found.rounds += 1
            before = after
        assert agent.stop() == 0, agent.log
    finally:
        if agent.is_running:
            agent.kill()
    assert found.answered > 0 and found.sent > 0, "there was no load"
    assert found.lost_visits == 0 and found.excess == 0, found
    assert max(found.ages) <= FLUSH_SECONDS + ALLOWANCE_SECONDS, found
    return found
