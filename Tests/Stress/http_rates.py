#!/usr/bin/env python3
"""How fast `POST /visit` and `GET /stats` are answered, against one worker of nginx with a fixed body and a visit tracker of FastAPI.

Needs wrk, nginx and two processors; what the tracker needs is installed into .build/peers the first time.

    .venv/bin/python Tests/Stress/http_rates.py [--seconds 3] [--rounds 5] [--pipeline 1] [--program PATH]
"""

import tempfile

from common import options
from harness.http_rates import compare_servers, table


def main():
    parser = options(__doc__)
    parser.add_argument("--seconds", type=int, default=3, help="of each round, for each server and route")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--pipeline", type=int, default=1, help="requests sent at once on a connection")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        figures = compare_servers(arguments.program, directory, arguments.seconds, arguments.rounds, pipeline=arguments.pipeline)
        print(table(figures))


if __name__ == "__main__":
    main()
