"""The card of a lost region: who says what, since when, what is known of the database, what to type."""

from __future__ import annotations

import json
from collections.abc import Iterable

from bot.domain.alerts import Group
from bot.domain.codec import decode
from bot.domain.detection import Report, Stage, Stands, Voice
from bot.domain.failover import Sight
from bot.domain.messages import Button, Confirm, Style, pressable
from bot.domain.phrases import Code, Phrase, Quantity, phrase

TOLD = "told"
"""Annotation that keeps what the watch had found, as JSON."""
Rows = tuple[tuple[Phrase, Phrase], ...]


def said(group: Group) -> Phrase | None:
    """What happened and what to do, in two sentences."""
    report = _report(group)
    if report is None:
        return None
    lost = phrase("{count} of {all} witnesses see {region} lost.", region=report.source,
                  count=sum(voice.sight is Sight.LOST for voice in report.voices), all=len(report.voices))  # fmt: skip
    return phrase("{lost} {next}", lost=lost, next=_next(report))


def facts(group: Group) -> Rows:
    """Each witness, the database, who is on call."""
    report = _report(group)
    return () if report is None else tuple(rows(report))


def rows(report: Report) -> Iterable[tuple[Phrase, Phrase]]:
    """One for each thing that is known, or not."""
    for voice in report.voices:
        yield phrase("Witness {name}", name=voice.name), voiced(voice)
    yield phrase("Majority"), _majority(report)
    if report.nearby:
        yield phrase("Caution"), phrase("all who see it lost look from where pult stands: it may be the way there")
    yield from _database(report.stands, report)
    if report.cools and report.stage is Stage.COOLING:
        yield phrase("Cooldown"), phrase("until {at}: the last move ended shortly before", at=report.cools)
    yield phrase("On call"), phrase("{people}", people=report.on_call) if report.on_call else phrase("nobody")


def buttons(group: Group) -> tuple[Button, ...]:
    """The plan that pult proposed, or one that the reader proposes."""
    report = _report(group)
    if report is None or report.stage is Stage.MOVED:
        return ()
    if report.operation:
        return (Button(phrase("Look at {id}", id=report.operation), f"op {report.operation}", style=Style.PRIMARY),)
    words = _words(report)
    sure = Confirm(phrase("Plan the failover?"), phrase("Nothing moves before others have approved the plan."))
    button = Button(phrase("Plan the failover"), words, style=Style.PRIMARY, confirm=sure)
    return (button,) if pressable(words) else ()


def voiced(voice: Voice) -> Phrase:
    """What one witness says, since when, and why."""
    match voice.sight:
        case Sight.UP:
            return phrase("🟢 sees it up since {at}: {why}", at=voice.since, why=voice.why)
        case Sight.LOST:
            return phrase("🔴 sees it lost since {at}: {why}", at=voice.since, why=voice.why)
        case Sight.UNKNOWN:
            return phrase("⚪ does not know since {at}: {why}", at=voice.since, why=voice.why)


def _majority(report: Report) -> Phrase:
    if report.since is None:
        return phrase("none at the moment")
    if report.turns:
        return phrase(
            "since {at}; it came and went {turns} times in half an hour, so it has to last {hold}",
            at=report.since, turns=report.turns, hold=report.hold,
        )  # fmt: skip
    return phrase("since {at}; it has to last {hold}", at=report.since, hold=report.hold)


def _database(stands: Stands | None, report: Report) -> Iterable[tuple[Phrase, Phrase]]:
    if stands is None:
        yield phrase("Database"), phrase("its API does not answer")
        return
    role = (
        phrase("the other region's server is promoted already")
        if stands.promoted
        else phrase("the other region's server is not promoted")
    )
    yield phrase("Database"), phrase("{primary}: {role}", primary=Code(stands.primary), role=role)
    lag = phrase("unknown") if stands.lag is None else phrase(
        "{lag}, allowed {rpo}", lag=Quantity(stands.lag, "s", 1), rpo=report.rpo
    )  # fmt: skip
    yield phrase("Replication lag"), lag
    yield phrase("Old primary"), phrase("fenced") if stands.fenced else phrase("takes writes, or nobody knows")


def _next(report: Report) -> Phrase:
    command = Code(_words(report))
    if report.stage is Stage.MOVED:
        return phrase("{target} serves instead.", target=report.target)
    if report.operation:
        return phrase("pult proposes to move to {target}: {look}, then {approve}", target=report.target,
                      look=Code(f"op {report.operation}"), approve=Code(f"approve {report.operation}"))  # fmt: skip
    if report.hindered:
        return phrase("pult can't propose the failover: {why} By hand: {command}", why=report.hindered, command=command)
    if report.stage is Stage.COOLING:
        return phrase("pult proposes nothing during the cooldown. By hand: {command}", command=command)
    return phrase("To move to {target}: {command}", target=report.target, command=command)


def _words(report: Report) -> str:
    return f"failover {report.source} to {report.target}"


def _report(group: Group) -> Report | None:
    texts = [alert.annotations[TOLD] for alert in group.alerts.values() if TOLD in alert.annotations]
    found: Report | None = decode(json.loads(texts[0])) if texts else None
    return found
