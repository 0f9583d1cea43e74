"""What the long runs share: the tests' harness, the option that names the program, and an agent that ends with the run."""

import argparse
import contextlib
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "Tests/EndToEnd"))

from harness.agent import Agent  # noqa: E402
from harness.place import FREE, listening_at  # noqa: E402
from harness.stores import KINDS  # noqa: E402


def options(document):
    """A parser whose help is the script's own description, with --program."""
    parser = argparse.ArgumentParser(description=document, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", type=lambda path: Path(path).resolve(), default=ROOT / ".build/release/footfall")
    return parser


def sharing_options(document, interval):
    """The same, with what runs of agents that share a store have in common."""
    parser = options(document)
    parser.add_argument("--store", choices=KINDS, action="append")
    parser.add_argument("--agents", type=int, default=3)
    parser.add_argument("--interval", type=float, default=interval, help="seconds between two writes to Redis")
    parser.add_argument("--pages", type=int, default=1_000)
    return parser


@contextlib.contextmanager
def running(program, *flags):
    """An agent on ports of the kernel's choice, which must end with 0."""
    with tempfile.TemporaryDirectory() as directory:
        agent = Agent([program, "serve", *listening_at(FREE), *flags], directory).wait_until_ready()
        try:
            yield agent
            assert agent.stop() == 0, agent.log
        finally:
            if agent.is_running:
                agent.kill()
