"""Restarts under load: datagrams at a pace, lines over one stream, visits over HTTP, while one process follows the other.

What was sent is what all processes together have read, and what the last one counts, to the unit: its journal goes on where the others'
ended. A visit that was answered is counted, and its answer is one more than the one before; one that was not answered is not counted.
"""

import contextlib
import http.client
import random
import signal
import socket
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from .manager import Manager
from .pacing import PacedSender
from .place import FREE, Place, listening_at
from .sending import open_stream
from .waiting import wait_for

RATE = 100_000
FLAGS = ("--receive-buffer", "64MiB", "--flush-interval", "100ms")
WAYS = ("activation", "store", "takeover")


@dataclass
class Outcome:
    rounds: int = 0
    processes: int = 0
    datagrams: int = 0
    counted: int = 0
    dropped: int = 0
    lines: int = 0
    lines_counted: int = 0
    visits: int = 0
    visits_counted: int = 0
    unanswered: int = 0
    longest_round: float = 0.0

    def __str__(self):
        return (
            f"{self.rounds} rounds, {self.processes} processes: datagrams {self.datagrams} sent, {self.counted} counted, "
            f"{self.dropped} dropped; lines over TCP {self.lines} sent, {self.lines_counted} counted; visits over HTTP "
            f"{self.visits} answered, {self.visits_counted} counted, {self.unanswered} asked again; "
            f"longest round {self.longest_round:.2f} s"
        )


class StreamLoad(threading.Thread):
    """Lines over one connection, cut anywhere, so that a restart finds it within a line."""

    def __init__(self, address):
        super().__init__(daemon=True)
        self.stop = threading.Event()
        self.sent = 0
        self.fault = None
        self._stream = open_stream(address, seconds=30)
        self._stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def run(self):
        generator = random.Random(1)
        try:
            while not self.stop.is_set():
                text = b"streamed:1|c\n" * 50
                at = generator.randrange(1, len(text))
                self._stream.sendall(text[:at])
                time.sleep(0.002)
                self._stream.sendall(text[at:])
                self.sent += 50
            self._stream.shutdown(socket.SHUT_WR)
            assert self._stream.recv(1) == b""
        except (OSError, AssertionError) as fault:
            self.fault = fault


class VisitLoad(threading.Thread):
    """Visits over HTTP, one after the other on a connection that is kept alive, each answered by one more than the last."""

    def __init__(self, address):
        super().__init__(daemon=True)
        self.stop = threading.Event()
        self.answered = 0
        self.unanswered = 0
        self.fault = None
        self._address = address

    def run(self):
        connection = None
        while not self.stop.is_set():
            try:
                connection = connection or http.client.HTTPConnection(*self._address, timeout=30)
                connection.request("POST", "/visits/web")
                answer = connection.getresponse()
                body = answer.read()
            except (OSError, http.client.HTTPException):
                self.unanswered += 1
                connection = None
                continue
            if answer.status != 200:
                self.fault = self.fault or f"{answer.status} {body}"
                return
            if answer.will_close:
                connection = None
            count = int(body.split(b'"visits":')[1].split(b",")[0].strip(b" }"))
            self.answered += 1
            if count != self.answered:
                self.fault = self.fault or f"{count} visits in the answer to number {self.answered}"
            time.sleep(0.0005)


def run_restarts(program, way, rounds, rate=RATE):
    """Restarts the agent so often; returns what came of it, everything held against what was sent."""
    with tempfile.TemporaryDirectory() as directory, contextlib.ExitStack() as stack:
        course = {"activation": Activation, "store": Store, "takeover": ByTakeover}[way](program, Path(directory), stack)
        return _run(course, rounds, rate)


def _run(course, rounds, rate):
    outcome = Outcome()
    agents = [course.start()]
    try:
        first = agents[0]
        stream, visits = StreamLoad(first.address("tcp")), VisitLoad(first.address("http"))
        with PacedSender(first.address("udp"), b"visit:page1|c", rate) as sender:
            stream.start()
            visits.start()
            wait_for(lambda: sender.sent > rate // 10, "the load is on", seconds=30)
            for _ in range(rounds):
                began, before = time.monotonic(), sender.sent
                agents.append(course.follow(agents[-1]))
                outcome.rounds += 1
                outcome.longest_round = max(outcome.longest_round, time.monotonic() - began)
                wait_for(lambda: sender.sent > before + rate // 20, "the load goes on", seconds=30)
        for load in (stream, visits):
            load.stop.set()
            load.join(30)
            assert not load.is_alive() and load.fault is None, load.fault
        last = agents[-1]
        expected = {"visit_total": sender.sent, "streamed_total": stream.sent}

        def totals():
            page = last.scrape()
            found = {"visit_total": page.value("visit_total", page="page1"), "streamed_total": page.value("streamed_total")}
            assert found == expected, (found, expected)
            return page

        outcome.visits_counted = int(wait_for(totals, "the last process counts what was sent", every=0.1).value("visit_total", page="web"))
        assert last.stop() == 0, last.log
    finally:
        for agent in agents:
            if agent.is_running:
                agent.kill()
    outcome.processes = len(agents)
    outcome.datagrams, outcome.lines, outcome.visits = sender.sent, stream.sent, visits.answered
    outcome.unanswered = visits.unanswered
    for agent in agents:
        ledgers = agent.final_ledgers()
        udp, tcp = (next(books for name, books in ledgers.items() if name.startswith(kind)) for kind in ("udp:", "tcp:"))
        assert udp.refused == tcp.refused == 0 and udp.datagrams == udp.accepted, (udp, tcp)
        outcome.counted += udp.datagrams
        outcome.dropped += udp.dropped
        outcome.lines_counted += tcp.accepted
    assert outcome.counted + outcome.dropped == outcome.datagrams, outcome
    assert outcome.dropped == 0, outcome
    assert outcome.lines_counted == outcome.lines, outcome
    assert outcome.visits_counted == outcome.visits, outcome
    return outcome


class Activation:
    """The manager's socket units have bound everything; its store keeps the streams."""

    def __init__(self, program, directory, stack):
        self.program = program
        self.flags = (*FLAGS, "--state-dir", directory / "state")
        self.manager = Manager(directory)
        stack.callback(self.manager.close)
        self.bind()

    def bind(self):
        self.manager.bind("lines", socket.SOCK_DGRAM, ("127.0.0.1", 0), count=4)
        self.manager.bind("lines", socket.SOCK_STREAM, ("127.0.0.1", 0), count=2)
        self.manager.bind("http", socket.SOCK_STREAM, ("127.0.0.1", 0))

    def start(self):
        return self.manager.start(self.program, *self.flags, *listening_at(FREE))

    def follow(self, agent):
        agent.signal(signal.SIGUSR2)
        assert agent.wait(10) == 0, agent.log
        return self.start()


class Store(Activation):
    """The program's own sockets, in the manager's descriptor store."""

    def bind(self):
        pass


class ByTakeover:
    """No manager: the next process asks the running one."""

    def __init__(self, program, directory, stack):
        self.start = Place(program, directory, *FLAGS).start

    def follow(self, agent):
        following = self.start("--takeover")
        following.wait_for_log("taken over")
        assert agent.wait(10) == 0, agent.log
        return following
