#!/usr/bin/env python3
"""The soak: half of what the machine can do over all listeners, scrapes, dashboards, a reload every minute, one kill and one takeover each
five minutes. Prints the spread of resident memory and descriptors after the first five minutes, and what the kills cost.

    .venv/bin/python Tests/Stress/soak.py [--seconds 1800] [--reload 60] [--disturb 300] [--settle 300] [--program PATH]
"""

import tempfile

from common import options
from harness.soak import Soak


def main():
    parser = options(__doc__)
    parser.add_argument("--seconds", type=float, default=1800)
    parser.add_argument("--reload", type=float, default=60, help="seconds between two SIGHUPs")
    parser.add_argument("--disturb", type=float, default=300, help="seconds between two kills, and between two takeovers")
    parser.add_argument("--settle", type=float, default=300, help="seconds before memory and descriptors count")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        soak = Soak(arguments.program, directory, arguments.reload, arguments.disturb, arguments.settle)
        try:
            print(soak.run(arguments.seconds))
        finally:
            soak.end()


if __name__ == "__main__":
    main()
