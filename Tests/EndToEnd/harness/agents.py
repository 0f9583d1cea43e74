"""Several agents that share a store, the load on them, and the books: what was sent to each, what each has counted, what all say of a page.

The truth about a page is what the agents have counted of their own, added up: /metrics is an agent's own, and its journal makes that last.
"""

import contextlib
import json
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import requests

from .exposition import Page
from .gated import Senders
from .place import Place
from .sending import open_stream
from .waiting import wait_for

WAYS = ("udp", "tcp")
LINES_PER_PAYLOAD = 50
PAGES = 1_000
# Questions that wait for their answers on one connection.
PIPELINED = 50
VISITS = re.compile(r'^visit_total\{page="(p\d+)"\} (\d+)$', re.MULTILINE)


def weight(number):
    """How much a line of a page counts: pages differ."""
    return 1 + number % 3


def payloads(pages):
    """Every page in one line, and a payload for so many of them."""
    assert pages % LINES_PER_PAYLOAD == 0, f"pages come in payloads of {LINES_PER_PAYLOAD}"
    lines = [f"visit:p{number}:{weight(number)}|c\n" for number in range(pages)]
    return ["".join(lines[at : at + LINES_PER_PAYLOAD]).encode() for at in range(0, pages, LINES_PER_PAYLOAD)]


def read_pages(address, pages, query=""):
    """`GET /visits/{page}` of many pages over one connection: their counts, by page."""
    found = {}
    with open_stream(address, 30) as stream, stream.makefile("rb") as answers:
        for at in range(0, len(pages), PIPELINED):
            some = pages[at : at + PIPELINED]
            stream.sendall("".join(f"GET /visits/{page}{query} HTTP/1.1\r\nHost: a\r\n\r\n" for page in some).encode())
            for page in some:
                status = answers.readline()
                length = 0
                while (line := answers.readline()) not in (b"\r\n", b""):
                    name, _, value = line.partition(b":")
                    if name.lower() == b"content-length":
                        length = int(value)
                body = answers.read(length)
                assert b" 200 " in status, (page, status, body)
                found[page] = json.loads(body)["visits"]
    return found


class Agents:
    """Agents on state directories of their own, with the same flags, and a sender for each way into each of them."""

    def __init__(self, program, directory, count, store, *flags, pages=PAGES, per_second=200.0):
        """`per_second`: payloads that each sender sends."""
        self.pages = [f"p{number}" for number in range(pages)]
        self.share_through(store)
        # What each page had come to when it was last reset.
        self.bases = {}
        self._places = []
        self.running = []
        self._senders = None
        try:
            for number in range(count):
                home = Path(directory) / f"agent{number}"
                home.mkdir()
                self._places.append(Place(program, home, "--receive-buffer", "16MiB", *flags))
                self.running.append(self._places[number].start(*self._store_flags))
            ways = [(way, agent.address(way), payloads(pages)) for agent in self.running for way in WAYS]
            self._senders = Senders(ways, per_second)
        except BaseException:
            self.end()
            raise

    def share_through(self, store):
        """The flags of the next starts."""
        self._store_flags = [*store.flags]

    def kill(self, which):
        """kill -9, and a start on what it has kept."""
        self.running[which].kill()
        self.running[which] = self._places[which].start(*self._store_flags)

    def restart(self, which):
        """An orderly end, and a start with the flags as they are now."""
        assert self.running[which].stop() == 0, self.running[which].log[-20:]
        self.running[which] = self._places[which].start(*self._store_flags)

    def end(self):
        if self._senders:
            self._senders.end()
        for agent in self.running:
            if agent.is_running:
                agent.kill()

    def stop(self):
        """Ends all of them as an operator does; each must exit with 0."""
        for agent in self.running:
            assert agent.stop() == 0, agent.log[-20:]

    # The load.

    def open(self):
        self._senders.open()

    def rest(self):
        self._senders.rest()

    def sent_to(self, which):
        """What was sent to an agent, by page."""
        ways = [self._senders.sent(which * len(WAYS) + way) for way in range(len(WAYS))]
        times = [sum(counts) for counts in zip(*ways)]
        return {page: times[number // LINES_PER_PAYLOAD] * weight(number) for number, page in enumerate(self.pages)}

    def sent(self):
        """What was sent to all, by page."""
        return added(self.sent_to(which) for which in range(len(self._places)))

    # The books.

    def own(self, which):
        """What an agent has counted, by page."""
        counted = {page: int(number) for page, number in VISITS.findall(self.running[which].text())}
        return {page: counted.get(page, 0) for page in self.pages}

    def settle(self):
        """With the senders at rest: what each agent has counted, once it stands still. None has counted more than it was sent."""
        before = None

        def stands_still():
            nonlocal before
            now = [self.own(which) for which in range(len(self.running))]
            before, still = now, now == before
            return now if still else None

        own = wait_for(stands_still, "the counts stand still", 30, every=0.1)
        for which, counted in enumerate(own):
            sent = self.sent_to(which)
            more = {page: (number, sent[page]) for page, number in counted.items() if number > sent[page]}
            assert not more, f"agent {which} has counted more than it was sent: {some(more)}"
        return own

    def reset(self, pages, which):
        """With the senders at rest and nothing waiting to be shared: resets pages through one agent."""
        counted = added(self.settle())
        self.bases |= {page: counted[page] for page in pages}
        for page in pages:
            answer = requests.delete(self.running[which].url(f"/visits/{page}"), timeout=30)
            assert answer.status_code == 200, answer.text

    def truth(self):
        """With the senders at rest: what every page comes to."""
        return {page: number - self.bases.get(page, 0) for page, number in added(self.settle()).items()}

    def accounted(self):
        """No agent having been ended meanwhile: what each has counted is what it was sent, less what the kernel dropped and said so.

        Returns how many datagrams were dropped.
        """

        def closed():
            dropped = 0
            for which, agent in enumerate(self.running):
                page = Page(agent.get("/metrics", params={"metric": "footfall_*"}).text)
                udp, tcp = (page.ledger(agent.listener(way)) for way in WAYS)
                sent_udp, sent_tcp = (sum(self._senders.sent(which * len(WAYS) + way)) for way in range(len(WAYS)))
                assert udp.datagrams + udp.dropped == sent_udp, (udp, sent_udp)
                assert tcp.accepted == sent_tcp * LINES_PER_PAYLOAD, (tcp, sent_tcp)
                assert udp.accepted == udp.datagrams * LINES_PER_PAYLOAD and udp.holds() and tcp.holds(), (udp, tcp)
                dropped += udp.dropped
            return [dropped]

        (dropped,) = wait_for(closed, "the books close", 30, every=0.05)
        if dropped == 0:
            for which in range(len(self.running)):
                assert self.own(which) == self.sent_to(which), f"agent {which} has not counted what it was sent"
        return dropped

    def waiting(self):
        """What each agent says it has not shared yet."""
        answers = [agent.get("/api/v1/counter/metrics").json() for agent in self.running]
        return [answer["metrics"]["write_buffer_size"] for answer in answers]

    def wrong(self, truth, asked):
        """Where the agents' answers differ from the truth: agent, page, its answer and the truth. `asked`: the pages to ask each for."""
        with ThreadPoolExecutor(len(self.running)) as pool:
            answers = list(pool.map(lambda agent, pages: read_pages(agent.address("http"), pages), self.running, asked))
        faults = [
            (which, page, number, truth[page])
            for which, said in enumerate(answers)
            for page, number in said.items()
            if number != truth[page]
        ]
        for which, agent in enumerate(self.running):
            total = agent.stats()["total_visits"]
            if total != sum(truth.values()):
                faults.append((which, "total_visits", total, sum(truth.values())))
        return faults

    def health(self):
        """Each agent's status, or `away`."""
        found = []
        for agent in self.running:
            with contextlib.suppress(requests.RequestException):
                found.append(agent.get("/health").json()["status"])
                continue
            found.append("away")
        return found


def added(books):
    """Books by page, added up."""
    total = {}
    for book in books:
        for page, number in book.items():
            total[page] = total.get(page, 0) + number
    return total


def some(faults):
    """A few of many, and how many."""
    shown = list(faults.items() if isinstance(faults, dict) else faults)[:5]
    return f"{len(faults)}, among them {shown}"
