"""A network of one's own: the default ports are free in it, whatever else runs on the machine."""

import subprocess

from .waiting import wait_for


class OwnNetwork:
    """A network namespace with nothing but its loopback, as long as the context lasts. Programs in it share the file system."""

    def __enter__(self):
        # Says a word once the loopback is up, then holds the namespace until its input ends.
        script = "ip link set lo up && echo up && exec cat"
        self._holder = subprocess.Popen(
            ["unshare", "--net", "sh", "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._holder.stdout.readline() == "up\n", "no network namespace: it needs root and iproute2"
        return self

    def __exit__(self, *_):
        self._holder.communicate()

    def command(self, *words):
        """The same command, run inside."""
        return ["nsenter", f"--net=/proc/{self._holder.pid}/ns/net", *words]

    def run(self, *words, **options):
        options = {"capture_output": True, "text": True, "timeout": 60, **options}
        return subprocess.run(self.command(*words), **options)

    def curl(self, path):
        return self.run("curl", "-sS", "--fail", f"http://127.0.0.1:8080{path}").stdout

    def wait_until_ready(self):
        wait_for(lambda: self.run("curl", "-s", "--fail", "http://127.0.0.1:8080/ready").returncode == 0, "/ready on 8080")
