"""Two workers, four senders that share their keys, readers all the while: the totals are what was sent.

FOOTFALL_EXACT_LINES sets another number of lines; Tests/Stress/exactness.py is the long run.
"""

import os

import pytest

from harness.exactness import run_exactly

LINES = int(os.environ.get("FOOTFALL_EXACT_LINES", 2_000_000))


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_totals_equal_what_was_sent_to_the_unit(start_agent, transport):
    agent = start_agent("--workers", "2")
    print(run_exactly(agent, transport, LINES))
