"""`/stats` asked while datagrams come, as Tests/Stress/stats_under_load.py does it in length: here only that the books hold."""

from harness.stats_under_load import feed, run_window


def test_windows_with_and_without_questions_account_for_every_datagram(agent):
    feed(agent, 20_000)
    for path in (None, "/stats"):
        window = run_window(agent, (20_000, 1_000, 20_000), seconds=1, seed=1, path=path)
        assert window.sent == 250 and window.received + window.dropped == window.sent, window
        assert bool(window.milliseconds) == bool(path)
    assert agent.stats()["total_visits"] >= 20_000
