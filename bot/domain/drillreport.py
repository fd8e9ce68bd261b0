"""What a failover, a failback or a drill came to: its timeline, RTO and RPO against the goals, what to mend. Pure.

Everything is read from the operation's own row: its steps with their times and the figures that they journaled (JSON),
its pauses, its approvals; and from the contact check, where the drill had one.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import isnan
from typing import Any

from bot.domain.codec import Json, decode
from bot.domain.contacts import CONTACT, Roll
from bot.domain.failover_course import Course, Kind, lost, read
from bot.domain.failover_steps import BACK, THERE
from bot.domain.messages import StepMark
from bot.domain.operations import FINAL, Approval, Operation, State, Verdict
from bot.domain.phrases import Phrase, phrase, verbatim

ACTIONS = frozenset({"failover", "drill"})
"""Actions whose operations are reported on."""


@dataclass(frozen=True)
class Span:
    """One stretch of the timeline. ``step``: its name, empty before the first step; ``mark`` None: people's time.

    ``blocked``: how much of it stood still after a failure, until somebody chose how to go on.
    """

    title: Phrase
    since: datetime
    until: datetime
    step: str = ""
    mark: StepMark | None = None
    said: Phrase | None = None
    blocked: timedelta = timedelta()

    @property
    def length(self) -> timedelta:
        return self.until - self.since


@dataclass(frozen=True)
class Blocked:
    """A step that failed, why, and for how long it held everything up. ``length`` None: it still does."""

    title: Phrase
    step: str
    why: Phrase | None
    length: timedelta | None


@dataclass(frozen=True)
class Report:
    """``rto``: from ``since`` to the region that serves; None: it was not reached, or nothing moved. ``rpo``: seconds.

    ``silence``: how long nobody could write. ``lag``: how far the standby was behind at the step that looked, in
    seconds. ``ttl``: how long resolvers keep an answer. ``home``: what a live drill's way back took. ``asks``: whether
    people are to be asked in it; ``roll``: who was, None before that.
    """

    operation: str
    course: Course
    state: State
    proposer: str
    proposed: datetime
    began: datetime | None
    ended: datetime | None
    approvals: tuple[Approval, ...]
    spans: tuple[Span, ...]
    blocked: tuple[Blocked, ...]
    since: datetime
    rto: timedelta | None = None
    rpo: float | None = None
    silence: timedelta | None = None
    lag: float | None = None
    ttl: timedelta | None = None
    home: timedelta | None = None
    stated: bool = False
    unverified: tuple[Phrase, ...] = ()
    roll: Roll | None = None
    asks: bool = False
    known: tuple[tuple[Phrase, Phrase], ...] = ()
    result: Phrase | None = None

    @property
    def kind(self) -> Kind:
        return self.course.kind

    @property
    def over(self) -> bool:
        """Whether the operation has come to its end, whatever that was."""
        return self.state in FINAL

    @property
    def held_up(self) -> timedelta:
        """How long all of it stood still after failures."""
        return sum((each.length for each in self.blocked if each.length is not None), timedelta())

    @property
    def in_time(self) -> bool | None:
        """Whether the RTO was kept; None: nobody can tell."""
        return None if self.rto is None else self.rto <= self.course.rto

    @property
    def spare(self) -> bool | None:
        """Whether no more was lost, or would have been, than the RPO allows; None: nobody can tell."""
        lost = self.rpo if self.course.acts else self.lag
        return None if lost is None else lost <= self.course.rpo.total_seconds()


def reported(operation: Operation, roll: Roll | None, now: datetime) -> Report:
    """What *operation* came to, as far as it is by *now*. It is a failover's, a failback's or a drill's."""
    course = read(operation.plan.params)
    figures = _Figures(operation, course)
    return Report(
        operation.id, course, operation.state, operation.proposer, operation.created_at, operation.started_at,
        operation.ended_at, tuple(each for each in operation.approvals if each.verdict is Verdict.APPROVE),
        tuple(_spans(operation, course, now)), tuple(_blocked(operation)),
        figures.since, figures.rto, figures.rpo, figures.silence, figures.lag, figures.ttl, figures.home,
        stated=bool(figures.of("fence").get("stated")), unverified=_unverified(figures),
        roll=roll, asks=any(step.name == CONTACT for step in operation.plan.steps), known=operation.plan.evidence,
        result=operation.result,
    )  # fmt: skip


def _unverified(figures: _Figures) -> tuple[Phrase, ...]:
    """As the step left it; an earlier pult left English."""
    kept: list[Json] = figures.of("verify").get("unverified", [])
    return tuple(verbatim(each) if isinstance(each, str) else decode(each) for each in kept)


def reportable(operation: Operation) -> bool:
    """Whether there is anything to report: it is a move or a drill, and has begun."""
    return operation.plan.action in ACTIONS and operation.started_at is not None


class _Figures:
    """What the steps measured. Of a live drill the way there counts: it is the one that a failover goes."""

    def __init__(self, operation: Operation, course: Course) -> None:
        self._operation, self._course = operation, course
        self._prefix = THERE if course.kind is Kind.LIVE else ""
        self._report = self.of("report") if not self._prefix else {}
        begun = operation.created_at if course.kind is Kind.FAILOVER else operation.started_at
        self.since = _at(self._report.get("since")) or course.lost_since or begun or operation.created_at

    def of(self, step: str, prefix: str | None = None) -> dict[str, Any]:
        """What *step* journaled; empty where it was skipped, failed, or has no figures."""
        found = self._operation.report((self._prefix if prefix is None else prefix) + step)
        if found is None or found.mark is not StepMark.DONE or not found.value.startswith("{"):
            return {}
        read: dict[str, Any] = json.loads(found.value)
        return read

    @property
    def rto(self) -> timedelta | None:
        """As its last step told it, else until traffic had moved and was verified; None before that, and of a drill.

        Where nobody verifies it any more, until traffic had moved."""
        if not self._course.acts:
            return None
        if (told := self._report.get("rto")) is not None:
            return timedelta(seconds=told)
        served = _at(self.of("verify").get("at"))
        if served is None and (self._operation.final or self._left_out("verify")):
            served = _at(self.of("shift").get("at"))
        return served - self.since if served else None

    def _left_out(self, step: str) -> bool:
        found = self._operation.report(self._prefix + step)
        return found is not None and found.mark is StepMark.SKIPPED

    @property
    def rpo(self) -> float | None:
        """Seconds of writes that were lost; None: not known, or nothing was promoted."""
        if not self._course.acts:
            return None
        if "rpo" in self._report:
            return _number(self._report["rpo"])
        last = self.of("promote")
        return lost(last, self.of("caught-up"), self.of("fence")) if last else None

    @property
    def silence(self) -> timedelta | None:
        fenced, promoted = _at(self.of("fence").get("at")), _at(self.of("promote").get("at"))
        return promoted - fenced if fenced and promoted else None

    @property
    def lag(self) -> float | None:
        return _number(self.of("lag").get("lag"))

    @property
    def ttl(self) -> timedelta | None:
        seconds = self.of("shift").get("ttl")
        return None if seconds is None else timedelta(seconds=seconds)

    @property
    def home(self) -> timedelta | None:
        """The way back of a live drill, from its first step to its verified end."""
        if not self._prefix:
            return None
        first = self._operation.report(BACK + "rejoin")
        served = _at(self.of("verify", BACK).get("at")) or _at(self.of("shift", BACK).get("at"))
        return served - first.started_at if served and first and first.started_at else None


def _spans(operation: Operation, course: Course, now: datetime) -> Iterator[Span]:
    """People's time first, then each step, the way back's included, with what stood still counted to its step."""
    begun = operation.started_at or operation.ended_at or now
    if course.lost_since is not None and course.lost_since < operation.created_at:
        yield Span(phrase("Seen lost, until it was proposed"), course.lost_since, operation.created_at)
    yield Span(phrase("Proposed, until it was approved"), operation.created_at, begun)
    titles = {step.name: step.title for step in operation.plan.steps}
    for step in operation.steps:
        stalls = [each for each in operation.stalls if each.step == step.name]
        starts = [each for each in (step.started_at, *(stall.began or stall.since for stall in stalls)) if each]
        if not starts:
            continue
        waits = [(each.until or operation.ended_at or now) - each.since for each in stalls]
        ends = [each.until or operation.ended_at or now for each in stalls]
        since = min(starts)
        until = max(step.ended_at or (ends[-1] if ends else operation.ended_at or now), *ends, since)
        title = titles.get(step.name) or step.title or verbatim(step.name)
        said = step.said or (stalls[-1].why if stalls else None)
        yield Span(title, since, until, step.name, step.mark, said, sum(waits, timedelta()))


def _blocked(operation: Operation) -> Iterator[Blocked]:
    titles = {step.name: step.title for step in operation.plan.steps}
    for each in operation.stalls:
        until = each.until or operation.ended_at
        length = until - each.since if until else None
        yield Blocked(titles.get(each.step) or verbatim(each.step or "?"), each.step, each.why, length)


def _at(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _number(value: object) -> float | None:
    """None too for what is no number (promise 14)."""
    return float(value) if isinstance(value, int | float) and not isnan(value) else None
