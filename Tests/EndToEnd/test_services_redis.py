"""The two services that keep their counts in Redis, stage by stage, with real servers: which answer comes from where, and what stands in Redis.

Their calls without Redis, and the other three services, are in test_services.py.
"""

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


def test_two_shards_share_the_pages_and_one_that_is_killed_takes_nobody_along(start_agent):
    # Without a file of its own: what comes back is empty, and all of it has to be written again.
    with running_redis(2, ports=(7070, 7071)) as shards:
        flags = ("--redis", ",".join(shard.url for shard in shards), *AT_ONCE, *NO_CACHE)
        agent = start_agent(*flags)
        wait_for_nodes(agent, 2)
        names = {f"redis_{shard.port}": shard for shard in shards}
        pages = [f"page{number}" for number in range(100)]
        owners = {}
        for page in pages:
            first = call(agent, "POST", f"/visits/{page}")
            owners[page] = names[first["served_via"]]
            assert first["visits"] == 1 and call(agent, "GET", f"/visits/{page}") == first
        assert set(owners.values()) == set(shards)
        assert [[shard.cli("EXISTS", key(page)) for shard in shards if shard is not owners[page]] for page in pages] == [["0"]] * 100

        dead, living = shards
        dead.kill()
        wait_for_nodes(agent, 1)
        for page in pages:
            for method in ("POST", "GET"):
                found = call(agent, method, f"/visits/{page}")
                assert found["visits"] == 2, (page, found)
                if owners[page] is dead:
                    assert found["served_via"] in ("in_memory", "batch")
                else:
                    assert found["served_via"] == f"redis_{living.port}" and held(living, page) == 2
        dead.start()

        def is_whole():
            sums = {page: held(owners[page], page) for page in pages}
            assert set(sums.values()) == {2}, {page: count for page, count in sums.items() if count != 2}
            return True

        wait_for(is_whole, "everything is written", seconds=30)
        other = start_agent(*flags)
        for page in pages:
            stored = answer(2, f"redis_{owners[page].port}")
            wait_for(lambda: call(agent, "GET", f"/visits/{page}") == stored, f"{page} comes from its shard")
            assert call(other, "GET", f"/visits/{page}") == stored


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
        settings = dotenv(urls)
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
            sums = [sum_of(fields) for node in nodes if (fields := node.fields(key(page)))]
            assert len(sums) <= 1, f"{page} is on {len(sums)} nodes"
            return sum(sums)

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
        assert [stored(page) for page in ["page1", *pages]] == [11, 1, 1, 1, 1, 1]

        metrics = call(agent, "GET", f"{BASE}/metrics")
        assert metrics.keys() == {"status", "metrics", "redis_nodes", "last_batch_write"} and metrics["status"] == "healthy"
        holds(metrics["metrics"], cache_hits=int, cache_misses=int, cache_size=int, write_buffer_size=int)
        assert metrics["metrics"].keys() == {"cache_hits", "cache_misses", "cache_size", "write_buffer_size"}
        assert metrics["redis_nodes"] == dict.fromkeys(urls, True) and MOMENT.fullmatch(metrics["last_batch_write"])
        status = holds(call(agent, "GET", "/status"), status=str, uptime=str, total_requests=int, version=str, debug_mode=bool)
        assert status["status"] == "healthy"
        assert status["redis_status"] == {"nodes": 3, "healthy_nodes": 3, "node_status": dict.fromkeys(urls, True)}
        assert status["counter_status"].keys() == {"cache_size", "write_buffer_size"}

        # One node less: the others are as they were, and counting goes on.
        nodes[0].kill()
        left = dict.fromkeys(urls, True) | {urls[0]: False}
        expected = {"nodes": 3, "healthy_nodes": 2, "node_status": left}
        wait_for(lambda: call(agent, "GET", "/status")["redis_status"] == expected, "the node is away", seconds=20)
        wait_for(lambda: call(agent, "GET", f"{BASE}/metrics")["redis_nodes"] == left, "the counter's metrics know it too")
        assert call(agent, "GET", "/health")["status"] == "degraded"
        call(agent, "GET", "/ready")
        for page in ["page1", *pages]:
            visits = count(page)
            record(page)
            assert count(page) == visits + 1
        nodes[0].start()
        wait_for_nodes(agent, 3)
        wait_for(lambda: [stored(page) for page in ["page1", *pages]] == [12, 2, 2, 2, 2, 2], "all is written", seconds=30)
