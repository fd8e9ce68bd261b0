"""Budgets in words: what is left, how fast it goes, and what is not known about it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from enum import StrEnum

from bot.domain.invariants import Budget, Invariant
from bot.domain.messages import Tone
from bot.domain.phrases import Phrase, Quantity, phrase, verbatim
from bot.domain.slo import BURN_WINDOWS, LOW, Gap, Standing

UNKNOWN = phrase("unknown")
WHY: Mapping[Gap, Phrase] = {
    Gap.LATE: phrase("Prometheus has not answered in time"),
    Gap.REFUSED: phrase("Prometheus refuses the query"),
    Gap.ABSENT: phrase("there is no data"),
    Gap.QUIET: phrase("there was no traffic"),
    Gap.NAN: phrase("the answer is no number"),
    Gap.PARTIAL: phrase("Prometheus warns that data may be missing"),
    Gap.SILENT: phrase("a region that had traffic sends nothing"),
    Gap.SHORT: phrase("Prometheus remembers less than the window"),
}
M5, H1, H6, D3 = BURN_WINDOWS


def name(item: Budget) -> Phrase:
    """Service and SLO."""
    return phrase("{service} {name}", service=item.slo.service, name=item.slo.name)


def objective(item: Budget) -> Phrase:
    """What was promised."""
    if isinstance(item, Invariant):
        return phrase("never over {limit}", limit=timedelta(seconds=item.slo.threshold or 0))
    return phrase("{share}", share=percent(item.slo.objective, 2))


def measured(item: Budget) -> Phrase:
    """What is kept of it."""
    if isinstance(item, Invariant):
        return UNKNOWN if item.age is None else phrase("{age}", age=timedelta(seconds=item.age))
    return phrase("{share}", share=percent(item.sli, 3))


def left(item: Budget) -> Phrase:
    """What is left, for one line. A promise without a budget is kept or broken."""
    if isinstance(item, Invariant):
        return UNKNOWN if item.kept is None else phrase("kept") if item.kept else phrase("broken")
    if item.left is None or item.minutes_left is None:
        return UNKNOWN
    minutes = Quantity(max(0.0, item.minutes_left), "min", 0)
    return phrase("{share}, {minutes}", share=percent(item.left, 1), minutes=minutes)


def burn(item: Budget, window: timedelta) -> Quantity | Phrase:
    """The burn rate, marked where so few requests say nothing."""
    if isinstance(item, Invariant):
        return verbatim("–")
    rate = item.burn(window)
    if rate is None:
        return UNKNOWN
    told = Quantity(rate, "x", 0 if rate == 0 else 2 if rate < 1 else 1)
    return phrase("{rate} (few)", rate=told) if item.thin(window) else told


def outlook(item: Standing) -> Phrase:
    """What becomes of the budget at the present pace."""
    if item.left is None:
        return phrase("nobody knows what is left")
    if item.left <= 0:
        return phrase("the budget is spent")
    hour = item.recent.get(H1)
    if hour is None or hour.ratio is None:
        return phrase("no pace to tell: {why} in the last hour", why=WHY[(hour and hour.gap) or Gap.ABSENT])
    if item.thin(H1):
        return phrase(
            "too few requests in the last hour to tell a pace: {n} of {least}",
            n=Quantity(hour.total or 0, digits=0), least=item.slo.min_requests,
        )  # fmt: skip
    ends = item.exhausted_in()
    return (
        phrase("at this pace the budget ends in {time}", time=ends) if ends else phrase("at this pace the budget holds")
    )


def doubts(item: Budget) -> Iterator[Phrase]:
    """Everything that keeps the figures from being the whole truth, one sentence each."""
    if isinstance(item, Invariant):
        if item.why is not None:
            yield phrase("Not wholly known: {why}.", why=WHY[item.why])
        return
    if item.whole.gap is not None:
        yield phrase("Over all {window}: {why}.", window=item.slo.window, why=WHY[item.whole.gap])
    if item.short and item.whole.gap is not Gap.ABSENT:
        yield phrase("{why}: what came before is not in these figures.", why=WHY[Gap.SHORT])
    gaps: dict[Gap, list[timedelta]] = {}
    for window, counts in item.recent.items():
        if counts.gap not in (None, item.whole.gap):
            gaps.setdefault(counts.gap, []).append(window)
    for gap, windows in gaps.items():
        yield phrase("Over the last {window}: {why}.", window=windows[-1], why=WHY[gap])


def late(item: Budget) -> bool:
    """Whether an answer was only too slow."""
    return Gap.LATE in item.gaps if isinstance(item, Standing) else item.why is Gap.LATE


def tone(items: Iterable[Budget]) -> Tone:
    """Red for a promise that is broken, yellow for what is low, ends too soon or is not known. Green only for known."""
    worst = max((_rank(item) for item in items), default=0)
    return (Tone.OK, Tone.WARNING, Tone.CRITICAL)[worst]


def urgency(item: Budget) -> tuple[int, float]:
    """Sorts the worst first."""
    return -_rank(item), item.left if item.left is not None else LOW


def percent(share: float | None, digits: int) -> Quantity | Phrase:
    """A share as people write it."""
    return UNKNOWN if share is None else Quantity(share * 100, "%", digits)


class Trouble(StrEnum):
    """The one thing that is the matter with a budget."""

    SPENT = "spent"
    UNKNOWN = "unknown"
    LOW = "low"
    ENDING = "ending"


def trouble(item: Budget) -> Trouble | None:
    """None: it is wholly known, and lasts."""
    if item.left is not None and item.left <= 0:
        return Trouble.SPENT
    if item.left is not None and item.left < LOW:
        return Trouble.LOW
    if not item.healthy:
        return Trouble.UNKNOWN
    ending = isinstance(item, Standing) and item.exhausted_in() is not None and not item.thin(H1)
    return Trouble.ENDING if ending else None


def _rank(item: Budget) -> int:
    found = trouble(item)
    return 2 if found is Trouble.SPENT else int(found is not None)
