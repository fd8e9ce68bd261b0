"""What several flows do with a workload: find it in a plan, wait until its rollout is done."""

from __future__ import annotations

from datetime import timedelta

from bot.domain.errors import TemporaryError, UserError
from bot.domain.phrases import Phrase, phrase
from bot.domain.plans import Plan
from bot.ports.clock import Clock
from bot.ports.cluster import Cluster, Rollout, Workload
from bot.ports.flows import Say

PATIENCE = timedelta(minutes=10)
"""Kubernetes' own progressDeadlineSeconds defaults to 600 s; past that a rollout won't finish by itself."""
LOOK_EVERY = 1.0


def target(plan: Plan) -> Workload:
    """The workload that *plan* is about."""
    return Workload(*(plan.params[key] for key in ("cluster", "namespace", "kind", "name")))


async def watch(cluster: Cluster, clock: Clock, workload: Workload, say: Say, image: str = "") -> Phrase:
    """Wait until the rollout (of *image*, if given) is done. UserError: it is stuck, or took over PATIENCE."""
    ends, told = clock.now() + PATIENCE, ""
    while clock.now() < ends:
        rollout = await _look(cluster, workload)
        if rollout:
            if rollout.stuck:
                raise UserError("The rollout is stuck: {why}", why=rollout.stuck)
            arrived = not image or any(running.endswith(image) for running in rollout.images)
            if rollout.done and arrived:
                return phrase(
                    "{available} of {desired} pods available", available=rollout.available, desired=rollout.desired
                )
            now = f"{rollout.updated}/{rollout.available}"
            if now != told:
                told = now
                await say(_far(rollout, arrived=arrived))
        await clock.sleep(LOOK_EVERY)
    raise UserError("Not available after {time}. Look at the pods.", time=PATIENCE)


async def _look(cluster: Cluster, workload: Workload) -> Rollout | None:
    """The rollout now, or None while the API server does not answer: that alone fails nothing."""
    try:
        return await cluster.rollout(workload)
    except TemporaryError:
        return None


def _far(rollout: Rollout, *, arrived: bool) -> Phrase:
    if not arrived:
        return phrase("waiting for the new image to be applied")
    return phrase("{updated} of {desired} new, {available} available",
                  updated=rollout.updated, desired=rollout.desired, available=rollout.available)  # fmt: skip
