"""What a sampled timer costs: the processor time that an agent spends on a load of `a:1|ms`, and of `a:1|ms|@0.000001`."""

import statistics
from dataclasses import dataclass
from pathlib import Path

from .sending import udp_to

LINES_PER_DATAGRAM = 50
WINDOW_DATAGRAMS = 500


@dataclass
class Costs:
    """Nanoseconds of processor time a line: medians."""

    plain: float
    sampled: float

    @property
    def ratio(self):
        return self.sampled / self.plain

    def __str__(self):
        return f"a:1|ms {self.plain:.0f} ns, a:1|ms|@0.000001 {self.sampled:.0f} ns a line: ratio {self.ratio:.2f}"


def compare_rates(agent, lines, rounds=5):
    """Both loads in turn, about so many lines each, `rounds` times; system time and scrapes are in both."""
    windows = max(1, lines // (LINES_PER_DATAGRAM * WINDOW_DATAGRAMS))
    spent = {b"a:1|ms": [], b"a:1|ms|@0.000001": []}
    sent = 0
    for _ in range(rounds):
        for line, costs in spent.items():
            payload = b"\n".join([line] * LINES_PER_DATAGRAM)
            before = processor_nanoseconds(agent.pid)
            with udp_to(agent.address("udp")) as sender:
                for _ in range(windows):
                    for _ in range(WINDOW_DATAGRAMS):
                        sender.send(payload)
                    sent += WINDOW_DATAGRAMS
                    agent.wait_for_value(sent, "footfall_datagrams_received_total", listener=agent.listener("udp"))
            costs.append((processor_nanoseconds(agent.pid) - before) / (windows * WINDOW_DATAGRAMS * LINES_PER_DATAGRAM))
    return Costs(*(statistics.median(costs) for costs in spent.values()))


def processor_nanoseconds(pid):
    """What all threads of the process have run: the first field of schedstat (Documentation/scheduler/sched-stats.rst)."""
    return sum(int(stat.read_text().split()[0]) for stat in Path(f"/proc/{pid}/task").glob("*/schedstat"))
