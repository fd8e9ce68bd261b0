"""What several flows do with a workload: find it in a plan, wait until its rollout is done."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import TypeAlias

from bot.domain.errors import TemporaryError, UserError
from bot.domain.phrases import Code, Phrase, phrase
from bot.domain.plans import Plan
from bot.ports.clock import Clock
from bot.ports.cluster import Cluster, Rollout, Workload
from bot.ports.flows import Say
from handlers.flows.tools import LOOK_EVERY, PATIENCE

TROUBLED = timedelta(minutes=2)
"""Ours: a pod that ails and a rollout that does not move for so long will not come right by themselves. A Deployment's
own deadline is ten minutes, and other kinds have none."""
PODS_EVERY = timedelta(seconds=5)
"""Between two looks at the pods of a rollout that stands still."""
YOUNG = timedelta(minutes=1)
"""What was asked for begins before it is watched, and by another clock."""

Moves: TypeAlias = Callable[[Rollout, Say], Awaitable[None]]
"""Moves a rollout on that waits at one of its own steps."""


class StuckError(UserError):
    """The rollout will not finish by itself."""


def target(plan: Plan) -> Workload:
    """The workload that *plan* is about."""
    return Workload(*(plan.params[key] for key in ("cluster", "namespace", "kind", "name")))


class Watch:
    """Waits for the rollout of *image*, or of whatever is rolled out; *moves* it on where it goes step by step."""

    def __init__(self, cluster: Cluster, clock: Clock, workload: Workload, moves: Moves | None = None) -> None:
        self._cluster, self._clock, self._workload, self._moves = cluster, clock, workload, moves

    async def done(self, say: Say, image: str = "") -> Phrase:
        """What runs in the end. StuckError; UserError: for PATIENCE nothing moved."""
        mark, moved, asked = "", self._clock.now(), self._clock.now()
        while (now := self._clock.now()) < moved + PATIENCE:
            rollout = await self._look()
            if rollout:
                arrived = not image or any(running.endswith(image) for running in rollout.images)
                if arrived and (finished := await self._finished(rollout, say)):
                    return finished
                if (seen := _mark(rollout)) != mark:
                    mark, moved, asked = seen, now, now  # as progressDeadlineSeconds counts, too
                    await say(_far(rollout, arrived=arrived))
                elif arrived and now >= asked + PODS_EVERY:
                    asked = now
                    await self._troubled(rollout, say, late=now >= moved + TROUBLED)
                await self._move_on(rollout, say, arrived=arrived)
            await self._clock.sleep(LOOK_EVERY)
        raise UserError("Not available after {time}. Look at the pods.", time=PATIENCE)

    async def _finished(self, rollout: Rollout, say: Say) -> Phrase | None:
        if rollout.stuck:
            trouble = await ailing(self._cluster, self._workload, say.since)
            why = phrase("{why} {trouble}", why=rollout.stuck, trouble=trouble) if trouble else rollout.stuck
            raise StuckError("The rollout is stuck: {why}", why=why)
        if not rollout.done:
            return None
        return phrase("{available} of {desired} pods available", available=rollout.available, desired=rollout.desired)

    async def _move_on(self, rollout: Rollout, say: Say, *, arrived: bool) -> None:
        if arrived and self._moves and waits(rollout) and not rollout.paused:
            await self._moves(rollout, say)

    async def _troubled(self, rollout: Rollout, say: Say, *, late: bool) -> None:
        """Say what ails a pod. StuckError: it has for long, and nothing moves."""
        trouble = await ailing(self._cluster, self._workload, say.since)
        if trouble is None:
            return
        if late and (why := await ailing(self._cluster, self._workload, say.since, placed=True)):
            raise StuckError("The rollout is stuck: {why}", why=why)
        await say(phrase("{far}; {why}", far=_far(rollout, arrived=True), why=trouble))

    async def _look(self) -> Rollout | None:
        """The rollout now, or None while the API server does not answer: that alone fails nothing."""
        try:
            return await self._cluster.rollout(self._workload)
        except TemporaryError:
            return None


async def watch(cluster: Cluster, clock: Clock, workload: Workload, say: Say) -> Phrase:
    """Wait until the rollout is done. StuckError; UserError: it takes too long."""
    return await Watch(cluster, clock, workload).done(say)


def waits(rollout: Rollout) -> bool:
    """Whether it stands still at one of its own steps until somebody moves it."""
    return rollout.progressive is not None and rollout.progressive.waits is not None


async def ailing(cluster: Cluster, workload: Workload, since: datetime, *, placed: bool = False) -> Phrase | None:
    """What ails the first pod in trouble that is no older than *since*; None also where nobody can tell.

    What ailed before is no news: a rollout is often what is to mend it. *placed*: only of pods that have a node, since
    others may get one that is only just ordered.
    """
    try:
        pods = await cluster.pods(workload)
    except (TemporaryError, UserError):
        return None
    for pod in pods:
        young = pod.started_at is None or pod.started_at >= since - YOUNG
        if young and not pod.ready and pod.trouble is not None and (pod.node or not placed):
            return phrase("{pod}: {trouble}", pod=Code(pod.name), trouble=pod.trouble)
    return None


def _mark(rollout: Rollout) -> str:
    """Changes as it gets on."""
    way = rollout.progressive
    return f"{rollout.updated}/{rollout.available}" + (f"/{way.step}/{way.weight}/{way.waits is None}" if way else "")


def _far(rollout: Rollout, *, arrived: bool) -> Phrase:
    if not arrived:
        return phrase("waiting for the new image to be applied")
    counts = phrase("{updated} of {desired} new, {available} available",
                    updated=rollout.updated, desired=rollout.desired, available=rollout.available)  # fmt: skip
    way = rollout.progressive
    if way is None or not way.under_way:
        return counts
    return phrase("{counts}: {step}", counts=counts, step=way.waits or way.doing)
