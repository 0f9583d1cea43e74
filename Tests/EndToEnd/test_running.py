"""The program as a process: what it links, how it starts and fails to, how it logs and reads its configuration again."""

import json
import os
import re
import signal
import subprocess

import pytest

from harness.agent import Agent
from harness.waiting import wait_for

UNWANTED = ("FoundationInternationalization", "FoundationNetworking", "libicu", "_FoundationICU")
FREE_PORTS = ["--udp", "127.0.0.1:0", "--tcp", "127.0.0.1:0", "--http", "127.0.0.1:0"]


def run(program, *words, environment=None, **options):
    variables = {"PATH": os.environ["PATH"], **(environment or {})}
    return subprocess.run([program, *words], capture_output=True, text=True, timeout=20, env=variables, **options)


def test_neither_foundations_internationalisation_nor_its_networking_is_linked(program):
    libraries = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout
    assert not [name for name in UNWANTED if name in libraries], libraries


def test_help_names_every_option_and_version_a_number(program):
    text = run(program, "--help")
    assert text.returncode == 0 and text.stderr == ""
    for option in ("--udp", "--tcp", "--unix-datagram", "--unix-stream", "--http", "--workers", "--max-series", "--quantiles"):
        assert option in text.stdout
    version = run(program, "--version")
    assert version.returncode == 0 and re.search(r"\d+\.\d+", version.stdout)


def test_the_example_configuration_holds_and_is_what_check_config_reads(program, root):
    assert run(program, "check-config", "--config", str(root / "examples/footfall.conf")).returncode == 0


@pytest.mark.parametrize(
    "words, environment, status, named",
    [
        (["--workerz", "2"], {}, 64, ["workerz"]),
        (["--workers", "many"], {}, 64, ["--workers", "many"]),
        ([], {"FOOTFALL_WORKERS": "many"}, 78, ["FOOTFALL_WORKERS", "many"]),
        (["--config", "missing.conf"], {}, 64, ["missing.conf"]),
        (["--config", "faulty.conf"], {}, 78, ["faulty.conf", "workers", "many"]),
    ],
    ids=["unknown flag", "bad flag", "bad environment", "missing file", "bad file"],
)
@pytest.mark.parametrize("command", ["serve", "check-config"])
def test_a_fault_in_the_configuration_ends_the_program_and_names_it(program, tmp_path, command, words, environment, status, named):
    (tmp_path / "faulty.conf").write_text("workers = many\n")
    ended = run(program, command, *words, environment=environment, cwd=tmp_path)
    assert ended.returncode == (status if command == "serve" else 78), ended.stderr
    assert not [word for word in named if word not in ended.stderr], ended.stderr


def test_an_address_in_use_is_named_with_the_option_that_mends_it(start_agent, program):
    taken = start_agent().bound
    for kind in ("udp", "tcp", "http"):
        other = [word for pair in zip(FREE_PORTS[::2], FREE_PORTS[1::2]) if pair[0] != f"--{kind}" for word in pair]
        ended = run(program, *other, f"--{kind}", taken[kind][0])
        assert ended.returncode not in (0, 64, 78)
        assert taken[kind][0] in ended.stderr and f"--{kind}" in ended.stderr, ended.stderr


def test_serve_is_what_the_program_does_without_a_word(program, tmp_path):
    agent = Agent([program, *FREE_PORTS], tmp_path).wait_until_ready()
    assert agent.stop() == 0


def test_flag_wins_over_environment_over_file(start_agent, tmp_path):
    file = tmp_path / "footfall.conf"
    file.write_text("key-label = a=file, b=file, c=file  # a comment\nmax-series = 7\n")
    labels = {"a": "flag", "b": "flag"}
    agent = start_agent(
        "--config", str(file), "--key-label", "a=flag", "--key-label", "b=flag", environment={"FOOTFALL_KEY_LABEL": "a=env"}
    )
    for metric, label in labels.items():
        text = agent.get("/explain", params={"line": f"{metric}:x|c"}).json()
        assert text["samples"][0]["tags"] == {label: "x"}


def test_json_log_lines_are_objects(program, tmp_path):
    agent = Agent([program, *FREE_PORTS, "--log-format", "json"], tmp_path)
    first = json.loads(wait_for(lambda: agent.log and agent.log[0], "a log line"))
    assert first["level"] == "info" and "listening" in first["message"]
    assert all(first[kind].startswith("127.0.0.1:") for kind in ("udp", "tcp", "http"))
    assert agent.stop() == 0
    assert [json.loads(line) for line in agent.log]


def test_sighup_reads_the_configuration_again_and_says_what_came_of_it(start_agent, tmp_path):
    file = tmp_path / "footfall.conf"
    file.write_text("key-label = sale=offer\n")
    agent = start_agent("--config", str(file))
    agent.wait_for_value(0, "footfall_config_reloads_total", outcome="failure")
    agent.signal(signal.SIGHUP)
    agent.wait_for_value(1, "footfall_config_reloads_total", outcome="success")
    file.write_text("key-label = sale=lost\nworkers = many\n")
    agent.signal(signal.SIGHUP)
    agent.wait_for_value(1, "footfall_config_reloads_total", outcome="failure")
    assert list(agent.get("/explain", params={"line": "sale:x|c"}).json()["samples"][0]["tags"]) == ["offer"]
    assert any("workers" in line and "many" in line for line in agent.log)
