"""What a workload's containers used, put together from what was measured of each of their pods."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from math import isfinite
from typing import Final, TypeAlias

from bot.domain.hours import midnight
from bot.domain.messages import Points
from bot.domain.sizing import Measured, Used

Pods: TypeAlias = Mapping[tuple[str, str], float]
"""A figure by container and pod."""
HOURS_OF_DAY: Final = 12
"""Hours of a day that have to be known for its peak to be that day's: ours."""


@dataclass(frozen=True)
class Usage:
    """By container. ``cpu`` in cores and ``memory`` in bytes: of the hungriest pod, hour by hour. ``silent``:
    resources of which Prometheus did not tell all."""

    used: Mapping[str, tuple[Used, ...]] = field(default_factory=dict)
    cpu: Mapping[str, Points] = field(default_factory=dict)
    memory: Mapping[str, Points] = field(default_factory=dict)
    silent: frozenset[str] = frozenset()

    def of(self, container: str) -> Measured:
        """What sizing needs to know of one of them."""
        return Measured(self.used.get(container, ()), peaks(self.memory.get(container, ())), self.silent)


def peaks(points: Points) -> tuple[float, ...]:
    """The highest value of each day (UTC) of which enough is known, in order."""
    days: dict[datetime, list[float]] = {}
    for at, value in points:
        if isfinite(value):
            days.setdefault(midnight(at), []).append(value)
    return tuple(max(values) for _, values in sorted(days.items()) if len(values) >= HOURS_OF_DAY)


def merged(figures: Mapping[str, Pods]) -> Mapping[str, tuple[Used, ...]]:
    """*figures*: cpu, cpu_points, memory, memory_points, killed. What is not a number is not known, never zero."""
    found: dict[str, list[Used]] = {}
    for container, pod in sorted({key for each in figures.values() for key in each}):
        read = {name: each.get((container, pod)) for name, each in figures.items()}
        found.setdefault(container, []).append(
            Used(
                pod,
                _finite(read.get("cpu")),
                _whole(read.get("cpu_points")),
                _finite(read.get("memory")),
                _whole(read.get("memory_points")),
                _finite(read.get("killed")),
            )
        )
    return {container: tuple(used) for container, used in found.items()}


def highest(series: Iterable[Points]) -> Points:
    """At each instant the highest value of several series."""
    found: dict[datetime, float] = {}
    for points in series:
        for at, value in points:
            if isfinite(value):
                found[at] = max(value, found.get(at, value))
    return tuple(sorted(found.items()))


def _finite(value: float | None) -> float | None:
    return value if value is not None and isfinite(value) else None


def _whole(value: float | None) -> int:
    return int(value) if value is not None and isfinite(value) else 0
