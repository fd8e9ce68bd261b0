"""A graph made ready to draw: texts in the reader's words, ticks at round values and times of the reader's clock."""

from datetime import UTC, datetime, timedelta
from math import inf, nan
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.adapters.clock import SystemClock
from bot.adapters.pictures.drawing import picture
from bot.adapters.pictures.sheet import CURVES, MARKS, POINTS, TEXT, sheet
from bot.adapters.words import Languages
from bot.domain.graphs import HUGE
from bot.domain.messages import Curve, Graph
from bot.domain.phrases import Words, verbatim
from bot.domain.redact import MASK
from tests.strategies import graphs

NOON = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
LANGUAGES = Languages(Path(__file__).parents[2] / "handlers" / "locales", SystemClock())


def words(locale: str = "en", zone: str = "UTC") -> Words:
    return LANGUAGES.words(locale, zone)


def curve(values: list[float], name: str = "api", step: timedelta = MINUTE, end: datetime = NOON) -> Curve:
    return Curve(verbatim(name), tuple((end - step * (len(values) - 1 - at), each) for at, each in enumerate(values)))


def graph(*curves: Curve, **more: Any) -> Graph:
    return Graph(verbatim("Error rate"), curves, **{"unit": "%", **more})


def drawn(given: Graph, reader: Words | None = None) -> dict[str, Any]:
    found: dict[str, Any] = orjson.loads(sheet(given, reader or words()))
    return found


def ticks(axis: dict[str, Any]) -> list[str]:
    return [text for _, text in axis["ticks"]]


def test_an_hour_has_ticks_at_quarters_and_round_values() -> None:
    found = drawn(graph(curve([0.2] * 50 + [7.3] * 11), limit=5.0))
    assert ticks(found["x"]) == ["11:00", "11:15", "11:30", "11:45", "12:00"]
    assert ticks(found["y"]) == ["0 %", "2 %", "4 %", "6 %", "8 %"]
    assert found["limit"] == {"at": 5.0, "text": "limit 5 %"}
    assert (found["figures"], found["nothing"]) == ("now 7.30 %, lowest 0.20 %, highest 7.30 %", "")


def test_it_speaks_russian_in_the_readers_zone() -> None:
    found = drawn(graph(curve([0.2] * 61), limit=5.0), words("ru", "Europe/Moscow"))
    assert ticks(found["x"]) == ["14:00", "14:15", "14:30", "14:45", "15:00"]
    assert (found["figures"], found["limit"]["text"]) == ("сейчас 0,20 %", "предел 5 %")
    assert drawn(graph(), words("ru"))["nothing"] == "нет данных"


def test_half_hour_zones_have_round_times_of_their_own() -> None:
    found = drawn(graph(curve([1.0] * 61, step=MINUTE * 4)), words("en", "Asia/Kolkata"))
    assert ticks(found["x"]) == ["14:00", "15:00", "16:00", "17:00"]


def test_midnight_and_days_are_named() -> None:
    night = drawn(graph(curve([1.0] * 61, step=MINUTE * 24)), words("ru", "Asia/Vladivostok"))
    assert ticks(night["x"]) == ["4 мар.", "06:00", "12:00", "18:00"]
    week = drawn(graph(curve([1.0] * 169, step=MINUTE * 60)))
    assert ticks(week["x"]) == ["27 Feb", "1 Mar", "3 Mar"]


def test_days_begin_at_midnight_where_summer_time_begins_too() -> None:
    end = datetime(2026, 3, 31, 12, 0, tzinfo=UTC)
    found = drawn(graph(curve([1.0] * 97, step=MINUTE * 60, end=end)), words("en", "Europe/Berlin"))
    starts = [datetime.fromtimestamp(at, UTC).hour for at, _ in found["x"]["ticks"]]
    assert starts == [23, 23, 22, 22]  # UTC+1, then UTC+2 from 29 March on
    assert ticks(found["x"]) == ["28 Mar", "29 Mar", "30 Mar", "31 Mar"]


def test_what_is_not_known_stays_unknown() -> None:
    found = drawn(graph(curve([1.0, nan, inf, 2.0, 10 * HUGE])))
    assert [y for _, y in found["curves"][0]["points"]] == [1.0, None, None, 2.0, None]
    assert found["curves"][0]["now"] == "unknown"
    assert found["figures"] == "unknown now, lowest 1 %, highest 2 %"
    assert drawn(graph(curve([nan, nan])))["nothing"] == "no data"


def test_too_many_curves_leave_the_highest_in_their_order() -> None:
    found = drawn(graph(*(curve([float(at % 5)], f"c{at}") for at in range(9))))
    assert [each["name"] for each in found["curves"]] == ["c1", "c2", "c3", "c4", "c7", "c8"]
    assert len(found["curves"]) == CURVES
    assert found["left_out"] == "… and 3 more"
    assert found["figures"] == ""


def test_marks_far_outside_are_left_out_and_near_ones_widen_the_axis() -> None:
    near, far = NOON + MINUTE * 5, NOON - MINUTE * 500
    found = drawn(graph(curve([1.0] * 61), marks=((near, verbatim("release")), (far, verbatim("long ago")))))
    assert found["marks"] == [[near.timestamp(), "release"]]
    assert found["x"]["high"] == near.timestamp()
    many = tuple((NOON - MINUTE * at, verbatim(str(at))) for at in range(30, 0, -1))
    assert [text for _, text in drawn(graph(curve([1.0] * 61), marks=many))["marks"]] == list("654321")
    assert MARKS == 6


def test_no_secret_and_no_control_character_gets_into_a_picture() -> None:
    token = "xoxb-123456789012-abcdefghij"
    evil = verbatim(f"a\x1b[31m\n\u202eb {token} " + "x" * 500)
    found = sheet(Graph(evil, (Curve(evil, curve([1.0, 2.0]).points),), marks=((NOON, evil),)), words()).decode()
    assert token not in found
    assert MASK in found
    assert not {"\x1b", "\u202e", "\\n", "\\u001b"} & set(found)
    assert all(len(text) <= TEXT for text in orjson.loads(found)["title"])


def test_a_long_curve_is_thinned() -> None:
    found = drawn(graph(curve([float(at % 97) for at in range(20_000)], step=timedelta(seconds=1))))
    assert len(found["curves"][0]["points"]) <= POINTS * 1.5
    assert max(y for _, y in found["curves"][0]["points"]) == 96


@pytest.mark.parametrize("unit", ["", "%", "ms", "s", "$", "x", "req"])
def test_every_unit_stands_on_the_axis(unit: str) -> None:
    said = {"": "2", "$": "$2", "x": "2×"}.get(unit, f"2 {unit}")
    assert ticks(drawn(graph(curve([1.0, 5.0]), unit=unit))["y"])[1] == said


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.floats(allow_nan=True, allow_infinity=True), max_size=30),
    st.none() | st.floats(allow_nan=True, allow_infinity=True),
    st.integers(1, 3_000_000),
    st.sampled_from(["UTC", "Asia/Kathmandu", "America/St_Johns", "Pacific/Apia"]),
)
def test_any_values_make_a_sheet_that_can_be_drawn(
    values: list[float], limit: float | None, step: int, zone: str
) -> None:
    found = drawn(graph(curve(values, step=timedelta(seconds=step)), limit=limit), words("ru", zone))
    for axis in ("x", "y"):
        low, high = found[axis]["low"], found[axis]["high"]
        assert low < high
        assert len(found[axis]["ticks"]) <= 7
        assert all(low - (high - low) * 1e-6 <= at <= high + (high - low) * 1e-6 for at, _ in found[axis]["ticks"])
    assert all(found["y"]["low"] <= y <= found["y"]["high"] for _, y in found["curves"][0]["points"] if y is not None)


@pytest.mark.filterwarnings("ignore:Glyph")  # a letter that the font lacks is drawn as a box
@settings(max_examples=25, deadline=None)
@given(graphs())
def test_whatever_a_graph_holds_there_is_a_picture_of_it(any_graph: Graph) -> None:
    found = drawn(any_graph, words("ru", "Asia/Tokyo"))
    assert picture(found).startswith(b"\x89PNG")


def test_parts_of_a_whole_stand_on_each_other() -> None:
    """Each line ends where the parts up to it do, beside its own value; the axis begins at zero and holds the sum."""
    found = drawn(graph(curve([4, 4, 5]), curve([3, nan, 3], "web"), curve([2, 2, 2], "idle"), unit="$", stacked=True))
    assert found["stacked"]
    heights = [[value for _, value in each["points"]] for each in found["curves"]]
    assert heights == [[4, 4, 5], [7, None, 8], [9, None, 10]]
    assert [each["now"] for each in found["curves"]] == ["$5", "$3", "$2"]
    assert (found["y"]["low"], found["y"]["high"]) == (0, 10)
    assert not drawn(graph(curve([4, 5])))["stacked"]
