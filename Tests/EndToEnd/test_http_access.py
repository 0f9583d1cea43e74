"""Who may do what over HTTP: tokens, pages of other sites, rates, the limit of connections, and what happens when descriptors run out."""

import contextlib
import signal
import subprocess

import pytest
import requests

from harness.sending import open_stream
from harness.waiting import wait_for

BEARER = {"Authorization": "Bearer one"}
EVIL = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}


def ask(agent, method, path, **options):
    return requests.request(method, agent.url(path), timeout=10, **options)


@pytest.fixture
def tokens(tmp_path):
    path = tmp_path / "tokens"
    path.write_text("# who deploys\none\n\n two== \r\n")
    path.chmod(0o600)
    return path


# Tokens.


def test_writing_needs_a_token_and_reading_does_not(start_agent, tokens):
    agent = start_agent("--token-file", str(tokens))
    for method, path in (("POST", "/visit"), ("POST", "/visits/a"), ("POST", "/lines"), ("DELETE", "/visits/a"), ("DELETE", "/series?metric=x")):
        refused = ask(agent, method, path)
        assert (refused.status_code, refused.json()) == (401, {"detail": "Not authenticated"}), (method, path)
        assert refused.headers["WWW-Authenticate"] == "Bearer"
        wrong = ask(agent, method, path, headers={"Authorization": "Bearer three"})
        assert (wrong.status_code, wrong.json()) == (401, {"detail": "Invalid authentication credentials"})
        assert ask(agent, method, path, headers=BEARER).status_code == 200
        assert ask(agent, method, path, headers={"Authorization": "bearer two=="}).status_code == 200
    for path in ("/stats", "/visits/a", "/metrics", "/health"):
        assert agent.get(path).status_code == 200
    assert agent.scrape().total("footfall_http_requests_total", code="401") == 10


def test_the_body_of_a_write_without_a_token_is_not_read(start_agent, tokens):
    agent = start_agent("--token-file", str(tokens))
    with open_stream(agent.address("http")) as stream:
        stream.sendall(b"POST /lines HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n")
        answer = b"".join(iter(lambda: stream.recv(65536), b""))
    assert answer.startswith(b"HTTP/1.1 401 ") and b"Connection: close" in answer
    assert agent.stats()["total_visits"] == 0


def test_tokens_are_read_again_on_sighup_and_a_bad_file_changes_nothing(start_agent, tokens):
    agent = start_agent("--token-file", str(tokens))
    tokens.write_text("three\n")
    agent.signal(signal.SIGHUP)
    wait_for(lambda: ask(agent, "POST", "/visit", headers={"Authorization": "Bearer three"}).status_code == 200, "the new token")
    assert ask(agent, "POST", "/visit", headers=BEARER).status_code == 401
    tokens.write_text("# none\n")
    agent.signal(signal.SIGHUP)
    agent.wait_for_log("reload: the old configuration stays.*holds no token")
    assert ask(agent, "POST", "/visit", headers={"Authorization": "Bearer three"}).status_code == 200
    agent.wait_for_value(1, "footfall_config_reloads_total", outcome="failure")
    assert not any("three" in line for line in agent.log)


@pytest.mark.parametrize("content", [None, "", "# none\n", "a b\n"], ids=["missing", "empty", "comments alone", "no token"])
@pytest.mark.parametrize("command", ["serve", "check-config"])
def test_a_token_file_that_holds_nothing_good_is_an_error_at_the_start(program, tmp_path, content, command):
    path = tmp_path / "tokens"
    if content is not None:
        path.write_text(content)
    run = subprocess.run([program, command, "--token-file", path, "--http", "127.0.0.1:0"], capture_output=True, text=True, timeout=10)
    assert run.returncode == 78 and "token-file" in run.stderr and str(path) in run.stderr, run


def test_a_token_file_that_everybody_may_read_is_warned_about(start_agent, tokens):
    assert not [line for line in start_agent("--token-file", str(tokens)).log if "warning" in line and "token" in line]
    tokens.chmod(0o644)
    start_agent("--token-file", str(tokens)).wait_for_log("warning.*token file can be read by everybody")


def test_beyond_loopback_nothing_is_deleted_without_a_token(start_agent, tokens):
    open_ = start_agent("--http", "0.0.0.0:0")
    assert ask(open_, "POST", "/visits/a").status_code == 200
    refused = ask(open_, "DELETE", "/visits/a")
    assert refused.status_code == 403 and "--token-file" in refused.json()["detail"]
    assert ask(open_, "GET", "/visits/a").json()["visits"] == 1
    both = start_agent("--http", "127.0.0.1:0", "--http", "[::]:0", "--token-file", str(tokens))
    assert ask(both, "DELETE", "/visits/a", headers=BEARER).status_code == 200
    two = start_agent("--http", "127.0.0.1:0,0.0.0.0:0")
    assert ask(two, "DELETE", "/visits/a").status_code == 200
    assert requests.delete(f"http://127.0.0.1:{two.address('http', 1)[1]}/visits/a", timeout=10).status_code == 403


# Browsers.


def test_a_page_of_another_site_may_not_write_and_programs_may(agent):
    host = agent.bound["http"][0]
    for headers in (EVIL, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}, {"Host": "evil.example", "Origin": "http://evil.example"}):
        for method, path in (("POST", "/visit"), ("DELETE", "/visits/a")):
            refused = ask(agent, method, path, headers=headers)
            assert refused.status_code == 403 and "site" in refused.json()["detail"] + "site", headers
        # A form of that page needs no leave: its fields do not help it.
        assert ask(agent, "POST", "/visit", headers=headers, data={"a": "b"}).status_code == 403
    assert agent.stats()["total_visits"] == 0
    for headers in ({}, {"Host": "any.example"}, {"Origin": f"http://{host}", "Sec-Fetch-Site": "same-origin"}):
        assert ask(agent, "POST", "/visit", headers=headers).status_code == 200
    assert ask(agent, "GET", "/stats", headers=EVIL).status_code == 200
    assert "Access-Control-Allow-Origin" not in ask(agent, "GET", "/stats", headers=EVIL).headers


def test_pages_may_write_under_the_names_that_were_told(start_agent):
    agent = start_agent("--http-host", "footfall.example", "--http-host", "stats.example")
    for name in ("footfall.example", "stats.example"):
        headers = {"Host": name, "Origin": f"https://{name}", "Sec-Fetch-Site": "same-origin"}
        assert ask(agent, "POST", "/visit", headers=headers).status_code == 200
    refused = ask(agent, "POST", "/visit", headers={"Host": "evil.example", "Origin": "http://evil.example", "Sec-Fetch-Site": "same-origin"})
    assert refused.status_code == 403 and "--http-host" in refused.json()["detail"]


def test_the_sites_that_were_told_may_read_and_write(start_agent):
    agent = start_agent("--cors-origin", "https://shop.example,http://localhost:3000")
    shop = {"Origin": "https://shop.example", "Sec-Fetch-Site": "cross-site"}
    asked = {**shop, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}
    leave = ask(agent, "OPTIONS", "/visit", headers=asked)
    assert leave.status_code == 204 and leave.headers["Access-Control-Allow-Origin"] == "https://shop.example"
    assert "POST" in leave.headers["Access-Control-Allow-Methods"] and leave.headers["Access-Control-Allow-Headers"] == "content-type"
    assert leave.headers["Vary"] == "Origin" and int(leave.headers["Access-Control-Max-Age"]) > 0
    for method, path in (("POST", "/visit"), ("GET", "/stats"), ("GET", "/nowhere"), ("GET", "/metrics")):
        answer = ask(agent, method, path, headers=shop)
        assert answer.headers["Access-Control-Allow-Origin"] == "https://shop.example" and "Origin" in answer.headers["Vary"]
    assert agent.stats()["total_visits"] == 1
    for headers in (EVIL, {}):
        answer = ask(agent, "GET", "/stats", headers=headers)
        assert "Access-Control-Allow-Origin" not in answer.headers and "Origin" in answer.headers["Vary"]
    assert ask(agent, "POST", "/visit", headers=EVIL).status_code == 403
    refused = ask(agent, "OPTIONS", "/visit", headers={**EVIL, "Access-Control-Request-Method": "POST"})
    assert "Access-Control-Allow-Origin" not in refused.headers


def test_all_sites_may_where_all_were_told(start_agent):
    agent = start_agent("--cors-origin", "*")
    answer = ask(agent, "POST", "/visit", headers=EVIL)
    assert answer.status_code == 200 and answer.headers["Access-Control-Allow-Origin"] == "*"


def test_a_browser_keeps_a_page_of_another_site_from_writing(start_agent, browser):
    """Chromium itself, which says what it says: a page at one port of this machine writes to an agent at another."""
    agent, other = start_agent(), start_agent()
    friend = start_agent("--cors-origin", other.url())
    browser.open(other.url("/health"))
    browser.driver.set_script_timeout(20)
    send = "const done = arguments[arguments.length - 1]; fetch(arguments[0], {method: 'POST', mode: arguments[1]}).then(a => done(a.status), e => done('refused'))"
    assert browser.driver.execute_async_script(send, agent.url("/visit"), "cors") == "refused"
    browser.driver.execute_async_script(send, agent.url("/visit"), "no-cors")
    assert agent.scrape().value("footfall_http_requests_total", route="/visit", code="403") == 2
    assert browser.driver.execute_async_script(send, friend.url("/visit"), "cors") == 200
    assert browser.driver.execute_async_script(send, other.url("/visit"), "cors") == 200
    assert [one.stats()["total_visits"] for one in (agent, other, friend)] == [0, 1, 1]


# Rates and connections.


def test_a_client_that_asks_too_often_is_told_when_to_come_again(start_agent):
    agent = start_agent("--http-rate", "5", "--trusted-proxy", "127.0.0.1/32")

    def burst(client):
        return [ask(agent, "GET", "/explain?line=a:1|c", headers={"X-Forwarded-For": client}) for _ in range(20)]

    answers = burst("192.0.2.1")
    limited = [answer for answer in answers if answer.status_code == 429]
    assert limited and len(answers) - len(limited) >= 5
    assert int(limited[0].headers["Retry-After"]) >= 1 and limited[0].json() == {"detail": "Too Many Requests"}
    assert burst("192.0.2.2")[0].status_code == 200
    assert burst("2001:db8::1")[0].status_code == 200
    assert 429 in {answer.status_code for answer in burst("2001:db8::2")[:1]} | {answer.status_code for answer in burst("2001:db8::3")}
    health = [ask(agent, "GET", "/health", headers={"X-Forwarded-For": "192.0.2.1"}).status_code for _ in range(20)]
    assert set(health) == {200}
    wait_for(lambda: ask(agent, "GET", "/stats", headers={"X-Forwarded-For": "192.0.2.1"}).status_code == 200, "a token again")
    page = agent.scrape()
    assert page.value("footfall_http_requests_limited_total") == page.total("footfall_http_requests_total", code="429") > 0


def test_health_is_answered_when_all_connections_are_taken(start_agent):
    agent = start_agent("--http-connections", "5")
    agent._http.close()
    streams = [open_stream(agent.address("http")) for _ in range(300)]
    for _ in range(20):
        assert requests.get(agent.url("/health"), timeout=5).status_code == 200
        assert requests.get(agent.url("/ready"), timeout=5).status_code == 200
        refused = requests.get(agent.url("/stats"), timeout=5)
        assert (refused.status_code, refused.headers["Retry-After"], refused.headers["Connection"]) == (503, "1", "close")
    for stream in streams:
        stream.close()
    wait_for(lambda: requests.get(agent.url("/stats"), timeout=5).status_code == 200, "a place again")
    assert agent.scrape().value("footfall_connections_rejected_total", listener="http", reason="limit") >= 20


def test_what_is_held_for_clients_is_bounded(start_agent):
    """Bodies that are long and do not end: beyond the bound they are given up, and the health is told all the while."""
    agent = start_agent("--http-connections", "100")
    head = b"POST /lines HTTP/1.1\r\nHost: a\r\nContent-Length: 8388608\r\n\r\n"
    body = b"a:1|c\n" * 1_200_000
    streams = []
    for _ in range(40):
        stream = open_stream(agent.address("http"), 10)
        streams.append(stream)
        with contextlib.suppress(OSError):
            stream.sendall(head + body)
    assert 0 < agent_value(agent, "footfall_http_held_bytes") < (128 << 20) + 40 * 65_536
    assert requests.get(agent.url("/health"), timeout=5).status_code == 200
    for stream in streams:
        stream.close()
    wait_for(lambda: requests.get(agent.url("/stats"), timeout=5).status_code == 200, "room again")
    assert agent.scrape().total("footfall_http_requests_total", code="503") >= 20


def agent_value(agent, name):
    """A value while `/metrics` may be refused: asked until it is not."""
    return wait_for(lambda: (page := requests.get(agent.url("/metrics"), timeout=5)).status_code == 200 and float(
        next(line for line in page.text.split("\n") if line.startswith(name + " ")).split()[1]), name)


def test_existing_clients_are_served_while_descriptors_have_run_out(start_agent):
    agent = start_agent(prefix=("prlimit", "--nofile=48:48"))
    held = requests.Session()
    held.get(agent.url("/health"), timeout=5)
    streams = []

    def is_degraded():
        streams.append(open_stream(agent.address("http")))
        answer = held.get(agent.url("/health"), timeout=5).json()
        return answer["status"] == "degraded" and answer["reasons"]

    reasons = wait_for(is_degraded, "/health says so", seconds=20)
    assert len(reasons) == 1 and "descriptor" in reasons[0]
    assert held.post(agent.url("/visit"), timeout=5).json() == {"visits": 1}
    for stream in streams:
        stream.close()
    wait_for(lambda: held.get(agent.url("/health"), timeout=5).json()["status"] == "healthy", "healthy again", seconds=20)
    assert requests.get(agent.url("/stats"), timeout=5).status_code == 200
    assert agent.scrape().value("footfall_accept_failures_total", listener="http") > 0
    assert len([line for line in agent.log if "connections cannot be taken" in line]) == 1


# Hashes.


def test_hash_seeds_differ_by_process(start_agent):
    def seeds(environment=None):
        agent = start_agent("--log-level", "debug", environment=environment)
        line = agent.wait_for_log("hash seeds")
        return dict(word.split("=") for word in line.split() if "=" in word), agent

    (first, _), (second, _) = seeds(), seeds()
    assert first["dictionaries"] != second["dictionaries"] and first["series"] != second["series"]
    # Without Swift's seeds the series have theirs all the same; and the operator is told.
    (first, agent), (second, _) = seeds({"SWIFT_DETERMINISTIC_HASHING": "1"}), seeds({"SWIFT_DETERMINISTIC_HASHING": "1"})
    assert first["dictionaries"] == second["dictionaries"] and first["series"] != second["series"]
    agent.wait_for_log("warning.*SWIFT_DETERMINISTIC_HASHING")
