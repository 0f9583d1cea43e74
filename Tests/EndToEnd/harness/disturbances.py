"""Agents that share their counts, under load, while servers are killed and stopped, connections cut, slots and keys moved, agents killed.

What an agent that is killed had not read is lost, so the truth is what the agents have counted of their own, added up: it must not be more
than what was sent, and once everything is up again it must be what every agent and Redis say of every page, less what it was when the page
was reset. Resets come at rest, since one under load cannot say what it has found.
"""

import collections
import contextlib
import random
import time
from dataclasses import dataclass, field

from .agents import PAGES, Agents
from .sharing import AGENTS, Watcher, heal
from .stores import running_store

# Pages that are reset when everything has come to rest.
RESETS = 10


@dataclass
class Rounds:
    kind: str
    seed: int
    disturbed: collections.Counter = field(default_factory=collections.Counter)
    exact_after: list = field(default_factory=list)
    sent: int = 0
    counted: int = 0
    resets: int = 0
    answers: int = 0
    readings: int = 0
    unanswered: int = 0

    def __str__(self):
        kinds = ", ".join(f"{count} {name}" for name, count in sorted(self.disturbed.items()))
        times = sorted(self.exact_after)
        return (
            f"{self.kind:8} seed {self.seed}: {self.disturbed.total()} rounds ({kinds}); {self.sent} counts sent, {self.counted} counted "
            f"({self.sent - self.counted} lost with killed agents), {self.resets} pages reset; {self.answers} sums read through agents and "
            f"{self.readings} times all of Redis meanwhile, {self.unanswered} times away; exact {len(times)} times, "
            f"{times[len(times) // 2]:.1f} s (median) and {times[-1]:.1f} s (most) after the load"
        )


class Disturbances:
    """What can go wrong with agents and their store; each leaves every process running again."""

    def __init__(self, agents, store, generator, away_seconds):
        self._agents, self._store, self._random = agents, store, generator
        self._away_seconds = away_seconds
        # By the names that the figures give them.
        self.all = {
            "servers killed": self.kill_server,
            "servers stopped": self.stop_server,
            "cuts": self.cut,
            "agents killed": self.kill_agent,
            "agents killed with a server away": lambda: self.while_away(self.kill_agent),
        }
        if hasattr(store, "reshard"):
            self.all["reshards"] = lambda: store.reshard(generator)
        if len(store.masters()) > 1 and hasattr(store, "add"):
            self.all["shards added"] = self.add_shard
            self.all["shards added with a server away"] = lambda: self.while_away(self.add_shard)

    @contextlib.contextmanager
    def server_away(self, is_killed):
        """A master, whichever; it is back when the block is left."""
        self._store.wait_until_whole()
        server = self._random.choice(self._store.masters())
        server.kill() if is_killed else server.stop()
        yield
        server.start() if is_killed else server.go_on()
        self._store.wait_until_whole()

    def kill_server(self):
        """A master of a Cluster comes back before the others have missed it, or when a replica has taken its place."""
        with self.server_away(True):
            time.sleep(self._random.choice((0, self._away_seconds)))

    def stop_server(self):
        with self.server_away(False):
            time.sleep(self._away_seconds)

    def while_away(self, disturb):
        with self.server_away(self._random.random() < 0.5):
            time.sleep(self._random.uniform(0, 1))
            disturb()
            time.sleep(self._random.uniform(0, 1))

    def cut(self):
        self._store.cut(self._random)

    def kill_agent(self):
        self._agents.kill(self._random.randrange(len(self._agents.running)))

    def add_shard(self):
        """As an operator does it: the agents learn of it one after the other."""
        self._store.add()
        self._agents.share_through(self._store)
        for which in range(len(self._agents.running)):
            self._agents.restart(which)


def run_rounds(
    program,
    directory,
    kind,
    rounds,
    per_second=40_000,
    seed=1,
    interval=1.0,
    timeout=5.0,
    only=None,
    away_seconds=5.0,
    pages=PAGES,
    seconds=60.0,
    say=None,
    count=AGENTS,
):
    """Disturbs `count` agents and their store so often, and now and then lets everything come to rest and holds all sums against the truth.

    `only`: the names of the disturbances to choose from, each of them at least once if there are rounds enough. `away_seconds`: how long a
    server is away; a replica takes its master's place after two or three. `say` is told of each.
    """
    generator = random.Random(seed)
    found = Rounds(kind, seed)
    flags = ["--redis-flush-interval", f"{interval * 1000:.0f}ms", "--cache-ttl", "200ms", "--flush-interval", "100ms"]
    flags += ["--redis-timeout", f"{timeout * 1000:.0f}ms"]
    with running_store(kind) as store:
        agents = Agents(program, directory, count, store, *flags, pages=pages, per_second=per_second / (count * 2 * 50 * 2))
        watcher = Watcher(agents, store, seed)
        try:
            disturbances = Disturbances(agents, store, generator, away_seconds)
            names = sorted(only or disturbances.all)
            order = [name for _ in range(0, rounds, len(names)) for name in generator.sample(names, len(names))][:rounds]
            agents.open()
            for number, name in enumerate(order, 1):
                time.sleep(generator.uniform(0.1, 1.5) * interval)
                began = time.monotonic()
                disturbances.all[name]()
                found.disturbed[name] += 1
                text = f"{number:3} {name} {time.monotonic() - began:.1f} s"
                watcher.check()
                if number == rounds or generator.random() < 0.5:
                    agents.rest()
                    truth, took = heal(agents, store, seconds)
                    found.exact_after.append(took)
                    text += f", exact {took:.1f} s after the load"
                    agents.reset(generator.sample(agents.pages, RESETS), generator.randrange(count))
                    truth, _ = heal(agents, store, seconds)
                    found.resets += RESETS
                    if number < rounds:
                        agents.open()
                if say:
                    say(text)
            watcher.end()
            watcher.check()
            found.sent, found.counted = sum(agents.sent().values()), sum(truth.values()) + sum(agents.bases.values())
            agents.stop()
        finally:
            watcher.end()
            agents.end()
    found.answers, found.readings, found.unanswered = watcher.answers, watcher.readings, watcher.unanswered
    return found
