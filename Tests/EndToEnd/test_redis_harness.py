"""The Redis servers of the other tests: they start, fail over, move slots and come back."""

from harness.redis import running_cluster, running_redis
from harness.waiting import wait_for


def test_shards_know_nothing_of_each_other_and_keep_what_they_saved():
    with running_redis(3, ["--appendonly", "yes", "--appendfsync", "always"]) as shards:
        shards[0].cli("SET", "a", "1")
        assert [shard.cli("DBSIZE") for shard in shards] == ["1", "0", "0"]
        shards[0].kill()
        shards[0].start()
        assert shards[0].cli("GET", "a") == "1"


def test_a_cluster_outlives_its_master_and_moves_slots():
    with running_cluster() as cluster:
        first, second, third = cluster.masters()
        assert first.cli("-c", "SET", "foo", "bar") == "OK"
        cluster.reshard(100, second, third)
        wait_for(cluster.is_whole, "the Cluster is whole after moving slots")
        first.kill()
        wait_for(lambda: len(cluster.masters()) == 3 and cluster.is_whole(), "a replica takes over", 30)
        assert first not in cluster.masters()
        assert second.cli("-c", "GET", "foo") == "bar"
