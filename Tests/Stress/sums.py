#!/usr/bin/env python3
"""Agents share 1,000 pages through Redis: within one interval and a second every sum is exact, on every agent and in Redis.

    .venv/bin/python Tests/Stress/sums.py [--store single] [--store shards] [--store cluster] [--agents 3] [--counts 3000000]
                                          [--rate 200000] [--interval 5] [--pages 1000] [--seed 1] [--program PATH]
"""

import tempfile

from common import sharing_options
from harness.sharing import run_sums
from harness.stores import KINDS

# Beyond the interval.
ALLOWANCE_SECONDS = 1.0


def main():
    parser = sharing_options(__doc__, interval=5)
    parser.add_argument("--counts", type=int, default=3_000_000)
    parser.add_argument("--rate", type=int, default=200_000, help="counts a second")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    late = []
    for kind in arguments.store or KINDS:
        with tempfile.TemporaryDirectory() as directory:
            sums = run_sums(
                arguments.program,
                directory,
                kind,
                arguments.counts,
                arguments.rate,
                arguments.interval,
                arguments.pages,
                arguments.seed,
                count=arguments.agents,
            )
        print(sums, flush=True)
        if sums.exact_after > arguments.interval + ALLOWANCE_SECONDS:
            late.append(kind)
    if late:
        raise SystemExit(f"exact later than {arguments.interval + ALLOWANCE_SECONDS} s after the last count: {', '.join(late)}")


if __name__ == "__main__":
    main()
