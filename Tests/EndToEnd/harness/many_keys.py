"""A flood of keys that never come twice: what a limit keeps out is counted all the same, and memory stays within its bound."""

import socket
import threading
import time
from dataclasses import dataclass

from .exposition import Page
from .hostile import resident_kib
from .sending import open_stream, udp_to
from .waiting import wait_for

LINES_A_DATAGRAM = 40
# Datagrams between two looks at what was received: as many as the receive buffer holds.
WINDOW = 100


@dataclass
class Outcome:
    """Lines as they were sent, and resident memory."""

    sent: int
    own: int
    other: int
    before_kib: int
    peak_kib: int
    seconds: float

    def __str__(self):
        return (f"{self.sent:,} keys, {self.own:,} with a series of their own, {self.other:,} in __other__; resident {self.before_kib / 1024:.0f} MiB, "
                f"at most {self.peak_kib / 1024:.0f} MiB; {self.seconds:.0f} s")


class Watch:
    """The greatest resident memory of a process while the context lasts."""

    def __init__(self, pid):
        self.pid, self.peak, self._done = pid, 0, threading.Event()

    def __enter__(self):
        self._thread = threading.Thread(target=self._look)
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._done.set()
        self._thread.join()

    def _look(self):
        while not self._done.is_set():
            self.peak = max(self.peak, resident_kib(self.pid))
            time.sleep(0.02)


def flood(agent, keys, line=b"visit:key%d|c", metric="visit", over_udp=0.1, streams=1):
    """Sends so many distinct keys, a part of them over UDP and the rest over TCP, and waits until all is counted; holds the books.

    `metric` is what all lines are of; None: each is of its own, and their totals are not looked at.
    """
    before, began = resident_kib(agent.pid), time.monotonic()
    datagrams = int(keys * over_udp) // LINES_A_DATAGRAM
    lines_there, datagrams_there = agent.get("/status").json()["ledger"]["lines_read"], received(agent)
    limited_there = own_page(agent).total("footfall_series_limited_total")
    in_datagrams = datagrams * LINES_A_DATAGRAM
    with Watch(agent.pid) as watch:
        shares = [(in_datagrams + (keys - in_datagrams) * i // streams, in_datagrams + (keys - in_datagrams) * (i + 1) // streams) for i in range(streams)]
        senders = [threading.Thread(target=_send_stream, args=(agent, line, *share)) for share in shares]
        for sender in senders:
            sender.start()
        with udp_to(agent.address("udp")) as sender:
            for number in range(datagrams):
                first = number * LINES_A_DATAGRAM
                sender.send(b"\n".join(line % key for key in range(first, first + LINES_A_DATAGRAM)))
                if number % WINDOW == WINDOW - 1:
                    wait_for(lambda: received(agent) == datagrams_there + number + 1, "the datagrams are there", seconds=60)
        for sender in senders:
            sender.join()
        books = wait_for(lambda: _books(agent, lines_there + keys), "all lines are read", seconds=120, every=0.2)
        wait_for(lambda: received(agent) == datagrams_there + datagrams, "all datagrams", seconds=30)
    assert all(ledger.holds() and not ledger.refused and not ledger.dropped for ledger in books), books
    other = int(own_page(agent).total("footfall_series_limited_total") - limited_there)
    # Every line counted by one, under its own name or another.
    if metric:
        counted = total_of(agent, metric) + total_of(agent, "__other__")
        assert counted == keys, (counted, keys)
    return Outcome(keys, keys - other, other, before, watch.peak, time.monotonic() - began)


def own_page(agent):
    """The program's own families: a page with a million series takes a reader of it longer than the agent."""
    return Page(agent.get("/metrics", params={"metric": "footfall_*"}).text)


def received(agent):
    return own_page(agent).total("footfall_datagrams_received_total")


def total_of(agent, metric):
    answer = agent.get(f"/stats/{metric}", params={"top": 1})
    return answer.json()["total"] if answer.status_code == 200 else 0


def _books(agent, lines):
    status = agent.get("/status").json()["ledger"]
    assert status["lines_read"] >= lines, status["lines_read"]
    page = own_page(agent)
    return [page.ledger(agent.listener(kind)) for kind in ("udp", "tcp")]


def _send_stream(agent, line, first, end):
    with open_stream(agent.address("tcp"), seconds=120) as stream:
        for start in range(first, end, 10_000):
            stream.sendall(b"\n".join(line % key for key in range(start, min(end, start + 10_000))) + b"\n")
        stream.shutdown(socket.SHUT_WR)
        assert stream.recv(1) == b""
