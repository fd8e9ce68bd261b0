"""Money worked out by hand, and what must hold of any numbers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.consumption import HOUR, Meter, Readings, Share, lines, shares
from bot.domain.costs import (
    Asset,
    Day,
    Dimension,
    Kind,
    Line,
    Place,
    added,
    belonging,
    daily,
    owned,
    rows,
    whole,
)
from bot.domain.money import HOURS, Rates, exact, shown, split
from bot.domain.services import Catalogue, Environment, Service

D = Decimal
MIDNIGHT = datetime(2026, 3, 1, tzinfo=UTC)
DAY = [MIDNIGHT + HOUR * number for number in range(1, 25)]
API, WEB, DNS = (
    Place("nyc2", "production", "api"),
    Place("nyc2", "production", "web"),
    Place("nyc2", "kube-system", "dns"),
)
RATES = Rates(D("0.02"), D("0.003"))


def flat(**values: float) -> dict[datetime, float]:
    """The same at every hour of the day."""
    return dict.fromkeys(DAY, values["at"])


def steady(asked: dict[Place, float], used: dict[Place, float], capacity: float | None) -> Readings:
    return Readings(
        {place: flat(at=value) for place, value in asked.items()},
        {place: flat(at=value) for place, value in used.items()},
        {} if capacity is None else {"nyc2": flat(at=capacity)},
    )


def meter() -> Meter:
    """Four cores, 8 GiB. api asks 1 core and uses 0.5; web asks nothing and uses 0.25; dns asks 0.5 and uses 0.5."""
    cpu = steady({API: 1.0, DNS: 0.5}, {API: 0.5, WEB: 0.25, DNS: 0.5}, 4.0)
    memory = steady({API: 1.0, DNS: 0.25}, {API: 1.5, WEB: 0.5, DNS: 0.125}, 8.0)
    return Meter("nyc2", cpu, memory)


def test_a_day_by_hand() -> None:
    """api: 24 h x (0.5 x 0.02 + 1.5 x 0.003) = 0.348 used, 24 x 0.5 x 0.02 = 0.24 wasted, and so on."""
    found = {line.place: (line.used, line.waste) for line in lines(meter().tally(DAY), RATES, "nyc2", "nyc2")}
    assert found == {
        API: (D("0.348"), D("0.24")),
        WEB: (D("0.156"), D("0")),
        DNS: (D("0.249"), D("0.009")),
        Place("nyc2"): (D("1.494"), D("0")),  # idle: 24 x (2.25 x 0.02 + 5.75 x 0.003)
    }


def test_the_parts_are_what_the_machines_cost() -> None:
    """4 cores x 0.02 + 8 GiB x 0.003 = 0.104 an hour, 2.496 a day."""
    assert whole(lines(meter().tally(DAY), RATES, "nyc2", "nyc2")) == D("2.496")


@pytest.mark.parametrize(
    ("claims", "capacity", "taken", "idle"),
    [
        ({"a": (1.0, 0.5)}, 4.0, {"a": Share(0.5, 0.5)}, 3.0),
        ({"a": (0.5, 1.0)}, 4.0, {"a": Share(1.0, 0.0)}, 3.0),
        ({"a": (1.0, 0.5)}, None, {"a": Share(0.5, 0.5)}, None),
        ({}, 4.0, {}, 4.0),
        ({"a": (0.0, 0.0)}, 4.0, {"a": Share(0.0, 0.0)}, 4.0),
        # One asks for two and uses none, another asks for none and uses three, on four: both are cut by a fifth.
        ({"a": (2.0, 0.0), "b": (0.0, 3.0)}, 4.0, {"a": Share(0.0, 1.6), "b": Share(pytest.approx(2.4), 0.0)}, 0.0),
    ],
)  # fmt: skip
def test_shares(
    claims: dict[str, tuple[float, float]], capacity: float | None, taken: dict[str, Share], idle: float | None
) -> None:
    assert shares(claims, capacity) == (taken, idle)


amounts = st.floats(0, 1000, allow_nan=False)
claims = st.dictionaries(st.sampled_from("abcdef"), st.tuples(amounts, amounts))


@given(claims, amounts)
def test_parts_add_up_to_the_whole(given_: dict[str, tuple[float, float]], capacity: float) -> None:
    taken, idle = shares(given_, capacity)
    assert idle is not None
    together = sum(share.claimed for share in taken.values()) + idle
    assert together == pytest.approx(capacity, abs=1e-9, rel=1e-9)
    assert all(share.used >= 0 and share.waste >= 0 for share in taken.values())


@given(claims.filter(bool), st.one_of(st.none(), amounts), st.floats(0, 100))
def test_whoever_uses_more_never_pays_less(
    given_: dict[str, tuple[float, float]], capacity: float | None, more: float
) -> None:
    name, (asked, used) = next(iter(given_.items()))
    before = shares(given_, capacity)[0][name]
    after = shares({**given_, name: (asked, used + more)}, capacity)[0][name]
    assert after.claimed >= before.claimed - 1e-9
    assert after.used >= before.used - 1e-9


money = st.decimals(0, 10_000, places=6, allow_nan=False)
made = st.builds(
    Line, st.sampled_from(Kind), st.builds(Place, st.sampled_from(("nyc2", "sfo3")), st.sampled_from(("", "p", "q"))),
    st.sampled_from(("nyc2", "sfo3")), money, money, st.booleans(), st.sampled_from(("", "api", "web")),
    st.sampled_from(("", "staging")),
)  # fmt: skip


@given(st.lists(made), st.sampled_from(Dimension))
def test_rows_add_up_by_every_dimension(found: list[Line], dimension: Dimension) -> None:
    """To the cent's millionth: nothing is lost or counted twice, however the whole is taken apart."""
    parts = rows(found, dimension)
    assert sum((row.total for row in parts), D(0)) == whole(found) == added(parts).total
    assert len({row.name for row in parts}) == len(parts)
    assert sum(row.share for row in parts) == pytest.approx(1.0 if whole(found) else 0.0)


@given(st.decimals("0.01", 100, places=4), st.floats(0.1, 512), st.floats(0.1, 4096))
def test_a_machine_that_is_split_costs_what_it_cost(hourly: Decimal, cores: float, gib: float) -> None:
    assert float(split(hourly, cores, gib).cost(cores, gib)) == pytest.approx(float(hourly), abs=2e-6)


def test_the_split_is_that_of_the_default_prices() -> None:
    """A core to a GiB as 0.031611 to 0.004237; a machine of nothing has no price."""
    rates = split(D("0.031611") * 2 + D("0.004237") * 4, 2.0, 4.0)
    assert (round(rates.cpu, 9), round(rates.memory, 9)) == (D("0.031611000"), D("0.004237000"))
    with pytest.raises(ValueError, match="without cores"):
        split(D(1), 0.0, 0.0)


def test_a_month_is_730_hours() -> None:
    assert RATES.monthly(2.0, 4.0) == (D("0.04") + D("0.012")) * HOURS == D("37.96")


def test_hours_without_data_are_not_zero() -> None:
    """Six hours of silence: the day is reckoned from the eighteen that are known. Of seven: it is a gap."""
    cpu = steady({API: 1.0}, {API: 0.5}, 4.0)
    memory = steady({API: 1.0}, {API: 1.0}, 8.0)
    for silent, enough in ((6, True), (7, False)):
        gone = {
            place: {at: v for at, v in hours.items() if at not in DAY[:silent]} for place, hours in cpu.used.items()
        }
        tally = Meter("nyc2", Readings(cpu.asked, gone, cpu.capacity), memory).tally(DAY)
        assert (tally.known, tally.enough) == (24 - silent, enough)
        if enough:
            (api, _) = lines(tally, RATES, "nyc2", "nyc2")
            assert api.total == D("24") * (D("0.02") + D("0.003"))


@pytest.mark.parametrize("nonsense", [nan, inf, -1.0])
def test_nonsense_is_not_a_number(nonsense: float) -> None:
    cpu = steady({API: 1.0}, {API: nonsense}, 4.0)
    assert Meter("nyc2", cpu, steady({API: 1.0}, {API: 1.0}, 8.0)).tally(DAY).known == 0


def test_idle_is_not_known_without_machines() -> None:
    tally = Meter("nyc2", steady({API: 1.0}, {API: 0.5}, None), steady({API: 1.0}, {API: 1.0}, 8.0)).tally(DAY)
    assert [line.kind for line in lines(tally, RATES, "nyc2", "nyc2")] == [Kind.COMPUTE]


def test_other_clusters_do_not_count() -> None:
    there = Place("sfo3", "production", "api")
    cpu, memory = steady({API: 1.0, there: 9.0}, {API: 0.5, there: 9.0}, 4.0), steady({API: 1.0}, {API: 1.0}, 8.0)
    assert set(Meter("nyc2", cpu, memory).tally(DAY).cpu) == {API}


def test_the_busiest_hour() -> None:
    """api uses 1.5 GiB of the 1.5 it claims; of the machines 1.75 of 4 cores and 2.25 of 8 GiB are claimed."""
    assert meter().peaks(DAY)[API] == 1.0
    assert meter().busiest(DAY) == pytest.approx(1.75 / 4)
    assert meter().capacity(DAY) == (4.0, 8.0)


STAGING = Environment("staging", "nyc2", "staging", "deployment", "api")
SERVICES = Catalogue([Service("shop", "production", "deployment", "api", ("nyc2", "sfo3"), (STAGING,))])


@pytest.mark.parametrize(
    ("place", "owner"),
    [
        (Place("nyc2", "staging", "api"), ("shop", "staging")),
        (Place("sfo3", "production", "api"), ("shop", "staging")),  # its last environment: none stands for that place
        (Place("ams3", "production", "api"), ("", "")),
        (Place("nyc2", "production", "shop"), ("", "")),
    ],
)
def test_whose_it_is(place: Place, owner: tuple[str, str]) -> None:
    line = owned(Line(Kind.COMPUTE, place, "nyc2", D(1)), SERVICES)
    assert (line.service, line.environment) == owner


def test_what_has_no_price_costs_no_zero() -> None:
    unpriced = Asset(Kind.DATABASE, "db", "db", "nyc2", None)
    assert belonging(unpriced, D(24), "nyc2", "api", "production") is None
    priced = Asset(Kind.DATABASE, "db", "db", "nyc2", D(73))
    line = belonging(priced, D(24), "nyc2", "api", "production")
    assert line is not None
    assert (line.total, line.measured) == (D("2.4"), False)


def test_a_day_of_which_a_cluster_is_not_known_is_not_known() -> None:
    here = Line(Kind.COMPUTE, API, "nyc2", D(1), service="api")
    there = Line(Kind.COMPUTE, Place("sfo3", "production", "web"), "sfo3", D(2), service="web")
    days = (Day(MIDNIGHT, (here, there)), Day(MIDNIGHT + timedelta(days=1), (here,), frozenset({"sfo3"})))
    assert [cost for _, cost in daily(days, lambda _: True)] == [D(3), None]
    assert [cost for _, cost in daily(days, lambda line: line.service == "api")] == [D(1), D(1)]
    assert [cost for _, cost in daily(days, lambda line: line.service == "web")] == [D(2), None]


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [("0.126", "USD", ("$", 0.13, 2)), ("99.999", "USD", ("$", 100.0, 2)), ("123.45", "EUR", ("EUR", 123.0, 0))],
)
def test_money_for_people(amount: str, currency: str, text: tuple[str, float, int]) -> None:
    found = shown(exact(D(amount)), currency)
    assert (found.unit, found.number, found.digits) == text


levels = st.floats(0, 64, allow_nan=False)


@given(
    st.lists(st.tuples(levels, levels, levels, levels), min_size=1, max_size=6), st.floats(0.5, 64), st.floats(1, 256)
)
def test_a_days_money_is_what_the_machines_cost(
    workloads: list[tuple[float, float, float, float]], cores: float, gib: float
) -> None:
    """Whatever is asked for and used, claims, waste and idle add up to it: to a millionth for each line."""
    places = [Place("nyc2", "production", f"w{number}") for number in range(len(workloads))]
    columns = [dict(zip(places, column, strict=True)) for column in zip(*workloads, strict=True)]
    tally = Meter("nyc2", steady(columns[0], columns[1], cores), steady(columns[2], columns[3], gib)).tally(DAY)
    found = lines(tally, RATES, "nyc2", "nyc2")
    machines = RATES.cost(24 * cores, 24 * gib)
    assert abs(whole(found) - machines) <= D("0.000002") * (len(found) + 1)
    assert all(line.used >= 0 and line.waste >= 0 for line in found)
