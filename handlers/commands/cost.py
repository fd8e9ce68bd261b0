"""``cost [service] [by namespace|environment|region] [7d]``: money, what of it was of use, and how to spend less."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from bot.domain.costs import Day, Dimension, Line, Spend, daily, rows, whole
from bot.domain.durations import parse_duration
from bot.domain.errors import TemporaryError, UserError
from bot.domain.forecasts import forecast
from bot.domain.messages import Block, Facts, Paragraph, Tone
from bot.domain.money import shown
from bot.domain.phrases import Code, Phrase, phrase
from bot.domain.savings import savings
from bot.domain.services import Catalogue
from bot.ports.commands import Call, Command, Reply
from bot.ports.costs import Costs
from handlers.cards import cost
from handlers.commands.replies import said

BY = frozenset({"by", "по"})
WORDS = {
    "service": Dimension.SERVICE, "services": Dimension.SERVICE, "сервису": Dimension.SERVICE,
    "сервисам": Dimension.SERVICE,
    "namespace": Dimension.NAMESPACE, "namespaces": Dimension.NAMESPACE, "пространству": Dimension.NAMESPACE,
    "пространствам": Dimension.NAMESPACE, "неймспейсу": Dimension.NAMESPACE, "неймспейсам": Dimension.NAMESPACE,
    "environment": Dimension.ENVIRONMENT, "environments": Dimension.ENVIRONMENT, "среде": Dimension.ENVIRONMENT,
    "средам": Dimension.ENVIRONMENT, "окружению": Dimension.ENVIRONMENT, "окружениям": Dimension.ENVIRONMENT,
    "region": Dimension.REGION, "regions": Dimension.REGION, "региону": Dimension.REGION,
    "регионам": Dimension.REGION,
}  # fmt: skip
"""As people write them after "by" and after «по»."""
DAY, MONTH = timedelta(days=1), 30
PACE = 7
"""Days at whose pace a month is told."""


@dataclass(frozen=True)
class Asked:
    """``service`` empty: everything. ``days``: how far back."""

    service: str
    dimension: Dimension
    days: int

    def counts(self, line: Line) -> bool:
        """Whether *line* is of what is asked for."""
        return self.service in {"", line.service}


def duty(costs: Costs, services: Catalogue) -> Command:
    """Reads only; what would save money are commands of their own, with plans and approvals."""

    async def run(call: Call) -> Reply:
        want = asked(call.args, services)
        try:
            spend = await costs.spend()
        except TemporaryError as error:
            raise UserError("Nothing that knows costs answers now, so nobody knows. Try again in a minute.") from error
        return _answer(spend, want, services, call)

    example = services.example
    return Command(
        ("cost", "стоимость"), "cost [service] [by namespace|environment|region] [7d]",
        phrase("what a service costs, what of it is waste, and how to save it"), run,
        examples=("cost", f"cost {example}", "cost by region", f"cost {example} by environment 7d"),
    )  # fmt: skip


def asked(args: tuple[str, ...], services: Catalogue) -> Asked:
    """Words in any order: a service, ``by`` something, a length of days. UserError for others."""
    service, dimension, days, words = "", None, MONTH, iter(args)
    for word in words:
        if word.casefold() in BY:
            dimension = _dimension(next(words, ""))
        elif length := _length(word):
            days = length
        else:
            service = services.named(word).name
    return Asked(service, dimension or (Dimension.ENVIRONMENT if service else Dimension.SERVICE), days)


def _dimension(word: str) -> Dimension:
    found = WORDS.get(word.casefold())
    if found is None:
        names = ", ".join(Dimension)
        raise UserError("{word} is nothing to take costs apart by. There are: {names}.", word=Code(word), names=names)
    return found


def _length(word: str) -> int:
    """Whole days, 0 for what is no length of time."""
    try:
        length = parse_duration(word)
    except ValueError:
        return 0
    if not DAY <= length <= MONTH * DAY:
        raise UserError("Costs are known by the day, for a month back: between {least} and {most}.",
                        least=Code("1d"), most=Code(f"{MONTH}d"))  # fmt: skip
    return length // DAY


def _answer(spend: Spend, want: Asked, services: Catalogue, call: Call) -> Reply:
    period = spend.days[-want.days :]
    costs = daily(period, want.counts)
    days = [day for day, (_, known) in zip(period, costs, strict=True) if known is not None]
    lines = [line for day in days for line in day.lines if want.counts(line)]
    found = [each for each in savings(spend, services) if want.service in {"", each.target}]
    return said(
        _title(spend, want, days, lines), *_blocks(spend, want, days, lines, call),
        *cost.missing(spend.unknown), *cost.saved(found, spend.currency), *_picture(spend, want, period),
        *cost.how(spend, days, len(period) - len(days)),
        tone=Tone.WARNING if spend.unknown or not days else Tone.INFO, buttons=cost.buttons(found),
    )  # fmt: skip


def _title(spend: Spend, want: Asked, days: list[Day], lines: list[Line]) -> Phrase:
    what = phrase("{service}", service=want.service) if want.service else phrase("All costs")
    if not days:
        return phrase("{what}: what it costs is not known", what=what)
    amount, count = shown(whole(lines), spend.currency), timedelta(days=len(days))
    if spend.unknown:
        return phrase("{what}: at least {amount} in {length}", what=what, amount=amount, length=count)
    return phrase("{what}: {amount} in {length}", what=what, amount=amount, length=count)


def _blocks(spend: Spend, want: Asked, days: list[Day], lines: list[Line], call: Call) -> Iterator[Block]:
    yield Facts(tuple(_facts(spend, want, days, call)))
    if lines:
        yield cost.table(rows(lines, want.dimension), want.dimension, spend.currency)
    elif spend.days and not spend.unknown:
        yield Paragraph(phrase("Nothing of it was found running, and nothing of it has a price."))


def _facts(spend: Spend, want: Asked, days: list[Day], call: Call) -> Iterator[tuple[Phrase, Phrase]]:
    last = days[-PACE:]
    if last:
        yield (
            phrase("At the last week's pace"),
            cost.pace(last, (line for day in last for line in day.lines if want.counts(line)), spend.currency),
        )
    ((_, today),) = daily((spend.today,), want.counts)
    end = forecast(daily(spend.days, want.counts), today, call.now)
    if end is None:
        yield phrase("This month"), phrase("unknown")
    else:
        yield phrase("This month so far"), cost.money(end.spent, spend.currency)
        yield phrase("By its end"), cost.outlook(end, spend.currency)
        if end.missing:
            yield phrase("Days of it not known"), phrase("{n}, taken to be like the others", n=end.missing)
    if not want.service:
        yield from cost.bill(spend)


def _picture(spend: Spend, want: Asked, period: tuple[Day, ...]) -> Iterator[Block]:
    if not want.service and (graph := cost.picture(period, spend.currency)):
        yield graph
