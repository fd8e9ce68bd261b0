"""One look at a new version after another: its pods, its probes, its SLOs and its error lines, each with a deadline."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

from bot.domain import verification
from bot.domain.errors import PultError, UserError
from bot.domain.invariants import Invariant
from bot.domain.phrases import Code, Phrase, phrase
from bot.domain.services import Environment, Probed
from bot.domain.slo import FRESHNESS, Slo
from bot.domain.verification import Burn, Finding, Word
from bot.ports.cluster import Pod, Rollout, Workload
from handlers.flows.rollouts import waits
from handlers.flows.tools import Tools

DEADLINE = 5.0
"""Seconds one judgement may take; what is later is unknown in this look."""
Judge = Callable[[], Awaitable[Finding]]


@dataclass(frozen=True)
class Judged:
    """What is judged: the version that ends with ``image`` in ``environment``, there since ``since``.

    ``before``: until then nothing had been changed. ``slos``: those that its traffic can hurt. ``lines``: whether
    error lines are counted. ``clouded``: the SLOs still hold the minutes of the bad version that it took the place of.
    """

    environment: Environment
    image: str
    since: datetime
    before: datetime
    slos: tuple[Slo, ...] = ()
    lines: bool = False
    clouded: bool = False


@dataclass
class Looks:
    """All judgements of one version. What it remembers between two looks is learned again after a crash."""

    tools: Tools
    judged: Judged
    _restarts: dict[str, int] = field(default_factory=dict)
    _burned: dict[str, float | None] = field(default_factory=dict)
    _late: dict[str, bool] = field(default_factory=dict)

    async def look(self) -> tuple[Finding, ...]:
        """Every judgement that concerns it, all asked at once. UserError: another image runs by now."""
        asked = tuple(self._asked())
        async with asyncio.TaskGroup() as group:
            pods = group.create_task(self._seen())
            tasks = [group.create_task(_within(unknown, judge)) for unknown, judge in asked]
        seen = pods.result()
        if isinstance(seen, UserError):
            raise seen
        clouded = (verification.CLOUDED,) if self.judged.clouded else ()
        return (seen, *(task.result() for task in tasks), *clouded)

    def _asked(self) -> Iterator[tuple[Finding, Judge]]:
        """Each judgement, and what stands for it while it can't be made."""
        if self.judged.environment.verification.probes:
            yield Finding(Word.UNKNOWN, phrase("probes unknown")), self._probes
        if any(slo.kind != FRESHNESS for slo in self.judged.slos):
            yield Finding(Word.UNKNOWN, phrase("burn unknown")), self._burns
        for slo in self.judged.slos:
            if slo.kind == FRESHNESS:
                unknown = Finding(Word.UNKNOWN, phrase("age of {slos} unknown", slos=slo.name))
                yield unknown, partial(self._age, slo)
        if self.judged.lines:
            yield Finding(Word.UNKNOWN, phrase("error lines unknown"), needed=False), self._errors

    async def _seen(self) -> Finding | UserError:
        """The pods; UserError where what runs is another version, which judges nothing of this one."""
        place, cluster = Workload.of(self.judged.environment), self.tools.cluster
        try:
            async with asyncio.timeout(DEADLINE):
                rollout, pods = await cluster.rollout(place), await cluster.pods(place)
        except UserError as error:
            return error
        except (PultError, TimeoutError):
            return Finding(Word.UNKNOWN, phrase("pods unknown"))
        if not any(image.endswith(self.judged.image) for image in rollout.images):
            return UserError("Something else runs now: {image}", image=Code(", ".join(rollout.images)[:120]))
        return self._pods(rollout, pods)

    def _pods(self, rollout: Rollout, pods: tuple[Pod, ...]) -> Finding:
        counts = {pod.name: pod.restarts for pod in pods}
        new = [pod.name for pod in pods if pod.started_at and pod.started_at >= self.judged.before]
        begun_anew = verification.restarted(counts, self._restarts, new)
        self._restarts = counts | self._restarts
        trouble = rollout.stuck or next((pod.trouble for pod in pods if pod.trouble), None)
        return verification.pods(
            rollout.available,
            rollout.desired,
            done=rollout.done or waits(rollout),
            trouble=trouble,
            restarted=begun_anew,
        )

    async def _probes(self) -> Finding:
        probes = self.judged.environment.verification.probes
        async with asyncio.TaskGroup() as group:
            tasks = {probed.url: group.create_task(self._probe(probed)) for probed in probes}
        said = ((url, task.result()) for url, task in tasks.items())
        return verification.probes([(url, why) for url, why in said if why is not None])

    async def _probe(self, probed: Probed) -> Phrase | None:
        return await self.tools.examine(probed)

    async def _burns(self) -> Finding:
        rules, now = self.judged.environment.verification, self.tools.clock.now()
        window = verification.window(now - self.judged.since, rules.bake)
        if window is None:
            return Finding(Word.EARLY, phrase("burn not yet known"))
        slos = [slo for slo in self.judged.slos if slo.kind != FRESHNESS]
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._burn(slo, now - window, now)) for slo in slos]
        return verification.burns((task.result() for task in tasks), rules.burn, window)

    async def _burn(self, slo: Slo, start: datetime, end: datetime) -> Burn:
        budgets = self.tools.budgets
        if budgets is None:
            return Burn(slo.name, None, None)
        if self._burned.get(slo.name) is None:  # an answer that did not come is asked for again
            spans = (verification.WINDOW, verification.BEFORE)
            known = [await budgets.burn(slo, self.judged.before - span, self.judged.before) for span in spans]
            self._burned[slo.name] = max((each for each in known if each is not None), default=None)
        return Burn(slo.name, await budgets.burn(slo, start, end), self._burned[slo.name])

    async def _age(self, slo: Slo) -> Finding:
        budgets, limit = self.tools.budgets, slo.threshold or 0.0
        if budgets is None:
            return verification.late(slo.name, None, limit, before=False)
        before = self._late.get(slo.name)
        if before is None and (points := await budgets.waits(slo)) is not None:
            since = self.judged.before - verification.BEFORE
            before = any(since <= at <= self.judged.before and waited > limit for at, waited in points)
            self._late[slo.name] = before
        (standing,) = await budgets.standings((slo,))
        age = standing.age if isinstance(standing, Invariant) else None
        return verification.late(slo.name, age, limit, before=bool(before))

    async def _errors(self) -> Finding:
        logs, rules, now = self.tools.logs, self.judged.environment.verification, self.tools.clock.now()
        span: timedelta = max(now - self.judged.since, verification.SHORTEST)
        counts: list[int | None] = [None, None]
        if logs is not None:
            ends = (now, self.judged.before)
            counts = [await logs.errors(self.judged.environment, end - span, end) for end in ends]
        return verification.errors(counts[0], counts[1], rules.errors)


async def _within(unknown: Finding, judge: Judge) -> Finding:
    """What *judge* finds, or *unknown* where it fails or is late."""
    found = unknown
    try:
        async with asyncio.timeout(DEADLINE):
            found = await judge()
    except* (PultError, TimeoutError):  # a group, where it asks several at once
        found = unknown
    return found
