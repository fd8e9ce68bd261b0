"""Which questions an SLO needs, and what their answers are worth. Pure: nothing is asked here."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import timedelta

from bot.domain.invariants import Budget, Invariant
from bot.domain.regrouping import apart, highest
from bot.domain.slo import BURN_WINDOWS, FRESHNESS, Counts, Gap, Slo, Standing, averaged, over, recorded
from bot.engine.figures import MARK, Answer, Question
from bot.ports.metrics import Reading, Series

FIRST = 30
"""The first 1/30 of a window (a day of 30) must hold data, else less is stored than the window."""
REGIONS = BURN_WINDOWS[1]
"""Which regions there are is told by the last hour: one that is gone for longer is meant to be."""
Answers = Mapping[Question, Answer]
Sums = Mapping[str, Mapping[int, float]]
"""By mark and Unix second."""


def questions(slo: Slo) -> tuple[Question, ...]:
    """Everything to be asked to know where *slo* stands."""
    if slo.kind == FRESHNESS:
        missed = (_missed(slo),) if slo.missed else ()
        return (_age(slo), _peak(slo), *missed, _history(slo))
    counts = tuple(each for window in _windows(slo) for each in _pair(slo, window))
    return (*counts, *((_quantile(slo),) if slo.quantile else ()), _history(slo))


def budget(slo: Slo, answers: Answers) -> Budget:
    """Where *slo* stands by *answers* to its questions."""
    if slo.kind == FRESHNESS:
        return _invariant(slo, answers)
    counts = {window: _counts(slo, window, answers) for window in _windows(slo)}
    regions = _regional(slo, slo.window, answers)
    recent = {window: _heard(counts[window], regions, _regional(slo, window, answers)) for window in BURN_WINDOWS}
    quantile = number(answers[_quantile(slo)]) if slo.quantile else None
    short = number(answers[_history(slo)]) is Gap.ABSENT
    return Standing(slo, counts[slo.window], recent, _known(quantile), short=short, regions=regions)


def by_region(slo: Slo, answers: Answers) -> Mapping[str, Standing]:
    """The same for each region that the whole window names; what one did not send is unknown for it."""
    found = {window: _regional(slo, window, answers) for window in _windows(slo)}
    absent = Counts(None, None, why=Gap.ABSENT)
    return {
        name: Standing(slo, counts, {window: found[window].get(name, absent) for window in BURN_WINDOWS})
        for name, counts in sorted(found[slo.window].items())
    }


def spending(slo: Slo, length: timedelta, back: timedelta) -> tuple[Question, ...]:
    """What tells the pace over *length*, until *back* ago; where regions are told apart, which of them there are."""
    lengths = dict.fromkeys((length, *((REGIONS,) if slo.regions else ())))
    return tuple(replace(each, back=back) for window in lengths for each in _pair(slo, window))


def spent(slo: Slo, length: timedelta, answers: Answers) -> Counts:
    """The counts of that time; a region that is silent in it makes them doubtful."""
    here = _as_now(answers)
    return _heard(_counts(slo, length, here), _regional(slo, REGIONS, here), _regional(slo, length, here))


def spent_apart(slo: Slo, length: timedelta, answers: Answers) -> Mapping[str, Counts]:
    """The counts of that time in each region."""
    return _regional(slo, length, _as_now(answers))


def _as_now(answers: Answers) -> Answers:
    """*answers* to :func:`spending` under the questions of a window that ends now."""
    return {replace(question, back=timedelta()): answer for question, answer in answers.items()}


def ranged(slo: Slo, step: timedelta) -> str:
    """One range query for what happened in each *step*: every kind of count under its own mark."""
    if slo.kind == FRESHNESS:
        wanted = {"age": over(highest(slo.bad), step)}
    elif slo.recording:
        wanted = {"share": recorded(slo.recording, step)}
    else:
        wanted = dict(zip(("total", "bad"), slo.queries(step), strict=True))
    return "\nor ".join(f'label_replace({query}, "{MARK}", "{mark}", "", "")' for mark, query in wanted.items())


def summed(series: Iterable[Series]) -> Sums:
    """All series of one mark together, at each instant; what is no number makes the sum none."""
    sums: dict[str, dict[int, float]] = {}
    for one in series:
        row = sums.setdefault(one.labels.get(MARK, ""), {})
        for at, value in one.points:
            stamp = round(at.timestamp())
            row[stamp] = row.get(stamp, 0.0) + value
    return sums


def counts_at(slo: Slo, stamp: int, sums: Sums) -> Counts:
    """The counts of the step that ends at *stamp*, by the rules of the whole (ruling 2)."""
    if slo.recording:
        share = sums.get("share", {}).get(stamp)
        return Counts(None, None, share, Gap.ABSENT if share is None else None)
    total, bad = (sums.get(mark, {}).get(stamp) for mark in ("total", "bad"))
    return Counts(total, 0.0 if bad is None and total is not None else bad)


def as_counts(total: Answer, bad: Answer) -> Counts:
    """Two answers as counts. Warnings may have hidden bad events: even known numbers are doubtful then."""
    events, failures = number(total), number(bad)
    warned = _warned(total) or _warned(bad)
    if failures is Gap.ABSENT and isinstance(events, float):
        failures = 0.0
    why = next((each for each in (events, failures) if isinstance(each, Gap)), Gap.PARTIAL if warned else None)
    return Counts(_known(events), _known(failures), why=why)


def number(answer: Answer, fold: Callable[[Iterable[float]], float] = math.fsum) -> float | Gap:
    """One number of an answer, or why there is none."""
    if isinstance(answer, Gap):
        return answer
    if not answer.samples:
        return Gap.PARTIAL if answer.warnings else Gap.ABSENT
    values = [sample.value for sample in answer.samples]
    return float(fold(values)) if all(map(math.isfinite, values)) else Gap.NAN


def _warned(answer: Answer) -> bool:
    """Whether something may be missing from it."""
    return isinstance(answer, Reading) and bool(answer.warnings)


def _known(value: float | Gap | None) -> float | None:
    return value if isinstance(value, float) else None


def _windows(slo: Slo) -> tuple[timedelta, ...]:
    return tuple(dict.fromkeys((*BURN_WINDOWS, slo.window)))


def _pair(slo: Slo, window: timedelta) -> tuple[Question, ...]:
    """One question for a recorded share, two for counts."""
    if slo.recording:
        return (Question(recorded(slo.recording, window), window),)
    pair = slo.queries(window)
    return tuple(Question(apart(query, slo.regions) if slo.regions else query, window) for query in pair)


def _quantile(slo: Slo) -> Question:
    return Question(over(slo.quantile, slo.window), slo.window)


def _age(slo: Slo) -> Question:
    return Question(slo.bad, timedelta())


def _peak(slo: Slo) -> Question:
    return Question(over(highest(slo.bad), slo.window), slo.window)


def _missed(slo: Slo) -> Question:
    return Question(over(slo.missed, slo.window), slo.window)


def _history(slo: Slo) -> Question:
    """What there was in the first part of the window: nothing, when less is stored than the window."""
    first = max(timedelta(minutes=1), slo.window / FIRST)
    if slo.kind == FRESHNESS:
        query = over(highest(slo.bad), first)
    else:
        query = averaged(slo.recording, first) if slo.recording else over(slo.total, first)
    return Question(query, first, slo.window - first)


def _counts(slo: Slo, window: timedelta, answers: Answers) -> Counts:
    """The counts of one window, all regions together."""
    if not slo.recording:
        return as_counts(*(answers[question] for question in _pair(slo, window)))
    answer = answers[_pair(slo, window)[0]]
    share = number(answer)
    if isinstance(share, Gap):
        return Counts(None, None, why=share)
    return Counts(None, None, share, Gap.PARTIAL if _warned(answer) else None)


def _heard(counts: Counts, whole: Mapping[str, Counts], here: Mapping[str, Counts]) -> Counts:
    """*counts*, marked where a region that has sent something in the whole window sends nothing in this one."""
    return replace(counts, why=Gap.SILENT) if counts.why is None and whole.keys() - here.keys() else counts


def _regional(slo: Slo, window: timedelta, answers: Answers) -> Mapping[str, Counts]:
    """The counts of each region that the answers name; samples that name none are left out."""
    if not slo.regions or slo.recording:
        return {}
    total, bad = (answers[question] for question in _pair(slo, window))
    if isinstance(total, Gap):
        return {}
    names = dict.fromkeys(sample.labels.get(slo.regions, "") for sample in total.samples)
    return {name: as_counts(_of(total, slo, name), _of(bad, slo, name)) for name in names if name}


def _of(answer: Answer, slo: Slo, name: str) -> Answer:
    if isinstance(answer, Gap):
        return answer
    return replace(answer, samples=tuple(one for one in answer.samples if one.labels.get(slo.regions) == name))


def _invariant(slo: Slo, answers: Answers) -> Invariant:
    """The oldest of all waiting items counts; no answer is none."""
    asked = (_age(slo), _peak(slo), *((_missed(slo),) if slo.missed else ()))
    found = [number(answers[question], max) for question in asked]
    warned = any(_warned(answers[question]) for question in asked)
    why = next((each for each in found if isinstance(each, Gap)), Gap.PARTIAL if warned else None)
    if why is None and number(answers[_history(slo)]) is Gap.ABSENT:
        why = Gap.SHORT
    age, peak, missed = (*map(_known, found), None)[:3]
    return Invariant(slo, age, missed, peak, why)
