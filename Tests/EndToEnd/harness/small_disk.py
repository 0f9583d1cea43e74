"""A file system of a few megabytes in a mount namespace of its own, to be filled up and freed again."""

import subprocess
from pathlib import Path


class SmallDisk:
    """A tmpfs on `path`, as long as the context lasts. Only programs that `command` starts see it under that path."""

    def __init__(self, path, size="2m"):
        self._inside = Path(path)
        self._size = size

    def __enter__(self):
        self._inside.mkdir(parents=True, exist_ok=True)
        # Says a word once it is mounted, then holds the namespace until its input ends.
        script = f"mount -t tmpfs -o size={self._size} footfall-test '{self._inside}' && echo up && exec cat"
        self._holder = subprocess.Popen(
            ["unshare", "--mount", "--propagation", "private", "sh", "-c", script],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._holder.stdout.readline() == "up\n", "no mount namespace: it needs root"
        return self

    def __exit__(self, *_):
        self._holder.communicate()

    @property
    def prefix(self):
        """What stands before a command that is to see it."""
        return ["nsenter", f"--mount=/proc/{self._holder.pid}/ns/mnt"]

    @property
    def path(self):
        """Where it is for those outside."""
        return Path(f"/proc/{self._holder.pid}/root{self._inside}")

    def fill(self):
        """Writes a file until nothing more goes in."""
        with open(self.path / "filler", "wb", buffering=0) as file:
            try:
                while file.write(b"\0" * 4096):
                    pass
            except OSError:
                return

    def free(self):
        (self.path / "filler").unlink()
