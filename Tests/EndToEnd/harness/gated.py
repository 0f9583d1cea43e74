"""Senders behind one gate: each a process of its own that keeps a pace while the gate is open and knows how often it has sent each payload.

A payload counts before it is handed over, so that what failed half way is in the books: no agent can have counted more.
"""

import socket
import time

from .load import WORKERS_START
from .sending import open_stream
from .waiting import wait_for

STREAMS = ("tcp", "unix-stream")


def connect(way, address):
    if way in STREAMS:
        return open_stream(address)
    sender = socket.socket(socket.AF_UNIX if isinstance(address, str) else socket.AF_INET, socket.SOCK_DGRAM)
    sender.settimeout(10)
    sender.connect(address)
    return sender


def send_through(gate, way, address, payloads, sent):
    """Sends the payloads in turn at the pace while the gate is open, over a new connection each time it opens."""
    sender, number = None, 0
    while not gate.is_over.is_set():
        if not gate.is_open.is_set():
            with gate.resting.get_lock():
                gate.resting.value += 1
            while not gate.is_open.wait(0.2) and not gate.is_over.is_set():
                pass
            with gate.resting.get_lock():
                gate.resting.value -= 1
            # What a killed agent has left of a stream takes a write without an error.
            if sender:
                sender.close()
            sender = None
            continue
        begin = time.monotonic()
        try:
            sender = sender or connect(way, address)
            # A tenth of a second at a time.
            for _ in range(max(1, round(gate.per_second.value / 10))):
                if not gate.is_open.is_set():
                    break
                which = number % len(payloads)
                number += 1
                sent[which] += 1
                sender.sendall(payloads[which])
        except OSError:
            if sender:
                sender.close()
            sender = None
            time.sleep(0.05)
        time.sleep(max(0.0, begin + 0.1 - time.monotonic()))


class Gate:
    """What the senders share: how many payloads a second each may send, and whether any may."""

    def __init__(self, per_second):
        self.per_second = WORKERS_START.Value("d", per_second)
        self.is_open = WORKERS_START.Event()
        self.is_over = WORKERS_START.Event()
        self.resting = WORKERS_START.Value("i", 0)


class Senders:
    """One sender for each of `ways`: a listener's kind, its address, and the payloads to send in turn. The gate is shut at first."""

    def __init__(self, ways, per_second=200.0):
        self.gate = Gate(per_second)
        # Whole words that one process writes.
        self._sent = [WORKERS_START.RawArray("q", len(payloads)) for _, _, payloads in ways]
        self._processes = [
            WORKERS_START.Process(target=send_through, args=(self.gate, *way, sent), daemon=True) for way, sent in zip(ways, self._sent)
        ]
        for process in self._processes:
            process.start()

    def sent(self, which):
        """How often a sender has sent each of its payloads."""
        return list(self._sent[which])

    def open(self):
        self.gate.is_open.set()

    def rest(self):
        """Shuts the gate and waits until nobody sends."""
        self.gate.is_open.clear()

        def all_rest():
            assert all(process.is_alive() for process in self._processes), "a sender failed"
            return self.gate.resting.value == len(self._processes)

        wait_for(all_rest, "all senders rest", 30)

    def end(self):
        self.gate.is_over.set()
        for process in self._processes:
            process.join(15)
