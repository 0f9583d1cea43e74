"""A running footfall: started with ports of the kernel's choice, asked over HTTP, ended by SIGTERM."""

import os
import re
import signal
import subprocess
import threading
from dataclasses import dataclass

import requests

from .exposition import Page
from .waiting import wait_for

KINDS = ("udp", "tcp", "http", "unix-datagram", "unix-stream")
LISTENING = re.compile(rf"\b({'|'.join(KINDS)})=(\S+)")
OPENMETRICS = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5"
STOP_SECONDS = 5.0


@dataclass(frozen=True)
class FinalLedger:
    """A listener's books as the last log lines of a run give them."""

    datagrams: int
    dropped: int
    lines: int
    accepted: int
    refused: int


class Agent:
    """One process of the program.

    Its first log line that has the word `listening` names what it is bound to: `udp=127.0.0.1:41234 http=…`, several of one kind
    with commas between. Its counts go with it, unless the flag --state-dir, or the variable, says where they are kept.
    """

    def __init__(self, command, directory, environment=None, descriptors=()):
        self.log = []
        self.bound = {}
        self._http = requests.Session()
        self._process = subprocess.Popen(
            [str(word) for word in command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env={"PATH": os.environ["PATH"], "HOME": str(directory), "FOOTFALL_STATE_DIR": "none", **(environment or {})},
            cwd=directory,
            pass_fds=descriptors,
        )
        self._reader = threading.Thread(target=self._read_log, daemon=True)
        self._reader.start()

    def wait_until_ready(self, seconds=10.0):
        def listening():
            line = next((line for line in self.log if re.search(r"\blistening\b", line)), None)
            if line is None and not self.is_running:
                self._reader.join()
                raise RuntimeError(f"the agent ended with {self._process.returncode} before it listened: {self.log}")
            return line

        for kind, addresses in LISTENING.findall(wait_for(listening, "a log line that names the listeners", seconds)):
            self.bound[kind] = addresses.strip('"').split(",")
        if "http" in self.bound:
            wait_for(self._is_ready, "/ready answers 200", seconds)
        return self

    @property
    def pid(self):
        return self._process.pid

    @property
    def is_running(self):
        return self._process.poll() is None

    def address(self, kind, which=0):
        """Host and port of a listener: `("127.0.0.1", 41234)`, `("::1", 41234)`."""
        host, _, port = self.bound[kind][which].rpartition(":")
        return host.strip("[]"), int(port)

    def path(self, kind, which=0):
        return self.bound[kind][which]

    def listener(self, kind, which=0):
        """The value of the label `listener`."""
        return f"{kind.partition('-')[0]}:{self.bound[kind][which]}"

    def url(self, path=""):
        return f"http://{self.bound['http'][0]}{path}"

    def get(self, path, **options):
        return self._http.get(self.url(path), timeout=30, **options)

    def text(self):
        """/metrics as it stands: for conditions that are polled."""
        return self.get("/metrics").text

    def scrape(self, openmetrics=False):
        """/metrics, held against every rule."""
        answer = self.get("/metrics", headers={"Accept": OPENMETRICS if openmetrics else "text/plain"})
        assert answer.status_code == 200, answer.text
        wanted = "application/openmetrics-text" if openmetrics else "text/plain"
        assert answer.headers["Content-Type"].startswith(wanted), answer.headers
        answer.encoding = "utf-8"
        return Page(answer.text, openmetrics)

    def stats(self, path="/stats", **parameters):
        answer = self.get(path, params=parameters)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def wait_for_line(self, exposition, seconds=10.0):
        """Waits until /metrics has this very line."""
        wait_for(lambda: exposition in self.text().split("\n"), f"/metrics has {exposition!r}", seconds)

    def wait_for_value(self, wanted, name, seconds=10.0, **labels):
        """Waits until a sample has this value; returns the page."""

        def holds():
            page = self.scrape()
            assert page.value(name, **labels) == wanted, (page.value(name, **labels), page.series(name))
            return page

        return wait_for(holds, f"{name}{labels} is {wanted}", seconds, every=0.05)

    def wait_for_ledger(self, kind, read, which=0, seconds=10.0):
        """Waits until a listener has read so many lines; returns its books."""

        def reached():
            ledger = self.scrape().ledger(self.listener(kind, which))
            assert ledger.read >= read, ledger
            return ledger

        return wait_for(reached, f"{kind} has read {read} lines", seconds, every=0.05)

    def signal(self, number):
        self._process.send_signal(number)

    def wait_for_log(self, pattern, seconds=10.0):
        return wait_for(lambda: next((line for line in self.log if re.search(pattern, line)), None), pattern, seconds)

    def stop(self, seconds=STOP_SECONDS):
        """SIGTERM; returns the exit status. An agent that does not end in time is killed, and the test fails."""
        if self.is_running:
            self.signal(signal.SIGTERM)
        return self.wait(seconds)

    def wait(self, seconds=STOP_SECONDS):
        try:
            status = self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"the agent did not end within {seconds} s: {self.log}") from None
        self._reader.join()
        self._http.close()
        return status

    def kill(self):
        self._process.kill()
        self._process.wait()
        self._reader.join()
        self._http.close()

    def final_ledgers(self):
        """The books in the log's last lines, by listener: `… ledger listener=udp:127.0.0.1:41234 datagrams=12 dropped=0 …`."""
        ledgers = {}
        for line in self.log:
            if not re.search(r"\bledger\b", line):
                continue
            fields = dict(re.findall(r'(\w+)="?([^\s"]+)', line))
            numbers = (int(fields.get(name, 0)) for name in FinalLedger.__dataclass_fields__)
            ledgers[fields["listener"]] = FinalLedger(*numbers)
        return ledgers

    def _is_ready(self):
        try:
            return self.get("/ready").status_code == 200
        except requests.ConnectionError:
            return False

    def _read_log(self):
        with self._process.stderr as stream:
            for line in stream:
                self.log.append(line.decode("utf-8", "backslashreplace").rstrip("\n"))

