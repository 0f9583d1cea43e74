"""Exactness under load: totals equal what was sent, to the unit, while everything is read all the while.

Shared by the test of the suite, its runs under sanitizers, and the long run in Tests/Stress.
"""

import math
import time
from dataclasses import dataclass

from .load import Credit, expected_totals, start_senders
from .waiting import wait_for

SENDERS = 4


@dataclass
class Outcome:
    lines: int
    seconds: float
    scrapes: int
    stats: int

    def __str__(self):
        rate = self.lines / self.seconds / 1e6
        return f"{self.lines} lines in {self.seconds:.1f} s ({rate:.2f} M/s), {self.scrapes} scrapes, {self.stats} of /stats"


def run_exactly(agent, transport, lines, seconds=120.0):
    """Sends about so many lines from four processes to `agent`, reads it meanwhile, and holds every total against what was sent."""
    seeds = list(range(1, SENDERS + 1))
    rounds = max(1, round(lines / expected_totals(seeds, 1)[1]))
    totals, sent = expected_totals(seeds, rounds)
    listener = agent.listener(transport)
    credit = Credit()
    senders = start_senders(transport, agent.address(transport), seeds, rounds, credit)
    outcome = Outcome(sent, 0, 0, 0)
    began = time.monotonic()
    visits = -1

    def observe():
        nonlocal visits
        page = agent.scrape()
        outcome.scrapes += 1
        ledger = page.ledger(listener)
        assert ledger.dropped == 0, f"the senders overran the agent: {ledger}"
        credit.report(page.value("footfall_datagrams_received_total", listener=listener) or 0)
        if outcome.scrapes % 4 == 0:
            now = agent.stats()["total_visits"]
            outcome.stats += 1
            assert now >= visits, f"total_visits fell from {visits} to {now}"
            visits = now
        if time.monotonic() - began > seconds:
            raise TimeoutError(f"{ledger} after {seconds} s; {sent} lines were to be sent")
        return page if ledger.read >= sent else None

    page = None
    while page is None:
        assert all(sender.exitcode in (None, 0) for sender in senders), "a sender failed"
        page = observe()
    outcome.seconds = time.monotonic() - began
    for sender in senders:
        sender.join(30)
        assert sender.exitcode == 0, "a sender failed"

    page = agent.scrape()
    ledger = page.ledger(listener)
    assert (ledger.read, ledger.accepted, ledger.refused) == (sent, sent, {}), (ledger, sent)
    assert_totals(page, totals)
    pages = sum(amount for (name, _), amount in totals.items() if name == "visit_total")
    wait_for(lambda: agent.stats()["total_visits"] == pages, f"/stats counts {pages} visits")
    return outcome


def assert_totals(page, totals):
    """Counts and timers' counts to the unit; timers' sums, which are added up over cores in floating point, to 1e-9."""
    wrong = {}
    for (name, labels), amount in totals.items():
        found = page.value(name, **dict(labels))
        if name.endswith("_seconds_sum"):
            if found is None or not math.isclose(found, amount / 1000, rel_tol=1e-9):
                wrong[name, labels] = (found, amount / 1000)
        elif found != amount:
            wrong[name, labels] = (found, amount)
    assert not wrong, f"{len(wrong)} totals differ, among them {dict(list(wrong.items())[:5])}"
    names = {name for name, _ in totals}
    strangers = {key for key in page.samples if key[0] in names} - {(name, frozenset(labels)) for name, labels in totals}
    assert not strangers, f"series that nobody sent: {list(strangers)[:5]}"
