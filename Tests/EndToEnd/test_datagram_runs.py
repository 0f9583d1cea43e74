"""Datagrams that the kernel hands over joined, as a segmented sender's (UDP_SEGMENT, udp(7)) and a network card's are: each counts, and
each ends its last line.
"""

import socket

import pytest

from harness.overrun import OPTIONS, overrun
from harness.sending import udp_to

UDP_SEGMENT = 103
MOST_SEGMENTS = 64


def send_segmented(sender, payload, length):
    """Sends `payload` as datagrams of `length` bytes, the last of what is left."""
    sender.setsockopt(socket.IPPROTO_UDP, UDP_SEGMENT, length)
    assert sender.send(payload) == len(payload)
    return -(-len(payload) // length)


def datagrams_are(agent, count):
    agent.wait_for_value(count, "footfall_datagrams_received_total", listener=agent.listener("udp"))


@pytest.mark.parametrize("between", [b"", b"\n", b"\r\n"])
def test_the_end_of_a_datagram_ends_its_line(agent, between):
    lines = [b"visit:page%02d|c" % page for page in range(40)]
    length = len(lines[0] + between)
    with udp_to(agent.address("udp")) as sender:
        sent = send_segmented(sender, between.join(lines) + between, length)
    ledger = agent.wait_for_ledger("udp", len(lines))
    assert (ledger.read, ledger.accepted, ledger.datagrams) == (40, 40, 40) and sent == 40
    page = agent.scrape()
    assert all(page.value("visit_total", page="page%02d" % number) == 1 for number in range(40))
    assert page.value("footfall_bytes_received_total", listener=agent.listener("udp")) == 40 * length


def test_a_shorter_last_datagram_is_one_too(agent):
    with udp_to(agent.address("udp")) as sender:
        sent = send_segmented(sender, b"visit:page1|cvisit:page2|cbuy:p1|c", 13)
        sent += send_segmented(sender, b"visit:page1|cx", 13)
    assert sent == 5
    ledger = agent.wait_for_ledger("udp", 5)
    datagrams_are(agent, 5)
    assert (ledger.accepted, ledger.refused) == (4, {"no_value": 1})
    page = agent.scrape()
    assert page.value("visit_total", page="page1") == 2 and page.value("buy_total", promotion="p1") == 1


def test_datagrams_of_one_byte_are_a_line_each(agent):
    with udp_to(agent.address("udp")) as sender:
        sent = send_segmented(sender, b"a\nb:\n" + b"c" * (MOST_SEGMENTS - 5), 1)
    assert sent == MOST_SEGMENTS
    # Two of them hold nothing but an LF; a lone colon has no name.
    ledger = agent.wait_for_ledger("udp", MOST_SEGMENTS - 2)
    datagrams_are(agent, MOST_SEGMENTS)
    assert ledger.refused == {"no_value": MOST_SEGMENTS - 3, "empty_name": 1} and ledger.holds()


def test_lines_packed_into_joined_datagrams_are_all_read(agent):
    """45 datagrams of 1,432 bytes, each filled with lines and ended by a cut one, which is a line of its own."""
    block = (b"hits:1|c\n" * 160)[:1432]
    whole, cut = block.count(b"\n"), block[block.rindex(b"\n") + 1 :]
    assert cut == b"h"
    with udp_to(agent.address("udp")) as sender:
        sent = send_segmented(sender, block * 45, len(block))
    ledger = agent.wait_for_ledger("udp", 45 * (whole + 1))
    assert ledger.refused == {"no_value": 45} and ledger.datagrams == sent == 45
    assert agent.scrape().value("hits_total") == 45 * whole


def test_a_line_too_long_in_a_run_does_not_touch_its_neighbours(agent):
    long = b"x" * 9000
    with udp_to(agent.address("udp")) as sender:
        send_segmented(sender, long + b"a:1|c".ljust(9000, b"\n") + long + b"a:2|c", 9000)
    ledger = agent.wait_for_ledger("udp", 4)
    assert (ledger.accepted, ledger.refused, ledger.datagrams) == (2, {"too_long": 2}, 4)
    assert agent.scrape().value("a_total") == 3


def test_a_gauges_writes_keep_their_order_within_a_run_and_after_it(agent):
    with udp_to(agent.address("udp")) as sender:
        send_segmented(sender, b"".join(b"level:%03d|g" % value for value in range(60)), 11)
        sender.setsockopt(socket.IPPROTO_UDP, UDP_SEGMENT, 0)
        sender.send(b"level:+1|g")
        send_segmented(sender, b"".join(b"l2:%03d|g" % value for value in range(60)), 8)
    agent.wait_for_value(60, "level")
    agent.wait_for_value(59, "l2")


@pytest.mark.parametrize("segments", [2, 20, 64])
def test_received_and_dropped_are_what_was_sent_when_joined_datagrams_overrun_the_buffer(start_agent, segments):
    """The kernel counts a run that it drops as one: what was in it is reckoned by the runs that came through."""
    payload = b"visit:page1|c" * segments
    overrun(
        start_agent(*OPTIONS), lambda sender: sum(send_segmented(sender, payload, 13) for _ in range(5_000)), most=40_000_000
    )
