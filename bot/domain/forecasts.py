"""Where the month will end, with the interval said, and which day was unlike the others."""

from __future__ import annotations

import calendar
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from math import sqrt
from statistics import NormalDist, fmean, median
from typing import Final

from bot.domain.costs import ZERO
from bot.domain.hours import midnight
from bot.domain.money import exact, number

LIKELY: Final = 0.8
"""Probability with which the month ends within the interval, if days go on as they did."""
TREND_DAYS: Final = 7
"""Known days below which there is a run rate but no trend: a week has its own shape."""
USUAL_DAYS: Final = 14
"""Known days below which nothing is called unusual."""
UNUSUAL: Final = 4.0
"""Spreads above the median from which on a day is unusual: one day in 30,000 if days were normally distributed."""
SPREAD: Final = 1.4826
"""Median absolute deviation to standard deviation, of a normal distribution (Rousseeuw and Croux, 1993)."""
CALM: Final = 0.05
"""Least spread, as a share of the median: a service that costs the same every day is not news for a cent more."""
LEAST: Final = Decimal(1)
"""Money a day must cost above the median to be worth a message."""
GROWN: Final = Decimal("1.25")
"""How many times what was told a day must cost to be told again, while it stays unusual."""

Daily = Sequence[tuple[datetime, Decimal | None]]
"""What each day cost; None: not known."""


@dataclass(frozen=True)
class Forecast:
    """Of one month. ``spent`` is known; ``low`` and ``high`` are None without enough days for a trend.

    ``slope``: how much more each day costs than the one before. ``missing``: days of the month that are not known.
    """

    spent: Decimal
    expected: Decimal
    low: Decimal | None
    high: Decimal | None
    slope: Decimal
    days: int
    missing: int


@dataclass(frozen=True)
class Unusual:
    """A day that cost more than usual: ``median`` is that of the days before."""

    name: str
    cost: Decimal
    median: Decimal


@dataclass(frozen=True)
class _Line:
    """Least squares through the known days."""

    count: int
    middle: float
    level: float
    slope: float
    spread: float
    width: float

    def sum(self, days: Sequence[tuple[float, float]]) -> tuple[float, float | None]:
        """The sum over *days* (number, share of it), and the half of its interval; None without a trend."""
        length = sum(share for _, share in days)
        moment = sum(at * share for at, share in days) - length * self.middle
        expected = length * self.level + self.slope * moment
        if self.count < TREND_DAYS:
            return expected, None
        noise = sum(share * share for _, share in days) + length * length / self.count + moment * moment / self.width
        return expected, _student(self.count - 2) * self.spread * sqrt(noise)


def forecast(daily: Daily, so_far: Decimal | None, now: datetime) -> Forecast | None:
    """The end of *now*'s month (UTC); *so_far* is what this day cost already. None when no day is known."""
    first = midnight(now).replace(day=1)
    line = _fitted([(_number(at, first), float(cost)) for at, cost in daily if cost is not None])
    if line is None:
        return None
    own = {at: cost for at, cost in daily if at >= first}
    spent = sum((cost for cost in own.values() if cost is not None), so_far or ZERO)
    length, today = calendar.monthrange(now.year, now.month)[1], _number(now, first)
    missing = [at for at in range(int(today)) if own.get(first + timedelta(days=at)) is None]
    ahead = [(float(at), 1.0) for at in (*missing, *range(int(today) + 1, length))]
    left = 1.0 if so_far is None else int(today) + 1 - today
    rest, half = line.sum([*ahead, (float(int(today)), left)])
    expected = spent + max(ZERO, exact(number(rest)))
    return Forecast(
        spent, expected, None if half is None else max(spent, expected - exact(number(half))),
        None if half is None else expected + exact(number(half)), exact(number(line.slope)), line.count, len(missing),
    )  # fmt: skip


def unusual(daily: Mapping[str, Daily]) -> tuple[Unusual, ...]:
    """Whose last day cost far more than its days before, the largest difference first. Not known is not unusual."""
    found = [each for name, days in daily.items() if (each := _unusual(name, days))]
    return tuple(sorted(found, key=lambda each: each.median - each.cost))


def news(found: Iterable[Unusual], told: Mapping[str, float]) -> tuple[Unusual, ...]:
    """Those that were not told while they have been unusual, or have grown much since."""
    return tuple(each for each in found if each.name not in told or each.cost >= number(told[each.name]) * GROWN)


def _unusual(name: str, days: Daily) -> Unusual | None:
    *before, (_, last) = days or ((None, None),)
    costs = [float(cost) for _, cost in before if cost is not None]
    if last is None or len(costs) < USUAL_DAYS:
        return None
    usual = median(costs)
    spread = max(SPREAD * median(abs(cost - usual) for cost in costs), CALM * usual)
    above = last - number(usual)
    return Unusual(name, last, exact(number(usual))) if above >= LEAST and above > number(UNUSUAL * spread) else None


def _fitted(points: Sequence[tuple[float, float]]) -> _Line | None:
    if not points:
        return None
    count, middle, level = len(points), fmean(x for x, _ in points), fmean(y for _, y in points)
    if count < TREND_DAYS:
        return _Line(count, middle, level, 0.0, 0.0, 1.0)
    width = sum((x - middle) ** 2 for x, _ in points)
    slope = sum((x - middle) * (y - level) for x, y in points) / width
    rest = sum((y - level - slope * (x - middle)) ** 2 for x, y in points)
    return _Line(count, middle, level, slope, sqrt(rest / (count - 2)), width)


def _student(freedom: int) -> float:
    """The quantile of Student's t that LIKELY of all sums stay below in size.

    The normal one with the first two terms of its expansion (Abramowitz and Stegun, 26.7.5): within 1 % from 5 on.
    """
    z = NormalDist().inv_cdf((1 + LIKELY) / 2)
    return z + (z**3 + z) / (4 * freedom) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * freedom**2)


def _number(at: datetime, first: datetime) -> float:
    return (at - first) / timedelta(days=1)
