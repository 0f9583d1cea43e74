"""The benchmark runs whole, and its exact counts hold; nothing here looks at a time."""

import json
import os
import re
import subprocess

import pytest

SCENARIO = re.compile(r"^(\w+): .*; cores .* before$", re.MULTILINE)
ROW = re.compile(r"^(\S.*?)  +(\S+)  +\S+ \.\. \S+  +\S+", re.MULTILINE)


@pytest.fixture(scope="module")
def benchmark(root, program):
    """A function that runs the benchmark in its smallest size."""
    path = root / ".build/release/Benchmark"
    assert path.is_file(), f"{path} is missing: swift build -c release"

    def run(*words):
        environment = {**os.environ, "FOOTFALL": str(program)}
        return subprocess.run([path, "--smoke", *words], capture_output=True, text=True, timeout=120, env=environment)

    return run


@pytest.fixture(scope="module")
def thresholds(root):
    return root / "Sources/Benchmark/thresholds.json"


def faults(done):
    return re.findall("^threshold: (.*)$", done.stdout, re.MULTILINE)


def test_all_scenarios_run_and_every_exact_count_keeps_its_threshold(benchmark, thresholds, tmp_path):
    bounds = json.loads(thresholds.read_text())
    # One more than there are counts, so that the same run shows that a threshold without a count is noticed.
    checked = tmp_path / "thresholds.json"
    checked.write_text(json.dumps({**bounds, "what nobody counts": 1}))
    done = benchmark("--check", checked)
    assert faults(done) == ["what nobody counts: has a threshold and was not counted"], done.stdout + done.stderr
    assert done.returncode == 1
    shown = dict(ROW.findall(done.stdout))
    assert bounds.keys() <= shown.keys()
    listed = re.findall(r"^  (\w+)  ", benchmark("--help").stdout, re.MULTILINE)
    assert SCENARIO.findall(done.stdout) == listed
    assert "-" not in shown.values(), "a figure could not be taken"


def test_a_count_beyond_its_threshold_fails_and_is_named(benchmark, thresholds, tmp_path):
    tight = tmp_path / "thresholds.json"
    tight.write_text(json.dumps({**json.loads(thresholds.read_text()), "bytes a counter, 60k series": 1}))
    done = benchmark("bytes", "--check", tight)
    assert done.returncode == 1
    figure = dict(ROW.findall(done.stdout))["bytes a counter, 60k series"]
    assert faults(done) == [f"bytes a counter, 60k series: {figure}, more than 1.00"]


def test_a_count_within_its_threshold_passes_and_one_without_a_threshold_fails(benchmark, tmp_path):
    own = tmp_path / "thresholds.json"
    own.write_text('{"allocations a line": 0}')
    assert benchmark("allocations", "--check", own).returncode == 0
    own.write_text("{}")
    done = benchmark("allocations", "--check", own)
    assert done.returncode == 1
    assert faults(done) == ["allocations a line: 0, and no threshold"]


def test_a_file_that_is_no_object_of_numbers_is_refused(benchmark, tmp_path):
    odd = tmp_path / "thresholds.json"
    for text in ("", "[]", '{"a": "b"}', '{"a": 1, "b"}'):
        odd.write_text(text)
        done = benchmark("allocations", "--check", odd)
        assert done.returncode != 0 and "not an object of names and numbers" in done.stderr, text
