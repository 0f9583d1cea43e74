#!/usr/bin/env python3
"""Slow clients in full: slowhttptest's three attacks with a thousand connections each, while another process asks for `/health`; and ten
thousand connections that ask for nothing, with the memory that they take.

Needs slowhttptest and 12,000 descriptors.

    .venv/bin/python Tests/Stress/slow_http.py [--connections 1000] [--seconds 20] [--idle 10000] [--program PATH]
"""

import argparse
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "Tests/EndToEnd"))

from harness.agent import Agent  # noqa: E402
from harness.slow_http import ATTACKS, at_rest, hold_idle, raise_descriptor_limit, under_attack  # noqa: E402


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--connections", type=int, default=1_000)
    parser.add_argument("--seconds", type=int, default=20, help="of each attack")
    parser.add_argument("--idle", type=int, default=10_000, help="connections that ask for nothing")
    parser.add_argument("--program", type=Path, default=ROOT / ".build/release/footfall")
    arguments = parser.parse_args()
    raise_descriptor_limit()
    free = [word for kind in ("udp", "tcp", "http") for word in (f"--{kind}", "127.0.0.1:0")]
    with tempfile.TemporaryDirectory() as directory:
        command = [arguments.program.resolve(), "serve", "--http-connections", str(arguments.idle + 1_000), *free]
        agent = Agent(command, directory).wait_until_ready()
        try:
            print(at_rest(agent, arguments.seconds), flush=True)
            for attack in ATTACKS:
                print(under_attack(agent, attack, arguments.connections, arguments.seconds, directory), flush=True)
            print(hold_idle(agent, arguments.idle, asks=False), flush=True)
            print(hold_idle(agent, arguments.idle, asks=True), flush=True)
            assert agent.stop() == 0, agent.log
        finally:
            if agent.is_running:
                agent.kill()


if __name__ == "__main__":
    main()
