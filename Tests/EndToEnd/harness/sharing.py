"""Agents that share their counts through Redis: every sum is what all agents together have counted, to the unit.

Shared by the tests of the suite and the long runs in Tests/Stress. A watcher reads sums all the while, through every agent and from Redis
itself: never more than what was sent by then.
"""

import random
import subprocess
import threading
import time
from dataclasses import dataclass

import requests

from .agents import Agents, read_pages, some
from .stores import running_store, totals_held, visits_in
from .waiting import wait_for

AGENTS = 3
# Read at once by the watcher.
WATCHED = 40


class Watcher(threading.Thread):
    """Reads sums through every agent and from Redis, one after the other, until it is told to end."""

    def __init__(self, agents, store, seed):
        super().__init__(daemon=True)
        self.fault = None
        self.answers = 0
        self.readings = 0
        self.unanswered = 0
        self._agents, self._store = agents, store
        self._random = random.Random(seed)
        self._ending = threading.Event()
        self.start()

    def run(self):
        turn = 0
        while self.fault is None and not self._ending.is_set():
            turn += 1
            try:
                if turn % 4:
                    self._ask(self._agents.running[turn % 4 % len(self._agents.running)])
                else:
                    self._hold(visits_in(totals_held(self._store, seconds=2)), "Redis")
                    self.readings += 1
            except (OSError, requests.RequestException, subprocess.TimeoutExpired, StopIteration, AssertionError, ValueError):
                # It is away at the moment.
                self.unanswered += 1
                time.sleep(0.02)

    def _ask(self, agent):
        pages = self._random.sample(self._agents.pages, min(WATCHED, len(self._agents.pages)))
        address = agent.address("http")
        own = read_pages(address, pages, "?scope=local")
        said = read_pages(address, pages)
        self.answers += len(said)
        self._hold(said, f"the agent at {address[1]}")
        # An agent need not have heard of a reset yet, by which its own is less.
        known = [page for page in said if page not in self._agents.bases]
        less = {page: (said[page], own[page]) for page in known if said[page] < own[page]}
        if less:
            self.fault = f"the agent at {address[1]} answers less than its own: {some(less)}"

    def _hold(self, said, who):
        sent = self._agents.sent()
        more = {page: (number, sent[page]) for page, number in said.items() if number > sent[page]}
        if more:
            self.fault = f"{who} has more than was sent: {some(more)}"

    def end(self):
        self._ending.set()
        self.join(60)

    def check(self):
        assert self.fault is None, self.fault


def heal(agents, store, seconds):
    """With the senders at rest: waits until every agent and Redis itself have every sum; returns the truth and how long it took.

    To ask agents for all pages takes half a second. So while others are waited for, a page is not asked for again that an agent has answered
    right, and in the end all are asked for once more, which is none of the time.
    """
    began = time.monotonic()
    truth = agents.truth()
    everything = [agents.pages] * len(agents.running)
    asked = everything
    took = 0.0

    def faults_of_redis():
        places = totals_held(store)
        apart = [page for page, fields in places.items() if len(fields) > 1]
        assert not apart, f"several shards have the same key: {some(apart)}"
        held = visits_in(places)
        return [("Redis", page, held.get(page, 0), number) for page, number in truth.items() if held.get(page, 0) != number]

    def faults_of_agents():
        nonlocal asked
        faults = agents.wrong(truth, asked)
        asked = [[page for at, page, *_ in faults if at == which and page in truth] for which in range(len(agents.running))]
        return faults

    def is_exact():
        nonlocal asked, took
        faults = faults_of_agents() + faults_of_redis()
        assert not faults, some(faults)
        took = time.monotonic() - began
        asked = everything
        faults = faults_of_agents()
        assert not faults, some(faults)
        return True

    wait_for(is_exact, "every sum is exact on every agent and in Redis", seconds, every=0.05)
    wait_for(lambda: not any(agents.waiting()), "nothing waits to be shared", seconds)
    return truth, took


@dataclass
class Sums:
    kind: str
    agents: int
    counts: int
    pages: int
    answers: int
    dropped: int
    sending: float
    exact_after: float

    def __str__(self):
        return (
            f"{self.kind:8} {self.agents} agents, {self.pages} pages, {self.counts} counts in {self.sending:.1f} s ({self.dropped} datagrams "
            f"dropped and said so), {self.answers} sums read meanwhile: all exact {self.exact_after:.2f} s after the last"
        )


def run_sums(program, directory, kind, counts, per_second, interval, pages=1_000, seed=1, seconds=60.0, count=AGENTS):
    """Sends about so many counts at a pace; then every sum is exact within `seconds`, on all of `count` agents and in Redis."""
    flags = ["--redis-flush-interval", f"{interval * 1000:.0f}ms", "--cache-ttl", "200ms", "--flush-interval", "100ms"]
    # Two ways to each, fifty lines of two counts on average.
    pace = per_second / (count * 2 * 50 * 2)
    with running_store(kind) as store:
        agents = Agents(program, directory, count, store, *flags, pages=pages, per_second=pace)
        watcher = Watcher(agents, store, seed)
        try:
            began = time.monotonic()
            agents.open()
            wait_for(lambda: sum(agents.sent().values()) >= counts, f"{counts} counts are sent", 60 + 3 * counts / per_second, every=0.02)
            agents.rest()
            sending = time.monotonic() - began
            truth, took = heal(agents, store, seconds)
            dropped = agents.accounted()
            watcher.end()
            watcher.check()
            assert all(status == "healthy" for status in agents.health()), agents.health()
            agents.stop()
        finally:
            watcher.end()
            agents.end()
    return Sums(kind, count, sum(truth.values()), pages, watcher.answers, dropped, sending, took)
