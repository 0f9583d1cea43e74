"""Runs the commands of a README.

A fenced block whose info string begins with `sh run` is run by bash, from the root of the repository, in the order of the text:

    ```sh run              must succeed
    ```sh run background   stays running; the next one begins once http://127.0.0.1:8080/ready answers
    ```text output         what the block before it prints: each line must stand in its output. Such a block must only read, for it is
                           run again until it does, for five seconds at most

`swift run -c release footfall` runs the program under test instead: what it is was built with the flags of Tests/run.
"""

import os
import re
import signal
import subprocess

from .waiting import wait_for

BLOCK = re.compile(r"^```(sh run(?: background)?|text output)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SWIFT = '#!/bin/sh\n[ "$1 $2 $3 $4" = "run -c release footfall" ] || exit 64\nshift 4\nexec "{program}" "$@"\n'


def read_blocks(text):
    """(info string, commands, wanted output or None), in order."""
    blocks = []
    for info, body in BLOCK.findall(text):
        if info == "text output":
            kind, commands, _ = blocks.pop()
            blocks.append((kind, commands, body.splitlines()))
        else:
            blocks.append((info, body, None))
    return blocks


def run_blocks(blocks, network, program, root, directory):
    """`directory` takes the stand-in for `swift`."""
    swift = directory / "swift"
    swift.write_text(SWIFT.format(program=program))
    swift.chmod(0o755)
    background = []
    try:
        for kind, commands, wanted in blocks:
            words = network.command("env", f"HOME={directory}", "bash", "-euo", "pipefail", "-c", f"PATH={directory}:$PATH\n{commands}")
            if kind.endswith("background"):
                background.append(subprocess.Popen(words, cwd=root, stderr=subprocess.DEVNULL, start_new_session=True))
                network.wait_until_ready()
                continue

            def runs(words=words, commands=commands, wanted=wanted):
                ended = subprocess.run(words, cwd=root, capture_output=True, text=True, timeout=60)
                assert ended.returncode == 0, (commands, ended)
                missing = [line for line in wanted or [] if line not in ended.stdout]
                assert not missing, (commands, missing, ended.stdout)
                return True

            wait_for(runs, "what the README shows", seconds=5) if wanted else runs()
    finally:
        for process in background:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(10)
