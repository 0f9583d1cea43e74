#!/usr/bin/env python3
"""Hostile streams in full: a million lines of random bytes over UDP, and 64 MiB over TCP without one LF.

    .venv/bin/python Tests/Stress/hostile.py [--lines 1000000] [--bytes 67108864] [--program PATH]
"""

from common import options, running
from harness.hostile import endless_line, random_bytes


def main():
    parser = options(__doc__)
    parser.add_argument("--lines", type=int, default=1_000_000)
    parser.add_argument("--bytes", type=int, default=64 << 20)
    arguments = parser.parse_args()
    with running(arguments.program, "--flush-interval", "100ms") as agent:
        print(random_bytes(agent, arguments.lines, seed=1), flush=True)
        print(endless_line(agent, arguments.bytes), flush=True)


if __name__ == "__main__":
    main()
