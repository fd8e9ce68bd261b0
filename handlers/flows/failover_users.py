"""Where users' requests go, and whether they are served there: by the database, from outside, and by the SLOs."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.domain.codec import encode
from bot.domain.errors import UserError
from bot.domain.invariants import Invariant
from bot.domain.phrases import Phrase, Quantity, phrase
from bot.domain.services import Probed, Verification
from bot.domain.slo import FRESHNESS, Slo
from bot.ports.budgets import Budgets
from bot.ports.flows import Did, Say
from handlers.flows.failover_tools import Leg, Tools, did, listed

LOOK_EVERY = 3.0
"""Seconds between two looks."""
FIRST = timedelta(seconds=10)
"""How long traffic has arrived before SLOs are asked: shorter than that nobody has numbers."""
GRACE = timedelta(seconds=90)
"""How long probes and SLOs may take beyond the old answers' life: a minute of Prometheus' scrapes and more."""
REGION = "region"
"""The label by which metrics tell regions apart ([[clusters]] region)."""
BURN = Verification().burn
"""How many times as fast as it may a budget is spent where a region does not serve: as after a release."""


@dataclass(frozen=True)
class _Measured:
    """What SLOs say: ``bad`` ones, ``unknown`` ones (never healthy, promise 14), and those that are met."""

    bad: tuple[Phrase, ...]
    unknown: tuple[Phrase, ...]
    good: tuple[Phrase, ...]


class Users:
    """Each looks before it acts."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools

    async def shift(self, leg: Leg, _: Say) -> Did:
        """Says until when answers that were given before live on in resolvers."""
        seconds = await leg.estate.traffic.shift(leg.course.target)
        now = self._tools.clock.now()
        until = now + timedelta(seconds=seconds)
        said = phrase(
            "traffic goes to {region}; resolvers forget the old answer within {time}, until {until}",
            region=leg.course.target, time=timedelta(seconds=seconds), until=until,
        )  # fmt: skip
        return did(said, at=now, until=until, ttl=seconds)

    async def rehearse_shift(self, leg: Leg, _: Say) -> Did:
        """UserError: answers live on for longer than the whole move may take."""
        seconds, found = await leg.estate.traffic.ttl(), await leg.estate.traffic.region()
        if seconds > leg.course.rto.total_seconds():
            raise UserError(
                "Resolvers remember an answer for {time}, longer than the goal of {rto}: lower the record's TTL.",
                time=timedelta(seconds=seconds), rto=leg.course.rto,
            )  # fmt: skip
        said = phrase(
            "traffic goes to {region} now; resolvers would forget within {time}",
            region=found or "?", time=timedelta(seconds=seconds),
        )  # fmt: skip
        return did(said, ttl=seconds)

    async def verify(self, leg: Leg, say: Say) -> Did:
        """UserError: it does not serve. What nobody could measure is said, and never counts as verified."""
        await self._stands(leg)
        ends = self._until(leg, say) + GRACE
        probed = await self._probed(leg, say, ends)
        measured = await self._measured(leg, say, ends)
        if measured.bad:
            raise UserError("{region} serves, but badly: {bad}.", region=leg.course.target, bad=listed(measured.bad))
        unknown = (*measured.unknown, *self._unasked(leg))
        serves = phrase("{region} serves reads and writes", region=leg.course.target)
        parts = [serves, *probed, *measured.good]
        if unknown:
            parts.append(phrase("not verified: {unknown}", unknown=listed(unknown)))
        return did(
            listed(parts), at=self._tools.clock.now(), verified=not unknown,
            unverified=encode(unknown),
        )  # fmt: skip

    async def rehearse_verify(self, leg: Leg, _: Say) -> Did:
        """What would be asked, asked now: of the region that serves."""
        bad = [why for url in leg.course.probes if (why := await self._probe(url)) is not None]
        now = self._tools.clock.now()
        measured = await self._asked(leg, leg.course.source, now - timedelta(minutes=5), now)
        if bad or measured.bad:
            raise UserError("What would verify it fails by itself now: {bad}.", bad=listed((*bad, *measured.bad)))
        unknown = (*measured.unknown, *self._unasked(leg))
        if unknown:
            return did(phrase("nothing was changed; not verifiable: {unknown}", unknown=listed(unknown)),
                       unverified=encode(unknown))  # fmt: skip
        return did(phrase("nothing was changed; all that would verify it answers"), unverified=[])

    async def _stands(self, leg: Leg) -> None:
        now, found = await leg.estate.database.replication(leg.course.way), await leg.estate.traffic.region()
        if not now.promoted or found != leg.course.target:
            raise UserError("{region} does not serve yet.", region=leg.course.target)
        if not await leg.estate.database.beats(leg.course.target):
            raise UserError("The database in {region} does not take writes.", region=leg.course.target)

    async def _probed(self, leg: Leg, say: Say, ends: datetime) -> tuple[Phrase, ...]:
        """Resolvers may still send the probe to the old region, so a wrong answer is asked for again."""
        if not leg.course.probes:
            return ()
        while bad := [why for url in leg.course.probes if (why := await self._probe(url)) is not None]:
            if self._tools.clock.now() >= ends:
                raise UserError("It does not answer from outside as it should: {bad}.", bad=listed(bad))
            await say(phrase("waiting for {lacking}", lacking=listed(bad)))
            await self._tools.clock.sleep(LOOK_EVERY)
        return (phrase("every probe from outside answers"),)

    async def _probe(self, url: str) -> Phrase | None:
        why = await self._tools.examine(Probed(url))
        return None if why is None else phrase("{url}: {why}", url=url, why=why)

    async def _measured(self, leg: Leg, say: Say, ends: datetime) -> _Measured:
        """Since traffic came; a bad minute of arriving passes, so what is bad is looked at again until the end."""
        arrived = self._arrived(leg, say)
        while True:
            now = self._tools.clock.now()
            if not self._slos(leg) or now - arrived >= FIRST:
                start = max(arrived, now - timedelta(minutes=1))
                found = await self._asked(leg, leg.course.target, start, now)
                if not (found.bad or found.unknown) or now >= ends or self._tools.budgets is None:
                    return found
                await say(phrase("waiting for {lacking}", lacking=listed((*found.bad, *found.unknown))))
            await self._tools.clock.sleep(LOOK_EVERY)

    async def _asked(self, leg: Leg, cluster: str, start: datetime, end: datetime) -> _Measured:
        region = self._tools.regions.get(cluster, cluster)
        said = [await self._one(slo, region, start, end) for slo in self._slos(leg)]
        return _Measured(
            tuple(told for good, told in said if good is False),
            tuple(told for good, told in said if good is None),
            tuple(told for good, told in said if good),
        )

    async def _one(self, slo: Slo, region: str, start: datetime, end: datetime) -> tuple[bool | None, Phrase]:
        """Whether *slo* is met; None: nobody knows."""
        name, budgets = f"{slo.service} {slo.name}", self._tools.budgets
        if budgets is None:
            return None, phrase("{slo} unknown", slo=name)
        if slo.kind == FRESHNESS:
            (standing,) = await budgets.standings((slo,))
            age = standing.age if isinstance(standing, Invariant) else None
            if age is None or not math.isfinite(age):
                return None, phrase("{slo} unknown", slo=name)
            return age <= (slo.threshold or 0.0), phrase("{slo}: {age} old", slo=name, age=Quantity(age, "s", 1))
        burn = await self._burn(budgets, slo, region, start, end)
        if burn is None:
            return None, phrase("{slo} unknown", slo=name)
        return burn < BURN, phrase("{slo} burns {burn}", slo=name, burn=Quantity(burn, "x", 1))

    async def _burn(self, budgets: Budgets, slo: Slo, region: str, start: datetime, end: datetime) -> float | None:
        """Of that region alone, where the metrics tell regions apart: what the old one still gets fails there.

        A region that says nothing while others do is not known, whatever the sum of all says.
        """
        apart = await budgets.burns(slo, REGION, start, end)
        return apart.get(region) if apart else await budgets.burn(slo, start, end)

    def _slos(self, leg: Leg) -> tuple[Slo, ...]:
        return tuple(slo for slo in self._tools.slos if slo.service in leg.course.services)

    def _unasked(self, leg: Leg) -> Iterable[Phrase]:
        """What would have told, and is not there."""
        if not leg.course.probes:
            yield phrase("no probe from outside is configured")
        if not self._slos(leg):
            yield phrase("no SLO of what moved is configured")

    def _arrived(self, leg: Leg, say: Say) -> datetime:
        at = leg.value("shift").get("at")
        return datetime.fromisoformat(at) if at else say.since

    def _until(self, leg: Leg, say: Say) -> datetime:
        """When the last old answer is forgotten."""
        until = leg.value("shift").get("until")
        return max(datetime.fromisoformat(until), say.since) if until else say.since
