"""Metrics: PromQL in, samples out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from bot.domain.messages import Points


@dataclass(frozen=True)
class Sample:
    """One series at one instant. NaN is kept: it means unknown, never zero."""

    labels: Mapping[str, str]
    value: float


@dataclass(frozen=True)
class Reading:
    """An instant answer. With ``warnings`` an empty answer is not known to be empty."""

    samples: tuple[Sample, ...]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Series:
    """One series over time; steps may be missing."""

    labels: Mapping[str, str]
    points: Points


class Metrics(Protocol):
    """TemporaryError: no answer in time, or 5xx. PermanentError: the query itself is refused."""

    async def query(self, promql: str, at: datetime | None = None) -> Reading: ...

    async def span(self, promql: str, start: datetime, end: datetime, step: timedelta) -> tuple[Series, ...]: ...

    async def check(self) -> str: ...
