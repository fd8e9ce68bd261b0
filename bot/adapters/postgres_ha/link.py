"""A conversation with one server: short, with deadlines, and its errors said without connection strings."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NoReturn

from bot.domain.errors import NotReadyError, TemporaryError, UserError
from bot.domain.phrases import Code, Phrase, phrase
from bot.domain.redact import redact

if TYPE_CHECKING:
    from psycopg import AsyncConnection

DEADLINE: Final = 10.0
"""Seconds for one conversation; its statements have five each."""
PARAMETERS: Final = {
    "application_name": "pult",
    "connect_timeout": "3",
    "tcp_user_timeout": "5000",
    "target_session_attrs": "any",
    "options": (
        "-c statement_timeout=5s -c lock_timeout=3s -c idle_in_transaction_session_timeout=10s "
        "-c synchronous_commit=local -c default_transaction_read_only=off"
    ),
}
"""``synchronous_commit=local``: a heartbeat or a fence must not wait for the standby whose loss it may be about."""
_NOT_YET = re.compile(r"starting up|shutting down|not yet accepting|in recovery mode|crash|запускается|останавливается")
_LOST = ("08", "57P")
"""Beginnings of SQLSTATEs (manual, appendix A): the connection, or the whole server, goes away."""


@dataclass(frozen=True)
class Server:
    """One of the two. ``dsn`` is a secret; ``address`` is ``host:port`` for services, empty: that of ``dsn``."""

    region: str
    dsn: str
    address: str = ""


class SaidError(UserError):
    """The server answers, and not as it was asked to."""

    def __init__(self, said: Phrase) -> None:
        super().__init__(said.text, **said.values)


class RefusedError(SaidError):
    """Not to pult: password, rights, too many connections."""


class MissingError(SaidError):
    """pult's own tables are not there yet."""


class ReadOnlyError(SaidError):
    """It is a standby: it takes no writes from anyone."""


class Talk:
    """An open conversation."""

    def __init__(self, region: str, connection: AsyncConnection[Any]) -> None:
        self._region, self._connection = region, connection

    async def rows(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """What *statement* gives, in a transaction of its own unless within :meth:`whole`."""
        import psycopg  # noqa: PLC0415 - lazily

        try:
            cursor = await self._connection.execute(statement.encode(), values or None)
            return await cursor.fetchall() if cursor.description else []
        except psycopg.Error as error:
            _judge(self._region, error)

    @asynccontextmanager
    async def whole(self) -> AsyncGenerator[None, None]:
        """All statements within happen together, or none."""
        import psycopg  # noqa: PLC0415 - lazily

        try:
            async with self._connection.transaction():
                yield
        except psycopg.Error as error:
            _judge(self._region, error)

    async def close(self) -> None:
        await self._connection.close()


async def connect(server: Server) -> Talk:
    """TemporaryError: it does not answer. RefusedError: it does, but not to pult."""
    import psycopg  # noqa: PLC0415 - lazily: only where self-run servers are configured
    from psycopg.conninfo import make_conninfo  # noqa: PLC0415

    try:
        target = make_conninfo(server.dsn, **PARAMETERS)
    except psycopg.Error:  # its text quotes the string, and the string holds a password
        raise NotReadyError(f"the dsn of the server in {server.region} can't be read") from None
    try:
        return Talk(server.region, await psycopg.AsyncConnection.connect(target, autocommit=True))
    except psycopg.Error as error:
        _judge(server.region, error)
    except OSError as error:
        raise _away(server.region, type(error).__name__) from None


@asynccontextmanager
async def talking(server: Server, seconds: float = DEADLINE) -> AsyncGenerator[Talk, None]:
    """A conversation of at most *seconds*."""
    try:
        async with asyncio.timeout(seconds):
            talk = await connect(server)
            try:
                yield talk
            finally:
                await talk.close()
    except TimeoutError as error:
        raise _away(server.region, "no answer in time") from error


def endpoint(server: Server) -> str:
    """``host:port`` of the connection string, without what is secret in it. NotReadyError: not of one host."""
    import psycopg  # noqa: PLC0415 - lazily
    from psycopg.conninfo import conninfo_to_dict  # noqa: PLC0415

    try:
        parts = conninfo_to_dict(server.dsn)
    except psycopg.Error:
        raise NotReadyError(f"the dsn of the server in {server.region} can't be read") from None
    host, port = str(parts.get("host") or parts.get("hostaddr") or ""), str(parts.get("port") or 5432)
    if not host or "," in host:
        raise NotReadyError(f"the dsn of the server in {server.region} must name one host: a fence is for one server")
    return f"{host}:{port}"


def _judge(region: str, error: Exception) -> NoReturn:
    """Says what the driver's *error* means. Causes are cut off: they quote statements and connection strings."""
    state, said = getattr(error, "sqlstate", None), _line(error)
    match state:
        case "25006":
            raise ReadOnlyError(phrase("The database server in {region} is a standby.", region=region)) from None
        case "42P01" | "3F000":
            raise MissingError(phrase("pult's tables are not there in {region}.", region=region)) from None
        case None if not re.search(r"\b(FATAL|ВАЖНО):", said) or _NOT_YET.search(said):
            raise _away(region, said) from None
        case str(code) if code.startswith(_LOST):
            raise _away(region, said) from None
    raise RefusedError(
        phrase("The database server in {region} refuses this: {why}", region=region, why=Code(said))
    ) from None


def _line(error: Exception) -> str:
    """The driver's last words, in one line without secrets."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    told = next((line for line in lines if "failed:" in line or "FATAL" in line), lines[0] if lines else "")
    return redact(told.rpartition("failed: ")[2] or type(error).__name__)[:200]


def _away(region: str, why: str) -> TemporaryError:
    return TemporaryError(f"the database server in {region} does not answer ({why})")


def first(rows: Sequence[tuple[Any, ...]]) -> tuple[Any, ...]:
    """Of a statement that always gives one."""
    return rows[0]
