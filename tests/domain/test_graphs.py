"""Graphs in words."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.domain.graphs import drawable, figures, sparkline, trend
from bot.domain.messages import Curve, Graph
from bot.domain.phrases import phrase

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
NAN, MOST = float("nan"), 1.7976931348623157e308


def curve(*values: float) -> Curve:
    return Curve(phrase("api"), tuple((NOON + timedelta(minutes=at), value) for at, value in enumerate(values)))


@pytest.mark.parametrize(
    ("values", "bars"),
    [
        ((0, 1, 2, 7), "▁▂▃█"),
        ((3, 3), "▁▁"),
        ((1, NAN, 2), "▁·█"),
        ((-MOST, MOST), "▁█"),
        ((0, 5e-324), "▁▁"),
        ((), ""),
    ],
)
def test_bars_between_the_lowest_and_the_highest(values: tuple[float, ...], bars: str) -> None:
    assert sparkline(curve(*values)) == bars


def test_beside_a_picture_stand_its_figures_of_the_highest_curve() -> None:
    graph = Graph(phrase("Errors"), (curve(1, 2), curve(3, 12.5, NAN)), "%")
    ((title, said),) = figures(graph).pairs
    assert (title.plain(), said.plain()) == ("Errors", "now 12.5\N{NO-BREAK SPACE}%, highest 12.5\N{NO-BREAK SPACE}%")
    assert drawable(graph)


def test_without_data_nothing_is_drawn_and_it_is_said() -> None:
    for graph in (Graph(phrase("Errors"), ()), Graph(phrase("Errors"), (curve(NAN),))):
        assert not drawable(graph)
        assert trend(graph).plain() == "no data"
        assert figures(graph).pairs[0][1].plain() == "no data"
