"""Webhook sources: who may send, and how a body reads. Pure: bytes, headers and time in, a value or an error out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from bot.domain.events import Heard
from bot.ports.store import Tx

Hear = Callable[[Tx, Heard, datetime], bool]
"""What becomes of what was heard; False: nothing that a reader sees has changed."""


@dataclass(frozen=True)
class Delivery:
    """One HTTP request as it came. Header names are lower case; one that came twice has its values joined by commas.

    ``peer``: the IP address of the other end of the connection, empty where there is none.
    """

    headers: Mapping[str, str]
    body: bytes
    received_at: datetime
    peer: str = ""


@dataclass(frozen=True)
class Source:
    """``authenticate`` raises ForgedError, ``parse`` MalformedError; ``key`` is this delivery's identity (ruling 30).

    An empty key means that the state itself decides what is news (alert groups).
    """

    name: str
    authenticate: Callable[[Delivery], None]
    parse: Callable[[Delivery], Heard]
    key: Callable[[Delivery], str]
