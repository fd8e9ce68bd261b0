"""How a figure was computed: the queries as they went out, what they gave, and the formulas."""

from __future__ import annotations

from collections.abc import Iterator

from bot.domain.durations import write_duration
from bot.domain.invariants import Budget, Invariant
from bot.domain.messages import Aside, Block, Paragraph, Preformatted
from bot.domain.phrases import Phrase, Strong, phrase
from bot.domain.regrouping import highest
from bot.domain.slo import BURN_WINDOWS, Standing, averaged, over, recorded
from handlers.cards import budget

Asked = tuple[str, float | None]


def how(item: Budget) -> Iterator[Block]:
    """Everything somebody needs to compute the same by hand."""
    yield Paragraph(phrase("How {name} was computed:", name=Strong(budget.name(item))))
    yield Preformatted("\n\n".join(f"{query}\n= {_told(value)}" for query, value in _queries(item)))
    yield Paragraph(_formula(item))
    if isinstance(item, Standing):
        windows = ", ".join(map(write_duration, BURN_WINDOWS))
        yield Aside(phrase("The burn rates come from the same queries over {windows}.", windows=windows))


def _queries(item: Budget) -> Iterator[Asked]:
    slo = item.slo
    if isinstance(item, Invariant):
        yield slo.bad, item.age
        yield over(highest(slo.bad), slo.window), item.peak
        if slo.missed:
            yield over(slo.missed, slo.window), item.missed
        return
    if slo.recording:
        yield recorded(slo.recording, slo.window), item.whole.share
        return
    total, bad = slo.queries(slo.window)
    yield total, item.whole.total
    yield bad, item.whole.bad
    if slo.quantile:
        yield over(slo.quantile, slo.window), item.quantile


def _formula(item: Budget) -> Phrase:
    if isinstance(item, Invariant):
        return phrase("Kept while the age, the longest age of the window and the missed deadlines all stay within it.")
    allowed = budget.percent(item.slo.allowed, 3)
    if item.slo.recording:
        return phrase(
            "Now = 1 − the recorded share. Budget left = 1 − share ÷ {allowed}. A window without a rule of its own is "
            "the average over time of {short}.",
            allowed=allowed, short=averaged(item.slo.recording, item.slo.window),
        )  # fmt: skip
    return phrase(
        "Now = 1 − bad ÷ total. Budget left = 1 − (bad ÷ total) ÷ {allowed}; in minutes, that share of {allowed} of "
        "{window}; in requests, of {allowed} of the total. Burn = (bad ÷ total) ÷ {allowed} over each window.",
        allowed=allowed, window=item.slo.window,
    )  # fmt: skip


def _told(value: float | None) -> str:
    return "?" if value is None else f"{value:.6g}" if abs(value) < 1 else f"{value:.2f}"
