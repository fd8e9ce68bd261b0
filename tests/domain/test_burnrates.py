"""Which windows are watched for an SLO, and from which burn on it is told."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.burnrates import LEAST, SAMPLES, SCRAPE, Arm, arms

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
DAYS = [
    (30, (14.4, HOUR, 5 * MINUTE), (6, 6 * HOUR, 30 * MINUTE), (3, DAY, 2 * HOUR), (1, 3 * DAY, 6 * HOUR)),
    (28, (13.44, HOUR, 5 * MINUTE), (5.6, 6 * HOUR, 30 * MINUTE), (2.8, DAY, 2 * HOUR), (0.933333, 3 * DAY, 6 * HOUR)),
    (90, (14.4, 3 * HOUR, 15 * MINUTE), (6, 18 * HOUR, 1.5 * HOUR), (3, 3 * DAY, 6 * HOUR), (1, 9 * DAY, 18 * HOUR)),
    (
        7, (13.44, 15 * MINUTE, 2 * MINUTE), (5.6, 1.5 * HOUR, 7.5 * MINUTE), (2.8, 6 * HOUR, 30 * MINUTE),
        (0.933333, 18 * HOUR, 1.5 * HOUR),
    ),
]  # fmt: skip
"""Days of the SLO's window, and by hand: 2 % of its budget, 5 %, 10 %, 10 % as burn, long window, short window.

30 days: the workbook's own figures. 28 days: those of Sloth's catalogue (internal/alert/windows/google-28d.yaml).
"""


@pytest.mark.parametrize(("days", "one", "two", "three", "four"), DAYS, ids=str)
def test_arms_by_hand(days: int, one: tuple, two: tuple, three: tuple, four: tuple) -> None:
    severities = ("critical", "critical", "warning", "warning")
    wanted = tuple(Arm(severity, *each) for severity, each in zip(severities, (one, two, three, four), strict=True))
    assert arms(days * DAY) == wanted


@given(st.integers(1, 400), st.sampled_from([1, 15, 30, 60]))
def test_every_window_means_the_same_share_of_its_budget(days: int, scrape: int) -> None:
    """Unless samples are too rare for so short a window: then the burn is no lower than what spends the budget."""
    window, seconds = days * DAY, timedelta(seconds=scrape)
    for arm, share in zip(arms(window, seconds), (0.02, 0.05, 0.1, 0.1), strict=True):
        assert arm.share(window) == pytest.approx(share, rel=1e-4) or arm.burn == LEAST
        assert arm.short >= SAMPLES * seconds
        assert 2 * arm.short <= arm.long <= window


@given(st.integers(7, 400))
def test_a_shorter_long_window_wants_a_faster_burn(days: int) -> None:
    found = arms(days * DAY)
    assert [arm.long for arm in found] == sorted({arm.long for arm in found})
    assert [arm.burn for arm in found] == sorted({arm.burn for arm in found}, reverse=True)


def test_rare_samples_make_the_short_windows_longer() -> None:
    first, *_ = arms(30 * DAY, 5 * MINUTE)
    assert (first.burn, first.long, first.short) == (14.4, HOUR, 20 * MINUTE)
    assert SCRAPE * SAMPLES == 2 * MINUTE
