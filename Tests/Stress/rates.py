#!/usr/bin/env python3
"""What a rate of a millionth costs: processor time of the agent a line, with the rate and without, five times each in turn.

    .venv/bin/python Tests/Stress/rates.py [--lines 2000000] [--program PATH]
"""

from common import options, running
from harness.rates import compare_rates


def main():
    parser = options(__doc__)
    parser.add_argument("--lines", type=int, default=2_000_000)
    arguments = parser.parse_args()
    with running(arguments.program, "--flush-interval", "100ms") as agent:
        print(compare_rates(agent, arguments.lines))


if __name__ == "__main__":
    main()
