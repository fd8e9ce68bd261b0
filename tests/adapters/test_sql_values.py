"""Column values: what is written is what is read."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.adapters.sql.values import KEY_LENGTH, clean, document, index_key, micros, moment, reading
from bot.domain.messages import (
    Aside,
    Button,
    Collapsed,
    Confirm,
    Facts,
    Lines,
    Message,
    Paragraph,
    Preformatted,
    Progress,
    StepMark,
    Style,
    Table,
    Tone,
)
from bot.domain.phrases import Phrase, counted, verbatim
from tests.strategies import phrases


@settings(max_examples=50)
@given(phrases)
def test_any_phrase_comes_back_the_same(phrase: Phrase) -> None:
    told = repr(phrase).replace("fold=1, ", "")  # by repr: NaN is not equal to itself; in UTC no time comes twice
    assert repr(reading(document(phrase))) == told


def test_every_block_comes_back_the_same() -> None:
    one, two = verbatim("one"), counted("{n} pod", "{n} pods", 2)
    steps = ((StepMark.DONE, one, two), (StepMark.PENDING, two, None))
    message = Message(
        one,
        Tone.CRITICAL,
        (
            Paragraph(one), Facts(((one, two),)), Lines((one, two), 3), Table((one, two), ((two, one),)),
            Preformatted("\0<b>"), Progress(steps), Aside(two), Collapsed(one, (two,)),
        ),
        (Button(one, "ack a-7k2f", style=Style.DANGER, confirm=Confirm(one, two)), Button(two, url="https://x.example")),
        "whole",
    )  # fmt: skip
    assert reading(document(message)) == message


times = st.datetimes().map(lambda at: at.replace(tzinfo=UTC, fold=0))


@given(st.dictionaries(st.text(), st.integers(-(2**63), 2**63 - 1) | st.floats() | st.text() | times))
def test_any_values_come_back_the_same(values: dict[str, object]) -> None:
    told = Phrase("{x}", values)
    assert repr(reading(document(told))) == repr(told)


@given(st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=-9, minutes=-30))])))
def test_times_keep_their_microseconds(at: datetime) -> None:
    assert moment(micros(at)) == at


def test_a_naive_time_is_refused() -> None:
    with pytest.raises(TypeError):
        micros(datetime(2026, 1, 1))  # noqa: DTZ001


@given(st.text(st.characters(codec=None, exclude_categories=())))
def test_clean_text_is_what_every_database_takes(text: str) -> None:
    cleaned = clean(text)
    assert "\0" not in cleaned
    assert clean(cleaned.encode().decode()) == cleaned


def test_only_what_must_change_is_changed() -> None:
    assert clean("plain, тест, 🔥") == "plain, тест, 🔥"
    assert clean("a\0b\ud800") == "a�b?"
    assert index_key("k" * KEY_LENGTH) == "k" * KEY_LENGTH
    assert len(index_key("🔥" * 9_000).encode()) * 2 < 4 * KEY_LENGTH * 2
    assert len(index_key("🔥" * 9_000)) == KEY_LENGTH
