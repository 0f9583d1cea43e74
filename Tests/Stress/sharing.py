#!/usr/bin/env python3
"""Agents share pages under load while servers are killed, stopped and cut off, slots and keys move, and agents are killed.

A sampler reads all the while: never more than what was sent. Once everything is up, every sum is what all agents have counted.

    .venv/bin/python Tests/Stress/sharing.py [--store single] [--store shards] [--store cluster] [--agents 3] [--rounds 50] [--rate 40000]
                                             [--interval 1] [--pages 1000] [--timeout 5] [--heal 60] [--seed N]
                                             [--only "agents killed"] [--program PATH]
"""

import random
import tempfile

from common import sharing_options
from harness.disturbances import run_rounds
from harness.stores import KINDS


def main():
    parser = sharing_options(__doc__, interval=1)
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--rate", type=int, default=40_000, help="counts a second")
    parser.add_argument("--timeout", type=float, default=5, help="seconds that an agent waits for Redis")
    parser.add_argument("--heal", type=float, default=60, help="seconds that the sums may take to be exact")
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000))
    parser.add_argument("--only", action="append", help="a disturbance, by its name in the figures")
    arguments = parser.parse_args()
    for kind in arguments.store or KINDS:
        print(f"{kind}: --seed {arguments.seed}", flush=True)
        with tempfile.TemporaryDirectory() as directory:
            found = run_rounds(
                arguments.program,
                directory,
                kind,
                arguments.rounds,
                arguments.rate,
                arguments.seed,
                arguments.interval,
                arguments.timeout,
                arguments.only,
                pages=arguments.pages,
                seconds=arguments.heal,
                say=lambda text: print(text, flush=True),
                count=arguments.agents,
            )
        print(found, flush=True)


if __name__ == "__main__":
    main()
