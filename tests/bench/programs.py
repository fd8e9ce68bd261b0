"""Programs under measurement: started, heard, measured from /proc, stopped."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from tests.bench.common import BrokenError

ROOT = Path(__file__).parents[2]
STOPPING = 15.0
TICK = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Usage:
    """Resident bytes and CPU seconds so far, of a process and its children."""

    resident: int
    cpu: float


class Program:
    """A process. ``began``: on the monotonic clock. Every line it says is kept with the time it came."""

    def __init__(self, *command: str, cwd: Path, stdin: bool = False) -> None:
        self._name = shlex.join(command)
        self._lines: list[tuple[float, str]] = []
        self._news = threading.Condition()
        self.began = time.monotonic()
        self._process = subprocess.Popen(
            command, cwd=cwd, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE if stdin else subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        self._hearing = [threading.Thread(target=self._hear, args=(pipe,), daemon=True) for pipe in self._pipes()]
        for thread in self._hearing:
            thread.start()

    def _pipes(self) -> Iterator[IO[str]]:
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        yield self._process.stdout
        yield self._process.stderr

    def _hear(self, pipe: IO[str]) -> None:
        for line in pipe:
            with self._news:
                self._lines.append((time.monotonic(), line.rstrip()))
                self._news.notify_all()

    def line(self, containing: str, within: float) -> tuple[float, str]:
        """The first line with *containing*, and when it came. BrokenError: none came."""
        until = time.monotonic() + within
        with self._news:
            while True:
                for at, line in self._lines:
                    if containing in line:
                        return at, line
                left = until - time.monotonic()
                if left <= 0 or self._process.poll() is not None:
                    raise BrokenError(f"{self._name} never said {containing!r}: {self.said()}")
                self._news.wait(min(left, 0.2))

    def said(self) -> str:
        """The last lines."""
        return "\n".join(line for _, line in self._lines[-15:])

    def count(self, containing: str) -> int:
        """How many lines hold *containing*."""
        with self._news:
            return sum(containing in line for _, line in self._lines)

    def tell(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def result(self, within: float) -> Any:
        """Wait for its end and read its last line as JSON. BrokenError: it failed."""
        try:
            status = self._process.wait(within)
        except subprocess.TimeoutExpired as error:
            raise BrokenError(f"{self._name} did not end in {within} s: {self.said()}") from error
        for thread in self._hearing:
            thread.join(5)
        if status:
            raise BrokenError(f"{self._name} failed: {self.said()}")
        return json.loads(self._lines[-1][1])

    def usage(self) -> Usage:
        """BrokenError: it is gone."""
        try:
            parts = [_usage(pid) for pid in _family(self._process.pid)]
        except FileNotFoundError as error:
            raise BrokenError(f"{self._name} is gone: {self.said()}") from error
        return Usage(sum(part.resident for part in parts), sum(part.cpu for part in parts))

    def stop(self) -> None:
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(STOPPING)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()


def _family(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(found for child in children for found in _family(int(child)))]


def _usage(pid: int) -> Usage:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return Usage(pages * os.sysconf("SC_PAGE_SIZE"), (int(fields[11]) + int(fields[12])) / TICK)


@contextmanager
def program(*command: str, cwd: Path, stdin: bool = False) -> Iterator[Program]:
    """*command*, until the block ends."""
    running = Program(*command, cwd=cwd, stdin=stdin)
    try:
        yield running
    finally:
        running.stop()


@contextmanager
def module(name: str, *args: str, cwd: Path, stdin: bool = False) -> Iterator[Program]:
    """One of the bench's own programs, by its module's name."""
    with program(sys.executable, "-m", f"tests.bench.{name}", *args, cwd=cwd, stdin=stdin) as running:
        yield running


def pult_command() -> str:
    """The ``pult`` that belongs to this Python."""
    return str(Path(sys.executable).with_name("pult"))
