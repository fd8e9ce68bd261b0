"""Plans of moves: where the primary is now is asked of the database, never of the configuration."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from bot.domain.errors import UserError
from bot.domain.failover import Move, Pair, Sight, Way
from bot.domain.failover_course import Course, Kind, excessive, written
from bot.domain.failover_steps import steps, there_and_back
from bot.domain.phrases import Code, Phrase, Quantity, phrase
from bot.domain.plans import Hold, Plan, PlannedStep
from bot.domain.services import NO_TOOL
from bot.ports.clock import Clock
from bot.ports.estate import Estate
from bot.ports.regions import Replication
from bot.ports.witnesses import Witnesses
from handlers.commands import failover_facts as facts
from handlers.commands.failover_facts import Rows
from handlers.commands.failover_rooms import Rooms
from handlers.operating.moves import LOCK, REHEARSAL, STAGED

RPO = "rpo"
"""Name of the hold, by which a larger loss is overridden."""


async def _never(_: str) -> datetime | None:
    return None


@dataclass(frozen=True)
class Planner:
    """``since``: when a region was lost, where anybody knows; ``extra``: a drill's steps besides the failover's own."""

    pair: Pair
    estate: Estate
    witnesses: Witnesses
    rooms: Rooms
    clock: Clock
    staged: Estate | None = None
    since: Callable[[str], Awaitable[datetime | None]] = _never
    extra: tuple[PlannedStep, ...] = ()

    async def move(self, way: Way) -> Plan:
        """A failover along the configured way, or the failback. UserError: it makes no sense as things are."""
        forward = self.pair.move.way
        now = await facts.seen(self.estate.database, forward)
        if way == forward:
            return await self._failover(now)
        return await self._failback(now)

    async def drill(self) -> Plan:
        """The failover's own plan, rehearsed. UserError: it was gone already, so that all of it would look well."""
        way, now = self.pair.move.way, await facts.seen(self.estate.database, self.pair.move.way)
        if now is not None and now.promoted:
            raise UserError(
                "The database in {target} is promoted already: nothing is left to rehearse. Back to {source} goes: "
                "{command}",
                target=way.target, source=way.source, command=Code(_words(way.back)),
            )  # fmt: skip
        course = await self._course(Kind.DRILL, self.pair.move, self.estate, now)
        title = phrase("Rehearse the failover {source} to {target}", source=course.source, target=course.target)
        blast = (phrase("Nothing is changed: every step only looks."),)
        return await self._plan(course, now, title, blast)

    async def live(self) -> Plan:
        """Staging there and back. UserError: nothing is configured for it, or it is not where it should be."""
        move, estate = self.pair.staging, self.staged
        if move is None or estate is None:
            raise UserError("No live drill is configured. Add the section {section}.",
                            section=Code("[failover.drill.staging]"))  # fmt: skip
        now = await facts.seen(estate.database, move.way)
        if now is None or now.promoted:
            raise UserError("Staging's database is not seen in {region}, where a live drill begins.",
                            region=move.way.source)  # fmt: skip
        there = await self._course(Kind.LIVE, move, estate, now, measured=False)
        home = await self._course(Kind.FAILBACK, replace(move, way=move.way.back), estate, None, measured=False)
        links, given = tuple(replace(link, was="") for link in home.links), [each for each in there.lots if each.more]
        back = replace(home, kind=Kind.LIVE, links=links, spare=tuple(given))
        return Plan(
            action="drill",
            title=phrase("Move staging from {source} to {target} and back", source=there.source, target=there.target),
            service="", environment="",
            steps=there_and_back(there, replace(back, kind=Kind.FAILBACK)),
            params={"source": there.source, "target": there.target, "course": written(there), "back": written(back)},
            pins=_pins(now, await facts.going(estate.traffic)),
            blast=(
                phrase("Staging really moves: twice it takes no writes for a while."),
                phrase("Production is not touched."),
            ),
            evidence=(*facts.database_rows(now, self.pair.rpo), *facts.room_rows(there), *facts.link_rows(there)),
            lock=STAGED,
        )  # fmt: skip

    async def _failover(self, now: Replication | None) -> Plan:
        move = self.pair.move
        if now is not None and now.promoted and await facts.going(self.estate.traffic) == move.way.target:
            raise UserError(
                "{target} serves already. Back to {source} goes: {command}",
                target=move.way.target, source=move.way.source, command=Code(_words(move.way.back)),
            )  # fmt: skip
        course = await self._course(Kind.FAILOVER, move, self.estate, now)
        title = phrase("Fail over {source} to {target}", source=course.source, target=course.target)
        return await self._plan(course, now, title, _blast(course))

    async def _failback(self, now: Replication | None) -> Plan:
        """Never planned by pult itself, and never before a failover."""
        back = self.pair.move.way.back
        if now is None:
            raise UserError("The database does not answer, so nobody knows where its primary is.")
        if not now.promoted:
            raise UserError(
                "There is nothing to fail back: {primary} in {target} is the primary. To move away, write {command}.",
                primary=Code(now.primary), target=back.target, command=Code(_words(back.back)),
            )  # fmt: skip
        there, move = await facts.seen(self.estate.database, back), replace(self.pair.move, way=back)
        course = await self._course(Kind.FAILBACK, move, self.estate, there)
        course = replace(course, spare=await self.rooms.spare(move))
        title = phrase("Fail back {source} to {target}", source=course.source, target=course.target)
        return await self._plan(course, there, title, _blast(course))

    async def _course(
        self, kind: Kind, move: Move, estate: Estate, now: Replication | None, *, measured: bool = True
    ) -> Course:
        """*measured*: SLOs tell how it went; they are production's."""
        lag, moved = now.lag if now else None, self.rooms.moved(move)  # UserError, before anybody is asked
        unsafe = not (now and now.promoted) and excessive(lag, self.pair.rpo)
        async with asyncio.TaskGroup() as group:  # what does not answer is waited for once
            lots = group.create_task(self.rooms.lots(move))
            machines = group.create_task(self.rooms.machines(move, estate))
            links = group.create_task(self.rooms.links(move, estate))
        return Course(
            kind=kind, source=move.way.source, target=move.way.target, rpo=self.pair.rpo, planned=self.clock.now(),
            rto=self.pair.rto, lag=lag, reachable=now.reachable if now else False,
            held=kind is Kind.FAILOVER and unsafe, lost_since=await self.since(move.way.source),
            lots=lots.result(), machines=machines.result(), links=links.result(), probes=move.probes,
            services=tuple(service.name for service, _, _ in moved) if measured else (),
        )  # fmt: skip

    async def _plan(self, course: Course, now: Replication | None, title: Phrase, blast: tuple[Phrase, ...]) -> Plan:
        async with asyncio.TaskGroup() as group:
            asked = group.create_task(facts.going(self.estate.traffic))
            sights = (await self.witnesses.look()).sights
        region = asked.result()
        return Plan(
            action="drill" if course.kind is Kind.DRILL else "failover",
            title=title,
            service="",
            environment="",
            steps=steps(course, self.extra if course.kind is Kind.DRILL else ()),
            params={
                "source": course.source, "target": course.target, "rpo": str(course.rpo.total_seconds()),
                "kind": str(course.kind), "course": written(course),
            },
            pins={} if course.kind is Kind.FAILBACK else _pins(now, region),
            blast=blast,
            evidence=self._evidence(course, now, region) + facts.votes(sights)
            + _health(course, sights),
            lock=REHEARSAL if course.kind is Kind.DRILL else LOCK,
            holds=_holds(course),
            harmless=not course.acts,
        )  # fmt: skip

    def _evidence(self, course: Course, now: Replication | None, region: str | None) -> Rows:
        database = facts.database_rows(now, course.rpo, back=course.kind is Kind.FAILBACK)
        rooms = (*facts.room_rows(course), *facts.spare_rows(course))
        return (*database, *facts.traffic_rows(region), *rooms, *facts.link_rows(course))


def _health(course: Course, sights: Mapping[str, Sight]) -> Rows:
    match course.kind:
        case Kind.FAILOVER:
            return facts.health_rows(course.source, sights)
        case Kind.FAILBACK:
            return facts.ruin_rows(course.target, sights)
        case _:
            return ()


def _pins(now: Replication | None, region: str | None) -> dict[str, str]:
    """What was not known at planning is not held against the world."""
    known = {} if now is None else {"promoted": str(now.promoted)}
    return known | ({"traffic": region} if region else {})


def _holds(course: Course) -> tuple[Hold, ...]:
    if not course.held:
        return ()
    if course.lag is None or math.isnan(course.lag):
        return (Hold(RPO, phrase("Nobody knows the replication lag, so nobody knows how much would be lost")),)
    why = phrase(
        "The standby is {lag} behind, more than the {rpo} allowed", lag=Quantity(course.lag, "s", 1), rpo=course.rpo
    )
    return (Hold(RPO, why),)


def _blast(course: Course) -> tuple[Phrase, ...]:
    writes = phrase("Writes stop from the fence until the promotion is done.")
    if course.kind is Kind.FAILBACK:
        last = phrase("Nothing is lost: it waits until the other database has everything.")
    else:
        last = phrase("{source} stays fenced until a planned failback.", source=course.source)
    return writes, last, *_from_git(course)


def _from_git(course: Course) -> tuple[Phrase, ...]:
    """Whose number of pods is raised, and may be put back."""
    names = [lot.service for lot in course.lots if lot.more and lot.environment.gitops.tool != NO_TOOL]
    if not names:
        return ()
    return (phrase(
        "{names}: {region} takes them from git. Where git says how many pods, Argo CD or Flux takes more away again.",
        names=", ".join(names), region=course.target,
    ),)  # fmt: skip


def _words(way: Way) -> str:
    return f"failover {way.source} to {way.target}"
