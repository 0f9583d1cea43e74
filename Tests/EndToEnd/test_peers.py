"""The comparison with other servers, as Tests/Stress/http_rates.py makes it in length: here only that it can be made."""

from harness.http_rates import compare_servers, read_report, table

# wrk pads a unit of one letter with a blank.
REPORT = """
  Latency Distribution
     50%    0.87ms
     99%    1.25s 
  198555 requests in 6.06s, 37.20MB read
  Socket errors: connect 1, read 20, write 0, timeout 3
  Non-2xx or 3xx responses: 400
Requests/sec:  32747.18
"""


def test_every_server_answers_without_an_error_and_has_its_figures(program, tmp_path):
    figures = compare_servers(program, tmp_path, seconds=1, rounds=1, routes=("POST /visit",))
    assert [one.server for one in figures] == ["footfall", "nginx", "uvicorn, 1 worker", "uvicorn, 2 workers"]
    for one in figures:
        assert not one.errors and min(one.requests_per_second, one.p99_milliseconds, one.processor_microseconds) > 0, one
    assert len(table(figures).splitlines()) == 5


def test_what_wrk_reports_is_read_with_its_errors():
    one = read_report(REPORT, 198_555_000)
    assert (one.requests_per_second, one.p99_milliseconds, one.processor_microseconds) == (32747.18, 1250, 1)
    assert +one.errors == {"connect": 1, "read": 20, "timeout": 3, "status": 400}
