"""The dashboard, as a browser shows it: live numbers, charts, losses, in both themes and on narrow screens."""

import re
import signal
import subprocess
from pathlib import Path

import pytest

from harness.browser import NARROW, WIDE
from harness.sending import send_datagrams, send_stream
from harness.waiting import wait_for

PAGES = Path(__file__).resolve().parents[2] / "Sources/Assets/pages"
THEMES = ["light", "dark"]


@pytest.fixture
def host(agent):
    return agent.bound["http"][0]


def feed(agent):
    """Something of everything that the page shows."""
    lines = [f"visit:/shop/{page}:{100 - 9 * page}|c" for page in range(10)]
    lines += [f"buy:promotion-{number}:{number + 1}|c" for number in range(4)]
    lines += [f"render:{value}|ms|#route:{route}" for value in range(10, 200, 3) for route in ("home", "shop")]
    lines += [f"visit_users:user{number}|s|#page:/shop/1" for number in range(40)] + ["queue:12|g", "visit:nan|c", "x:1|zz"]
    send_datagrams(agent.address("udp"), *("\n".join(lines[at : at + 50]).encode() for at in range(0, len(lines), 50)))


def number(text):
    return float(re.sub(r"[^\d.]", "", text) or "nan")


def total(browser):
    return number(browser.text(".hero p b"))


def test_the_first_visit_shows_within_moments_and_without_a_reload(agent, browser, host):
    browser.open(agent.url("/"))
    browser.wait_for_text(".welcome code", "nc -u")
    browser.run("window.isTheSamePage = true")
    command = browser.text(".welcome .command code")
    assert command == 'echo "visit:page1|c" | nc -u -q0 {} {}'.format(*agent.address("udp"))
    subprocess.run(["bash", "-c", command], check=True)
    wait_for(lambda: total(browser) == 1, "the visit is on the page", 2.0)
    browser.wait_for_text("[data-tile=lines]", "1 series of 1 metric")
    browser.wait_for_text(".top li a", "page1")
    send_datagrams(agent.address("udp"), b"visit:page1:41|c")
    wait_for(lambda: total(browser) == 42, "and those that follow", 2.0)
    assert browser.run("return window.isTheSamePage && !document.querySelector('.welcome')?.checkVisibility()")
    browser.assert_clean(host)


def test_charts_are_drawn(agent, browser, host):
    browser.open(agent.url("/"))
    feed(agent)
    wait_for(lambda: total(browser) > 0, "visits are counted")
    feed(agent)
    wait_for(lambda: total(browser) == 1190, "all visits are counted")
    # A line through at least a minute of seconds, which is not flat.
    browser.wait_for("""const d = document.querySelector('.hero .stroke')?.getAttribute('d') ?? '';
        return d.split('L').length >= 60 && new Set(d.match(/ [\\d.]+/g)).size > 1""", "the line of the seconds")
    for name in ("minute, the last hour", "hour, the last day", "hour, the last week"):
        bars = browser.run("return [...document.querySelectorAll(`[aria-label='Visits by ${arguments[0]}'] .bar`)].map(e => e.getBBox().height)", name)
        assert bars and max(bars) > 20, name
    browser.wait_for("return document.querySelectorAll('.top .spark .stroke[d^=M]').length >= 10", "the sparklines")
    browser.wait_for("return document.querySelectorAll('.timer .band-1, .timer .band-2').length >= 2", "the bands of the timer")
    axis = browser.run("return [...document.querySelectorAll('.hero .rule text')].map(e => e.textContent)")
    assert axis[0] == "0" and len(axis) >= 3
    assert len(browser.run("return [...document.querySelectorAll('.hero .time')]")) >= 2
    rows = "return [...document.querySelectorAll('.top:not(.buy) li')].map(e => [e.querySelector('a').textContent, e.querySelector('.recent').textContent])"
    wanted = [[f"/shop/{page}", str(2 * (100 - 9 * page))] for page in range(10)]
    wait_for(lambda: browser.run(rows) == wanted, f"the top pages, not {browser.run(rows)}")
    assert browser.text(".top.buy li a") == "promotion-3"
    browser.assert_clean(host)


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_the_page_fits_and_nothing_is_cut_off(agent, browser, host, width, theme):
    browser.open(agent.url("/"), width, theme)
    browser.wait_for_text(".welcome code", "nc -u")
    assert browser.overflow <= 0 and browser.cut == []
    browser.picture(f"dashboard-empty-{theme}-{width}")
    feed(agent)
    browser.wait_for("return document.querySelectorAll('.timer .stroke').length > 0 && document.querySelectorAll('.top.buy li').length === 4",
                     "everything is drawn", 15)
    assert browser.overflow <= 0 and browser.cut == []
    browser.picture(f"dashboard-{theme}-{width}")
    for name, address in (("metric", "#/metric/visit"), ("page", "#/metric/visit?match=page%3A%2Fshop%2F1"), ("timer", "#/metric/render")):
        browser.run("location.hash = arguments[0]", address)
        browser.wait_for("return document.querySelectorAll('.over-time .chart, .top.plain li').length > 1", f"the view of the {name}")
        assert browser.overflow <= 0 and browser.cut == [], name
        browser.picture(f"dashboard-{name}-{theme}-{width}")
    browser.assert_clean(host)


@pytest.mark.parametrize("theme", THEMES)
def test_the_theme_is_the_systems_until_another_is_chosen(agent, browser, theme):
    other = THEMES[1 - THEMES.index(theme)]
    shown = "return [document.documentElement.dataset.theme, getComputedStyle(document.body).backgroundColor]"
    browser.open(agent.url("/"), theme=theme)
    (name, colour), button = browser.run(shown), browser.find("[data-toggle-theme]")
    assert name == theme
    button.click()
    assert browser.run(shown)[0] == other and browser.run(shown)[1] != colour
    browser.driver.refresh()
    assert browser.run(shown)[0] == other
    browser.find("[data-toggle-theme]").click()
    assert browser.run(shown) == [theme, colour] and browser.run("return localStorage.length") == 0


def test_text_has_contrast_enough_in_both_themes():
    """WCAG 2.2, 1.4.3: at least 4.5 to 1."""
    css = (PAGES / "base.css").read_text()
    light, dark = (dict(re.findall(r"--([\w-]+): (#\w{6});", block)) for block in re.findall(r":root[^{]*\{(.*?)\}", css, re.S))

    def luminance(colour):
        parts = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
        red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    def contrast(one, other):
        bright, dim = sorted((luminance(one), luminance(other)), reverse=True)
        return (bright + 0.05) / (dim + 0.05)

    pairs = [(ink, ground) for ink in ("ink", "ink-2", "ink-3", "accent", "warn", "bad", "good", "buy", "timer") for ground in ("ground", "surface")]
    pairs += [("ink", "sunken"), ("ink-2", "sunken"), ("ink", "accent-soft"), ("accent", "accent-soft"), ("buy", "buy-soft"), ("timer", "timer-2"),
              ("bad", "bad-soft"), ("ink-2", "bad-soft")]
    for theme in (light, dark):
        assert len(theme) >= 20
        assert {pair: contrast(theme[pair[0]], theme[pair[1]]) for pair in pairs if contrast(theme[pair[0]], theme[pair[1]]) < 4.5} == {}


def test_losses_are_in_plain_sight_and_the_page_says_what_mends_them(start_agent, browser):
    agent = start_agent("--receive-buffer", "4KiB", "--workers", "1")
    browser.open(agent.url("/"))
    browser.wait_for_text(".state", "Live")
    assert browser.all(".alarm") == [] and browser.text(".verdict") == "Nothing lost, nothing refused"
    calm = browser.run("return getComputedStyle(document.querySelector('[data-entry=dropped] dd')).color")
    agent.signal(signal.SIGSTOP)
    try:
        send_datagrams(agent.address("udp"), *[b"visit:page1|c"] * 200)
    finally:
        agent.signal(signal.SIGCONT)
    browser.wait_for_text(".alarm", "lost in the kernel")
    dropped = agent.stats()["ledger"]["datagrams_dropped"]
    assert dropped > 0 and number(browser.text(".alarm strong")) == dropped == number(browser.text("[data-entry=dropped] dd"))
    assert browser.text(".alarm .command code") == "sysctl -w net.core.rmem_max=33554432"
    assert browser.text(".verdict") == "Datagrams were lost"
    red = browser.run("return getComputedStyle(document.querySelector('[data-entry=dropped] dd')).color")
    assert red != calm and red == browser.run("return getComputedStyle(document.querySelector('.alarm strong')).color")
    # What the kernel still held is read after what it dropped is known.
    wait_for(lambda: number(browser.text("[data-entry=received] dd")) + dropped == 200, "received and lost are what was sent")
    for theme in THEMES:
        browser.run("document.documentElement.dataset.theme = arguments[0]", theme)
        browser.picture(f"dashboard-losses-{theme}")
    browser.assert_clean(agent.bound["http"][0])


def test_refused_lines_are_told_by_reason_with_their_senders(agent, browser):
    browser.open(agent.url("/"))
    send_datagrams(agent.address("udp"), b"visit:a|c\nvisit:nan|c\nqueue:1|zz\nqueue:2|zz")
    browser.wait_for_text("[data-entry=refused] dd", "3")
    assert browser.run("return [...document.querySelectorAll('.reasons li')].map(e => e.querySelector('b').textContent + ' ' + e.querySelector('code').textContent)") == [
        "2 bad_type", "1 bad_value"]
    browser.wait_for_text(".refused-lines", "queue:1|zz", 20)
    assert "bad_type at byte 8 · from 127.0.0.1" in browser.text(".refused-lines")


def test_a_metric_has_a_view_of_its_own(agent, browser, host):
    feed(agent)
    agent.wait_for_line('visit_total{page="/shop/0"} 100')
    browser.open(agent.url("/#/metric/visit?match=page:/shop/1"))
    browser.wait_for_text("h1", "/shop/1")
    browser.wait_for("return document.querySelectorAll('.top.plain li').length === 1", "its one series")
    assert "91" in browser.text(".figures")
    assert browser.driver.title == "visit · Footfall"
    browser.find(".crumbs a:last-of-type").click()
    browser.wait_for("return document.querySelectorAll('.top.plain li').length === 10", "all series")
    browser.find("#match").send_keys("page:/shop/?\n")
    browser.wait_for_text("h1", "/shop/?")
    browser.wait_for("return document.querySelectorAll('.top.plain li').length === 10", "all that match")
    browser.run("location.hash = '#/metric/render'")
    browser.wait_for_text(".quantiles", "p99")
    browser.run("location.hash = '#/metric/visit_users'")
    browser.wait_for_text(".figures", "distinct")
    browser.find(".ranges a:last-of-type").click()
    browser.wait_for("return document.querySelector('.ranges [aria-current]').textContent === '1 week'", "the week")
    browser.assert_clean(host)
    browser.run("location.hash = '#/metric/never'")
    browser.wait_for("return !document.querySelector('.missing').hidden", "a metric that there is not")


def test_the_page_is_walked_by_keyboard(agent, browser):
    feed(agent)
    browser.open(agent.url("/"))
    wait_for(lambda: total(browser) > 0, "visits are counted")
    focused = "return document.activeElement.className || document.activeElement.id || document.activeElement.textContent"
    body = browser.find("body")
    body.send_keys("\t")
    assert browser.run(focused) == "skip"
    seen = set()
    for _ in range(60):
        browser.driver.switch_to.active_element.send_keys("\t")
        seen.add(browser.run(focused))
    assert {"brand", "icon-button", "more"} <= seen and any("chart" in one for one in seen) and "/shop/0" in seen
    chart = browser.find(".hero .chart")
    chart.send_keys("")
    # Left from the end: the newest second first.
    chart.send_keys("\ue012")
    browser.wait_for_text(".hero .tip", ":")
    told = browser.text(".hero [role=status]")
    assert re.fullmatch(r"[\d.,]+ \d\d:\d\d:\d\d", told), told
    chart.send_keys("\ue012")
    assert browser.text(".hero [role=status]") not in ("", told)
    chart.send_keys("\ue00c")
    assert browser.run("return document.querySelector('.hero .tip').hidden")


def test_names_are_shown_as_they_are_whatever_they_hold(agent, browser, host):
    hostile = ['<img src=x onerror="document.title=1">', "/" + "long" * 120, "ein Käse ☕ %2F", "*?[a]", "</script><b>", "a&amp;b"]
    for theme, width in (("light", WIDE), ("dark", NARROW)):
        send_stream(agent.address("tcp"), "".join(f"visit:1|c|#page:{name}\n" for name in hostile).encode())
        browser.open(agent.url("/"), width, theme)
        browser.wait_for("return document.querySelectorAll('.top li').length >= 6", "all pages")
        shown = browser.run("return [...document.querySelectorAll('.top:not(.buy) li a')].map(e => e.textContent)")
        assert sorted(shown) == sorted(hostile)
        assert browser.overflow <= 0 and browser.cut == [] and browser.all("main img, main b > b") == []
        browser.run("[...document.querySelectorAll('.top a')].find(e => e.textContent.startsWith('/long')).click()")
        browser.wait_for("return document.querySelectorAll('.top.plain li').length === 1", "the one that was clicked")
        assert browser.overflow <= 0 and browser.cut == []
        browser.assert_clean(host)


def test_a_hundred_thousand_series_are_asked_for_by_their_top(agent, browser, host):
    lines = [f"visit:/page/{number}:{number % 7 + 1}|c" for number in range(100_000)]
    send_stream(agent.address("tcp"), "\n".join([*lines, "visit:/best:900|c"]).encode())
    agent.wait_for_line('visit_total{page="/best"} 900', 30)
    browser.open(agent.url("/"))
    browser.wait_for_text(".top li a", "/best")
    browser.wait_for_text("[data-tile=lines]", "100,001 series")
    assert browser.run("return document.querySelectorAll('*').length") < 3_000
    assert browser.run("return Math.max(...performance.getEntriesByType('resource').map(e => e.decodedBodySize))") < 100_000
    browser.assert_clean(host)


def test_the_page_comes_back_when_the_program_does(start_agent, browser, free_port):
    address = f"127.0.0.1:{free_port()}"
    agent = start_agent("--http", address)
    browser.open(agent.url("/"))
    send_datagrams(agent.address("udp"), b"visit:a:7|c")
    wait_for(lambda: total(browser) == 7, "visits are counted")
    assert agent.stop() == 0
    browser.wait_for_text(".state", "Reconnecting")
    agent = start_agent("--http", address)
    send_datagrams(agent.address("udp"), b"visit:a:3|c")
    wait_for(lambda: browser.text(".state").startswith("Live") and total(browser) >= 3, "the page is live again", 15)
