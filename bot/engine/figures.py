"""Many questions to Prometheus in few requests: joined into batches, a few at a time, remembered for a moment."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Coroutine, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeAlias
from urllib.parse import quote

from bot.domain.errors import PermanentError, TemporaryError
from bot.domain.slo import Gap
from bot.engine.flights import Flights
from bot.ports.clock import Clock
from bot.ports.metrics import Metrics, Reading, Sample

log = logging.getLogger(__name__)
MARK = "pult_query"
"""The label that tells the members of a batch apart."""
LANES = 4
"""Requests at once: half of the adapter's threads, so that alerts' trends find one free."""
LONG = timedelta(days=1)
"""From here on a query is heavy: fewer in a request, so that Prometheus works on several at once."""
KEPT, KEPT_LONG = timedelta(seconds=15), timedelta(seconds=60)
"""How long an answer serves: a scrape interval; three days and more hardly change in a minute."""
URL = 6_000
"""Characters of a batch once it is escaped: nginx takes a request line of 8 KiB at most (large_client_header_buffers),
and the client writes the query into it."""
MOST, MOST_LONG = 60, 16
Answer: TypeAlias = Reading | Gap
Work: TypeAlias = "Coroutine[Any, Any, Mapping[Question, Answer]]"


@dataclass(frozen=True)
class Question:
    """PromQL over a window of ``length``, evaluated ``back`` ago."""

    promql: str
    length: timedelta
    back: timedelta = timedelta()

    @property
    def long(self) -> bool:
        return self.length >= LONG


class Figures:
    """Answers one by one, however they were asked."""

    def __init__(self, metrics: Metrics, clock: Clock) -> None:
        self._metrics, self._clock = metrics, clock
        self._lanes = asyncio.Semaphore(LANES)
        self._flights: Flights[Question, Answer] = Flights(clock, self._launch, _kept)

    async def ask(self, questions: Iterable[Question], patience: float) -> Mapping[Question, Answer]:
        """Each answer, or why there is none; LATE for what did not come within *patience* seconds."""
        wanted = tuple(questions)
        late: Mapping[Question, Answer] = dict.fromkeys(wanted, Gap.LATE)
        return {**late, **await self._flights.answers(wanted, patience)}

    async def close(self) -> None:
        """Give up what is still under way."""
        await self._flights.close()

    def _launch(self, questions: Sequence[Question]) -> Iterator[tuple[Sequence[Question], Work]]:
        return ((batch, self._fetch(batch)) for batch in batches(questions))

    async def _fetch(self, batch: Sequence[Question]) -> Mapping[Question, Answer]:
        async with self._lanes:
            answers = await self._asked(batch)
        return {question: answer for question, answer in answers.items() if answer is not Gap.LATE}

    async def _asked(self, batch: Sequence[Question]) -> Mapping[Question, Answer]:
        """A refused batch is asked in halves: one bad query must not hide the others."""
        back = batch[0].back
        try:
            reading = await self._metrics.query(joined(batch), self._clock.now() - back if back else None)
        except TemporaryError as error:
            log.info("SLO queries failed", extra={"count": len(batch), "error": str(error)})
            return dict.fromkeys(batch, Gap.LATE)
        except PermanentError as error:
            return await self._halved(batch, error)
        return parted(batch, reading)

    async def _halved(self, batch: Sequence[Question], error: PermanentError) -> Mapping[Question, Answer]:
        if len(batch) == 1:
            log.warning("an SLO's query is refused", extra={"query": batch[0].promql, "error": str(error)})
            return {batch[0]: Gap.REFUSED}
        if not await self._listens():
            return dict.fromkeys(batch, Gap.REFUSED)
        middle = len(batch) // 2
        return {**await self._asked(batch[:middle]), **await self._asked(batch[middle:])}

    async def _listens(self) -> bool:
        """Whether Prometheus takes any query of ours: a wrong token or address refuses all of them alike."""
        try:
            await self._metrics.query("vector(1)")
        except (TemporaryError, PermanentError):
            return False
        return True


def _kept(question: Question) -> timedelta:
    return KEPT_LONG if question.long else KEPT


def batches(questions: Iterable[Question]) -> Iterator[tuple[Question, ...]]:
    """Questions of about one weight and of one instant together, as many as a request holds; the light ones first."""
    ordered = sorted(questions, key=_weight)
    batch: list[Question] = []
    room = 0
    for each in ordered:
        cost = len(quote(_marked(each, MOST))) + len(quote("\nor "))
        like = bool(batch) and _weight(batch[0]) == _weight(each)
        if batch and (not like or cost > room or len(batch) >= (MOST_LONG if each.long else MOST)):
            yield tuple(batch)
            batch = []
        if not batch:
            room = URL
        batch.append(each)
        room -= cost
    if batch:
        yield tuple(batch)


def _weight(question: Question) -> tuple[timedelta, timedelta]:
    """What may share a request: light questions of one instant, heavy ones of one window."""
    return question.back, question.length if question.long else timedelta()


def joined(batch: Sequence[Question]) -> str:
    """One query whose answer carries a mark for each question; a single question as it is."""
    if len(batch) == 1:
        return batch[0].promql
    return "\nor ".join(_marked(each, at) for at, each in enumerate(batch))


def parted(batch: Sequence[Question], reading: Reading) -> Mapping[Question, Reading]:
    """The answer of each question. Warnings do not say whom they concern, so they concern all."""
    if len(batch) == 1:
        return {batch[0]: reading}
    samples: dict[str, list[Sample]] = {}
    for sample in reading.samples:
        labels = {name: value for name, value in sample.labels.items() if name != MARK}
        samples.setdefault(sample.labels.get(MARK, ""), []).append(Sample(labels, sample.value))
    return {each: Reading(tuple(samples.get(str(at), ())), reading.warnings) for at, each in enumerate(batch)}


def _marked(question: Question, at: int) -> str:
    # A comment would swallow the rest of the line; the newline ends it.
    body = question.promql + "\n" if re.search(r"#[^'\"]*$", question.promql) else question.promql
    return f'label_replace({body}, "{MARK}", "{at}", "", "")'
