"""Waiting for a condition, never for a time."""

import time


def wait_for(condition, what, seconds=10.0, every=0.01):
    """Calls `condition` until it answers something true, and returns that.

    An AssertionError of the condition itself counts as "not yet", so that a test can wait for what it would otherwise assert.
    After `seconds` it fails with `what` and the condition's last answer.
    """
    deadline = time.monotonic() + seconds
    while True:
        try:
            answer = condition()
            if answer:
                return answer
        except AssertionError as fault:
            answer = fault
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {seconds} s; last answer: {answer!r}")
        time.sleep(every)
