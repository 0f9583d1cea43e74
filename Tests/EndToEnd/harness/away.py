"""Redis goes away under load for a third of the time: memory stays flat, no datagram is lost to it, the sums come right when it is back."""

import time
from dataclasses import dataclass, field

from .agents import LINES_PER_PAYLOAD, WAYS, Agents
from .exposition import Page
from .hostile import resident_kib
from .sharing import AGENTS, Watcher, heal
from .stores import running_store
from .waiting import wait_for

HOWS = ("killed", "stopped")
PHASES = ("up", "away", "back")


@dataclass
class Away:
    how: str
    rate: int
    lines: int = 0
    # By phase: what the kernel dropped, and the most of resident memory that any agent had.
    dropped: dict = field(default_factory=dict)
    resident_kib: dict = field(default_factory=dict)
    reasons: list = field(default_factory=list)
    exact_after: float = 0.0

    @property
    def grown_kib(self):
        return max(self.resident_kib["away"], self.resident_kib["back"]) - self.resident_kib["up"]

    def __str__(self):
        phases = "; ".join(f"{phase}: {self.resident_kib[phase]} KiB, {self.dropped[phase]} dropped" for phase in PHASES)
        return (
            f"Redis {self.how}: {self.lines} lines at {self.rate} a second to {AGENTS} agents; most resident memory of one agent and "
            f"datagrams dropped while Redis is {phases}; degraded by {self.reasons}; exact {self.exact_after:.1f} s after the load"
        )


def run_away(program, directory, how, lines_a_second=200_000, seconds=180.0, interval=1.0, timeout=5.0, pages=1_000, seed=1):
    """A third of the time each: Redis is up, away, and back."""
    found = Away(how, lines_a_second)
    flags = ["--redis-flush-interval", f"{interval * 1000:.0f}ms", "--cache-ttl", "200ms", "--flush-interval", "100ms"]
    flags += ["--redis-timeout", f"{timeout * 1000:.0f}ms"]
    pace = lines_a_second / (AGENTS * len(WAYS) * LINES_PER_PAYLOAD)
    with running_store("single") as store:
        (server,) = store.servers
        agents = Agents(program, directory, AGENTS, store, *flags, pages=pages, per_second=pace)
        watcher = Watcher(agents, store, seed)
        try:
            agents.open()
            before = 0
            for phase in PHASES:
                if phase == "away":
                    server.kill() if how == "killed" else server.stop()
                elif phase == "back":
                    found.reasons = sorted(set().union(*(agent.get("/health").json().get("reasons", []) for agent in agents.running)))
                    assert set(agents.health()) == {"degraded"}, agents.health()
                    server.start() if how == "killed" else server.go_on()
                found.resident_kib[phase] = watch(agents, seconds / len(PHASES))
                now = dropped(agents)
                found.dropped[phase], before = now - before, now
                watcher.check()
            wait_for(lambda: set(agents.health()) == {"healthy"}, "all are healthy again", 30)
            agents.rest()
            agents.accounted()
            watcher.end()
            watcher.check()
            _, found.exact_after = heal(agents, store, 60)
            found.lines = sum(int(page.total("footfall_lines_accepted_total")) for page in map(own_page, agents.running))
            agents.stop()
        finally:
            watcher.end()
            agents.end()
    return found


def watch(agents, seconds):
    """The most of resident memory that any agent has meanwhile."""
    most, end = 0, time.monotonic() + seconds
    while time.monotonic() < end:
        most = max(most, *(resident_kib(agent.pid) for agent in agents.running))
        time.sleep(min(0.1, seconds / 10))
    return most


def own_page(agent):
    return Page(agent.get("/metrics", params={"metric": "footfall_*"}).text)


def dropped(agents):
    return sum(own_page(agent).ledger(agent.listener("udp")).dropped for agent in agents.running)
