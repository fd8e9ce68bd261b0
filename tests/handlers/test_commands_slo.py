"""``slo …``: what a person reads of budgets, with everything known and with something missing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from bot.domain.errors import PermanentError, TemporaryError
from bot.domain.messages import Graph, Tone
from bot.domain.slo import Slo, over, recorded
from bot.ports.metrics import Reading, Sample, Series
from tests.handlers import department as house
from tests.handlers.department import Check, Department, alert, read
from tests.handlers.fakes import NOON

HOUR, M5, MONTH, WEEK = timedelta(hours=1), timedelta(minutes=5), timedelta(days=30), timedelta(days=7)
WINDOWS = (M5, HOUR, timedelta(hours=6), timedelta(days=3))
API, WEB = house.SLOS
RISEN = NOON - timedelta(hours=30)
"""When release 1.8.0 began to burn in the story below."""


def counts(department: Department, slo: Slo, total: float, bad: float, **windows: float) -> None:
    """The same in each window, bad ones elsewhere by ``hour``; and data since the window's first day."""
    for window in (*WINDOWS, slo.window):
        department.metrics.answers |= dict(zip(slo.queries(window), (total, bad), strict=True))
    if "hour" in windows:
        department.metrics.answers[slo.queries(HOUR)[1]] = windows["hour"]
    department.metrics.answers[over(slo.total, slo.window / 30)] = total


def hours(department: Department, slo: Slo, total: float, bad: Callable[[datetime], float | None]) -> None:
    """Hour by hour up to now; no data where *bad* gives None."""
    stamps = [NOON - at * HOUR for at in range(int(slo.window / HOUR) - 1, -1, -1)]
    known = [at for at in stamps if bad(at) is not None]
    queries = slo.queries(HOUR)
    department.metrics.spans[queries[0]] = (Series({}, tuple((at, total) for at in known)),)
    department.metrics.spans[queries[1]] = (Series({}, tuple((at, bad(at) or 0.0) for at in known)),)


def burned(at: datetime) -> float:
    """110 of the 1,000 that may fail, in two hours; one an hour else for two days."""
    return {RISEN + HOUR: 82.5, RISEN + 2 * HOUR: 27.5}.get(at, 1.0 if at > NOON - timedelta(days=2) else 0.0)


async def told_in_full(department: Department) -> None:
    """A month with one release that burned, as in the issue: 11 % in 40 minutes."""
    counts(department, API, 1_000_000, 156, hour=14_400)
    department.metrics.answers[over(API.quantile, MONTH)] = 0.234
    hours(department, API, 1_000_000 / 720, burned)
    minutes = [RISEN + M5 * (at + 1) for at in range(24)]
    total, bad = API.queries(M5)
    department.metrics.spans[total] = (Series({}, tuple((at, 115.0) for at in minutes)),)
    ends = (RISEN + timedelta(minutes=35), RISEN + timedelta(minutes=75))
    points = tuple((at, 110 / 8 if ends[0] < at <= ends[1] else 0.0) for at in minutes)
    department.metrics.spans[bad] = (Series({}, points),)
    department.clock.at = RISEN + timedelta(minutes=28)
    await department.reported("1.8.0", stage="released")
    department.clock.at = RISEN + timedelta(minutes=42)
    await department.fires(alert(starts=department.clock.at))
    department.clock.at = NOON


async def test_one_in_full(department: Department, reads_as: Check) -> None:
    await told_in_full(department)
    reads_as("commands/slo", await department.say("vera", "slo api"))


async def test_what_ate_it_is_told_by_release_and_incident(department: Department) -> None:
    await told_in_full(department)
    shown = await department.say("vera", "slo api")
    assert "1.8.0 burned 11.0 % in 2400 s" in shown, "40 minutes, though the hours only show two of them"
    assert "(a-7k2f HighErrors)" in shown
    assert "the rest, 4.6 %" in shown


async def test_the_pictures_carry_the_even_burn_and_what_happened(department: Department) -> None:
    await told_in_full(department)
    left, burn = (b for b in (await department.reply("vera", "slo api")).message.blocks if isinstance(b, Graph))
    assert (left.unit, burn.unit, burn.limit) == ("%", "x", 1.0)
    budget, even = left.curves
    assert (len(budget.points), budget.points[-1][0]) == (720, NOON)
    assert budget.points[-1][1] == pytest.approx(100 * (1 - (110 + 46) / 1_000))
    assert (even.points[0][1], even.points[-1][1]) == (pytest.approx(100 * 719 / 720), 0)
    assert [what.plain() for _, what in left.marks] == ["1.8.0", "a-7k2f HighErrors"]


async def test_a_burn_that_nobody_explains_says_so(department: Department) -> None:
    counts(department, API, 1_000_000, 156)
    hours(department, API, 1_000_000 / 720, burned)
    assert "no release and no alert then" in await department.say("vera", "slo api")


async def test_how_it_is_computed(department: Department, reads_as: Check) -> None:
    counts(department, API, 1_000_000, 500)
    reads_as("commands/slo-how", await department.say("vera", "slo api --how"))
    assert "total[2592000s]\n  = 1000000.00" in await department.say("vera", "slo api —how"), "as phones write it"


async def test_all_of_them_the_worst_first(department: Department, reads_as: Check) -> None:
    counts(department, WEB, 1_000_000, 30_000)
    counts(department, API, 1_000, 0)
    reply = await department.reply("vera", "slo")
    reads_as("commands/slo-all", read(reply.message))
    assert reply.message.tone is Tone.CRITICAL, "one budget is spent"


async def test_another_window(department: Department) -> None:
    counts(department, replace(API, window=WEEK), 1_000_000, 500)
    assert "604800 s" in await department.say("vera", "slo api 7d")
    assert "total[604800s]" in department.metrics.asked
    assert "total[2592000s]" not in department.metrics.asked


WHY = {
    "away": (TemporaryError("away"), "Prometheus has not answered in time"),
    "refused": (PermanentError("bad query"), "Prometheus refuses the query"),
    "empty": (Reading(()), "there is no data"),
    "warnings": (Reading((), ("remote read failed",)), "Prometheus warns that data may be missing"),
    "nan": (Reading((Sample({}, float("nan")),)), "the answer is no number"),
    "inf": (Reading((Sample({}, float("inf")),)), "the answer is no number"),
    "zero": (0.0, "there was no traffic"),
}


@pytest.mark.parametrize("case", WHY)
async def test_an_unknown_total_is_unknown_and_says_why(department: Department, case: str, reads_as: Check) -> None:
    counts(department, API, 1_000_000, 0)
    answer, why = WHY[case]
    for name in list(department.metrics.answers):
        if name.startswith("total"):
            department.metrics.answers[name] = answer
    reply = await department.reply("vera", "slo api")
    shown = read(reply.message)
    assert why in shown
    assert shown.count("unknown") >= 7, "title, SLI, budget, four burn rates"
    assert "%" not in shown.replace("99.900 %", "")
    assert reply.message.tone is Tone.WARNING
    if case == "empty":
        reads_as("commands/slo-unknown", shown)


async def test_an_empty_count_of_bad_ones_is_zero_only_beside_a_total_and_without_warnings(
    department: Department,
) -> None:
    """Ruling 2, and promise 14."""
    counts(department, API, 1_000, 0)
    bad = [name for name in department.metrics.answers if name.startswith("bad")]
    for name in bad:
        department.metrics.answers[name] = Reading(())
    reply = await department.reply("vera", "slo api")
    assert "100.000 %" in read(reply.message)
    assert reply.message.tone is Tone.OK
    for name in bad:
        department.metrics.answers[name] = Reading((), ("partial",))
    department.clock.at += timedelta(minutes=2)
    assert "unknown" in await department.say("vera", "slo api")


async def test_numbers_that_came_with_warnings_are_shown_and_never_green(department: Department) -> None:
    counts(department, API, 1_000, 0)
    whole = API.queries(MONTH)[0]
    department.metrics.answers[whole] = Reading((Sample({}, 1_000.0),), ("one store is away",))
    reply = await department.reply("vera", "slo api")
    assert "Prometheus warns that data may be missing" in read(reply.message)
    assert "100.0 %" in read(reply.message)
    assert reply.message.tone is Tone.WARNING


async def test_less_history_than_the_window_is_said(department: Department) -> None:
    counts(department, API, 1_000_000, 10)
    del department.metrics.answers[over(API.total, MONTH / 30)]
    begun = NOON - timedelta(days=4)
    hours(department, API, 1_000, lambda at: 0.0 if at > begun else None)
    reply = await department.reply("vera", "slo api")
    assert "Prometheus remembers less than the window" in read(reply.message)
    assert f"Data begins {begun:%Y-%m-%d %H:%M:%S} UTC" in read(reply.message)
    assert reply.message.tone is Tone.WARNING


async def test_a_hole_in_the_past_is_said_and_stays_a_gap(department: Department) -> None:
    counts(department, API, 1_000_000, 10)
    hole = (NOON - timedelta(hours=50), NOON - timedelta(hours=45))
    hours(department, API, 1_000, lambda at: None if hole[0] < at <= hole[1] else 1.0)
    reply = await department.reply("vera", "slo api")
    assert "No data for 18000 s in between" in read(reply.message)
    left = next(b for b in reply.message.blocks if isinstance(b, Graph))
    assert sum(value != value for _, value in left.curves[0].points) == 5


async def test_too_little_traffic_tells_no_pace(department: Department, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(house, "SLOS", (replace(API, min_requests=100),))
    counts(department, API, 1_000_000, 10)
    department.metrics.answers |= dict(zip(API.queries(HOUR), (12.0, 6.0), strict=True))
    reply = await department.reply("vera", "slo api")
    assert "too few requests in the last hour to tell a pace: 12 of 100" in read(reply.message)
    assert "500.0× (few)" in read(reply.message)
    assert reply.message.tone is Tone.OK, "six of twelve at night wake nobody, with 99 % of the budget left"


async def test_counter_resets_are_said(department: Department, monkeypatch: pytest.MonkeyPatch) -> None:
    slo = replace(API, total="sum(increase(t[$window]))", bad="sum(increase(b[$window]))")
    monkeypatch.setattr(house, "SLOS", (slo,))
    counts(department, slo, 1_000, 1)
    department.metrics.answers["sum(resets(t[2592000s]))"] = 3.0
    assert "The counters restarted 3 times" in await department.say("vera", "slo api")


def regional(department: Department, slo: Slo, window: timedelta, **regions: tuple[float, float]) -> None:
    """Counts of one window by region."""
    for query, at in zip(slo.queries(window), (0, 1), strict=True):
        samples = tuple(Sample({"region": name}, pair[at]) for name, pair in regions.items())
        department.metrics.answers[query.replace("sum(", "sum by (region) (")] = Reading(samples)


REGIONAL = replace(API, total="sum(t[$window])", bad="sum(b[$window])", quantile="")


async def test_regions_apart_and_together_by_traffic(
    department: Department, monkeypatch: pytest.MonkeyPatch, reads_as: Check
) -> None:
    monkeypatch.setattr(house, "SLOS", (REGIONAL,))
    for window in (*WINDOWS, MONTH):
        regional(department, REGIONAL, window, nyc2=(990_000, 99), sfo3=(10_000, 500))
    reads_as("commands/slo-regions", await department.say("vera", "slo api --by region"))
    assert "can be told apart by pod" in await department.say("vera", "slo api --by pod", ok=False)


async def test_a_region_that_falls_silent_is_no_good_news(
    department: Department, monkeypatch: pytest.MonkeyPatch
) -> None:
    slo = replace(REGIONAL, regions="region")
    monkeypatch.setattr(house, "SLOS", (slo,))
    for window in (*WINDOWS, MONTH):
        regional(department, slo, window, nyc2=(990_000, 0), sfo3=(10_000, 0))
    department.metrics.answers[over(slo.total, MONTH / 30)] = 1.0
    assert (await department.reply("vera", "slo api")).message.tone is Tone.OK
    regional(department, slo, M5, nyc2=(9_000, 0))
    department.clock.at += timedelta(seconds=30)
    reply = await department.reply("vera", "slo api")
    assert "Over the last 300 s: a region that had traffic sends nothing." in read(reply.message)
    assert reply.message.tone is Tone.WARNING


async def test_recorded_shares_keep_no_counts(department: Department, monkeypatch: pytest.MonkeyPatch) -> None:
    rules = "slo:sli_error:ratio_rate$window{sloth_id='api-x'}"
    slo = replace(API, total="", bad="", quantile="", recording=rules)
    monkeypatch.setattr(house, "SLOS", (slo,))
    for window in (*WINDOWS, MONTH):
        department.metrics.answers[recorded(rules, window)] = 0.0002
    five = rules.replace("$window", "5m")
    department.metrics.answers[f"avg(avg_over_time({five}[86400s]))"] = 0.0002
    reply = await department.reply("vera", "slo api --how")
    assert "80.0 %, 2073.6 s of outage; requests are not counted" in read(reply.message)
    assert f"avg({rules.replace('$window', '30d')}) or avg(avg_over_time({five}[2592000s]))" in read(reply.message)
    assert reply.message.tone is Tone.OK


FRESH = Slo(
    "api", "processing", "freshness", 1.0, MONTH, "", "max(age)", threshold=300.0, missed="missed[$window]"
)  # fmt: skip
PEAK = "max(max_over_time(age[{}]))"


def waiting(department: Department, age: float, peak: float, missed: float) -> None:
    department.metrics.answers |= {
        "max(age)": age, PEAK.format("2592000s"): peak, PEAK.format("86400s"): 1.0, "missed[2592000s]": missed,
    }  # fmt: skip
    series = Series({}, tuple((NOON - at * HOUR, 20.0) for at in range(719, -1, -1)))
    department.metrics.spans[PEAK.format("3600s")] = (series,)


async def test_a_zero_budget_is_told_as_an_invariant(
    department: Department, monkeypatch: pytest.MonkeyPatch, reads_as: Check
) -> None:
    monkeypatch.setattr(house, "SLOS", (FRESH,))
    waiting(department, 4, 120, 0)
    reply = await department.reply("vera", "slo api processing")
    reads_as("commands/slo-freshness", read(reply.message))
    assert reply.message.tone is Tone.OK


@pytest.mark.parametrize(("age", "peak", "missed"), [(301, 301, 0), (4, 301, 0), (4, 120, 1)])
async def test_once_late_is_broken(
    department: Department, monkeypatch: pytest.MonkeyPatch, age: float, peak: float, missed: float
) -> None:
    monkeypatch.setattr(house, "SLOS", (FRESH,))
    waiting(department, age, peak, missed)
    reply = await department.reply("vera", "slo api")
    assert "broken" in reply.message.title.plain()
    assert reply.message.tone is Tone.CRITICAL


async def test_an_unknown_age_is_not_kept(department: Department, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(house, "SLOS", (FRESH,))
    waiting(department, 4, 120, 0)
    del department.metrics.answers["max(age)"]
    reply = await department.reply("vera", "slo")
    assert "unknown" in reply.message.title.plain()
    assert reply.message.tone is Tone.WARNING
    assert "not wholly known" not in (await department.say("vera", "slo web", ok=False))


async def test_a_curve_that_does_not_come_in_time_is_said_to_be_missing(
    department: Department, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(house, "SLOS", (FRESH,))
    waiting(department, 4, 120, 0)
    department.metrics.spans[PEAK.format("3600s")] = TemporaryError("away")
    reply = await department.reply("vera", "slo api processing")
    assert "How it went is not known: Prometheus has not told yet." in read(reply.message)
    assert not any(isinstance(block, Graph) for block in reply.message.blocks)


async def test_fifty_at_once_take_few_requests(department: Department, monkeypatch: pytest.MonkeyPatch) -> None:
    many = tuple(replace(WEB, name=f"n{at}", total=f"t{at}[$window]", bad=f"b{at}[$window]") for at in range(50))
    monkeypatch.setattr(house, "SLOS", many)
    for slo in many:
        counts(department, slo, 1_000, 1)
    reply = await department.reply("vera", "slo")
    assert read(reply.message).count("90.0 %, 389 min") == 50
    assert reply.message.whole.count("0.99\t0.999\t0.9\t") == 50, "all of them in a file, for chats that cut"
    assert department.metrics.requests <= 30, "550 queries"
    before = department.metrics.requests
    await department.say("vera", "slo")
    assert department.metrics.requests == before, "asked again at once, the answers are still there"


async def test_one_broken_query_hides_no_other(department: Department, monkeypatch: pytest.MonkeyPatch) -> None:
    many = tuple(replace(WEB, name=f"n{at}", total=f"t{at}[$window]", bad=f"b{at}[$window]") for at in range(8))
    monkeypatch.setattr(house, "SLOS", many)
    for slo in many:
        counts(department, slo, 1_000, 0)
    for window in (*WINDOWS, MONTH):
        department.metrics.answers[many[5].queries(window)[0]] = PermanentError("parse error")
    department.metrics.answers["vector(1)"] = 1.0
    shown = await department.say("vera", "slo")
    assert shown.count("100.000 %") == 7
    assert "web n5: Over all 2.592e+06 s: Prometheus refuses the query." in shown


async def test_a_wrong_token_is_not_asked_query_by_query(
    department: Department, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(promql: str, at: datetime | None = None) -> Reading:
        department.metrics.requests += 1
        raise PermanentError("401")

    monkeypatch.setattr(department.metrics, "query", refuse)
    assert "Prometheus refuses the query" in await department.say("vera", "slo")
    assert department.metrics.requests <= 20


async def test_without_prometheus_it_says_so(department: Department) -> None:
    department.without = frozenset({"metrics"})
    assert "[prometheus]" in await department.say("vera", "slo api", ok=False)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("slo moon", "There is no service moon"),
        ("slo api --whatever", "is no option of slo"),
        ("slo api --by a-b", "is no name of a label"),
        ("slo api 10s", "less than a minute"),
    ],
)
async def test_what_there_is_not(department: Department, words: str, said: str) -> None:
    assert said in await department.say("vera", words, ok=False)
