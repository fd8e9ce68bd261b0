"""The writer: one thread that commits whatever has been queued, together."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any, Final

from bot.adapters.sql.database import AwayError, Line
from bot.adapters.sql.transaction import SqlTx

PAYLOAD: Final = 7900
"""Bytes of what other replicas are told at once: PostgreSQL takes fewer than 8000 (manual, NOTIFY)."""
MOST_AT_ONCE: Final = 256
"""Works in one transaction; bounds what one commit may keep others waiting."""

Hear = Callable[[frozenset[str]], None]


@dataclass(slots=True)
class Job:
    """Work and whom to tell. Cancelled before its turn, it is not run."""

    work: Callable[[SqlTx], Any]
    future: asyncio.Future[Any]
    result: Any = None
    error: BaseException | None = None


class Writer:
    """Group commit: everything queued while the last commit was under way goes into the next.

    ``closed``: takes no more work.
    """

    def __init__(self, line: Line, notify: str, sender: str) -> None:
        self._line, self._notify, self._sender = line, notify, sender
        self._loop = asyncio.get_running_loop()
        self._queue: SimpleQueue[Job | None] = SimpleQueue()
        self._hearers: list[Hear] = []
        self._thread = threading.Thread(target=self._run, name="store writer", daemon=True)
        self.closed = False
        self._thread.start()

    def put(self, work: Callable[[SqlTx], Any]) -> asyncio.Future[Any]:
        """The future of *work*'s result, which is set once it is committed."""
        if self.closed:
            raise AwayError("the store is closed")
        future: asyncio.Future[Any] = self._loop.create_future()
        self._queue.put(Job(work, future))
        return future

    def on_commit(self, hear: Hear) -> None:
        self._hearers.append(hear)

    def close(self) -> None:
        """Finish what is queued. Blocks; the event loop must go on meanwhile, to hear the results."""
        self.closed = True
        self._queue.put(None)
        self._thread.join()
        self._line.close()

    def _run(self) -> None:
        more = True
        while more:
            jobs, more = self._take()
            if jobs:
                touched = self._commit(jobs)
                self._loop.call_soon_threadsafe(self._settle, jobs, touched)

    def _take(self) -> tuple[list[Job], bool]:
        """What is queued, waiting for the first; False once the queue was closed."""
        jobs: list[Job] = []
        try:
            job = self._queue.get()
            while job is not None:
                if not job.future.cancelled():
                    jobs.append(job)
                if len(jobs) == MOST_AT_ONCE:
                    return jobs, True
                job = self._queue.get_nowait()
        except Empty:
            return jobs, True
        return jobs, False

    def _commit(self, jobs: list[Job]) -> frozenset[str]:
        """Run *jobs* in one transaction, or, where one of them fails, each in its own."""
        try:
            results, touched = self._line.run(lambda tx: self._together(tx, jobs))
        except AwayError as error:
            for job in jobs:
                job.error = AwayError(str(error), error.delay)
        except BaseException as error:  # noqa: BLE001 - whose work it was gets it; the thread must live
            if len(jobs) > 1:
                return frozenset().union(*[self._commit([job]) for job in jobs])
            jobs[0].error = error
        else:
            for job, result in zip(jobs, results, strict=True):
                job.result = result
            return touched
        return frozenset()

    def _together(self, tx: SqlTx, jobs: list[Job]) -> tuple[list[Any], frozenset[str]]:
        results = [job.work(tx) for job in jobs]
        if self._notify and tx.touched:
            for payload in _payloads(self._sender, tx.touched):
                tx.tell(self._notify, payload)
        return results, frozenset(tx.touched)

    def hear(self, touched: frozenset[str]) -> None:
        """Tell the hearers of a commit, this store's or another's on the same database."""
        for hear in self._hearers:
            hear(touched)

    def _settle(self, jobs: list[Job], touched: frozenset[str]) -> None:
        for job in jobs:
            if job.future.done():
                continue
            if job.error is None:
                job.future.set_result(job.result)
            else:
                job.future.set_exception(job.error)
        if touched:
            self.hear(touched)


def _payloads(sender: str, destinations: Iterable[str]) -> Iterator[str]:
    """The sender's own name goes first, so that it can leave out what it hears of itself."""
    lines, size = [sender], len(sender)
    for each in destinations:
        if size + len(each.encode()) >= PAYLOAD:
            yield "\n".join(lines)
            lines, size = [sender], len(sender)
        lines.append(each)
        size += len(each.encode()) + 1
    yield "\n".join(lines)
