#!/usr/bin/env python3
"""`GET /stats` with a million series, 10,000 of them active a second: how long it takes, and whether it loses datagrams.

Windows without questions, with questions for `/health`, which has nothing to read, and with the questions that count take turns under the
same load, sent at a pace. How long `/health` takes is what the machine costs.

    .venv/bin/python Tests/Stress/stats_under_load.py [--series 1000000] [--active 10000] [--lines 50000] [--questions 20] [--path /stats]
                                                      [--seconds 10] [--windows 5] [--program PATH]
"""

import argparse
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "Tests/EndToEnd"))

from harness.agent import Agent  # noqa: E402
from harness.stats_under_load import Window, feed, run_window  # noqa: E402


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--series", type=int, default=1_000_000)
    parser.add_argument("--active", type=int, default=10_000, help="series that count every second")
    parser.add_argument("--lines", type=int, default=50_000, help="a second")
    parser.add_argument("--questions", type=float, default=20, help="a second")
    parser.add_argument("--path", default="/stats")
    parser.add_argument("--seconds", type=int, default=10, help="of a window")
    parser.add_argument("--windows", type=int, default=5, help="of each kind")
    parser.add_argument("--program", type=Path, default=ROOT / ".build/release/footfall")
    arguments = parser.parse_args()
    free = [word for kind in ("udp", "tcp", "http") for word in (f"--{kind}", "127.0.0.1:0")]
    sending = (arguments.series, arguments.active, arguments.lines)
    with tempfile.TemporaryDirectory() as directory:
        command = [arguments.program.resolve(), "serve", "--max-series", str(arguments.series + 1000), *free]
        agent = Agent(command, directory).wait_until_ready()
        try:
            feed(agent, arguments.series)
            found = {path: Window() for path in (None, "/health", arguments.path)}
            for number in range(arguments.windows):
                for path in found:
                    window = run_window(agent, sending, arguments.seconds, number, path, arguments.questions)
                    print(f"{path or 'no question':12} {window}", flush=True)
                    found[path] += window
            for path, window in found.items():
                print(f"all: {path or 'no question':12} {window}")
            assert agent.stop() == 0, agent.log
        finally:
            if agent.is_running:
                agent.kill()


if __name__ == "__main__":
    main()
