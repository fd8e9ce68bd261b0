"""What must hold of SLO arithmetic whatever the numbers are."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from bot.domain.burndown import Bin, Past
from bot.domain.slo import BURN_WINDOWS, Counts, Gap, Slo, Standing, together

SLO = Slo("api", "availability", "availability", 0.999, timedelta(days=30), "t[$window]", "b[$window]")
NOW = datetime(2026, 11, 29, tzinfo=UTC)
objectives = st.floats(0.5, 1)
totals = st.floats(1, 1e12)
shares = st.floats(0, 1)
counts = st.builds(lambda total, share: Counts(total, total * share), totals, shares)
anything = st.one_of(st.none(), st.floats(allow_nan=True, allow_infinity=True))
unknown = st.one_of(
    st.builds(Counts, st.one_of(st.none(), st.just(math.nan), st.just(math.inf), st.floats(max_value=0)), anything),
    st.builds(Counts, totals, st.one_of(st.none(), st.just(math.nan), st.just(math.inf), st.just(-math.inf))),
    st.builds(Counts, st.none(), st.none(), st.sampled_from([math.nan, math.inf])),
    st.builds(lambda known, why: replace(known, why=why), counts, st.sampled_from([Gap.PARTIAL, Gap.SILENT])),
)


def standing(whole: Counts, objective: float = 0.999, recent: Counts | None = None) -> Standing:
    recents = dict.fromkeys(BURN_WINDOWS, recent) if recent else {}
    return Standing(replace(SLO, objective=objective), whole, recents)


@given(totals, shares, shares, objectives)
def test_the_budget_falls_as_errors_rise(total: float, one: float, other: float, objective: float) -> None:
    few, many = sorted((one, other))
    less, more = standing(Counts(total, total * few), objective), standing(Counts(total, total * many), objective)
    assert less.sli is not None
    assert more.sli is not None
    assert less.sli >= more.sli
    assert less.left is not None
    assert more.left is not None
    assert less.left >= more.left


@given(st.lists(counts, min_size=1, max_size=20))
def test_windows_compose(parts: list[Counts]) -> None:
    """The whole is what its parts add up to, never better than the best of them nor worse than the worst."""
    whole = together(parts)
    ratios = [part.ratio for part in parts]
    assert whole.ratio is not None
    assert min(ratios) - 1e-9 <= whole.ratio <= max(ratios) + 1e-9
    halves = together([together(parts[: len(parts) // 2]), together(parts[len(parts) // 2 :])])
    if len(parts) > 1:
        assert halves.ratio == pytest.approx(whole.ratio, abs=1e-9), "in any order of putting together"


@given(st.lists(counts, max_size=5), unknown, st.lists(counts, max_size=5))
def test_one_unknown_part_keeps_the_whole_from_being_known(
    before: list[Counts], gap: Counts, after: list[Counts]
) -> None:
    assume(gap.gap is not Gap.QUIET)
    assert together([*before, gap, *after]).gap is not None


@given(unknown, counts, objectives)
def test_missing_data_is_never_healthy(gap: Counts, known: Counts, objective: float) -> None:
    """Promise 14: whether the whole window is missing, or only a recent part of it."""
    assert not standing(gap, objective, known).healthy
    if gap.gap is not Gap.QUIET:
        assert not standing(known, objective, gap).healthy
    assert standing(gap, objective).left is None or gap.why is not None


@example(1.0, 1e-300, 1.0)
@example(1e12, 1e-12, 1.0)
@example(1.0, 1.2e-16, 0.9999999999999999)
@given(totals, st.floats(0, 1e12), objectives)
def test_less_than_promised_is_a_spent_budget(total: float, bad: float, objective: float) -> None:
    """Down to the last bit: one bad event never rounds away, and both figures always agree."""
    found = standing(Counts(total, bad), objective)
    assert found.sli is not None
    assert found.left is not None
    assert (found.sli == 1) == (found.whole.ratio == 0)
    assert (found.left < 0) == (found.sli < objective)


@given(st.lists(st.one_of(counts, unknown), min_size=1, max_size=60), st.floats(0.5, 0.9999))
def test_a_burn_down_only_falls_and_ends_at_what_was_spent(steps: list[Counts], objective: float) -> None:
    hours = [Bin(NOW + timedelta(hours=at), each) for at, each in enumerate(steps)]
    past = Past(replace(SLO, objective=objective), timedelta(hours=1), tuple(hours))
    known = [value for _, value in past.left() if not math.isnan(value)]
    assert known == sorted(known, reverse=True)
    assert all(value <= 100 for value in known)
    gaps = [math.isnan(value) for _, value in past.burns()]
    assert gaps == [not each.known for each in hours], "an unknown step is a gap, never zero"
    if past.allowed > 0:
        spent = sum(stretch.spent for stretch in past.stretches(least=0))
        assert spent <= past.spent() + 1e-6 * max(1.0, spent), "stretches are part of the whole"
