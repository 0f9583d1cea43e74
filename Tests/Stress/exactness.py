#!/usr/bin/env python3
"""The long run of exactness: by default 20 million lines over UDP, then over TCP, from four senders to two workers.

    .venv/bin/python Tests/Stress/exactness.py [--lines 20000000] [--transport udp|tcp] [--workers 2] [--program PATH]
"""

import argparse
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "Tests/EndToEnd"))

from harness.agent import Agent  # noqa: E402
from harness.exactness import run_exactly  # noqa: E402


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lines", type=int, default=20_000_000)
    parser.add_argument("--transport", choices=("udp", "tcp"), action="append")
    parser.add_argument("--workers", default="2")
    parser.add_argument("--program", type=Path, default=ROOT / ".build/release/footfall")
    parser.add_argument("--seconds", type=float, default=1800, help="the most that one transport may take")
    arguments = parser.parse_args()
    free = [word for kind in ("udp", "tcp", "http") for word in (f"--{kind}", "127.0.0.1:0")]
    for transport in arguments.transport or ("udp", "tcp"):
        with tempfile.TemporaryDirectory() as directory:
            command = [arguments.program.resolve(), "serve", "--workers", arguments.workers, *free]
            agent = Agent(command, directory).wait_until_ready()
            try:
                print(f"{transport}: exact, {run_exactly(agent, transport, arguments.lines, arguments.seconds)}", flush=True)
                assert agent.stop() == 0, agent.log
            finally:
                if agent.is_running:
                    agent.kill()


if __name__ == "__main__":
    main()
