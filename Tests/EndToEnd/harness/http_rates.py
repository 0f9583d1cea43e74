"""How fast servers answer, side by side: wrk asks each in turn, over the same connections and from a processor of its own.

The server has the other processor. Only ratios of one run mean anything: rounds go over all servers before they begin again, and each
figure is the median of its rounds.
"""

import contextlib
import math
import re
import socket
import statistics
import subprocess
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from .agent import Agent
from .peers import running_nginx, running_tracker
from .rates import processor_nanoseconds

SERVER_CPU, CLIENT_CPU = "0", "1"
CONNECTIONS = 100
ROUTES = ("POST /visit", "GET /stats")
OURS = "footfall"
UNITS = {"us": 1e-3, "ms": 1.0, "s": 1e3, "m": 6e4}


@dataclass(frozen=True)
class Server:
    name: str
    url: str
    pid: int


@dataclass(frozen=True)
class Round:
    """What wrk saw of one server for some seconds, its errors by kind, and what the server spent on a request."""

    requests_per_second: float
    p99_milliseconds: float
    processor_microseconds: float
    errors: Counter


@dataclass(frozen=True)
class Figures:
    """Medians of a server's rounds, for one route."""

    route: str
    server: str
    requests_per_second: float
    p99_milliseconds: float
    processor_microseconds: float
    errors: Counter

    @classmethod
    def of(cls, route, server, rounds):
        names = ("requests_per_second", "p99_milliseconds", "processor_microseconds")
        medians = (statistics.median(getattr(one, name) for one in rounds) for name in names)
        return cls(route, server, *medians, +sum((one.errors for one in rounds), Counter()))


def compare_servers(program, directory, seconds=3, rounds=5, routes=ROUTES, pipeline=1):
    """Figures of every server for every route. Ours comes first in each.

    With `pipeline` so many requests are sent at once on a connection: then less of a request's time is the kernel's.
    """
    found = {(route, name): [] for route in routes for name in (OURS, "nginx", "uvicorn, 1 worker", "uvicorn, 2 workers")}
    with running_servers(program, Path(directory)) as servers:
        for _ in range(rounds):
            for route in routes:
                for server in servers:
                    found[route, server.name].append(ask(server, route, seconds, Path(directory), pipeline))
    return [Figures.of(route, name, seen) for (route, name), seen in found.items()]


@contextlib.contextmanager
def running_servers(program, directory):
    """All of them at once; who is not asked waits. Two workers of uvicorn have both processors, everybody else has one."""
    one_cpu = ("taskset", "-c", SERVER_CPU)
    with contextlib.ExitStack() as stack:
        flags = [word for kind in ("udp", "tcp", "http") for word in (f"--{kind}", "127.0.0.1:0")]
        agent = Agent([*one_cpu, program, "serve", *flags], directory).wait_until_ready()
        stack.callback(agent.stop)
        servers = [Server(OURS, agent.url(), agent.pid)]
        for name, run in (
            ("nginx", lambda port: running_nginx(port, directory, one_cpu)),
            ("uvicorn, 1 worker", lambda port: running_tracker(port, 1, one_cpu)),
            ("uvicorn, 2 workers", lambda port: running_tracker(port, 2)),
        ):
            port = free_port()
            process = stack.enter_context(run(port))
            servers.append(Server(name, f"http://127.0.0.1:{port}", process.pid))
        yield servers


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def ask(server, route, seconds, directory, pipeline=1):
    """Has wrk ask one route over 100 connections that stay open."""
    method, path = route.split()
    script = directory / f"{method}.lua"
    text = f'string.rep(wrk.format("{method}", "{path}"), {pipeline})'
    script.write_text(f"function init() text = {text} end\nfunction request() return text end\n")
    options = ["-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--latency", "-s", script]
    before = processor_time(server.pid)
    ran = subprocess.run(
        ["taskset", "-c", CLIENT_CPU, "wrk", *options, server.url + path], check=True, capture_output=True, text=True, timeout=seconds + 60
    )
    spent = processor_time(server.pid) - before
    return read_report(ran.stdout, spent)


def read_report(report, nanoseconds):
    """A Round of what wrk printed and the processor time that the server took."""
    requests = int(re.search(r"(\d+) requests in", report)[1])
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", report)[1])
    amount, unit = re.search(r"^\s+99%\s+([\d.]+)(us|ms|s|m) *$", report, re.MULTILINE).groups()
    errors = Counter({kind: int(count) for kind, count in re.findall(r"(connect|read|write|timeout) (\d+)", report)})
    if refused := re.search(r"Non-2xx or 3xx responses: (\d+)", report):
        errors["status"] = int(refused[1])
    return Round(rate, float(amount) * UNITS[unit], nanoseconds / 1e3 / max(1, requests), errors)


def processor_time(pid):
    """Nanoseconds that a process and its descendants have run."""
    children = " ".join(file.read_text() for file in Path(f"/proc/{pid}/task").glob("*/children")).split()
    return processor_nanoseconds(pid) + sum(processor_time(child) for child in children)


def table(figures):
    """The figures as lines of text, each server's rate and p99 against ours."""
    ours = {one.route: one for one in figures if one.server == OURS}
    lines = [f"{'':32}{'requests/s':>12}{'p99 ms':>10}{'CPU us':>9}{'our rate':>11}{'our p99':>11}  errors"]
    for one in figures:
        rate = ratio(ours[one.route].requests_per_second, one.requests_per_second)
        p99 = ratio(ours[one.route].p99_milliseconds, one.p99_milliseconds)
        lines.append(
            f"{one.route:12}{one.server:20}{one.requests_per_second:12,.0f}{one.p99_milliseconds:10.2f}"
            f"{one.processor_microseconds:9.2f}{rate:10.2f}x{p99:10.3f}x  {dict(one.errors) or 'none'}"
        )
    return "\n".join(lines)


def ratio(ours, theirs):
    """Not a number where the other server has none: it answered nothing, which its errors or its rate tell."""
    return ours / theirs if theirs else math.nan
