"""The first minute with the program: one visit, whichever way it is sent, is a line in /metrics and a number in /stats."""

import shlex
import subprocess

import pytest
import requests

from harness.sending import send_datagrams, send_stream

VISIT = 'visit_total{page="page1"} 1'

SHELL = {
    "nc over UDP": ("udp", "127.0.0.1:0", 'echo "visit:page1|c" | nc -u -q0 {host} {port}'),
    "bash's /dev/udp": ("udp", "127.0.0.1:0", 'echo "visit:page1|c" > /dev/udp/{host}/{port}'),
    "socat over UDP": ("udp", "127.0.0.1:0", 'echo "visit:page1|c" | socat - UDP-SENDTO:{host}:{port}'),
    "nc over UDP and IPv6": ("udp", "[::1]:0", 'echo "visit:page1|c" | nc -u -q0 {host} {port}'),
    "nc over TCP": ("tcp", "127.0.0.1:0", 'echo "visit:page1|c" | nc -N {host} {port}'),
    "bash's /dev/tcp": ("tcp", "127.0.0.1:0", 'echo "visit:page1|c" > /dev/tcp/{host}/{port}'),
    "nc over TCP and IPv6": ("tcp", "[::1]:0", 'echo "visit:page1|c" | nc -N {host} {port}'),
    "nc to a unix datagram socket": ("unix-datagram", "{tmp}/d.sock", 'echo "visit:page1|c" | nc -uU -q0 {path}'),
    "socat to a unix datagram socket": ("unix-datagram", "{tmp}/d.sock", 'echo "visit:page1|c" | socat - UNIX-SENDTO:{path}'),
    "nc to a unix stream socket": ("unix-stream", "{tmp}/s.sock", 'echo "visit:page1|c" | nc -NU {path}'),
}


def assert_one_visit(agent):
    agent.wait_for_line(VISIT)
    agent.scrape()
    agent.scrape(openmetrics=True)
    assert agent.stats()["total_visits"] == 1
    assert '"total_visits":1,' in agent.get("/stats").text


@pytest.mark.parametrize("kind, where, command", SHELL.values(), ids=SHELL.keys())
def test_a_visit_from_the_shell_is_in_metrics_and_stats(start_agent, tmp_path, kind, where, command):
    agent = start_agent(f"--{kind}", where.format(tmp=tmp_path))
    if kind.startswith("unix"):
        words = {"path": shlex.quote(agent.path(kind))}
    else:
        words = dict(zip(("host", "port"), agent.address(kind)))
    subprocess.run(["bash", "-c", command.format(**words)], check=True, timeout=10)
    assert_one_visit(agent)


def test_a_visit_through_pythons_unix_sockets(start_agent, tmp_path):
    datagram, stream = str(tmp_path / "d.sock"), str(tmp_path / "s.sock")
    agent = start_agent("--unix-datagram", datagram, "--unix-stream", stream)
    send_datagrams(datagram, b"visit:page1|c")
    assert_one_visit(agent)
    send_stream(stream, b"visit:page1|c\n")
    agent.wait_for_line('visit_total{page="page1"} 2')


def test_the_length_prefix_is_taken_on_a_unix_stream(start_agent, tmp_path):
    path = str(tmp_path / "s.sock")
    agent = start_agent("--unix-stream", path)
    packet = b"visit:page1|c\nvisit:page2|c\n"
    framed = len(packet).to_bytes(4, "little") + packet
    send_stream(path, framed[:2], framed[2:7], framed[7:], framed)
    agent.wait_for_line('visit_total{page="page1"} 2')
    assert agent.scrape().value("visit_total", page="page2") == 2


def test_none_turns_a_listener_off(start_agent):
    agent = start_agent("--udp", "none", "--tcp", "none")
    assert set(agent.bound) == {"http"}
    listeners = {labels["listener"].partition(":")[0] for labels, _ in agent.scrape().series("footfall_lines_read_total")}
    assert not listeners & {"udp", "tcp", "unix"}


def test_several_listeners_of_a_kind_count_into_the_same_series(start_agent, tmp_path):
    flags = ["--udp", "127.0.0.1:0", "--udp", "[::1]:0", "--tcp", "127.0.0.1:0", "--tcp", "[::1]:0"]
    agent = start_agent(*flags, "--http", "127.0.0.1:0", "--http", "[::1]:0", "--workers", "2")
    assert [len(agent.bound[kind]) for kind in ("udp", "tcp", "http")] == [2, 2, 2]
    for which in (0, 1):
        send_datagrams(agent.address("udp", which), b"visit:page1|c")
        send_stream(agent.address("tcp", which), b"visit:page1|c\n")
    agent.wait_for_line('visit_total{page="page1"} 4')
    page = agent.scrape()
    for kind in ("udp", "tcp"):
        assert [page.ledger(agent.listener(kind, which)).accepted for which in (0, 1)] == [1, 1]
    host, port = agent.address("http", 1)
    assert 'visit_total{page="page1"} 4' in requests.get(f"http://[{host}]:{port}/metrics", timeout=10).text
