"""``slo [service] [window]``: SLI, objective, budget left, burn, time to exhaustion; unknown is said, never hidden."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

from bot.domain.durations import parse_duration
from bot.domain.errors import PermanentError, TemporaryError, UserError
from bot.domain.messages import Block, Facts, Paragraph, Table, Tone
from bot.domain.phrases import Code, Phrase, Quantity, Strong, phrase
from bot.domain.services import Catalogue
from bot.domain.slo import BURN_WINDOWS, Counts, Slo, Standing, over
from bot.ports.commands import Call, Command, Reply
from bot.ports.metrics import Metrics, Reading
from handlers.commands.replies import said

UNKNOWN = phrase("unknown")
LOW = 0.25
"""Below this share of the budget the answer warns."""


def duty(metrics: Metrics | None, slos: tuple[Slo, ...], services: Catalogue) -> Command:
    """The configured objectives, asked of Prometheus."""

    async def run(call: Call) -> Reply:
        if metrics is None:
            raise UserError(
                "No Prometheus is configured, so nobody knows. Add the section {section}.", section=Code("[prometheus]")
            )
        chosen = _chosen(call.args, slos, services)
        if not chosen:
            raise UserError("No SLO is configured for that. Add a table {section}.", section=Code("[[slos]]"))
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(standing(metrics, slo)) for slo in chosen]
        return _answer([task.result() for task in tasks])

    example = slos[0].service if slos else "api"
    return Command(
        ("slo", "цели"), "slo [service] [window]", phrase("how a service does against its promise"), run,
        examples=(f"slo {example}", f"slo {example} 7d"),
    )  # fmt: skip


def _chosen(args: tuple[str, ...], slos: tuple[Slo, ...], services: Catalogue) -> tuple[Slo, ...]:
    window, names = None, []
    for word in args:
        try:
            window = parse_duration(word)
        except ValueError:
            names.append(services.named(word).name)
    chosen = tuple(slo for slo in slos if slo.kind != "freshness" and (not names or slo.service in names))
    return tuple(replace(slo, window=window) for slo in chosen) if window else chosen


async def standing(metrics: Metrics, slo: Slo) -> Standing:
    """All counts of one SLO, asked at once; what fails or is missing stays unknown."""
    windows = (slo.window, *BURN_WINDOWS)
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(_counts(metrics, slo, window)) for window in windows]
        tail = group.create_task(_number(metrics, over(slo.quantile, slo.window)))
    whole, *recent = (task.result() for task in tasks)
    return Standing(slo, whole, dict(zip(BURN_WINDOWS, recent, strict=True)), tail.result())


async def _counts(metrics: Metrics, slo: Slo, window: timedelta) -> Counts:
    total_query, bad_query = slo.queries(window)
    total = await _number(metrics, total_query)
    bad = await _number(metrics, bad_query, empty=0.0 if total else None)
    return Counts(total, bad)


async def _number(metrics: Metrics, promql: str, empty: float | None = None) -> float | None:
    """One number, or None for NaN, a refused query, no answer, or an empty answer that came with warnings."""
    if not promql:
        return None
    try:
        reading = await metrics.query(promql)
    except (TemporaryError, PermanentError):
        return None
    return _sum(reading, empty)


def _sum(reading: Reading, empty: float | None) -> float | None:
    if not reading.samples:
        return None if reading.warnings else empty
    number = sum(sample.value for sample in reading.samples)
    return number if math.isfinite(number) else None


def _answer(found: list[Standing]) -> Reply:
    if len(found) == 1:
        return said(_title(found[0]), *_blocks(found[0]), tone=_tone(found))
    rows = tuple(_row(item) for item in found)
    header = (phrase("SLO"), phrase("Objective"), phrase("Now"), phrase("Budget left"), phrase("Burn 1 h"))
    services = tuple(dict.fromkeys(item.slo.service for item in found))
    details = [_detail(item, f"{item.slo.service} " if len(services) > 1 else "") for item in found]
    reply = said(
        phrase("SLOs of {services}", services=", ".join(services)), Table(header, rows), *details, tone=_tone(found)
    )
    return Reply(reply.message)


def _detail(item: Standing, whose: str) -> Block:
    burns = phrase(
        "{name}: burn {b5m} over 5 min, {b1h} over 1 h, {b6h} over 6 h, {b3d} over 3 d; {outlook}",
        name=Strong(f"{whose}{item.slo.name}"),
        b5m=_burn(item, 0), b1h=_burn(item, 1), b6h=_burn(item, 2), b3d=_burn(item, 3),
        outlook=_outlook(item),
    )  # fmt: skip
    return Paragraph(burns)


def _title(item: Standing) -> Phrase:
    return phrase(
        "{service} {name}: {left} of the budget left",
        service=item.slo.service, name=item.slo.name, left=_percent(item.left, 1),
    )  # fmt: skip


def _blocks(item: Standing) -> Iterable[Block]:
    yield Facts((
        (
            phrase("Objective"),
            phrase("{share} over {window}", share=_percent(item.slo.objective, 3), window=item.slo.window),
        ),
        (phrase("Now"), phrase("{share}", share=_percent(item.sli, 3))),
        (phrase("Budget left"), _left(item)),
        *_measured(item),
    ))  # fmt: skip
    names = (phrase("Burn 5 min"), phrase("1 h"), phrase("6 h"), phrase("3 d"))
    yield Table(names, (tuple(phrase("{rate}", rate=_burn(item, at)) for at in range(4)),))
    yield Paragraph(_outlook(item))


def _measured(item: Standing) -> Iterable[tuple[Phrase, Phrase]]:
    if item.quantile is not None:
        yield phrase("p99 measured"), phrase("{ms}", ms=Quantity(item.quantile * 1000, "ms", 0))


def _left(item: Standing) -> Phrase:
    if item.left is None or item.minutes_left is None or item.failures_left is None:
        return UNKNOWN
    return phrase(
        "{share}, {minutes} of outage, {failures} failed requests",
        share=_percent(item.left, 1), minutes=timedelta(minutes=max(0.0, item.minutes_left)),
        failures=Quantity(max(0.0, item.failures_left), digits=0),
    )  # fmt: skip


def _row(item: Standing) -> tuple[Phrase, ...]:
    return (
        phrase("{service} {name}", service=item.slo.service, name=item.slo.name),
        phrase("{share}", share=_percent(item.slo.objective, 2)),
        phrase("{share}", share=_percent(item.sli, 3)),
        _brief(item),
        phrase("{rate}", rate=_burn(item, 1)),
    )


def _brief(item: Standing) -> Phrase:
    if item.left is None or item.minutes_left is None:
        return UNKNOWN
    minutes = Quantity(max(0.0, item.minutes_left), "min", 0)
    return phrase("{share}, {minutes}", share=_percent(item.left, 1), minutes=minutes)


def _outlook(item: Standing) -> Phrase:
    if item.left is None:
        return phrase("no data for the whole window, so nobody knows what is left")
    if item.left <= 0:
        return phrase("the budget is spent")
    ends = item.exhausted_in()
    if item.burn(BURN_WINDOWS[1]) is None:
        return phrase("no data for the last hour")
    return (
        phrase("at this pace the budget ends in {time}", time=ends) if ends else phrase("at this pace the budget holds")
    )


def _burn(item: Standing, at: int) -> Quantity | Phrase:
    rate = item.burn(BURN_WINDOWS[at])
    return UNKNOWN if rate is None else Quantity(rate, "x", 1)


def _percent(share: float | None, digits: int) -> Quantity | Phrase:
    return UNKNOWN if share is None else Quantity(share * 100, "%", digits)


def _tone(found: Iterable[Standing]) -> Tone:
    lefts = [item.left for item in found]
    if any(left is not None and left <= 0 for left in lefts):
        return Tone.CRITICAL
    if any(left is None or left < LOW for left in lefts) or any(item.exhausted_in() is not None for item in found):
        return Tone.WARNING
    return Tone.OK
