"""What several agents that share one Redis say of the last hours: distinct users, quantiles and counts of all of them, as if one had seen all."""

import math
import random
import time

import pytest

from harness.calls import call
from harness.redis import running_redis
from harness.sending import open_stream
from harness.waiting import wait_for

HOUR = 3600
AGENTS = 3
DAYS_KEPT = 9


@pytest.fixture
def redis():
    with running_redis() as (server,):
        yield server


@pytest.fixture
def agents(start_agent, redis):
    flags = ("--redis", redis.url, "--redis-flush-interval", "200ms", "--cache-ttl", "0", "--quantiles", "0.01,0.25,0.5,0.9,0.95,0.99,0.999")
    return [start_agent(*flags) for _ in range(AGENTS)]


def send(agent, lines):
    """Over a stream, which loses none, and waits until all are read and Redis has what they count."""
    before = agent.scrape().ledger(agent.listener("tcp"))
    with open_stream(agent.address("tcp"), seconds=60) as stream:
        for first in range(0, len(lines), 10_000):
            stream.sendall("".join(f"{line}\n" for line in lines[first : first + 10_000]).encode())
    ledger = agent.wait_for_ledger("tcp", before.read + len(lines), seconds=60)
    assert ledger.accepted - before.accepted == len(lines), ledger


def wait_until_shared(agents):
    """Nothing waits to be written, and two flushes later nothing does either: what was read has come that far."""

    def is_shared():
        return all(agent.stats("/status")["counter_status"]["write_buffer_size"] == 0 for agent in agents)

    for _ in range(3):
        wait_for(is_shared, "all is written", seconds=60, every=0.2)


def keys(redis, pattern):
    return redis.cli("KEYS", pattern).split()


def test_distinct_users_of_all_agents_are_what_redis_counts_itself(agents, redis):
    users = 100_000
    # Each agent sees half of them, and shares half of those with its neighbour.
    for place, agent in enumerate(agents):
        seen = range(place * users // 4, place * users // 4 + users // 2)
        send(agent, [f"visit_users:user{number}|s|#page:/p{number % 7}" for number in seen])
        for number in range(place * 10, place * 10 + 20):
            body = {"user_id": f"caller{number}", "page_url": "https://shop.example/promotion"}
            assert call(agent, "POST", "/visit", json=body)["success"]
    truth = users + 10 * (AGENTS - 1) + 20
    wait_until_shared(agents)

    def counts():
        members = keys(redis, "footfall:{visit_users}:members:*")
        redis_says = int(redis.cli("PFCOUNT", *members))
        found = [agent.stats()["unique_visitors"] for agent in agents]
        found += [agent.stats("/stats/visit_users")["distinct"] for agent in agents]
        assert found == [redis_says] * (2 * AGENTS), (found, redis_says, members)
        return redis_says

    distinct = wait_for(counts, "all agents say what Redis says", seconds=20, every=0.2)
    assert math.isclose(distinct, truth, rel_tol=0.03), (distinct, truth)
    for agent in agents:
        own = agent.stats(scope="local")["unique_visitors"]
        assert math.isclose(own, users / 2 + 20, rel_tol=0.03), "its own are half of them"
        assert agent.stats("/stats/visit_users", scope="local")["distinct"] == own
    for name in keys(redis, "footfall:{visit_users}:members:*"):
        assert 0 < int(redis.cli("TTL", name)) <= DAYS_KEPT * 24 * HOUR


def test_quantiles_of_all_agents_are_within_one_per_cent(agents, redis):
    generator = random.Random(20)
    values = sorted(float(f"{generator.lognormvariate(3, 1.2):.4f}") for _ in range(90_000))
    # Each agent has another part, so that nobody's own quantiles are near those of all.
    part = len(values) // AGENTS
    for place, agent in enumerate(agents):
        own = values[place * part : (place + 1) * part]
        generator.shuffle(own)
        send(agent, [f"latency:{value}|ms" for value in own])
    wait_until_shared(agents)
    for agent in agents:
        answer = agent.stats("/stats/latency")
        assert (answer["type"], answer["unit"], answer["recent"]) == ("timer", "ms", len(values))
        assert (answer["min"], answer["max"]) == (values[0], values[-1])
        assert math.isclose(answer["recent_sum"], math.fsum(values), rel_tol=1e-9)
        for quantile, found in answer["quantiles"].items():
            # Whichever of the two neighbours a definition of the quantile takes.
            rank = float(quantile) * (len(values) - 1)
            low, high = values[math.floor(rank)], values[math.ceil(rank)]
            assert low * 0.99 <= found <= high * 1.01, (quantile, found, low, high)
    own = [agent.stats("/stats/latency", scope="local") for agent in agents]
    assert [answer["recent"] for answer in own] == [part] * AGENTS
    assert [answer["max"] for answer in own] == [values[(place + 1) * part - 1] for place in range(AGENTS)]


def test_counts_of_all_agents_are_exact_in_every_timeframe(agents, redis):
    now = int(time.time())
    # Seconds ago, and what each agent counts then, times its number.
    ages = {0: 1, 20 * 60: 10, 2 * HOUR: 100, 30 * HOUR: 1_000, 150 * HOUR: 10_000}
    too_old = 7
    for number, agent in enumerate(agents, start=1):
        lines = [f"visit:page{number}:{count * number}|c|T{now - age}" for age, count in ages.items()]
        lines += [f"buy:promotion:{count * number * 2}|c|T{now - age}" for age, count in ages.items()]
        send(agent, [*lines, f"visit:old:{too_old}|c|T{now - 169 * HOUR}"])
    wait_until_shared(agents)
    all_of_them = sum(range(1, AGENTS + 1))
    for hours in (0.1, 0.25, 0.5, 1, 3, 12, 24, 40, 100, 168):
        within = sum(count for age, count in ages.items() if age < hours * HOUR)
        for number, agent in enumerate(agents, start=1):
            stats = agent.stats(timeframe_hours=hours)
            assert (stats["recent_visits"], stats["n_recent_buys"]) == (within * all_of_them, 2 * within * all_of_them), (hours, number)
            assert stats["total_visits"] == 11_111 * all_of_them + AGENTS * too_old
            assert stats["total_buys"] == 2 * 11_111 * all_of_them
            assert stats["redis_missing"] == 0
            own = agent.stats(timeframe_hours=hours, scope="local")
            assert (own["recent_visits"], own["n_recent_buys"]) == (within * number, 2 * within * number), (hours, number)
            visit = agent.stats("/stats/visit", timeframe_hours=hours)
            assert (visit["recent"], visit["total"]) == (within * all_of_them, stats["total_visits"])
            assert sum(count for _, count in visit["history"]["points"]) == visit["recent"]
    kept = {"hours": DAYS_KEPT * 24 * HOUR, "minutes": 26 * HOUR}
    for part, seconds in kept.items():
        found = keys(redis, f"footfall:{{visit}}:{part}:*")
        assert found and all(0 < int(redis.cli("TTL", name)) <= seconds for name in found), found
    assert redis.cli("TTL", "footfall:{visit}") == "-1"


def test_an_agent_that_has_just_started_knows_what_the_others_counted(agents, redis, start_agent):
    first, second, third = agents
    send(first, ["visit:page1:3|c", "visit_users:ann|s", "visit_users:bob|s", "latency:10|ms"])
    send(second, ["visit:page1:4|c", "visit_users:bob|s", "latency:30|ms", "size:7|h", "load:0.5|d"])
    send(third, ["visit:page2|c", "_e{6,2}:launch|v2", "queue:5|g"])
    wait_until_shared(agents)
    assert third.stop() == 0
    new = start_agent("--redis", redis.url, "--cache-ttl", "0")
    wait_for(lambda: new.stats("/status")["redis_status"]["healthy_nodes"] == 1, "Redis is there")
    stats = new.stats()
    assert (stats["total_visits"], stats["recent_visits"], stats["unique_visitors"]) == (8, 8, 2)
    # A name that it has never seen may be of any kind that is shared.
    visit = new.stats("/stats/visit")
    assert (visit["type"], visit["total"], visit["recent"], visit["series"]) == ("counter", 8, 8, 0)
    assert new.stats("/stats/launch")["type"] == "event"
    users = new.stats("/stats/visit_users")
    assert (users["type"], users["distinct"]) == ("set", 2)
    latency = new.stats("/stats/latency")
    assert (latency["type"], latency["recent"], latency["recent_sum"], latency["min"], latency["max"]) == ("timer", 2, 40, 10, 30)
    assert 9.9 <= latency["quantiles"]["0.5"] <= 10.1
    assert (new.stats("/stats/size")["type"], new.stats("/stats/size")["recent"]) == ("histogram", 1)
    assert (new.stats("/stats/load")["type"], new.stats("/stats/load")["recent"]) == ("distribution", 1)
    for path in ("/stats/nobody", "/stats/queue", "/stats/visit_users?scope=local"):
        call(new, "GET", path, status=404)
    assert new.stats(scope="local")["total_visits"] == 0
