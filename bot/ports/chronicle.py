"""What was: storms, the past of alerts, and what may be forgotten."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple, Protocol

from bot.domain.alerts import Group
from bot.domain.history import RuleRecord
from bot.domain.storms import Gathered, Storm


class Pruned(NamedTuple):
    """How many rows went. ``more``: there may be others as old."""

    rows: int
    more: bool


class Chronicle(Protocol):
    """Times are given, never read."""

    def new_alerts(self, destination: str, since: datetime, limit: int) -> int:
        """How many alert cards *destination* got since then, counted up to *limit*."""
        ...

    def storm(self, ident: str) -> Storm | None: ...
    def open_storm(self, destination: str) -> Storm | None: ...
    def save_storm(self, storm: Storm) -> None: ...
    def gather(self, storm: str, group: Group) -> None:
        """Make *group* part of *storm*, or bring what the storm knows of it up to date."""
        ...

    def gathered(self, storm: str) -> tuple[Gathered, ...]:
        """What a storm gathered: firing first, then the latest first."""
        ...

    def past_groups(self, words: Iterable[str], since: datetime, limit: int) -> tuple[Group, ...]:
        """Groups opened since then in whose name, service, severity, labels or id every word occurs; newest first."""
        ...

    def records(self, since: datetime, until: datetime) -> tuple[RuleRecord, ...]:
        """What each rule did to people: groups opened in that time, by alert name and service."""
        ...

    def forget(self, before: datetime, limit: int) -> Pruned:
        """Delete up to *limit* of each kind that are over since before then, groups with all their cards.

        What has yet to be shown or answered stays with what it is about; so do operations, approvals and the audit.
        """
        ...
