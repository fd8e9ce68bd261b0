"""The Budgets port over Prometheus."""

from __future__ import annotations

import logging
import math
from collections.abc import Coroutine, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from bot.domain.burndown import Bin, Past, step_of
from bot.domain.errors import PermanentError, TemporaryError
from bot.domain.invariants import Budget
from bot.domain.messages import Points
from bot.domain.regrouping import resets
from bot.domain.slo import Counts, Slo, Standing, over
from bot.engine.figures import KEPT_LONG, Figures, Question
from bot.engine.flights import Flights
from bot.engine.measuring import (
    Answers,
    Sums,
    budget,
    by_region,
    counts_at,
    number,
    questions,
    ranged,
    spending,
    spent,
    spent_apart,
    summed,
)
from bot.ports.clock import Clock
from bot.ports.metrics import Metrics

log = logging.getLogger(__name__)
PATIENCE = 1.5
"""Seconds an answer waits for Prometheus: with drawing and posting it stays under the bots' 2 s."""
CLOSER = 1 / 3
"""The share of that patience for a closer look, without which an answer is only coarser."""
GRID = timedelta(minutes=1)
"""Windows end at whole minutes, so that everybody who asks within one shares the answer."""


@dataclass(frozen=True)
class Span:
    """A range query: *slo* in steps that end between ``start`` and ``end``."""

    slo: Slo
    start: datetime
    end: datetime
    step: timedelta


class PrometheusBudgets:
    """One Prometheus, asked in batches."""

    def __init__(self, metrics: Metrics, clock: Clock, patience: float = PATIENCE) -> None:
        self._metrics, self._clock, self._patience = metrics, clock, patience
        self._figures = Figures(metrics, clock)
        self._spans: Flights[Span, Sums] = Flights(clock, self._launch, lambda _: KEPT_LONG)

    async def close(self) -> None:
        """Give up questions that are still under way."""
        await self._figures.close()
        await self._spans.close()

    async def standings(self, slos: Sequence[Slo]) -> tuple[Budget, ...]:
        """Where each of *slos* stands; all their questions go out together."""
        asked = [each for slo in slos for each in questions(slo)]
        answers = await self._figures.ask(asked, self._patience)
        return tuple(budget(slo, answers) for slo in slos)

    async def apart(self, slo: Slo, label: str) -> Mapping[str, Standing]:
        """The same for each value of *label*."""
        own = _told_apart(slo, label)
        return {} if own is None else by_region(own, await self._figures.ask(questions(own), self._patience))

    async def past(self, slo: Slo) -> Past:
        """The whole window in steps."""
        span = self._window(slo)
        return Past(slo, span.step, await self._bins(span, self._patience))

    async def zoomed(self, past: Past, start: datetime, end: datetime, step: timedelta) -> Past:
        """A part of *past* in finer steps; a recorded share is of its step, so finer ones weigh as much less."""
        bins = await self._bins(Span(past.slo, start + step, end, step), CLOSER * self._patience)
        return Past(past.slo, step, bins, past.allowed * (past.step / step if past.slo.recording else 1))

    async def waits(self, slo: Slo) -> Points | None:
        """The longest wait of each step of the window."""
        span = self._window(slo)
        sums = (await self._spans.answers([span], self._patience)).get(span)
        if sums is None:
            return None
        ages = sums.get("age", {})
        return tuple((at, ages.get(round(at.timestamp()), math.nan)) for at in _steps(span))

    async def burn(self, slo: Slo, start: datetime, end: datetime) -> float | None:
        """The pace between two times. A warning, a region that is silent, no events at all: not known."""
        length, answers = await self._spending(slo, start, end)
        return _pace(slo, length, spent(slo, length, answers))

    async def burns(self, slo: Slo, label: str, start: datetime, end: datetime) -> Mapping[str, float | None]:
        """The pace of each region between two times."""
        own = _told_apart(slo, label)
        if own is None:
            return {}
        length, answers = await self._spending(own, start, end)
        return {name: _pace(slo, length, counts) for name, counts in spent_apart(own, length, answers).items()}

    async def resets(self, slo: Slo) -> float | None:
        """Counter resets in the window."""
        promql = resets(over(slo.total, slo.window))
        if not promql:
            return None
        question = Question(promql, slo.window)
        found = number((await self._figures.ask([question], self._patience))[question])
        return found if isinstance(found, float) else None

    async def _spending(self, slo: Slo, start: datetime, end: datetime) -> tuple[timedelta, Answers]:
        """How long the time between both is, and what was counted in it."""
        length = timedelta(seconds=max(1, round((end - start).total_seconds())))
        asked = spending(slo, length, max(timedelta(), self._clock.now() - end))
        return length, await self._figures.ask(asked, self._patience)

    async def _bins(self, span: Span, patience: float) -> tuple[Bin, ...]:
        """Every step of *span*, those without data too."""
        sums = (await self._spans.answers([span], patience)).get(span, {})
        return tuple(Bin(at, counts_at(span.slo, round(at.timestamp()), sums)) for at in _steps(span))

    def _window(self, slo: Slo) -> Span:
        now, step = self._clock.now(), step_of(slo.window)
        end = now - (now - datetime.min.replace(tzinfo=now.tzinfo)) % GRID
        return Span(slo, end - slo.window + step, end, step)

    def _launch(
        self, spans: Sequence[Span]
    ) -> Iterator[tuple[Sequence[Span], Coroutine[Any, Any, Mapping[Span, Sums]]]]:
        return (((span,), self._look(span)) for span in spans)

    async def _look(self, span: Span) -> Mapping[Span, Sums]:
        try:
            series = await self._metrics.span(ranged(span.slo, span.step), span.start, span.end, span.step)
        except (TemporaryError, PermanentError) as error:
            log.info("the past of an SLO is not known", extra={"slo": span.slo.name, "error": str(error)})
            return {}
        return {span: summed(series)}


def _told_apart(slo: Slo, label: str) -> Slo | None:
    """*slo* by the values of *label*; None where vector() would hide the one without data, since it has no labels."""
    return None if "vector(" in slo.total + slo.bad else replace(slo, regions=label)


def _pace(slo: Slo, length: timedelta, counts: Counts) -> float | None:
    return None if counts.gap else Standing(slo, counts, {length: counts}).burn(length)


def _steps(span: Span) -> tuple[datetime, ...]:
    count = int((span.end - span.start) / span.step) + 1
    return tuple(span.start + at * span.step for at in range(count))
