"""Real programs of Debian for the tests: each on a free port of loopback, in a folder of its own, ended after."""

import os
import random
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import aiohttp
import pytest

PATIENCE = 15.0
"""Seconds a program may take to be ready, or to end."""
FIRST_PORT, PORTS_EACH = 10_000, 1_000
"""Ports that tests choose lie below those that the kernel gives to whoever asks for any (32768 and up on Linux), and
each worker has its own: so nothing takes one between its choice and its use, nor while its server is down."""


@dataclass
class Program:
    """One server. A test may ``kill`` it and ``start`` it again: its port and its files stay."""

    command: Sequence[str]
    url: str
    ready: str
    log: Path
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Return once it is ready. RuntimeError, with what it said, when it is not."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(self.command, stdout=log, stderr=log, cwd=self.log.parent)
        ends = time.monotonic() + PATIENCE
        while not self._answers():
            if self.process.poll() is not None or time.monotonic() > ends:
                self.kill()
                raise RuntimeError(f"{self.command[0]} is not ready: {self.log.read_text()[-2000:]}")
            time.sleep(0.02)

    def stop(self) -> None:
        """SIGTERM, and wait."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL, and wait."""
        self._end(signal.SIGKILL)

    def reload(self) -> None:
        """SIGHUP: read the configuration again."""
        assert self.process is not None
        self.process.send_signal(signal.SIGHUP)

    def _end(self, how: signal.Signals) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(how)
            self.process.wait(PATIENCE)

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(self.url + self.ready, timeout=1) as answer:
                return answer.status == 200
        except (urllib.error.URLError, OSError):
            return False


@contextmanager
def prometheus(folder: Path, config: str, *flags: str) -> Iterator[Program]:
    """A Prometheus that reads *config* (YAML). Skips the test where there is none, fails where CI promised one."""
    port = free_port()
    (folder / "prometheus.yml").write_text(config)
    command = (
        installed("prometheus"), f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'prometheus'}", f"--web.listen-address=127.0.0.1:{port}",
        "--log.level=warn", *flags,
    )  # fmt: skip
    with _running(Program(command, f"http://127.0.0.1:{port}", "/-/ready", folder / "prometheus.log")) as program:
        yield program


async def told(session: aiohttp.ClientSession, prometheus: str, what: str, **params: str) -> dict[str, Any]:
    """What the Prometheus at that address says of ``/api/v1/<what>``. AssertionError, with why: it refuses."""
    async with session.get(f"{prometheus}/api/v1/{what}", params=params) as answer:
        assert answer.status == 200, await answer.text()
        data: dict[str, Any] = (await answer.json())["data"]
        return data


@contextmanager
def alertmanager(folder: Path, config: str, *flags: str) -> Iterator[Program]:
    """An Alertmanager that reads *config* (YAML), alone: it looks for no cluster."""
    port = free_port()
    (folder / "alertmanager.yml").write_text(config)
    command = (
        installed("prometheus-alertmanager"), f"--config.file={folder / 'alertmanager.yml'}",
        f"--storage.path={folder / 'alertmanager'}", f"--web.listen-address=127.0.0.1:{port}",
        "--cluster.listen-address=", "--log.level=warn", *flags,
    )  # fmt: skip
    with _running(Program(command, f"http://127.0.0.1:{port}", "/-/ready", folder / "alertmanager.log")) as program:
        yield program


def free_port() -> int:
    """A port of loopback that nobody listens on, for this process alone. RuntimeError: there is none left."""
    for _ in range(PORTS_EACH):
        _given.rotate()
        with socket.socket() as listener, suppress(OSError):
            listener.bind(("127.0.0.1", _given[0]))
            return _given[0]
    raise RuntimeError("no port is free")


def _ports_of_this_process() -> list[int]:
    """In random order: another run may be under way beside this one."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "gw-1").removeprefix("gw")
    first = FIRST_PORT + PORTS_EACH * (int(worker) + 1)
    return random.sample(range(first, first + PORTS_EACH), PORTS_EACH)


_given = deque(_ports_of_this_process())


def installed(name: str, package: str = "") -> str:
    """Where the program *name* lies. Without it the test is skipped, or fails where CI promised its *package*."""
    found = shutil.which(name)
    if found is None:
        missing(f"no {name} here: install Debian's package {package or name}")
    return found


def missing(why: str) -> NoReturn:
    """Skip the test that lacks something; where CI promised it, fail."""
    if "CI" in os.environ:
        pytest.fail(why)
    pytest.skip(why)


@contextmanager
def _running(program: Program) -> Iterator[Program]:
    program.start()
    try:
        yield program
    finally:
        program.stop()
