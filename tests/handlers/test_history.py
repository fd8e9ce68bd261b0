"""What the past of alerts reads like: the noisiest rules, the figures, the week; in both languages."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.messages import Message
from bot.domain.phrases import English, Words
from bot.platforms.console.plain import plain
from handlers.alerting import own
from handlers.cards import history
from handlers.cards.own import PAGE
from tests.handlers.department import Check
from tests.handlers.test_alerting import MINUTE, Life, fires, life, over
from tests.spoken import russian

__all__ = ["life"]
DAY = timedelta(days=1)
READERS = pytest.mark.parametrize("words", [English(), russian()], ids=["en", "ru"])


@pytest.fixture
async def week(life: Life) -> Life:
    """One rule that flaps all week, one that fires once and goes on; and anna is called by boris once a day."""
    life.clock.at -= 7 * DAY - MINUTE
    called = {"alertname": PAGE, "from": "boris", "to": "anna"}
    for day in range(7):
        flapping = replace(named("Flaps", "web"), starts_at=life.clock.at)
        await life.hears(flapping, key="flaps")
        life.clock.at += 5 * MINUTE
        await life.hears(over(flapping, life.clock.at - 4 * MINUTE), key="flaps")  # told at its sender's next flush
        await life.store.write(lambda tx, day=day: own.fires(tx, life.rules, f"call {day}", called, life.clock.at))
        life.clock.at += DAY - 10 * MINUTE
    await life.hears(named("DiskFull", "db"), key="disk")
    life.clock.at += MINUTE
    return life


def named(name: str, service: str):
    one = fires(severity="warning")
    return replace(one, fingerprint=name, labels={**one.labels, "alertname": name, "service": service})


async def told(life: Life, report, words: Words) -> str:
    now = life.clock.at
    message: Message = await life.store.read(lambda tx: report(tx, now - 7 * DAY, now))
    return plain(message, words)


@READERS
async def test_the_noisiest_rules(week: Life, words: Words, reads_as: Check) -> None:
    reads_as(f"reports/noisy.{words.locale}", said := await told(week, history.noisy, words))
    assert PAGE not in said, "a person who calls another is no rule"


@READERS
async def test_the_figures(week: Life, words: Words, reads_as: Check) -> None:
    reads_as(f"reports/stats.{words.locale}", await told(week, history.stats, words))


@READERS
async def test_the_week(week: Life, words: Words, reads_as: Check) -> None:
    reads_as(f"reports/week.{words.locale}", said := await told(week, history.digest, words))
    assert PAGE not in said
