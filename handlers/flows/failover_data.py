"""The database's steps of a move: how far the standby is, the fence, the promotion, and who follows whom after it.

Promise 19: nothing is promoted unless the fence is *seen* to stand, or people stated for this very operation that the
old primary is off and nothing that pult sees says otherwise.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

from bot.domain.errors import PultError, TemporaryError, UntouchedError, UserError, told
from bot.domain.failover_course import tolerable, unknown
from bot.domain.phrases import Code, Phrase, Quantity, counted, phrase
from bot.domain.statements import Statement, attested
from bot.ports.flows import Did, Say
from bot.ports.regions import Replication
from handlers.flows.failover_tools import LOOK_EVERY, PATIENCE, Leg, Tools, did

CONFIRM = timedelta(seconds=20)
"""How long a fence that was asked for may take to be seen."""
LAST_WORDS = timedelta(seconds=30)
"""How long a failover waits for what a living primary wrote before its fence; a dead one is not waited for."""
STALE = timedelta(seconds=15)
"""How old a lag in seconds may be: Prometheus scrapes four times a minute. Bytes are asked of the server itself."""


class Data:
    """Each looks before it acts, since a crash may run it twice."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools

    async def lag(self, leg: Leg, _: Say) -> Phrase | Did:
        """UserError: more would be lost than anybody allowed. An unknown lag counts as too large (promise 14)."""
        now = await leg.estate.database.replication(leg.course.way)
        if now.promoted:
            return phrase("promoted already")
        return did(self.tolerated(leg, now), lag=now.lag, behind=now.behind, reachable=now.reachable)

    def tolerated(self, leg: Leg, now: Replication) -> Phrase:
        """How far the standby is behind, in words."""
        allowed = tolerable(leg.course, self._tools.clock.now(), reachable=now.reachable)
        if unknown(now.lag):
            if allowed is None:
                return phrase("nobody knows the replication lag, and that was overridden")
            raise UserError("Nobody knows the replication lag, so nobody knows how much would be lost.")
        lag = Quantity(now.lag or 0.0, "s", 1)
        if allowed is not None and (now.lag or 0.0) > allowed:
            raise UserError(
                "The standby is {lag} behind, more than the {rpo} allowed.", lag=lag, rpo=timedelta(seconds=allowed)
            )
        return phrase("{lag} behind", lag=lag)

    async def fence(self, leg: Leg, say: Say) -> Did:
        """Done only when the fence is seen to stand, or the primary was stated to be off."""
        try:
            seen = await self._fenced(leg, say)
        except (PultError, TimeoutError, OSError) as error:
            why = told(error)
        else:
            if seen.fenced:
                return did(phrase("the old primary takes no more writes"), at=self._tools.clock.now(), lag=seen.lag,
                           behind=seen.behind, reachable=seen.reachable, stated=False)  # fmt: skip
            why = phrase("it was asked for, and is not seen to stand")
        if (statement := await self._statement(leg)) is not None:
            return did(statement.told, at=self._tools.clock.now(), stated=True)
        raise UserError(
            "The fence can't be confirmed: the old primary may still take writes. {why}. Try again, or, once somebody "
            "has made sure that the primary is off, state it: {command}",
            why=why, command=Code(f"failover attest {leg.operation} <why>"),
        )  # fmt: skip

    async def caught_up(self, leg: Leg, say: Say) -> Did:
        """Nothing is lost: waits until the standby has every byte. UserError: it does not get there."""
        fenced, ends = self._fence_time(leg), self._tools.clock.now() + PATIENCE
        while (now := await self._look(leg)) is None or not _complete(now, fenced, self._tools.clock.now()):
            if now is not None and now.promoted:
                return did(phrase("promoted already"))
            if self._tools.clock.now() >= ends:
                raise UserError("The standby still lacks something after {time}.", time=PATIENCE)
            if now is not None:
                await say(_behind(now))
            await self._tools.clock.sleep(LOOK_EVERY)
        if not _heard_out(now):
            said = phrase(
                "the old primary does not answer: what it took last, up to {lag}, may be missing",
                lag=Quantity(now.lag or 0.0, "s", 1),
            )
            return did(said, lag=now.lag, behind=None, silent=True)
        return did(phrase("the standby has everything"), lag=now.lag, behind=now.behind)

    async def promote(self, leg: Leg, say: Say) -> Did:
        """Refuses without a fence, whatever the steps before said; done when the new primary is seen to be one."""
        try:
            now = await leg.estate.database.replication(leg.course.way)
        except TemporaryError as error:
            raise await self._refusal(leg, told(error)) from error
        await self._guard(leg, now)
        last = await self._seen_before(leg)
        if not now.promoted:
            now = await self._last_words(leg, now, say)
            if now.lag is not None or not last:  # behind the same fence what was seen first still holds
                last = {"lag": now.lag, "behind": now.behind}
            await self._tools.store.write(lambda tx: tx.put_mark(_asked(leg), json.dumps(last)))
            await leg.estate.database.promote(leg.course.way)
            await say(phrase("asked, waiting for it"))
            await self._promoted(leg)
        done = phrase("promoted already") if now.promoted else phrase("{standby} takes writes", standby=now.standby)
        return did(done, at=self._tools.clock.now(), lag=last.get("lag"), behind=last.get("behind"))

    async def rejoin(self, leg: Leg, say: Say) -> Phrase:
        """The target's old server follows the source's: what a failback begins with."""
        return await self._follows(leg, say, back=False)

    async def rejoin_other(self, leg: Leg, say: Say) -> Phrase:
        """The source's server, primary until now, follows the target's."""
        return await self._follows(leg, say, back=True)

    async def _follows(self, leg: Leg, say: Say, *, back: bool) -> Phrase:
        way, database = leg.course.way.back if back else leg.course.way, leg.estate.database
        now, ends = await database.replication(way), self._tools.clock.now() + PATIENCE
        if not _following(now):
            await database.rejoin(way)
            await say(phrase("asked, waiting for it"))
            while (found := await self._looked(leg, back=back)) is None or not _following(found):
                if self._tools.clock.now() >= ends:
                    raise UserError("{standby} does not follow after {time}.", standby=now.standby, time=PATIENCE)
                await self._tools.clock.sleep(LOOK_EVERY)
            now = found
        return phrase("{standby} follows {primary}", standby=now.standby, primary=now.primary)

    async def unfence(self, leg: Leg, _: Say) -> Phrase:
        """The way back of a fence. UserError: the promotion has begun, or is done: then it must stay."""
        asked = await self._tools.store.read(lambda tx: tx.mark(_asked(leg)))
        if asked is not None or (await leg.estate.database.replication(leg.course.way)).promoted:
            raise UserError("{target} may be a primary by now, so the fence stays.", target=leg.course.target)
        await leg.estate.database.unfence(leg.course.way)
        ends = self._tools.clock.now() + CONFIRM
        while (await leg.estate.database.replication(leg.course.way)).fenced:
            if self._tools.clock.now() >= ends:
                raise UserError("The fence still stands.")
            await self._tools.clock.sleep(LOOK_EVERY)
        return phrase("{source} takes writes again", source=leg.course.source)

    async def _fenced(self, leg: Leg, say: Say) -> Replication:
        """What is seen once the fence stands, or has had its time."""
        database, way = leg.estate.database, leg.course.way
        before = await self._look(leg)
        if before is not None and before.fenced:
            return before
        await database.fence(way)
        now, ends = await database.replication(way), self._tools.clock.now() + CONFIRM
        if not now.fenced:
            await say(phrase("asked, waiting for it"))
        while not now.fenced and self._tools.clock.now() < ends:
            await self._tools.clock.sleep(LOOK_EVERY)
            now = await database.replication(way)
        return now

    async def _guard(self, leg: Leg, now: Replication) -> None:
        """UserError: both might take writes."""
        if now.fenced:
            return
        if await self._statement(leg) is None:
            text = phrase("The old primary is not fenced; promoting now could split the data in two.")
            if now.promoted:
                text = phrase(
                    "Both servers may take writes: fence the one in {source} at once.", source=leg.course.source
                )
            raise await self._refusal(leg, text)
        if await self._beats(leg):
            text = phrase(
                "It was stated that the primary in {region} is off, but it takes writes.", region=leg.course.source
            )
            raise await self._refusal(leg, text)

    async def _refusal(self, leg: Leg, why: Phrase) -> UserError:
        """Nothing was begun, unless it was asked for in an earlier attempt."""
        asked = await self._tools.store.read(lambda tx: tx.mark(_asked(leg)))
        return (UntouchedError if asked is None else UserError)("{why}", why=why)

    async def _seen_before(self, leg: Leg) -> dict[str, Any]:
        """How far the standby was behind when this leg's promotion was asked for, by a pult that died since, too."""
        kept = await self._tools.store.read(lambda tx: tx.mark(_asked(leg)))
        found: dict[str, Any] = json.loads(kept) if isinstance(kept, str) else {}
        return found

    async def _statement(self, leg: Leg) -> Statement | None:
        name = attested(leg.operation, leg.course.source)
        found: Statement | None = await self._tools.store.read(lambda tx: tx.mark(name))
        return found

    async def _beats(self, leg: Leg) -> bool:
        """Whether pult itself sees the old primary at work."""
        try:
            return await leg.estate.database.beats(leg.course.source)
        except (PultError, TimeoutError):
            return False

    async def _last_words(self, leg: Leg, now: Replication, say: Say) -> Replication:
        """What a fenced primary that still answers wrote is waited for a little: then nothing is lost at all."""
        first, fenced, ends = now, self._fence_time(leg), self._tools.clock.now() + LAST_WORDS
        while now.fenced and now.reachable and now.behind and not _complete(now, fenced, self._tools.clock.now()):
            if self._tools.clock.now() >= ends:
                break
            await say(_behind(now))
            await self._tools.clock.sleep(LOOK_EVERY)
            now = await self._look(leg) or now
        if now is not first:  # a fence may fall meanwhile
            now = await leg.estate.database.replication(leg.course.way)
            await self._guard(leg, now)
        return now

    async def _promoted(self, leg: Leg) -> None:
        ends = self._tools.clock.now() + PATIENCE
        while (now := await self._look(leg)) is None or not now.promoted:
            if self._tools.clock.now() >= ends:
                raise UserError("The promotion is not done after {time}.", time=PATIENCE)
            await self._tools.clock.sleep(LOOK_EVERY)

    async def _look(self, leg: Leg) -> Replication | None:
        return await self._looked(leg, back=False)

    async def _looked(self, leg: Leg, *, back: bool) -> Replication | None:
        """None while nothing answers: that alone fails nothing."""
        way = leg.course.way.back if back else leg.course.way
        try:
            return await leg.estate.database.replication(way)
        except TemporaryError:
            return None

    def _fence_time(self, leg: Leg) -> datetime:
        at = leg.value("fence").get("at")
        return datetime.fromisoformat(at) if at else self._tools.clock.now()


def _asked(leg: Leg) -> str:
    """Name of the mark that the promotion of this leg was asked for, with what the standby lacked then (JSON; an
    earlier pult left the time alone): from then on its fence must stay.
    """
    return f"promoting:{leg.operation}:{leg.course.target}"


def _following(now: Replication) -> bool:
    return now.lag is not None and not now.promoted


def _complete(now: Replication, fenced: datetime, at: datetime) -> bool:
    """Bytes tell by themselves; seconds do once what was written last, before the fence, must be through."""
    if now.behind is not None:
        return now.behind == 0
    return now.lag is not None and at - timedelta(seconds=now.lag) - STALE >= fenced


def _heard_out(now: Replication) -> bool:
    """Whether "complete" is known: seconds up to a server's silence say nothing of what it took right before that."""
    return now.reachable or now.behind is not None or now.lag == 0


def _behind(now: Replication) -> Phrase:
    if now.behind is not None:
        return counted("{n} byte behind", "{n} bytes behind", now.behind)
    return phrase("{lag} behind", lag=Quantity(now.lag or 0.0, "s", 1))
