"""A real Prometheus scrapes the agent while visits come in at a steady rate.

`rate(visit_total[1m])` needs a minute of samples, so the offering begins with the first test here, which the suite runs first, and the
rate is asked for by the last one.
"""

import multiprocessing
import subprocess
import time

import pytest
import requests

from harness.agent import Agent
from harness.sending import udp_to
from harness.waiting import wait_for

SPAWN = multiprocessing.get_context("spawn")
VISITS_A_SECOND = 200
CONFIGURATION = """
global: {{scrape_interval: 1s, scrape_timeout: 1s}}
scrape_configs:
  - job_name: footfall
    static_configs: [{{targets: ["{target}"]}}]
"""


def offer(address, sent, stop):
    """One visit every 5 ms; what a stall delayed is caught up at once, so that the rate stays true."""
    began = time.monotonic()
    with udp_to(address) as sender:
        while not stop.value:
            while sent.value < (time.monotonic() - began) * VISITS_A_SECOND:
                sender.send(b"visit:page1|c")
                sent.value += 1
            time.sleep(1 / VISITS_A_SECOND)


class Prometheus:
    def __init__(self, target, directory):
        self._directory = directory
        (directory / "prometheus.yml").write_text(CONFIGURATION.format(target=target))
        self._log = open(directory / "prometheus.log", "w")
        self._process = None
        self.url = None

    def start(self, port):
        self.url = f"http://127.0.0.1:{port}"
        self._process = subprocess.Popen(
            [
                "prometheus",
                f"--config.file={self._directory}/prometheus.yml",
                f"--storage.tsdb.path={self._directory}/data",
                f"--web.listen-address=127.0.0.1:{port}",
            ],
            stdout=self._log,
            stderr=subprocess.STDOUT,
        )

    def stop(self):
        self._process.terminate()
        self._process.wait(20)
        self._log.close()

    def query(self, expression):
        """The values of an instant query; none while Prometheus starts, when it refuses connections or answers 503."""
        try:
            answer = requests.get(f"{self.url}/api/v1/query", params={"query": expression}, timeout=10)
        except requests.ConnectionError:
            return []
        return [float(result["value"][1]) for result in answer.json()["data"]["result"]] if answer.ok else []

    def target(self):
        (target,) = requests.get(f"{self.url}/api/v1/targets", timeout=10).json()["data"]["activeTargets"]
        return target


class Watched:
    """An agent, what is offered to it, and the Prometheus that watches it."""

    def __init__(self, program, directory, port):
        command = [program, "serve", "--udp", "127.0.0.1:0", "--tcp", "none", "--http", "127.0.0.1:0"]
        self.agent = Agent(command, directory).wait_until_ready()
        self.sent, self._end = SPAWN.Value("q", 0), SPAWN.Value("b", 0)
        self.prometheus = Prometheus(self.agent.bound["http"][0], directory)
        self.prometheus.start(port)
        self._offering = SPAWN.Process(target=offer, args=(self.agent.address("udp"), self.sent, self._end), daemon=True)
        self._offering.start()
        self.began = time.monotonic()

    def stop_offering(self):
        self._end.value = 1
        self._offering.join(10)
        return self.sent.value

    def stop(self):
        self.stop_offering()
        self.prometheus.stop()
        return self.agent.stop()


@pytest.fixture(scope="session")
def watched(program, tmp_path_factory, free_port):
    watched = Watched(program, tmp_path_factory.mktemp("prometheus"), free_port())
    yield watched
    assert watched.stop() == 0


@pytest.mark.order_first
def test_prometheus_finds_the_agent_up(watched):
    wait_for(lambda: watched.prometheus.query("up") == [1], "up is 1", seconds=30, every=0.1)
    assert watched.prometheus.target()["lastError"] == ""


@pytest.mark.order_last
def test_the_rate_is_the_rate_that_was_offered(watched):
    left = 62 - (time.monotonic() - watched.began)
    wait_for(
        lambda: watched.prometheus.query("count_over_time(visit_total[1m])") >= [60], "a minute of samples", max(left, 0) + 30, 0.2
    )
    (rate,) = watched.prometheus.query('rate(visit_total{page="page1"}[1m])')
    assert rate == pytest.approx(VISITS_A_SECOND, rel=0.03)
    assert watched.prometheus.query("min_over_time(up[1m])") == [1]
    assert watched.prometheus.query("rate(footfall_lines_accepted_total[1m]) > 0") == pytest.approx([VISITS_A_SECOND], rel=0.03)


@pytest.mark.order_last
def test_the_total_is_what_was_sent(watched):
    sent = watched.stop_offering()
    wait_for(lambda: watched.prometheus.query('visit_total{page="page1"}') == [sent], f"visit_total is {sent}", every=0.1)
    assert watched.prometheus.query("footfall_datagrams_dropped_total") == [0]
