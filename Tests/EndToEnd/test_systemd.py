"""The units of systemd/, and the program under what systemd would do with it. No systemd is started.

`systemd-analyze verify` is trusted by what it prints, not by its exit status: an unknown key only warns.
"""

import re
import socket
import subprocess

import pytest

from harness.agent import Agent
from harness.sending import open_stream, send_datagrams

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
        command = ["systemd-socket-activate", *activation, "-E", f"HOME={tmp_path}", program, "serve", *flags]
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
