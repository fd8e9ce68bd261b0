"""The ``Painter`` port: pictures drawn one after the other by a worker process that is there only while it is needed.

Whoever asks may stop waiting at any time; the picture is made all the same and kept for a minute, so that a card that
went without one because the worker was still starting has it at its next edit.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta
from typing import Final

from bot.adapters.pictures.sheet import sheet
from bot.adapters.pictures.worker import BrokenSheetError, Worker
from bot.domain.errors import TemporaryError
from bot.domain.messages import Graph
from bot.domain.phrases import Words
from bot.ports.clock import Clock

DEADLINE: Final = 3.0
"""Seconds one picture may take once the worker is up; a usual one takes 0.1."""
IDLE: Final = 300.0
"""Seconds without a picture after which the worker is ended: it takes 80 MB."""
WAITING: Final = 8
"""Pictures that may wait. Their callers wait for a second at most, so those of a longer queue would come too late."""
KEPT: Final = 64
KEPT_FOR: Final = timedelta(minutes=1)
"""The same card goes to several destinations, and is edited several times a minute."""
PAUSE: Final = 30.0
"""Seconds without a new try after a worker could not even start: it would fail again, and costs half a second."""

log = logging.getLogger(__name__)


class WorkerPainter:
    """``run`` has to run; TemporaryError from ``paint`` where no picture could be made. *theme*: dark or light."""

    def __init__(
        self, clock: Clock, theme: str = "dark", *, idle: float = IDLE, deadline: float = DEADLINE
    ) -> None:  # fmt: skip
        self._clock, self._theme, self._idle, self._deadline = clock, theme, idle, deadline
        self._queue: asyncio.Queue[bytes] = asyncio.Queue(WAITING)
        self._under_way: dict[bytes, asyncio.Future[bytes]] = {}
        self._kept: dict[bytes, tuple[datetime, bytes]] = {}
        self._worker: Worker | None = None
        self._not_before: datetime | None = None
        self._over = False

    async def paint(self, graph: Graph, words: Words) -> bytes:
        """As the port says. The first picture after a while takes as long as the worker needs to start."""
        wanted = sheet(graph, words, self._theme)
        if picture := self._remembered(wanted):
            return picture
        return await asyncio.shield(self._under_way.get(wanted) or self._ordered(wanted))

    async def run(self) -> None:
        """Draw what is asked for, until cancelled."""
        try:
            while True:
                await self._make(await self._next())
        finally:
            self._over = True
            await self._end()
            for picture in self._under_way.values():
                _fail(picture, TemporaryError("no picture: pult stops"))

    async def _make(self, wanted: bytes) -> None:
        try:
            picture = await self._drawn(wanted)
        except TemporaryError as error:
            log.warning("a picture was not drawn", extra={"error": str(error)})
            _fail(self._under_way.pop(wanted), error)
        except Exception:  # one picture must not be the last one
            log.exception("a picture was not drawn")
            await self._end()
            _fail(self._under_way.pop(wanted), TemporaryError("no picture: an error of pult's own"))
        else:
            self._under_way.pop(wanted).set_result(picture)
            self._keep(wanted, picture)

    def _ordered(self, wanted: bytes) -> asyncio.Future[bytes]:
        if self._over or self._queue.full():
            raise TemporaryError("no picture: pult stops" if self._over else "no picture: too many are waiting")
        picture: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._under_way[wanted] = picture
        self._queue.put_nowait(wanted)
        return picture

    async def _next(self) -> bytes:
        """The next sheet; while there is none for long, without a worker."""
        if self._worker is not None:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._idle):
                    return await self._queue.get()
            await self._end()
        return await self._queue.get()

    async def _drawn(self, wanted: bytes) -> bytes:
        if self._worker is not None and not self._worker.alive:
            await self._end()
        if self._worker is None:
            self._worker = await self._started()
        try:
            return await self._worker.draw(wanted, self._deadline)
        except BrokenSheetError:
            raise
        except TemporaryError:
            await self._end()
            raise

    async def _started(self) -> Worker:
        now = self._clock.now()
        if self._not_before is not None and now < self._not_before:
            raise TemporaryError("no picture: the worker could not start", (self._not_before - now).total_seconds())
        try:
            return await Worker.start()
        except TemporaryError:
            self._not_before = self._clock.now() + timedelta(seconds=PAUSE)
            raise

    async def _end(self) -> None:
        worker, self._worker = self._worker, None
        if worker is not None:
            await worker.end()

    def _keep(self, wanted: bytes, picture: bytes) -> None:
        self._kept[wanted] = (self._clock.now(), picture)
        if len(self._kept) > KEPT:
            del self._kept[next(iter(self._kept))]

    def _remembered(self, wanted: bytes) -> bytes | None:
        made_at, picture = self._kept.get(wanted, (None, None))
        if made_at is None or self._clock.now() - made_at > KEPT_FOR:
            self._kept.pop(wanted, None)
            return None
        return picture


def _fail(picture: asyncio.Future[bytes], error: TemporaryError) -> None:
    picture.set_exception(TemporaryError(str(error), error.delay))
    picture.exception()  # read once: those who asked may all have gone without


@asynccontextmanager
async def open_painter(
    clock: Clock, theme: str = "dark", *, idle: float = IDLE, deadline: float = DEADLINE
) -> AsyncGenerator[WorkerPainter]:
    """Starts no process: the first picture does. *idle* and *deadline*: seconds."""
    painter = WorkerPainter(clock, theme, idle=idle, deadline=deadline)
    work = asyncio.create_task(painter.run(), name="painter")
    try:
        yield painter
    finally:
        work.cancel()
        await asyncio.wait({work})
