"""Alertmanager's own state: what it believes fires, and its silences."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.domain.alerts import Alert


@dataclass(frozen=True)
class Believed:
    """One alert as Alertmanager holds it. ``silenced_by`` are silence ids."""

    alert: Alert
    receivers: tuple[str, ...]
    silenced_by: tuple[str, ...] = ()


class Silencer(Protocol):
    """TemporaryError: no Alertmanager answered. UserError: it refused the silence, with its reason."""

    async def alerts(self) -> tuple[Believed, ...]: ...

    async def silence(self, matchers: Mapping[str, str], until: datetime, person: str, comment: str) -> str:
        """Create a silence on equal labels; its id."""
        ...

    async def end(self, ident: str) -> None: ...
    async def check(self) -> str: ...
