"""What several flows do with a workload: find it in a plan, wait until its rollout is done."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeAlias

from bot.domain.errors import TemporaryError, UserError
from bot.domain.phrases import Phrase, phrase
from bot.domain.plans import Plan
from bot.ports.clock import Clock
from bot.ports.cluster import Cluster, Rollout, Workload
from bot.ports.flows import Say
from handlers.flows.tools import LOOK_EVERY, PATIENCE

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
        ends, told = self._clock.now() + PATIENCE, ""
        while self._clock.now() < ends:
            rollout = await self._look()
            if rollout:
                arrived = not image or any(running.endswith(image) for running in rollout.images)
                if finished := _finished(rollout, arrived=arrived):
                    return finished
                if (now := _mark(rollout)) != told:
                    ends, told = self._clock.now() + PATIENCE, now  # as progressDeadlineSeconds counts, too
                    await say(_far(rollout, arrived=arrived))
                if arrived and self._moves and waits(rollout) and not rollout.paused:
                    await self._moves(rollout, say)
            await self._clock.sleep(LOOK_EVERY)
        raise UserError("Not available after {time}. Look at the pods.", time=PATIENCE)

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


def _finished(rollout: Rollout, *, arrived: bool) -> Phrase | None:
    if arrived and rollout.stuck:
        raise StuckError("The rollout is stuck: {why}", why=rollout.stuck)
    if not (arrived and rollout.done):
        return None
    return phrase("{available} of {desired} pods available", available=rollout.available, desired=rollout.desired)


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
