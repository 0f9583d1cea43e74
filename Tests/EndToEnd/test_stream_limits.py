"""What bounds streams and senders: places, places of one address, silence, slow lines, who is heard, file descriptors."""

import os
import re
import socket
import time
from pathlib import Path

import pytest

from harness.hostile import crowd
from harness.sending import is_closed, open_stream, send_datagrams, send_stream
from harness.waiting import wait_for


def rejected(agent, reason, kind="tcp"):
    return agent.scrape().value("footfall_connections_rejected_total", listener=agent.listener(kind), reason=reason)


def stream_from(source, agent, kind="tcp"):
    """A stream from this address of the loopback."""
    host, port = agent.address(kind)
    return socket.create_connection((host, port), timeout=10, source_address=(source, 0))


def wait_for_rejected(agent, count, reason, kind="tcp"):
    agent.wait_for_value(count, "footfall_connections_rejected_total", listener=agent.listener(kind), reason=reason)


def test_connections_of_one_address_have_a_limit_of_their_own(start_agent):
    agent = start_agent("--stream-connections-per-address", "2", "--workers", "2")
    with stream_from("127.0.0.1", agent) as first, stream_from("127.0.0.1", agent) as second, stream_from("127.0.0.2", agent) as other:
        for stream in (first, second, other):
            stream.sendall(b"a:1|c\n")
        agent.wait_for_line("a_total 3")
        with stream_from("127.0.0.1", agent) as third:
            assert is_closed(third)
        wait_for_rejected(agent, 1, "address_limit")
        assert rejected(agent, "limit") == 0
        first.close()
        wait_for(lambda: agent.scrape().value("footfall_connections", listener=agent.listener("tcp")) == 2, "one has left")
        with stream_from("127.0.0.1", agent) as fourth:
            fourth.sendall(b"a:1|c\n")
            agent.wait_for_line("a_total 4")


def test_ipv6_addresses_of_one_network_share_its_limit(start_agent):
    agent = start_agent("--tcp", "[::1]:0", "--stream-connections-per-address", "1")
    with open_stream(agent.address("tcp")) as first:
        first.sendall(b"a:1|c\n")
        # Two workers accept, so the second one must not overtake it.
        agent.wait_for_line("a_total 1")
        with open_stream(agent.address("tcp")) as second:
            assert is_closed(second)


def test_unix_streams_have_no_address_to_limit(start_agent, tmp_path):
    agent = start_agent("--unix-stream", str(tmp_path / "s.sock"), "--stream-connections-per-address", "1")
    streams = [open_stream(agent.path("unix-stream")) for _ in range(3)]
    for stream in streams:
        stream.sendall(b"a:1|c\n")
    agent.wait_for_line("a_total 3")
    for stream in streams:
        stream.close()


def test_a_line_that_is_dripped_is_refused_and_its_stream_closed(start_agent):
    """A byte now and then is no silence, so that the idle time alone would let it hold its place for ever."""
    agent = start_agent("--stream-line-time", "400ms", "--stream-idle", "1h")
    with open_stream(agent.address("tcp")) as slow, open_stream(agent.address("tcp")) as steady:
        slow.sendall(b"done:1|c\n")
        slow.setblocking(False)

        def drip():
            steady.sendall(b"visit:page1|c\n")
            try:
                slow.send(b"x")
                return slow.recv(1) == b""
            except BlockingIOError:
                return False
            except (ConnectionResetError, BrokenPipeError):
                return True

        wait_for(drip, "the slow stream is closed", every=0.05)
        steady.sendall(b"last:1|c\n")
        agent.wait_for_line("last_total 1")
    wait_for_rejected(agent, 1, "slow_line")
    ledger = agent.scrape().ledger(agent.listener("tcp"))
    assert ledger.holds() and ledger.refused == {"truncated": 1}, ledger
    agent.wait_for_line("done_total 1")


def test_a_line_too_long_that_is_dripped_is_refused_once(start_agent):
    agent = start_agent("--stream-line-time", "300ms")
    with open_stream(agent.address("tcp")) as slow:
        slow.sendall(b"x" * 20_000)
        assert is_closed(slow)
    wait_for_rejected(agent, 1, "slow_line")
    ledger = agent.scrape().ledger(agent.listener("tcp"))
    assert ledger.holds() and ledger.refused == {"too_long": 1}, ledger


def test_idle_and_rejected_streams_are_counted_by_reason_and_logged_once(start_agent):
    agent = start_agent("--stream-idle", "200ms", "--stream-connections", "1", "--workers", "1")
    with open_stream(agent.address("tcp")) as idle:
        assert is_closed(idle)
    wait_for_rejected(agent, 1, "idle")
    with open_stream(agent.address("tcp")) as first:
        first.sendall(b"a:1|c\n")
        agent.wait_for_line("a_total 1")
        for _ in range(20):
            with open_stream(agent.address("tcp")) as more:
                assert is_closed(more)
    assert 1 <= rejected(agent, "limit") <= 20
    told = [line for line in agent.log if "connections turned away or closed" in line]
    assert len(told) == 1 and "reason=idle" in told[0], told
    assert agent.stop() == 0
    assert any(re.search(r"ledger.*listener=\S*tcp.*connections_limit=", line) for line in agent.log), agent.log


@pytest.mark.parametrize("allowed, source, heard", [
    ("127.0.0.2", "127.0.0.2", True),
    ("127.0.0.2", "127.0.0.1", False),
    ("10.0.0.0/8,127.0.0.0/30", "127.0.0.3", True),
    ("10.0.0.0/8,127.0.0.0/30", "127.0.0.4", False),
])
@pytest.mark.parametrize("bound", ["127.0.0.1:0", ":0"])
def test_only_allowed_senders_are_heard(start_agent, tmp_path, allowed, source, heard, bound):
    """At a socket of both versions IPv4 comes mapped into IPv6, and is matched as IPv4."""
    agent = start_agent("--allow", allowed, "--udp", bound, "--tcp", bound, "--unix-stream", str(tmp_path / "s.sock"))
    port = agent.address("udp")[1]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.bind((source, 0))
        for payload in (b"visit:page1|c\nvisit:nan|c\n\n\r\nvisit:page2|c", b"a:1|c\n", b"\n", b""):
            sender.sendto(payload, ("127.0.0.1", port))
    ledger = agent.wait_for_ledger("udp", 4)
    agent.wait_for_value(4, "footfall_datagrams_received_total", listener=agent.listener("udp"))
    assert ledger.read == 4 and ledger.holds(), ledger
    assert ledger.refused == ({"bad_value": 1} if heard else {"refused_source": 4}), ledger
    with socket.create_connection(("127.0.0.1", agent.address("tcp")[1]), timeout=10, source_address=(source, 0)) as stream:
        if heard:
            stream.sendall(b"b:1|c\n")
            agent.wait_for_line("b_total 1")
        else:
            assert is_closed(stream)
    wait_for_rejected(agent, 0 if heard else 1, "refused_source")
    send_stream(agent.path("unix-stream"), b"unix:1|c\n")
    agent.wait_for_line("unix_total 1")
    if not heard:
        wait_for(lambda: agent.get("/status").json()["recent_refusals"], "the flush")
        status = agent.get("/status").json()
        assert {line["sender"] for line in status["recent_refusals"]} == {source}
        assert [s for s in status["senders"] if s["address"] == source] == [{"address": source, "lines": 4, "refused": 4}]


def test_every_line_of_a_joined_run_from_elsewhere_is_refused(start_agent):
    """A segmented sender's datagrams come as one message (UDP_GRO); the end of each is the end of a line."""
    agent = start_agent("--allow", "127.0.0.2", "--workers", "1")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.connect(agent.address("udp"))
        sender.setsockopt(socket.IPPROTO_UDP, 103, 20)  # UDP_SEGMENT
        sender.send(b"visit:page1234567|c\n" * 3 + b"visit:page12345678|c" * 2)
    ledger = agent.wait_for_ledger("udp", 5)
    assert ledger.refused == {"refused_source": 5} and ledger.holds(), ledger


def processor_seconds(pid):
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_an_agent_out_of_descriptors_serves_on_says_so_and_recovers(start_agent):
    """The listener rests instead of turning; datagrams and the connections that are there go on."""
    agent = start_agent("--workers", "1", prefix=["prlimit", "--nofile=40"])
    agent.get("/health")  # the connection that asks is there before none is to be had
    streams = []
    try:
        wanted = wait_for(lambda: 40 - len(os.listdir(f"/proc/{agent.pid}/fd")), "the agent's descriptors")
        streams = [open_stream(agent.address("tcp")) for _ in range(wanted + 8)]

        def is_short():
            health = agent.get("/health").json()
            return health["status"] == "degraded" and any("descriptor" in reason for reason in health["reasons"])

        wait_for(is_short, "/health says so")
        before, began = processor_seconds(agent.pid), time.monotonic()
        send_datagrams(agent.address("udp"), b"visit:page1|c")
        streams[0].sendall(b"stream:1|c\n")
        agent.wait_for_line('visit_total{page="page1"} 1')
        agent.wait_for_line("stream_total 1")
        streams[-1].sendall(b"waits:1|c\n")
        page = wait_for(
            lambda: (page := agent.scrape()).total("footfall_accept_failures_total") >= 2 and page, "the second attempt", seconds=15)
        # Attempts are seconds apart.
        assert page.total("footfall_accept_failures_total") <= 2 * (time.monotonic() - began) + 4
        assert processor_seconds(agent.pid) - before < (time.monotonic() - began) / 2
        assert len([line for line in agent.log if "connections cannot be taken" in line]) == 1, agent.log
        for stream in streams[:12]:
            stream.close()
        agent.wait_for_line("waits_total 1")
        wait_for(lambda: agent.get("/health").json()["status"] == "healthy", "/health is well again")
    finally:
        for stream in streams:
            stream.close()


def test_streams_in_numbers_are_each_booked_by_the_reason_of_their_end(start_agent):
    limits = ["--allow", "127.0.0.0/30", "--stream-connections-per-address", "20", "--stream-line-time", "2s"]
    outcome = crowd(start_agent(*limits), 30, ["127.0.0.1", "127.0.0.2"], ["127.0.1.1"])
    print(outcome)
    assert outcome.rejected == {"slow_line": 40, "address_limit": 20, "refused_source": 30}
