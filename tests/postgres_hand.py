"""What a department's own program for ``command`` does: fence, confirm or rejoin a server by its folder.

``python postgres_hand.py FOLDER fence``. FOLDER holds ``node.json``: environ, arguments and user of start.sh.
"""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

FENCED, PID = "fenced", "pid"
PATIENCE = 20.0
"""Seconds for a clean stop. It sends a standby that listens the last byte; a kill does not."""


def start(folder: Path) -> None:
    """start.sh, detached; never while it is fenced, as a supervisor that is told to leave it off would not."""
    if (folder / FENCED).exists() or running(folder):
        return
    node = json.loads((folder / "node.json").read_text())
    identity = {"user": node["user"], "group": node["group"], "extra_groups": []} if node["user"] else {}
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(
            ["/bin/sh", str(folder / "start.sh"), *node["arguments"]], env=node["environ"], cwd=folder,
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, **identity,
        )  # fmt: skip
    (folder / PID).write_text(str(process.pid))


def running(folder: Path) -> list[int]:
    """Everything that was started there and has not ended: each works in that folder, or in the data within."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            there = entry.name.isdigit() and (entry / "cwd").readlink().is_relative_to(folder)
            if there and (entry / "stat").read_text().rpartition(")")[2].split()[0] != "Z":
                found.append(int(entry.name))
        except OSError:
            continue
    return found


def kill(folder: Path, how: int = signal.SIGKILL) -> None:
    """As when the power fails: all at once. Several rounds, since what is killed may just have forked."""
    while pids := running(folder):
        for pid in pids:
            try:
                os.kill(pid, how)
            except ProcessLookupError:
                continue
        time.sleep(0.02)


def stop(folder: Path) -> None:
    """Cleanly, which ends everybody's sessions; what does not obey is killed."""
    postmaster = int((folder / PID).read_text())
    if postmaster in running(folder):
        os.kill(postmaster, signal.SIGINT)
        ends = time.monotonic() + PATIENCE
        while running(folder) and time.monotonic() < ends:
            time.sleep(0.02)
    kill(folder)


def main(folder: Path, word: str) -> int:
    if word == "fence":
        (folder / FENCED).touch()
        stop(folder)
    elif word == "confirm":
        return int(bool(running(folder)) or not (folder / FENCED).exists())
    elif word == "start":
        start(folder)
    elif word == "rejoin":
        (folder / FENCED).unlink(missing_ok=True)
        start(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2]))
