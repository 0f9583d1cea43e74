"""The checks that the other tests rely on must themselves be able to fail."""

import pytest

from harness.exposition import Page, PageFault
from harness.waiting import wait_for

HEAD = "# HELP visit_total Visits.\n# TYPE visit_total counter\n"
OTHER = "# HELP other Other.\n# TYPE other gauge\nother 1\n"
HISTOGRAM = "# HELP t Time.\n# TYPE t histogram\n"

FAULTY = {
    "no LF at the end": HEAD + "visit_total 1",
    "a CR": HEAD + "visit_total 1\r\n",
    "a blank line": HEAD + "\nvisit_total 1\n",
    "a duplicate series": HEAD + 'visit_total{a="1",b="2"} 1\nvisit_total{b="2",a="1"} 2\n',
    "a label twice": HEAD + 'visit_total{a="1",a="2"} 1\n',
    "a split family": HEAD + 'visit_total{a="1"} 1\n' + OTHER + HEAD + 'visit_total{a="2"} 1\n',
    "a sample without a family": "visit_total 1\n",
    "a second TYPE": HEAD + "# TYPE visit_total counter\nvisit_total 1\n",
    "a TYPE after its samples": "# HELP a A.\n# TYPE b gauge\na 1\n",
    "no HELP": "# TYPE visit_total counter\nvisit_total 1\n",
    "an escape that does not exist": HEAD + 'visit_total{a="\\q"} 1\n',
    "a histogram without +Inf": HISTOGRAM + 't_bucket{le="1"} 1\nt_sum 1\nt_count 1\n',
    "a histogram whose +Inf is not its count": HISTOGRAM + 't_bucket{le="+Inf"} 1\nt_sum 1\nt_count 2\n',
    "a histogram that falls": HISTOGRAM + 't_bucket{le="1"} 3\nt_bucket{le="+Inf"} 2\nt_sum 1\nt_count 2\n',
}


@pytest.mark.parametrize("page", FAULTY.values(), ids=FAULTY.keys())
def test_a_faulty_page_is_refused(page):
    with pytest.raises(PageFault):
        Page(page)


def test_a_good_page_is_read():
    page = Page(HEAD + 'visit_total{page="a\\"b\\\\c\\nd"} 3\n' + OTHER)
    assert page.value("visit_total", page='a"b\\c\nd') == 3
    assert page.total("other") == 1


def test_openmetrics_needs_its_end_and_drops_the_suffix_from_the_family():
    good = '# TYPE visit counter\n# HELP visit Visits.\nvisit_total{page="a"} 3\n# EOF\n'
    assert Page(good, openmetrics=True).value("visit_total", page="a") == 3
    with pytest.raises(PageFault):
        Page(good.removesuffix("# EOF\n"), openmetrics=True)


def test_a_wait_ends_with_the_last_answer():
    with pytest.raises(AssertionError, match="the moon.*half"):
        wait_for(_never, "the moon", seconds=0.05)


def _never():
    raise AssertionError("half")
