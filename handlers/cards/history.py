"""The history of one group in words, and of all of them in figures: how noisy, how soon taken, what to do about it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from bot.domain.alerts import Group, Happening
from bot.domain.history import RuleRecord
from bot.domain.messages import Aside, Facts, Message, Paragraph, Table, Tone
from bot.domain.phrases import Code, Phrase, Quantity, Strong, counted, phrase
from bot.ports.store import Tx
from handlers.cards.own import PAGE

NOISIEST = 10
OFTEN = 5
"""Groups of one rule from which on it is worth a thought."""
MOSTLY = 0.8


def lines(group: Group) -> Iterable[Phrase]:
    """What happened to it, the oldest first."""
    return (phrase("{at}: {what}", at=each.at, what=_said(each)) for each in group.history)


def _said(happening: Happening) -> Phrase:
    who = happening.who or "–"
    words = {
        "fired": phrase("fired"),
        "grew": phrase("more alerts joined"),
        "worsened": phrase("became worse"),
        "paged": phrase("woke {who}", who=who),
        "acked": phrase("taken by {who}", who=who),
        "lapsed": phrase("the hold of {who} lapsed", who=who),
        "silenced": phrase("silenced by {who}", who=who),
        "unsilenced": phrase("the silence ended ({who})", who=who),
        "outgrew": phrase("more fired than the silence covers"),
        "escalated": phrase("told {who}", who=who),
        "nobody": phrase("nobody on call could be reached"),
        "unanswered": phrase("nobody took it"),
        "resolved": phrase("resolved"),
    }
    return words[happening.kind]


def noisy(tx: Tx, since: datetime, until: datetime) -> Message:
    """The rules that fired most, each with what would make it quieter."""
    found = _rules(tx.records(since, until))[:NOISIEST]
    if not found:
        return Message(phrase("No alert fired in that time"), Tone.OK)
    header = (phrase("Rule"), phrase("Fired"), phrase("Mean length"), phrase("Advice"))
    return Message(
        phrase("The noisiest rules"), Tone.INFO, (Table(header, tuple(map(_row, found))), _span(since, until))
    )


def _rules(records: Iterable[RuleRecord]) -> list[RuleRecord]:
    """Those of machines: a person who calls another is no rule that could be made quieter."""
    return [record for record in records if record.name and record.name != PAGE]


def _row(record: RuleRecord) -> tuple[Phrase, ...]:
    name = f"{record.name} · {record.service}" if record.service else record.name
    mean = phrase("{length}", length=record.lasted / record.resolved) if record.resolved else phrase("unknown")
    return phrase("{name}", name=Strong(name)), phrase("{n}", n=record.groups), mean, advice(record)


def advice(record: RuleRecord) -> Phrase:
    """What would make the rule quieter, judged by what it did."""
    if record.groups < OFTEN:
        return phrase("fine")
    if record.resolved and record.short / record.resolved >= MOSTLY:
        return phrase("raise {for_}: most are over before anybody could look", for_=Code("for"))
    if record.pages and record.acked == 0:
        return phrase("delete it or make it a warning: it wakes people, and nobody ever takes it")
    if record.acked == 0:
        return phrase("delete it or group it: nobody ever takes it")
    return phrase("mend the cause: people take it again and again")


def stats(tx: Tx, since: datetime, until: datetime) -> Message:
    """How much there was, how soon somebody took it (MTTA), how long it lasted (MTTR)."""
    return Message(
        phrase("Alerts in figures"), Tone.INFO, (Facts(tuple(_figures(tx.records(since, until)))), _span(since, until))
    )


def digest(tx: Tx, since: datetime, until: datetime) -> Message:
    """The week on one card: the figures beside those of the time before, and the noisiest rules."""
    now, before = tx.records(since, until), tx.records(since - (until - since), since)
    fired, earlier = sum(record.groups for record in now), sum(record.groups for record in before)
    trend = counted(
        "{n} alert group, {before} in the time before", "{n} alert groups, {before} in the time before", fired,
        before=earlier,
    )  # fmt: skip
    rows = tuple(map(_row, _rules(now)[:OFTEN]))
    header = (phrase("Rule"), phrase("Fired"), phrase("Mean length"), phrase("Advice"))
    table = (Table(header, rows),) if rows else ()
    blocks = (Paragraph(trend), Facts(tuple(_figures(now))), *table, _span(since, until))
    return Message(phrase("The week in alerts"), Tone.INFO, blocks)


def _figures(records: tuple[RuleRecord, ...]) -> Iterable[tuple[Phrase, Phrase]]:
    groups, acked = sum(r.groups for r in records), sum(r.acked for r in records)
    pages, resolved = sum(r.pages for r in records), sum(r.resolved for r in records)
    yield phrase("Fired"), phrase("{n}", n=groups)
    yield phrase("Of these pages"), phrase("{n}", n=pages)
    share = phrase("{n} ({share})", n=acked, share=Quantity(100 * acked / groups, "%", 0)) if groups else phrase("0")
    yield phrase("Taken by somebody"), share
    yield phrase("Mean time to take (MTTA)"), _mean(sum((r.ack_wait for r in records), timedelta()), acked)
    yield phrase("Mean time to resolve (MTTR)"), _mean(sum((r.lasted for r in records), timedelta()), resolved)


def _mean(total: timedelta, count: int) -> Phrase:
    return phrase("{length}", length=total / count) if count else phrase("unknown")


def _span(since: datetime, until: datetime) -> Aside:
    return Aside(phrase("From {since} to {until}.", since=since, until=until))
