"""What agents share their counts through: one Redis, several shards, or a Cluster; how it is disturbed, and what it holds."""

import contextlib
import json
import subprocess

from .proxy import Proxy
from .redis import running_cluster, running_redis, sum_of
from .waiting import wait_for

KINDS = ("single", "shards", "cluster")
# A killed server has lost a second at most, as the README advises.
LASTING = ["--appendonly", "yes", "--appendfsync", "everysec"]
HEAL_SECONDS = 60.0
# All hashes whose key matches: one script for the whole of a server.
HASHES = """
local found = {}
for _, key in ipairs(redis.call('KEYS', ARGV[1])) do found[#found + 1] = {key, redis.call('HGETALL', key)} end
return cjson.encode(found)
"""


def hashes_of(server, pattern, seconds=60):
    """The hashes of one server: dictionaries by key."""
    command = ["redis-cli", "-p", str(server.port), "--raw", "EVAL", HASHES, "0", pattern]
    said = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=seconds).stdout
    try:
        # Lua knows no empty list.
        return {key: dict(zip(flat[::2], flat[1::2])) for key, flat in json.loads(said) or []}
    except ValueError:
        raise AssertionError(f"{server.port} says {said!r}") from None


class Shards:
    """Servers that know nothing of each other, one of them included, each behind a way that can be cut."""

    def __init__(self, stack, count):
        self._stack = stack
        self.servers = []
        self.proxies = []
        for _ in range(count):
            self.add()

    @property
    def flags(self):
        return ["--redis", ",".join(proxy.url for proxy in self.proxies)]

    def add(self):
        (server,) = self._stack.enter_context(running_redis(1, LASTING))
        proxy = Proxy(server.port)
        self._stack.callback(proxy.close)
        self.servers.append(server)
        self.proxies.append(proxy)

    def masters(self):
        return self.servers

    def cut(self, generator):
        """Cuts one connection somewhere within the next commands."""
        generator.choice(self.proxies).cut_after(generator.randrange(1, 20_000))

    def wait_until_whole(self):
        """`start` has waited already."""


class ClusterStore:
    """A Redis Cluster, each master with a replica."""

    def __init__(self, stack):
        self._cluster = stack.enter_context(running_cluster(3, LASTING))
        self.servers = self._cluster.servers

    @property
    def flags(self):
        return ["--redis-cluster", self._cluster.urls]

    def masters(self):
        return self._cluster.masters()

    def cut(self, generator):
        """Cuts all connections of a master, but for those of the other nodes."""
        generator.choice(self.masters()).cli("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")

    def reshard(self, generator, slots=100):
        source, target = generator.sample(self.masters(), 2)
        self._cluster.reshard(slots, source, target)

    def wait_until_whole(self):
        def is_whole():
            return len(self.masters()) == 3 and self._cluster.is_whole()

        wait_for(is_whole, "the Cluster is whole", HEAL_SECONDS, every=0.1)


@contextlib.contextmanager
def running_store(kind):
    """A store of one of KINDS until the block is left."""
    with contextlib.ExitStack() as stack:
        yield ClusterStore(stack) if kind == "cluster" else Shards(stack, 3 if kind == "shards" else 1)


def totals_held(store, seconds=60):
    """What the store has of each page: by page the fields of each server that has some."""
    held = {}
    for server in store.masters():
        for key, fields in hashes_of(server, "footfall:{visit|page=*}", seconds).items():
            page = key.removeprefix("footfall:{visit|page=").removesuffix("}")
            held.setdefault(page, []).append(fields)
    return held


def visits_in(held):
    """What that comes to: the sum of each page over agents.

    While a key moves from one shard to another both may have a field of it: it only grows, so that the larger value is the newer one.
    """
    sums = {}
    for page, places in held.items():
        merged = {}
        for fields in places:
            for field, value in fields.items():
                if not field.endswith(".run"):
                    merged[field] = max(merged.get(field, 0), int(value))
        sums[page] = sum_of(merged)
    return sums
