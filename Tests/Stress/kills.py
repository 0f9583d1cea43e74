#!/usr/bin/env python3
"""`kill -9` under 100,000 lines a second and POSTs with `--journal-sync always`, at random moments, on one state directory.

    .venv/bin/python Tests/Stress/kills.py [--rounds 50] [--lines 100000] [--seed 1] [--program PATH]
"""

import tempfile
from pathlib import Path

from common import options
from harness.kills import run_kills


def main():
    parser = options(__doc__)
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--lines", type=int, default=100_000, help="a second, half of them over TCP and half over UDP")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        print(run_kills(arguments.program, Path(directory), arguments.rounds, arguments.lines, arguments.seed))


if __name__ == "__main__":
    main()
