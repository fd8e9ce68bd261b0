"""Evicting pods: of each controller one at a time, the next only once as many serve again as did before.

Whatever it needs is seen in the cluster, so that it goes on after a crash where it was: a pod that has only just been
made is waited for, since it may stand for one that was evicted before the crash.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeAlias

from bot.domain.errors import TemporaryError
from bot.domain.phrases import Code, Phrase, counted, phrase
from bot.ports.clock import Clock
from bot.ports.evictions import Evictions, Kin, Resident
from bot.ports.flows import Say
from handlers.flows.rollouts import TROUBLED, StuckError
from handlers.flows.tools import LOOK_EVERY, PATIENCE

AGAIN = timedelta(seconds=5)
"""Between two tries at a disruption budget, as kubectl pkg/drain has it."""
OVERDUE = timedelta(minutes=1)
"""After its grace period, within which a kubelet that lives has ended it."""

Look: TypeAlias = Callable[[], Awaitable[tuple[Resident, ...]]]
"""The pods that are to go and are still there."""
Ails: TypeAlias = Callable[[datetime], Awaitable[Phrase | None]]
"""What keeps pods from serving that came since then."""


async def nothing(_: datetime) -> Phrase | None:
    """Nothing is known to ail what takes their place."""
    return None


@dataclass
class _Line:
    """Pods of one controller. ``serving``: as many did before the first of them went. ``owed``: one of them has gone
    whose place was not seen taken yet."""

    first: Resident
    serving: int
    owed: bool = False
    next_at: datetime | None = None
    why: Phrase | None = None


@dataclass
class Evicting:
    """``look`` tells who is still to go, of ``total``. ``ails``: what keeps the new ones from serving."""

    evictions: Evictions
    clock: Clock
    look: Look
    total: int
    ails: Ails = nothing
    _lines: dict[str, _Line] = field(default_factory=dict)
    _told: Phrase | None = None

    async def all(self, say: Say) -> None:
        """Until none is left and what took their place serves. StuckError: for too long nothing moved, and why."""
        moved, mark = self.clock.now(), ""
        left: tuple[Resident, ...] = ()
        while (now := self.clock.now()) < moved + PATIENCE:
            found = await self._seen()
            if found is not None:
                left = found
                await self._round(left, now)
                waiting = await self._waiting()
                if not left and not waiting:
                    return
                if (seen := _mark(left, waiting)) != mark:
                    moved, mark = now, seen
                elif now >= moved + TROUBLED and (ails := await self.ails(say.since)):
                    raise StuckError("The rollout is stuck: {why}", why=ails)
                await self._tell(say, left, waiting)
            await self.clock.sleep(LOOK_EVERY)
        raise StuckError("Nothing has moved for {time}: {far}", time=PATIENCE, far=self._far(left, self._whys(left)))

    async def _seen(self) -> tuple[Resident, ...] | None:
        """None while the API server does not answer: that alone fails nothing."""
        try:
            return await self.look()
        except TemporaryError:
            return None

    async def _round(self, left: Iterable[Resident], now: datetime) -> None:
        """Ask one pod of each controller to go, where none of its own is going."""
        groups: dict[str, list[Resident]] = {}
        for each in left:
            groups.setdefault(each.pod.kin or each.pod.uid, []).append(each)
        for key, group in groups.items():
            line = self._lines.get(key)
            if any(each.ends for each in group) or (line and line.next_at and now < line.next_at):
                continue
            try:
                await self._next(key, min(group, key=lambda each: (each.ready, each.pod.name)), now)
            except TemporaryError as error:
                line = self._lines.setdefault(key, _Line(group[0], 0))
                line.next_at = now + (timedelta(seconds=error.delay) if error.delay else AGAIN)
                line.why = _away(error)

    async def _next(self, key: str, pod: Resident, now: datetime) -> None:
        kin = await self.evictions.kin(pod.pod) if pod.pod.kin else Kin(0)
        line = self._lines.setdefault(key, _Line(pod, kin.serving))
        line.why = line.next_at = None
        if pod.ready and kin.serving < line.serving:
            line.why = _short(line, kin.serving)
            return
        if pod.ready and kin.youngest and now < kin.youngest + TROUBLED:
            line.why = phrase("a new pod of {owner} does not serve yet", owner=Code(pod.owner))
            return
        why = await self.evictions.evict(pod.pod)
        line.owed = line.owed or why is None
        if why is not None:
            line.why, line.next_at = phrase("{pod} waits: {why}", pod=Code(pod.pod.name), why=why), now + AGAIN

    async def _waiting(self) -> tuple[Phrase, ...]:
        """Of which controllers fewer serve than before."""
        found = []
        for line in self._lines.values():
            if not (line.owed and line.first.pod.kin):
                continue
            try:
                serving = (await self.evictions.kin(line.first.pod)).serving
            except TemporaryError as error:
                found.append(_away(error))
                continue
            line.owed = serving < line.serving
            if line.owed:
                found.append(_short(line, serving))
        return tuple(found)

    async def _tell(self, say: Say, left: tuple[Resident, ...], waiting: tuple[Phrase, ...]) -> None:
        now = self._far(left, (*self._whys(left), *waiting))
        if now != self._told:
            self._told = now
            await say(now)

    def _whys(self, left: Iterable[Resident]) -> tuple[Phrase, ...]:
        overdue = (
            phrase("{pod} should be gone since {at}, and its node does not say that it is", pod=Code(each.pod.name),
                   at=each.ends)
            for each in left if each.ends and each.ends + OVERDUE < self.clock.now()
        )  # fmt: skip
        keys = {each.pod.kin or each.pod.uid for each in left}
        return (*overdue, *(line.why for key, line in self._lines.items() if line.why is not None and key in keys))

    def _far(self, left: tuple[Resident, ...], whys: tuple[Phrase, ...]) -> Phrase:
        total = max(self.total, len(left))
        far = counted("{gone} of {n} pod is gone", "{gone} of {n} pods are gone", total, gone=total - len(left))
        return phrase("{far}; {why}", far=far, why=whys[0]) if whys else far


def _away(error: TemporaryError) -> Phrase:
    return error.said or phrase("the API server does not answer")


def _short(line: _Line, serving: int) -> Phrase:
    return phrase(
        "of {owner} {serving} serve, and {before} did before",
        owner=Code(line.first.owner), serving=serving, before=line.serving,
    )  # fmt: skip


def _mark(left: tuple[Resident, ...], waiting: tuple[Phrase, ...]) -> str:
    """Changes as it gets on."""
    pods = sorted(f"{each.pod.uid}{'-' if each.ends else ''}" for each in left)
    return f"{pods} {[each.plain() for each in waiting]}"
