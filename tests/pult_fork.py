"""pult started by forking a server that has everything imported: a process like any other, seconds sooner.

What is imported here is imported once. A start from a new interpreter is what tests/e2e is about.
"""

from __future__ import annotations

import asyncio
import importlib
import multiprocessing
import os
import pkgutil
import signal
import sys
from collections.abc import Mapping, Sequence
from multiprocessing.context import ForkServerProcess
from pathlib import Path

LOOK_EVERY = 0.01
PRELOADED = (
    "bot.cli.run", "bot.cli.logs", "bot.adapters.sql.migrate", "bot.adapters.sql.sqlite", "bot.adapters.sql.postgres",
    "dbos", "kubernetes.aio", "pydo.aio", "prometheus_api_client", "pytest", "handlers", "babel.dates",
)  # fmt: skip
WHOLE = ("bot.engine", "bot.compose", "bot.platforms", "bot.edge", "bot.adapters.words")
"""Packages with every module in them."""


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
    """``pult <arguments>`` with its output appended to *log*."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    process = context.Process(target=_run, args=(list(arguments), str(log), dict(environ)), daemon=True)
    process.start()
    return Forked(process)


def _run(arguments: list[str], log: str, environ: dict[str, str]) -> None:
    output = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.environ.update(environ)
    from bot.__main__ import main  # noqa: PLC0415 - the forked process is where it belongs

    sys.argv = ["pult", *arguments]
    main(arguments, prog_name="pult")


def _preload() -> None:
    names = [*PRELOADED]
    for package in WHOLE:
        found = importlib.import_module(package)
        names += (module.name for module in pkgutil.walk_packages(found.__path__, f"{package}."))
    for name in names:
        if not name.endswith(("__main__", ".env")) and ".versions" not in name:
            importlib.import_module(name)


if multiprocessing.current_process().name == "MainProcess" and multiprocessing.parent_process() is None:
    from multiprocessing import forkserver

    if getattr(forkserver._forkserver, "_forkserver_pid", None) is None and "pytest" not in sys.modules:
        _preload()
