"""Other servers that answer what Footfall answers: nginx with a fixed body, and the visit tracker of Tests/peers under uvicorn."""

import contextlib
import hashlib
import shutil
import subprocess
import venv
from pathlib import Path

import requests

from .waiting import wait_for

ROOT = Path(__file__).resolve().parents[3]
PEERS = ROOT / "Tests/peers"
ENVIRONMENT = ROOT / ".build/peers"
START_SECONDS = 30.0

# One worker that answers from memory: no log, no file, no connection closed for having asked enough.
NGINX = """
daemon off; worker_processes 1; pid {directory}/nginx.pid; error_log stderr;
events {{ worker_connections 1024; }}
http {{
  access_log off; default_type application/json; keepalive_requests 1000000000; client_body_temp_path {directory}/body;
  proxy_temp_path {directory}/proxy; fastcgi_temp_path {directory}/fastcgi;
  uwsgi_temp_path {directory}/uwsgi; scgi_temp_path {directory}/scgi;
  server {{
    listen 127.0.0.1:{port};
    location = /visit {{ return 200 '{{"visits": 5}}'; }}
    location = /stats {{ return 200 '{{"uptime_seconds": 120.5, "total_visits": 5, "current_time": "2025-07-22T01:00:00.123Z"}}'; }}
  }}
}}
"""


def install_peers():
    """The Python of an environment that has what the peers need: made where it is missing or its list of requirements has changed."""
    requirements = PEERS / "requirements.txt"
    wanted = hashlib.sha256(requirements.read_bytes()).hexdigest()
    python, mark = ENVIRONMENT / "bin/python", ENVIRONMENT / "requirements.sha256"
    if not mark.is_file() or mark.read_text() != wanted:
        shutil.rmtree(ENVIRONMENT, ignore_errors=True)
        venv.create(ENVIRONMENT, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "-q", "--disable-pip-version-check", "-r", requirements], check=True)
        mark.write_text(wanted)
    return python


def running_nginx(port, directory, prefix=()):
    """One worker of nginx with a fixed body for each route."""
    configuration = Path(directory) / "nginx.conf"
    configuration.write_text(NGINX.format(directory=directory, port=port))
    return running([*prefix, "nginx", "-p", directory, "-c", configuration, "-e", "stderr"], port)


def running_tracker(port, workers, prefix=()):
    """The visit tracker, served by so many workers of uvicorn without a log of what is asked."""
    options = ["--port", port, "--workers", workers, "--log-level", "warning", "--no-access-log"]
    return running([*prefix, install_peers(), "-m", "uvicorn", "--app-dir", PEERS, "visit_tracker:app", *options], port)


@contextlib.contextmanager
def running(command, port):
    """A server that answers `/stats` on this port; its process, until the block is left."""
    process = subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL)

    def answers():
        if process.poll() is not None:
            raise RuntimeError(f"{command} ended with {process.returncode}")
        try:
            return requests.get(f"http://127.0.0.1:{port}/stats", timeout=5).status_code == 200
        except requests.ConnectionError:
            return False

    try:
        wait_for(answers, f"{command} answers", START_SECONDS, every=0.05)
        yield process
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
