"""One worker process: started, asked for pictures, ended. It is killed rather than asked to go: it holds nothing."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from os import pathsep
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from bot.adapters.pictures import frames
from bot.domain.errors import TemporaryError

COLD: Final = 30.0
"""Seconds a worker may take to start: 0.5 here, more where matplotlib has to list hundreds of fonts first."""


class BrokenSheetError(TemporaryError):
    """This one sheet can't be drawn; the worker is well."""


class Worker:
    """Every failure is a TemporaryError; after any but BrokenSheetError the worker has to be ended."""

    def __init__(self, process: Process, folder: TemporaryDirectory[str]) -> None:
        self._process, self._folder = process, folder

    @classmethod
    async def start(cls) -> Worker:
        """A new one, which can draw.

        It finds the modules where this process does, whatever the current directory is. Nothing else of the
        environment is handed on: there may be secrets in it. matplotlib gets a folder for its list of fonts.
        """
        try:
            folder = TemporaryDirectory(prefix="pult-pictures-", ignore_cleanup_errors=True)
        except OSError as error:
            raise TemporaryError(f"no picture: the worker has no folder: {error}") from error
        modules = pathsep.join(each or str(Path.cwd()) for each in sys.path)
        environment = {
            "PYTHONPATH": modules,
            "MPLCONFIGDIR": folder.name,
            "HOME": folder.name,
            "OPENBLAS_NUM_THREADS": "1",
        }
        try:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-P", "-m", "bot.adapters.pictures", folder.name),
                stdin=PIPE,
                stdout=PIPE,
                env=environment,
                start_new_session=True,  # Ctrl-C is for pult alone
            )
        except OSError as error:
            folder.cleanup()
            raise TemporaryError(f"no picture: the worker can't be started: {error}") from error
        except BaseException:  # pult stops while it starts
            folder.cleanup()
            raise
        worker = cls(process, folder)
        try:
            await worker._heard(frames.READY, COLD)
        except BaseException:
            await worker.end()
            raise
        return worker

    @property
    def alive(self) -> bool:
        return self._process.returncode is None

    async def draw(self, sheet: bytes, seconds: float) -> bytes:
        """The PNG of *sheet*, within *seconds*."""
        stdin = self._process.stdin
        assert stdin is not None
        stdin.write(frames.frame(frames.SHEET, sheet))
        return await self._heard(frames.DRAWN, seconds)

    async def end(self) -> None:
        """Kill it, and wait until it is gone: no zombie stays behind."""
        if self.alive:
            self._process.kill()
        await self._process.communicate()
        self._folder.cleanup()

    async def _heard(self, wanted: int, seconds: float) -> bytes:
        stdout = self._process.stdout
        assert stdout is not None
        try:
            async with asyncio.timeout(seconds):
                kind, body = await frames.receive(stdout)
        except TimeoutError as error:
            raise TemporaryError(f"no picture: the worker said nothing for {seconds:g} s") from error
        except (EOFError, OSError) as error:
            raise TemporaryError("no picture: the worker died") from error
        if kind != wanted:
            raise BrokenSheetError(f"no picture: {body.decode(errors='replace')}")
        return body
