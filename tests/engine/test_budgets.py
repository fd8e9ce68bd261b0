"""Budgets over a Prometheus that is slow, partial, or asked by many at once. Time is waited for, never measured."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from urllib.parse import quote

import pytest

from bot.domain.errors import TemporaryError
from bot.domain.invariants import Invariant
from bot.domain.slo import BURN_WINDOWS, Gap, Slo, Standing, over
from bot.engine.budgets import PrometheusBudgets
from bot.engine.figures import LANES, MARK, URL, Question, batches, joined, parted
from bot.ports.metrics import Reading, Sample, Series
from tests.handlers.fakes import NOON, FakeClock, FakeMetrics

MONTH, HOUR = timedelta(days=30), timedelta(hours=1)
SLO = Slo("api", "availability", "availability", 0.999, MONTH, "t[$window]", "b[$window]")
MANY = tuple(replace(SLO, name=f"n{at}", total=f"t{at}[$window]", bad=f"b{at}[$window]") for at in range(50))


class SlowMetrics(FakeMetrics):
    """Answers only once ``open`` is set what mentions ``slow``; counts how many wait at once."""

    def __init__(self) -> None:
        super().__init__()
        self.slow, self.open = "[2592000s]", asyncio.Event()
        self.now, self.most = 0, 0

    async def query(self, promql: str, at: datetime | None = None) -> Reading:
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            if self.slow in promql:
                await self.open.wait()
            else:
                await asyncio.sleep(0)
            return await super().query(promql, at)
        finally:
            self.now -= 1

    async def span(self, promql: str, start: datetime, end: datetime, step: timedelta) -> tuple[Series, ...]:
        await self.open.wait()
        return await super().span(promql, start, end, step)


@pytest.fixture
def metrics() -> SlowMetrics:
    found = SlowMetrics()
    for slo in (SLO, *MANY):
        for window in (*BURN_WINDOWS, MONTH):
            found.answers |= dict(zip(slo.queries(window), (1_000.0, 0.5), strict=True))
        found.answers[over(slo.total, MONTH / 30)] = 1_000.0
    return found


@pytest.fixture
async def budgets(metrics: SlowMetrics) -> AsyncIterator[PrometheusBudgets]:
    """Waits as long as it takes."""
    opened = PrometheusBudgets(metrics, FakeClock(), patience=60)
    yield opened
    await opened.close()


def hasten(budgets: PrometheusBudgets, seconds: float) -> None:
    """Let it wait so long: for what never comes, and for what comes at once on a machine that is busy."""
    budgets._patience = seconds


async def test_a_slow_prometheus_gives_a_part_and_the_rest_to_who_asks_again(
    budgets: PrometheusBudgets, metrics: SlowMetrics
) -> None:
    hasten(budgets, 2)
    found = await budgets.standings(MANY)
    for item in found:
        assert isinstance(item, Standing)
        assert item.whole.gap is Gap.LATE
        assert item.left is None
        assert item.burn(HOUR) == pytest.approx(0.5), "the light queries are not held up"
        assert not item.healthy
    metrics.open.set()
    hasten(budgets, 60)
    found = await budgets.standings(MANY)
    assert all(item.left == pytest.approx(0.5) and item.healthy for item in found)
    assert len(metrics.asked) == len(set(metrics.asked)), "what was under way was not asked again"
    assert metrics.most <= LANES


async def test_many_who_ask_at_once_share_the_requests(budgets: PrometheusBudgets, metrics: SlowMetrics) -> None:
    metrics.open.set()
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(budgets.standings(MANY)) for _ in range(10)]
    assert all(task.result() == tasks[0].result() for task in tasks)
    asked = len(metrics.asked)
    assert asked == len(set(metrics.asked)) == 50 * (2 * 5 + 1)


async def test_who_gives_up_takes_nobody_along(budgets: PrometheusBudgets, metrics: SlowMetrics) -> None:
    first = asyncio.ensure_future(budgets.standings([SLO]))
    await asyncio.sleep(0)
    second = asyncio.ensure_future(budgets.standings([SLO]))
    await asyncio.sleep(0)
    first.cancel()
    metrics.open.set()
    (found,) = await second
    assert found.left == pytest.approx(0.5)


async def test_an_answer_serves_for_a_moment_only(metrics: SlowMetrics) -> None:
    clock = FakeClock()
    budgets = PrometheusBudgets(metrics, clock, patience=60)
    metrics.open.set()
    await budgets.standings([SLO])
    metrics.answers[SLO.queries(HOUR)[1]] = 20.0
    (early,) = await budgets.standings([SLO])
    clock.at += timedelta(seconds=16)
    (later,) = await budgets.standings([SLO])
    assert isinstance(early, Standing)
    assert isinstance(later, Standing)
    assert (early.burn(HOUR), later.burn(HOUR)) == (pytest.approx(0.5), pytest.approx(20))
    clock.at += timedelta(minutes=5)
    metrics.answers.clear()
    (gone,) = await budgets.standings([SLO])
    assert gone.left is None, "what is old is forgotten, not shown"


async def test_no_answer_is_not_remembered(budgets: PrometheusBudgets, metrics: SlowMetrics) -> None:
    metrics.open.set()
    known = dict(metrics.answers)
    metrics.answers = dict.fromkeys(known, TemporaryError("503"))
    assert (await budgets.standings([SLO]))[0].left is None
    metrics.answers = known
    assert (await budgets.standings([SLO]))[0].left == pytest.approx(0.5)


async def test_the_past_too_is_there_for_who_asks_again(budgets: PrometheusBudgets, metrics: SlowMetrics) -> None:
    for query, value in zip(SLO.queries(HOUR), (100.0, 0.1), strict=True):
        metrics.spans[query] = (Series({}, tuple((NOON - at * HOUR, value) for at in range(719, -1, -1))),)
    hasten(budgets, 0.05)
    past = await budgets.past(SLO)
    assert (past.since, len(past.bins)) == (None, 720)
    assert all(value != value for _, value in past.left()), "unknown, and drawn as a gap"
    metrics.open.set()
    hasten(budgets, 60)
    past = await budgets.past(SLO)
    assert past.since == NOON - MONTH
    assert past.left()[-1][1] == pytest.approx(0, abs=1e-6)


async def test_freshness_needs_every_answer(budgets: PrometheusBudgets, metrics: SlowMetrics) -> None:
    slo = Slo("bots", "backlog", "freshness", 1.0, MONTH, "", "max(age)", threshold=300, missed="missed[$window]")
    metrics.slow = "nothing"
    peak = "max(max_over_time(age[{}s]))"
    metrics.answers |= {"max(age)": 4.0, peak.format(2592000): 100.0, peak.format(86400): 1.0}
    (found,) = await budgets.standings([slo])
    assert isinstance(found, Invariant)
    assert (found.kept, found.why) == (None, Gap.ABSENT)
    metrics.answers["missed[2592000s]"] = 0.0
    await budgets.close()
    (found,) = await PrometheusBudgets(metrics, FakeClock(), patience=60).standings([slo])
    assert isinstance(found, Invariant)
    assert found.kept is True


def test_a_batch_fits_into_one_request_line() -> None:
    questions = [Question(f"sum(increase(x{{job='j{at}',code=~\"5..\"}}[300s]))", HOUR) for at in range(200)]
    found = list(batches(questions))
    assert sum(map(len, found)) == 200
    assert all(len(quote(joined(batch))) <= URL for batch in found)
    huge = Question("x" * 10_000, HOUR)
    assert [huge] in [list(batch) for batch in batches([*questions, huge])], "a huge one goes alone, not nowhere"


def test_what_is_evaluated_at_another_time_is_another_batch() -> None:
    questions = [Question(f"q{at}", HOUR, back) for at in range(3) for back in (timedelta(), MONTH)]
    assert [{each.back for each in batch} for batch in batches(questions)] == [{timedelta()}, {MONTH}]


def test_answers_find_their_questions_again() -> None:
    batch = (Question("a", HOUR), Question("b", HOUR), Question("c # last", HOUR))
    assert joined(batch).count("\nor ") == 2
    assert "c # last\n," in joined(batch), "a comment swallows nothing"
    samples = (Sample({MARK: "1", "region": "x"}, 2.0), Sample({MARK: "0"}, 1.0), Sample({MARK: "1"}, 3.0))
    found = parted(batch, Reading(samples, ("careful",)))
    assert found[batch[0]].samples == (Sample({}, 1.0),)
    assert found[batch[1]].samples == (Sample({"region": "x"}, 2.0), Sample({}, 3.0))
    assert found[batch[2]] == Reading((), ("careful",)), "a warning concerns all of them"


async def test_the_pace_between_two_times(metrics: SlowMetrics) -> None:
    """Asked as of then, over exactly that time; what is not wholly known is not known."""
    clock = FakeClock()
    budgets = PrometheusBudgets(metrics, clock, patience=60)
    metrics.answers |= {"t[600s]": 1_000.0, "b[600s]": 6.0}
    asked: list[datetime | None] = []
    query = metrics.query

    async def noted(promql: str, at: datetime | None = None) -> Reading:
        asked.append(at)
        return await query(promql, at)

    metrics.query = noted  # type: ignore[method-assign]
    start = NOON - timedelta(minutes=30)
    assert await budgets.burn(SLO, start, start + timedelta(minutes=10)) == pytest.approx(6.0)
    assert set(asked) == {NOON - timedelta(minutes=20)}
    assert await budgets.burn(SLO, NOON - timedelta(minutes=7), NOON) is None, "no data"
    metrics.answers |= {"t[60s]": Reading((Sample({}, 0.0),)), "t[120s]": TemporaryError("away")}
    assert await budgets.burn(SLO, NOON - timedelta(minutes=1), NOON) is None, "nobody asked, so nobody knows"
    assert await budgets.burn(SLO, NOON - timedelta(minutes=2), NOON) is None
    metrics.answers |= {"t[180s]": Reading((Sample({}, 9.0),), ("partial",)), "b[180s]": 0.0}
    assert await budgets.burn(SLO, NOON - timedelta(minutes=3), NOON) is None, "a warning may hide bad events"
    await budgets.close()


async def test_a_silent_region_makes_the_pace_unknown(metrics: SlowMetrics) -> None:
    slo = replace(SLO, total="sum(t[$window])", bad="sum(b[$window])", regions="region")
    budgets = PrometheusBudgets(metrics, FakeClock(), patience=60)

    def regions(*names: str) -> Reading:
        return Reading(tuple(Sample({"region": name}, 100.0) for name in names))

    for length, names in (("300s", ("nyc2", "sfo3")), ("3600s", ("nyc2", "sfo3")), ("600s", ("nyc2",))):
        metrics.answers[f"sum by (region) (t[{length}])"] = regions(*names)
    assert await budgets.burn(slo, NOON - timedelta(minutes=5), NOON) == 0.0
    assert await budgets.burn(slo, NOON - timedelta(minutes=10), NOON) is None
    await budgets.close()


async def test_the_pace_of_each_region_by_itself(metrics: SlowMetrics) -> None:
    """One that is cut off fails all it gets, which says nothing of the other; one without any is not there."""
    metrics.open.set()
    slo = replace(SLO, total="sum(increase(t[$window]))", bad="sum(increase(b[$window]))")
    budgets, length = PrometheusBudgets(metrics, FakeClock()), timedelta(minutes=5)
    totals = Reading((Sample({"region": "nyc2"}, 20.0), Sample({"region": "sfo3"}, 1_000.0), Sample({}, 5.0)))
    asked = "sum by (region) (increase({}[300s]))"
    metrics.answers |= {asked.format("t"): totals, asked.format("b"): Reading((Sample({"region": "nyc2"}, 20.0),))}
    found = await budgets.burns(slo, "region", NOON - length, NOON)
    assert found == {"nyc2": pytest.approx(1_000.0), "sfo3": 0.0}
    assert await budgets.burns(slo, "region", NOON - 2 * length, NOON) == {}, "no answer, no region"
    await budgets.close()
