#!/usr/bin/env python3
"""The long run of exactness: by default 20 million lines over UDP, then over TCP, from four senders to two workers.

    .venv/bin/python Tests/Stress/exactness.py [--lines 20000000] [--transport udp|tcp] [--workers 2] [--program PATH]
"""

from common import options, running
from harness.exactness import run_exactly


def main():
    parser = options(__doc__)
    parser.add_argument("--lines", type=int, default=20_000_000)
    parser.add_argument("--transport", choices=("udp", "tcp"), action="append")
    parser.add_argument("--workers", default="2")
    parser.add_argument("--seconds", type=float, default=1800, help="the most that one transport may take")
    arguments = parser.parse_args()
    for transport in arguments.transport or ("udp", "tcp"):
        with running(arguments.program, "--workers", arguments.workers) as agent:
            print(f"{transport}: exact, {run_exactly(agent, transport, arguments.lines, arguments.seconds)}", flush=True)


if __name__ == "__main__":
    main()
