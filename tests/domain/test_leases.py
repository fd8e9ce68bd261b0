"""Which replica should own which lease."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from bot.domain.leases import DUTIES, LANES, rightful, share, shares

NAMES = (*shares(), DUTIES, "telegram")
BOOTS = st.frozensets(st.text(min_size=1, max_size=8), min_size=1, max_size=5)


@given(BOOTS, st.text(min_size=1, max_size=8))
def test_one_that_comes_or_goes_moves_nothing_between_the_others(boots: frozenset[str], other: str) -> None:
    without = boots - {other}
    for name in NAMES if without else ():
        before, after = rightful(name, without), rightful(name, without | {other})
        assert after in {before, other}


@given(BOOTS)
def test_every_lease_has_somebody_alive(boots: frozenset[str]) -> None:
    assert {rightful(name, boots) for name in NAMES} <= boots


def test_where_nobody_is_nobody_has_it() -> None:
    assert rightful(DUTIES, ()) == ""


def test_destinations_are_spread_and_the_canary_goes_with_who_lets_it_fly() -> None:
    counts = Counter(share(f"slack:C{number:05}") for number in range(3200))
    assert set(counts) == set(shares())
    assert min(counts.values()) > 3200 / LANES / 2
    assert share("canary:door") == DUTIES
