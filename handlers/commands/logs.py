"""``logs <service> [pod]``: what its containers wrote, from Loki or from the pods themselves, errors marked."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from bot.domain.errors import PermanentError, TemporaryError, UserError
from bot.domain.phrases import Code, Phrase, phrase
from bot.domain.services import Catalogue, Environment
from bot.ports.commands import Call, Command, Reply
from bot.ports.logs import Found, Logs, Wanted
from handlers.commands.logs_asked import SINCE, Asked, asked
from handlers.commands.logs_shown import Heard, shown

USAGE = "logs <service> [pod] [--since 10m] [--grep text] [--env staging] [--previous]"
OPTIONS = ("pod", "since", "grep", "env", "previous", "after")
PATIENCE = 6.0
"""Seconds for the first source while there is another to ask: a command has 15 in all."""


@dataclass(frozen=True)
class _Heard:
    """Of one environment. ``found`` is None where nothing could be read, for the last of ``silent``."""

    environment: Environment
    found: Found | None
    silent: tuple[Phrase, ...] = ()
    refused: UserError | None = None


def duty(sources: Sequence[Logs], services: Catalogue, zone: str) -> Command:
    """*sources*: the one to ask first, the one that helps out. Lines bear the time of *zone*, or of who reads alone."""

    async def run(call: Call) -> Reply:
        want = asked(call, services, USAGE, takes=OPTIONS)
        until = call.now.replace(microsecond=call.now.microsecond // 1000 * 1000)
        wanted = Wanted(want.begin(until, SINCE), until, want.grep, want.pod, want.previous)
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(_read(sources, place, wanted, want)) for place in want.environments]
        heard = [task.result() for task in tasks]
        if all(each.refused for each in heard):
            raise next(each.refused for each in heard if each.refused)
        return shown(want, _told(heard, wanted), ZoneInfo(_zone(call, zone)))

    example = services.example
    return Command(
        ("logs", "логи"), USAGE, phrase("what it wrote to its log, errors marked"), run,
        examples=(f"logs {example}", f"logs {example} --since 1h --grep timeout", f"logs {example} --previous"),
    )  # fmt: skip


def _zone(call: Call, shared: str) -> str:
    """A person's own zone where nobody else reads the answer (ruling 17)."""
    alone = not call.request.shared or bool(call.request.private.private_to)
    return (call.who.zone if alone else "") or shared


def _told(heard: Sequence[_Heard], wanted: Wanted) -> Heard:
    """All environments as one; what is younger than the least complete of them is left to the next question."""
    found = [(each.environment, each.found) for each in heard if each.found]
    until = min((each.until for _, each in found), default=wanted.until)
    lines = [
        (place, line) for place, each in found for line in each.lines if line.at < until
    ]  # fmt: skip
    lines.sort(key=lambda item: item[1].at)
    silent = tuple(text for each in heard for text in (*each.silent, *(each.found.silent if each.found else ())))
    return Heard(
        lines=tuple(lines[-wanted.limit :]),
        since=wanted.since,
        until=until,
        cut=len(lines) > wanted.limit or any(each.cut for _, each in found),
        silent=silent,
        known=bool(found),
    )


async def _read(sources: Sequence[Logs], place: Environment, wanted: Wanted, want: Asked) -> _Heard:
    """From the first source that has something to tell; why another one was asked is said."""
    usable = sources[-1:] if wanted.previous else sources
    silent: list[Phrase] = []
    for helping, source in enumerate(usable):
        last = helping == len(usable) - 1
        try:
            async with asyncio.timeout(None if last else PATIENCE):
                found = await source.lines(place, wanted)
        except UserError as error:
            if last:
                return _Heard(place, None, (*silent, error.phrase), error)
            silent.append(error.phrase)
        except (TemporaryError, PermanentError, TimeoutError) as error:
            silent.append(_away(place, error, last=last))
        else:
            if found.lines or last or want.grep or want.after:
                return _Heard(place, found, tuple(silent))
            silent.append(phrase("Loki has no line of that: does {key} fit?", key=Code("[loki] selector")))
    return _Heard(place, None, tuple(silent))


def _away(place: Environment, error: Exception, *, last: bool) -> Phrase:
    if last:
        return phrase("{cluster} does not answer: what is logged there is not known.", cluster=Code(place.cluster))
    if isinstance(error, PermanentError):
        return phrase("Loki does not let pult in, so the pods in {cluster} were asked.", cluster=Code(place.cluster))
    return phrase("Loki does not answer, so the pods in {cluster} were asked.", cluster=Code(place.cluster))
