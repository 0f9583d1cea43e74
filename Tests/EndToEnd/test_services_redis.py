"""The two services that keep their counts in Redis, stage by stage, with real servers: which answer comes from where, and what stands in Redis.

Their calls without Redis, and the other three services, are in test_services.py.
"""

import re
import shutil
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from harness.calls import MOMENT, call, holds
from harness.redis import running_redis, sum_of
from harness.waiting import wait_for

AT_ONCE = ("--redis-flush-interval", "0")
NO_CACHE = ("--cache-ttl", "0")
BASE = "/api/v1/counter"


def key(page):
    return f"footfall:{{visit|page={page}}}"


def held(server, page):
    """What all agents have counted of a page, as redis-cli adds it up."""
    return sum_of(server.fields(key(page)))


def answer(visits, served_via):
    return {"visits": visits, "served_via": served_via}


def buffered(agent):
    return call(agent, "GET", f"{BASE}/metrics")["metrics"]["write_buffer_size"]


def wait_for_nodes(agent, healthy):
    wait_for(lambda: call(agent, "GET", "/status")["redis_status"]["healthy_nodes"] == healthy, f"{healthy} nodes are there", seconds=20)


# The website visit counter. Its first stage, memory alone, is in test_services.py.


def test_with_one_redis_all_answers_come_from_it(start_agent):
    with running_redis() as (redis,):
        one, other = (start_agent("--redis", redis.url, *AT_ONCE, *NO_CACHE) for _ in range(2))
        for visits in range(1, 11):
            assert call(one, "POST", "/visits/page1") == answer(visits, "redis")
            assert call(one, "GET", "/visits/page1") == answer(visits, "redis")
            assert held(redis, "page1") == visits, "the count is in Redis before its answer"
        assert call(other, "GET", "/visits/page1") == answer(10, "redis")
        assert call(other, "POST", "/visits/page1") == answer(11, "redis")
        assert call(one, "GET", "/visits/page1") == answer(11, "redis")
        call(one, "GET", "/health")


def test_a_cache_is_read_first_and_a_write_makes_it_invalid(start_agent):
    with running_redis() as (redis,):
        one = start_agent("--redis", redis.url, *AT_ONCE)
        other = start_agent("--redis", redis.url, *AT_ONCE)
        assert call(one, "POST", "/visits/page1") == answer(1, "redis")
        assert call(other, "GET", "/visits/page1") == answer(1, "redis")
        assert call(other, "GET", "/visits/page1") == answer(1, "in_memory")
        # What a write reads, once it is done, is in the cache too.
        assert call(one, "GET", "/visits/page1") == answer(1, "in_memory")
        assert call(other, "POST", "/visits/page1") == answer(2, "redis")
        assert call(one, "GET", "/visits/page1") == answer(1, "in_memory"), "others are not asked while the cache lasts"
        assert call(one, "POST", "/visits/page1") == answer(3, "redis"), "a write asks anew"
        assert call(one, "GET", "/visits/page1") == answer(3, "in_memory")
        # Others' counts come once the cache has ended.
        assert call(other, "POST", "/visits/page1")["visits"] == 4

        def ended():
            found = call(one, "GET", "/visits/page1")
            assert found == answer(4, "redis"), found
            return True

        wait_for(ended, "the cache ends", every=0.2)
        assert call(one, "GET", "/visits/page1") == answer(4, "in_memory")


def test_buffered_writes_are_counted_with_what_is_stored(start_agent):
    with running_redis() as (redis,):
        one = start_agent("--redis", redis.url, "--redis-flush-interval", "30s", *NO_CACHE)
        other = start_agent("--redis", redis.url, *AT_ONCE, *NO_CACHE)
        # The first batch goes at once, the next one 30 s later.
        call(one, "POST", "/visits/first")
        wait_for(lambda: held(redis, "first") == 1 and buffered(one) == 0, "the first batch is written")
        assert call(one, "GET", "/visits/first") == answer(1, "redis")
        for visits in range(1, 6):
            assert call(other, "POST", "/visits/page1") == answer(visits, "redis")
        for visits in range(6, 9):
            assert call(one, "POST", "/visits/page1") == answer(visits, "batch")
        assert call(one, "GET", "/visits/page1") == answer(8, "batch")
        assert held(redis, "page1") == 5 and call(other, "GET", "/visits/page1") == answer(5, "redis")
        assert buffered(one) >= 1
        # As many as a batch holds go at once; so does everything at the end.
        for number in range(1_000):
            call(one, "POST", f"/visits/many{number}")
        wait_for(lambda: held(redis, "page1") == 8, "a full batch is written")
        wait_for(lambda: call(one, "GET", "/visits/page1") == answer(8, "redis"), "what is stored is all there is")
        call(one, "POST", "/visits/page1")
        assert held(redis, "page1") == 8
        assert one.stop() == 0
        assert held(redis, "page1") == 9 and call(other, "GET", "/visits/page1") == answer(9, "redis")
        assert all(held(redis, f"many{number}") == 1 for number in range(0, 1_000, 100))


SHARD_PAGES = [f"page{number}" for number in range(24)]


def start_on_shards(start_agent, shards, *flags):
    """An agent that has counted each page once; and each page's shard."""
    flags = ("--redis", ",".join(shard.url for shard in shards), *AT_ONCE, *NO_CACHE, *flags)
    agent = start_agent(*flags)
    wait_for_nodes(agent, len(shards))
    names = {f"redis_{shard.port}": shard for shard in shards}
    owners = {}
    for page in SHARD_PAGES:
        first = call(agent, "POST", f"/visits/{page}")
        owners[page] = names[first["served_via"]]
        assert first["visits"] == 1 and call(agent, "GET", f"/visits/{page}") == first
    assert set(owners.values()) == set(shards)
    return agent, owners


def sums_of_pages(server, pages):
    hashes = server.hashes([key(page) for page in pages])
    return {page: sum_of(hashes[key(page)]) for page in pages}


def test_two_shards_share_the_pages_and_one_that_is_killed_takes_nobody_along(start_agent):
    # Without a file of its own: what comes back is empty, and all of it has to be written again.
    with running_redis(2, ports=(7070, 7071)) as shards:
        agent, owners = start_on_shards(start_agent, shards)
        dead, living = shards
        belonging = {shard: [page for page in SHARD_PAGES if owners[page] is shard] for shard in shards}
        for shard, other in ((dead, living), (living, dead)):
            assert set(sums_of_pages(shard, belonging[shard]).values()) == {1}
            assert not any(other.hashes([key(page) for page in belonging[shard]]).values()), "a page is on one shard alone"

        dead.kill()
        wait_for_nodes(agent, 1)
        for page in SHARD_PAGES:
            for method in ("POST", "GET"):
                found = call(agent, method, f"/visits/{page}")
                assert found["visits"] == 2, (page, found)
                if owners[page] is dead:
                    assert found["served_via"] in ("in_memory", "batch")
                else:
                    assert found["served_via"] == f"redis_{living.port}"
        assert set(sums_of_pages(living, belonging[living]).values()) == {2}
        dead.start()
        whole = dict.fromkeys(belonging[dead], 2)
        wait_for(lambda: sums_of_pages(dead, belonging[dead]) == whole, "everything is written", seconds=30, every=0.1)
        other = start_agent("--redis", ",".join(shard.url for shard in shards), *NO_CACHE)
        wait_for_nodes(other, 2)
        for page in SHARD_PAGES:
            stored = answer(2, f"redis_{owners[page].port}")
            wait_for(lambda: call(agent, "GET", f"/visits/{page}") == stored, f"{page} comes from its shard")
            assert call(other, "GET", f"/visits/{page}") == stored


def test_a_shard_that_stands_still_is_done_without(start_agent):
    with running_redis(2) as shards:
        agent, owners = start_on_shards(start_agent, shards, "--redis-timeout", "1s")
        still, living = shards
        still.stop()
        try:
            for page in SHARD_PAGES:
                found = call(agent, "POST", f"/visits/{page}")
                vias = ("in_memory", "batch") if owners[page] is still else (f"redis_{living.port}",)
                assert found["visits"] == 2 and found["served_via"] in vias, (page, found)
            state = call(agent, "GET", "/status")["redis_status"]["node_status"]
            assert state == {still.url: False, living.url: True}
        finally:
            still.go_on()
        stored = {page: answer(2, f"redis_{owners[page].port}") for page in SHARD_PAGES}
        for page in SHARD_PAGES:
            wait_for(lambda: call(agent, "GET", f"/visits/{page}") == stored[page], f"{page} comes from its shard")


# The visit counter service.

PASSWORD = "sec,ret#1"


def dotenv(urls):
    """Its documented settings."""
    return {
        "REDIS_NODES": ",".join(urls),
        "REDIS_PASSWORD": PASSWORD,
        "REDIS_DB": "0",
        "REDIS_TIMEOUT": "5",
        "REDIS_RETRY_ATTEMPTS": "3",
        "VIRTUAL_NODES": "100",
        "CACHE_TTL_SECONDS": "5",
        "CACHE_CAPACITY": "1000",
        "BATCH_INTERVAL_SECONDS": "5.0",
        "BATCH_SIZE_LIMIT": "1000",
        "DEBUG": "true",
        "API_PREFIX": "/api/v1",
        "PROJECT_NAME": "Visit Counter Service",
        "ENABLE_METRICS": "True",
        "METRICS_INTERVAL_SECONDS": "60",
    }


@pytest.mark.parametrize("way", ["environment", "file"])
def test_the_visit_counter_service_with_three_nodes(start_agent, tmp_path, way):
    with running_redis(3, ["--requirepass", PASSWORD]) as nodes:
        urls = [node.url for node in nodes]
        # Batches go more often than every 5 s, lest the test take as long.
        settings = dotenv(urls) | {"BATCH_INTERVAL_SECONDS": "1.0"}
        if way == "environment":
            agent = start_agent(environment=settings)
        else:
            file = tmp_path / ".env"
            file.write_text("".join(f'{name}="{value}"\n' if name == "PROJECT_NAME" else f"{name}={value}\n" for name, value in settings.items()))
            agent = start_agent("--config", file)
        wait_for_nodes(agent, 3)
        vias = {"in_memory", "batch", *(f"redis_{node.port}" for node in nodes)}

        def record(page):
            recorded = call(agent, "POST", f"{BASE}/visit/{page}")
            assert MOMENT.fullmatch(recorded.pop("timestamp"))
            assert recorded == {"status": "success", "message": f"Visit recorded for page {page}", "page_id": page}

        def count(page):
            found = call(agent, "GET", f"{BASE}/visits/{page}")
            assert found.keys() == {"visits", "served_via"} and found["served_via"] in vias, found
            return found["visits"]

        def stored(page):
            return stored_all([page])[0]

        def stored_all(pages):
            found = [node.hashes([key(page) for page in pages]) for node in nodes]
            sums = [[sum_of(hashes[key(page)]) for hashes in found if hashes[key(page)]] for page in pages]
            assert all(len(one) <= 1 for one in sums), f"{pages} are on {[len(one) for one in sums]} nodes"
            return [sum(one) for one in sums]

        # Record, count, reset, count.
        assert call(agent, "GET", f"{BASE}/visits/page1", status=404) == {"detail": "Page not found"}
        assert call(agent, "DELETE", f"{BASE}/visits/page1", status=404) == {"detail": "Page not found"}
        record("page1")
        assert count("page1") == 1
        reset = {"status": "success", "message": "Counter reset for page page1", "page_id": "page1"}
        assert call(agent, "DELETE", f"{BASE}/visits/page1") == reset
        assert count("page1") == 0
        record("page1")
        assert count("page1") == 1
        wait_for(lambda: stored("page1") == 1 and buffered(agent) == 0, "the batch is written", seconds=20)

        # Five reads a second apart, of which the first fills the cache.
        before = call(agent, "GET", f"{BASE}/metrics")["metrics"]
        for _ in range(5):
            assert count("page1") == 1
            time.sleep(1)
        after = call(agent, "GET", f"{BASE}/metrics")["metrics"]
        assert after["cache_hits"] > before["cache_hits"] and after["cache_misses"] > before["cache_misses"], (before, after)
        assert after["cache_hits"] + after["cache_misses"] >= before["cache_hits"] + before["cache_misses"] + 5

        # Ten at once.
        with ThreadPoolExecutor(10) as callers:
            list(callers.map(lambda _: record("page1"), range(10)))
        assert count("page1") == 11

        # Five pages over the nodes.
        pages = [f"page{number}" for number in range(2, 7)]
        for page in pages:
            record(page)
        assert [count(page) for page in pages] == [1] * 5
        wait_for(lambda: buffered(agent) == 0, "the batch is written", seconds=20)
        assert stored_all(["page1", *pages]) == [11, 1, 1, 1, 1, 1]

        metrics = call(agent, "GET", f"{BASE}/metrics")
        assert metrics.keys() == {"status", "metrics", "redis_nodes", "last_batch_write"} and metrics["status"] == "healthy"
        holds(metrics["metrics"], cache_hits=int, cache_misses=int, cache_size=int, write_buffer_size=int)
        assert metrics["metrics"].keys() == {"cache_hits", "cache_misses", "cache_size", "write_buffer_size"}
        assert metrics["redis_nodes"] == dict.fromkeys(urls, True) and MOMENT.fullmatch(metrics["last_batch_write"])
        status = holds(call(agent, "GET", "/status"), status=str, uptime=str, total_requests=int, version=str, debug_mode=bool)
        assert status["status"] == "healthy" and status["debug_mode"]
        assert status["redis_status"] == {"nodes": 3, "healthy_nodes": 3, "node_status": dict.fromkeys(urls, True)}
        assert status["counter_status"].keys() == {"cache_size", "write_buffer_size"}

        # One node less: the others are as they were, and counting goes on.
        nodes[0].kill()
        left = dict.fromkeys(urls, True) | {urls[0]: False}
        expected = {"nodes": 3, "healthy_nodes": 2, "node_status": left}
        wait_for(lambda: call(agent, "GET", "/status")["redis_status"] == expected, "the node is away", seconds=20)
        assert call(agent, "GET", f"{BASE}/metrics")["redis_nodes"] == left
        assert call(agent, "GET", "/health")["status"] == "degraded"
        call(agent, "GET", "/ready")
        for page in ["page1", *pages]:
            visits = count(page)
            record(page)
            assert count(page) == visits + 1
        nodes[0].start()
        wait_for_nodes(agent, 3)
        wait_for(lambda: stored_all(["page1", *pages]) == [12, 2, 2, 2, 2, 2], "all is written", seconds=30)


# What stands in Redis, for people.


@pytest.fixture
def readmes_commands(root):
    """The commands with redis-cli of the README's section, in their order."""
    section = (root / "README.md").read_text().split("## Several agents, one count\n")[1].split("\n## ")[0]
    blocks = re.findall(r"(?:^    .*\n)+", section, re.MULTILINE)
    commands = "".join(block for block in blocks if "redis-cli" in block).replace("|\n", "| ")
    return [line.strip() for line in commands.splitlines()]


def test_the_readmes_one_liners_say_what_the_api_says(start_agent, tmp_path, readmes_commands):
    count, agents, delete = readmes_commands
    with running_redis() as (server,):
        redis_cli = tmp_path / "redis-cli"
        redis_cli.write_text(f'#!/bin/sh\nexec {shutil.which("redis-cli")} -p {server.port} "$@"\n')
        redis_cli.chmod(0o755)

        def run(command):
            words = ["bash", "-euo", "pipefail", "-c", f"PATH={tmp_path}:$PATH\n{command}"]
            return subprocess.run(words, capture_output=True, text=True, timeout=60, check=True).stdout.split()

        one, other = (start_agent("--redis", server.url, *AT_ONCE, *NO_CACHE) for _ in range(2))

        def says(visits, total):
            wait_for(lambda: other.stats("/stats/visit")["total"] == total, "the metric is written")
            assert call(other, "GET", "/visits/page1")["visits"] == visits
            assert run(count) == [str(visits)]
            assert run(count.replace("|page=page1}", "}")) == [str(total)]
            return True

        for agent, page in ((one, "page1"), (one, "page1"), (other, "page1"), (other, "page2")):
            call(agent, "POST", f"/visits/{page}")
        wait_for(lambda: says(3, 4), "all say the same")
        call(one, "DELETE", "/visits/page1")
        wait_for(lambda: says(0, 1), "all say the same after a reset")
        call(other, "POST", "/visits/page1")
        wait_for(lambda: says(1, 2), "all say the same")
        names = {agent.wait_for_log("sharing counts").split("agent=")[1].split()[0] for agent in (one, other)}
        assert len(names) == 2 and set(run(agents)) == names
        for agent in (one, other):
            assert agent.stop() == 0
        assert server.cli("DBSIZE") != "0"
        run(delete)
        assert server.cli("--scan", "--pattern", "footfall:*") == ""
