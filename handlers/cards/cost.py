"""Money in words: the parts of a whole, where the month will end, what is not in it, what could be saved."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from math import nan

from bot.domain.costs import ZERO, Day, Dimension, Kind, Line, Row, Spend, added, daily, rows, whole
from bot.domain.forecasts import Forecast, Unusual
from bot.domain.messages import (
    Aside,
    Block,
    Button,
    Collapsed,
    Curve,
    Graph,
    Lines,
    Message,
    Paragraph,
    Table,
    Tone,
    pressable,
)
from bot.domain.money import shown
from bot.domain.phrases import Code, Phrase, counted, in_line, phrase
from bot.domain.savings import Saving, Way, month

CURVES = 4
"""Services with a band of their own in the picture: it holds six, and the rest and what is idle have one each."""
INVOICES = 3
TITLES = {
    Dimension.SERVICE: phrase("Service"),
    Dimension.NAMESPACE: phrase("Namespace"),
    Dimension.ENVIRONMENT: phrase("Environment"),
    Dimension.REGION: phrase("Region"),
}
NOBODY = {
    Dimension.SERVICE: phrase("no service"),
    Dimension.NAMESPACE: phrase("no namespace"),
    Dimension.ENVIRONMENT: phrase("no environment"),
    Dimension.REGION: phrase("no region"),
}


def table(parts: Sequence[Row], dimension: Dimension, currency: str) -> Table:
    """The parts, the dearest first, and what they add up to."""
    header = (
        TITLES[dimension], phrase("Cost"), phrase("Used"), phrase("Waste"), phrase("Idle"), phrase("Fixed"),
    )  # fmt: skip
    named = [(phrase("{name}", name=row.name) if row.name else NOBODY[dimension], row) for row in parts]
    if len(parts) > 1:
        named.append((phrase("together"), added(parts)))
    return Table(header, tuple((name, *_cells(row, currency)) for name, row in named))


def _cells(row: Row, currency: str) -> Iterator[Phrase]:
    for amount in (row.total, row.used - row.blind, row.waste, row.idle, row.blind):
        yield money(amount, currency) if amount else phrase("–")


def money(amount: Decimal, currency: str) -> Phrase:
    """An amount as a sentence of its own."""
    return phrase("{amount}", amount=shown(amount, currency))


def pace(days: Sequence[Day], lines: Iterable[Line], currency: str) -> Phrase:
    """What a month costs at the pace of *days*."""
    return phrase("{amount} a month", amount=shown(month(whole(lines), len(days)), currency))


def outlook(found: Forecast, currency: str) -> Phrase:
    """Where the month will end."""
    expected = shown(found.expected, currency)
    if found.low is None or found.high is None:
        return counted(
            "{expected}, from {n} known day: too few for a trend",
            "{expected}, from {n} known days: too few for a trend", found.days, expected=expected,
        )  # fmt: skip
    if shown(found.low, currency) == shown(found.high, currency):
        return phrase("{expected}; {slope}", expected=expected, slope=_slope(found.slope, currency))
    return phrase(
        "{expected}, with 80 % probability {low} to {high}; {slope}", expected=expected,
        low=shown(found.low, currency), high=shown(found.high, currency), slope=_slope(found.slope, currency),
    )  # fmt: skip


def _slope(slope: Decimal, currency: str) -> Phrase:
    amount = shown(abs(slope), currency)
    if not amount.number:
        return phrase("every day costs about the same")
    if slope > 0:
        return phrase("each day costs {amount} more than the one before", amount=amount)
    return phrase("each day costs {amount} less than the one before", amount=amount)


def bill(spend: Spend) -> Iterator[tuple[Phrase, Phrase]]:
    """The provider's own figures, which are in US dollars."""
    account = spend.account
    if account is None:
        return
    yield phrase("DigitalOcean's bill so far"), phrase("{amount} on {at}", amount=shown(account.used), at=account.at)
    if account.invoices:
        past = account.invoices[:INVOICES]
        told = (phrase("{period}: {amount}", period=period, amount=shown(paid)) for period, paid in past)
        yield phrase("Last invoices"), in_line(told, " · ")


def missing(unknown: Sequence[Phrase]) -> Iterator[Block]:
    """What costs money and is not in the figures."""
    if unknown:
        yield Paragraph(phrase("Not in these figures, so the true sum is higher:"))
        yield Lines(tuple(unknown))


def saved(found: Sequence[Saving], currency: str) -> Iterator[Block]:
    """What could be saved, each with the command that does it."""
    if found:
        yield Paragraph(phrase("What could be saved, the most first:"))
        yield Lines(tuple(_saving(each, currency) for each in found))


def _saving(each: Saving, currency: str) -> Phrase:
    amount, command = shown(each.amount, currency), Code(each.command)
    return phrase("up to {amount} a month: {command}, since {why}", amount=amount, command=command, why=_why(each))


def _why(each: Saving) -> Phrase:
    match each.way:
        case Way.RIGHTSIZE:
            return phrase("{target} asks for what it does not use", target=each.target)
        case Way.SCALE:
            return counted(
                "{n} of {now} replicas would do in the busiest hour of {target}",
                "{n} of {now} replicas would do in the busiest hour of {target}",
                each.then, now=each.now, target=each.target,
            )  # fmt: skip
        case Way.POOL:
            return counted(
                "{n} of {now} machines would hold the busiest hour of {target}",
                "{n} of {now} machines would hold the busiest hour of {target}",
                each.then, now=each.now, target=each.target,
            )  # fmt: skip


def buttons(found: Sequence[Saving]) -> tuple[Button, ...]:
    """For what pult itself carries out."""
    own = (each.command for each in found if each.way is not Way.POOL)
    return tuple(Button(phrase("{command}", command=each), each) for each in own if pressable(each))


def picture(days: Sequence[Day], currency: str) -> Graph | None:
    """What each day cost, service on service; a gap where a day is not wholly known. None for less than two days."""
    if len(days) < 2:
        return None
    lines = [line for day in days for line in day.lines]
    names = [row.name for row in rows((line for line in lines if line.service), Dimension.SERVICE)]
    own = {name: at for at, name in enumerate(names[:CURVES])}

    def band(line: Line) -> int:
        return CURVES + 1 if line.kind is Kind.IDLE else own.get(line.service, CURVES)

    titles = {at: phrase("{name}", name=name) for name, at in own.items()}
    titles |= {CURVES: phrase("the rest"), CURVES + 1: phrase("idle")}
    seen = {band(line) for line in lines}
    curves = tuple(Curve(titles[at], tuple(_points(days, band, at))) for at in sorted(seen))
    unit = shown(Decimal(1), currency).unit
    return Graph(phrase("Cost a day"), curves, unit, stacked=True)


def _points(days: Sequence[Day], band: Callable[[Line], int], wanted: int) -> Iterator[tuple[datetime, float]]:
    for day in days:
        cost = whole(line for line in day.lines if band(line) == wanted)
        yield day.at, nan if day.gaps else float(cost)


def how(spend: Spend, days: Sequence[Day], gaps: int) -> Iterator[Block]:
    """The period, the sources, the arithmetic: for who wants to check it."""
    if days:
        yield Aside(counted(
            "{n} whole day (UTC), from {first} to {last}.", "{n} whole days (UTC), from {first} to {last}.", len(days),
            first=f"{days[0].at:%Y-%m-%d}", last=f"{days[-1].at:%Y-%m-%d}",
        ))  # fmt: skip
    if gaps:
        yield Aside(counted("{n} day in between is not known, and not in it.",
                            "{n} days in between are not known, and not in it.", gaps))  # fmt: skip
    items = (
        phrase("A claim is the larger of what was asked for and what was used, hour by hour, times its price."),
        phrase("Used: worked with. Waste: asked for, not used. Idle: machines that nobody claimed."),
        phrase("Fixed: databases, load balancers, volumes; nobody measures what of them is used."),
        *(phrase("Prices of {cluster}: {source}, in {currency}.", cluster=cluster, source=source,
                 currency=spend.currency) for cluster, source in spend.sources.items()),
    )  # fmt: skip
    yield Collapsed(phrase("How this was reckoned"), items)


def alarm(found: Sequence[Unusual], day: Day, currency: str) -> Message:
    """The notice of a day that was dearer than usual."""
    lines = tuple(
        phrase(
            "{name}: {cost}, usually {median} a day",
            name=each.name or phrase("Everything together"), cost=shown(each.cost, currency),
            median=shown(each.median, currency),
        )
        for each in found
    )  # fmt: skip
    title = phrase("Unusual cost on {day}", day=f"{day.at:%Y-%m-%d}")
    tried = (f"cost {each.name}".rstrip() for each in found)
    pressed = tuple(Button(phrase("{command}", command=each), each) for each in tried if pressable(each))
    text = Paragraph(phrase("More than four usual spreads above the median of the days before:"))
    return Message(title, Tone.WARNING, (text, Lines(lines)), pressed[:3])


def week(spend: Spend) -> Iterator[Block]:
    """The line for the weekly digest: this week beside the one before, idle and waste, and what is unknown."""
    known = [
        (day, cost) for day, (_, cost) in zip(spend.days, daily(spend.days, _all), strict=True) if cost is not None
    ]
    last = known[-7:]
    if not last:
        yield from unknown_week()
        return
    cost = sum((each for _, each in last), ZERO)
    lines = [line for day, _ in last for line in day.lines]
    idle = whole(line for line in lines if line.kind is Kind.IDLE)
    waste = sum((line.waste for line in lines), ZERO)
    text = phrase(
        "Cost of {days}: {cost}, of it waste {waste} and idle {idle}",
        days=counted("{n} known day", "the last {n} known days", len(last)), cost=shown(cost, spend.currency),
        waste=shown(waste, spend.currency), idle=shown(idle, spend.currency),
    )  # fmt: skip
    before = known[-14:-7]
    if len(before) == len(last):
        earlier = sum((each for _, each in before), ZERO)
        text = phrase("{week}; the week before {earlier}", week=text, earlier=shown(earlier, spend.currency))
    yield Paragraph(text)
    if spend.unknown:
        yield Aside(counted("{n} thing that costs money is not in it: see {cost}.",
                            "{n} things that cost money are not in it: see {cost}.", len(spend.unknown),
                            cost=Code("cost")))  # fmt: skip


def unknown_week() -> Iterator[Block]:
    """In place of it."""
    yield Paragraph(phrase("Cost of the week: not known."))


def _all(_: Line) -> bool:
    return True
