"""Several agents share their counts through real Redis servers: every sum is what all of them have counted, whatever goes wrong meanwhile.

The long runs of the same are Tests/Stress/{sums,sharing,redis_away}.py.
"""

import shutil

import pytest
import requests

from harness.agents import read_pages
from harness.away import HOWS, run_away
from harness.disturbances import run_rounds
from harness.place import Place
from harness.redis import running_cluster, running_redis, sum_of
from harness.sending import send_stream
from harness.sharing import run_sums
from harness.stores import KINDS, LASTING
from harness.waiting import wait_for

# Counts that came over HTTP are in Redis before they are answered, and what others have is asked for each time.
AT_ONCE = ["--redis-flush-interval", "0", "--cache-ttl", "0", "--flush-interval", "100ms"]


@pytest.fixture
def redis():
    with running_redis(1, LASTING) as (server,):
        yield server


@pytest.fixture
def places(program, tmp_path, redis):
    """Where two agents run that share a server."""
    made = []
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        made.append(Place(program, tmp_path / name, "--redis", redis.url, *AT_ONCE))
    return made


@pytest.fixture
def pair(places):
    agents = [place.start() for place in places]
    yield agents
    for agent in agents:
        if agent.is_running:
            assert agent.stop() == 0, agent.log


def visit(agent, page="page1"):
    answer = requests.post(agent.url(f"/visits/{page}"), timeout=30)
    assert answer.status_code == 200, answer.text
    return answer.json()["visits"]


def wait_for_visits(agents, count, page="page1"):
    wait_for(
        lambda: [agent.get(f"/visits/{page}").json()["visits"] for agent in agents] == [count] * len(agents),
        f"all agents have {count} visits of {page}",
        every=0.02,
    )


@pytest.mark.parametrize("kind", KINDS)
def test_every_sum_is_exact_on_every_agent_and_in_redis(program, tmp_path, kind):
    print(run_sums(program, tmp_path, kind, counts=40_000, per_second=40_000, interval=0.5, pages=300))


@pytest.mark.parametrize(
    "kind, only",
    [
        ("single", ["cuts", "agents killed with a server away"]),
        ("shards", ["servers killed", "cuts"]),
        ("shards", ["agents killed", "shards added"]),
        ("cluster", ["servers killed"]),
        ("cluster", ["reshards"]),
    ],
)
def test_under_load_no_sum_is_ever_too_large_and_all_are_exact_once_everything_is_up(program, tmp_path, kind, only):
    found = run_rounds(
        program, tmp_path, kind, len(only), per_second=20_000, interval=0.3, timeout=0.5, only=only, away_seconds=3, pages=300
    )
    print(found)
    assert found.resets > 0


@pytest.mark.parametrize("how", HOWS)
def test_with_redis_away_counting_goes_on_and_the_sums_come_right(program, tmp_path, how):
    found = run_away(program, tmp_path, how, lines_a_second=20_000, seconds=4.5, interval=0.3, timeout=0.5, pages=300)
    print(found)
    assert found.reasons and found.dropped["away"] == 0


def test_a_visit_counts_for_all_and_local_ones_are_an_agent_s_own(pair):
    first, second = pair
    assert [visit(first), visit(second), visit(first)] == [1, 2, 3]
    wait_for_visits(pair, 3)
    assert [read_pages(agent.address("http"), ["page1"], "?scope=local")["page1"] for agent in pair] == [2, 1]
    assert [agent.stats()["total_visits"] for agent in pair] == [3, 3]
    assert [agent.stats("/stats", scope="local")["total_visits"] for agent in pair] == [2, 1]


def test_redis_cli_adds_up_to_the_same(pair, redis):
    for agent in pair:
        send_stream(agent.address("tcp"), b"visit:page1:5|c\n")
    wait_for_visits(pair, 10)
    pair[0].get("/visits/page1")
    words = redis.cli("HGETALL", "footfall:{visit|page=page1}").split()
    assert sum_of(dict(zip(words[::2], words[1::2]))) == 10


def test_a_reset_on_one_is_seen_by_all_and_counting_goes_on(pair):
    first, second = pair
    for agent in pair:
        send_stream(agent.address("tcp"), b"visit:page1:5|c\n")
    wait_for_visits(pair, 10)
    assert requests.delete(first.url("/visits/page1"), timeout=30).status_code == 200
    wait_for_visits(pair, 0)
    assert [visit(second), visit(first)] == [1, 2]
    wait_for_visits(pair, 2)
    # Prometheus wants a counter that does not fall.
    assert [agent.scrape().value("visit_total", page="page1") for agent in pair] == [6, 6]


def test_a_reset_with_redis_away_is_503_and_resets_nothing(pair, redis):
    first, second = pair
    assert [visit(first), visit(second)] == [1, 2]
    redis.kill()
    refused = requests.delete(first.url("/visits/page1"), timeout=30)
    assert refused.status_code == 503 and "Retry-After" in refused.headers, refused.text
    assert first.get("/visits/page1", params={"scope": "local"}).json()["visits"] == 1
    redis.start()
    wait_for_visits(pair, 2)


def test_a_restart_never_lowers_a_count(pair, places):
    first, second = pair
    for _ in range(3):
        visit(first)
        visit(second)
    for kill in (False, True):
        before = second.get("/visits/page1").json()["visits"]
        if kill:
            pair[0].kill()
        else:
            assert pair[0].stop() == 0, pair[0].log
        assert second.get("/visits/page1").json()["visits"] == before
        pair[0] = places[0].start()
        wait_for_visits(pair, before)
        assert visit(pair[0]) == before + 1
        wait_for_visits(pair, before + 1)


def test_a_lost_state_directory_makes_no_sum_wrong(pair, places):
    for agent in pair:
        send_stream(agent.address("tcp"), b"visit:page1:5|c\n")
    wait_for_visits(pair, 10)
    assert pair[0].stop() == 0, pair[0].log
    shutil.rmtree(places[0].state)
    pair[0] = places[0].start()
    wait_for_visits(pair, 10)
    assert visit(pair[0]) == 11
    wait_for_visits(pair, 11)
    assert pair[0].get("/visits/page1", params={"scope": "local"}).json()["visits"] == 1


def test_a_restored_old_state_directory_makes_no_sum_wrong(pair, places, tmp_path):
    assert pair[0].stop() == 0
    shutil.copytree(places[0].state, tmp_path / "backup")
    pair[0] = places[0].start()
    assert [visit(pair[0]) for _ in range(3)] == [1, 2, 3]
    assert pair[0].stop() == 0
    shutil.rmtree(places[0].state)
    shutil.copytree(tmp_path / "backup", places[0].state)
    # What Redis has more of this agent than its journal is taken over.
    pair[0] = places[0].start()
    wait_for_visits(pair, 3)
    assert visit(pair[0]) == 4
    wait_for_visits(pair, 4)


def test_a_cluster_s_entry_point_is_enough(start_agent):
    with running_cluster() as cluster:
        agents = [start_agent("--redis-cluster", server.url, *AT_ONCE[:4]) for server in cluster.servers[:2]]
        assert [visit(agent, f"page{number}") for number in range(20) for agent in agents] == [1, 2] * 20
        for number in range(20):
            wait_for_visits(agents, 2, f"page{number}")
