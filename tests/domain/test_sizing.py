"""Right-sizing by hand: what is advised, what is left alone and why, what it saves and risks."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.money import Rates
from bot.domain.quantities import MIB, amount, cores, known, mebibytes
from bot.domain.sizing import Kept, Measured, Risk, Sized, Used, advise, saved
from bot.domain.usage import merged, peaks
from tests.handlers.fakes import NOON

NOW = Sized(cpu=0.5, memory=512.0 * MIB, memory_limit=512.0 * MIB)
NOBODY: frozenset[str] = frozenset()


def used(cpu: float | None = 0.08, memory: float | None = 200.0, points: int = 1000, **more: float) -> Used:
    return Used("api-1", cpu, points, None if memory is None else memory * MIB, points, **more)


def test_by_hand() -> None:
    """Two pods: the busier one counts. 200 MiB and 15 % are 230."""
    found = advise("api", NOW, Measured((used(0.08, 180.0), used(0.0801, 200.0))), NOBODY)
    assert (found.cpu, found.memory, found.pods) == (0.081, 230.0 * MIB, 2)
    assert (found.kept_cpu, found.kept_memory, found.killed, found.risk) == (None, None, False, None)


def test_floors() -> None:
    found = advise("api", NOW, Measured((used(0.0001, 3.0),)), NOBODY)
    assert (found.cpu, found.memory) == (0.010, 64.0 * MIB)


def test_a_kill_raises_memory_above_the_limit_it_died_of() -> None:
    found = advise("api", NOW, Measured((used(memory=400.0, killed=512.0 * MIB),)), NOBODY)
    assert (found.memory, found.killed) == (640.0 * MIB, True)


def test_a_kill_long_outgrown_changes_nothing() -> None:
    found = advise("api", NOW, Measured((used(memory=400.0, killed=64.0 * MIB),)), NOBODY)
    assert found.memory == 460.0 * MIB


@pytest.mark.parametrize(("points", "kept"), [(99, Kept.FEW), (100, None)])
def test_a_hundred_points_are_enough(points: int, kept: Kept | None) -> None:
    found = advise("api", NOW, Measured((used(points=points),)), NOBODY)
    assert (found.kept_cpu, found.kept_memory) == (kept, kept)


def test_points_of_all_pods_count_together() -> None:
    found = advise("api", NOW, Measured((used(0.2, points=60), used(0.1, points=60))), NOBODY)
    assert found.cpu == 0.2


def test_a_pod_that_hardly_lived_only_tells_how_it_starts() -> None:
    found = advise("api", NOW, Measured((used(0.9, 300.0, points=5), used(0.1, 200.0))), NOBODY)
    assert (found.cpu, found.memory) == (0.1, 345.0 * MIB), "of memory even a short life is true"


def test_what_is_not_known_is_never_zero() -> None:
    found = advise("api", NOW, Measured((used(None, None), used(nan, inf))), NOBODY)
    assert (found.cpu, found.memory, found.kept_cpu, found.kept_memory) == (None, None, Kept.FEW, Kept.FEW)


def test_the_autoscalers_and_the_silent_are_left_alone() -> None:
    measured = Measured((used(),), silent=frozenset(("memory",)))
    found = advise("api", NOW, measured, frozenset(("cpu",)))
    assert (found.cpu, found.kept_cpu, found.memory, found.kept_memory) == (None, Kept.OWNED, None, Kept.SILENT)
    assert not found.changes


def test_what_is_near_fits() -> None:
    now = Sized(cpu=0.08, memory=240.0 * MIB, memory_limit=240.0 * MIB)
    found = advise("api", now, Measured((used(),)), NOBODY)
    assert (found.kept_cpu, found.kept_memory) == (Kept.FITS, Kept.FITS)


def test_a_processor_limit_goes_even_where_the_request_fits() -> None:
    now = Sized(cpu=0.08, memory=240.0 * MIB, cpu_limit=1.0, memory_limit=512.0 * MIB)
    found = advise("api", now, Measured((used(),)), NOBODY)
    assert (found.cpu, found.memory) == (0.08, 230.0 * MIB)


def test_risk_is_counted_in_days_and_smoothed() -> None:
    days = (100.0 * MIB, 231.0 * MIB, nan, 230.0 * MIB, 50.0 * MIB)
    found = advise("api", NOW, Measured((used(),), days), NOBODY)
    assert found.risk == Risk(1, 4)
    assert found.risk.share == pytest.approx(2 / 6)
    assert Risk(0, 14).share == pytest.approx(1 / 16), "a fortnight without one does not prove that there is none"


def test_money() -> None:
    """0.42 cores and 282 MiB less, four times, at 0.02 and 0.01 an hour: (0.0336 + 0.011015625) × 730."""
    found = advise("api", NOW, Measured((used(),)), NOBODY)
    assert saved((found,), 4, Rates(Decimal("0.02"), Decimal("0.01"))) == Decimal("32.569406")


def test_what_was_not_asked_for_costs_more() -> None:
    found = advise("api", Sized(), Measured((used(),)), NOBODY)
    assert saved((found,), 1, Rates(Decimal(1), Decimal(0))) == Decimal("-58.4")


@given(st.lists(st.tuples(st.floats(0, 64), st.floats(0, 1e12), st.integers(0, 20_000)), min_size=1))
def test_enough_for_every_peak(pods: list[tuple[float, float, int]]) -> None:
    measured = Measured(tuple(Used(str(at), cpu, n, memory, n) for at, (cpu, memory, n) in enumerate(pods)))
    found = advise("api", Sized(), measured, NOBODY)
    assert (found.memory is None) is (sum(n for *_, n in pods) < 100)
    if found.memory is not None:
        assert found.memory >= max(memory for _, memory, _ in pods) * 1.15 - 1
        assert found.memory % MIB == 0
    if found.cpu is not None:
        assert found.cpu >= max((cpu for cpu, _, n in pods if n >= 100), default=0.0) - 1e-9


@given(st.integers(1, 10_000_000))
def test_quantities_there_and_back(number: int) -> None:
    assert amount(cores(number / 1000)) == pytest.approx(number / 1000)
    assert amount(mebibytes(number * MIB)) == number * MIB


@pytest.mark.parametrize(
    ("text", "value"),
    [("100m", 0.1), ("128Mi", 128 * MIB), ("1.5", 1.5), ("2e3", 2000.0), ("1E", 1e18), ("1Ei", 2.0**60), (".5G", 5e8)],
)
def test_quantities(text: str, value: float) -> None:
    assert amount(text) == pytest.approx(value)


@pytest.mark.parametrize("text", ["", "m", "1 Gi", "0x10", "1KiB", "ten"])
def test_no_quantity(text: str) -> None:
    assert known(text) is None
    with pytest.raises(ValueError, match="no quantity"):
        amount(text)


def test_rounding_up_does_not_count_a_float_s_last_digits() -> None:
    assert (cores(0.1 + 0.2), mebibytes(230.0 * MIB), cores(2.0), cores(0.0101)) == ("300m", "230Mi", "2", "11m")


def test_a_day_needs_half_its_hours() -> None:
    hours = [(NOON + timedelta(hours=at), float(at)) for at in range(36)]
    assert peaks(tuple(hours)) == (11.0, 35.0)
    assert peaks(tuple(hours[1:])) == (35.0,), "eleven hours of the first day are too few"


def test_figures_of_one_pod_come_together() -> None:
    key = ("api", "api-1")
    found = merged({"cpu": {key: 0.1}, "cpu_points": {key: 7.0}, "memory": {key: nan}, "killed": {("side", "p"): 5.0}})
    assert found == {"api": (Used("api-1", 0.1, 7),), "side": (Used("p", killed=5.0),)}
