"""Posture: what a workload lacks to survive a lost node, a busy neighbour or an intruder, the worst first."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from math import ceil

from bot.domain.anatomy import Anatomy, Budget, Container


class Weight(IntEnum):
    """How bad it is: what takes the service down, what makes it fragile, what is only untidy."""

    BAD = 3
    WEAK = 2
    UNTIDY = 1


class Flaw(StrEnum):
    """What is checked."""

    STUCK_BUDGET = "stuck budget"
    PRIVILEGED = "privileged"
    SINGLE = "single"
    NO_MEMORY_LIMIT = "no memory limit"
    NO_REQUESTS = "no requests"
    NOT_READY_PROBED = "no readiness"
    LOOSE_IMAGE = "loose image"
    ROOT = "root"
    NO_BUDGET = "no budget"
    OVERLAPPING = "overlapping"
    NOT_SPREAD = "not spread"
    NO_POLICY = "no policy"
    IDLE_BUDGET = "idle budget"
    NOT_LIVE_PROBED = "no liveness"
    WRITABLE = "writable"


WEIGHTS = {
    **dict.fromkeys((Flaw.STUCK_BUDGET, Flaw.PRIVILEGED, Flaw.SINGLE, Flaw.NO_MEMORY_LIMIT), Weight.BAD),
    **dict.fromkeys(
        (Flaw.NO_REQUESTS, Flaw.NOT_READY_PROBED, Flaw.LOOSE_IMAGE, Flaw.ROOT, Flaw.NO_BUDGET, Flaw.OVERLAPPING,
         Flaw.NOT_SPREAD), Weight.WEAK,
    ),
    **dict.fromkeys((Flaw.NO_POLICY, Flaw.IDLE_BUDGET, Flaw.NOT_LIVE_PROBED, Flaw.WRITABLE), Weight.UNTIDY),
}  # fmt: skip


@dataclass(frozen=True)
class Finding:
    """``about``: the container, or the names of the budgets; empty where it is the workload as a whole."""

    flaw: Flaw
    about: str = ""

    @property
    def weight(self) -> Weight:
        return WEIGHTS[self.flaw]


def audit(anatomy: Anatomy, *, production: bool) -> tuple[Finding, ...]:
    """Every flaw, the worst first. Of what is ``unknown`` nothing is said."""
    found = [*_budgets(anatomy), *_placed(anatomy, production=production)]
    for container in anatomy.containers:
        found += (Finding(flaw, container.name) for flaw, bad in _CONTAINER if bad(container))
    return tuple(sorted(found, key=lambda each: -each.weight))


def stuck(budget: Budget, replicas: int) -> bool:
    """Whether it lets no pod go even while all are well, so that no node can be drained.

    Shares are rounded up, both of them: kubernetes/kubernetes pkg/controller/disruption/disruption.go.
    """
    if budget.most_missing:
        return _count(budget.most_missing, replicas) == 0
    return bool(budget.least) and _count(budget.least, replicas) >= replicas


def _count(written: str, replicas: int) -> int:
    if written.endswith("%"):
        return ceil(round(float(written[:-1]) * replicas / 100, 9))
    return int(written)


def _budgets(anatomy: Anatomy) -> Iterator[Finding]:
    if "poddisruptionbudgets" in anatomy.unknown:
        return
    for budget in anatomy.budgets:
        if anatomy.replicas > 0 and stuck(budget, anatomy.replicas):
            yield Finding(Flaw.STUCK_BUDGET, budget.name)
    if len(anatomy.budgets) > 1:  # the API server then evicts nothing at all
        yield Finding(Flaw.OVERLAPPING, ", ".join(sorted(each.name for each in anatomy.budgets)))
    if not anatomy.budgets and anatomy.replicas > 1 and not anatomy.per_node:
        yield Finding(Flaw.NO_BUDGET)
    yield from (Finding(Flaw.IDLE_BUDGET, name) for name in anatomy.idle_budgets)


def _placed(anatomy: Anatomy, *, production: bool) -> Iterator[Finding]:
    if production and anatomy.replicas == 1 and not anatomy.per_node:
        yield Finding(Flaw.SINGLE)
    if anatomy.replicas > 1 and not anatomy.spread and not anatomy.per_node:
        yield Finding(Flaw.NOT_SPREAD)
    if not anatomy.policies and "networkpolicies" not in anatomy.unknown:
        yield Finding(Flaw.NO_POLICY)


_TAG = re.compile(r":(?P<tag>[\w.-]+)$")


def loose(image: str) -> bool:
    """Whether another image may stand behind the same words tomorrow: ``latest``, or no tag; a digest is firm."""
    if "@" in image:
        return False
    tag = _TAG.search(image.rpartition("/")[2])
    return tag is None or tag["tag"] == "latest"


_CONTAINER: tuple[tuple[Flaw, Callable[[Container], bool]], ...] = (
    (Flaw.PRIVILEGED, lambda each: each.privileged),
    (Flaw.NO_MEMORY_LIMIT, lambda each: each.size.memory_limit is None),
    (Flaw.NO_REQUESTS, lambda each: each.size.cpu is None or each.size.memory is None),
    (Flaw.NOT_READY_PROBED, lambda each: not each.ready),
    (Flaw.LOOSE_IMAGE, lambda each: loose(each.image)),
    (Flaw.ROOT, lambda each: each.root is not False),
    (Flaw.NOT_LIVE_PROBED, lambda each: not each.live),
    (Flaw.WRITABLE, lambda each: each.writable),
)
