"""The ``host:port`` inside a setting by which a service finds its database: an address, or a connection string.

Connection strings hold passwords, so nothing here ever quotes the value it was given. Pure.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from bot.domain.errors import UserError

USUAL: Final = "5432"
"""PostgreSQL's port, which is meant where a connection string names none (postgresql.org, libpq: port)."""
_HOST = r"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])"
_PLAIN = re.compile(rf"\s*(?P<host>{_HOST})(?::(?P<port>\d+))?\s*")
_URL = re.compile(
    rf"[a-z][a-z0-9+.:-]*://(?:[^@/?#]*@)?(?P<place>(?P<host>{_HOST})(?::(?P<port>\d+))?)(?=$|[/?#])", re.IGNORECASE
)
"""``postgresql://user:secret@host:port/name``, and with a scheme in front of it as Java writes it."""
_WORDS = re.compile(
    r"(?:^|(?<=\s))(?P<name>host|hostaddr|port)\s*=\s*(?P<quote>'?)(?P<value>[^\s']+)(?P=quote)(?=\s|$)"
)
"""``host=… port=…``, as libpq takes it."""


@dataclass(frozen=True)
class _Found:
    """Where host and port stand in a value; ``port`` is None where it names none, ``whole``: both as one text."""

    host: str
    port: str | None
    spans: tuple[tuple[int, int, str], ...]
    """(start, end, what goes there: host, port or both)."""
    bare: bool = False
    """It is the host alone: the port is said elsewhere."""


def address_in(value: str) -> str:
    """``host:port``, or the host alone where *value* is nothing else. UserError: it names none, or several."""
    found = _found(value)
    return found.host if found.bare else f"{found.host}:{found.port or USUAL}"


def with_address(value: str, address: str) -> str:
    """*value* with *address* (host:port) in place of what it names, all else kept. UserError as ``address_in``."""
    found, (host, _, port) = _found(value), address.rpartition(":")
    if not host or not port.isdecimal():
        raise UserError("{address} is no host:port.", address=address)
    pieces = {"host": host, "port": port, "both": address, "more": f"{host} port={port}"}
    for start, end, what in sorted(found.spans, reverse=True):
        value = value[:start] + pieces[what] + value[end:]
    return value


def same_address(one: str, other: str) -> bool:
    """Whether both name one server; a host alone is compared with the other's host."""
    if ":" in one and ":" in other:
        return one == other
    return bool(one) and one.partition(":")[0] == other.partition(":")[0]


def _found(value: str) -> _Found:
    if (plain := _PLAIN.fullmatch(value)) is not None:
        port = plain["port"]
        span = (plain.start("host"), plain.end("port") if port else plain.end("host"), "both" if port else "host")
        return _Found(plain["host"], port, (span,), bare=port is None)
    if (url := _URL.match(value)) is not None:
        return _Found(url["host"], url["port"], ((url.start("place"), url.end("place"), "both"),))
    return _keyworded(value)


def _keyworded(value: str) -> _Found:
    named = list(_WORDS.finditer(value))
    hosts = [each for each in named if each["name"] == "host"]
    ports = [each for each in named if each["name"] == "port"]
    if len(hosts) != 1 or len(named) != 1 + len(ports) or len(ports) > 1 or not re.fullmatch(_HOST, hosts[0]["value"]):
        raise UserError("What stands there names no database address, or several, so pult can't change it.")
    spans = [(each.start("value"), each.end("value"), each["name"]) for each in (hosts[0], *ports)]
    if not ports:  # both go where the host stands, and its quotes with it
        spans = [(hosts[0].start("quote"), hosts[0].end(), "more")]
    return _Found(hosts[0]["value"], ports[0]["value"] if ports else None, tuple(spans))
