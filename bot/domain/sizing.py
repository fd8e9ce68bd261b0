"""Right-sizing: what a container should ask for, from what it used; what that saves, and what it risks.

The rules are those of robusta-dev/krr's simple strategy: processor by the 95th percentile and without a limit, memory
by its peak and a reserve, request and limit alike.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from math import isfinite
from typing import Final

from bot.domain.money import Rates
from bot.domain.quantities import MIB, up

WINDOW: Final = timedelta(days=14)
STEP: Final = timedelta(seconds=75)
SHARE: Final = 0.95
RESERVE, AFTER_KILL = 1.15, 1.25
"""Over the highest use; over the limit at which the kernel killed it, since what it wanted nobody saw (krr)."""
ENOUGH: Final = 100
"""Points of all pods together, and of one pod before its percentile says more than how it starts."""
LEAST_CPU, LEAST_MEMORY = 0.010, 64.0 * MIB
"""Cores and bytes: below it a request says nothing. The processor's is krr's; the memory's is ours."""
NEAR: Final = 0.10
"""What differs by less from what stands there is not worth a rollout: ours."""
GIB: Final = 2.0**30


class Kept(StrEnum):
    """Why nothing is advised."""

    FEW = "few"
    """Not enough history."""
    OWNED = "owned"
    """A HorizontalPodAutoscaler measures it against the request: another request is another number of pods."""
    SILENT = "silent"
    """Prometheus did not tell, or not all of it: what is advised from a part may be too little."""
    FITS = "fits"
    """What stands there is near enough."""


@dataclass(frozen=True)
class Used:
    """What one pod's container used: ``cpu`` is the percentile in cores, ``memory`` the peak in bytes.

    ``killed``: the memory limit in bytes under which it ran out of memory, None where it never did.
    """

    pod: str
    cpu: float | None = None
    cpu_points: int = 0
    memory: float | None = None
    memory_points: int = 0
    killed: float | None = None


@dataclass(frozen=True)
class Measured:
    """One container over all its pods. ``days``: the memory peak of each day, in bytes; one that is not finite is not
    known, and no day at all. ``silent``: resources of which Prometheus did not tell all."""

    used: tuple[Used, ...] = ()
    days: tuple[float, ...] = ()
    silent: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Sized:
    """What a container asks for, in cores and bytes; None where it says nothing."""

    cpu: float | None = None
    memory: float | None = None
    cpu_limit: float | None = None
    memory_limit: float | None = None


@dataclass(frozen=True)
class Risk:
    """``passed`` of ``days`` had a peak above the limit."""

    passed: int
    days: int

    @property
    def share(self) -> float:
        """Of days to come, by the rule of succession: fourteen good days do not prove that there is no bad one."""
        return (self.passed + 1) / (self.days + 2)


@dataclass(frozen=True)
class Advice:
    """For one container. ``cpu`` is the request in cores, ``memory`` request and limit in bytes; None: as it is, and
    ``kept_*`` says why. ``killed``: it ran out of memory. ``pods`` that were measured. ``risk`` is of the new limit."""

    container: str
    now: Sized
    cpu: float | None
    memory: float | None
    kept_cpu: Kept | None
    kept_memory: Kept | None
    killed: bool
    pods: int
    risk: Risk | None

    @property
    def changes(self) -> bool:
        """Whether anything is to be written."""
        return self.cpu is not None or self.memory is not None


def advise(container: str, now: Sized, measured: Measured, owned: frozenset[str]) -> Advice:
    """*owned*: resources by which an autoscaler scales: cpu, memory."""
    found, days = measured.used, measured.days
    cpu, kept_cpu = None, _kept("cpu", owned, measured)
    if kept_cpu is None:
        cpu, kept_cpu = _judged(_cpu(found), now.cpu, changes=now.cpu_limit is not None)
    memory, kept_memory = None, _kept("memory", owned, measured)
    if kept_memory is None:
        memory, kept_memory = _judged(_memory(found), now.memory, changes=now.memory_limit != now.memory)
    risk = Risk(*_passed(days, memory)) if memory is not None else None
    return Advice(
        container, now, cpu, memory, kept_cpu, kept_memory, any(each.killed for each in found), len(found),
        risk if risk and risk.days else None,
    )  # fmt: skip


def saved(advices: Iterable[Advice], pods: int, rates: Rates) -> Decimal:
    """What *pods* of this size cost less a month; below zero where they cost more. What was not asked for cost 0."""
    every = tuple(advices)
    cores = sum((each.now.cpu or 0.0) - each.cpu for each in every if each.cpu is not None)
    held = sum((each.now.memory or 0.0) - each.memory for each in every if each.memory is not None)
    return rates.monthly(round(cores, 6) * pods, round(held / GIB, 9) * pods)


def _kept(resource: str, owned: frozenset[str], measured: Measured) -> Kept | None:
    if resource in owned:
        return Kept.OWNED
    return Kept.SILENT if resource in measured.silent else None


def _judged(wanted: float | None, stands: float | None, *, changes: bool) -> tuple[float | None, Kept | None]:
    """*changes*: what stands beside the request is to change in any case."""
    if wanted is None:
        return None, Kept.FEW
    if stands and not changes and abs(wanted - stands) <= NEAR * stands:
        return None, Kept.FITS
    return wanted, None


def _cpu(used: tuple[Used, ...]) -> float | None:
    """The highest percentile of any pod in whole millicores. Those that hardly lived only tell how they start."""
    known = [(each.cpu, each.cpu_points) for each in used if each.cpu is not None and isfinite(each.cpu)]
    if sum(points for _, points in known) < ENOUGH:
        return None
    lived = [value for value, points in known if points >= ENOUGH] or [value for value, _ in known]
    return max(LEAST_CPU, up(max(lived) * 1000) / 1000)


def _memory(used: tuple[Used, ...]) -> float | None:
    """The highest peak of any pod and a reserve, in whole MiB."""
    known = [(each.memory, each.memory_points) for each in used if each.memory is not None and isfinite(each.memory)]
    if sum(points for _, points in known) < ENOUGH:
        return None
    killed = max((each.killed for each in used if each.killed), default=0.0)
    wanted = max(max(value for value, _ in known) * RESERVE, killed * AFTER_KILL, LEAST_MEMORY)
    return float(up(wanted / MIB) * MIB)


def _passed(days: Iterable[float], limit: float) -> tuple[int, int]:
    known = [peak for peak in days if isfinite(peak)]
    return sum(peak > limit for peak in known), len(known)
