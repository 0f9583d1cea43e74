"""The units of systemd/, and the program under what systemd would do with it. No systemd is started.

`systemd-analyze verify` is trusted by what it prints, not by its exit status: an unknown key only warns.
"""

import re
import signal
import socket
import subprocess
import time

import pytest

from conftest import DEFAULTS
from harness.agent import Agent
from harness.manager import Manager
from harness.sending import open_stream, send_datagrams, udp_to
from harness.threads import stopped_thread
from harness.waiting import wait_for

MOST_EXPOSED = 1.2


@pytest.fixture
def units(root, program, tmp_path):
    """Copies of the units whose ExecStart is the program under test: its installed path is missing here."""
    copies = []
    for unit in sorted((root / "systemd").glob("footfall.s*")):
        if unit.suffix not in (".service", ".socket"):
            continue
        copy = tmp_path / unit.name
        copy.write_text(re.sub(r"^(ExecStart=)\S+", rf"\g<1>{program}", unit.read_text(), flags=re.MULTILINE))
        copies.append(copy)
    assert {copy.suffix for copy in copies} == {".service", ".socket"}
    return copies


def test_the_units_verify_without_a_word(units):
    run = subprocess.run(["systemd-analyze", "verify", "--man=no", *units], capture_output=True, text=True, timeout=60)
    assert (run.stdout + run.stderr, run.returncode) == ("", 0)


def test_the_service_is_hardened(units):
    service = next(unit for unit in units if unit.suffix == ".service")
    command = ["systemd-analyze", "security", "--offline=true", f"--threshold={MOST_EXPOSED * 10:.0f}", str(service)]
    run = subprocess.run(command, capture_output=True, text=True, timeout=60)
    exposure = re.search(r"Overall exposure level for \S+: ([\d.]+)", run.stdout)
    assert exposure and float(exposure[1]) <= MOST_EXPOSED, run.stdout[-400:] + run.stderr


def test_the_service_is_of_a_type_that_debian_12_knows(units):
    text = next(unit for unit in units if unit.suffix == ".service").read_text()
    assert re.search(r"^Type=notify$", text, re.MULTILINE), "notify-reload needs systemd 253 and falls back to simple in silence"
    assert re.search(r"^ExecReload=\S*kill -HUP \$MAINPID$", text, re.MULTILINE)


def test_the_sysctl_file_holds_only_settings_that_this_kernel_has(root):
    text = (root / "systemd/footfall.sysctl.conf").read_text()
    settings = [line.partition("=")[0].strip() for line in text.splitlines() if line.strip() and line[0] not in "#;"]
    assert "net.core.rmem_max" in settings
    for setting in settings:
        assert subprocess.run(["test", "-e", "/proc/sys/" + setting.replace(".", "/")]).returncode == 0, setting


def ready_socket(address):
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    listener.settimeout(10)
    listener.bind(address)
    return listener


@pytest.mark.parametrize("place", ["abstract", "path"])
def test_readiness_is_told_once_everything_listens(start_agent, tmp_path, place):
    name = f"footfall-test-{tmp_path.name}" if place == "abstract" else str(tmp_path / "notify.sock")
    with ready_socket("\0" + name if place == "abstract" else name) as manager:
        variable = "@" + name if place == "abstract" else name
        agent = start_agent(environment={"NOTIFY_SOCKET": variable})
        assert "READY=1" in manager.recv(4096).decode().split("\n")
        send_datagrams(agent.address("udp"), b"visit:page1|c")
        agent.wait_for_line('visit_total{page="page1"} 1')
        assert agent.stop() == 0


@pytest.fixture
def activate(program, tmp_path):
    """Starts the program through systemd-socket-activate, which executes it at the first traffic on the sockets that it bound."""
    started = []

    def start(*activation, flags, waker):
        command = ["systemd-socket-activate", *activation, "-E", f"HOME={tmp_path}", program, "serve", "--state-dir", "none", *flags]
        agent = Agent(command, tmp_path)
        started.append(agent)
        agent.wait_for_log("Listening on")
        waker()
        return agent.wait_until_ready()

    yield start
    for agent in started:
        print(*agent.log, sep="\n")
        if agent.is_running:
            assert agent.stop() == 0


def test_a_datagram_socket_is_taken_from_the_manager_with_what_waits_in_it(activate, free_port):
    port = free_port(socket.SOCK_DGRAM)
    agent = activate(
        "--datagram", "-l", f"127.0.0.1:{port}", "--fdname=udp",
        flags=["--tcp", "none", "--http", "127.0.0.1:0"],
        waker=lambda: send_datagrams(("127.0.0.1", port), b"visit:page1|c"),
    )  # fmt: skip
    assert agent.bound["udp"] == [f"127.0.0.1:{port}"]
    agent.wait_for_line('visit_total{page="page1"} 1')
    send_datagrams(("127.0.0.1", port), b"visit:page1|c")
    agent.wait_for_line('visit_total{page="page1"} 2')


def test_a_stream_socket_is_taken_from_the_manager_with_the_client_that_waits(activate, free_port):
    port = free_port()
    streams = []

    def wake():
        streams.append(open_stream(("127.0.0.1", port)))
        streams[0].sendall(b"visit:page1|c\n")

    agent = activate(
        "-l", f"127.0.0.1:{port}", "--fdname=tcp", flags=["--udp", "none", "--http", "127.0.0.1:0"], waker=wake
    )
    assert agent.bound["tcp"] == [f"127.0.0.1:{port}"]
    agent.wait_for_line('visit_total{page="page1"} 1')
    streams[0].close()


def test_a_stream_socket_named_http_answers_queries(activate, free_port):
    port = free_port()
    streams = []
    agent = activate(
        "-l", f"127.0.0.1:{port}", "--fdname=http",
        flags=["--udp", "none", "--tcp", "none"],
        waker=lambda: streams.append(open_stream(("127.0.0.1", port))),
    )  # fmt: skip
    assert agent.bound["http"] == [f"127.0.0.1:{port}"]
    assert agent.get("/health").status_code == 200
    streams[0].close()


@pytest.fixture
def manager(tmp_path):
    manager = Manager(tmp_path)
    yield manager
    manager.close()


@pytest.fixture
def managed(manager, program):
    """Starts the program under the test's own manager."""
    started = []

    def start(*flags, environment=None, wait=True):
        command = list(flags)
        for flag, value in DEFAULTS.items():
            if flag not in flags:
                command += [flag, value]
        agent = manager.start(program, *command, environment=environment, wait=wait)
        started.append(agent)
        return agent

    yield start
    for agent in started:
        print(*agent.log, sep="\n")
        if agent.is_running:
            assert agent.stop() == 0


def restart(agent):
    """What systemctl restart does first, by RestartKillSignal=."""
    agent.signal(signal.SIGUSR2)
    assert agent.wait(5) == 0


def test_the_unit_names_the_signal_of_a_restart_and_room_for_what_is_kept(units):
    text = next(unit for unit in units if unit.suffix == ".service").read_text()
    room = re.search(r"^FileDescriptorStoreMax=(\d+)$", text, re.MULTILINE)[1]
    assert "\nRestartKillSignal=SIGUSR2\n" in text and f"\nEnvironment=FDSTORE={room}\n" in text
    assert "\nRuntimeDirectoryPreserve=restart\n" in text and re.search(r"^WatchdogSec=\d+$", text, re.MULTILINE)


def test_own_sockets_lie_in_the_store_from_the_start_and_go_on_after_a_crash(manager, managed):
    first = managed("--workers", "2")
    manager.wait_for_message("READY=1")
    assert len([name for name in manager.names() if name.startswith("footfall.lines.udp")]) == 2
    assert all(message[-1] == "FDPOLL=0" for message in manager.messages if "FDSTORE=1" in message)
    kept = manager.names()
    first.kill()
    # Nobody is there, and nobody is refused.
    send_datagrams(first.address("udp"), *[b"visit:page1|c"] * 100)
    second = managed("--workers", "2")
    assert second.bound == first.bound and manager.names() == kept
    second.wait_for_line('visit_total{page="page1"} 100')


def test_a_restart_leaves_sockets_and_cut_lines_to_the_next_start(manager, managed):
    first = managed()
    with open_stream(first.address("tcp")) as stream, open_stream(first.address("http")) as asking:
        stream.sendall(b"visit:page1|c\nvisit:pa")
        first.wait_for_line('visit_total{page="page1"} 1')
        restart(first)
        assert "footfall.stream" in manager.names()
        stream.sendall(b"ge1|c\n")
        asking.sendall(b"GET /health HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        with udp_to(first.address("udp")) as sender:
            for _ in range(100):
                sender.send(b"visit:page1|c")
        with open_stream(first.address("tcp")) as late:
            late.sendall(b"visit:page1|c\n")
        second = managed()
        second.wait_for_line('visit_total{page="page1"} 102')
        # The one that had been accepted has ended with its process.
        assert asking.recv(65536) == b""
    assert second.bound == first.bound and "footfall.stream" not in manager.names()
    books = first.final_ledgers()[first.listener("udp")]
    assert (books.datagrams, books.dropped) == (0, 0)
    assert any("left_to_next_bytes=" in line for line in first.log)


def test_restarts_that_follow_at_once_leave_streams_to_the_next_start_too(managed):
    """The signal comes before the workers have taken up what the last start has left them."""
    agent = managed("--workers", "2")
    streams = [open_stream(agent.address("tcp")) for _ in range(20)]
    for stream in streams:
        stream.sendall(b"visit:page1|c\nvisit:pa")
    agent.wait_for_line('visit_total{page="page1"} 20')
    for _ in range(10):
        restart(agent)
        agent = managed("--workers", "2", wait=False)
        agent.wait_for_log("listening")
    for stream in streams:
        stream.sendall(b"ge1|c\n")
    agent.wait_until_ready()
    agent.wait_for_line('visit_total{page="page1"} 20')
    for stream in streams:
        stream.close()


def test_an_end_for_good_refuses_what_comes_and_empties_the_store(manager, managed):
    agent = managed()
    with udp_to(agent.address("udp")) as sender:
        sender.send(b"visit:page1|c")
        assert agent.stop() == 0
        assert manager.names() == []
        with pytest.raises(ConnectionRefusedError):
            sender.send(b"visit:page1|c")
            sender.send(b"visit:page1|c")
    assert agent.final_ledgers()[agent.listener("udp")].datagrams == 1


def test_without_room_in_the_store_the_sockets_end_with_the_program(manager, managed):
    manager.room = 2
    agent = managed("--workers", "2")
    agent.wait_for_log("raise FileDescriptorStoreMax=")
    with udp_to(agent.address("udp")) as sender:
        restart(agent)
        with pytest.raises(ConnectionRefusedError):
            sender.send(b"visit:page1|c")
            sender.send(b"visit:page1|c")


def test_what_waits_at_the_managers_sockets_at_the_end_is_the_next_starts(manager, managed):
    address = manager.bind("lines", socket.SOCK_DGRAM, ("127.0.0.1", 0), count=2)
    stream_address = manager.bind("lines", socket.SOCK_STREAM, ("127.0.0.1", 0))
    first = managed("--workers", "1")
    first.signal(signal.SIGSTOP)
    # SIGTERM reaches it before it can read what comes now, and still nobody is refused.
    first.signal(signal.SIGTERM)
    send_datagrams(address, *[b"visit:page1|c"] * 50)
    with open_stream(stream_address) as stream:
        stream.sendall(b"visit:page1|c\n")
    first.signal(signal.SIGCONT)
    assert first.wait(5) == 0
    send_datagrams(address, *[b"visit:page1|c"] * 50)
    second = managed("--workers", "3")
    taken = first.final_ledgers()[first.listener("udp")].accepted + first.final_ledgers()[first.listener("tcp")].accepted
    second.wait_for_line(f'visit_total{{page="page1"}} {101 - taken}')
    if first.final_ledgers()[first.listener("udp")].accepted == 0:
        left = next(line for line in first.log if "left_to_next_bytes" in line)
        assert int(re.search(r"left_to_next_bytes=(\d+)", left)[1]) > 0


def test_drops_of_the_time_before_are_not_counted_again(manager, managed):
    flags = ("--receive-buffer", "4KiB", "--workers", "1")
    first = managed(*flags)
    listener, sent = first.listener("udp"), 0
    with udp_to(first.address("udp")) as sender:
        while first.scrape().ledger(listener).dropped == 0:
            for _ in range(1000):
                sender.send(b"visit:page1|c")
            sent += 1000
        restart(first)
        for _ in range(1000):
            sender.send(b"visit:page1|c")
        sent += 1000
    second = managed(*flags)
    before = first.final_ledgers()[listener]

    def books_close():
        after = second.scrape().ledger(listener)
        assert before.datagrams + before.dropped + after.datagrams + after.dropped == sent, (before, after, sent)
        assert before.dropped > 0 and after.dropped > 0
        return True

    wait_for(books_close, "both processes' books hold all that was sent", every=0.05)


def test_a_socket_that_no_address_asks_for_any_more_is_closed_with_a_word(manager, managed):
    first = managed("--workers", "1")
    restart(first)
    send_datagrams(first.address("udp"), *[b"visit:page1|c"] * 7)
    second = managed("--workers", "1", "--udp", "none")
    second.wait_for_log("datagrams=7")
    with udp_to(first.address("udp")) as sender, pytest.raises(ConnectionRefusedError):
        manager.wait_for_message("FDSTOREREMOVE=1")
        for _ in range(100):
            sender.send(b"visit:page1|c")


def test_the_manager_hears_at_half_its_interval_that_the_program_gets_on(manager, managed):
    managed(environment={"WATCHDOG_USEC": "400000"})
    for _ in range(3):
        manager.wait_for_message("WATCHDOG=1", after=len(manager.messages))


def test_another_processs_watchdog_is_not_fed(manager, managed):
    agent = managed(environment={"WATCHDOG_USEC": "20000", "WATCHDOG_PID": "1"})
    manager.wait_for_message("READY=1")
    for _ in range(5):
        agent.get("/health")
        time.sleep(0.02)
    assert ["WATCHDOG=1"] not in manager.messages


@pytest.mark.parametrize("thread", ["worker-1", "query", "store"])
def test_a_stuck_thread_is_told_and_the_manager_hears_nothing(manager, managed, tmp_path, thread):
    agent = managed("--workers", "2", "--state-dir", str(tmp_path / "state"), environment={"WATCHDOG_USEC": "600000"})
    manager.wait_for_message("WATCHDOG=1")
    with stopped_thread(agent.pid, thread):
        agent.wait_for_log(f"a thread is stuck thread={thread}")
        heard = len(manager.messages)
        if thread != "query":
            health = agent.get("/health")
            assert (health.status_code, health.json()["status"]) == (200, "degraded")
            assert health.json()["reasons"] == [f"thread {thread} is stuck"]
        time.sleep(1)
        assert ["WATCHDOG=1"] not in manager.messages[heard:]
    agent.wait_for_log(f"gets on again thread={thread}")
    manager.wait_for_message("WATCHDOG=1", after=heard)
    wait_for(lambda: agent.get("/health").json()["status"] == "healthy", "it is well again")
