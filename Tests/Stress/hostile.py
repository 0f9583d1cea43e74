#!/usr/bin/env python3
"""Hostile streams in full: a million lines of random bytes over UDP, 64 MiB over TCP without one LF, and streams by the hundred that leave
a line unended, some of them from where nobody is heard.

    .venv/bin/python Tests/Stress/hostile.py [--lines 1000000] [--bytes 67108864] [--streams 300] [--program PATH]
"""

from common import options, running
from harness.hostile import crowd, endless_line, random_bytes


def main():
    parser = options(__doc__)
    parser.add_argument("--lines", type=int, default=1_000_000)
    parser.add_argument("--bytes", type=int, default=64 << 20)
    parser.add_argument("--streams", type=int, default=300)
    arguments = parser.parse_args()
    with running(arguments.program, "--flush-interval", "100ms") as agent:
        print(random_bytes(agent, arguments.lines, seed=1), flush=True)
        print(endless_line(agent, arguments.bytes), flush=True)
    limits = ["--allow", "127.0.0.0/28", "--stream-connections-per-address", str(arguments.streams * 2 // 3), "--stream-line-time", "10s"]
    with running(arguments.program, "--flush-interval", "100ms", *limits) as agent:
        print(crowd(agent, arguments.streams, ["127.0.0.1", "127.0.0.2", "127.0.0.3"], ["127.0.1.1"]), flush=True)


if __name__ == "__main__":
    main()
