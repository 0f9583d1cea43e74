"""Random mixtures of good and bad lines, and bytes without sense: every line that is not empty is in the books, once.

FOOTFALL_GARBAGE_LINES and FOOTFALL_ENDLESS_BYTES set other sizes; Tests/Stress/hostile.py is the full run.
"""

import os
import random

import pytest

from harness.dialects import pack
from harness.hostile import endless_line, mixture, random_bytes
from harness.sending import send_datagrams, send_stream

GARBAGE_LINES = int(os.environ.get("FOOTFALL_GARBAGE_LINES", 50_000))
ENDLESS_BYTES = int(os.environ.get("FOOTFALL_ENDLESS_BYTES", 16 << 20))
TRANSPORTS = ["udp", "tcp", "unix-datagram", "unix-stream"]


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("transport", TRANSPORTS)
def test_read_is_accepted_plus_refused_and_is_what_was_sent(start_agent, tmp_path, transport, seed):
    unix = [word for kind in TRANSPORTS[2:] for word in (f"--{kind}", str(tmp_path / f"{kind}.sock"))]
    agent = start_agent(*unix)
    generator = random.Random(seed)
    lines = mixture(generator, 5_000)
    address = agent.path(transport) if transport.startswith("unix") else agent.address(transport)
    if transport in ("udp", "unix-datagram"):
        send_datagrams(address, *pack(lines))
    else:
        text = b"\n".join(lines)
        cuts = sorted(generator.randrange(len(text)) for _ in range(200))
        send_stream(address, *(text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)])))
    sent = sum(1 for line in lines if line not in (b"", b"\r"))
    ledger = agent.wait_for_ledger(transport, sent)
    assert ledger.read == sent and ledger.holds() and ledger.dropped == 0, ledger
    assert ledger.accepted > sent / 4 and len(ledger.refused) > 5, ledger


def test_random_bytes_over_udp_are_refused_line_by_line_and_nothing_else_happens(agent):
    outcome = random_bytes(agent, GARBAGE_LINES, seed=1)
    print(outcome)
    send_datagrams(agent.address("udp"), b"after:1|c")
    agent.wait_for_value(1, "after_total")


def test_a_line_without_end_costs_no_memory_and_one_refusal(agent):
    outcome = endless_line(agent, ENDLESS_BYTES)
    print(outcome)
    assert outcome.grown_kib < 4096, outcome
