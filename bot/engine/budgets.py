"""The Budgets port over Prometheus."""

from __future__ import annotations

import logging
from collections.abc import Coroutine, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from bot.domain.burndown import Bin, Past, step_of
from bot.domain.errors import PermanentError, TemporaryError
from bot.domain.invariants import Budget
from bot.domain.regrouping import resets
from bot.domain.slo import Slo, Standing, over
from bot.engine.figures import KEPT_LONG, Figures, Question
from bot.engine.flights import Flights
from bot.engine.measuring import Sums, budget, by_region, counts_at, number, questions, ranged, summed
from bot.ports.clock import Clock
from bot.ports.metrics import Metrics

log = logging.getLogger(__name__)
PATIENCE = 1.5
"""Seconds an answer waits for Prometheus: with drawing and posting it stays under the bots' 2 s."""
CLOSER = 0.5
"""Seconds it waits for a closer look, without which it is only coarser."""
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
        own = replace(slo, regions=label)
        return by_region(own, await self._figures.ask(questions(own), self._patience))

    async def past(self, slo: Slo) -> Past:
        """The whole window in steps."""
        step = step_of(slo.window)
        seconds = GRID.total_seconds()
        end = datetime.fromtimestamp(self._clock.now().timestamp() // seconds * seconds, self._clock.now().tzinfo)
        return Past(slo, step, await self._bins(Span(slo, end - slo.window + step, end, step), self._patience))

    async def zoomed(self, past: Past, start: datetime, end: datetime, step: timedelta) -> Past:
        """A part of *past* in finer steps; a recorded share is of its step, so finer ones weigh as much less."""
        bins = await self._bins(Span(past.slo, start + step, end, step), CLOSER)
        return Past(past.slo, step, bins, past.allowed * (past.step / step if past.slo.recording else 1))

    async def resets(self, slo: Slo) -> float | None:
        """Counter resets in the window."""
        promql = resets(over(slo.total, slo.window))
        if not promql:
            return None
        question = Question(promql, slo.window)
        found = number((await self._figures.ask([question], self._patience))[question])
        return found if isinstance(found, float) else None

    async def _bins(self, span: Span, patience: float) -> tuple[Bin, ...]:
        """Every step of *span*, those without data too."""
        sums = (await self._spans.answers([span], patience)).get(span, {})
        count = int((span.end - span.start) / span.step) + 1
        stamps = [round(span.start.timestamp() + at * span.step.total_seconds()) for at in range(count)]
        zone = span.start.tzinfo
        return tuple(Bin(datetime.fromtimestamp(at, zone), counts_at(span.slo, at, sums)) for at in stamps)

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
