"""What `GET /stats` costs others: a table of many series, some of them active every second, and windows with and without questions.

The sender keeps a pace, and the load is the same in every window. What differs is whether somebody asks, so that a datagram lost in a
window of questions and in no other is lost to them.
"""

import random
import socket
import statistics
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from .exposition import Page
from .load import WINDOW_DATAGRAMS, WORKERS_START
from .sending import open_stream, udp_to
from .waiting import wait_for

LINES_PER_DATAGRAM = 80
# Datagrams that a sender behind its time may send at once.
BURST = 64
SETS = 10


@dataclass
class Window:
    """Some seconds of the load: what was sent and what became of it, and how long each question took.

    `running` counts from when it was asked, without the time that the agent's thread and the asker's were ready to run and had no
    processor: what can be told on a machine that others use too.
    """

    sent: int = 0
    received: int = 0
    dropped: int = 0
    milliseconds: list[float] = field(default_factory=list)
    running: list[float] = field(default_factory=list)

    def __add__(self, other):
        return Window(*(mine + theirs for mine, theirs in zip(vars(self).values(), vars(other).values())))

    def __str__(self):
        text = f"sent {self.sent}, received {self.received}, dropped {self.dropped}"
        if len(self.milliseconds) < 2:
            return text
        text += f"; {len(self.milliseconds)} answers: {spread(self.milliseconds)}"
        return f"{text}; without waiting for a processor: {spread(self.running)}"


def spread(milliseconds):
    parts = statistics.quantiles(milliseconds, n=100, method="inclusive")
    return f"p50 {parts[49]:.2f} ms, p99 {parts[98]:.2f} ms, max {max(milliseconds):.2f} ms"


def feed(agent, series):
    """Counts each of `visit{page="p0"}`, … once, no faster than the agent takes them."""
    with udp_to(agent.address("udp")) as sender:
        sent = 0
        for payload in payloads(range(series)):
            sender.send(payload)
            sent += 1
            if sent % WINDOW_DATAGRAMS == 0:
                wait_for(lambda: received(agent)[0] == sent, f"{sent} datagrams are received", 60)
        wait_for(lambda: received(agent)[0] == sent, f"{sent} datagrams are received", 60)
    wait_for(lambda: agent.stats("/stats/visit", top=0)["total"] == series, f"{series} visits are counted", 60)


def payloads(pages):
    lines = [b"visit:p%d|c" % page for page in pages]
    return [b"\n".join(lines[at : at + LINES_PER_DATAGRAM]) for at in range(0, len(lines), LINES_PER_DATAGRAM)]


def received(agent):
    """Datagrams received, and dropped by the kernel; the series stay off the page."""
    ledger = Page(agent.get("/metrics", params={"metric": "footfall_datagrams_*"}).text).ledger(agent.listener("udp"))
    return ledger.datagrams, ledger.dropped


def send_paced(address, series, active, per_second, seconds, seed, sent):
    """Every second each of `active` series drawn from all, again and again until `per_second` lines are out; then another draw.

    A process of its own. Leaves in `sent` how many datagrams went out.
    """
    generator = random.Random(seed)
    draws = [payloads(generator.sample(range(series), active)) for _ in range(min(SETS, seconds))]
    pause = LINES_PER_DATAGRAM / per_second
    total = round(seconds / pause)
    begin = time.monotonic()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.connect(address)
        while sent.value < total:
            due = min(total, sent.value + BURST, int((time.monotonic() - begin) / pause) + 1)
            while sent.value < due:
                draw = draws[int(sent.value * pause) % len(draws)]
                sender.send(draw[sent.value % len(draw)])
                sent.value += 1
            time.sleep(max(0.0, begin + sent.value * pause - time.monotonic()))


def ask_paced(agent, path, per_second, stop, window):
    """Asks at a pace over one connection. A question's time counts from when it was due: one that waits for the last is late."""
    request = f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode()
    threads = [Path("/proc/thread-self/schedstat"), thread_named(agent.pid, "query") / "schedstat"]
    begin = time.monotonic()
    with open_stream(agent.address("http"), 30) as stream:
        stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while not stop.is_set():
            due = begin + len(window.milliseconds) / per_second
            time.sleep(max(0.0, due - time.monotonic()))
            waited, asked = waiting_milliseconds(threads), time.monotonic()
            stream.sendall(request)
            read_answer(stream)
            answered = time.monotonic()
            window.milliseconds.append((answered - due) * 1e3)
            window.running.append(max(0.0, (answered - asked) * 1e3 - waiting_milliseconds(threads) + waited))


def thread_named(pid, name):
    return next(task for task in Path(f"/proc/{pid}/task").iterdir() if (task / "comm").read_text().strip() == name)


def waiting_milliseconds(threads):
    """How long threads were ready and did not run: the second field of schedstat (Documentation/scheduler/sched-stats.rst)."""
    return sum(int(thread.read_text().split()[1]) for thread in threads) / 1e6


def read_answer(stream):
    answer = b""
    while b"\r\n\r\n" not in answer:
        answer += receive(stream)
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 "), head
    length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
    while len(body) < length:
        body += receive(stream)


def receive(stream):
    piece = stream.recv(65_536)
    assert piece, "the agent closed the connection"
    return piece


def run_window(agent, sending, seconds, seed, path=None, questions=20):
    """A window of the load; with a path somebody asks for it so many times a second."""
    window = Window()
    before = received(agent)
    sent, stop = WORKERS_START.Value("q", 0), threading.Event()
    arguments = (agent.address("udp"), *sending, seconds, seed, sent)
    sender = WORKERS_START.Process(target=send_paced, args=arguments, daemon=True)
    sender.start()
    wait_for(lambda: sent.value, "the sender sends", 30)
    faults = []

    def ask():
        try:
            ask_paced(agent, path, questions, stop, window)
        except BaseException as fault:
            faults.append(fault)

    asking = threading.Thread(target=ask)
    if path:
        asking.start()
    sender.join(seconds + 60)
    stop.set()
    if path:
        asking.join()
    assert sender.exitcode == 0 and not faults, (sender.exitcode, faults)
    window.sent = sent.value

    def is_complete():
        window.received, window.dropped = (now - then for now, then in zip(received(agent), before))
        return window.received + window.dropped == window.sent

    wait_for(is_complete, "every datagram sent is received or dropped", 10, every=0.05)
    return window
