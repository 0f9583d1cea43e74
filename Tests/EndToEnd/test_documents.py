"""What a reader tries first: the README's commands, and the files of examples/."""

import re
import subprocess

import pytest

from harness.agent import Agent
from harness.exposition import Page
from harness.network import OwnNetwork
from harness.readme import read_blocks, run_blocks
from harness.sending import send_datagrams
from harness.waiting import wait_for


@pytest.fixture
def network():
    with OwnNetwork() as network:
        yield network


@pytest.fixture
def page_of_an_agent_at_its_limit(start_agent):
    """Families whose labels come from outside show with their first sample; of Redis there is none where this one should be."""
    agent = start_agent("--max-series", "1", "--redis", "redis://127.0.0.1:1")
    send_datagrams(agent.address("udp"), b"visit:page1|c\nvisit:page2|c")
    agent.wait_for_value(1, "footfall_series_limited_total", metric="visit")
    return agent.scrape()


def test_the_readmes_commands_run_in_order(root, network, program, tmp_path):
    blocks = read_blocks((root / "README.md").read_text())
    assert any(kind.endswith("background") for kind, _, _ in blocks) and any(wanted for _, _, wanted in blocks)
    run_blocks(blocks, network, program, root, tmp_path)


def test_the_commands_of_operating_md_run_in_order(root, network, program, tmp_path):
    blocks = read_blocks((root / "examples/operating.md").read_text())
    assert len(blocks) >= 4 and sum(bool(wanted) for _, _, wanted in blocks) >= 3
    run_blocks(blocks, network, program, root, tmp_path)


def test_operating_md_names_only_options_and_metrics_that_exist(root, program, agent):
    """But for those of the parts that are described as a whole: a name that is wrong would be looked for in vain."""
    text = (root / "examples/operating.md").read_text()
    known = set(re.findall(r"--[a-z][a-z0-9-]+", subprocess.check_output([program, "--help"], text=True)))
    page = agent.scrape()
    metrics = {name for name, _ in page.samples} | set(page.types)
    assert set(re.findall(r"`(footfall_\w+)", text)) - {"footfall_series_limited_total"} <= metrics
    assert set(re.findall(r"`(--[a-z][a-z0-9-]+)", text)) <= known


def test_the_readme_names_only_files_that_exist(root):
    text = (root / "README.md").read_text()
    named = set(re.findall(r"`((?:Sources|Tests|examples|systemd|\.ci)/[\w./+-]*\w)/?`", text))
    assert named
    assert not [path for path in named if not (root / path).exists()]


def test_every_way_of_sending_in_send_sh_arrives(root, network, program, tmp_path):
    agent = Agent(network.command(program), tmp_path)
    try:
        network.wait_until_ready()
        sent = network.run("bash", root / "examples/send.sh", cwd=tmp_path)
        assert sent.returncode == 0, sent.stderr

        def arrived():
            page = Page(network.curl("/metrics"))
            assert page.total("visit_total") > 0
            assert page.total("footfall_lines_refused_total") == 0
            for kind in ("udp", "tcp"):
                assert page.ledger(f"{kind}:127.0.0.1:8125").accepted > 0
            return True

        wait_for(arrived, "what send.sh sent", every=0.05)
        assert agent.stop() == 0
    finally:
        print(*agent.log, sep="\n")
        if agent.is_running:
            agent.kill()


def test_prometheus_takes_the_example_configuration_and_rules(root):
    for what, name in (("config", "prometheus.yml"), ("rules", "alerts.yml")):
        run = subprocess.run(["promtool", "check", what, name], cwd=root / "examples", capture_output=True, text=True)
        assert run.returncode == 0 and "FAILED" not in run.stdout + run.stderr, run.stdout + run.stderr


def test_the_alerts_ask_for_metrics_that_exist(root, page_of_an_agent_at_its_limit):
    named = set(re.findall(r"\b(?:footfall|process)_\w+\b", (root / "examples/alerts.yml").read_text()))
    known = {name for name, _ in page_of_an_agent_at_its_limit.samples} | set(page_of_an_agent_at_its_limit.types)
    assert named and not named - known


def test_the_example_configuration_is_what_help_would_say(root, program):
    """Every option of --help stands in the file, set or commented out."""
    options = set(re.findall(r"^\s*--([a-z][a-z0-9-]+)", subprocess.check_output([program, "--help"], text=True), re.MULTILINE))
    keys = set(re.findall(r"^#?\s*([a-z][a-z0-9-]+)\s*=", (root / "examples/footfall.conf").read_text(), re.MULTILINE))
    assert options - {"help", "version", "config"} <= keys
