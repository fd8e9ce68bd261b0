"""What a failover or a drill came to, as a card, and whole as a file."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from bot.domain.contacts import Asked, Roll
from bot.domain.drillreport import Report, Span
from bot.domain.failover_course import Kind
from bot.domain.markdown import markdown
from bot.domain.messages import (
    Aside,
    Bar,
    Block,
    Facts,
    Graph,
    Lines,
    Message,
    Paragraph,
    StepMark,
    Table,
    Tone,
)
from bot.domain.operations import STATE_WORDS, State
from bot.domain.phrases import Code, Phrase, Quantity, Strong, Value, Words, phrase, verbatim

MENDS, STUCK = 5, 5
"""Lines of a card; the file has all of them."""
GOAL_SHOWN = 3.0
"""A goal so many times as far away as all took is left off the picture: it would press the bars flat."""
PEOPLE = frozenset({"", "contact"})
"""Stretches in which people were waited for: before the first step, and while they are asked to answer."""
PATIENT = 0.5
"""From this share of the goal on, what took so long is worth a word."""
Pairs = Iterator[tuple[Phrase, Phrase]]


def card(report: Report, words: Words) -> Message:
    """What fits on a phone; the file has the rest, in the language of *words*."""
    mends, blocked = tuple(mending(report)), tuple(_blocked(report))
    blocks: list[Block] = [
        Paragraph(verdict(report)), Facts(tuple(_figures(report))), picture(report),
        *_listed(phrase("What held it up"), blocked, STUCK), *_listed(phrase("To mend"), mends, MENDS),
        Aside(phrase("{id} · all of it: {command}", id=Code(report.operation), command=Code(asked(report)))),
    ]  # fmt: skip
    return Message(_title(report), _tone(report), tuple(blocks), whole=markdown(whole(report), words))


def whole(report: Report) -> Message:
    """Everything that is known, for a file."""
    blocks: list[Block] = [
        Paragraph(verdict(report)), Facts((*_figures(report), *_people(report))), picture(report),
        headed(phrase("Timeline")), _timeline(report),
        *_listed(phrase("What held it up"), tuple(_blocked(report))),
        *_listed(phrase("Not verified"), report.unverified),
        *_contacts(report.roll), *_known(report), *_listed(phrase("To mend"), tuple(mending(report))),
        Aside(phrase("Operation {id}. Times are those of pult's clock.", id=Code(report.operation))),
    ]  # fmt: skip
    return Message(_title(report), _tone(report), tuple(blocks))


def named(report: Report) -> Phrase:
    """What it was, and from where to where."""
    source, target = report.course.source, report.course.target
    match report.kind:
        case Kind.FAILOVER:
            return phrase("Failover {source} → {target}", source=source, target=target)
        case Kind.FAILBACK:
            return phrase("Failback {source} → {target}", source=source, target=target)
        case Kind.DRILL:
            return phrase("Drill {source} → {target}", source=source, target=target)
        case Kind.LIVE:
            return phrase("Live drill {source} → {target} and back", source=source, target=target)


def asked(report: Report) -> str:
    """The command that shows it."""
    word = "failover" if report.kind in {Kind.FAILOVER, Kind.FAILBACK} else "drill"
    return f"{word} report {report.operation}"


def verdict(report: Report) -> Phrase:
    """In one or two sentences."""
    if not report.course.acts:
        return _rehearsed(report)
    if report.rto is None and not report.over:
        return phrase("It is not over yet: nobody has verified that {target} serves.", target=report.course.target)
    if report.rto is None:
        return phrase(
            "It did not get as far as serving from {target}, so there is no RTO.", target=report.course.target
        )
    values = {"took": _round(report.rto), "goal": report.course.rto}
    rto = (
        phrase("RTO {took}, within the goal of {goal}.", **values)
        if report.in_time
        else phrase("RTO {took}, more than the goal of {goal}.", **values)
    )
    return phrase("{rto} {rpo}", rto=rto, rpo=_lost(report))


def picture(report: Report) -> Graph:
    """The timeline as bars, the goal as a line where it is near enough to be drawn."""
    bars = tuple(
        Bar(span.title, span.since, span.until, span.blocked, span.step in PEOPLE, span.mark) for span in report.spans
    )
    goal, ends = report.since + report.course.rto, max(bar.until for bar in bars)
    length = (ends - min(bar.since for bar in bars)).total_seconds()
    near = report.course.acts and report.course.rto.total_seconds() <= GOAL_SHOWN * length
    marks = ((goal, phrase("RTO goal {goal}", goal=report.course.rto)),) if near else ()
    return Graph(named(report), (), marks=marks, bars=bars)


def mending(report: Report) -> Iterator[Phrase]:
    """What would make the next one better, besides what held it up; the gravest first."""
    if report.rpo is None and report.rto is not None:
        yield phrase("How much was lost is not known: measure the replication lag.")
    elif report.spare is False:
        yield phrase(
            "The standby was further behind than the RPO of {rpo} allows: find out why.", rpo=report.course.rpo
        )
    elif not report.course.acts and report.lag is None:
        yield phrase("The replication lag was not known: measure it, or the failover will be held.")
    if report.in_time is False and (longest := _longest(report)) is not None:
        yield phrase("The longest was {step}, {time}.", step=Strong(longest.title), time=longest.length)
    for span in report.spans:
        if not span.step and report.course.acts and span.length >= PATIENT * report.course.rto:
            yield phrase("{what}: {time} of the goal of {goal}.", what=Strong(span.title), time=span.length,
                         goal=report.course.rto)  # fmt: skip
    if report.ttl is not None and report.ttl > report.course.rto * PATIENT:
        yield phrase("Resolvers keep an answer for {ttl}: lower the record's TTL.", ttl=report.ttl)
    yield from (phrase("Make it verifiable: {what}", what=each) for each in report.unverified)
    yield from _unanswered(report)


def _unanswered(report: Report) -> Iterator[Phrase]:
    roll = report.roll
    if report.kind is Kind.DRILL and roll is None and not report.asks:
        yield phrase("Nobody was asked whether they would answer: set {key}.", key=Code("failover.drill.answer"))
    for each in roll.people if roll else ():
        if each.answered is None and not each.spared:
            yield phrase("{person} did not answer: see whether pult reaches them.", person=Strong(each.person))


def _rehearsed(report: Report) -> Phrase:
    if report.state is State.SUCCEEDED and not report.blocked:
        return phrase("Nothing would have held a failover up. {rpo}", rpo=_would_lose(report))
    if report.blocked:
        count = len({each.step for each in report.blocked})
        return phrase("A failover would have stopped at {n} of its steps. {rpo}", n=count, rpo=_would_lose(report))
    return phrase("It was not rehearsed to its end. {rpo}", rpo=_would_lose(report))


def _would_lose(report: Report) -> Phrase:
    if report.lag is None:
        return phrase("How much it would have lost is not known.")
    values: dict[str, Value] = {"lag": Quantity(report.lag, "s", 1), "goal": report.course.rpo}
    if report.spare:
        return phrase("It would have lost at most {lag}, within the RPO of {goal}.", **values)
    return phrase("It would have lost up to {lag}, more than the RPO of {goal}.", **values)


def _lost(report: Report) -> Phrase:
    if report.rpo is None:
        return phrase("How much was lost is not known.")
    values: dict[str, Value] = {"lost": Quantity(report.rpo, "s", 1), "goal": report.course.rpo}
    if report.rpo == 0:
        return phrase("Nothing was lost.")
    if report.spare:
        return phrase("RPO {lost}, within the goal of {goal}.", **values)
    return phrase("RPO {lost}, more than the goal of {goal}.", **values)


def _title(report: Report) -> Phrase:
    return phrase("{what}: {state}", what=named(report), state=STATE_WORDS[report.state])


def _tone(report: Report) -> Tone:
    if report.state is not State.SUCCEEDED:
        return Tone.WARNING
    failed = report.in_time is False or report.spare is False or bool(report.blocked) or bool(report.unverified)
    return Tone.WARNING if failed else Tone.OK


def _figures(report: Report) -> Pairs:
    if report.course.acts:
        yield phrase("RTO"), _measured(None if report.rto is None else phrase("{t}", t=_round(report.rto)), report)
        lost = None if report.rpo is None else phrase("{t}", t=Quantity(report.rpo, "s", 1))
        yield phrase("RPO"), phrase("{value}, the goal is {goal}", value=lost or phrase("unknown"),
                                    goal=report.course.rpo)  # fmt: skip
    if report.silence is not None:
        yield phrase("Nobody could write for"), phrase("{t}", t=_round(report.silence))
    if report.home is not None:
        yield phrase("The way back"), phrase("{t}", t=_round(report.home))
    if report.lag is not None:
        yield phrase("Lag seen before"), phrase("{t}", t=Quantity(report.lag, "s", 1))
    if report.held_up:
        yield phrase("Held up for"), phrase("{t}", t=_round(report.held_up))
    if report.stated:
        yield phrase("Fence"), phrase("nobody saw it: people stated that the primary is off")
    if report.roll is not None:
        count, asked_for = len(report.roll.prompt), len(report.roll.people) - len(report.roll.spared)
        yield phrase("Answered a button in time"), phrase("{n} of {all}", n=count, all=asked_for)


def _measured(value: Phrase | None, report: Report) -> Phrase:
    missing = phrase("not reached") if report.over else phrase("not reached yet")
    return phrase("{value}, the goal is {goal}", value=value or missing, goal=report.course.rto)


def _people(report: Report) -> Pairs:
    if report.course.lost_since is not None:
        yield phrase("Lost since"), phrase("{at}", at=report.course.lost_since)
    yield phrase("Proposed"), phrase("{at} by {person}", at=report.proposed, person=report.proposer)
    for each in report.approvals:
        waited = each.at - report.proposed
        yield phrase("Approved"), phrase("{at} by {person} ({platform}), after {time}", at=each.at, person=each.person,
                                         platform=each.platform, time=_round(waited))  # fmt: skip
        if each.overrides:
            what = ", ".join(each.overrides)
            yield phrase("Overridden"), phrase("{what} by {person}: {why}", what=what, person=each.person,
                                               why=each.reason or "–")  # fmt: skip
    if report.ended is not None:
        yield phrase("Ended"), phrase("{at}", at=report.ended)
    if report.result is not None:
        yield phrase("Result"), report.result


def _timeline(report: Report) -> Table:
    header = (phrase("What"), phrase("From"), phrase("Took"), phrase("What came of it"))
    return Table(header, tuple(_span(span) for span in report.spans))


def _span(span: Span) -> tuple[Phrase, ...]:
    took = phrase("{t}", t=_round(span.length))
    if span.blocked:
        took = phrase("{time}, stuck for {stuck}", time=_round(span.length), stuck=_round(span.blocked))
    said = span.said or Phrase("–")
    if span.mark is StepMark.SKIPPED:
        said = phrase("skipped: {said}", said=said)
    elif span.mark is StepMark.FAILED:
        said = phrase("failed: {said}", said=said)
    return span.title, phrase("{at}", at=span.since), took, said


def _blocked(report: Report) -> Iterator[Phrase]:
    for each in report.blocked:
        why = each.why or phrase("it failed")
        if each.length is None:
            yield phrase("{step}: {why} (still)", step=Strong(each.title), why=why)
        else:
            yield phrase("{step}: {why} ({time})", step=Strong(each.title), why=why, time=_round(each.length))


def _contacts(roll: Roll | None) -> Iterator[Block]:
    if roll is None:
        return
    yield headed(phrase("Whether the people on call answer"))
    header = (phrase("Who"), phrase("Asked"), phrase("Answered"), phrase("After"), phrase("Where"))
    yield Table(header, tuple(_answer(roll, each) for each in roll.people))


def _answer(roll: Roll, each: Asked) -> tuple[Phrase, ...]:
    none = Phrase("–")
    who, where = verbatim(each.person), verbatim(each.platform or ", ".join(each.platforms) or "–")
    if each.spared:
        return who, phrase("not asked: quiet hours"), none, none, none
    at = phrase("{at}", at=each.at)
    if each.answered is None or each.took is None:
        return who, at, phrase("no"), none, where
    said = phrase("late") if roll.late(each) else phrase("in time")
    return who, at, said, phrase("{t}", t=_round(each.took)), where


def _known(report: Report) -> Iterator[Block]:
    if report.known:
        yield headed(phrase("What was known when it was planned"))
        yield Table((phrase("Evidence"), phrase("Says")), report.known)


def _listed(title: Phrase, items: tuple[Phrase, ...], most: int = 1000) -> Iterator[Block]:
    if items:
        yield headed(title)
        yield Lines(items[:most], max(0, len(items) - most))


def headed(title: Phrase) -> Paragraph:
    """A title among blocks."""
    return Paragraph(phrase("{title}", title=Strong(title)))


def _longest(report: Report) -> Span | None:
    steps = [span for span in report.spans if span.step]
    return max(steps, key=lambda span: span.length, default=None)


def _round(length: timedelta) -> timedelta:
    """To tenths of a second; what took less than one to milliseconds, since it did not take no time."""
    seconds = length.total_seconds()
    return timedelta(seconds=round(seconds, 1 if seconds >= 1 else 3))
