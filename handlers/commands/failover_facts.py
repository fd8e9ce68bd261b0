"""What is known of the two regions, in words: for the plan's evidence and for the status."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import timedelta

from bot.domain.errors import TemporaryError
from bot.domain.failover import Sight, Way, lost
from bot.domain.failover_course import Course, Lot
from bot.domain.phrases import Code, Phrase, Quantity, phrase, verbatim
from bot.ports.regions import Database, Replication, Traffic

SIGHT_WORDS = {
    Sight.UP: phrase("sees it up"),
    Sight.LOST: phrase("sees it lost"),
    Sight.UNKNOWN: phrase("does not know"),
}
DEADLINE = 4.0
"""Seconds for one answer of a region that may be burning: a plan must be there within the command's own time."""
Rows = tuple[tuple[Phrase, Phrase], ...]


async def seen(database: Database, way: Way) -> Replication | None:
    """None: its API does not answer."""
    try:
        async with asyncio.timeout(DEADLINE):
            return await database.replication(way)
    except (TemporaryError, TimeoutError):
        return None


async def going(traffic: Traffic) -> str | None:
    """Where traffic goes, empty for none of our regions; None: nobody knows."""
    try:
        async with asyncio.timeout(DEADLINE):
            return await traffic.region()
    except (TemporaryError, TimeoutError):
        return None


def database_rows(now: Replication | None, rpo: timedelta, *, back: bool = False) -> Rows:
    """*rpo*: lag that needs no override. *back*: before a failback, where the standby is the old primary."""
    if now is None:
        return ((phrase("Database"), phrase("its API does not answer")),)
    return (
        (phrase("Database"), _servers(now, back=back)),
        (phrase("Replication lag"), lag_told(now, rpo)),
        (phrase("Primary") if back else phrase("Old primary"), _writes(now)),
    )  # fmt: skip


def _writes(now: Replication) -> Phrase:
    if now.fenced:
        return phrase("fenced")
    return phrase("takes writes") if now.reachable else phrase("does not answer, and is not fenced")


def _servers(now: Replication, *, back: bool) -> Phrase:
    if not now.standby:  # a managed one that was promoted is replaced by another, which a failback makes
        return phrase("{primary}, no standby yet", primary=Code(now.primary))
    role = phrase("promoted") if now.promoted else phrase("replica")
    if back and now.lag is None:
        role = phrase("it does not follow yet")
    return phrase(
        "{primary}, standby {standby} ({role})", primary=Code(now.primary), standby=Code(now.standby), role=role
    )


def lag_told(now: Replication, rpo: timedelta) -> Phrase:
    """Beside what is allowed."""
    if now.lag is None:
        return phrase("unknown")
    return phrase("{lag}, allowed {rpo}", lag=Quantity(now.lag, "s", 1), rpo=rpo)


def traffic_rows(region: str | None) -> Rows:
    """None: nobody knows."""
    if region is None:
        return ((phrase("Traffic"), phrase("its API does not answer")),)
    return ((phrase("Traffic"), verbatim(region) if region else phrase("to none of our regions")),)


def votes(sights: Mapping[str, Sight]) -> Rows:
    """One for each witness."""
    return tuple((phrase("Witness {name}", name=name), SIGHT_WORDS[sight]) for name, sight in sights.items())


def health_rows(region: str, sights: Mapping[str, Sight]) -> Rows:
    """A region that nobody sees lost may be left all the same; everybody is told in red."""
    if lost(sights.values()):
        return ((phrase("Region {region}", region=region), phrase("a majority of the witnesses sees it lost")),)
    return ((phrase("Region {region}", region=region), phrase("🔴 no majority of the witnesses sees it lost")),)


def ruin_rows(region: str, sights: Mapping[str, Sight]) -> Rows:
    """Before a failback: nobody goes home into a fire without being told."""
    if not lost(sights.values()):
        return ()
    return ((phrase("Region {region}", region=region), phrase("🔴 a majority of the witnesses still sees it lost")),)


def room_rows(course: Course) -> Rows:
    """What is there of what is needed, and whether it can come."""
    if not course.lots and not course.machines:
        return ()
    told = [_lot(lot) for lot in course.lots]
    told += [_of(pool.pool, pool.was, pool.need) for pool in course.machines]
    return ((phrase("Capacity"), _joined(told)),)


def spare_rows(course: Course) -> Rows:
    """What is left of the room that was made for the failover, once its region stands by again."""
    if not course.spare:
        return ()
    told = [phrase("{service} at least {count}", service=lot.service, count=lot.least) if lot.scaler
            else phrase("{service} {count}", service=lot.service, count=lot.was) for lot in course.spare]  # fmt: skip
    return ((phrase("Pods of {region} afterwards", region=course.source), _joined(told)),)


def link_rows(course: Course) -> Rows:
    """What holds the database's address now."""
    return tuple(
        (phrase("Connection {place}", place=link.named),
         phrase("{address}", address=Code(link.was)) if link.was else phrase("unknown"))
        for link in course.links
    )  # fmt: skip


def _joined(told: list[Phrase]) -> Phrase:
    values = {f"l{at}": each for at, each in enumerate(told)}
    return Phrase("; ".join(f"{{{name}}}" for name in values), values)


def _lot(lot: Lot) -> Phrase:
    told = _of(lot.service, lot.was, lot.need)
    if lot.capped:
        return phrase("🔴 {told}: its autoscaler allows {most}", told=told, most=lot.most)
    if not lot.known:
        return phrase("{told} (how many the other region had is not known)", told=told)
    return told


def _of(name: str, there: int, need: int) -> Phrase:
    return phrase("{name} {there} of {need}", name=name, there="?" if there < 0 else str(there), need=need)
