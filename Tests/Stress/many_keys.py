#!/usr/bin/env python3
"""Ten million distinct keys into an agent with a limit of memory: resident memory stays below the limit and the slack that examples/operating.md
states, and every count is somewhere.

    .venv/bin/python Tests/Stress/many_keys.py [--keys 10000000] [--limit-mib 256] [--form keyed|metric|long|timer|set] [--program PATH]
"""

import json

from common import options, running
from harness.many_keys import flood

FORMS = {
    "keyed": (b"visit:key%d|c", "visit"),
    "metric": (b"name%d:1|c", None),
    "long": (b"visit:1|c|#page:" + b"x" * 300 + b"%d", "visit"),
    "timer": (b"render:%d|ms|#page:p%d", None),
    "set": (b"users:%d|s|#page:p%d", None),
}
# What resident memory may be above the limit.
SLACK_MIB = 32


def main():
    parser = options(__doc__)
    parser.add_argument("--keys", type=int, default=10_000_000)
    parser.add_argument("--limit-mib", type=int, default=256)
    parser.add_argument("--form", choices=FORMS, default="keyed")
    arguments = parser.parse_args()
    line, metric = FORMS[arguments.form]
    if line.count(b"%d") == 2:
        line = TwiceFormatted(line)
    with running(arguments.program, "--memory-limit", f"{arguments.limit_mib}MiB", "--max-series", "100000000") as agent:
        outcome = flood(agent, arguments.keys, line, metric, streams=2)
        print(outcome, flush=True)
        print(json.dumps(agent.get("/status").json()["memory"]), flush=True)
        assert outcome.peak_kib < (arguments.limit_mib + SLACK_MIB) << 10, outcome


class TwiceFormatted:
    """A line that names its number twice."""

    def __init__(self, form):
        self.form = form

    def __mod__(self, number):
        return self.form % (number, number)


if __name__ == "__main__":
    main()
