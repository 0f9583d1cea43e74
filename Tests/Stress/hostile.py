#!/usr/bin/env python3
"""Hostile streams in full: a million lines of random bytes over UDP, and 64 MiB over TCP without one LF.

    .venv/bin/python Tests/Stress/hostile.py [--lines 1000000] [--bytes 67108864] [--program PATH]
"""

import argparse
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "Tests/EndToEnd"))

from harness.agent import Agent  # noqa: E402
from harness.hostile import endless_line, random_bytes  # noqa: E402


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lines", type=int, default=1_000_000)
    parser.add_argument("--bytes", type=int, default=64 << 20)
    parser.add_argument("--program", type=Path, default=ROOT / ".build/release/footfall")
    arguments = parser.parse_args()
    free = [word for kind in ("udp", "tcp", "http") for word in (f"--{kind}", "127.0.0.1:0")]
    with tempfile.TemporaryDirectory() as directory:
        agent = Agent([arguments.program.resolve(), "serve", "--flush-interval", "100ms", *free], directory).wait_until_ready()
        try:
            print(random_bytes(agent, arguments.lines, seed=1), flush=True)
            print(endless_line(agent, arguments.bytes), flush=True)
            assert agent.stop() == 0, agent.log
        finally:
            if agent.is_running:
                agent.kill()


if __name__ == "__main__":
    main()
