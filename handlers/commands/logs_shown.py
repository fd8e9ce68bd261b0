"""The answer to ``logs …``: the newest lines on the card, all of them in the file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from bot.domain.loglines import is_error, short_names
from bot.domain.messages import Aside, Block, Facts, Lines, Paragraph, Preformatted, Tone
from bot.domain.phrases import Code, Phrase, counted, phrase, verbatim
from bot.domain.services import Environment
from bot.domain.texts import clipped
from bot.ports.commands import Reply
from bot.ports.logs import Line
from handlers.commands.logs_asked import Asked, button
from handlers.commands.replies import said

SHOWN, WIDTH, ROOM = 25, 240, 2_400
"""Lines, characters of one, and of all: what a person reads on a card, and what every chat shows uncut."""
WHOLE = 500_000
"""Characters of the file; older lines give way."""
NAMED = 6
"""Pods that are named, and things that could not be read."""
ERROR, OTHER = "✖", " "


@dataclass(frozen=True)
class Heard:
    """Lines with where they come from, oldest first. ``known``: something could be read at all."""

    lines: tuple[tuple[Environment, Line], ...]
    since: datetime
    until: datetime
    cut: bool
    silent: tuple[Phrase, ...]
    known: bool


@dataclass(frozen=True)
class Row:
    """One line as it is written."""

    text: str
    error: bool


def shown(want: Asked, heard: Heard, zone: ZoneInfo) -> Reply:
    """Green never: a log that says nothing proves nothing."""
    rows = _rows(want, heard, zone)
    errors = sum(row.error for row in rows)
    newer = want.again("logs", heard.until)
    reply = said(
        _title(want, heard),
        *_blocks(want, heard, rows, errors, zone),
        tone=Tone.WARNING if errors or heard.silent else Tone.INFO,
        buttons=(
            *(() if want.previous or not heard.known else button(phrase("Newer"), newer)),
            *button(phrase("Events"), f"events {want.service.name}" + (f" --env {want.env}" if want.env else "")),
        ),
        whole=_whole(rows),
    )
    return Reply(reply.message, ok=heard.known)


def _title(want: Asked, heard: Heard) -> Phrase:
    service, length = want.service.name, heard.until - heard.since
    if not heard.known:
        return phrase("The logs of {service} could not be read", service=service)
    if not heard.lines:
        return phrase("{service} wrote nothing in {length}", service=service, length=length) if not want.grep else (
            phrase("No line of {service} holds {text}", service=service, text=Code(want.grep[:60]))
        )  # fmt: skip
    if want.after:
        return counted("{n} newer line of {service}", "{n} newer lines of {service}", len(heard.lines), service=service)
    return counted("{n} line of {service}", "{n} lines of {service}", len(heard.lines), service=service)


def _blocks(want: Asked, heard: Heard, rows: Sequence[Row], errors: int, zone: ZoneInfo) -> Iterator[Block]:
    if heard.known:
        yield Facts(tuple(_facts(want, heard, errors)))
    if heard.cut:
        yield Paragraph(
            phrase("More was written than is read at once; these are the newest. Ask for less time, a pod or a word.")
        )
    if heard.silent:
        yield Lines(heard.silent[:NAMED], max(0, len(heard.silent) - NAMED))
    newest, shortened = _newest(rows)
    if hidden := len(rows) - len(newest):
        yield Lines((), hidden)
    if newest:
        yield Preformatted("\n".join(newest))
        yield Aside(_legend(zone, errors, shortened=shortened))


def _facts(want: Asked, heard: Heard, errors: int) -> Iterator[tuple[Phrase, Phrase]]:
    yield phrase("Time"), phrase("{since} to {until}", since=heard.since, until=heard.until)
    yield phrase("Where"), verbatim(", ".join(f"{each.name} ({each.cluster})" for each in want.environments))
    pods = list(dict.fromkeys(line.source.partition("/")[0] for _, line in heard.lines))
    if pods:
        named = ", ".join(sorted(short_names(pods).values())[:NAMED])
        yield phrase("Pods"), phrase("{n}: {names}", n=len(pods), names=named + (", …" if len(pods) > NAMED else ""))
    if heard.lines:
        yield phrase("Errors"), phrase("at least {n}", n=errors) if heard.cut else phrase("{n}", n=errors)
    if want.grep:
        yield phrase("Holding"), phrase("{text}", text=Code(want.grep[:60]))
    if want.previous:
        yield phrase("Of containers"), phrase("before their last restart")


def _legend(zone: ZoneInfo, errors: int, *, shortened: bool) -> Phrase:
    times = phrase("Times are those of {zone}.", zone=zone.key)
    marks = phrase("{times} {mark} marks errors.", times=times, mark=ERROR) if errors else times
    return phrase("{said} Long lines are shortened here.", said=marks) if shortened else marks


def _rows(want: Asked, heard: Heard, zone: ZoneInfo) -> list[Row]:
    several = len(want.environments) > 1
    names = short_names(dict.fromkeys(line.source for _, line in heard.lines))
    days = {line.at.astimezone(zone).date() for _, line in heard.lines[:1] + heard.lines[-1:]}
    clock = "%H:%M:%S" if len(days) < 2 else "%m-%d %H:%M:%S"
    rows = []
    for place, line in heard.lines:
        name = f"{place.cluster}/{names[line.source]}" if several else names[line.source]
        error = is_error(line.text)
        rows.append(Row(f"{ERROR if error else OTHER} {line.at.astimezone(zone):{clock}} {name} {line.text}", error))
    return rows


def _newest(rows: Sequence[Row]) -> tuple[list[str], bool]:
    """The last rows that a card has room for, and whether some are cut: then one more stays for the file alone, so
    that there is one. A lone line is left to each chat to cut."""
    if len(rows) == 1:
        return [rows[0].text], False
    kept: list[Row] = []
    room = ROOM
    for row in rows[: -SHOWN - 1 : -1]:
        room -= min(len(row.text), WIDTH) + 1
        if room < 0:
            break
        kept.insert(0, row)
    if any(len(row.text) > WIDTH for row in kept) and len(kept) == len(rows):
        kept = kept[1:]
    texts = [clipped(row.text, WIDTH) for row in kept]
    return texts, any(len(row.text) > WIDTH for row in kept)


def _whole(rows: Sequence[Row]) -> str:
    kept: list[str] = []
    room = WHOLE
    for row in reversed(rows):
        room -= len(row.text) + 1
        if room < 0:
            break
        kept.append(row.text)
    return "\n".join(reversed(kept))
