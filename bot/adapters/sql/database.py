"""What the two databases have in common, and one connection to either, with its transactions."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final, TypeVar

from bot.adapters.sql.statements import Connection
from bot.adapters.sql.transaction import SqlTx, Statements
from bot.domain.errors import UnavailableError
from bot.domain.redact import redact

T = TypeVar("T")

TRIES: Final = 10
PAUSE: Final = 0.01
"""Seconds, at most, before the second try; each further try waits up to this much longer."""


class Trouble(Enum):
    """What a driver's error means for the transaction it broke."""

    CONFLICT = auto()
    """Another transaction was in the way: run again."""
    CLASH = auto()
    """A unique key was taken. In a race the second run sees why; otherwise it is the caller's mistake."""
    LOST = auto()
    """The connection is gone, and with it the transaction: run again on a new one."""
    AWAY = auto()
    """The database can't do it now: disk full, I/O error, locked, not reachable."""


class AwayError(UnavailableError):
    """The database itself can't commit now, as opposed to work that says so of something else."""


@dataclass(frozen=True)
class Database:
    """One database. ``connect`` raises the driver's errors; ``judge`` gives None for what is no trouble of its own.

    ``connect_migrator``: its statements may take any time. ``begin`` waits for this process's turn to write. ``lock``
    begins a transaction in which nobody else migrates; ``bookkeeping`` lists those of the tables of who migrates that
    are there.
    """

    name: str
    engine: str
    statements: Statements
    error: type[Exception]
    connect: Callable[[], Connection]
    connect_reader: Callable[[], Connection]
    connect_migrator: Callable[[], Connection]
    begin: str
    begin_reading: str
    lock: tuple[str, ...]
    bookkeeping: str
    committed: Callable[[object], bool]
    judge: Callable[[BaseException], Trouble | None]
    notify: str = ""
    """Tells other replicas, with one value; empty where there are none."""
    unused: str = ""
    """Whether nothing of the builds of schema ``{build}`` is connected; empty where nobody else can be."""


class Line:
    """A connection that is opened when it is needed and dropped after trouble. For one thread at a time."""

    def __init__(self, database: Database, *, reading: bool = False) -> None:
        self._database, self._statements, self._reading = database, database.statements, reading
        self._begin = database.begin_reading if reading else database.begin
        self._connection: Connection | None = None
        self._patience = threading.Event()  # never set: a wait that no event loop sees

    def run(self, body: Callable[[SqlTx], T]) -> T:
        """*body* in a transaction, which is committed (for readers: ended). Run again after a conflict.

        AwayError: the database can't now. What *body* raises is raised, and nothing of it is committed.
        """
        tries = 1
        while True:
            try:
                return self._once(body)
            except AwayError:
                raise
            except Exception as error:
                trouble = self._database.judge(error)
                if trouble is None or (trouble is Trouble.CLASH and tries == TRIES):
                    raise
                if trouble is Trouble.AWAY or tries == TRIES:
                    raise AwayError(first_line(error)) from error
            self._patience.wait(random.uniform(0, PAUSE * tries))  # noqa: S311 - jitter
            tries += 1

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _once(self, body: Callable[[SqlTx], T]) -> T:
        connection = self._open()
        try:
            connection.execute(self._begin, ())
            result = _result(body, SqlTx(connection, self._statements))
        except BaseException as error:
            self._abandon(connection, error)
            raise
        self._end(connection)
        return result

    def _open(self) -> Connection:
        if self._connection is None:
            connect = self._database.connect_reader if self._reading else self._database.connect
            try:
                self._connection = connect()
            except Exception as error:
                raise AwayError(first_line(error)) from error
        return self._connection

    def _end(self, connection: Connection) -> None:
        """A connection lost on the way to a commit leaves unknown whether it happened: that is never run again."""
        try:
            cursor = connection.execute("ROLLBACK" if self._reading else "COMMIT", ())
        except Exception as error:
            self._abandon(connection, error)
            if self._database.judge(error) is Trouble.LOST:
                raise AwayError(f"whether it was committed is unknown: {first_line(error)}") from error
            raise
        if not self._reading and not self._database.committed(cursor):
            raise AwayError("the transaction was broken before its commit")

    def _abandon(self, connection: Connection, error: BaseException) -> None:
        """Roll back; a connection that had trouble, or can't even do that, is dropped."""
        if self._database.judge(error) not in (Trouble.LOST, Trouble.AWAY):
            with suppress(self._database.error):
                connection.execute("ROLLBACK", ())
                return
        self._connection = None
        with suppress(self._database.error):
            connection.close()


def _result(body: Callable[[SqlTx], T], tx: SqlTx) -> T:
    """A future takes no StopIteration: as in a generator, it is a mistake of the work (PEP 479)."""
    try:
        return body(tx)
    except StopIteration as error:
        raise RuntimeError("work raised StopIteration") from error


def first_line(error: BaseException) -> str:
    """What the driver said, without the statement and its values, and without secrets."""
    return redact((str(error).splitlines() or [type(error).__name__])[0])
