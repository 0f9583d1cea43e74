"""A short soak, as Tests/Stress/soak.py makes it in length: reloads, kills and takeovers under load, and every line accounted for."""

from harness.soak import Soak


def test_reloads_kills_and_takeovers_under_load_lose_nothing_but_what_a_kill_may(program, tmp_path):
    soak = Soak(program, tmp_path, reload_every=2, disturb_every=5, settle=2)
    try:
        outcome = soak.run(12)
    finally:
        soak.end()
    print(outcome)
    assert outcome.kills >= 2 and outcome.takeovers >= 1 and outcome.reloads >= 4 and outcome.lines > 0
