"""Real Redis servers for tests: one, several shards, or a Cluster, on free ports of this machine, in a folder of the test's own."""

import contextlib
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import tempfile
from pathlib import Path

from .waiting import wait_for

# A node of a Cluster talks to the others on a second port, so much above the first.
BUS_DISTANCE = 10_000
START_SECONDS = 30.0
CLUSTER = ["--cluster-enabled", "yes", "--cluster-node-timeout", "1000", "--repl-diskless-sync-delay", "0"]


class Server:
    """One redis-server, which can be killed, stopped, continued and started again with what it has saved."""

    def __init__(self, port, directory, options):
        self.port = port
        self.directory = Path(directory) / str(port)
        self.directory.mkdir()
        self.options = options
        # redis-cli lets itself in.
        password = options[options.index("--requirepass") + 1] if "--requirepass" in options else None
        self._environment = os.environ | ({"REDISCLI_AUTH": password} if password else {})
        self.process = None
        self.start()

    @property
    def url(self):
        return f"redis://127.0.0.1:{self.port}"

    def start(self):
        """Starts it and waits until it answers."""
        command = ["redis-server", "--port", self.port, "--bind", "127.0.0.1", "--dir", self.directory, "--save", "", *self.options]
        self.process = subprocess.Popen(
            [str(word) for word in command], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

        def answers():
            assert self.process.poll() is None, f"redis-server on {self.port} ended with {self.process.returncode}"
            return self.cli("PING").startswith(("PONG", "NOAUTH"))

        wait_for(answers, f"redis-server on {self.port} answers", START_SECONDS)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        """Lets it stand still, its connections open."""
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self):
        self.process.send_signal(signal.SIGCONT)

    def cli(self, *words):
        """What redis-cli prints, without the last line's end."""
        command = ["redis-cli", "-p", str(self.port), *map(str, words)]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, env=self._environment)
        return done.stdout.rstrip("\n")

    def fields(self, key):
        """A hash."""
        return self.hashes([key])[key]

    def hashes(self, keys):
        """Hashes by their keys, those that there are not empty, all by one redis-cli."""
        command = ["redis-cli", "-p", str(self.port), "--json"]
        asked = "".join(f'HGETALL "{key}"\n' for key in keys)
        done = subprocess.run(command, input=asked, capture_output=True, text=True, timeout=60, env=self._environment)
        found = [json.loads(line) for line in done.stdout.splitlines()]
        assert len(found) == len(keys), done
        return dict(zip(keys, found))

    def end(self):
        if self.process.poll() is None:
            self.kill()


class Cluster:
    """A Redis Cluster; `servers` in no order."""

    def __init__(self, servers):
        self.servers = servers

    @property
    def urls(self):
        return ",".join(server.url for server in self.servers)

    def masters(self):
        """The servers that serve slots at the moment, as the first that answers sees it."""
        return next(masters for masters in map(self.masters_seen_by, self.servers) if masters)

    def masters_seen_by(self, server):
        """The servers that serve slots, as one of them sees it; none if it does not answer."""
        fields = [line.split() for line in server.cli("CLUSTER", "NODES").splitlines()]
        ports = {int(f[1].split("@")[0].rsplit(":", 1)[1]) for f in fields if "master" in f[2] and "fail" not in f[2] and len(f) > 8}
        return [server for server in self.servers if server.port in ports]

    def reshard(self, slots, source, target):
        """Moves slots from one master to another, as an operator does."""
        ids = [server.cli("CLUSTER", "MYID") for server in (source, target)]
        arguments = ["--cluster-from", ids[0], "--cluster-to", ids[1], "--cluster-slots", slots, "--cluster-yes"]
        said = source.cli("--cluster", "reshard", f"127.0.0.1:{source.port}", *arguments)
        assert "[ERR]" not in said, said

    def is_whole(self):
        """Whether all that run serve all slots, agree on who serves them, and each replica has taken over what its master holds."""
        masters = self.masters()
        for server in self.servers:
            if server.process.poll() is not None:
                continue
            roles = server.cli("INFO", "replication")
            assert "cluster_state:ok" in server.cli("CLUSTER", "INFO"), f"{server.port} is not ok"
            assert "role:master" in roles or "master_link_status:up" in roles, f"{server.port} is not linked"
            assert self.masters_seen_by(server) == masters, f"{server.port} sees other masters"
        return True


def sum_of(fields):
    """What agents have counted by a hash of totals, as anybody would add it up: all totals less all bases."""
    return sum(int(value) - int(fields.get(f"{field}.base", 0)) for field, value in fields.items() if "." not in field)


def free_ports(count, wanted=()):
    """Ports of TCP that nobody has, all of them different, each with the one for the bus; those that are wanted before others.

    Below those that the kernel gives to connections (ip_local_port_range), or one might take a port before its server does.
    """
    with contextlib.ExitStack() as held:
        ports = []
        wanted = list(reversed(wanted))
        while len(ports) < count:
            probe = held.enter_context(socket.socket())
            other = held.enter_context(socket.socket())
            port = wanted.pop() if wanted else random.randrange(11_000, 22_000)
            try:
                probe.bind(("127.0.0.1", port))
                other.bind(("127.0.0.1", port + BUS_DISTANCE))
            except OSError:
                continue
            ports.append(port)
        return ports


@contextlib.contextmanager
def running_redis(count=1, options=(), ports=()):
    """So many servers that know nothing of each other, as a list, until the block is left; on these ports, where they are free."""
    with _servers(free_ports(count, ports), options) as servers:
        yield servers


@contextlib.contextmanager
def running_cluster(masters=3, options=()):
    """A Cluster of so many masters with a replica each, all of them linked, until the block is left."""
    with _servers(free_ports(2 * masters), [*CLUSTER, *options]) as servers:
        nodes = [f"127.0.0.1:{server.port}" for server in servers]
        said = servers[0].cli("--cluster", "create", *nodes, "--cluster-replicas", 1, "--cluster-yes")
        assert "[OK] All 16384 slots covered." in said, said
        cluster = Cluster(servers)

        def is_ready():
            roles = [server.cli("INFO", "replication") for server in servers]
            return sum("master_link_status:up" in text for text in roles) == masters and cluster.is_whole()

        wait_for(is_ready, "the Cluster is whole", START_SECONDS, every=0.05)
        yield cluster


@contextlib.contextmanager
def _servers(ports, options):
    directory = tempfile.mkdtemp(prefix="footfall-redis-")
    servers = []
    try:
        for port in ports:
            servers.append(Server(port, directory, options))
        yield servers
    finally:
        for server in servers:
            server.end()
        shutil.rmtree(directory)
