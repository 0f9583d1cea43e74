"""The books: every line read is accepted or refused with a reason, every datagram sent is received or counted as dropped."""

from pathlib import Path

from harness.overrun import OPTIONS, overrun
from harness.sending import open_stream, send_datagrams, send_stream
from harness.waiting import wait_for

REFUSED = {
    b":1|c": "empty_name",
    b"a\x01b:1|c": "bad_name",
    b"visit": "no_value",
    b"visit:": "no_value",
    b"visit:nan|c": "bad_value",
    b"visit:0x1f|c": "bad_value",
    b"visit:1|q": "bad_type",
    b"visit:1|c|@0": "bad_rate",
    b"visit:page1|c|#page:other": "bad_tags",
}
LONGEST = 8192


def test_each_refusal_is_counted_by_its_reason_and_the_books_hold(agent):
    send_datagrams(agent.address("udp"), b"good:1|c\n" + b"\n".join(REFUSED) + b"\n\n\r\ngood:2|c")
    ledger = agent.wait_for_ledger("udp", len(REFUSED) + 2)
    reasons = list(REFUSED.values())
    assert ledger.refused == {reason: reasons.count(reason) for reason in reasons}
    assert (ledger.datagrams, ledger.read, ledger.accepted) == (1, len(REFUSED) + 2, 2)
    assert ledger.holds()
    assert agent.scrape().value("good_total") == 3


def test_a_lines_cr_goes_and_empty_lines_are_not_counted(agent):
    send_datagrams(agent.address("udp"), b"\n\na:1|c\r\n\r\nb:1|c\r", b"", b"\n")
    ledger = agent.wait_for_ledger("udp", 2)
    assert ledger.accepted == 2
    agent.wait_for_value(3, "footfall_datagrams_received_total", listener=agent.listener("udp"))


def test_the_tail_that_a_datagram_lost_is_refused_as_truncated(agent):
    """65,507 bytes are the most that a UDP datagram of IPv4 can carry; what the agent's buffer cannot hold must not be counted wrong."""
    line = b"visit:page1|c\n"
    payload = line * (65507 // len(line))
    send_datagrams(agent.address("udp"), payload)
    ledger = wait_for(
        lambda: (books := agent.scrape().ledger(agent.listener("udp"))).read and books, "the datagram is read"
    )
    assert ledger.holds()
    whole = agent.scrape().value("visit_total", page="page1")
    assert ledger.accepted == whole
    assert ledger.refused == ({} if whole == len(payload) // len(line) else {"truncated": 1})


def test_a_line_too_long_is_refused_once_and_the_reader_picks_up_after_it(agent):
    monster = b"x" * (LONGEST * 3) + b":1|c\n"
    edge = b"y" * (LONGEST - 4)
    pieces = [b"a:1|c\n", monster[:5000], monster[5000:20000], monster[20000:], b"a:2|c\n", edge + b":1|c\n", edge + b"y:1|c\n"]
    send_stream(agent.address("tcp"), *pieces, b"a:4|c\n")
    ledger = agent.wait_for_ledger("tcp", 6)
    assert ledger.refused == {"too_long": 2}
    assert ledger.accepted == 4
    assert agent.scrape().value("a_total") == 7
    send_datagrams(agent.address("udp"), b"a:8|c\n" + b"x" * (LONGEST + 1) + b"\na:16|c")
    ledger = agent.wait_for_ledger("udp", 3)
    assert ledger.refused == {"too_long": 1}
    assert agent.scrape().value("a_total") == 31


def test_lines_cut_at_every_byte_are_read_whole(agent):
    text = b"visit:page1|c\nhits:3|c|#env:prod\nt:12.5|ms\n"
    for cut in range(1, len(text)):
        send_stream(agent.address("tcp"), text[:cut], text[cut:])
    send_stream(agent.address("tcp"), *(text[at : at + 1] for at in range(len(text))))
    agent.wait_for_value(len(text), "visit_total", page="page1")
    page = agent.scrape()
    assert page.value("hits_total", env="prod") == 3 * len(text)
    assert page.value("t_seconds_count") == len(text)
    assert page.ledger(agent.listener("tcp")).holds()


def test_a_streams_unended_last_line_counts_when_it_closes(agent):
    with open_stream(agent.address("tcp")) as stream:
        stream.sendall(b"visit:page1|c\nvisit:page1|c")
        agent.wait_for_line('visit_total{page="page1"} 1')
    agent.wait_for_line('visit_total{page="page1"} 2')


def connections(agent, kind="tcp"):
    return agent.scrape().value("footfall_connections", listener=agent.listener(kind))


def test_the_agent_closes_when_the_client_has(agent):
    send_stream(agent.address("tcp"), b"visit:page1|c\n")
    wait_for(lambda: connections(agent) == 0, "no connection is left")


def test_an_idle_stream_is_closed_and_a_busy_one_is_not(start_agent):
    agent = start_agent("--stream-idle", "300ms")
    with open_stream(agent.address("tcp")) as idle, open_stream(agent.address("tcp")) as busy:
        idle.setblocking(False)

        def is_closed():
            busy.sendall(b"visit:page1|c\n")
            try:
                return idle.recv(1) == b""
            except BlockingIOError:
                return False

        wait_for(is_closed, "the idle stream is closed", every=0.05)
        busy.sendall(b"last:1|c\n")
        agent.wait_for_line("last_total 1")


def test_streams_beyond_the_limit_are_closed_and_room_is_reused(start_agent):
    agent = start_agent("--stream-connections", "2", "--workers", "1")
    first, second = open_stream(agent.address("tcp")), open_stream(agent.address("tcp"))
    first.sendall(b"a:1|c\n")
    second.sendall(b"a:1|c\n")
    agent.wait_for_line("a_total 2")
    with open_stream(agent.address("tcp")) as third:
        try:
            assert third.recv(1) == b""
        except ConnectionResetError:
            pass
    first.close()
    wait_for(lambda: connections(agent) == 1, "the first stream is gone")
    with open_stream(agent.address("tcp")) as fourth:
        fourth.sendall(b"a:1|c\n")
        agent.wait_for_line("a_total 3")
    second.close()


def test_received_and_dropped_are_what_was_sent_when_the_buffer_overruns(start_agent):
    """The kernel tells of drops with the next datagram, so that an agent that listens to it alone misses the last ones.

    A burst into a buffer of 4 KiB, then silence: its last datagrams are the ones that find no room.
    """

    def burst(sender):
        for _ in range(20_000):
            sender.send(b"visit:page1|c")
        return 20_000

    overrun(start_agent(*OPTIONS), burst, most=4_000_000)


def test_a_receive_buffer_smaller_than_asked_is_warned_of_once(start_agent):
    """Without CAP_NET_ADMIN the kernel cuts it at net.core.rmem_max, however many workers ask."""
    limit = int(Path("/proc/sys/net/core/rmem_max").read_text())
    flags = ["--receive-buffer", f"{(limit >> 20) + 1}MiB", "--workers", "2"]
    for prefix, wanted in ((["setpriv", "--bounding-set=-net_admin", "--inh-caps=-net_admin"], 1), ([], 0)):
        agent = start_agent(*flags, prefix=prefix)
        assert len([line for line in agent.log if "net.core.rmem_max" in line]) == wanted, agent.log


def test_status_shows_refused_lines_and_who_sent_them(start_agent):
    agent = start_agent("--udp", "[::1]:0")
    send_datagrams(agent.address("udp"), b'visit:page1|c\nvisit:nan|c\nx:1|q|"\x01\xff')
    
    def arrived():
        status = agent.get("/status").json()
        # The books, the notes and the senders are told one after the other.
        return status["ledger"]["lines_read"] == 3 and len(status["recent_refusals"]) == 2 and status["senders"] and status

    status = wait_for(arrived, "three lines, and what is noted of them")
    assert [(line["error"], line["at"], line["sender"], line["line"]) for line in status["recent_refusals"]] == [
        ("bad_type", 4, "::1", 'x:1|q|"\x01\ufffd'),
        ("bad_value", 6, "::1", "visit:nan|c"),
    ]
    assert status["senders"] == [{"address": "::1", "lines": 3, "refused": 2}]
