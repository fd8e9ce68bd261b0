"""The promotion of a standby: what it may still receive first, then pg_promote, then its doors."""

from __future__ import annotations

from typing import Final

from bot.adapters.postgres_ha.couple import Couple
from bot.adapters.postgres_ha.fencing import Fences
from bot.adapters.postgres_ha.seen import Seen, follows, promoted
from bot.domain.errors import TemporaryError, UserError
from bot.domain.failover import Way
from bot.ports.clock import Clock

CAUGHT_UP: Final = 60.0
"""Seconds for the standby to receive the last of a fenced primary that still answers."""
STALLED: Final = 5.0
"""Seconds without a byte after which it will not; what is missing then was the plan's to judge, by the lag."""
PROMOTED: Final = 120.0
"""Seconds for a promotion; it replays first all that was received."""
LOOK_EVERY: Final = 0.1


async def promote(couple: Couple, fences: Fences, clock: Clock, way: Way) -> None:
    """Safe to repeat from wherever it broke off."""
    source, target = await couple.both(way)
    if target is None:
        raise TemporaryError(f"the database server in {way.target} does not answer")
    if promoted(way, source, target):
        return
    promotable(way, source, target)
    if target.standby:
        if source is not None:
            await _caught_up(couple, clock, way.target, source.position)
        await _primary(couple, clock, way.target)
    if (again := await couple.glimpsed(way.source)) is not None:  # a last look before the doors open
        _fenced(way, again)
    await fences.open(way.target)


def promotable(way: Way, source: Seen | None, target: Seen) -> None:
    """UserError: the source takes writes, or the target is not its standby."""
    if way.source not in target.beats:
        raise UserError(
            "The server in {target} never replayed a heartbeat of {source}: it is not known as its standby.",
            target=way.target, source=way.source,
        )  # fmt: skip
    if source is None:
        return
    _fenced(way, source)
    if target.standby and not source.standby and not follows(way, source, target):
        raise UserError(
            "The server in {target} is on another timeline than {source}.", target=way.target, source=way.source
        )


def _fenced(way: Way, source: Seen) -> None:
    if not source.fenced:
        raise UserError("The server in {region} takes writes: fence it first.", region=way.source)


async def _caught_up(couple: Couple, clock: Clock, region: str, position: int) -> None:
    """Wait while bytes arrive."""
    waited, since, had = 0.0, 0.0, -1
    while (have := (await couple.seen(region)).position) < position and waited < CAUGHT_UP and since < STALLED:
        since = 0.0 if have > had else since + LOOK_EVERY
        had = max(had, have)
        await clock.sleep(LOOK_EVERY)
        waited += LOOK_EVERY


async def _primary(couple: Couple, clock: Clock, region: str) -> None:
    """Without waiting on the connection: a promotion that outlives it is found by looking."""
    async with couple.talking(region) as talk:
        await talk.rows("SELECT pg_promote(wait => false)")
    waited = 0.0
    while (await couple.seen(region)).standby:
        if waited >= PROMOTED:
            raise TemporaryError(f"the database server in {region} is not promoted after {PROMOTED:g} s")
        await clock.sleep(LOOK_EVERY)
        waited += LOOK_EVERY
