"""/metrics under odd names, odd values and limits: it never fails, and every page is one that a scraper reads."""

import subprocess

import pytest

from harness.sending import send_datagrams

# The ledger and what else has no label from outside: there from the start, so that a rate over them never begins with nothing.
FROM_THE_START = [
    "footfall_build_info",
    "footfall_start_time_seconds",
    "footfall_datagrams_received_total",
    "footfall_bytes_received_total",
    "footfall_datagrams_dropped_total",
    "footfall_lines_read_total",
    "footfall_lines_accepted_total",
    "footfall_lines_refused_total",
    "footfall_sections_skipped_total",
    "footfall_samples_total",
    "footfall_series",
    "footfall_memory_bytes",
    "footfall_connections",
    "footfall_redis_commands_total",
    "footfall_redis_errors_total",
    "footfall_redis_retries_total",
    "footfall_redis_moved_keys_total",
    "footfall_redis_moving",
    "footfall_redis_sent_bytes_total",
    "footfall_redis_pending_series",
    "footfall_redis_cache_requests_total",
    "process_cpu_seconds_total",
    "process_resident_memory_bytes",
    "process_open_fds",
    "process_start_time_seconds",
]
REASONS = """empty_name bad_name no_value bad_value bad_type bad_rate bad_tags bad_timestamp too_long truncated limit refused_source
malformed""".split()


def feed(agent, *lines):
    """Sends the lines, waits until all are read, returns the page."""
    before = agent.scrape().ledger(agent.listener("udp")).read
    lines = [line if isinstance(line, bytes) else line.encode() for line in lines]
    send_datagrams(agent.address("udp"), *(b"\n".join(lines[at : at + 100]) for at in range(0, len(lines), 100)))
    agent.wait_for_ledger("udp", before + len(lines))
    return agent.scrape()


def test_the_programs_own_families_are_there_from_the_start(agent):
    page = agent.scrape()
    names = {name for name, _ in page.samples}
    assert not [name for name in FROM_THE_START if name not in names]
    refused = {labels["reason"] for labels, _ in page.series("footfall_lines_refused_total")}
    assert refused == set(REASONS)
    agent.scrape(openmetrics=True)


def test_promtool_finds_nothing_to_say_about_the_programs_own_families(agent):
    feed(agent, "visit:page1|c", "visit:nan|c", "t:1|ms", "u:x|s", "g:1|g", "h:1|h", "d:1|d", "a:1|c|zzz")
    agent.get("/stats")
    families = agent.scrape().own_families()
    assert families.count("# TYPE") > 15
    run = subprocess.run(["promtool", "check", "metrics"], input=families, capture_output=True, text=True, timeout=30)
    assert (run.returncode, run.stdout, run.stderr) == (0, "", ""), run.stdout + run.stderr


def test_names_become_what_prometheus_can_read(agent):
    page = feed(agent, "app.hits-per/day:1|c", "9lives:1|g", "größe:1|g", "a.total_total:1|c", "x:1|c|#ta-g:v,__name__:n,9:z")
    assert page.value("app_hits_per_day_total") == 1
    assert page.value("_9lives") == 1
    assert page.value("gr__e") == 1
    assert page.value("a_total_total") == 1
    ((labels, value),) = page.series("x_total")
    assert value == 1 and labels == {"ta_g": "v", "exported___name__": "n", "_9": "z"}
    agent.scrape(openmetrics=True)


def test_label_values_are_escaped_and_come_back_whole(agent):
    values = ['back\\slash', 'quo"te', "käse", "a b", "https://shop.example/a", "{}=,"]
    page = feed(agent, *(f"visit:{value}|c" for value in values))
    assert {labels["page"] for labels, _ in page.series("visit_total")} == set(values)
    agent.scrape(openmetrics=True)


def test_families_whose_names_meet_do_not_split_the_page(agent):
    page = feed(agent, "a.b:1|c", "a_b:2|c", "a.b:5|g", "clash_total:1|g", "clash:1|c", "t_seconds:1|g", "t:1|ms", "q_count:1|g", "q:1|h")
    assert page.total("footfall_export_conflicts_total") > 0
    agent.scrape(openmetrics=True)


def test_a_users_own_footfall_family_is_left_out(agent):
    page = feed(agent, "footfall_lines_read:1000000|c", "process_open_fds:77|g")
    assert page.total("footfall_lines_read_total") == 2
    assert page.total("process_open_fds") != 77
    assert page.total("footfall_export_conflicts_total") == 2


@pytest.mark.parametrize(
    "lines, wanted",
    [
        (["c:1|c", "c:-3|c"], {"c_total": -2}),
        (["c:0.5|c", "c:0.25|c"], {"c_total": 0.75}),
        (["c:9007199254740993|c", "c:1|c"], {"c_total": 9007199254740994}),
        (["t:-5|ms"], {"t_seconds_count": 1, "t_seconds_sum": -0.005}),
        (["h:1e300|h", "h:-1e300|h"], {"h_count": 2, "h_sum": 0}),
        (["g:1e-300|g"], {"g": 1e-300}),
        (["s:1|c|@0.0000001"], {"s_total": 1e7}),
        (["t:100|ms|@0.1"], {"t_seconds_count": 10, "t_seconds_sum": 1}),
        (["a:1|c:2|ms"], {"a_total": 1, "a_seconds_count": 1}),
        (["g:5|g", "g:+2|g", "g:-4|g"], {"g": 3}),
    ],
)
def test_a_value_that_a_format_cannot_say_does_not_break_its_page(agent, lines, wanted):
    page = feed(agent, *lines)
    for name, value in wanted.items():
        assert page.value(name) == pytest.approx(value, rel=1e-12), name
    agent.scrape(openmetrics=True)


def test_the_largest_count_is_exact_and_stands_as_a_whole_number(agent):
    feed(agent, "c:9223372036854775806|c", "c:1|c")
    assert "\nc_total 9223372036854775807\n" in agent.text()


def test_a_timer_is_a_summary_by_default_and_a_histogram_with_buckets(start_agent):
    lines = [f"t:{milliseconds}|ms" for milliseconds in range(1, 101)]
    page = feed(start_agent(), *lines)
    assert page.types["t_seconds"] == "summary"
    assert page.value("t_seconds", quantile="0.5") == pytest.approx(0.05, rel=0.03)
    assert page.value("t_seconds", quantile="0.99") == pytest.approx(0.099, rel=0.03)
    agent = start_agent("--buckets", "0.01,0.05,0.1")
    page = feed(agent, *lines)
    assert page.types["t_seconds"] == "histogram"
    buckets = {float(labels["le"]): value for labels, value in page.series("t_seconds_bucket")}
    assert buckets[0.05] == pytest.approx(50, abs=1) and buckets[float("inf")] == 100
    assert page.value("t_seconds_count") == 100
    agent.scrape(openmetrics=True)


def test_a_set_counts_its_members_within_its_error(agent):
    page = feed(agent, *(f"users:user{number}|s" for number in range(5000)), *(f"users:user{number}|s" for number in range(2000)))
    assert page.value("users") == pytest.approx(5000, rel=0.03)


def test_the_101st_series_goes_to_other_and_is_counted(start_agent):
    agent = start_agent("--max-series", "100", "--workers", "1")
    page = feed(agent, *(f"visit:page{number}|c" for number in range(101)))
    series = {labels["page"]: value for labels, value in page.series("visit_total")}
    assert len(series) == 101 and sum(series.values()) == 101
    assert series["__other__"] == 1
    assert page.value("footfall_series_limited_total", metric="visit") == 1

    page = feed(agent, *(f"visit:page{number}|c" for number in range(50, 150)))
    assert page.value("visit_total", page="page50") == 2
    assert page.value("visit_total", page="__other__") == 51


def test_a_new_metric_beyond_the_limit_counts_into_other_and_a_gauge_is_refused(start_agent):
    agent = start_agent("--max-series", "100", "--workers", "1")
    feed(agent, *(f"visit:page{number}|c" for number in range(100)))
    send_datagrams(agent.address("udp"), b"late:3|c\nlate.gauge:1|g\nlate.timer:5|ms")
    ledger = agent.wait_for_ledger("udp", 103)
    assert ledger.refused == {"limit": 1} and ledger.holds()
    page = agent.scrape()
    assert page.value("late_total") is None and page.value("late_gauge") is None
    assert sum(value for (name, _), value in page.samples.items() if "other" in name and name.endswith("_total")) == 3
    agent.scrape(openmetrics=True)


def test_a_limit_of_one_metric_leaves_room_for_the_others(start_agent):
    agent = start_agent("--max-series-per-metric", "10", "--workers", "1")
    page = feed(agent, *(f"visit:page{number}|c" for number in range(50)), *(f"buy:promo{number}|c" for number in range(5)))
    assert page.total("visit_total") == 50 and page.value("visit_total", page="__other__") == 40
    assert page.total("buy_total") == 5 and page.value("buy_total", promotion="__other__") is None


def test_series_whose_labels_become_the_same_show_once_and_are_counted(agent):
    """An empty label is an absent one to Prometheus, and `.` becomes `_`."""
    lines = b"z:1|c|#a.b:1\nz:2|c|#a_b:1\ny:3|c\ny:4|c|#e:\nx:5|c|#e:,f:g"
    send_datagrams(agent.address("udp"), lines)
    agent.wait_for_line('z_total{a_b="1"} 1')
    page = agent.text().split("\n")
    assert [line for line in page if line.startswith(("x_total", "y_total", "z_total"))] == [
        'z_total{a_b="1"} 1',
        "y_total 3",
        'x_total{f="g"} 5',
    ]
    for metric in ("z", "y"):
        assert any(line.startswith(f'footfall_export_conflicts_total{{metric="{metric}"}} ') for line in agent.text().split("\n"))
    agent.scrape()
    agent.scrape(openmetrics=True)
