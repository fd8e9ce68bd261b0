"""What could be saved, by which command, and what must not be proposed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.costs import Day, Kind, Line, Peak, Place, Pool, Spend
from bot.domain.savings import Saving, Way, savings
from bot.domain.services import Catalogue, Environment, Service

D = Decimal
START = datetime(2026, 3, 1, tzinfo=UTC)
API, STAGED = Place("nyc2", "production", "api"), Place("nyc2", "staging", "api")
STAGING, PRODUCTION = (
    Environment("staging", "nyc2", "staging", "deployment", "api"),
    Environment("production", "nyc2", "production", "deployment", "api"),
)
SERVICES = Catalogue([Service("api", "production", "deployment", "api", ("nyc2",), (STAGING, PRODUCTION))])
POOL = Pool("dept-nyc2", "k8s-1", "nyc2", "pool-a", "s-4vcpu-8gb", 5, 4.0, 8.0, D(48))


def line(place: Place, used: str, waste: str = "0", *, idle: bool = False) -> Line:
    kind, service = (Kind.IDLE, "") if idle else (Kind.COMPUTE, "api")
    return Line(kind, place, place.cluster, D(used), D(waste), service=service)


def spend(*lines: Line, **more: object) -> Spend:
    """Seven days that are all alike."""
    week = tuple(Day(START + timedelta(days=at), lines) for at in range(7))
    return replace(Spend(week, Day(START + timedelta(days=7), ())), **more)  # type: ignore[arg-type]


def test_waste_by_hand() -> None:
    """2 a day wasted of 4: 2 x 7 days are 14 in 168 hours, 60.833333 in 730."""
    assert savings(spend(line(API, "2", "2")), SERVICES) == (
        Saving(Way.RIGHTSIZE, "api", D("60.833333"), "rightsize api"),
    )


@pytest.mark.parametrize(("used", "waste"), [("8", "2"), ("0.01", "0.02"), ("1", "0")])
def test_little_waste_is_no_bother(used: str, waste: str) -> None:
    """Less than three tenths of the cost, or less than one a month."""
    assert savings(spend(line(API, used, waste)), SERVICES) == ()


def test_replicas_by_hand() -> None:
    """Ten that are 32 % busy: four at 80 %. They cost 10 a day, 304.166667 a month, of which six tenths go."""
    found = savings(spend(line(API, "10"), peaks={API: Peak(0.32, 10)}), SERVICES)
    assert found == (Saving(Way.SCALE, "api", D("182.5"), "scale api 4", 10, 4),)


def test_an_environment_is_named() -> None:
    (found,) = savings(spend(line(STAGED, "10"), peaks={STAGED: Peak(0.1, 4)}), SERVICES)
    assert found.command == "scale api 2 in staging"


@pytest.mark.parametrize(
    "peak", [Peak(0.32, 10, scaled=True), Peak(0.9, 10), Peak(0.01, 2), None], ids=["scaled", "busy", "two", "unknown"]
)
def test_replicas_that_stay(peak: Peak | None) -> None:
    assert savings(spend(line(API, "10"), peaks={API: peak} if peak else {}), SERVICES) == ()


def test_one_saving_a_service_the_better_one() -> None:
    (found,) = savings(spend(line(API, "5", "5"), peaks={API: Peak(0.1, 10)}), SERVICES)
    assert (found.way, found.amount) == (Way.SCALE, D("243.333334"))


def pooled(busiest: float | None, *pools: Pool, idle: str = "100", **more: object) -> tuple[Saving, ...]:
    given_ = {"nyc2": busiest} if busiest is not None else {}
    found = spend(line(Place("nyc2"), idle, idle=True), pools={"nyc2": pools or (POOL,)}, busiest=given_, **more)
    return savings(found, SERVICES)


def test_machines_by_hand() -> None:
    """20 cores, 30 % claimed: 6. Two machines hold 6.4 at 80 %, so three of five go, 144 a month."""
    command = "doctl kubernetes cluster node-pool update dept-nyc2 pool-a --count 2"
    assert pooled(0.3) == (Saving(Way.POOL, "nyc2", D(144), command, 5, 2),)


def test_no_more_is_saved_than_is_idle() -> None:
    (found,) = pooled(0.3, idle="0.84")
    assert found.amount == D("25.55")


@pytest.mark.parametrize(
    ("busiest", "pool"),
    [
        (None, POOL),
        (0.9, POOL),
        (0.01, replace(POOL, count=2)),
        (0.01, replace(POOL, automatic=True)),
        (0.01, replace(POOL, monthly=None)),
    ],
    ids=["unknown", "busy", "two", "scaled", "unpriced"],
)  # fmt: skip
def test_machines_that_stay(busiest: float | None, pool: Pool) -> None:
    assert pooled(busiest, pool) == ()


def test_a_standby_keeps_the_room_for_a_failover() -> None:
    """The standby is idle, and still must hold what the primary claims; without word of the primary nothing goes."""
    there = replace(POOL, cluster="dept-sfo3", ident="k8s-2", region="sfo3")
    week = spend(
        line(Place("nyc2"), "100", idle=True), line(Place("sfo3"), "100", idle=True),
        pools={"nyc2": (POOL,), "sfo3": (there,)}, busiest={"nyc2": 0.55, "sfo3": 0.02},
    )  # fmt: skip
    assert {each.target: each.then for each in savings(week, SERVICES)} == {"sfo3": 2, "nyc2": 4}
    pair = replace(week, pair=("nyc2", "sfo3"))
    assert {each.target: each.then for each in savings(pair, SERVICES)} == {"sfo3": 4, "nyc2": 4}
    assert savings(replace(pair, busiest={"sfo3": 0.02}), SERVICES) == ()


def test_replicas_of_a_standby_too() -> None:
    there = Place("sfo3", "production", "api")
    peaks = {API: Peak(0.8, 4), there: Peak(0.01, 4)}
    service = Service("api", "production", "deployment", "api", ("nyc2", "sfo3"), (
        Environment("production", "nyc2", "production", "deployment", "api"),
        Environment("production-sfo3", "sfo3", "production", "deployment", "api"),
    ))  # fmt: skip
    given_ = spend(line(API, "10"), line(there, "10"), peaks=peaks)
    assert [each.command for each in savings(given_, Catalogue([service]))] == ["scale api 2 in production-sfo3"]
    assert savings(replace(given_, pair=("nyc2", "sfo3")), Catalogue([service])) == ()


def test_days_that_are_not_wholly_known_prove_nothing() -> None:
    week = spend(line(API, "2", "2"))
    dark = tuple(replace(day, gaps=frozenset({"nyc2"})) for day in week.days)
    assert savings(replace(week, days=dark), SERVICES) == ()


@given(
    st.floats(0, 1), st.integers(1, 40), st.floats(0.01, 1), st.integers(1, 9), st.decimals(0, 100, places=2),
    st.decimals(0, 100, places=2),
)  # fmt: skip
def test_what_is_left_is_enough_and_no_more_is_saved_than_is_paid(
    share: float, replicas: int, busiest: float, count: int, used: Decimal, waste: Decimal
) -> None:
    pool = replace(POOL, count=count)
    found = savings(
        spend(
            line(API, str(used), str(waste)), line(Place("nyc2"), "50", idle=True), peaks={API: Peak(share, replicas)},
            pools={"nyc2": (pool,)}, busiest={"nyc2": busiest},
        ),
        SERVICES,
    )  # fmt: skip
    for each in found:
        assert each.amount <= (D(50) + used + waste) * 31
        if each.way is Way.SCALE:
            assert 2 <= each.then < replicas
            assert each.then * 0.8 >= share * replicas - 1e-9
        if each.way is Way.POOL:
            assert 2 <= each.then < count
            assert each.then * 4 * 0.8 >= busiest * count * 4 - 1e-9
