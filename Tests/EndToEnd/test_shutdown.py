"""SIGTERM under load: the agent ends in time, with 0, and its last words are books that close.

How the books can be held against the senders exactly. A connected UDP sender learns from its kernel that nobody listens any more: the
first datagram that finds no socket is answered by ICMP on the spot (loopback delivers within the call and is exempt from ICMP's rate
limit), and the *next* send fails with ECONNREFUSED without sending. So of a sender that stops at its first ECONNREFUSED, all sends that
succeeded but the last one reached a socket of the agent, and each of those must be in the ledger: received, or dropped by the kernel,
which is what the agent's filter makes of late ones.

That leaves no room for a datagram between the agent's last look at the drop counter and its close(2): the agent must make its sockets
unreachable (connect(2) to an address that nobody sends from will do) before it looks.
"""

import multiprocessing
import signal
import socket
import time

import pytest

from harness.sending import open_stream
from harness.waiting import wait_for

SPAWN = multiprocessing.get_context("spawn")
SENDERS = 2
LINES = b"visit:page1|c\nvisit:page2|c\nhits:3|c|#env:prod\nt:12|ms\n"
LINES_EACH = LINES.count(b"\n")
# 2 senders × 50 datagrams × 4 lines each 2 ms: 200,000 lines a second.
BURST, TICK_SECONDS = 50, 0.002


def send_until_refused(address, sent):
    """Counts in `sent` the sends that succeeded, one too many at the end (see above)."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.connect(address)
        due = time.monotonic()
        while True:
            try:
                for _ in range(BURST):
                    sender.send(LINES)
                    sent.value += 1
            except ConnectionRefusedError:
                return
            due += TICK_SECONDS
            time.sleep(max(0, due - time.monotonic()))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
def test_the_books_close_while_senders_go_on(start_agent, number):
    agent = start_agent("--workers", "2")
    sent = [SPAWN.Value("q", 0) for _ in range(SENDERS)]
    address, listener = agent.address("udp"), agent.listener("udp")
    senders = [SPAWN.Process(target=send_until_refused, args=(address, count), daemon=True) for count in sent]
    for sender in senders:
        sender.start()
    wait_for(lambda: agent.scrape().ledger(listener).read > 100_000, "the load is on", seconds=20, every=0.05)

    before = sum(count.value for count in sent)
    began = time.monotonic()
    agent.signal(number)
    assert agent.wait(5) == 0
    assert time.monotonic() - began < 5

    for sender in senders:
        sender.join(10)
        assert sender.exitcode == 0, "a sender did not learn that nobody listens"
    reached = sum(count.value - 1 for count in sent)
    ledger = agent.final_ledgers()[listener]
    assert before <= ledger.datagrams + ledger.dropped
    assert ledger.datagrams + ledger.dropped == reached, ledger
    assert ledger.lines == ledger.datagrams * LINES_EACH == ledger.accepted
    assert ledger.refused == 0


def test_what_the_kernel_still_holds_is_read_before_the_end(start_agent):
    """The agent is stopped by SIGSTOP while datagrams and a stream pile up; SIGTERM reaches it with all of them unread."""
    agent = start_agent("--workers", "1")
    with open_stream(agent.address("tcp")) as stream, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        stream.sendall(b"visit:page1|c\n")
        agent.wait_for_line('visit_total{page="page1"} 1')
        sender.connect(agent.address("udp"))
        agent.signal(signal.SIGSTOP)
        for _ in range(500):
            sender.send(b"visit:page1|c")
        stream.sendall(b"visit:page1|c\n" * 300)
        agent.signal(signal.SIGTERM)
        agent.signal(signal.SIGCONT)
        assert agent.wait(5) == 0
    udp, tcp = (agent.final_ledgers()[agent.listener(kind)] for kind in ("udp", "tcp"))
    assert (udp.datagrams, udp.dropped, udp.accepted) == (500, 0, 500)
    assert (tcp.lines, tcp.accepted, tcp.refused) == (301, 301, 0)


def test_an_idle_agent_ends_at_once_and_takes_its_unix_sockets_along(start_agent, tmp_path):
    paths = [tmp_path / "d.sock", tmp_path / "s.sock"]
    agent = start_agent("--unix-datagram", str(paths[0]), "--unix-stream", str(paths[1]))
    assert all(path.is_socket() for path in paths)
    began = time.monotonic()
    assert agent.stop() == 0
    assert time.monotonic() - began < 1
    assert not any(path.exists() for path in paths)


def test_a_unix_socket_left_by_a_killed_agent_is_taken_over(start_agent, tmp_path):
    path = str(tmp_path / "d.sock")
    start_agent("--unix-datagram", path).kill()
    agent = start_agent("--unix-datagram", path)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.connect(path)
        sender.send(b"visit:page1|c")
    agent.wait_for_line('visit_total{page="page1"} 1')
