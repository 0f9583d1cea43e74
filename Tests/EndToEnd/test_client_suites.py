"""Lines that the client libraries' own suites expect on the wire (Tests/Corpus/clients.jsonl, each with its source), as `explain` reads
them."""

import json
from pathlib import Path

import pytest
from test_explain import explain, normal

VECTORS = [
    json.loads(line)
    for line in (Path(__file__).parents[1] / "Corpus/clients.jsonl").read_text(encoding="utf-8").splitlines()
]


def test_every_library_has_lines():
    assert {vector["source"].partition("/")[0] for vector in VECTORS} == {"jsocol", "DataDog", "Gr1N", "willkg"}


@pytest.mark.parametrize("vector", VECTORS, ids=range(len(VECTORS)))
def test_what_a_librarys_suite_expects_on_the_wire_is_read_as_its_call_meant_it(program, vector):
    answers = explain(program, vector["input"].removesuffix("\n").encode().split(b"\n"))
    found = [sample for answer in answers for sample in answer.get("samples", [answer])]
    assert [normal(sample) for sample in found] == [normal(sample) for sample in vector["samples"]]
    for sample, wanted in zip(found, vector["samples"]):
        assert wanted.get("fields", {}).items() <= sample.get("fields", {}).items()
