"""What the members of an Alertmanager cluster believe, as each of them says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from bot.domain.alerts import Alert
from bot.domain.silences import Silence


@dataclass(frozen=True)
class Believed:
    """One alert as a member holds it.

    ``silenced_by``: ids of silences; ``inhibited_by``: fingerprints that inhibit it; ``muted_by``: time intervals that
    mute its whole group (named since Alertmanager 0.28).
    """

    alert: Alert
    silenced_by: tuple[str, ...] = ()
    inhibited_by: tuple[str, ...] = ()
    muted_by: tuple[str, ...] = ()

    @property
    def suppressed(self) -> bool:
        """Nobody is told of it."""
        return bool(self.silenced_by or self.inhibited_by or self.muted_by)


@dataclass(frozen=True)
class BelievedGroup:
    """Alerts that one receiver hears of together; ``labels`` are those it is grouped by."""

    receiver: str
    labels: Mapping[str, str]
    alerts: tuple[Believed, ...]


@dataclass(frozen=True)
class Testimony:
    """Everything one member says, and since when it runs: one that has just started knows little yet.

    ``silences``: with those that ended lately, as far as the member remembers them.
    """

    member: str
    up_since: datetime | None
    groups: tuple[BelievedGroup, ...]
    silences: tuple[Silence, ...]

    def held(self) -> Iterator[Believed]:
        """Every alert; one that several receivers hear of comes as often."""
        for group in self.groups:
            yield from group.alerts
