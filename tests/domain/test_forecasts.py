"""Where a month ends, and which day is news."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.forecasts import Daily, Forecast, Unusual, forecast, news, unusual

D = Decimal
NOON = datetime(2026, 6, 11, 12, tzinfo=UTC)
"""Ten days of June are over, and half of the eleventh; nineteen are ahead."""
FIRST = datetime(2026, 6, 1, tzinfo=UTC)
DAY = timedelta(days=1)


def days(*costs: str | None, last: datetime = FIRST + 9 * DAY) -> Daily:
    """The latest one is *last*."""
    start = last - DAY * (len(costs) - 1)
    return [(start + DAY * at, None if cost is None else D(cost)) for at, cost in enumerate(costs)]


def test_a_steady_month() -> None:
    """10 days x 2 + 1 so far, then half a day and 19 days of 2: 60. Nothing scatters, so the interval is a point."""
    found = forecast(days(*["2"] * 10), D(1), NOON)
    assert found == Forecast(D(21), D(60), D(60), D(60), D(0), 10, 0)


def test_a_rising_month() -> None:
    """Day n costs n: 1 + … + 30 = 465, less half of the eleventh, of which 5 came instead of 5.5."""
    found = forecast(days(*map(str, range(1, 11))), D(5), NOON)
    assert found is not None
    assert (found.slope, found.expected) == (D(1), D("464.5"))


def test_one_day_ahead_by_hand() -> None:
    """28 days of February known, 1 and 3 by turns, none missing; March has none, so its first day is all of it."""
    now = datetime(2026, 2, 28, tzinfo=UTC)
    found = forecast(days(*["1", "3"] * 13, "2", last=now - DAY), D(0), now)
    assert found is not None
    assert found.low is not None
    assert found.high is not None
    xs = range(27)
    ys = [1, 3] * 13 + [2]
    slope = sum((x - 13) * y for x, y in zip(xs, ys, strict=True)) / sum((x - 13) ** 2 for x in xs)
    level = sum(ys) / 27
    rest = sum((y - level - slope * (x - 13)) ** 2 for x, y in zip(xs, ys, strict=True)) / 25
    half = 1.3163 * (rest * (1 + 1 / 27 + 14**2 / sum((x - 13) ** 2 for x in xs))) ** 0.5  # t(25, 90 %): any table
    assert float(found.high - found.expected) == pytest.approx(half, rel=1e-3)
    assert float(found.expected) == pytest.approx(sum(ys) + level + slope * 14, abs=1e-5)


def test_too_few_days_have_a_pace_and_no_trend() -> None:
    found = forecast(days("1", "2", "3"), D(1), NOON)
    assert found is not None
    assert (found.low, found.high, found.slope, found.missing) == (None, None, D(0), 7)
    assert found.expected == D(7) + D(2) * (7 + 19) + D(1)


def test_nothing_known_is_not_zero() -> None:
    assert forecast([], D(5), NOON) is None
    assert forecast(days(None, None), D(5), NOON) is None


def test_a_today_that_is_not_known_is_a_day_ahead() -> None:
    known, unknown = (forecast(days(*["2"] * 10), cost, NOON) for cost in (D(1), None))
    assert known is not None
    assert unknown is not None
    assert (unknown.spent, unknown.expected) == (D(20), D(60))


costs = st.lists(st.one_of(st.none(), st.decimals(0, 1000, places=2)), min_size=1, max_size=40)


@given(costs, st.decimals(0, 100, places=2), st.integers(0, 365 * 24))
def test_the_expected_lies_in_its_interval(given_: list[Decimal | None], so_far: Decimal, hours: int) -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=hours)
    midnight = at.replace(hour=0, minute=0, second=0, microsecond=0)
    found = forecast([(midnight - DAY * (len(given_) - n), cost) for n, cost in enumerate(given_)], so_far, at)
    if found is None:
        assert all(cost is None for cost in given_)
        return
    assert found.expected >= found.spent >= so_far
    if found.low is not None and found.high is not None:
        assert found.spent <= found.low <= found.expected <= found.high


USUAL = ["10", "11", "9", "10", "10", "11", "9", "10", "10", "11", "9", "10", "10", "11"]


@pytest.mark.parametrize(
    ("name", "given_", "found"),
    [
        ("far above", [*USUAL, "20"], True),  # median 10, MAD 0.5: spread 0.74, four of them 2.97
        ("a little above", [*USUAL, "12.9"], False),
        ("just above", [*USUAL, "13"], True),
        ("less than usual", [*USUAL, "1"], False),
        ("an outlier before does not blunt it", [*USUAL[:-1], "500", "20"], True),
        ("too few days", [*USUAL[1:], "20"], False),
        ("days that are not known do not count", [None, *USUAL[1:], "20"], False),
        ("a day that is not known", [*USUAL, None], False),
        ("cents", [*["0.01"] * 14, "0.50"], False),
        ("calm, and a fifth more is no news", [*["100"] * 14, "119"], False),
        ("calm, and a quarter more", [*["100"] * 14, "125"], True),
    ],
)  # fmt: skip
def test_unusual_days(name: str, given_: list[str | None], found: bool) -> None:
    assert bool(unusual({"api": days(*given_)})) is found, name


def test_the_largest_first_and_what_is_usual() -> None:
    found = unusual({"web": days(*USUAL, "20"), "api": days(*USUAL, "40"), "calm": days(*USUAL, "10"), "empty": []})
    assert found == (Unusual("api", D(40), D(10)), Unusual("web", D(20), D(10)))


def test_told_once_while_it_lasts() -> None:
    each = Unusual("api", D(40), D(10))
    assert news((each,), {}) == (each,)
    assert news((each,), {"api": 40.0}) == ()
    assert news((each,), {"api": 33.0}) == ()
    assert news((each,), {"api": 32.0}) == (each,)  # a quarter more than was told
    assert news((each,), {"web": 40.0}) == (each,)
