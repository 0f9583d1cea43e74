"""A long run at half of what the machine can do: all listeners under load, everything read, the configuration read again every minute,
the agent killed and taken over again and again.

Senders count what they hand over. Now and then a gate stops them, and once the agent has read everything, each way's total is held against
what was sent: without a kill in between they are equal, but for what the kernel dropped and said so.
"""

import contextlib
import http.client
import signal
import statistics
import time
from dataclasses import dataclass, field
from pathlib import Path

from .gated import Senders
from .hostile import resident_kib
from .place import FREE, Place
from .sending import open_stream
from .waiting import wait_for

LINES_PER_PAYLOAD = 60
PAGES = 500
STREAMS_OF_EVENTS = 2
# Of the flush interval and what was on its way, a kill may cost so much of a way's pace.
KILL_COSTS_SECONDS = 3.0
WAYS = ("udp", "tcp", "unix-datagram", "unix-stream")


def metric(way):
    return f"soak_{way.replace('-', '_')}"


def payload(way, number):
    lines = [f"{metric(way)}:p{(number * LINES_PER_PAYLOAD + at) % PAGES}|c" for at in range(LINES_PER_PAYLOAD)]
    return "\n".join(lines).encode() + b"\n"


@dataclass
class Posts:
    """POST /visits/soak over one connection that is opened anew when it was closed. An answered one is on disk."""

    attempted: int = 0
    answered: int = 0
    connection: http.client.HTTPConnection | None = None

    def send(self, address):
        self.attempted += 1
        try:
            self.connection = self.connection or http.client.HTTPConnection(*address, timeout=10)
            self.connection.request("POST", "/visits/soak")
            answer = self.connection.getresponse()
            answer.read()
            self.answered += answer.status == 200
        except (OSError, http.client.HTTPException):
            self.connection.close()
            self.connection = None


@dataclass
class Outcome:
    lines: int = 0
    lost_to_kills: dict = field(default_factory=dict)
    dropped: int = 0
    kills: int = 0
    takeovers: int = 0
    reloads: int = 0
    scrapes: int = 0
    memory: list = field(default_factory=list)
    descriptors: list = field(default_factory=list)
    busy: list = field(default_factory=list)

    def __str__(self):
        def spread(values):
            return f"{min(values)} to {max(values)}" if values else "not measured"

        return (
            f"{self.lines} lines, {self.kills} kills (lost to them: {self.lost_to_kills}), {self.takeovers} takeovers, {self.reloads} reloads, "
            f"{self.scrapes} scrapes, {self.dropped} datagrams dropped by the kernel and said so; machine {statistics.mean(self.busy):.0%} busy; "
            f"resident {spread(self.memory)} KiB, descriptors {spread(self.descriptors)}"
        )


class Soak:
    """Runs the agent, the senders, and what disturbs them.

    Seconds between: `reload_every` SIGHUPs, `disturb_every` kills, and as far between the kills takeovers. Memory and descriptors count
    after `settle` seconds.
    """

    def __init__(self, program, directory, reload_every, disturb_every, settle):
        self.reload_every, self.disturb_every, self.settle = reload_every, disturb_every, settle
        self.posts, self.outcome = Posts(), Outcome()
        self.events = []
        self.lost = dict.fromkeys(WAYS, 0)
        self.dropped_before = 0
        paths = {kind: str(Path(directory) / kind) for kind in ("unix-datagram", "unix-stream")}
        self.start = Place(program, directory, "--journal-sync", "always", addresses=FREE | paths).start
        self.agent = self.start()
        self.senders = Senders([(way, self.address_of(way), [payload(way, number) for number in range(PAGES)]) for way in WAYS])

    def run(self, seconds):
        self.go_on()
        begin = time.monotonic()
        due = {
            self.reload: begin + self.reload_every,
            self.kill: begin + self.disturb_every / 2,
            self.take_over: begin + self.disturb_every,
        }
        every = {self.reload: self.reload_every, self.kill: self.disturb_every, self.take_over: self.disturb_every}
        busy = busy_ticks()
        while (now := time.monotonic()) < begin + seconds:
            for act in [act for act, at in due.items() if now >= at]:
                act()
                due[act] += every[act]
                busy = busy_ticks()
            self.observe(now - begin)
            time.sleep(1)
            busy = self.hold_pace(busy)
        self.reconcile()
        assert self.agent.stop() == 0, self.agent.log[-20:]
        self.outcome.lines = sum(self.sent())
        self.outcome.lost_to_kills = dict(self.lost)
        return self.outcome

    def address_of(self, way):
        return self.agent.address(way) if way in ("udp", "tcp") else self.agent.path(way)

    # What goes on all the while.

    def observe(self, elapsed):
        self.agent.scrape()
        self.outcome.scrapes += 1
        self.agent.stats()
        assert self.agent.get("/health").json()["status"] == "healthy", self.agent.get("/health").text
        for _ in range(20):
            self.posts.send(self.agent.address("http"))
        if elapsed > self.settle:
            self.outcome.memory.append(resident_kib(self.agent.pid))
            self.outcome.descriptors.append(len(list(Path(f"/proc/{self.agent.pid}/fd").iterdir())))

    def hold_pace(self, before):
        """Raises or lowers the pace so that half of the processors' time is used."""
        now = busy_ticks()
        used = (now[0] - before[0]) / max(1, now[1] - before[1])
        self.outcome.busy.append(used)
        change = min(1.2, max(0.8, 0.5 / max(0.05, used)))
        # A sender sends one at least, ten times a second.
        pace = self.senders.gate.per_second
        pace.value = max(10.0, pace.value * change)
        return now

    def watch_events(self):
        for stream in self.events:
            stream.close()
        self.events = []
        for _ in range(STREAMS_OF_EVENTS):
            stream = open_stream(self.agent.address("http"))
            stream.sendall(b"GET /events HTTP/1.1\r\nHost: a\r\n\r\n")
            assert stream.recv(64).startswith(b"HTTP/1.1 200 "), "/events does not answer"
            self.events.append(stream)

    # What disturbs.

    def reload(self):
        self.agent.signal(signal.SIGHUP)
        self.outcome.reloads += 1

    def kill(self):
        """kill -9 under load; the senders rest until the next start is ready."""
        before = self.sent()
        self.agent.kill()
        self.senders.rest()
        on_the_way = {way: now - sent for way, now, sent in zip(WAYS, self.sent(), before)}
        self.agent = self.start()
        self.dropped_before = 0
        self.outcome.kills += 1
        bound = self.senders.gate.per_second.value * KILL_COSTS_SECONDS * LINES_PER_PAYLOAD
        for way, lost in self.losses().items():
            more = lost - self.lost[way]
            allowed = on_the_way[way] + bound
            assert 0 <= more <= allowed, f"{way}: a kill cost {more} lines, at most {allowed:.0f} were on their way"
            self.lost[way] = lost
        self.go_on()

    def take_over(self):
        """Another process takes sockets and state over, under load: nothing is lost."""
        leaving = self.agent
        self.agent = self.start("--takeover")
        assert leaving.wait(30) == 0, leaving.log[-20:]
        self.outcome.takeovers += 1
        self.reconcile()
        self.go_on()

    def go_on(self):
        self.watch_events()
        self.senders.open()

    def sent(self):
        """Lines handed over, by way."""
        return [sum(self.senders.sent(which)) * LINES_PER_PAYLOAD for which in range(len(WAYS))]

    def reconcile(self):
        """With the senders at rest: what was sent has been counted, but for what earlier kills cost."""
        self.senders.rest()
        page = self.agent.scrape()
        for way in WAYS:
            ledger = page.ledger(self.agent.listener(way))
            assert ledger.read == ledger.accepted and not ledger.refused, (way, ledger)
        dropped = page.ledger(self.agent.listener("udp")).dropped
        allowed = dict.fromkeys(WAYS, 0) | {"udp": max(0, dropped - self.dropped_before) * LINES_PER_PAYLOAD}

        def is_counted():
            more = {way: lost - self.lost[way] for way, lost in self.losses().items()}
            assert more == allowed, f"lost {more}, of which the kernel dropped {allowed}"
            return True

        wait_for(is_counted, "what was sent is counted", 30)
        self.outcome.dropped += dropped - self.dropped_before
        self.dropped_before = dropped
        self.lost = self.losses()
        visits = self.agent.get("/visits/soak").json()["visits"]
        assert self.posts.answered <= visits <= self.posts.attempted, (self.posts, visits)

    def losses(self):
        """Lines of each way that were handed over and are not counted, once the counts stand still."""

        def counted():
            page = self.agent.scrape()
            return {way: page.total(f"{metric(way)}_total") for way in WAYS}

        def at_rest():
            before = counted()
            time.sleep(0.2)
            return before if before == counted() else None

        still = wait_for(at_rest, "the counts stand still", 30)
        return {way: sent - still[way] for way, sent in zip(WAYS, self.sent())}

    def end(self):
        self.senders.end()
        with contextlib.suppress(ProcessLookupError):
            if self.agent.is_running:
                self.agent.kill()


def busy_ticks():
    """Ticks of all processors that were not idle, and all ticks: the first line of /proc/stat (proc_stat(5))."""
    ticks = [int(word) for word in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    return sum(ticks) - ticks[3] - ticks[4], sum(ticks)
