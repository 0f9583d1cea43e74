"""What RFC 9110 and RFC 9112 ask of a server, sent as bytes: what is well formed is served, what could be read in two ways is refused.

After a refusal for framing the connection ends, so that nobody's next request is read out of the middle of the last one.
"""

import json
import re
import socket

import pytest

from harness.sending import open_stream
from harness.waiting import wait_for

HOST = b"Host: footfall\r\n"
CHUNKED = b"POST /lines HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n"
FOLLOWER = b"GET /health HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n"


@pytest.fixture(scope="module")
def address(program, tmp_path_factory):
    from harness.agent import Agent

    free = [word for kind in ("udp", "tcp", "http") for word in (f"--{kind}", "127.0.0.1:0")]
    agent = Agent([program, "serve", *free], tmp_path_factory.mktemp("conformance")).wait_until_ready()
    yield agent.address("http")
    assert agent.stop() == 0, agent.log


def statuses(address, request, closes=True):
    """The status codes that come back until the server closes; with `closes` the client says that it has no more to send."""
    with open_stream(address, 10) as stream:
        stream.sendall(request)
        if closes:
            stream.shutdown(socket.SHUT_WR)
        answer = b""
        while piece := stream.recv(65536):
            answer += piece
    return [int(code) for code in re.findall(rb"HTTP/1\.1 (\d{3}) ", answer)]


def get(fields=b"", line=b"GET /health HTTP/1.1"):
    return line + b"\r\n" + HOST + fields + b"\r\n"


def post(fields, body=b""):
    return b"POST /lines HTTP/1.1\r\n" + HOST + fields + b"\r\n" + body


GOOD = {
    "a plain request": (get(), [200]),
    "field names in any case, a tab before a value, an empty value": (
        b"GET /health HTTP/1.1\r\nhOsT:\tfootfall\r\nX-Nothing:\r\nX-Blank: \r\n\r\n",
        [200],
    ),
    "an empty line before the request": (b"\r\n" + get(), [200]),
    "a host with a port, an address, an address of version 6": (
        b"".join(b"GET /health HTTP/1.1\r\nHost: %b\r\n\r\n" % host for host in (b"a:80", b"192.0.2.1", b"[::1]:8080")),
        [200, 200, 200],
    ),
    "a target in absolute form": (get(line=b"GET http://footfall/health HTTP/1.1"), [200]),
    "a target in absolute form without a path": (get(line=b"GET http://footfall?x=1 HTTP/1.1"), [200]),
    "the asterisk for OPTIONS": (get(line=b"OPTIONS * HTTP/1.1"), [204]),
    "a later version of 1.x": (get(line=b"GET /health HTTP/1.7"), [200]),
    "version 1.0 without a host": (b"GET /health HTTP/1.0\r\n\r\n", [200]),
    "a body with its length": (post(b"Content-Length: 5\r\n", b"a:1|c"), [200]),
    "a body with a length of zero": (post(b"Content-Length: 0\r\n"), [200]),
    "a body in chunks, with extensions and trailers": (
        CHUNKED + b"2;a=b;c\r\na:\r\n0003 ; d=\"e\"\r\n1|c\r\n0\r\nX-After: all\r\n\r\n" + get(),
        [200, 200],
    ),
    "chunk sizes in either case": (CHUNKED + b"A\r\n" + b"a:12345|c\n" + b"\r\na\r\na:12345|c\n\r\n0\r\n\r\n" + get(), [200, 200]),
    "codings in any case": (post(b"transfer-ENCODING: ChUnKeD\r\n", b"0\r\n\r\n") + get(), [200, 200]),
    "an expectation with nothing to wait for": (get(b"Expect: 100-continue\r\n"), [200]),
    "an expectation of a client that has begun": (post(b"Content-Length: 5\r\nExpect: 100-continue\r\n", b"a:1|c"), [200]),
    "an expectation of version 1.0 is not heard": (
        b"POST /lines HTTP/1.0\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\na:1|c",
        [200],
    ),
    "requests behind one another": (get() * 50 + get(b"Connection: close\r\n"), [200] * 51),
}


@pytest.mark.parametrize("request_, wanted", GOOD.values(), ids=GOOD)
def test_what_is_well_formed_is_served(address, request_, wanted):
    assert statuses(address, request_) == wanted


BAD = {
    # The request line.
    "no version": (b"GET /health\r\n" + HOST + b"\r\n", 400),
    "no version but a blank": (b"GET /health \r\n\r\n", 400),
    "two blanks": (get(line=b"GET  /health HTTP/1.1"), 400),
    "a blank behind": (get(line=b"GET /health HTTP/1.1 "), 400),
    "a tab for a blank": (get(line=b"GET\t/health HTTP/1.1"), 400),
    "something before the method": (b"Extra lineGET / HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    "a version in small letters": (get(line=b"GET /health http/1.1"), 400),
    "a version with a long minor": (get(line=b"GET /health HTTP/1.10"), 400),
    "version 2": (get(line=b"GET /health HTTP/2.0"), 505),
    "version 9": (get(line=b"GET /health HTTP/9.9"), 505),
    "a method that nobody knows": (get(line=b"BREW /health HTTP/1.1"), 501),
    "a method in small letters": (get(line=b"get /health HTTP/1.1"), 501),
    "a method with a bad byte": (get(line=b"GE(T /health HTTP/1.1"), 400),
    "CONNECT and its authority": (get(line=b"CONNECT example.com:443 HTTP/1.1"), 501),
    "an authority without CONNECT": (get(line=b"GET example.com:443 HTTP/1.1"), 400),
    "the asterisk without OPTIONS": (get(line=b"GET * HTTP/1.1"), 400),
    "another scheme": (get(line=b"GET ftp://footfall/health HTTP/1.1"), 400),
    "a name and password in the target": (get(line=b"GET http://a:b@footfall/health HTTP/1.1"), 400),
    "a fragment": (get(line=b"GET /health#top HTTP/1.1"), 400),
    "a bad escape": (get(line=b"GET /%zz HTTP/1.1"), 400),
    "NUL, escaped": (get(line=b"GET /a%00b HTTP/1.1"), 400),
    "a control byte": (get(line=b"GET /a\x01 HTTP/1.1"), 400),
    "a path that is no UTF-8": (get(line=b"GET /%ff HTTP/1.1"), 400),
    "a target of 9,000 bytes": (get(line=b"GET /" + b"a" * 9_000 + b" HTTP/1.1"), 414),
    "two empty lines before": (b"\r\n\r\n" + get(), 400),
    # The host.
    "no host": (b"GET /health HTTP/1.1\r\n\r\n", 400),
    "no host, but a length": (b"GET / HTTP/1.1\r\nContent-Length: 5\r\n\r\n", 400),
    "two hosts": (get(b"Host: other\r\n"), 400),
    "the same host twice": (get(HOST), 400),
    "an empty host": (b"GET /health HTTP/1.1\r\nHost:\r\n\r\n", 400),
    "a host with a blank": (b"GET /health HTTP/1.1\r\nHost: bad host\r\n\r\n", 400),
    "a host with a path": (b"GET /health HTTP/1.1\r\nHost: a/b\r\n\r\n", 400),
    "a host with a name before it": (b"GET /health HTTP/1.1\r\nHost: a@b\r\n\r\n", 400),
    "a host with NUL": (b"GET /health HTTP/1.1\r\nHost: local\x00host\r\n\r\n", 400),
    "a port that is none": (b"GET /health HTTP/1.1\r\nHost: a:b\r\n\r\n", 400),
    "a port of more than 16 bits": (b"GET /health HTTP/1.1\r\nHost: a:65536\r\n\r\n", 400),
    # Fields.
    "a blank before the colon": (b"GET /health HTTP/1.1\r\nHost : a\r\n\r\n", 400),
    "a blank in a name": (get(b"Bad Name: a\r\n"), 400),
    "brackets in a name": (get(b"X-Bad[]: a\r\n"), 400),
    "no name": (get(b": a\r\n"), 400),
    "no colon": (get(b"nothing\r\n"), 400),
    "a folded line": (get(b"X: a\r\n b\r\n"), 400),
    "a folded line first": (b"GET /health HTTP/1.1\r\n " + HOST + b"\r\n", 400),
    "a folded line last": (b"GET /health HTTP/1.1\r\n" + HOST + b"  more\r\n\r\n", 400),
    "NUL in a value": (get(b"X: a\x00b\r\n"), 400),
    "a bell in a value": (get(b"X: a\x07\r\n"), 400),
    "CR alone in a value": (get(b"X: a\rb\r\n"), 400),
    "CR alone before a name": (b"GET /health HTTP/1.1\r\n" + HOST + b"\rX: a\r\n\r\n", 400),
    "LF alone behind the request line": (b"GET /health HTTP/1.1\n" + HOST + b"\r\n", 400),
    "LF alone behind a field": (get(b"X: a\nY: b\r\n"), 400),
    "LF alone at the end of the head": (b"GET /health HTTP/1.1\r\n" + HOST + b"\n", 400),
    "a field of 20,000 bytes": (get(b"X: " + b"a" * 20_000 + b"\r\n"), 431),
    "fields of 20,000 bytes together": (get(b"X-Some: %b\r\n" % (b"a" * 200) * 95 + b"\r\n"), 431),
    "101 fields": (get(b"X: a\r\n" * 101), 431),
    # Framing: two lengths are how requests are smuggled.
    "a length and chunks": (post(b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", b"0\r\n\r\n"), 400),
    "chunks and a length, in another case": (post(b"TransFer-Encoding: chunked\r\ncontent-LengtH: 5\r\n", b"0\r\n\r\n"), 400),
    "two lengths that differ": (post(b"Content-Length: 5\r\nContent-Length: 7\r\n", b"a:1|c!!"), 400),
    "the same length twice": (post(b"Content-Length: 5\r\nContent-Length: 5\r\n", b"a:1|c"), 400),
    "a list of lengths": (post(b"Content-Length: 5, 5\r\n", b"a:1|c"), 400),
    "a length with a sign": (post(b"Content-Length: +5\r\n", b"a:1|c"), 400),
    "a length far below zero": (post(b"Content-Length: -123456789123456789123456789\r\n"), 400),
    "a length in hexadecimal": (post(b"Content-Length: 0x5\r\n", b"a:1|c"), 400),
    "a length in words": (post(b"Content-Length: abc\r\n"), 400),
    "a length of nothing": (post(b"Content-Length:\r\n"), 400),
    "a length beyond 64 bits": (post(b"Content-Length: 18446744073709551621\r\n", b"a:1|c"), 400),
    "a length with a blank within": (post(b"Content-Length: 1 0\r\n"), 400),
    "a length beyond what is taken": (post(b"Content-Length: 9000000\r\n"), 413),
    "chunks in version 1.0": (b"POST /lines HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    "chunks before another coding": (post(b"Transfer-Encoding: chunked, gzip\r\n", b"0\r\n\r\n"), 400),
    "chunks twice": (post(b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", b"0\r\n\r\n"), 400),
    "a coding that nobody knows": (post(b"Transfer-Encoding: nonsense\r\n", b"a:1|c"), 501),
    "a coding before chunks": (post(b"Transfer-Encoding: gzip, chunked\r\n", b"0\r\n\r\n"), 501),
    "no coding": (post(b"Transfer-Encoding:\r\n", b"0\r\n\r\n"), 400),
    "a coding behind a control byte": (post(b"Transfer-Encoding: \x0bchunked\r\n", b"0\r\n\r\n"), 400),
    "another expectation": (post(b"Content-Length: 5\r\nExpect: a-miracle\r\n", b"a:1|c"), 417),
    # Chunks.
    "a chunk's size is no number": (CHUNKED + b"Z\r\nhello\r\n0\r\n\r\n", 400),
    "a chunk's size is missing": (CHUNKED + b"\r\nhello\r\n0\r\n\r\n", 400),
    "a chunk's size has a sign": (CHUNKED + b"-5\r\nhello\r\n0\r\n\r\n", 400),
    "a chunk's size has 0x": (CHUNKED + b"0x5\r\nhello\r\n0\r\n\r\n", 400),
    "a blank before a chunk's size": (CHUNKED + b" 5\r\nhello\r\n0\r\n\r\n", 400),
    "a blank behind a chunk's size": (CHUNKED + b"5 \r\nhello\r\n0\r\n\r\n", 400),
    "a chunk's size ends in LF alone": (CHUNKED + b"5\nhello\r\n0\r\n\r\n", 400),
    "an extension ends in LF alone": (CHUNKED + b"5;a\nhello\r\n0\r\n\r\n", 400),
    "an extension without end": (CHUNKED + b"5;" + b"a" * 1_000 + b"\r\nhello\r\n0\r\n\r\n", 400),
    "a chunk is longer than its size": (CHUNKED + b"4\r\nhello\r\n0\r\n\r\n", 400),
    "a chunk has no end": (CHUNKED + b"5\r\nhello0\r\n\r\n", 400),
    "a chunk ends in LF alone": (CHUNKED + b"5\r\nhello\n0\r\n\r\n", 400),
    "a chunk of more than 64 bits": (CHUNKED + b"1" * 17 + b"\r\nhello\r\n0\r\n\r\n", 400),
    "a chunk beyond what is taken": (CHUNKED + b"7fffffff\r\nhello", 413),
    "a trailer without a colon": (CHUNKED + b"0\r\nnothing\r\n\r\n", 400),
    "a trailer with a blank before the colon": (CHUNKED + b"0\r\nX : a\r\n\r\n", 400),
    "trailers of 20,000 bytes": (CHUNKED + b"0\r\n" + b"X-Some: %b\r\n" % (b"a" * 200) * 95 + b"\r\n", 431),
    "101 trailers": (CHUNKED + b"0\r\n" + b"X: a\r\n" * 101 + b"\r\n", 431),
}


@pytest.mark.parametrize("request_, status", BAD.values(), ids=BAD)
def test_what_is_not_is_refused_and_nothing_behind_it_is_read(address, request_, status):
    assert statuses(address, request_ + FOLLOWER, closes=False) == [status]


PIECES = [b"G", b"GET ", b"GET /health", b"GET /health ", b"GET /health HTTP", b"GET /health HTTP/1.1", b"GET /health HTTP/1.1\r"]
PIECES += [b"GET /health HTTP/1.1\r\n" + rest for rest in (b"", b"Hos", b"Host:", b"Host: ", b"Host: a", b"Host: a\r", b"Host: a\r\n")]
PIECES += [b"GET /health HTTP/1.1\r\nHost: a\r\n\r", CHUNKED, CHUNKED + b"5", CHUNKED + b"5\r\na:1|c", CHUNKED + b"5\r\na:1|c\r\n0\r\n"]


@pytest.mark.parametrize("piece", PIECES, ids=[piece[-24:].decode() for piece in PIECES])
def test_a_request_that_has_not_ended_is_waited_for(address, piece):
    """Nothing comes back for a piece; another client is answered meanwhile, and then the piece when its rest has come."""
    whole = next(request for request in (b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n", CHUNKED + b"5\r\na:1|c\r\n0\r\n\r\n") if request.startswith(piece))
    with open_stream(address, 10) as stream:
        stream.sendall(piece)
        assert statuses(address, get()) == [200]
        stream.setblocking(False)
        with pytest.raises(BlockingIOError):
            stream.recv(1)
        stream.settimeout(10)
        stream.sendall(whole[len(piece) :])
        assert stream.recv(65536).startswith(b"HTTP/1.1 200 ")


def test_leave_to_send_the_body_is_given_and_then_the_answer(address):
    with open_stream(address, 10) as stream:
        stream.sendall(b"POST /lines HTTP/1.1\r\n" + HOST + b"Content-Length: 5\r\nExpect: 100-continue\r\n\r\n")
        assert stream.recv(65536) == b"HTTP/1.1 100 Continue\r\n\r\n"
        stream.sendall(b"a:1|c")
        assert stream.recv(65536).startswith(b"HTTP/1.1 200 ")


def test_leave_is_not_given_for_a_body_that_would_be_refused(address):
    request = b"POST /lines HTTP/1.1\r\n" + HOST + b"Content-Length: 9000000\r\nExpect: 100-continue\r\n\r\n"
    assert statuses(address, request, closes=False) == [413]


def test_head_has_no_body_and_faults_say_where_they_end(address):
    with open_stream(address, 10) as stream:
        stream.sendall(b"HEAD /health HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n")
        answer = b"".join(iter(lambda: stream.recv(65536), b""))
    head, _, body = answer.partition(b"\r\n\r\n")
    assert re.search(rb"Content-Length: [1-9]", head) and body == b""
    with open_stream(address, 10) as stream:
        stream.sendall(get(line=b"get / HTTP/1.1"))
        head, _, body = b"".join(iter(lambda: stream.recv(65536), b"")).partition(b"\r\n\r\n")
    assert int(re.search(rb"Content-Length: (\d+)", head)[1]) == len(body) and "detail" in json.loads(body)
    assert b"Connection: close" in head


def test_connections_stay_or_close_as_the_versions_say(address):
    with open_stream(address, 10) as stream:
        for _ in range(2):
            stream.sendall(get())
            assert stream.recv(65536).startswith(b"HTTP/1.1 200 ")
    assert statuses(address, get(b"Connection: close\r\n") + get(), closes=False) == [200]
    assert statuses(address, get(b"Connection: x, Close\r\n") + get(), closes=False) == [200]
    assert statuses(address, b"GET /health HTTP/1.0\r\n" + HOST + b"\r\n" + get(), closes=False) == [200]


def test_who_has_sent_all_is_still_answered(address):
    """`printf … | nc`: the client's side is closed before the answer comes."""
    assert statuses(address, get() + b"GET /hea") == [200]


def test_a_pipeline_without_reading_is_not_answered_without_bound(start_agent):
    """The requests wait in the kernel: what the server holds for such a client is some 100 KiB, and its other clients are served."""
    agent = start_agent()
    with open_stream(agent.address("http"), 10) as stream:
        stream.setblocking(False)
        sent = 0
        requests = get(line=b"GET /openapi.json HTTP/1.1") * 1_000

        def is_stuck():
            nonlocal sent
            try:
                while True:
                    sent += stream.send(requests)
            except BlockingIOError:
                held = agent.scrape().value("footfall_http_held_bytes")
                return 0 < held < 1 << 20 and sent > 100_000

        wait_for(is_stuck, "the client can send no more")
        assert agent.get("/health").status_code == 200
        answered = agent.scrape().value("footfall_http_requests_total", route="/openapi.json", code="200")
        assert answered < sent / len(requests) * 1_000
