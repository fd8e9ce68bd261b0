"""Shapes that other rules lean on: their limits, and that they are stored."""

from datetime import timedelta

from bot.domain.codec import decode, encode
from bot.domain.history import SHORT
from bot.domain.retention import AGAIN, REST, SHARE, STEP, pause
from bot.domain.storms import CALM, WITHIN, Storm
from tests.domain.builders import MINUTE, NOON, SECOND


def test_a_storm_is_read_back() -> None:
    storm = Storm("st-1", "slack:C0OPS", NOON, NOON + MINUTE, NOON + 9 * MINUTE)
    assert decode(encode(storm)) == storm


def test_a_storm_outlasts_the_lull_between_two_counts() -> None:
    assert CALM > WITHIN
    assert timedelta() < SHORT


def test_a_step_is_followed_by_a_rest_in_proportion() -> None:
    assert pause(timedelta(milliseconds=2)) == REST
    assert pause(SECOND) == SHARE * SECOND
    assert timedelta(days=1) > AGAIN
    assert STEP / REST.total_seconds() * 86_400 > 1_000_000, "faster than any department's alerts come"
