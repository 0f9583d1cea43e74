"""Writing over HTTP as many clients at once do it."""

import socket
import threading

import requests

from harness.sending import open_stream
from harness.waiting import wait_for


def answers(agent, request, count):
    """Sends one request `count` times over one connection, each after the last one's answer; the numbers that come back."""
    found = []
    with open_stream(agent.address("http"), 60) as stream:
        stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for _ in range(count):
            stream.sendall(request)
            answer = b""
            while b"}" not in answer:
                piece = stream.recv(4096)
                assert piece, answer
                answer += piece
            found.append(int(answer.partition(b'"visits":')[2].rstrip(b"}").split(b",")[0]))
    return found


def at_once(agent, request, threads, count):
    numbers, faults = [], []

    def run():
        try:
            numbers.append(answers(agent, request, count))
        except BaseException as fault:
            faults.append(fault)

    runs = [threading.Thread(target=run) for _ in range(threads)]
    for one in runs:
        one.start()
    for one in runs:
        one.join()
    assert not faults, faults
    return numbers


def test_no_two_visitors_get_the_same_number_and_each_one_s_own_rise(agent):
    numbers = at_once(agent, b"POST /visit HTTP/1.1\r\nHost: a\r\n\r\n", 50, 200)
    assert sorted(number for one in numbers for number in one) == list(range(1, 10_001))
    assert all(one == sorted(one) for one in numbers)


def test_a_page_s_count_is_exact_for_many_at_once(agent):
    numbers = at_once(agent, b"POST /visits/a%2Fb HTTP/1.1\r\nHost: a\r\n\r\n", 20, 50)
    assert sorted(number for one in numbers for number in one) == list(range(1, 1_001))
    assert agent.get("/visits/a%2Fb").json()["visits"] == 1_000


def test_a_large_batch_of_lines_is_taken_and_one_too_large_is_413(agent):
    line = b"visit:page%d|c\n"
    body = b"".join(line % (number % 1_000) for number in range(700_000))[: 8 << 20]
    body = body[: body.rindex(b"\n") + 1]
    answer = requests.post(agent.url("/lines"), data=body, timeout=60)
    assert answer.json() == {"accepted": body.count(b"\n"), "refused": [], "refused_total": 0}
    books = agent.scrape().value("footfall_lines_accepted_total", listener="http")
    assert books == body.count(b"\n")
    for path, size in (("/lines", (8 << 20) + 1), ("/visit", 65_537), ("/buy", 65_537)):
        assert requests.post(agent.url(path), data=b"x" * size, timeout=60).status_code == 413


def test_pages_of_other_alphabets_and_signs_are_kept_apart(agent):
    for page in ("café", "カフェ", "a b", "a/b", "a%2Fb", "?x=1#y", "100%", "visit|c", "a,b:c", '"', "\\", "__other__"):
        path = "/visits/" + requests.utils.quote(page, safe="")
        assert [requests.post(agent.url(path), timeout=10).json()["visits"] for _ in range(2)] == [1, 2]
        assert agent.scrape().value("visit_total", page=page) == 2


def test_the_address_behind_a_trusted_proxy_is_who_visits(start_agent):
    trusting, wary = start_agent("--trusted-proxy", "127.0.0.0/8"), start_agent()
    for agent, visitors in ((trusting, 3), (wary, 1)):
        for last in (1, 2, 3):
            headers = {"X-Forwarded-For": f"10.9.9.9, 203.0.113.{last}, 127.0.0.2"}
            body = {"user_id": "u", "page_url": "/a"}
            assert requests.post(agent.url("/visit"), json=body, headers=headers, timeout=10).status_code == 200
        assert agent.scrape().value("visit_addresses", page="/a") == visitors


def test_series_leave_when_they_are_deleted(start_agent):
    agent = start_agent("--workers", "2")
    requests.post(agent.url("/lines"), data="level:5|g\ntook:3|ms\nvisit:a|c\n", timeout=10)
    with socket.create_connection(agent.address("tcp")) as stream:
        stream.sendall(b"level:7|g\nwho:x|s\n")
    agent.wait_for_ledger("tcp", 2)
    for metric, count in (("level", 1), ("took", 1), ("who", 1), ("visit", 1)):
        assert requests.delete(agent.url(f"/series?metric={metric}"), timeout=10).json() == {"removed": count}
    wait_for(lambda: not {"level", "who"} & {one["metric"] for one in agent.stats("/series")["series"]}, "the series have left")
    assert agent.get("/visits/a").json()["visits"] == 0
    assert agent.scrape().value("visit_total", page="a") == 1
