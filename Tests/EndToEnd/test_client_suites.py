"""Every line that the client libraries' own suites send or expect on the wire (Tests/Corpus/clients.jsonl, each with its source).

Of lines that differ from run to run (a timer that was measured, the time of a check) there is one of each form. What datadogpy's suite
puts into its queue and is no metric is there as refused.
"""

import json
from collections import Counter
from pathlib import Path

import pytest
from harness.sending import send_datagrams, send_stream
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
    assert [answer["error"] for answer in answers if "error" in answer] == [vector[key] for key in ("error",) if key in vector]
    found = [sample for answer in answers for sample in answer.get("samples", [])]
    assert [normal(sample) for sample in found] == [normal(sample) for sample in vector["samples"]]
    for sample, wanted in zip(found, vector["samples"]):
        assert wanted.get("fields", {}).items() <= sample.get("fields", {}).items()


def test_the_lines_of_all_suites_are_in_the_books_over_datagrams_and_streams(agent):
    packets = [vector["input"].encode() for vector in VECTORS]
    send_datagrams(agent.address("udp"), *packets)
    send_stream(agent.address("tcp"), b"\n".join(packets))
    read = sum(len(packet.splitlines()) for packet in packets)
    refused = Counter(vector["error"] for vector in VECTORS if "error" in vector)
    for transport in ("udp", "tcp"):
        ledger = agent.wait_for_ledger(transport, read)
        assert ledger.holds() and ledger.refused == refused and ledger.accepted == read - refused.total(), ledger
    kinds = Counter(sample["type"] for vector in VECTORS for sample in vector["samples"])
    page = agent.scrape()
    assert {kind: page.value("footfall_samples_total", kind=kind) for kind in kinds} == {kind: 2 * n for kind, n in kinds.items()}
