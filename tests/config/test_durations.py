"""Durations as people write them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.durations import parse_duration, write_duration


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("0s", timedelta()),
        ("90s", timedelta(seconds=90)),
        ("5m", timedelta(minutes=5)),
        ("2h", timedelta(hours=2)),
        (" 30d ", timedelta(days=30)),
        ("4w", timedelta(weeks=4)),
    ],
)
def test_written_durations(text: str, length: timedelta) -> None:
    assert parse_duration(text) == length


@pytest.mark.parametrize(
    "wrong", ["", "5", "m", "-5m", "1.5h", "5 m", "5M", "1h30m", "٥m", "999999999w", "5m\n5m", 300, None, ["5m"]]
)
def test_anything_else_is_refused(wrong: object) -> None:
    with pytest.raises(ValueError, match="30s, 5m, 2h, 7d, 4w"):
        parse_duration(wrong)


@given(st.integers(0, 3_660 * 86_400))
def test_writing_is_the_inverse(seconds: int) -> None:
    length = timedelta(seconds=seconds)
    assert parse_duration(write_duration(length)) == length
