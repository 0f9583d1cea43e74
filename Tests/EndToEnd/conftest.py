"""Fixtures: the program under test and running agents of it.

Nothing is built here. The program is $FOOTFALL, or .build/release/footfall of this repository.
"""

import os
import socket
from pathlib import Path

import pytest

from harness.agent import Agent

ROOT = Path(__file__).resolve().parents[2]

# Every listener on a port of the kernel's choice; a flag of the test's own takes the place of the one here.
DEFAULTS = {"--udp": "127.0.0.1:0", "--tcp": "127.0.0.1:0", "--http": "127.0.0.1:0", "--flush-interval": "100ms"}


def pytest_collection_modifyitems(items):
    """What watches the clock begins first and is asked last, with the other tests in between."""
    items.sort(key=lambda item: bool(item.get_closest_marker("order_last")) - bool(item.get_closest_marker("order_first")))


@pytest.fixture(scope="session")
def root():
    return ROOT


@pytest.fixture(scope="session")
def program():
    path = Path(os.environ.get("FOOTFALL", ROOT / ".build/release/footfall")).resolve()
    assert path.is_file(), f"{path} is missing: swift build -c release, or set FOOTFALL"
    return path


@pytest.fixture(scope="session")
def free_port():
    """A function that finds a port for a program that cannot be asked which one it took."""

    def find(kind=socket.SOCK_STREAM):
        with socket.socket(socket.AF_INET, kind) as probe:
            probe.bind(("127.0.0.1", 0))
            return probe.getsockname()[1]

    return find


@pytest.fixture
def start_agent(program, tmp_path):
    """A function that starts an agent with these flags and waits until it is ready.

    At the test's end each agent still running gets SIGTERM and must exit with 0; its log is printed, and so shown if the test failed.
    """
    started = []

    def start(*flags, environment=None, binary=None, prefix=()):
        command = [*prefix, binary or program, "serve", *flags]
        for flag, value in DEFAULTS.items():
            if flag not in flags:
                command += [flag, value]
        agent = Agent(command, tmp_path, environment)
        started.append(agent)
        return agent.wait_until_ready()

    yield start
    faults = []
    for agent in started:
        try:
            if agent.is_running and agent.stop() != 0:
                faults.append("an agent did not exit with 0 on SIGTERM")
        except AssertionError as fault:
            faults.append(str(fault))
        print(f"log of agent {agent.pid}:", *agent.log, sep="\n  ")
    assert not faults, faults


@pytest.fixture
def agent(start_agent):
    return start_agent()


@pytest.fixture(scope="session")
def browser(tmp_path_factory):
    """One headless Chromium for all tests; each opens its page anew."""
    # Here, since the other tests need no Selenium.
    from harness.browser import running_browser

    with running_browser(tmp_path_factory.mktemp("screenshots")) as running:
        yield running
