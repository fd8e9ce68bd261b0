"""Graphs in words, and made ready to draw."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from math import inf, isfinite, isnan, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.graphs import (
    drawable,
    exact,
    figures,
    now,
    reach,
    readings,
    sparkline,
    stacked,
    thinned,
    trend,
    with_gaps,
    worded,
)
from bot.domain.messages import Curve, Graph
from bot.domain.phrases import phrase

NOON = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
MOST = 1.7976931348623157e308
MINUTE = timedelta(minutes=1)


def curve(*values: float) -> Curve:
    return Curve(phrase("api"), tuple((NOON + MINUTE * at, value) for at, value in enumerate(values)))


def graph(*curves: Curve) -> Graph:
    return Graph(phrase("Error rate"), curves, "%")


def test_the_trend_says_bars_now_and_highest() -> None:
    assert trend(graph(curve(1, 2, 8, 4))).plain() == "▁▂█▄ now 4\N{NO-BREAK SPACE}%, highest 8\N{NO-BREAK SPACE}%"


@pytest.mark.parametrize(
    ("values", "bars"),
    [
        ((0, 1, 2, 7), "▁▂▃█"),
        ((3, 3), "▁▁"),
        ((9.087, 9.093, 9.09), "▁▁▁"),
        ((9.08, 9.09, 9.1), "▁▅█"),
        ((1, nan, 2), "▁·█"),
        ((-MOST, MOST), "▁█"),
        ((0, 5e-324), "▁▁"),
        ((), ""),
    ],
)
def test_bars_between_the_lowest_and_the_highest(values: tuple[float, ...], bars: str) -> None:
    assert sparkline(curve(*values)) == bars


def test_beside_a_picture_stand_its_figures_of_the_highest_curve() -> None:
    ((title, said),) = figures(graph(curve(1, 2), curve(12.5, 3))).pairs
    assert (title.plain(), said.plain()) == ("Error rate", "now 3\N{NO-BREAK SPACE}%, highest 12.5\N{NO-BREAK SPACE}%")
    assert drawable(graph(curve(1, nan)))


def test_an_old_value_is_never_called_the_one_of_now() -> None:
    assert trend(graph(curve(1, 8, nan))).plain() == "▁█· unknown now, highest 8\N{NO-BREAK SPACE}%"
    assert readings(curve(1, 8, nan), "").plain() == "unknown now, lowest 1, highest 8"
    assert figures(graph(curve(1, 8, nan))).pairs[0][1].plain() == "unknown now, highest 8\N{NO-BREAK SPACE}%"
    assert now(curve(1, inf)) is None


def test_nothing_known_is_said() -> None:
    for nothing in (graph(), graph(curve()), graph(curve(nan, nan))):
        assert not drawable(nothing)
        assert figures(nothing).pairs[0][1].plain() == "no data"
        assert trend(nothing).plain() == "no data"
        ((title, said),) = worded(nothing).pairs
        assert (title.plain(), said.plain()) == ("Error rate", "no data")


def test_the_figures_of_a_constant_are_one_figure() -> None:
    assert readings(curve(5, 5, 5), "").plain() == "now 5"
    assert readings(curve(5, 3, 4.5), "").plain() == "now 4.50, lowest 3, highest 5"


def test_the_curve_that_rose_highest_speaks() -> None:
    assert trend(graph(curve(1, 2), curve(7, 9), curve(nan))).plain().startswith("▁█ now 9")


def test_missing_steps_are_a_gap() -> None:
    points = [(NOON + MINUTE * at, 1.0) for at in range(10) if at not in (4, 5)]
    filled = with_gaps(tuple(points))
    assert [at for at, value in filled if isnan(value)] == [NOON + MINUTE * 4.5]
    assert sparkline(Curve(phrase("api"), tuple(points))) == "▁▁▁▁·▁▁▁▁"
    assert with_gaps(tuple(points[:3])) == tuple(points[:3])  # too few to know what is usual


def test_a_limit_has_no_more_digits_than_somebody_wrote() -> None:
    said = [phrase("{v}", v=exact(value, "")).plain() for value in (5.0, 0.05, 0.9, 99.9, 1234.0, 1 / 3)]
    assert said == ["5", "0.05", "0.9", "99.9", "1234", "0.33"]


def test_the_reach_is_that_of_all_curves() -> None:
    later = Curve(phrase("b"), ((NOON + MINUTE * 9, nan),))
    assert reach(graph(curve(1, 2), later, curve())) == (NOON, NOON + MINUTE * 9)
    assert reach(graph(curve())) is None


@given(st.lists(st.floats() | st.just(nan), min_size=1, max_size=400), st.integers(2, 60))
def test_thinning_loses_neither_spike_nor_end_nor_that_there_were_gaps(values: list[float], most: int) -> None:
    whole = curve(*values).points
    few = thinned(whole, most)
    assert len(few) <= most // 2 * 3 + 2 or few == whole
    assert [at for at, _ in few] == sorted({at for at, _ in few})
    assert (few[0][0], few[-1][0]) == (whole[0][0], whole[-1][0])
    assert {(at, str(value)) for at, value in few} <= {(at, str(value)) for at, value in whole}
    known = [value for _, value in whole if isfinite(value)]
    kept = [value for _, value in few if isfinite(value)]
    assert (min(known, default=0), max(known, default=0)) == (min(kept, default=0), max(kept, default=0))
    assert len(known) == len(whole) or any(not isfinite(value) for _, value in few)


def test_words_are_of_what_was_measured_and_never_of_a_guide() -> None:
    """A budget that burned from its first hour on lies below an even burn: its figures are the ones to tell."""
    at = [NOON + timedelta(hours=hour) for hour in range(4)]
    left = Curve(phrase("left"), tuple(zip(at, (60.0, 40.0, 20.0, -20.0), strict=True)))
    even = Curve(phrase("even"), tuple(zip(at, (75.0, 50.0, 25.0, 0.0), strict=True)), guide=True)
    graph = Graph(phrase("Budget"), (left, even), "%")
    assert "now -20" in trend(graph).plain()
    assert "highest 60" in trend(graph).plain()
    assert not drawable(replace(graph, curves=(even,)))


def test_the_trend_of_parts_is_that_of_their_sum() -> None:
    """The whole may rise while its largest part falls; where a part is not known, neither is the sum."""
    parts = (curve(5, 4, 3), curve(1, 4, 9))
    told = trend(Graph(phrase("Cost"), parts, "$", stacked=True)).plain()
    assert told == "▁▃█ now $12, highest $12"
    hole = (curve(5, 4, 3), curve(1, nan, 9))
    assert "·" in trend(Graph(phrase("Cost"), hole, "$", stacked=True)).plain()
    assert [each.points[-1][1] for each in stacked(parts)] == [3, 12]
    assert stacked(()) == ()
