"""systemd's part, played by the test: sockets bound beforehand, a notify socket, a descriptor store that outlives the program."""

import array
import os
import socket
import sys
import threading

from .agent import Agent
from .waiting import wait_for

# The manager's variables name the process that they are for, which only the process itself knows.
LAUNCHER = """
import fcntl, os, sys
given = [fcntl.fcntl(int(word), fcntl.F_DUPFD_CLOEXEC, 1000) for word in sys.argv[1].split(",") if word]
for place, descriptor in enumerate(given):
    os.dup2(descriptor, 3 + place, inheritable=True)
os.closerange(3 + len(given), 1000)
os.environ["LISTEN_PID"] = str(os.getpid())
os.execv(sys.argv[2], sys.argv[2:])
"""


class Manager:
    """Keeps what it is given from one start of the program to the next.

    `messages` are the datagrams that came, each as a list of its lines.
    """

    def __init__(self, directory, room=512):
        self.directory = directory
        self.room = room
        self.messages = []
        self.stored = []
        self.bound = []
        self._path = str(directory / "notify.sock")
        self._notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._notify.bind(self._path)
        self._lock = threading.Lock()
        threading.Thread(target=self._listen, daemon=True).start()

    def bind(self, name, kind, address, count=1):
        """A socket unit's sockets: several share their address."""
        for _ in range(count):
            family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
            bound = socket.socket(family, kind)
            if family != socket.AF_UNIX:
                bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
                if kind == socket.SOCK_DGRAM:
                    bound.setsockopt(socket.SOL_SOCKET, 33, 64 << 20)  # SO_RCVBUFFORCE
            bound.bind(address)
            if kind == socket.SOCK_STREAM:
                bound.listen(4096)
            address = bound.getsockname()
            self.bound.append((name, bound))
        return address

    def start(self, program, *flags, environment=None, wait=True):
        """The program with what its socket units bound and what the store holds."""
        given = [(name, bound.fileno()) for name, bound in self.bound] + self.stored
        descriptors = [descriptor for _, descriptor in given]
        variables = {
            "NOTIFY_SOCKET": self._path,
            "FDSTORE": str(self.room),
            "LISTEN_FDS": str(len(given)),
            "LISTEN_FDNAMES": ":".join(name for name, _ in given),
            **(environment or {}),
        }
        command = [sys.executable, "-S", "-E", "-c", LAUNCHER, ",".join(map(str, descriptors)), program, "serve", *flags]
        agent = Agent(command, self.directory, variables, descriptors)
        return agent.wait_until_ready() if wait else agent

    def names(self):
        return [name for name, _ in self.stored]

    def wait_for_message(self, line, after=0, seconds=10):
        """Waits for a message with this line, and answers its place."""

        def place():
            return next((at + 1 for at, lines in enumerate(self.messages) if at >= after and line in lines), None)

        return wait_for(place, f"the manager is told {line}", seconds) - 1

    def close(self):
        self._notify.close()
        for _, descriptor in self.stored:
            os.close(descriptor)
        for _, bound in self.bound:
            bound.close()

    def _listen(self):
        while True:
            try:
                data, ancillary, _, _ = self._notify.recvmsg(65536, socket.CMSG_SPACE(256 * 4))
            except OSError:
                return
            if not data:
                return
            descriptors = array.array("i")
            for level, kind, content in ancillary:
                if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
                    descriptors.frombytes(content)
            self._take(data.decode().rstrip("\n").split("\n"), list(descriptors))

    def _take(self, lines, descriptors):
        with self._lock:
            name = next((line[7:] for line in lines if line.startswith("FDNAME=")), "stored")
            if "FDSTORE=1" in lines:
                for descriptor in descriptors:
                    if len(self.stored) < self.room:
                        self.stored.append((name, descriptor))
                    else:
                        os.close(descriptor)
            else:
                # BARRIER=1 waits for its descriptor to be closed.
                for descriptor in descriptors:
                    os.close(descriptor)
            if "FDSTOREREMOVE=1" in lines:
                for kept, descriptor in self.stored:
                    if kept == name:
                        os.close(descriptor)
                self.stored = [entry for entry in self.stored if entry[0] != name]
            self.messages.append(lines)
