#!/usr/bin/env python3
"""What a rate of a millionth costs: processor time of the agent a line, with the rate and without, five times each in turn.

    .venv/bin/python Tests/Stress/rates.py [--lines 2000000] [--program PATH]
"""

import argparse
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "Tests/EndToEnd"))

from harness.agent import Agent  # noqa: E402
from harness.rates import compare_rates  # noqa: E402


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lines", type=int, default=2_000_000)
    parser.add_argument("--program", type=Path, default=ROOT / ".build/release/footfall")
    arguments = parser.parse_args()
    free = [word for kind in ("udp", "tcp", "http") for word in (f"--{kind}", "127.0.0.1:0")]
    with tempfile.TemporaryDirectory() as directory:
        agent = Agent([arguments.program.resolve(), "serve", "--flush-interval", "100ms", *free], directory).wait_until_ready()
        try:
            print(compare_rates(agent, arguments.lines))
            assert agent.stop() == 0, agent.log
        finally:
            if agent.is_running:
                agent.kill()


if __name__ == "__main__":
    main()
