"""Alertmanager's own state: what each of its members believes fires, and its silences."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.domain.alerts import Alert
from bot.domain.silences import Matching, Silence


@dataclass(frozen=True)
class Believed:
    """One alert as a member holds it. ``silenced_by``: silence ids; ``inhibited_by``: fingerprints that inhibit it."""

    alert: Alert
    silenced_by: tuple[str, ...] = ()
    inhibited_by: tuple[str, ...] = ()


@dataclass(frozen=True)
class BelievedGroup:
    """Alerts that one receiver hears of together; ``labels`` are those it is grouped by."""

    receiver: str
    labels: Mapping[str, str]
    alerts: tuple[Believed, ...]


@dataclass(frozen=True)
class Testimony:
    """Everything one member says, and since when it runs: one that has just started knows little yet."""

    member: str
    up_since: datetime | None
    groups: tuple[BelievedGroup, ...]
    silences: tuple[Silence, ...]


class Silencer(Protocol):
    """TemporaryError: no Alertmanager answered. UserError: it refused the silence, with its reason."""

    async def testimonies(self) -> tuple[Testimony, ...]:
        """All members at once, each with its own deadline; who is silent, slow or talks nonsense is left out."""
        ...

    async def silences(self) -> tuple[Silence, ...]:
        """Those that are active or pending now."""
        ...

    async def silence(self, matchers: tuple[Matching, ...], until: datetime, person: str, comment: str) -> str:
        """Create a silence that begins now; its id."""
        ...

    async def end(self, ident: str) -> None: ...
    async def check(self) -> str: ...
