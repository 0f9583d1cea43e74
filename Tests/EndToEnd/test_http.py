"""The query API as a client on the network sees it."""

import datetime
import json
import re
import socket

import pytest
import requests

from harness.agent import OPENMETRICS
from harness.sending import open_stream, send_datagrams
from harness.waiting import wait_for

ROUTES = ["/metrics", "/stats", "/stats/visit", "/series", "/health", "/ready", "/status", "/explain?line=a:1|c"]
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
LINES = b"\n".join(
    [b"visit:page1|c", b"visit:page2:2|c", b"hits:3|c|#env:prod", b"level:7|g", b"took:20|ms", b"took:30|ms"]
    + [b"size:10|h", b"spread:4|d", b"users:ann|s", b"users:bob|s"]
)


@pytest.fixture
def fed(agent):
    """An agent that holds a series of every kind."""
    send_datagrams(agent.address("udp"), LINES)
    agent.wait_for_ledger("udp", 10)
    wait_for(lambda: agent.stats()["total_visits"] == 3, "/stats has the visits")
    return agent


def raw(agent, request, until=b"", seconds=5):
    """Sends bytes over a connection of their own and returns all that comes back until it is closed, or until `until` is in it."""
    with open_stream(agent.address("http"), seconds) as stream:
        stream.sendall(request)
        answer = b""
        while not (until and until in answer):
            piece = stream.recv(65536)
            if not piece:
                break
            answer += piece
    return answer


@pytest.mark.parametrize("path", ROUTES)
def test_head_answers_like_get_without_a_body_and_each_answer_tells_its_time(fed, path):
    got, headed = fed.get(path), requests.head(fed.url(path), timeout=10)
    assert got.status_code == headed.status_code == 200
    assert headed.content == b""
    assert got.headers["Content-Type"] == headed.headers["Content-Type"]
    for answer in (got, headed):
        assert 0 <= float(answer.headers["X-Process-Time"]) < 5


@pytest.mark.parametrize("path", ["/nowhere", "/stats/visit/more", "/metrics/"])
def test_an_unknown_path_is_404_in_fastapis_shape(agent, path):
    answer = agent.get(path)
    assert (answer.status_code, answer.json()) == (404, {"detail": "Not Found"})
    assert float(answer.headers["X-Process-Time"]) >= 0


@pytest.mark.parametrize("path", ROUTES)
def test_a_method_that_a_route_does_not_take_is_405_with_what_it_takes(agent, path):
    answer = requests.put(agent.url(path), timeout=10)
    assert (answer.status_code, answer.json()) == (405, {"detail": "Method Not Allowed"})
    assert {"GET", "HEAD"} <= {method.strip() for method in answer.headers["Allow"].split(",")}
    assert float(answer.headers["X-Process-Time"]) >= 0


@pytest.mark.parametrize(
    "accept, wanted",
    [
        (None, "text/plain"),
        ("*/*", "text/plain"),
        ("text/html", "text/plain"),
        ("application/openmetrics-text", "application/openmetrics-text"),
        (OPENMETRICS, "application/openmetrics-text"),
        ("application/openmetrics-text;q=0.2,text/plain;q=0.9", "text/plain"),
        ("application/openmetrics-text;q=0,*/*", "text/plain"),
        (
            "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,"
            "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
            "application/openmetrics-text",
        ),
        (
            "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited,"
            "text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
            "text/plain",
        ),
    ],
)
def test_metrics_speaks_the_format_that_was_asked_for(agent, accept, wanted):
    answer = agent.get("/metrics", headers={"Accept": accept})
    assert answer.status_code == 200
    kind, *parameters = [part.strip() for part in answer.headers["Content-Type"].split(";")]
    assert kind == wanted
    version = {"text/plain": ("version=0.0.4", "version=1.0.0"), "application/openmetrics-text": ("version=1.0.0",)}[wanted]
    assert set(version) & set(parameters) and "charset=utf-8" in parameters
    assert answer.text.endswith("# EOF\n") == (wanted != "text/plain")


def test_both_formats_tell_the_same(fed):
    text, openmetrics = fed.scrape(), fed.scrape(openmetrics=True)
    own = ("footfall_", "process_")
    users = {key: value for key, value in text.samples.items() if not key[0].startswith(own)}
    assert users == {key: value for key, value in openmetrics.samples.items() if not key[0].startswith(own)}
    assert users[("took_seconds_sum", frozenset())] == pytest.approx(0.05)
    assert text.types["visit_total"] == openmetrics.types["visit"] == "counter"


def test_a_glob_chooses_families_and_the_order_is_stable(fed):
    page = fed.get("/metrics", params={"metric": "vis*"}).text
    assert 'visit_total{page="page1"} 1' in page and "hits_total" not in page
    names = [[line for line in fed.text().split("\n") if line.startswith("# TYPE")] for _ in range(3)]
    assert names[0] == names[1] == names[2]


def test_stats_holds_what_the_services_answered(fed):
    stats = fed.stats()
    assert stats["total_visits"] == 3 and stats["total_buys"] == 0
    assert MOMENT.fullmatch(stats["current_time"]) and stats["server_status"] == "healthy"
    assert stats["uptime_seconds"] > 0 and re.fullmatch(r"\d+h \d+m \d+s", stats["uptime_formatted"])
    visit = stats["metrics"]["visit"]
    assert (visit["type"], visit["total"], visit["series"]) == ("counter", 3, 2)
    assert "ledger" in stats
    assert list(fed.stats(limit="1")["metrics"]) == ["visit"] or len(fed.stats(limit="1")["metrics"]) == 1


def test_stats_of_one_metric(fed):
    assert fed.stats("/stats/visit")["total"] == 3
    took = fed.stats("/stats/took")
    assert took["unit"] == "ms"
    assert fed.get("/stats/never_seen").status_code == 404


def test_series_are_paged_without_gaps_or_repeats(agent):
    pages = {f"page{number}" for number in range(250)}
    send_datagrams(agent.address("udp"), "\n".join(f"visit:{page}|c" for page in sorted(pages)).encode())
    agent.wait_for_ledger("udp", 250)
    seen, parameters, turns = [], {"metric": "visit", "limit": "100"}, 0
    while parameters is not None:
        answer = agent.stats("/series", **parameters)
        assert len(answer["series"]) <= 100
        seen += [series["labels"]["page"] for series in answer["series"]]
        turns += 1
        assert turns <= 4
        parameters = {**parameters, "cursor": answer["cursor"]} if answer.get("cursor") else None
    assert turns == 3 and len(seen) == 250 and set(seen) == pages
    some = agent.stats("/series", metric="visit", match="page:page24*")["series"]
    assert {series["labels"]["page"] for series in some} == {"page24", *(f"page24{digit}" for digit in range(10))}


def test_explain_answers_what_the_command_would(agent):
    answer = agent.get("/explain", params={"line": "visit:page1|c"})
    assert answer.json() == {"samples": [{"name": "visit", "type": "counter", "value": 1, "tags": {"page": "page1"}}]}
    assert agent.get("/explain", params={"line": "visit:nan|c"}).json()["error"] == "bad_value"
    assert agent.get("/explain").status_code == 422
    assert agent.scrape().value("visit_total", page="page1") is None


def test_health_is_healthy_and_ready_is_ready(agent):
    health = agent.get("/health").json()
    assert health["status"] == "healthy" and health["uptime_seconds"] >= 0
    assert abs(datetime.datetime.fromisoformat(health["timestamp"]).timestamp() - datetime.datetime.now().timestamp()) < 60
    assert agent.get("/ready").status_code == 200


def test_status_names_listeners_and_workers(start_agent):
    agent = start_agent("--workers", "2")
    status = agent.get("/status").json()
    assert status["status"] == "healthy" and status["version"]
    text = json.dumps(status["listeners"])
    assert agent.bound["udp"][0] in text and agent.bound["tcp"][0] in text
    assert status["ledger"] is not None and status["workers"]


def test_requests_in_one_piece_are_answered_in_order(fed):
    """Pipelining (RFC 9112, section 9.3.2): the last one asks to close, so that the answer ends."""
    host = "Host: footfall\r\n"
    paths = ["/health", "/explain?line=a:1|c", "/nowhere", "/ready"] * 25
    requests_ = [f"GET {path} HTTP/1.1\r\n{host}\r\n" for path in paths]
    answer = raw(fed, ("".join(requests_) + f"GET /health HTTP/1.1\r\n{host}Connection: close\r\n\r\n").encode())
    codes = [int(code) for code in re.findall(rb"HTTP/1\.1 (\d+)", answer)]
    assert codes == [200, 200, 404, 200] * 25 + [200]


def test_a_request_that_comes_byte_by_byte_is_answered(agent):
    with open_stream(agent.address("http")) as stream:
        stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in b"GET /health HTTP/1.1\r\nHost: footfall\r\n\r\n":
            stream.sendall(bytes([byte]))
        assert stream.recv(65536).startswith(b"HTTP/1.1 200 ")
        stream.sendall(b"GET /nowhere HTTP/1.1\r\nHost: footfall\r\n\r\n")
        assert stream.recv(65536).startswith(b"HTTP/1.1 404 ")


@pytest.mark.parametrize(
    "request_, status",
    [
        (b"GET /health HTTP/1.1\r\n\r\n", 400),
        (b"GET /health HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
        (b"GET /health HTTP/1.1\r\nHost : a\r\n\r\n", 400),
        (b"GET /health HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        (b"GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        (b"nonsense\r\n\r\n", 400),
        (b"BREW /health HTTP/1.1\r\nHost: a\r\n\r\n", 501),
        (b"GET /health HTTP/2.0\r\nHost: a\r\n\r\n", 505),
        (b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 414),
        (b"GET /health HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 200_000 + b"\r\n\r\n", 431),
    ],
    ids=["no host", "two hosts", "space before the colon", "length and chunked", "bad escape", "nonsense", "unknown method"]
    + ["version 2", "long target", "long header"],
)
def test_a_faulty_request_has_its_status_and_the_next_client_is_served(agent, request_, status):
    answer = raw(agent, request_ if status != 501 else request_.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
    assert answer.startswith(f"HTTP/1.1 {status} ".encode()), answer[:200]
    assert b"x-process-time" in answer.lower()
    assert "detail" in json.loads(answer.partition(b"\r\n\r\n")[2])
    assert agent.get("/health").status_code == 200


def test_http_10_closes_unless_asked_to_stay(agent):
    assert raw(agent, b"GET /health HTTP/1.0\r\n\r\n").startswith(b"HTTP/1.1 200 ")
    stays = raw(agent, b"GET /health HTTP/1.0\r\nConnection: keep-alive\r\n\r\n" * 2, until=b"}HTTP/1.1 200")
    assert stays.count(b"HTTP/1.1 200 ") == 2


def test_an_idle_connection_is_closed(start_agent):
    agent = start_agent("--http-idle", "300ms")
    with open_stream(agent.address("http")) as stream:
        stream.sendall(b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n")
        while piece := stream.recv(65536):
            assert b"HTTP/1.1 200" in piece or b"}" in piece


def test_requests_are_counted_by_route_and_code(agent):
    agent.get("/health")
    agent.get("/nowhere")
    page = agent.scrape()
    assert page.value("footfall_http_requests_total", route="/health", code="200") == 1
    assert page.total("footfall_http_requests_total", code="404") == 1
    assert not [labels for labels, _ in page.series("footfall_http_requests_total") if "nowhere" in labels["route"]]
