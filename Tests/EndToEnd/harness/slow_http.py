"""Slow clients, and what others notice of them: `/health` is asked from a process of its own."""

import contextlib
import json
import resource
import subprocess
import sys
import time
from dataclasses import dataclass

from .hostile import resident_kib
from .sending import open_stream
from .waiting import wait_for

# slowhttptest's words for an attack: heads that never end, bodies that never end, answers that nobody reads.
ATTACKS = {
    "slow heads": ["-H", "-i", "1", "-x", "24"],
    "slow bodies": ["-B", "-i", "1", "-x", "10", "-s", "8192", "-t", "POST"],
    "slow readers": ["-X", "-w", "1", "-y", "10", "-n", "5", "-z", "32", "-k", "3"],
}
PATHS = {"slow heads": "/stats", "slow bodies": "/lines", "slow readers": "/openapi.json"}

# Asks every 10 ms, each time over a connection of its own and over one that stays, until its standard input ends.
PROBE = """
import http.client, json, sys, threading, time
host, port = sys.argv[1], int(sys.argv[2])
ended = threading.Event()
threading.Thread(target=lambda: (sys.stdin.read(), ended.set()), daemon=True).start()
def ask(connection):
    began = time.perf_counter()
    connection.request("GET", "/health")
    answer = connection.getresponse()
    answer.read()
    assert answer.status == 200, answer.status
    return time.perf_counter() - began
taken, kept = [], http.client.HTTPConnection(host, port, timeout=10)
while not ended.is_set():
    taken.append(ask(kept))
    began = time.perf_counter()
    fresh = http.client.HTTPConnection(host, port, timeout=10)
    ask(fresh)
    fresh.close()
    taken.append(time.perf_counter() - began)
    time.sleep(0.01)
json.dump(sorted(taken), sys.stdout)
"""


@dataclass
class Health:
    """How long `/health` took to be answered, in milliseconds."""

    what: str
    questions: int
    median: float
    p99: float
    most: float

    def __str__(self):
        return f"{self.what}: /health p50 {self.median:.2f} ms, p99 {self.p99:.2f} ms, max {self.most:.2f} ms of {self.questions}"


@contextlib.contextmanager
def health_asked(agent, what):
    """Gives a function that ends the asking and says how long the answers took; each must have been 200."""
    command = [sys.executable, "-c", PROBE, *map(str, agent.address("http"))]
    probe = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def end():
        output, _ = probe.communicate(timeout=30)
        assert probe.returncode == 0, f"a /health was not answered under {what}"
        taken = [1_000 * seconds for seconds in json.loads(output)]
        return Health(what, len(taken), taken[len(taken) // 2], taken[len(taken) * 99 // 100], taken[-1])

    try:
        yield end
    finally:
        if probe.poll() is None:
            probe.kill()
            probe.wait()


def at_rest(agent, seconds):
    """What `/health` takes on this machine while nobody attacks."""
    with health_asked(agent, "nobody slow") as end:
        time.sleep(seconds)
        return end()


def under_attack(agent, attack, connections, seconds, directory):
    """Runs slowhttptest while `/health` is asked; all connections come within the first fifth of the time."""
    rate = max(50, connections * 5 // seconds)
    command = ["slowhttptest", *ATTACKS[attack], "-c", str(connections), "-r", str(rate), "-l", str(seconds), "-p", "5"]
    with health_asked(agent, f"{attack} x {connections}") as end:
        run = subprocess.run([*command, "-u", agent.url(PATHS[attack])], cwd=directory, capture_output=True, text=True, timeout=seconds + 60)
        assert run.returncode in (0, 1), run.stdout[-2_000:] + run.stderr
        return end()


@dataclass
class Idle:
    connections: int
    asks: bool
    before_kib: int
    after_kib: int

    @property
    def bytes_each(self):
        return (self.after_kib - self.before_kib) * 1_024 / self.connections

    def __str__(self):
        which = "after a request" if self.asks else "without a request"
        return f"{self.connections} idle connections {which}: RSS {self.before_kib} -> {self.after_kib} KiB, {self.bytes_each:.0f} bytes each"


def hold_idle(agent, connections, asks):
    """Opens so many connections, has each of them ask once if `asks`, and weighs the agent once they have been idle for a while."""
    before = resident_kib(agent.pid)
    with contextlib.ExitStack() as stack:
        for _ in range(connections):
            stream = stack.enter_context(open_stream(agent.address("http"), 10))
            if asks:
                stream.sendall(b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n")
                assert stream.recv(65536).startswith(b"HTTP/1.1 200 ")

        def all_there():
            page = agent.scrape()
            # Buffers of a connection that waits are given back within two seconds.
            return page.value("footfall_connections", listener="http") >= connections and page.value("footfall_http_held_bytes") < 100_000

        wait_for(all_there, f"{connections} connections", seconds=20, every=0.2)
        uptime = agent.get("/health").json()["uptime_seconds"]
        wait_for(lambda: agent.get("/health").json()["uptime_seconds"] > uptime + 2.5, "two sweeps", every=0.2)
        return Idle(connections, asks, before, resident_kib(agent.pid))


def raise_descriptor_limit():
    """As many descriptors for this process as it may have; the processes that it starts inherit it."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
