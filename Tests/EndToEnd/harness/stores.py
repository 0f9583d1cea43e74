"""What agents share their counts through: one Redis, several shards, or a Cluster; how it is disturbed, and what it holds."""

import contextlib
import json
import subprocess

from .proxy import Proxy
from .redis import running_cluster, running_redis
from .waiting import wait_for

KINDS = ("single", "shards", "cluster")
# A killed server has lost a second at most, as the README advises.
LASTING = ["--appendonly", "yes", "--appendfsync", "everysec"]
HEAL_SECONDS = 60.0
# Of an agent's id, with which each field begins.
AGENT_DIGITS = 32
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


def sum_of(fields):
    """What a hash comes to, as the README adds it up: all totals less all bases. What else an agent notes there does not count."""
    signs = {"": 1, ".base": -1}
    return sum(signs[field[AGENT_DIGITS:]] * int(value) for field, value in fields.items() if field[AGENT_DIGITS:] in signs)


class Shards:
    """Servers that know nothing of each other, one of them included, each behind a way that can be cut.

    A key stays on the server that it leaves when one is added. There it grows no more: the largest sum is the one that counts.
    """

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


def visits_held(store, seconds=60):
    """What the store says of each page: its sum over agents."""
    held = {}
    for server in store.masters():
        for key, fields in hashes_of(server, "footfall:{visit|page=*}", seconds).items():
            page = key.removeprefix("footfall:{visit|page=").removesuffix("}")
            held[page] = max(held.get(page, 0), sum_of(fields))
    return held
