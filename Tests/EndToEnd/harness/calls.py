"""Calls of the services that this program replaces, as their callers make them."""

import re

import requests

MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z?")


def call(agent, method, path, status=200, **options):
    answer = requests.request(method, agent.url(path), timeout=30, **options)
    assert answer.status_code == status, (method, path, answer.status_code, answer.text)
    assert float(answer.headers["X-Process-Time"]) >= 0
    return answer.json()


def holds(answer, **types):
    """The answer has these fields with values of these types."""
    for name, kind in types.items():
        assert name in answer, (name, answer)
        assert isinstance(answer[name], kind) and (kind is bool or not isinstance(answer[name], bool)), (name, answer[name])
    return answer
