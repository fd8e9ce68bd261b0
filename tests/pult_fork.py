"""pult as a fork of a server that has everything imported: a process like any other, there seconds sooner.

A start from a new interpreter is what tests/e2e and promise 18 are about.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
from collections.abc import Mapping, Sequence
from multiprocessing.context import ForkServerProcess
from pathlib import Path

LOOK_EVERY = 0.01


class Forked:
    """As much of asyncio.subprocess.Process as the tests use."""

    def __init__(self, process: ForkServerProcess) -> None:
        self._process = process

    @property
    def returncode(self) -> int | None:
        return self._process.exitcode

    def send_signal(self, number: signal.Signals) -> None:
        assert self._process.pid is not None
        os.kill(self._process.pid, number)

    async def wait(self) -> int:
        while (status := self.returncode) is None:
            await asyncio.sleep(LOOK_EVERY)
        return status


def start(arguments: Sequence[str], log: Path, environ: Mapping[str, str]) -> Forked:
    """``pult <arguments>``, with its output appended to *log*."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.pult_preload"])
    process = context.Process(target=_run, args=(list(arguments), str(log), dict(environ)), daemon=True)
    process.start()
    return Forked(process)


def _run(arguments: list[str], log: str, environ: dict[str, str]) -> None:
    output = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.environ.update(environ)
    from bot.__main__ import main  # noqa: PLC0415 - only here, in the fork

    main(arguments, prog_name="pult")
