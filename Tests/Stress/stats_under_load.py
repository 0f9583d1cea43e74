#!/usr/bin/env python3
"""`GET /stats` with a million series, 10,000 of them active a second: how long it takes, and whether it loses datagrams.

Windows without questions, with questions for `/health`, which has nothing to read, and with the questions that count take turns under the
same load, sent at a pace. How long `/health` takes is what the machine costs.

    .venv/bin/python Tests/Stress/stats_under_load.py [--series 1000000] [--active 10000] [--lines 50000] [--questions 20] [--path /stats]
                                                      [--seconds 10] [--windows 5] [--program PATH]
"""

from common import options, running
from harness.stats_under_load import Window, feed, run_window


def main():
    parser = options(__doc__)
    parser.add_argument("--series", type=int, default=1_000_000)
    parser.add_argument("--active", type=int, default=10_000, help="series that count every second")
    parser.add_argument("--lines", type=int, default=50_000, help="a second")
    parser.add_argument("--questions", type=float, default=20, help="a second")
    parser.add_argument("--path", default="/stats")
    parser.add_argument("--seconds", type=int, default=10, help="of a window")
    parser.add_argument("--windows", type=int, default=5, help="of each kind")
    arguments = parser.parse_args()
    sending = (arguments.series, arguments.active, arguments.lines)
    with running(arguments.program, "--max-series", str(arguments.series + 1000)) as agent:
        feed(agent, arguments.series)
        found = {path: Window() for path in (None, "/health", arguments.path)}
        for number in range(arguments.windows):
            for path in found:
                window = run_window(agent, sending, arguments.seconds, number, path, arguments.questions)
                print(f"{path or 'no question':12} {window}", flush=True)
                found[path] += window
        for path, window in found.items():
            print(f"all: {path or 'no question':12} {window}")


if __name__ == "__main__":
    main()
