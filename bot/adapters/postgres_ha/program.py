"""The Machine port over a program of the department's own: the last word on its command line is what to do."""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import signal
from asyncio.subprocess import Process
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from bot.domain.errors import TemporaryError, UserError
from bot.domain.phrases import Code
from bot.domain.redact import redact

log = logging.getLogger(__name__)
DEADLINES: Final = {"fence": 60.0, "confirm": 20.0, "rejoin": 900.0}
"""Seconds for each word: a copy of the whole server may be part of rejoining, though it may also go on by itself."""
ENDED: Final = 5.0
"""Seconds for what was killed to be gone, and its pipe with it."""
TOLD: Final = 2000
"""Bytes of what it says that are kept for the log."""


class Program:
    """Exit code 0 of ``fence`` and ``rejoin`` says that it is done, of ``confirm`` that nothing runs any more."""

    def __init__(self, region: str, command: Sequence[str]) -> None:
        self._region, self._command = region, tuple(command)

    async def stop(self) -> None:
        """See the port."""
        await self._done("fence")

    async def stopped(self) -> bool:
        """A program that is not done in time has confirmed nothing."""
        return await self._run("confirm") == 0

    async def start(self) -> None:
        """See the port."""
        await self._done("rejoin")

    async def allowed(self) -> str:
        """Whether there is such a program."""
        return "" if shutil.which(self._command[0]) else f"there is no program {self._command[0]}"

    async def _done(self, word: str) -> None:
        code = await self._run(word)
        if code != 0:
            raise UserError(
                "{command} ends with {code} in {region}.",
                command=Code(f"{self._command[0]} {word}"), code=code, region=self._region,
            )  # fmt: skip

    async def _run(self, word: str) -> int:
        """Its exit code. What it says is for the log alone: who knows what it quotes."""
        try:
            process = await asyncio.create_subprocess_exec(
                *self._command, word, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip
        except OSError as error:
            raise UserError("{command} can't be run: {why}", command=Code(self._command[0]), why=str(error)) from error
        try:
            async with asyncio.timeout(DEADLINES[word]):
                said, _ = await process.communicate()
        except TimeoutError as error:
            raise TemporaryError(f"{self._command[0]} {word} is not done after {DEADLINES[word]:g} s") from error
        finally:
            await _ended(process)
        code = process.returncode or 0
        if code:
            told = redact(said[-TOLD:].decode("utf-8", "replace").strip())
            log.warning("program failed", extra={"program": self._command[0], "word": word, "code": code, "said": told})
        return code


async def _ended(process: Process) -> None:
    """With all that it started; only what left its session could hold the pipe open."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    with suppress(TimeoutError):
        async with asyncio.timeout(ENDED):
            await process.communicate()
