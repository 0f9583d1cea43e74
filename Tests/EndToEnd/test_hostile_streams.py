"""Random mixtures of good and bad lines, and bytes without sense: every line that is not empty is in the books, once.

FOOTFALL_GARBAGE_LINES and FOOTFALL_ENDLESS_BYTES set other sizes; Tests/Stress/hostile.py is the full run.
"""

import json
import os
import random
import socket
from collections import Counter

import pytest

from harness.dialects import pack
from harness.hostile import endless_line, mixture, random_bytes
from harness.sending import send_datagrams, send_stream
from harness.waiting import wait_for

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


def test_of_a_flood_of_hostile_bytes_status_shows_a_little_escaped(start_agent):
    """The first bytes of a hundred refused lines at most, and of the senders a hundred; the rest is in the numbers."""
    agent = start_agent("--workers", "1")
    generator = random.Random(7)
    spite = [b'"}],"x":[{', b"\\", b"\x1b[2J", b"</script>", b"\x00\x01\x1f\x7f", b"\xff\xfe\xc3\x28\xed\xa0\x80", "\u2028\u202e".encode(), b"\r"]
    sent = Counter()
    for number in range(300):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.bind((f"127.0.{number // 250}.{number % 250 + 1}", 0))
            sender.connect(agent.address("udp"))
            for _ in range(3):
                lines = [b"".join(generator.choices(spite, k=generator.randrange(1, 60))) + b"." for _ in range(20)]
                sender.send(b"\n".join(lines))
                sent[sender.getsockname()[0]] += len(lines)
    ledger = agent.wait_for_ledger("udp", sent.total())
    assert ledger.holds() and ledger.refused.keys() <= {"no_value", "bad_type", "bad_value", "too_long"}, ledger

    def settled():
        raw = agent.get("/status").content
        status = json.loads(raw)
        told = sum(sender["lines"] - sender.get("overcount", 0) for sender in status["senders"])
        return status["recent_refusals"] and told > 0 and (raw, status)

    raw, status = wait_for(settled, "the flush after the flood")
    raw.decode()
    assert not any(byte < 0x20 or byte == 0x7F for byte in raw), "a control byte as it came"
    refusals = status["recent_refusals"]
    assert 0 < len(refusals) <= 100
    assert all(len(line["line"].encode("utf-16-le")) // 2 <= 256 and line["line_bytes"] >= 2 for line in refusals)
    assert all(line["sender"] in sent or line["sender"] == "unknown" for line in refusals)
    assert 0 < len(status["senders"]) <= 100 and all(sender["lines"] == sender["refused"] for sender in status["senders"])
    assert len(raw) < 200_000
