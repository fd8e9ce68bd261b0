"""Silences: created, changed, expired; never forgotten while the simulator runs."""

import random
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from bot.simulator.alertmanager.matchers import Matcher
from bot.simulator.alertmanager.wire import millis


class RefusedError(Exception):
    """A silence that cannot be: *status* is the HTTP status, the text goes out as a bare JSON string."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


@dataclass(frozen=True)
class Silence:
    ident: str
    matchers: tuple[Matcher, ...]
    starts: datetime
    ends: datetime
    updated: datetime
    author: str
    comment: str

    def state(self, now: datetime) -> str:
        if now >= self.ends:
            return "expired"
        return "pending" if now < self.starts else "active"

    def rank(self, now: datetime) -> tuple[int, float]:
        """Sorts as API v2 lists them."""
        state = self.state(now)
        if state == "expired":
            return 2, -self.ends.timestamp()
        return (0, self.ends.timestamp()) if state == "active" else (1, self.starts.timestamp())

    def shown(self, now: datetime) -> dict[str, object]:
        """In API v2's order of keys."""
        return {
            "id": self.ident,
            "status": {"state": self.state(now)},
            "updatedAt": millis(self.updated),
            "comment": self.comment,
            "createdBy": self.author,
            "endsAt": millis(self.ends),
            "matchers": [matcher.shown() for matcher in self.matchers],
            "startsAt": millis(self.starts),
        }


class Silences:
    def __init__(self, now: Callable[[], datetime], dice: random.Random) -> None:
        self._now = now
        self._dice = dice
        self._all: dict[str, Silence] = {}

    def find(self, ident: str) -> Silence | None:
        return self._all.get(ident)

    def listed(self, filters: Iterable[Matcher]) -> list[Silence]:
        """Active (ending soonest first), then pending, then expired; those whose matchers suit the filters."""
        now, wanted = self._now(), tuple(filters)
        found = [one for one in self._all.values() if _suits(one, wanted)]
        return sorted(found, key=lambda one: one.rank(now))

    def muting(self, labels: Mapping[str, str]) -> list[str]:
        """Ids of the active silences that match."""
        now = self._now()
        return sorted(
            one.ident
            for one in self._all.values()
            if one.state(now) == "active" and all(matcher.matches(labels) for matcher in one.matchers)
        )

    def put(self, told: Silence) -> Silence:
        """Create (empty id) or change one. Other matchers: the old one expires and a new one is born."""
        now = self._now()
        self._check(told, now)
        starts = max(told.starts, now)
        old = self._all.get(told.ident)
        if old and set(old.matchers) == set(told.matchers) and old.state(now) != "expired":
            kept = replace(told, starts=old.starts if old.state(now) == "active" else starts, updated=now)
            self._all[told.ident] = kept
            return kept
        if old:
            self.expire(told.ident)
        ident = str(uuid.UUID(int=self._dice.getrandbits(128), version=4))
        made = replace(told, ident=ident, starts=starts, updated=now)
        self._all[ident] = made
        return made

    def expire(self, ident: str) -> bool:
        """False when unknown. A silence that has expired already stays as it is."""
        now, known = self._now(), self._all.get(ident)
        if known and known.state(now) != "expired":
            self._all[ident] = replace(known, starts=min(known.starts, now), ends=now, updated=now)
        return known is not None

    def _check(self, told: Silence, now: datetime) -> None:
        if told.starts >= told.ends:
            raise RefusedError(400, "Failed to create silence: start time must be before end time")
        if told.ends < now:
            raise RefusedError(400, "Failed to create silence: end time can't be in the past")
        if all(matcher.matches({}) for matcher in told.matchers):
            raise RefusedError(400, "silence invalid: at least one matcher must not match the empty string")
        if told.ident and told.ident not in self._all:
            raise RefusedError(404, "silence not found")


def _suits(silence: Silence, filters: tuple[Matcher, ...]) -> bool:
    """A filter suits when some matcher of the silence has its name and a value it accepts."""
    return all(
        any(one.name == wanted.name and wanted.matches({one.name: one.value}) for one in silence.matchers)
        for wanted in filters
    )
