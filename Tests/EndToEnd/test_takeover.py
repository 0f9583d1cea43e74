"""--takeover: the next process goes on with sockets, connections, cut lines and the journal, the running one ends; whatever fails on the way, the
running one goes on."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from harness.agent import Agent
from harness.restarts import run_restarts
from harness.sending import open_stream, send_datagrams, send_stream, udp_to
from harness.waiting import wait_for

GREETING = b"footfall-takeover 1"


@pytest.fixture
def state(tmp_path):
    path = tmp_path / "state"
    path.mkdir()
    return path


def follow(start_agent, running, state, *flags):
    """The next process, once it has everything."""
    following = start_agent("--state-dir", str(state), "--takeover", *flags)
    following.wait_for_log("taken over")
    assert running.wait(10) == 0
    return following


@pytest.mark.parametrize("way", ["takeover", "store", "activation"])
def test_restarts_under_load_lose_nothing(program, way):
    print(run_restarts(program, way, rounds=2))


def test_a_line_that_is_cut_by_the_takeover_counts_once(start_agent, state, tmp_path):
    path = str(tmp_path / "s.sock")
    flags = ("--unix-stream", path, "--workers", "2")
    first = start_agent("--state-dir", str(state), *flags)
    packet = (13).to_bytes(4, "little") + b"visit:page1|c"
    with open_stream(first.address("tcp")) as tcp, open_stream(path) as lines, open_stream(path) as packets:
        tcp.sendall(b"visit:page1|c\nvisit:pa")
        lines.sendall(b"visit:page1|c\nx" + b"y" * 9000)
        packets.sendall(packet + packet[:7])
        first.wait_for_line('visit_total{page="page1"} 3')
        wait_for(lambda: first.scrape().total("footfall_lines_refused_total") == 1, "the line is too long", every=0.05)
        second = follow(start_agent, first, state, *flags)
        tcp.sendall(b"ge1|c\n")
        lines.sendall(b"y:1|c\nvisit:page1|c\n")
        packets.sendall(packet[7:])
        second.wait_for_line('visit_total{page="page1"} 6')
        for stream in (tcp, lines, packets):
            stream.shutdown(socket.SHUT_WR)
            assert stream.recv(1) == b""
    # The end of the line that was too long is not a line of its own; the first process has refused it.
    assert second.scrape().total("footfall_lines_refused_total") == 0
    assert sum(books.refused for books in first.final_ledgers().values()) == 1


def test_unix_paths_stay_and_their_sockets_go_on(start_agent, state, tmp_path):
    paths = [str(tmp_path / "d.sock"), str(tmp_path / "s.sock")]
    flags = ("--unix-datagram", paths[0], "--unix-stream", paths[1])
    first = start_agent("--state-dir", str(state), *flags)
    inodes = [os.stat(path).st_ino for path in paths]
    second = follow(start_agent, first, state, *flags)
    assert [os.stat(path).st_ino for path in paths] == inodes
    send_datagrams(paths[0], b"visit:page1|c")
    send_stream(paths[1], b"visit:page1|c\n")
    second.wait_for_line('visit_total{page="page1"} 2')


@pytest.mark.parametrize(("before", "after"), [("1", "3"), ("4", "1"), ("3", "2")])
def test_sockets_are_shared_out_among_the_workers_there_are(start_agent, state, before, after):
    first = start_agent("--state-dir", str(state), "--workers", before)
    second = follow(start_agent, first, state, "--workers", after)
    assert second.bound == first.bound
    for _ in range(40):
        # Another port each: the kernel picks among all sockets of the group.
        send_datagrams(first.address("udp"), b"visit:page1|c")
    second.wait_for_line('visit_total{page="page1"} 40')
    for _ in range(10):
        send_stream(first.address("tcp"), b"visit:page1|c\n")
    second.wait_for_line('visit_total{page="page1"} 50')


def test_addresses_that_differ_are_bound_and_those_that_are_not_wanted_are_drained_and_closed(start_agent, state, free_port):
    first = start_agent("--state-dir", str(state), "--udp", "127.0.0.1:0,127.0.0.1:0")
    kept, left = first.bound["udp"]
    added = f"127.0.0.1:{free_port(socket.SOCK_DGRAM)}"
    with udp_to(first.address("udp", 1)) as sender, open_stream(first.address("tcp")) as stream:
        stream.sendall(b"visit:page1|c\nvisit:page1|c")
        first.wait_for_line('visit_total{page="page1"} 1')
        second = follow(start_agent, first, state, "--udp", f"{kept},{added}", "--tcp", "none")
        assert second.bound["udp"] == [kept, added] and "tcp" not in second.bound
        assert stream.recv(1) == b""
        with pytest.raises(ConnectionRefusedError):
            sender.send(b"visit:page1|c")
            sender.send(b"visit:page1|c")
    with pytest.raises(ConnectionRefusedError):
        open_stream(first.address("tcp"))
    # The line that its client had not ended is refused, as at any end.
    assert first.final_ledgers()[first.listener("tcp")].refused == 1
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(first.address("udp", 1))
    for which in (0, 1):
        send_datagrams(second.address("udp", which), b"visit:page1|c")
    second.wait_for_line('visit_total{page="page1"} 3')


def test_with_nobody_to_take_over_from_it_starts_as_usual(start_agent, state):
    agent = start_agent("--state-dir", str(state), "--takeover")
    agent.wait_for_log("nobody runs")
    assert (state / "takeover.sock").stat().st_mode & 0o777 == 0o600
    agent.kill()
    # What a killed one left is in nobody's way.
    again = start_agent("--state-dir", str(state), "--takeover")
    send_datagrams(again.address("udp"), b"visit:page1|c")
    again.wait_for_line('visit_total{page="page1"} 1')


def test_a_kept_alive_connection_ends_after_its_answer_and_a_new_one_finds_the_next_process(start_agent, state):
    first = start_agent("--state-dir", str(state))
    with open_stream(first.address("http")) as idle:
        idle.sendall(b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n")
        assert b"200" in idle.recv(65536)
        second = follow(start_agent, first, state)
        assert idle.recv(65536) == b""
    assert second.bound["http"] == first.bound["http"]
    assert second.get("/health").status_code == 200


def test_drops_are_counted_by_one_of_the_two(start_agent, state):
    """The kernel's number stands at the socket, which both have held."""
    flags = ("--receive-buffer", "4KiB", "--workers", "1")
    first = start_agent("--state-dir", str(state), *flags)
    listener = first.listener("udp")
    sent = 0
    with udp_to(first.address("udp")) as sender:

        def overrun(agent):
            nonlocal sent
            while (agent.scrape().ledger(listener).dropped) == 0:
                for _ in range(1000):
                    sender.send(b"visit:page1|c")
                sent += 1000

        overrun(first)
        second = follow(start_agent, first, state, *flags)
        overrun(second)

    def books_close():
        page = second.scrape().ledger(listener)
        before = first.final_ledgers()[listener]
        assert before.dropped > 0 and page.dropped > 0
        assert before.datagrams + before.dropped + page.datagrams + page.dropped == sent
        return True

    wait_for(books_close, "both processes' books hold all that was sent", every=0.05)


class Guest:
    """The new side of the talk, as far as a test wants it to go."""

    def __init__(self, state):
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._socket.settimeout(10)
        self._socket.connect(str(state / "takeover.sock"))
        self.descriptors = []

    def say(self, text):
        self._socket.send(text)

    def hear(self):
        text, descriptors, _, _ = socket.recv_fds(self._socket, 65536, 253)
        self.descriptors += descriptors
        return text

    def die(self):
        for descriptor in self.descriptors:
            os.close(descriptor)
        self._socket.close()


def greet(guest):
    guest.say(GREETING)


def take_sockets(guest):
    greet(guest)
    assert guest.hear().startswith(b"sockets last\nfootfall.")


def take_streams(guest):
    take_sockets(guest)
    guest.say(b"receiving " + b" ".join(b"%d" % number for number in range(len(guest.descriptors))))
    assert guest.hear().startswith(b"streams last\nfootfall.stream\nfootfall.notes")


def talk_nonsense(guest):
    guest.say(b"footfall-takeover 2")


def say_nothing(guest):
    pass


@pytest.mark.parametrize("step", [say_nothing, talk_nonsense, greet, take_sockets, take_streams])
def test_the_running_one_goes_on_when_the_next_dies_on_the_way(start_agent, state, step):
    agent = start_agent("--state-dir", str(state), "--workers", "2")
    with open_stream(agent.address("tcp")) as stream, udp_to(agent.address("udp")) as sender:
        stream.sendall(b"visit:page1|c\nvisit:pa")
        agent.wait_for_line('visit_total{page="page1"} 1')
        guest = Guest(state)
        step(guest)
        for _ in range(10):
            sender.send(b"visit:page1|c")
        guest.die()
        agent.wait_for_log("takeover came to nothing")
        stream.sendall(b"ge1|c\nvisit:page1|c\n")
        for _ in range(10):
            sender.send(b"visit:page1|c")
        agent.wait_for_line('visit_total{page="page1"} 23')
        wait_for(lambda: agent.get("/ready").status_code == 200, "it is ready again")
    with open_stream(agent.address("tcp")) as stream:
        stream.sendall(b"visit:page1|c\n")
        agent.wait_for_line('visit_total{page="page1"} 24')
    # It can still be taken over from.
    follow(start_agent, agent, state)


def test_a_next_one_that_cannot_bind_leaves_the_running_one_as_it_is(start_agent, state, program, tmp_path):
    agent = start_agent("--state-dir", str(state))
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as occupant:
        occupant.bind(("127.0.0.1", 0))
        occupant.listen()
        taken = f"127.0.0.1:{occupant.getsockname()[1]}"
        flags = ["--udp", agent.bound["udp"][0], "--http", agent.bound["http"][0], "--tcp", taken]
        command = [program, "serve", "--takeover", "--state-dir", str(state), *flags]
        run = subprocess.run(command, capture_output=True, text=True, timeout=30, cwd=tmp_path)
    assert run.returncode == 71 and "set --tcp" in run.stderr
    agent.wait_for_log("takeover came to nothing")
    send_datagrams(agent.address("udp"), b"visit:page1|c")
    agent.wait_for_line('visit_total{page="page1"} 1')


KNOCK = """
import os, socket, sys
os.setuid(65534)
peer = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
peer.connect(sys.argv[1])
try:
    peer.send(b"footfall-takeover 1")
    print(socket.recv_fds(peer, 65536, 253)[1])
except ConnectionError:
    print([])
"""


def test_another_user_gets_nothing(start_agent):
    folder = Path(tempfile.mkdtemp())
    try:
        folder.chmod(0o755)
        agent = start_agent("--state-dir", str(folder))
        path = folder / "takeover.sock"
        knock = [sys.executable, "-S", "-E", "-c", KNOCK, str(path)]
        asked = subprocess.run(knock, capture_output=True, text=True, timeout=10)
        assert "PermissionError" in asked.stderr
        # Even where the file would let him.
        path.chmod(0o666)
        asked = subprocess.run(knock, capture_output=True, text=True, timeout=10)
        assert asked.stdout == "[]\n", asked.stderr
        agent.wait_for_log("another user")
        assert agent.stop() == 0
    finally:
        shutil.rmtree(folder)


def test_the_next_goes_on_alone_when_the_running_one_dies_on_the_way(program, state, tmp_path):
    """The test plays the running one, and dies after it has handed its sockets over."""
    with (
        socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp,
    ):
        listener.bind(str(state / "takeover.sock"))
        listener.listen()
        udp.bind(("127.0.0.1", 0))
        address = "{}:{}".format(*udp.getsockname())
        command = [program, "serve", "--takeover", "--state-dir", state, "--udp", address, "--tcp", "none", "--http", "127.0.0.1:0"]
        agent = Agent(command, tmp_path)
        try:
            peer, _ = listener.accept()
            assert peer.recv(100) == GREETING
            socket.send_fds(peer, [b"sockets last\nfootfall.lines.udp"], [udp.fileno()])
            assert peer.recv(100) == b"receiving 0"
            peer.close()
            listener.close()
            os.unlink(state / "takeover.sock")
            agent.wait_until_ready()
            agent.wait_for_log("the other side is gone")
            send_datagrams(udp.getsockname(), b"visit:page1|c")
            agent.wait_for_line('visit_total{page="page1"} 1')
            assert agent.stop() == 0
        finally:
            print(*agent.log, sep="\n")
            if agent.is_running:
                agent.kill()


def test_an_agent_without_a_state_directory_says_that_nobody_can_be_asked(start_agent):
    start_agent("--takeover", "--state-dir", "none").wait_for_log("set --state-dir")


def test_a_stopped_agent_counts_what_came_meanwhile(start_agent):
    """SIGSTOP for ten seconds under a sender, SIGCONT: nothing is lost that the buffer held, and nobody is taken for stuck."""
    agent = start_agent("--workers", "2")
    with udp_to(agent.address("udp")) as sender:
        agent.signal(signal.SIGSTOP)
        sent, end = 0, time.monotonic() + 10
        while time.monotonic() < end:
            for _ in range(10):
                sender.send(b"visit:page1|c")
            sent += 10
            time.sleep(0.05)
        agent.signal(signal.SIGCONT)
    agent.wait_for_line(f'visit_total{{page="page1"}} {sent}')
    assert agent.get("/health").json()["status"] == "healthy"
    stats = agent.stats("/stats/visit", timeframe_hours=1)
    assert stats["recent"] == sent, stats
