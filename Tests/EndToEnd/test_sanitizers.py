"""The same load against builds under ThreadSanitizer and AddressSanitizer: totals exact, and not one report.

Tests/run makes the builds: `swift build -c release --sanitize=thread --scratch-path .build/thread`, and `address` alike.
"""

import re

import pytest
import requests

from harness.exactness import run_exactly
from harness.redis import running_redis
from harness.sending import send_datagrams, send_stream
from harness.waiting import wait_for

REPORT = re.compile(r"ThreadSanitizer|AddressSanitizer|LeakSanitizer|runtime error|Fatal error")
LINES = 100_000
# Swift's own backtraces run before the sanitizer's report and trip over its stack.
ENVIRONMENT = {
    "thread": {"TSAN_OPTIONS": "halt_on_error=1:exitcode=66:second_deadlock_stack=1"},
    "address": {"ASAN_OPTIONS": "halt_on_error=1:exitcode=66:detect_leaks=0"},
}


@pytest.fixture(params=["thread", "address"])
def sanitized(request, root, start_agent, tmp_path):
    """Starts an agent under a sanitizer; its log must stay without a report until it has ended with 0."""
    binary = root / f".build/{request.param}/release/footfall"
    assert binary.is_file(), f"{binary} is missing: Tests/run makes it"
    environment = ENVIRONMENT[request.param] | {"SWIFT_BACKTRACE": "enable=no"}
    agents = []

    def start(*flags):
        agents.append(start_agent(*flags, binary=binary, environment=environment))
        return agents[-1]

    yield start
    for agent in agents:
        status = agent.stop(30)
        reports = [line for line in agent.log if REPORT.search(line)]
        assert not reports and status == 0, (status, reports, agent.log[-60:])


@pytest.mark.sanitizer
@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_the_load_is_exact_and_silent(sanitized, transport):
    agent = sanitized("--workers", "2", "--quantile-window", "1s")
    print(run_exactly(agent, transport, LINES))


@pytest.mark.sanitizer
def test_every_route_and_odd_input_is_silent(sanitized, tmp_path):
    paths = {kind: str(tmp_path / f"{kind}.sock") for kind in ("unix-datagram", "unix-stream")}
    flags = [word for kind, path in paths.items() for word in (f"--{kind}", path)]
    agent = sanitized("--workers", "2", "--max-series", "50", *flags)
    odd = b"\n".join([b"visit:page%d|c" % n for n in range(200)] + [b"g:+1|g", b"u:x|s", b"t:1|ms|@0.1", b"\xff:1|c", b"x" * 9000])
    for address in (agent.address("udp"), paths["unix-datagram"]):
        send_datagrams(address, odd, b"", b"\n", b"visit:page1|c")
    for address in (agent.address("tcp"), paths["unix-stream"]):
        send_stream(address, odd[:7], odd[7:5000], odd[5000:])
    agent.wait_for_ledger("udp", 206)
    agent.wait_for_ledger("tcp", 205)
    for path in ("/metrics", "/stats", "/stats/visit", "/series?limit=3", "/health", "/status", "/explain?line=a:1|c", "/nowhere"):
        assert agent.get(path).status_code < 500
    agent.scrape(openmetrics=True)


@pytest.mark.sanitizer
def test_agents_that_share_redis_are_exact_and_silent(sanitized):
    rounds, lines = 20, 50
    with running_redis() as (redis,):
        flags = ["--workers", "2", "--redis", redis.url, "--redis-flush-interval", "50ms", "--cache-ttl", "50ms", "--flush-interval", "50ms"]
        agents = [sanitized(*flags) for _ in range(2)]

        def count():
            """Each agent gets a visit more than there are lines, and is asked for what both have."""
            for agent in agents:
                for number in range(rounds):
                    send_datagrams(agent.address("udp"), b"visit:page1|c\nlatency:5|ms\nusers:%d|s" % number, *[b"visit:page1|c"] * (lines - 1))
                    assert requests.post(agent.url("/visits/page1"), timeout=30).status_code == 200
                    for path in ("/stats", "/stats/latency", "/api/v1/counter/metrics"):
                        assert agent.get(path).status_code == 200
            return len(agents) * rounds * (lines + 1)

        def all_have(visits):
            wait_for(lambda: all(agent.get("/visits/page1").json()["visits"] == visits for agent in agents), f"{visits} visits everywhere", 60)

        sent = count()
        all_have(sent)
        redis.kill()
        sent += count()
        redis.start()
        all_have(sent)
        assert requests.delete(agents[0].url("/visits/page1"), timeout=30).status_code == 200
        all_have(0)
        all_have(count())
