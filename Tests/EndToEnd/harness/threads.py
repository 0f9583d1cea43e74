"""Threads of another process, and one of them stopped while the others go on: ptrace(2) stops a thread, a signal the whole process."""

import contextlib
import ctypes
import os
from pathlib import Path

from .waiting import wait_for

PTRACE_SEIZE, PTRACE_INTERRUPT, PTRACE_DETACH = 0x4206, 0x4207, 17
WALL = 0x40000000  # __WALL of waitpid(2): threads too


def thread_of(process, name):
    """The number of the thread with this name."""

    def find():
        for task in Path(f"/proc/{process}/task").iterdir():
            if (task / "comm").read_text().strip() == name:
                return int(task.name)
        return None

    return wait_for(find, f"process {process} has a thread {name}")


@contextlib.contextmanager
def stopped_thread(process, name):
    """Holds the thread still for as long as the block lasts."""
    thread = thread_of(process, name)
    library = ctypes.CDLL(None, use_errno=True)

    def trace(request):
        status = library.ptrace(ctypes.c_long(request), ctypes.c_long(thread), None, None)
        if status < 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))

    trace(PTRACE_SEIZE)
    try:
        trace(PTRACE_INTERRUPT)
        os.waitpid(thread, WALL)
        yield
    finally:
        trace(PTRACE_DETACH)
