#!/usr/bin/env python3
"""Restarts under 100,000 datagrams a second, lines over TCP and visits over HTTP: what was sent is what was counted, to the unit.

`activation`: a manager has bound the sockets; `store`: the program's own sockets lie in the manager's descriptor store; `takeover`: the next
process takes over from the running one.

    .venv/bin/python Tests/Stress/restarts.py [--way activation] [--way store] [--way takeover] [--rounds 50] [--rate 100000] [--program PATH]
"""

from common import options
from harness.restarts import RATE, WAYS, run_restarts


def main():
    parser = options(__doc__)
    parser.add_argument("--way", choices=WAYS, action="append")
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--rate", type=int, default=RATE, help="datagrams a second")
    arguments = parser.parse_args()
    for way in arguments.way or WAYS:
        print(f"{way}: {run_restarts(arguments.program.resolve(), way, arguments.rounds, arguments.rate)}", flush=True)


if __name__ == "__main__":
    main()
