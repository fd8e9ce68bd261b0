"""SLO arithmetic as a table of cases worked out by hand: windows, guards, gaps, resets, weighting.

Each line says what happened, and in the last column how the figures were found on paper. The window is 30 days
(720 h, 43,200 min) unless the line says otherwise.
"""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.domain.burndown import Bin, Past
from bot.domain.invariants import Invariant
from bot.domain.slo import BURN_WINDOWS, Counts, Gap, Slo, Standing, together

M5, H1, H6, D3 = BURN_WINDOWS
D7, D30 = timedelta(days=7), timedelta(days=30)
NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
API = Slo("api", "availability", "availability", 0.999, D30, "t[$window]", "b[$window]", min_requests=100)
NONE = None

# objective, window, total, bad → SLI, share left, minutes left, failures left
BUDGETS = {
    "untouched": (0.999, D30, 1e6, 0, 1.0, 1.0, 43.2, 1_000),  # 0.1 % of 43,200 min; of 1,000,000 requests
    "a tenth spent": (0.999, D30, 1e6, 100, 0.9999, 0.9, 38.88, 900),  # 100 of 1,000
    "half spent": (0.999, D30, 1e6, 500, 0.9995, 0.5, 21.6, 500),
    "all spent": (0.999, D30, 1e6, 1_000, 0.999, 0.0, 0.0, 0),
    "overspent twice": (0.999, D30, 1e6, 3_000, 0.997, -2.0, -86.4, -2_000),  # 3,000 of 1,000: 200 % over
    "one of few": (0.999, D30, 500, 1, 0.998, -1.0, -43.2, -0.5),  # 0.5 were allowed
    "one of a thousand": (0.999, D30, 1_000, 1, 0.999, 0.0, 0.0, 0),
    "two nines": (0.99, D30, 40_000, 100, 0.9975, 0.75, 324.0, 300),  # 400 allowed; 432 min × 0.75
    "four nines": (0.9999, D30, 2e6, 50, 0.999975, 0.75, 3.24, 150),  # 200 allowed; 4.32 min × 0.75
    "bots' 99.5": (0.995, D30, 20_000, 25, 0.99875, 0.75, 162.0, 75),  # 100 allowed; 216 min × 0.75
    "a week": (0.999, D7, 70_000, 35, 0.9995, 0.5, 5.04, 35),  # 10,080 min × 0.001 × 0.5
    "a day": (0.99, timedelta(days=1), 10_000, 20, 0.998, 0.8, 11.52, 80),  # 14.4 min × 0.8
    "total outage": (0.99, D30, 100, 100, 0.0, -99.0, -42_768.0, -99),  # 100 of 1
    "half of a per cent": (0.5, D30, 10, 2, 0.8, 0.6, 12_960.0, 3),  # 5 allowed; 21,600 min × 0.6
    "extrapolated above all": (0.99, D30, 100, 101, 0.0, -99.0, -42_768.0, -99),  # increase() may overshoot
    "extrapolated below none": (0.99, D30, 100, -0.4, 1.0, 1.0, 432.0, 1),
    "no budget, kept": (1.0, D30, 100, 0, 1.0, 1.0, 0.0, 0),
}


@pytest.mark.parametrize("case", BUDGETS)
def test_what_is_left(case: str) -> None:
    objective, window, total, bad, sli, left, minutes, failures = BUDGETS[case]
    found = Standing(replace(API, objective=objective, window=window), Counts(total, bad), {})
    assert (found.sli, found.left) == (pytest.approx(sli), pytest.approx(left, abs=1e-9))
    assert found.minutes_left == pytest.approx(minutes, abs=1e-6)
    assert found.failures_left == pytest.approx(failures, abs=1e-6)


# objective, spent of the budget, total, bad of one hour → burn, time until it ends
PACES = {
    "exactly as allowed": (0.999, 0.0, 1_000, 1, 1.0, NONE),
    "slower than allowed": (0.999, 0.0, 10_000, 5, 0.5, NONE),
    "the page's 14.4": (0.999, 0.0, 10_000, 144, 14.4, 50 * H1),  # 720 h / 14.4
    "the same, half spent": (0.999, 0.5, 10_000, 144, 14.4, 25 * H1),
    "the second page's 6": (0.999, 0.0, 1_000, 6, 6.0, 120 * H1),  # 720 / 6
    "the ticket's 3, 40 % left": (0.999, 0.6, 1_000, 3, 3.0, 96 * H1),  # 720 × 0.4 / 3
    "everything fails": (0.999, 0.0, 100, 100, 1_000.0, timedelta(minutes=43.2)),  # 720 h / 1,000
    "it is over": (0.999, 1.5, 1_000, 10, 10.0, timedelta()),
    "nothing fails": (0.999, 0.5, 1_000, 0, 0.0, NONE),
    "99 %, 2 % fail": (0.99, 0.25, 5_000, 100, 2.0, 270 * H1),  # 720 × 0.75 / 2
}


@pytest.mark.parametrize("case", PACES)
def test_how_fast_it_burns(case: str) -> None:
    objective, spent, total, bad, burn, ends = PACES[case]
    whole = Counts(1e6, spent * (1 - objective) * 1e6)
    found = Standing(replace(API, objective=objective), whole, {H1: Counts(total, bad)})
    assert found.burn(H1) == pytest.approx(burn)
    got = found.exhausted_in()
    assert (got is None) == (ends is NONE)
    assert got is None or got / H1 == pytest.approx(ends / H1)


# counts → why not wholly known; whether too few
GAPS = {
    "known": (Counts(10_000, 1), None, False),
    "no data at all": (Counts(None, None), Gap.ABSENT, False),
    "no count of bad ones": (Counts(1_000, None), Gap.ABSENT, False),
    "nobody asked": (Counts(0, 0), Gap.QUIET, True),
    "total is no number": (Counts(math.nan, 0), Gap.NAN, False),
    "bad is no number": (Counts(1_000, math.nan), Gap.NAN, False),
    "total is endless": (Counts(math.inf, 0), Gap.NAN, False),
    "recorded share": (Counts(None, None, 0.0001), None, False),
    "recorded share is 0/0": (Counts(None, None, math.nan), Gap.NAN, False),
    "known, with warnings": (Counts(10_000, 1, why=Gap.PARTIAL), Gap.PARTIAL, False),
    "known, a region silent": (Counts(10_000, 1, why=Gap.SILENT), Gap.SILENT, False),
    "late": (Counts(None, None, why=Gap.LATE), Gap.LATE, False),
    "99 requests of 100": (Counts(99, 0), None, True),
    "100 requests": (Counts(100, 0), None, False),
}


@pytest.mark.parametrize("case", GAPS)
def test_what_is_missing_is_named_and_never_healthy(case: str) -> None:
    counts, gap, thin = GAPS[case]
    assert counts.gap is gap
    assert counts.thin(API.min_requests) is thin
    known = dict.fromkeys(BURN_WINDOWS, Counts(1_000, 0))
    whole = Standing(API, counts, known)
    assert whole.healthy is (gap is None)
    recent = Standing(API, Counts(1e6, 10), {**known, M5: counts})
    assert recent.healthy is (gap in (None, Gap.QUIET)), "a quiet five minutes hide nothing"
    assert recent.thin(M5) is thin
    assert not Standing(API, Counts(1e6, 10), known, short=True).healthy, "less history than the window"


# parts → all together: traffic decides, not the number of parts
WEIGHTS = {
    "two regions alike": ([(1_000, 1), (1_000, 1)], (2_000, 2)),
    "the busy one decides": ([(99_000, 0), (1_000, 100)], (100_000, 100)),  # 0.1 %, not 5 %
    "an idle region": ([(1_000, 1), (0, 0)], (1_000, 1)),
    "one unknown": ([(1_000, 0), (None, None)], (None, None)),
    "bad unknown in one": ([(1_000, 0), (1_000, None)], (None, None)),
    "nothing to weigh": ([], (None, None)),
    "hours of a day": ([(100, 1)] * 24, (2_400, 24)),
}


@pytest.mark.parametrize("case", WEIGHTS)
def test_parts_are_weighted_by_traffic(case: str) -> None:
    parts, (total, bad) = WEIGHTS[case]
    found = together(Counts(*part) for part in parts)
    assert (found.total, found.bad) == (total, bad)
    assert (found.ratio is None) == (total is None)


def past(*hours: tuple[float | None, float | None], objective: float = 0.999, step: timedelta = H1) -> Past:
    """Steps that end one after the other, the last one now."""
    bins = [Bin(NOW - step * (len(hours) - 1 - at), Counts(*pair)) for at, pair in enumerate(hours)]
    return Past(replace(API, objective=objective), step, tuple(bins))


# hours (total, bad) at 99 % → left after each in per cent, worst hour's share, unknown hours after the first known
HOURS = {
    "evenly": ([(100, 1)] * 4, [75, 50, 25, 0], 0.25, 0),  # 4 allowed, 1 an hour
    "one bad hour": ([(100, 0), (100, 3), (100, 0), (100, 0)], [100, 25, 25, 25], 0.75, 0),  # 3 of 4
    "traffic differs": ([(300, 2), (100, 2)], [50, 0], 0.5, 0),  # 4 allowed of 400
    "a gap": ([(100, 1), (None, None), (100, 0)], [50, None, 50], 0.5, 1),  # 2 allowed of 200 seen
    "late beginning": ([(None, None), (100, 0), (100, 1)], [None, 100, 50], 0.5, 0),
    "a quiet hour": ([(100, 1), (0, 0), (100, 0)], [50, 50, 50], 0.5, 0),
    "a reset restarts from zero, as increase() has it": (
        [(100, 0), (40, 0), (100, 2)],
        [100, 100, 16.6667],
        0.83333,
        0,
    ),
    "overspent": ([(100, 4), (100, 0)], [-100, -100], 2.0, 0),
    "nothing bad": ([(100, 0), (100, 0)], [100, 100], None, 0),
}


@pytest.mark.parametrize("case", HOURS)
def test_the_past_in_hours(case: str) -> None:
    hours, lefts, worst, unknown = HOURS[case]
    found = past(*hours, objective=0.99)
    for (_, got), want in zip(found.left(), lefts, strict=True):
        assert math.isnan(got) if want is None else got == pytest.approx(want, rel=1e-4)
    hardest = found.worst()
    assert (hardest.spent if hardest else None) == (worst if worst is None else pytest.approx(worst, rel=1e-4))
    assert found.unseen == unknown * H1


# age now, longest of the window, missed deadlines (limit 300 s) → kept
INVARIANTS = {
    "fresh": (4, 20, 0, True),
    "waiting too long now": (301, 301, 0, False),
    "was late once": (4, 420, 0, False),
    "one deadline missed": (4, 20, 1, False),
    "exactly at the limit": (300, 300, 0, True),
    "age unknown": (None, 20, 0, None),
    "age is no number": (math.nan, 20, 0, None),
    "misses unknown": (4, 20, None, None),
    "unknown age, but known to have been late": (None, 400, 0, False),
}


@pytest.mark.parametrize("case", INVARIANTS)
def test_a_zero_budget_is_an_invariant(case: str) -> None:
    age, peak, missed, kept = INVARIANTS[case]
    slo = Slo("bots", "processing", "freshness", 1.0, D30, "", "age", threshold=300.0, missed="missed[$window]")
    found = Invariant(slo, age, missed, peak)
    assert found.kept is kept
    assert found.healthy is (kept is True)
    assert found.left == {True: 1.0, False: 0.0, None: None}[kept]
    assert Invariant(slo, age, missed, peak, Gap.SHORT).healthy is False


def test_there_are_enough_cases() -> None:
    assert sum(map(len, (BUDGETS, PACES, GAPS, WEIGHTS, HOURS, INVARIANTS))) >= 40


def test_what_ate_it_hour_by_hour() -> None:
    """10,000 requests an hour at 99.9 %: 10 may fail in each, 240 in the day."""
    hours = [(10_000.0, 0.0)] * 24
    hours[3], hours[4] = (10_000.0, 120.0), (10_000.0, 24.0)  # 144 of 240: 60 %
    hours[10] = (10_000.0, 12.0)  # 5 %
    hours[20] = (10_000.0, 9.0)  # slower than allowed: no stretch
    found = past(*hours)
    first, second = found.stretches()
    assert (first.spent, first.length) == (pytest.approx(0.6), 2 * H1)
    assert (first.start, first.end) == (NOW - 21 * H1, NOW - 19 * H1)
    assert (second.spent, second.length) == (pytest.approx(0.05), H1)
    assert found.spent() == pytest.approx((144 + 12 + 9) / 240)
    minutes = [Bin(first.start + M5 * (at + 1), Counts(833, 18.0 if 6 <= at < 14 else 0.0)) for at in range(24)]
    closer = replace(found, step=M5, bins=tuple(minutes), budget=found.allowed).burst()
    assert closer is not None
    assert (closer.length, closer.spent) == (timedelta(minutes=40), pytest.approx(144 / 240))
    assert replace(found, bins=()).burst() is None
