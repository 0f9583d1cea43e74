"""`footfall explain`: one answer for each line, in order; and every vector of the corpus."""

import base64
import json
import subprocess

import pytest

SHOWN = [
    ("visit:page1|c", {"samples": [{"name": "visit", "type": "counter", "value": 1, "tags": {"page": "page1"}}]}),
    ("", {"samples": []}),
    ("g:-2.5|g", {"samples": [{"name": "g", "type": "gauge", "value": -2.5, "relative": True}]}),
    ("t:12.5|ms|@0.5", {"samples": [{"name": "t", "type": "timer", "value": 12.5, "rate": 0.5}]}),
    ("u:a:b|s", {"samples": [{"name": "u", "type": "set", "value": "a:b"}]}),
    ("h:1|h|#b:2,a:1", {"samples": [{"name": "h", "type": "histogram", "value": 1, "tags": {"a": "1", "b": "2"}}]}),
    ("a:1:2|c", {"samples": [{"name": "a", "type": "counter", "value": value} for value in (1, 2)]}),
]


def explain(program, lines, *flags):
    """The answers, as many as lines."""
    run = subprocess.run([program, "explain", *flags], input=b"\n".join(lines) + b"\n", capture_output=True, timeout=60)
    assert run.returncode == 0, run.stderr
    answers = [json.loads(answer) for answer in run.stdout.splitlines()]
    assert len(answers) == len(lines)
    return answers


def normal(sample):
    """What a vector fixes of a sample; numbers as floats, lists of tags sorted."""
    value = sample.get("value")
    tags = {key: sorted(map(str, tag)) if isinstance(tag, list) else tag for key, tag in (sample.get("tags") or {}).items()}
    return {
        "name": sample.get("name"),
        "type": sample.get("type"),
        "value": float(value) if isinstance(value, (int, float)) else value,
        "relative": bool(sample.get("relative", False)),
        "rate": float(sample.get("rate", 1)),
        "tags": tags,
        "timestamp": sample.get("timestamp"),
    }


def test_lines_are_answered_in_order(program):
    answers = explain(program, [line.encode() for line, _ in SHOWN])
    assert answers == [answer for _, answer in SHOWN]


def test_a_refusal_names_its_reason_and_its_place(program):
    (answer,) = explain(program, [b"visit:nan|c"])
    assert (answer["error"], answer["at"]) == ("bad_value", 6) and answer["message"]
    assert "samples" not in answer


def test_strict_refuses_keyed_counts(program):
    (answer,) = explain(program, [b"visit:page1|c"], "--strict")
    assert answer["error"] == "bad_value"


def test_every_settled_vector_of_the_corpus_holds(program, root):
    corpus = root / "Tests/Corpus/lines.jsonl"
    if not corpus.exists():
        pytest.skip("no corpus yet")
    vectors = [json.loads(line) for line in corpus.read_text(encoding="utf-8").splitlines()]
    inputs = [
        (base64.b64decode(vector["input_b64"]) if "input_b64" in vector else vector["input"].encode()).split(b"\n")
        for vector in vectors
    ]
    answers = iter(explain(program, [line for lines in inputs for line in lines], "--strict"))
    wrong = {}
    for vector, lines in zip(vectors, inputs):
        got = [next(answers) for _ in lines]
        samples = [normal(sample) for answer in got for sample in answer.get("samples", [])]
        if vector.get("error"):
            good = not samples and any("error" in answer for answer in got)
        else:
            good = samples == [normal(sample) for sample in vector["samples"]]
        if not good and not vector.get("contested"):
            wrong[vector["id"]] = (vector.get("input"), got)
    assert not wrong, f"{len(wrong)} of {len(vectors)}: {json.dumps(list(wrong.values())[:5])}"
