"""A load whose outcome is known to the unit: datagrams made once from a seed, sent again and again by several processes, and what the
totals must then be.

A sender over UDP may only send what the agent has room for. It takes from a shared credit, which the observer raises as the agent
reports lines as read, so that the kernel has nothing to drop and no sender waits longer than for the next report.
"""

import collections
import multiprocessing
import random
import socket
import time

from .sending import family_of, open_stream

PAGES = 400
PAYLOAD_BYTES = 1400
PAYLOADS = 150
# The kernel charges about 2.3 KB for a datagram of 1,400 bytes: this many fit into the receive buffer of one worker, should the
# senders all come to the same.
WINDOW_DATAGRAMS = 1000
BATCH = 8
WORKERS_START = multiprocessing.get_context("spawn")


def make_lines(generator):
    """Lines of every kind that adds up, without end: text, and what it adds to which sample of /metrics."""
    while True:
        page = f"page{int(generator.paretovariate(0.7)) % PAGES}"
        form = generator.randrange(10)
        if form < 5:
            yield f"visit:{page}|c", [("visit_total", (("page", page),), 1)]
        elif form < 6:
            count = generator.randrange(1, 9)
            yield f"visit:{page}:{count}|c", [("visit_total", (("page", page),), count)]
        elif form < 8:
            host, count = f"h{generator.randrange(20)}", generator.randrange(-2, 6)
            labels = (("env", "prod"), ("host", host))
            tags = generator.choice([f"env:prod,host:{host}", f"host:{host},env:prod"])
            yield f"hits:{count}|c|#{tags}", [("hits_total", labels, count)]
        elif form < 9:
            yield "sampled:1:2|c|@0.25", [("sampled_total", (), 12)]
        else:
            milliseconds = generator.randrange(1, 1000)
            yield (
                f"took:{milliseconds}|ms|@0.5",
                [("took_seconds_count", (), 2), ("took_seconds_sum", (), 2 * milliseconds)],
            )


class Payload:
    """One datagram's bytes and what it adds; timers' sums stay in whole milliseconds, to be exact."""

    def __init__(self, lines):
        text = bytearray()
        self.lines = 0
        self.adds = collections.Counter()
        for line, adds in lines:
            encoded = line.encode()
            if len(text) + len(encoded) + 1 > PAYLOAD_BYTES:
                break
            text += encoded + b"\n"
            self.lines += 1
            for name, labels, amount in adds:
                self.adds[(name, labels)] += amount
        self.bytes = bytes(text)


def make_payloads(seed):
    lines = make_lines(random.Random(seed))
    return [Payload(lines) for _ in range(PAYLOADS)]


def expected_totals(seeds, rounds):
    """What `rounds` passes over the payloads of each seed add up to, by name and labels; and how many lines that is."""
    totals, lines = collections.Counter(), 0
    for seed in seeds:
        for payload in make_payloads(seed):
            lines += payload.lines * rounds
            for key, amount in payload.adds.items():
                totals[key] += amount * rounds
    return totals, lines


class Credit:
    """Datagrams that may be sent: a number that only the observer raises, and the number already taken."""

    def __init__(self):
        self.granted = WORKERS_START.Value("q", WINDOW_DATAGRAMS)
        self._taken = WORKERS_START.Value("q", 0)

    def take(self, count):
        while True:
            with self._taken.get_lock():
                if self._taken.value + count <= self.granted.value:
                    self._taken.value += count
                    return
            time.sleep(0.0002)

    def report(self, datagrams_received):
        self.granted.value = int(datagrams_received) + WINDOW_DATAGRAMS


def send_over_udp(address, seed, rounds, credit):
    payloads = [payload.bytes for payload in make_payloads(seed)]
    with socket.socket(family_of(address[0]), socket.SOCK_DGRAM) as sender:
        sender.connect(address)
        for _ in range(rounds):
            for at in range(0, len(payloads), BATCH):
                batch = payloads[at : at + BATCH]
                credit.take(len(batch))
                for payload in batch:
                    sender.send(payload)


def send_over_tcp(address, seed, rounds, credit):
    """The same lines as one stream, cut wherever a random number says: within names, numbers, before an LF."""
    generator = random.Random(~seed)
    text = b"".join(payload.bytes for payload in make_payloads(seed))
    with open_stream(address, seconds=60) as stream:
        stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for _ in range(rounds):
            at = 0
            while at < len(text):
                size = generator.choice((1, 2, 3, generator.randrange(4, 64), generator.randrange(64, 9000), 70_000))
                stream.sendall(text[at : at + size])
                at += size
        stream.shutdown(socket.SHUT_WR)
        assert stream.recv(1) == b""


def start_senders(transport, address, seeds, rounds, credit):
    send = {"udp": send_over_udp, "tcp": send_over_tcp}[transport]
    senders = [WORKERS_START.Process(target=send, args=(address, seed, rounds, credit), daemon=True) for seed in seeds]
    for sender in senders:
        sender.start()
    return senders
