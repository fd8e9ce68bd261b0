"""The digests of error budgets: what people read each day and each week, when, and what is not known."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, time, timedelta
from pathlib import Path

import pytest

from bot.adapters.sql import open_store
from bot.domain.errors import TemporaryError
from bot.domain.hours import Daily
from bot.domain.messages import Graph, Lines, Message, Tone
from bot.domain.oncall import Rotation
from bot.domain.phrases import English
from bot.domain.releases import Deployment, Fate
from bot.domain.slo import Slo
from bot.engine.budgets import PrometheusBudgets
from bot.platforms.console.plain import plain
from bot.platforms.telegram.render import render
from bot.ports.schedules import Periodic
from handlers.cards.eaten import Teller
from handlers.schedules import digest
from handlers.schedules.spending import Spending
from tests.handlers import department as house
from tests.handlers.department import Check, Department, alert
from tests.handlers.fakes import NOON
from tests.handlers.test_commands_slo import API, FRESH, HOUR, M5, WEB, counts, hours, waiting
from tests.platforms import slack_cards
from tests.platforms.test_telegram_fixtures import shown, words

DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
RISEN = NOON - timedelta(hours=20)
"""When 1.8.0 began to burn."""
LATENCY = Slo("api", "latency", "latency", 0.99, house.MONTH, "slow_total[$window]", "slow[$window]")
PROCESSING = replace(FRESH, service="bots")
SLOS = (API, LATENCY, PROCESSING, WEB)
AT_NOON = Daily(time(12))
MONDAY_NOON = Rotation(("",), NOON.weekday(), time(12))


def burned(at: datetime) -> float:
    """110 of the 1,000 that may fail, in two hours."""
    return {RISEN + HOUR: 82.5, RISEN + 2 * HOUR: 27.5}.get(at, 0.0)


def spending(department: Department, slos: tuple[Slo, ...] = SLOS) -> Spending:
    budgets = PrometheusBudgets(department.metrics, department.clock, patience=60)
    return Spending(Teller(department.store, budgets, house.SERVICES), department.clock, slos)


def daily(department: Department, slos: tuple[Slo, ...] = SLOS, week: Rotation | None = None) -> Periodic:
    spent = spending(department, slos)
    return digest.daily(department.store, department.clock, department.rules, AT_NOON, week, spent)


async def sent(department: Department, kind: str = "slo-digest") -> list[Message]:
    """Digests of that kind that stand in the channel, the latest first."""

    def read(tx):
        cards = tx.latest_cards("slack:C0OPS", 100)
        return [tx.message(card.subject) for card in cards if card.subject.startswith(f"notice:{kind}:")]

    return await department.store.read(read)


def text(message: Message) -> str:
    return plain(message, English()) + "\n"


async def yesterday(department: Department, duty: Periodic, **bad: float) -> None:
    """The digest of the day before, with 46 bad ones of api's million."""
    counts(department, API, 1_000_000, bad.get("api", 46))
    counts(department, LATENCY, 1_000_000, 400)
    counts(department, WEB, 1_000_000, 9_000)
    waiting(department, 4, 120, 0)
    department.clock.at = NOON - 2 * DAY
    await duty.run()
    department.clock.at = NOON - DAY
    await duty.run()


async def bad_day(department: Department) -> None:
    """A release ate 11 % of one budget, another is spent, one is fine, one is not known."""
    counts(department, API, 1_000_000, 156, hour=2)
    hours(department, API, 1_000_000 / 720, burned)
    for query, value in zip(API.queries(M5), (115.0, 110 / 8), strict=True):
        stamps = [RISEN + M5 * (at + 1) for at in range(24)]
        ends = (RISEN + timedelta(minutes=35), RISEN + timedelta(minutes=75))
        points = tuple((at, value if value > 100 or ends[0] < at <= ends[1] else 0.0) for at in stamps)
        department.metrics.spans[query] = (replace(department.metrics.spans[API.queries(HOUR)[0]][0], points=points),)
    counts(department, WEB, 1_000_000, 12_000)
    hours(department, WEB, 1_000_000 / 720, lambda at: 1_215.0 if at == NOON - 5 * HOUR else 15.0)
    for name in list(department.metrics.answers):
        if name.startswith("slow_total"):
            del department.metrics.answers[name]
    arrived = RISEN + timedelta(minutes=28)
    await brought(department, "1.8.0", arrived)
    department.clock.at = RISEN + timedelta(minutes=42)
    await department.fires(alert(starts=department.clock.at))
    department.clock.at = NOON


async def brought(department: Department, version: str, at: datetime, environment: str = "production") -> None:
    there = Deployment("api", environment, version, "", Fate.RUNNING, at, since=at)
    await department.store.write(lambda tx: tx.save_deployment(there))


def looks(name: str, message: Message) -> None:
    """As both chats show it, in both languages, compared with readable files (``WRITE_EXPECTED=1``)."""
    for locale in slack_cards.LOCALES:
        for chat in ("slack", "telegram"):
            drawn = slack_cards.page(message, locale) if chat == "slack" else shown(render(message, words(locale)))
            ending = "txt" if chat == "slack" else "html"
            path = house.EXPECTED / "digest" / f"{name}.{chat}.{locale}.{ending}"
            if os.environ.get("WRITE_EXPECTED"):
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(drawn, encoding="utf-8")
            assert drawn == path.read_text(encoding="utf-8")


# --- the day ---


async def test_a_bad_day_in_full(department: Department, reads_as: Check) -> None:
    duty = daily(department)
    await yesterday(department, duty)
    await bad_day(department)
    await duty.run()
    message, _ = await sent(department)
    reads_as("digest/day", text(message))
    looks("day", message)
    assert message.tone is Tone.CRITICAL
    (graph,) = (block for block in message.blocks if isinstance(block, Graph))
    assert graph.title.plain() == "Budget of web availability"


async def test_a_good_day_says_so(department: Department, reads_as: Check) -> None:
    duty = daily(department, (API, WEB))
    await yesterday(department, duty)
    for slo in (API, WEB):
        counts(department, slo, 1_000_000, 46)
        hours(department, slo, 1_000_000 / 720, lambda at: 0.0)
    department.clock.at = NOON
    await duty.run()
    message, _ = await sent(department)
    reads_as("digest/good-day", text(message))
    assert message.tone is Tone.OK


async def test_what_is_not_known_is_never_good(department: Department, reads_as: Check) -> None:
    duty = daily(department)
    await yesterday(department, duty)
    for name in department.metrics.answers:
        department.metrics.answers[name] = TemporaryError("away")
    department.metrics.spans.clear()
    department.clock.at = NOON
    await duty.run()
    message, _ = await sent(department)
    shown_ = text(message)
    reads_as("digest/unknown", shown_)
    assert message.tone is Tone.WARNING
    assert "Nothing has eaten" not in shown_
    assert not any(isinstance(block, Graph) for block in message.blocks)


async def test_a_past_that_nobody_told_is_no_quiet_one(department: Department) -> None:
    duty = daily(department, (API,))
    await yesterday(department, duty)
    department.clock.at = NOON
    for query in API.queries(HOUR):
        department.metrics.spans[query] = TemporaryError("away")
    await duty.run()
    shown_ = text((await sent(department))[0])
    assert "How it went is not known, for Prometheus did not tell in time: api availability." in shown_
    assert "Nothing has eaten" not in shown_


async def test_what_is_late_is_asked_for_again(department: Department, monkeypatch: pytest.MonkeyPatch) -> None:
    duty = daily(department, (API,))
    await yesterday(department, duty)
    answers = dict(department.metrics.answers)
    for name in department.metrics.answers:
        department.metrics.answers[name] = TemporaryError("busy")
    department.clock.at = NOON
    sleep = department.clock.sleep

    async def rested(seconds: float) -> None:
        department.metrics.answers = answers
        hours(department, API, 1_000_000 / 720, lambda at: 0.0)
        await sleep(seconds)

    monkeypatch.setattr(department.clock, "sleep", rested)
    await duty.run()
    message, _ = await sent(department)
    assert "unknown" not in text(message)
    assert department.clock.now() <= NOON + timedelta(seconds=15)


def changes(message: Message) -> list[str]:
    """By how much each budget changed, "" where no change is told."""
    (lines, *_) = (block for block in message.blocks if isinstance(block, Lines))
    found = [re.search(r"changed by ([^;]+);", line.plain()) for line in lines.items]
    return [match[1].replace("\N{NO-BREAK SPACE}", " ") if match else "" for match in found]


async def test_changes_are_since_the_last_digest_also_after_days_without(department: Department) -> None:
    duty = daily(department, (API,))
    await yesterday(department, duty)
    assert changes((await sent(department))[0]) == [""], "nothing to compare with"
    counts(department, API, 1_000_000, 146)
    department.clock.at = NOON + 2 * DAY + HOUR
    await duty.run()
    message = (await sent(department))[0]
    assert changes(message) == ["-10.0 %"]
    assert f"Changes are since {NOON - DAY:%Y-%m-%d %H:%M:%S} UTC." in text(message)
    counts(department, API, 1_000_000, 96)
    department.clock.at += DAY
    await duty.run()
    assert changes((await sent(department))[0]) == ["+5.0 %"]
    stricter = replace(API, objective=0.9995)
    counts(department, stricter, 1_000_000, 96)
    department.clock.at += DAY
    await daily(department, (stricter,)).run()
    assert changes((await sent(department))[0]) == [""], "a budget of another size"


async def test_a_burn_before_the_last_digest_was_told_then(department: Department) -> None:
    duty = daily(department, (API,))
    await yesterday(department, duty)
    await bad_day(department)
    hours(department, API, 1_000_000 / 720, lambda at: burned(at + 5 * DAY))
    await duty.run()
    message, _ = await sent(department)
    assert "Nothing has eaten a telling part of a budget since" in text(message)


async def test_a_version_in_staging_is_no_suspect(department: Department) -> None:
    duty = daily(department, (API,))
    await yesterday(department, duty)
    await bad_day(department)
    await brought(department, "1.9.0-rc1", RISEN + timedelta(minutes=34), "staging")
    await duty.run()
    shown_ = text((await sent(department))[0])
    assert "1.8.0 burned 11.0 %" in shown_.replace("\N{NO-BREAK SPACE}", " ")
    assert "1.9.0" not in shown_


# --- when ---


async def test_it_is_sent_once_a_day_and_not_at_the_first_start(department: Department) -> None:
    duty = daily(department, (API,))
    counts(department, API, 1_000_000, 46)
    await duty.run()
    assert await sent(department) == [], "the first start is no occasion"
    department.clock.at = NOON + DAY - MINUTE
    await duty.run()
    assert await sent(department) == []
    department.clock.at = NOON + DAY + 7 * HOUR
    for _ in range(3):
        await duty.run()
        department.clock.at += MINUTE
    assert len(await sent(department)) == 1, "once, and later that day when pult was down at noon"


async def test_a_restart_sends_none_twice(department: Department, tmp_path: Path) -> None:
    counts(department, API, 1_000_000, 46)
    for at in (NOON, NOON + DAY, NOON + DAY + HOUR):
        department.clock.at = at
        async with open_store(f"sqlite:///{tmp_path}/pult.db") as again:
            await daily(Department(again, department.clock, metrics=department.metrics), (API,)).run()
    assert len(await sent(department)) == 1


async def test_at_the_hour_of_the_week_both_are_one_message(department: Department, reads_as: Check) -> None:
    slos = (API, WEB)
    duties = (
        daily(department, slos, MONDAY_NOON),
        digest.weekly(department.store, department.clock, department.rules, MONDAY_NOON, spending(department, slos)),
    )
    counts(department, API, 1_000_000, 46)
    counts(department, WEB, 1_000_000, 9_000)
    department.clock.at = NOON - 7 * DAY
    for duty in duties:
        await duty.run()
    await bad_day(department)
    for duty in duties:
        await duty.run()
    assert await sent(department) == []
    (week,) = await sent(department, "digest")
    reads_as("digest/week", text(week))
    looks("week", week)
    department.clock.at = NOON + DAY
    for duty in duties:
        await duty.run()
    (day,) = await sent(department)
    assert changes(day) == ["", ""], "the day is compared with the day before, though that one stood in the week's"
    assert len(await sent(department, "digest")) == 1


@pytest.mark.parametrize(
    ("now", "due"),
    [
        ("2026-11-23T05:59:59", "2026-11-22T06:00:00"),
        ("2026-11-23T06:00:00", "2026-11-23T06:00:00"),
        ("2026-11-23T23:00:00", "2026-11-23T06:00:00"),
    ],
)
def test_an_hour_is_that_of_the_zone(now: str, due: str) -> None:
    moscow: Callable[[datetime], datetime] = Daily(time(9), "Europe/Moscow").last
    assert moscow(datetime.fromisoformat(f"{now}+00:00")) == datetime.fromisoformat(f"{due}+00:00")


def test_an_hour_that_a_clock_change_leaves_out_comes_all_the_same() -> None:
    """Berlin's clocks go from 2:00 to 3:00 on 29 March 2026."""
    found = Daily(time(2, 30), "Europe/Berlin").last(datetime.fromisoformat("2026-03-29T12:00:00+00:00"))
    assert found == datetime.fromisoformat("2026-03-29T01:30:00+00:00")
