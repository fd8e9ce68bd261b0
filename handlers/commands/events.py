"""``events <service>``: what Kubernetes tells of it, of its revisions and pods, in words, newest last."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.domain.errors import TemporaryError, UserError
from bot.domain.messages import Block, Facts, Lines, Tone
from bot.domain.phrases import Code, Phrase, Strong, counted, phrase, verbatim
from bot.domain.services import Catalogue, Environment
from bot.domain.texts import clipped
from bot.ports.commands import Call, Command, Reply
from bot.ports.happenings import Happening, Happenings
from handlers.commands.event_words import words
from handlers.commands.logs_asked import Asked, asked, button
from handlers.commands.replies import said

USAGE = "events <service> [--since 1h] [--env staging]"
OPTIONS = ("since", "env")
SINCE = timedelta(hours=1)
"""An API server keeps events for an hour by default (--event-ttl)."""
SHOWN = 15
"""On the card; the file has all."""
TEXT = 200
"""Characters of one event's sentence on the card."""


@dataclass(frozen=True)
class Told:
    """Events of several objects that say the same: ``names`` of them, ``count`` times in all."""

    at: datetime
    first: datetime
    place: Environment
    kind: str
    names: tuple[str, ...]
    reason: str
    text: str
    count: int
    warning: bool


def duty(happenings: Happenings, services: Catalogue) -> Command:
    """All clusters are asked at once; one that is out of reach says so while the others answer."""

    async def run(call: Call) -> Reply:
        want = asked(call, services, USAGE, takes=OPTIONS)
        since = want.begin(call.now, SINCE)
        async with asyncio.TaskGroup() as group:
            tasks = [(place, group.create_task(_read(happenings, place, since))) for place in want.environments]
        heard = [(place, task.result()) for place, task in tasks]
        refused = [found for _, found in heard if isinstance(found, UserError)]
        if len(refused) == len(heard):
            raise refused[0]
        return _answer(want, heard, call.now - since)

    example = services.example
    return Command(
        ("events", "события"), USAGE, phrase("what Kubernetes tells of it and its pods"), run,
        examples=(f"events {example}", f"events {example} --since 15m"),
    )  # fmt: skip


async def _read(
    happenings: Happenings, place: Environment, since: datetime
) -> tuple[Happening, ...] | UserError | TemporaryError:
    try:
        return await happenings.happenings(place, since)
    except (UserError, TemporaryError) as error:
        return error


Heard = Sequence[tuple[Environment, tuple[Happening, ...] | UserError | TemporaryError]]


def _answer(want: Asked, heard: Heard, length: timedelta) -> Reply:
    silent = tuple(_why(place, found) for place, found in heard if isinstance(found, Exception))
    told = sorted(
        (each for place, found in heard if not isinstance(found, Exception) for each in joined(place, found)),
        key=lambda each: each.at,
    )
    known = len(silent) < len(heard)
    several = len(want.environments) > 1
    warnings = sum(each.warning for each in told)
    reply = said(
        _title(want, told, length, known=known) if not silent or not known else _in_part(want, told, length),
        *_blocks(want, told, silent, several=several),
        tone=Tone.WARNING if warnings or silent else Tone.INFO,
        buttons=(
            *button(phrase("Refresh"), want.again("events")),
            *button(phrase("Logs"), f"logs {want.service.name}" + (f" --env {want.env}" if want.env else "")),
        ),
        whole="\n".join(map(_plain, told)),
    )
    return Reply(reply.message, ok=known)


def _title(want: Asked, told: Sequence[Told], length: timedelta, *, known: bool) -> Phrase:
    service = want.service.name
    if not known:
        return phrase("The events of {service} could not be read", service=service)
    if not told:
        return phrase("Nothing happened to {service} in {length}", service=service, length=length)
    return counted(
        "{n} event of {service} in {length}", "{n} events of {service} in {length}",
        sum(each.count for each in told), service=service, length=length,
    )  # fmt: skip


def _in_part(want: Asked, told: Sequence[Told], length: timedelta) -> Phrase:
    """Where some cluster did not tell: that nothing is heard does not mean that nothing happened."""
    service = want.service.name
    if not told:
        return phrase("What happened to {service} in {length} is known only in part", service=service, length=length)
    return counted(
        "At least {n} event of {service} in {length}", "At least {n} events of {service} in {length}",
        sum(each.count for each in told), service=service, length=length,
    )  # fmt: skip


def _blocks(want: Asked, told: Sequence[Told], silent: tuple[Phrase, ...], *, several: bool) -> Iterable[Block]:
    where = verbatim(", ".join(f"{each.name} ({each.cluster})" for each in want.environments))
    warnings = sum(each.count for each in told if each.warning)
    yield Facts(((phrase("Where"), where), (phrase("Warnings"), phrase("{n}", n=warnings))))
    if silent:
        yield Lines(silent)
    if hidden := max(0, len(told) - SHOWN):
        yield Lines((), hidden)
    if told:
        yield Lines(tuple(_line(each, several=several) for each in _chosen(told)))


def _chosen(told: Sequence[Told]) -> Sequence[Told]:
    """Warnings before the rest, the newest before the old, in the order in which they came."""
    first = sorted(told, key=lambda each: (each.warning, each.at), reverse=True)[:SHOWN]
    return sorted(first, key=lambda each: each.at)


def joined(place: Environment, found: Iterable[Happening]) -> Iterable[Told]:
    """Those that say the same of several objects as one. What names the object itself says the same of each."""
    alike: dict[tuple[str, str, str], list[Happening]] = {}
    for each in found:
        key = each.kind, each.reason, each.text.replace(each.name, "*")
        alike.setdefault(key, []).append(each)
    for (kind, reason, _), same in alike.items():
        last = max(same, key=lambda each: each.at)
        yield Told(
            at=last.at,
            first=min(each.first for each in same),
            place=place,
            kind=kind,
            names=tuple(dict.fromkeys(each.name for each in same)),
            reason=reason,
            text=last.text,
            count=sum(each.count for each in same),
            warning=any(each.warning for each in same),
        )


def _line(told: Told, *, several: bool) -> Phrase:
    what = words(told.reason)
    line = phrase(
        "{at} {who}: {what}", at=told.at, who=_who(told, several=several), what=Strong(what) if told.warning else what
    )
    if told.count > 1:
        line = phrase("{said}, {n} times since {first}", said=line, n=told.count, first=told.first)
    text = clipped(told.text, TEXT)
    return phrase("{said} – {text}", said=line, text=text) if text else line


def _who(told: Told, *, several: bool) -> Phrase:
    name = phrase("{name}", name=Code(told.names[-1]))
    if len(told.names) > 1:
        more = len(told.names) - 1
        name = counted("{name} and {n} other", "{name} and {n} others", more, name=Code(told.names[-1]))
    return phrase("{who} in {cluster}", who=name, cluster=told.place.cluster) if several else name


def _why(place: Environment, error: UserError | TemporaryError) -> Phrase:
    if isinstance(error, UserError):
        return error.phrase
    return phrase("{cluster} does not answer: what happened there is not known.", cluster=Code(place.cluster))


def _plain(told: Told) -> str:
    level = "Warning" if told.warning else "Normal"
    names = ",".join(f"{told.kind}/{name}" for name in told.names)
    return "\t".join(
        (told.at.isoformat(), level, f"x{told.count}", told.place.cluster, told.reason, names, told.text)
    )  # fmt: skip
