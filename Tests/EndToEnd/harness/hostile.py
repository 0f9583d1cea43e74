"""Streams that no client means: mixtures of good and bad lines, random bytes, a line without end."""

import contextlib
import random
import re
import socket
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from .dialects import Dialects
from .sending import open_stream, udp_to

BAD = [
    *(b"", b"\r", b":1|c", b"visit", b"visit:", b"a:nan|c", b"a:0x1f|c", b"a:1|q", b"a:1|", b"a:1|c|@0", b"a:1|c|@x", b"a:1|c|Tx"),
    *(b"a:1|c|#\x01", b"a,k=v:1|c|#k:v", b"visit:p|c|#page:q", b"a\xff:1|c", b"\x00:1|c", b"a:\xc3\x28|s", b"_e{5,5}:title|te"),
    *(b"_e{", b"_sc|up|7", b"_sc|", b"x" * 9000 + b":1|c", b"a:1|g|nothing", b"|||", b":::", b"a:1|c\r"),
]
# Sent between two looks at what was received: some 150 KB, for which a receive buffer has room.
WINDOW_DATAGRAMS = 100


def mixture(generator, count):
    """Lines of every dialect, lines that are wrong, and good ones with a byte changed, added or lost."""
    dialects = Dialects(generator.randrange(2**32))
    lines = []
    for _ in range(count):
        line, draw = bytearray(dialects.line().encode()), generator.random()
        if draw < 0.2:
            line = generator.choice(BAD)
        elif draw < 0.5:
            at = generator.randrange(len(line))
            odd = generator.choices(b":|@#,;[]=.-+\x00\xff1ac ", k=generator.randrange(3))
            line[at : at + generator.randrange(2)] = bytes(odd)
        lines.append(bytes(line))
    return lines


def resident_kib(pid):
    return int(re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())[1])


@dataclass
class Garbage:
    lines: int
    accepted: int
    refused: dict
    datagrams: int
    dropped: int


def random_bytes(agent, lines, seed):
    """Sends lines of random bytes as datagrams of many, no faster than the agent reads; holds the books, and returns them."""
    generator, listener, sent, datagrams = random.Random(seed), agent.listener("udp"), 0, 0
    with udp_to(agent.address("udp")) as sender:
        while sent < lines:
            for _ in range(WINDOW_DATAGRAMS):
                payload = generator.randbytes(generator.randrange(600, 1400))
                # An LF every 30 bytes, where random bytes alone have one in 256.
                payload = b"\n".join(payload[at : at + 30] for at in range(0, len(payload), 30))
                sender.send(payload)
                datagrams += 1
                sent += sum(1 for line in payload.split(b"\n") if line not in (b"", b"\r"))
            agent.wait_for_value(datagrams, "footfall_datagrams_received_total", listener=listener)
    ledger = agent.wait_for_ledger("udp", sent, seconds=30)
    assert ledger.read == sent and ledger.holds() and ledger.datagrams + ledger.dropped == datagrams, (ledger, sent, datagrams)
    assert agent.is_running
    return Garbage(ledger.read, ledger.accepted, ledger.refused, ledger.datagrams, ledger.dropped)


@dataclass
class Endless:
    bytes: int
    before_kib: int
    peak_kib: int
    after_kib: int

    @property
    def grown_kib(self):
        return max(self.peak_kib, self.after_kib) - self.before_kib


def endless_line(agent, size):
    """Sends so many bytes over TCP without one LF, then a line; watches resident memory all the while."""
    with open_stream(agent.address("tcp"), seconds=60) as stream:
        # The connection's own buffer is there before the measuring begins.
        stream.sendall(b"before:1|c\n" + b"x" * 100_000)
        agent.wait_for_line("before_total 1")
        before, done, peak = resident_kib(agent.pid), threading.Event(), [0]

        def watch():
            while not done.is_set():
                peak[0] = max(peak[0], resident_kib(agent.pid))
                time.sleep(0.005)

        watcher = threading.Thread(target=watch)
        watcher.start()
        try:
            piece = b"y" * (1 << 20)
            for _ in range(size >> 20):
                stream.sendall(piece)
            stream.sendall(b":1|c\nbehind:1|c\n")
            agent.wait_for_line("behind_total 1", seconds=60)
        finally:
            done.set()
            watcher.join()
    ledger = agent.wait_for_ledger("tcp", 3)
    assert (ledger.read, ledger.accepted, ledger.refused) == (3, 2, {"too_long": 1}), ledger
    return Endless(size, before, peak[0], resident_kib(agent.pid))


@dataclass
class Crowd:
    """What became of streams that come in numbers, drip, or come from where nobody is heard."""

    opened: int
    rejected: dict
    bytes_a_stream: float


def crowd(agent, streams, allowed_addresses, strangers):
    """Opens so many streams from each address, leaves a line unended on each that is kept, and waits until all are gone; books by reason.

    The agent must have a limit of streams by address and a short time for a line.
    """
    kept, listener = [], agent.listener("tcp")
    before = resident_kib(agent.pid)
    for address in allowed_addresses + strangers:
        for _ in range(streams):
            stream = socket.create_connection(agent.address("tcp"), timeout=10, source_address=(address, 0))
            with contextlib.suppress(OSError):
                stream.sendall(b"visit:page1|c\nunended")
            kept.append(stream)
    opened = agent.scrape().value("footfall_connections", listener=listener)
    grown = resident_kib(agent.pid) - before
    agent.wait_for_value(0, "footfall_connections", listener=listener, seconds=60)
    for stream in kept:
        stream.close()
    rejected = {
        labels["reason"]: int(value)
        for labels, value in agent.scrape().series("footfall_connections_rejected_total") if labels["listener"] == listener and value
    }
    assert sum(rejected.values()) == len(kept), (rejected, len(kept))
    assert rejected["refused_source"] == streams * len(strangers), rejected
    ledger = agent.scrape().ledger(listener)
    assert ledger.holds() and ledger.refused == {"truncated": rejected["slow_line"]} and ledger.accepted == rejected["slow_line"], (ledger, rejected)
    return Crowd(len(kept), rejected, grown * 1024 / max(1, opened))
