"""A place where one agent follows the other: at the same addresses, on the same state directory."""

from pathlib import Path

from .agent import Agent

FREE = {kind: "127.0.0.1:0" for kind in ("udp", "tcp", "http")}


def listening_at(addresses):
    """The flags that bind these."""
    return [word for kind, address in addresses.items() for word in (f"--{kind}", address)]


class Place:
    """Starts agents one after the other; where the first one found free ports, the others listen too."""

    def __init__(self, program, directory, *flags, addresses=FREE):
        self.directory = Path(directory)
        self.state = self.directory / "state"
        self._program = program
        self._flags = flags
        self._addresses = addresses

    def start(self, *more):
        words = [*listening_at(self._addresses), "--state-dir", self.state, *self._flags, *more]
        agent = Agent([self._program, "serve", *words], self.directory).wait_until_ready(60)
        self._addresses = {kind: agent.bound[kind][0] for kind in self._addresses}
        return agent
