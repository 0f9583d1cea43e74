#!/usr/bin/env python3
"""Slow clients in full: slowhttptest's three attacks with a thousand connections each, while another process asks for `/health`; and ten
thousand connections that ask for nothing, with the memory that they take.

Needs slowhttptest and 12,000 descriptors.

    .venv/bin/python Tests/Stress/slow_http.py [--connections 1000] [--seconds 20] [--idle 10000] [--program PATH]
"""

import tempfile

from common import options, running
from harness.slow_http import ATTACKS, at_rest, hold_idle, raise_descriptor_limit, under_attack


def main():
    parser = options(__doc__)
    parser.add_argument("--connections", type=int, default=1_000)
    parser.add_argument("--seconds", type=int, default=20, help="of each attack")
    parser.add_argument("--idle", type=int, default=10_000, help="connections that ask for nothing")
    arguments = parser.parse_args()
    raise_descriptor_limit()
    places = ("--http-connections", str(arguments.idle + 1_000))
    with tempfile.TemporaryDirectory() as directory, running(arguments.program, *places) as agent:
        print(at_rest(agent, arguments.seconds), flush=True)
        for attack in ATTACKS:
            print(under_attack(agent, attack, arguments.connections, arguments.seconds, directory), flush=True)
        print(hold_idle(agent, arguments.idle, asks=False), flush=True)
        print(hold_idle(agent, arguments.idle, asks=True), flush=True)


if __name__ == "__main__":
    main()
