"""What one server says of itself, and what two of them mean together. Reading apart, the judgement is pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from bot.adapters.postgres_ha import doors
from bot.adapters.postgres_ha.link import MissingError, Talk, first
from bot.domain.errors import UserError
from bot.domain.failover import Way
from bot.ports.regions import Replication

TIMELINE: Final = "('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int"
"""Of a primary. A WAL file's name begins with its timeline in hexadecimal (manual, "WAL Internals")."""
LOOK: Final = f"""
SELECT pg_is_in_recovery(),
       (SELECT system_identifier FROM pg_control_system())::text,
       CASE WHEN pg_is_in_recovery() THEN 0 ELSE {TIMELINE} END,
       (CASE WHEN pg_is_in_recovery() THEN greatest(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn())
             ELSE pg_current_wal_flush_lsn() END - '0/0')::bigint,
       pg_postmaster_start_time()
"""  # noqa: S608 - our own words
BEATS: Final = "SELECT region, at, timeline FROM pult.heartbeat"


@dataclass(frozen=True)
class Beat:
    """A heartbeat: pult's clock when it was written, and the timeline of the primary that took it."""

    at: datetime
    timeline: int


@dataclass(frozen=True)
class Seen:
    """``position``: bytes of WAL flushed by a primary, received by a standby. ``timeline``: 0 for a standby.

    ``closed``: databases that a fence has closed. ``shut``: that fence is seen to hold.
    """

    standby: bool
    system: str
    timeline: int
    position: int
    started: datetime
    beats: Mapping[str, Beat] = field(default_factory=dict)
    closed: frozenset[str] = frozenset()
    shut: bool = False

    @property
    def fenced(self) -> bool:
        """Whether it is seen that it takes none of the application's writes."""
        return self.standby or self.shut


async def look(talk: Talk) -> Seen:
    """One server as it stands."""
    standby, system, timeline, position, started = first(await talk.rows(LOOK))
    try:
        beats = {region: Beat(at, number) for region, at, number in await talk.rows(BEATS)}
        closed = await doors.closed(talk)
    except MissingError:
        beats, closed = {}, frozenset()
    shut = not standby and await doors.shut(talk)
    return Seen(standby, system, timeline, position or 0, started, beats, closed, shut)


def stand(way: Way, source: Seen | None, target: Seen | None, until: datetime, *, fenced: bool) -> Replication:
    """Roles and lag. *until*: now; or since when the source took none of pult's writes, where it is None."""
    known = target is not None and (source is None or follows(way, source, target))
    behind = max(0, source.position - target.position) if known and source and target else None
    return Replication(
        primary=way.source,
        standby=way.target,
        lag=_lag(way, target, behind, until) if known and target else None,
        promoted=target is not None and promoted(way, source, target),
        fenced=fenced,
        behind=behind,
        reachable=source is not None,
    )


def promoted(way: Way, source: Seen | None, target: Seen) -> bool:
    """Whether the target is an open primary, and not one that was left behind.

    Of two primaries the one on the newer timeline was promoted. Beside a source that does not answer, one counts that
    was its standby: it has replayed its heartbeats.
    """
    if target.standby or target.closed:
        return False
    if source is None:
        return way.source in target.beats
    return source.standby or (way.source in target.beats and target.timeline > source.timeline)


def follows(way: Way, source: Seen, target: Seen) -> bool:
    """Whether the target replays what the source writes: its last heartbeat from there is of the same timeline."""
    beat = target.beats.get(way.source)
    same = source.system == target.system and not source.standby
    return same and target.standby and beat is not None and beat.timeline == source.timeline


def distinct(way: Way, source: Seen, target: Seen) -> None:
    """UserError: the two addresses lead to one server, or to two that have nothing to do with each other."""
    regions = {"source": way.source, "target": way.target}
    if source.system != target.system:
        raise UserError(
            "The server in {target} is no copy of the one in {source}: another system identifier.", **regions
        )
    if source.started == target.started:
        raise UserError("The dsn of {source} and that of {target} lead to the same server.", **regions)


def _lag(way: Way, target: Seen, behind: int | None, until: datetime) -> float | None:
    """Seconds from the last replayed heartbeat to *until*; 0 when not a byte is missing."""
    beat = target.beats.get(way.source)
    if not target.standby or beat is None:
        return None
    return 0.0 if behind == 0 else max(0.0, (until - beat.at).total_seconds())
