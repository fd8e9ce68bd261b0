"""Witnesses: each independent view of a region asked at once; one that can't answer does not vote.

Those that look from where pult stands (an address, an API server, the database) would all fail when pult's own way out
is broken, and would call every region lost at once. So the API server of the other region is asked beside them: if that
does not answer either, their "lost" is not known to be one. It costs nothing that would have been of use, since a
failover into a region that pult can't reach is none. A view that still says "up" counts all the same: nothing that is
broken could make it say so.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from bot.domain.detection import Look, View
from bot.domain.errors import PultError, RateLimitedError, TemporaryError, UserError
from bot.domain.failover import Pair, Sight, Witness
from bot.domain.phrases import Phrase, Quantity, phrase, verbatim
from bot.domain.promql import selectors
from bot.domain.services import Probed
from bot.ports.clock import Clock
from bot.ports.metrics import Metrics
from bot.ports.probe import Examine
from bot.ports.regions import Database
from bot.ports.witnesses import UptimeChecks

log = logging.getLogger(__name__)
DEADLINE = 5.0
"""Seconds for each witness, all of them at once."""
AHEAD = 5.0
"""Seconds that a sample may be newer than our clock: more is a clock that can't be trusted to say what is stale."""
Reach = Callable[[str], Awaitable[str]]
"""The version of a cluster's API server, by the cluster's name; raises when it does not answer."""


@dataclass(frozen=True)
class Senses:
    """What witnesses look through. None: not configured, so that whoever needs it knows nothing."""

    examine: Examine
    reach: Reach
    metrics: Metrics | None = None
    uptime: UptimeChecks | None = None
    database: Database | None = None


class Panel:
    """All witnesses of one failover, about the region it goes away from."""

    def __init__(self, pair: Pair, clock: Clock, senses: Senses) -> None:
        self._pair, self._clock, self._senses = pair, clock, senses

    async def look(self) -> Look:
        """Every witness's view by its name, within DEADLINE."""
        witnesses = self._pair.witnesses
        async with asyncio.TaskGroup() as group:
            out = group.create_task(self._sees_out()) if any(witness.own for witness in witnesses) else None
            tasks = {witness: group.create_task(self._one(witness)) for witness in witnesses}
        blind = out is not None and not out.result()
        views = {witness.name: self._weighed(witness, task.result(), blind) for witness, task in tasks.items()}
        return Look(self._clock.now(), views, blind)

    async def check(self, name: str) -> str:
        """What the witness called *name* says now. UserError: it does not see the region, or sees it lost."""
        view = (await self.look()).views[name]
        if view.sight is Sight.UP:
            return f"it sees {self._pair.source} up: {view.why.plain()}"
        seen = phrase("does not know") if view.sight is Sight.UNKNOWN else phrase("sees it lost")
        raise UserError("It {sees}: {why}", sees=seen, why=view.why)

    def _weighed(self, witness: Witness, view: View, blind: bool) -> View:
        """*view* as it counts: no view of ours where pult sees nothing, none that is too old."""
        if blind and witness.own and view.sight is Sight.LOST:
            why = phrase("pult reaches {target} no more than this: it may be cut off itself", target=self._pair.target)
            return View(Sight.UNKNOWN, why)
        age = (self._clock.now() - view.at).total_seconds() if view.at else 0.0
        if age > self._pair.fresh.total_seconds():
            return replace(view, sight=Sight.UNKNOWN, why=phrase("its last sample is {age} old", age=_seconds(age)))
        if age < -AHEAD:
            return replace(view, sight=Sight.UNKNOWN, why=phrase("its clock is {age} ahead", age=_seconds(-age)))
        return view

    async def _sees_out(self) -> bool:
        """Whether the API server of the other region answers, whatever it says."""
        try:
            async with asyncio.timeout(DEADLINE):
                await self._senses.reach(self._pair.target)
        except RateLimitedError:
            return True
        except (TimeoutError, TemporaryError):
            return False
        except Exception as error:  # noqa: BLE001 - it refuses, so it is there
            log.info("the other region refuses", extra={"cluster": self._pair.target, "why": repr(error)})
        return True

    async def _one(self, witness: Witness) -> View:
        try:
            async with asyncio.timeout(DEADLINE):
                return await self._seen(witness)
        except RateLimitedError as error:  # it does answer, only not this
            return View(Sight.UNKNOWN, verbatim(str(error)))
        except TimeoutError:
            return self._silent(witness, phrase("no answer in {seconds}", seconds=_seconds(DEADLINE)))
        except TemporaryError as error:
            log.debug("witness gets no answer", extra={"witness": witness.name, "why": repr(error)})
            why = phrase("its API server does not answer") if witness.cluster else verbatim(str(error))
            return self._silent(witness, why)
        except UserError as error:
            return View(Sight.UNKNOWN, error.phrase)
        except Exception as error:  # noqa: BLE001 - a refusal or a mistake of ours says nothing of the region
            log.warning("witness can't say", extra={"witness": witness.name, "why": repr(error)})
            return View(Sight.UNKNOWN, verbatim(str(error)) if isinstance(error, PultError) else phrase("it failed"))

    def _silent(self, witness: Witness, why: Phrase) -> View:
        """An API server that does not answer is lost; of whoever only tells about the region silence says nothing."""
        return View(Sight.LOST, why, self._clock.now()) if witness.cluster else View(Sight.UNKNOWN, why)

    async def _seen(self, witness: Witness) -> View:
        if witness.cluster:
            version = await self._senses.reach(witness.cluster)
            return View(Sight.UP, phrase("answers, version {version}", version=version), self._clock.now())
        if witness.url:
            why = await self._senses.examine(Probed(witness.url))
            return View(Sight.LOST if why else Sight.UP, why or phrase("answers"), self._clock.now())
        if witness.uptime:
            return await self._checked(witness.uptime)
        if witness.database:
            return await self._beating()
        return await self._measured(witness.query)

    async def _checked(self, check: str) -> View:
        if self._senses.uptime is None:
            return View(Sight.UNKNOWN, phrase("nobody can be asked: {section} is missing", section="[digitalocean]"))
        sight = await self._senses.uptime.sight(check)
        return View(sight, _PLACES[sight], self._clock.now())

    async def _beating(self) -> View:
        if self._senses.database is None:
            return View(Sight.UNKNOWN, phrase("nobody can be asked: the database can't be reached"))
        if await self._senses.database.beats(self._pair.source):
            return View(Sight.UP, phrase("its server works"), self._clock.now())
        return View(Sight.LOST, phrase("its server takes no heartbeat"), self._clock.now())

    async def _measured(self, query: str) -> View:
        """Zeros are as old as the oldest of what they were made of."""
        if self._senses.metrics is None:
            return View(Sight.UNKNOWN, phrase("nobody can be asked: {section} is missing", section="[prometheus]"))
        reading = await self._senses.metrics.query(query)
        values = [sample.value for sample in reading.samples]
        if not values or any(math.isnan(value) for value in values):
            return View(Sight.UNKNOWN, phrase("no data"))
        ages = [await self._newest(self._senses.metrics, each) for each in selectors(query)]
        at = min(ages, default=self._clock.now())
        if any(values):
            return View(Sight.UP, phrase("its metric is {value}", value=Quantity(max(values))), at)
        if reading.warnings:  # zeros of partial data are no vote (promise 14)
            return View(Sight.UNKNOWN, phrase("its data is not complete"))
        return View(Sight.LOST, phrase("its metric is 0"), at)

    async def _newest(self, metrics: Metrics, selector: str) -> datetime:
        """When the newest sample of *selector* was taken: an expression's own time is always now. Long ago: none."""
        found = (await metrics.query(f"max(timestamp({selector}))")).samples
        stamp = found[0].value if found else 0.0
        return datetime.fromtimestamp(0.0 if math.isnan(stamp) else stamp, UTC)


_PLACES: Mapping[Sight, Phrase] = {
    Sight.UP: phrase("most places of the check reach it"),
    Sight.LOST: phrase("most places of the check do not reach it"),
    Sight.UNKNOWN: phrase("its places do not agree, or the check is off"),
}


def _seconds(number: float) -> Quantity:
    return Quantity(number, "s", 0)


def measured(metrics: Metrics | None, query: str) -> Callable[[], Coroutine[Any, Any, float | None]]:
    """A reader of one number: None when there is no answer, no sample, or NaN."""

    async def read() -> float | None:
        if metrics is None:
            return None
        try:
            samples = (await metrics.query(query)).samples
        except PultError:
            return None
        value = samples[0].value if len(samples) == 1 else math.nan
        return None if math.isnan(value) else value

    return read
