"""A connection to PostgreSQL that expects answers: one that stays silent for too long is closed.

The kernel notices a machine that is gone (libpq's keepalives and tcp_user_timeout). It does not notice a server that
hangs, or a proxy that lost what is behind it: their kernels acknowledge whatever is sent. Without an end to the wait
whoever asked would hang with them, also when another host has long taken over.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, Final, TypeVar

import psycopg
from psycopg.abc import PQGen
from psycopg.pq import TransactionStatus

R = TypeVar("R")
ANSWER: Final = 8.0
"""Seconds: longer than the server's own limits for a statement (5 s), so that its word comes first where it has one;
shorter than the store's deadline."""
_LOOK: Final = 0.1
"""Seconds between two looks for an interrupt: psycopg's own default."""


class Answering(psycopg.Connection[Any]):
    """``answer``: seconds that the server may take for one answer, None for any time."""

    answer: float | None = ANSWER

    def wait(self, gen: PQGen[R], interval: float = _LOOK, timeout: float | None = None) -> R:
        """psycopg's own, with an end. OperationalError: no answer came; the connection is closed then."""
        try:
            return super().wait(gen, interval, self.answer if timeout is None else timeout)
        except psycopg.OperationalError as error:
            asked = self.pgconn.transaction_status == TransactionStatus.ACTIVE
            if timeout is None and error.sqlstate is None and asked:
                self.close()
            raise

    def notifies(
        self, *, timeout: float | None = None, stop_after: int | None = None
    ) -> Generator[psycopg.Notify, None, None]:
        """What the server tells; ends after ``answer`` seconds of nothing. To be called again, since each call asks
        whether the server is there: silence alone would look the same."""
        self.execute("SELECT 1")
        yield from super().notifies(timeout=timeout, stop_after=stop_after)
