"""The OpenAPI document: sound, about what there is, and kept."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from openapi_spec_validator import validate

METHODS = {"get", "post", "put", "patch", "delete", "head", "options", "trace"}


@pytest.fixture(scope="module")
def document(root):
    return json.loads((root / "Sources/Assets/pages/openapi.json").read_text(encoding="utf-8"))


def operations(document):
    for path, item in document["paths"].items():
        for method in METHODS & item.keys():
            yield path, method, item[method]


def test_it_is_valid(document):
    validate(document)
    assert document["openapi"].startswith("3.1.")


def test_it_describes_every_route_and_no_other(agent, document):
    index = agent.get("/").json()
    described = {f"{method.upper()} {path}" for path, method, _ in operations(document)}
    assert described == index["endpoints"].keys()
    assert document["info"]["version"] == index["version"]
    assert agent.get("/openapi.json").json() == document


def test_every_operation_has_a_group_a_summary_and_an_example_of_what_it_takes(document):
    groups = {tag["name"] for tag in document["tags"]}
    names = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(names) == len(set(names))
    for path, method, operation in operations(document):
        assert set(operation["tags"]) <= groups and operation["summary"], (method, path)
        for content in operation.get("requestBody", {"content": {}})["content"].values():
            schema = content["schema"]
            name = schema.get("$ref", "").rpartition("/")[2]
            assert "example" in content or "examples" in document["components"]["schemas"][name], (method, path)


def test_every_reference_leads_somewhere(document):
    def walk(node):
        if isinstance(node, dict):
            if "$ref" in node:
                target = document
                for step in node["$ref"].removeprefix("#/").split("/"):
                    target = target[step]
            for value in node.values():
                walk(value)
        elif isinstance(node, list):
            for value in node:
                walk(value)

    walk(document)


def test_the_program_keeps_to_it(agent, tmp_path):
    """Schemathesis draws requests from the document, sound and unsound ones, and holds the answers against it, with all its checks. The
    stream of events, which does not end, is left out."""
    examples = os.environ.get("SCHEMATHESIS_EXAMPLES", "3")
    run = subprocess.run(
        [Path(sys.executable).parent / "schemathesis", "run", agent.url("/openapi.json"), "--checks", "all", "--exclude-path", "/events"]
        + ["--max-examples", examples, "--request-timeout", "20", "--generation-deterministic", "--no-color"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=3_600,
    )
    assert run.returncode == 0, run.stdout[-8_000:] + run.stderr[-2_000:]
    assert agent.get("/health").status_code == 200
