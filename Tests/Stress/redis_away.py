#!/usr/bin/env python3
"""Redis is killed, and another time stopped, for the middle third of a run under 200,000 lines a second: memory stays flat, no datagram is
lost to it, /health is degraded and then healthy, and the sums are exact at the end.

    .venv/bin/python Tests/Stress/redis_away.py [--how killed] [--how stopped] [--lines 200000] [--seconds 180] [--interval 1]
                                                [--pages 1000] [--flat 8192] [--program PATH]
"""

import tempfile

from common import options
from harness.away import HOWS, run_away


def main():
    parser = options(__doc__)
    parser.add_argument("--how", choices=HOWS, action="append")
    parser.add_argument("--lines", type=int, default=200_000, help="a second, of all agents")
    parser.add_argument("--seconds", type=float, default=180)
    parser.add_argument("--interval", type=float, default=1, help="seconds between two writes to Redis")
    parser.add_argument("--pages", type=int, default=1_000)
    parser.add_argument("--flat", type=int, default=8192, help="KiB that an agent may grow once Redis is away")
    arguments = parser.parse_args()
    faults = []
    for how in arguments.how or HOWS:
        with tempfile.TemporaryDirectory() as directory:
            found = run_away(
                arguments.program, directory, how, arguments.lines, arguments.seconds, arguments.interval, pages=arguments.pages
            )
        print(found, flush=True)
        if found.grown_kib > arguments.flat:
            faults.append(f"{how}: memory grew by {found.grown_kib} KiB")
        if found.dropped["away"] > found.dropped["up"]:
            faults.append(f"{how}: {found.dropped['away']} datagrams dropped while Redis was away")
    if faults:
        raise SystemExit("; ".join(faults))


if __name__ == "__main__":
    main()
