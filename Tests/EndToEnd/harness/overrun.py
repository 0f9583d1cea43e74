"""More datagrams than a small receive buffer takes."""

from .sending import udp_to
from .waiting import wait_for

OPTIONS = ("--receive-buffer", "4KiB", "--workers", "1")


def overrun(agent, burst, most):
    """Calls `burst(sender)`, which sends `visit:page1|c` and returns how often, until the kernel drops; received + dropped = sent each time."""
    listener, sent, dropped = agent.listener("udp"), 0, 0
    with udp_to(agent.address("udp")) as sender:
        while not dropped:
            sent += burst(sender)

            def books_close():
                ledger = agent.scrape().ledger(listener)
                assert ledger.datagrams + ledger.dropped == sent, (ledger, sent)
                return ledger

            ledger = wait_for(books_close, "received + dropped = sent", every=0.05)
            assert ledger.holds() and ledger.accepted == ledger.datagrams
            dropped = ledger.dropped
            assert sent < most, "4 KiB of buffer and no drop"
    assert agent.scrape().value("visit_total", page="page1") == ledger.accepted
