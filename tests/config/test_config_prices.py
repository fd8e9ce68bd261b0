"""What may be said of prices, and what is refused."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from bot.domain.costs import Prices
from bot.domain.errors import NotReadyError
from bot.domain.money import Rates
from config.department import department
from config.loader import parse

BASE = """
[[routes]]
to = ["console:ops"]
[[clusters]]
name = "nyc2"
region = "nyc2"
[[services]]
name = "api"
namespace = "production"
clusters = ["nyc2"]
"""


def prices(text: str, tmp_path: Path) -> Prices:
    return department(parse(BASE + text, tmp_path / "pult.toml", {})).prices


def test_money_is_as_it_is_written(tmp_path: Path) -> None:
    """A tenth is a tenth, and a whole number is no float."""
    found = prices(
        """
        [prices]
        currency = "EUR"
        usd = 0.1
        cpu = 0.3
        memory = 1
        [prices.clusters.nyc2]
        cpu = 0.7
        memory = 0.1
        digitalocean = "dept-nyc2"
        [prices.monthly]
        "db-nyc2" = 61.10
        [prices.owners]
        "db-nyc2" = "api"
        """,
        tmp_path,
    )
    assert found == Prices(
        "EUR", Decimal("0.1"), {"nyc2": Rates(Decimal("0.7"), Decimal("0.1")), "": Rates(Decimal("0.3"), Decimal(1))},
        {"db-nyc2": Decimal("61.1")}, {"db-nyc2": "api"}, {"nyc2": "dept-nyc2"},
    )  # fmt: skip


def test_nothing_said_is_no_price(tmp_path: Path) -> None:
    assert prices("", tmp_path) == Prices()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[prices]\ncpu = 0.1", "cpu and memory together"),
        ("[prices.clusters.nyc2]\nmemory = 0.1", "cpu and memory together"),
        ('[prices]\ncurrency = "EUR"', "usd, how much of EUR one US dollar is"),
        ('[prices]\ncurrency = "euro"', "three capital letters"),
        ("[prices]\ncpu = 0\nmemory = 1", "prices.cpu"),
        ("[prices]\ncpu = nan\nmemory = 1", "prices.cpu"),
        ("[prices]\ncpu = true\nmemory = 1", "prices.cpu"),
        ("[prices.clusters.nyc3]\ncpu = 1\nmemory = 1", "prices.clusters.nyc3"),
        ('[prices.owners]\ndb = "apu"', "prices.owners.db"),
        ('[opencost]\nurl = "http://o"\nclusters = { one = "nyc3" }', "opencost.clusters"),
        ('[opencost]\nurl = "o:9003"', "opencost.url"),
    ],
)  # fmt: skip
def test_what_is_refused(text: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(NotReadyError) as caught:
        prices(text, tmp_path)
    assert said in str(caught.value)
